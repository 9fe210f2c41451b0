/**
 * One process, no cluster: a coordinator and a placement client in memory, with the rules that SQL relies on (snapshot
 * reads, buffered writes, locks, validation at commit, schema versions). Test support: the whole SQL layer runs on it.
 */
import { InvariantError } from "@quorate/keys/assert";
import { ownVersions, versionSetting } from "@quorate/keys/cluster-version";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import { type Key, keyMax, keyMin, type Span, spanContains } from "@quorate/keys/key";
import type { RangeInfo } from "@quorate/keys/range";
import { type Timestamp, ticksPerMs } from "@quorate/keys/timestamp";
import type {
	ClusterSettings,
	IdKind,
	NodeRecord,
	PlacementClient,
} from "@quorate/placement/types";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type {
	CancelSignal,
	Change,
	ChangesPage,
	ChangesQuery,
	FeedFollower,
	FollowedFeed,
	LoneValue,
	RangeStatus,
	Transaction,
	TransactionCoordinator,
	TransactionMode,
	TransactionOptions,
} from "@quorate/txn/types";
import { MemoryLocks } from "./memory-locks.ts";
import { MemoryStore } from "./memory-store.ts";
import { MemoryTransaction } from "./memory-transaction.ts";

interface MemoryFeed extends FollowedFeed {
	readonly span: Span;
	at: Timestamp;
	readonly follower: FeedFollower;
}

const changesPerPage = 7;

export class MemoryCoordinator implements TransactionCoordinator, PlacementClient {
	readonly store = new MemoryStore();
	readonly locks = new MemoryLocks();
	/** Hooks by which a test makes something happen in between. */
	beforeRead: (() => void | Promise<void>) | undefined;
	beforeCommit: ((mode: TransactionMode) => void | Promise<void>) | undefined;
	#settings: ClusterSettings = {
		version: 0,
		values: new Map([[versionSetting, String(ownVersions.newest)]]),
	};
	#clock = 1_000_000;
	#version = 1;
	readonly #counters = new Map<IdKind, number>([
		["range", 2],
		["replica", 1001],
		["object", 16384],
		["row", 1],
	]);
	readonly #splits: Key[] = [];

	/** Of changes: those up to it may be gone. */
	gcThreshold = 0;
	/** What transactions that take the past read at, if it is not below what they ask for. */
	closed: IssuedTimestamp | undefined;
	readonly #schema: { readonly version: number; readonly c: number }[] = [{ version: 1, c: 0 }];

	async schemaVersionAt(ts: Timestamp): Promise<number | undefined> {
		return this.#schema.findLast(({ c }) => c <= ts)?.version;
	}

	/** Time goes by. */
	advance(ms: number): void {
		this.#clock += ms * ticksPerMs;
	}

	issueNow(): IssuedTimestamp {
		this.#clock++;
		return { timestamp: this.#clock as Timestamp, schemaVersion: this.#version };
	}

	raiseNow(): IssuedTimestamp {
		this.#version++;
		const issued = this.issueNow();
		this.#schema.push({ version: this.#version, c: issued.timestamp });
		return issued;
	}

	begin(options: TransactionOptions): Transaction {
		return new MemoryTransaction(this, options);
	}

	leadElsewhere(): undefined {}

	leadsHere(): boolean {
		return true;
	}

	doesNotLead(): void {}

	once(): Promise<never> {
		return Promise.reject(new InvariantError("there is no other node"));
	}

	settle(): Promise<never> {
		return this.once();
	}

	async readAlone(key: Key, cancel: CancelSignal): Promise<LoneValue> {
		const transaction = this.begin({
			isolation: "serializable",
			mode: "pessimistic",
			readOnly: true,
			lockTimeoutMs: 0,
			schemaVersion: this.#version,
		});
		transaction.beginStatement(cancel);
		const [value] = await transaction.get([key]);
		return { value: value ?? null, ...(await transaction.readTimestamp()) };
	}

	async splitAt(keys: readonly Key[]): Promise<void> {
		for (const key of keys) if (!this.#splits.includes(key)) this.#splits.push(key);
		this.#splits.sort((a, b) => (a < b ? -1 : 1));
	}

	async mergeAt(keys: readonly Key[]): Promise<void> {
		for (const key of keys) {
			const at = this.#splits.indexOf(key);
			if (at >= 0) this.#splits.splice(at, 1);
		}
	}

	async clear(span: Span, dropped: Timestamp): Promise<boolean> {
		const isPassed = this.gcThreshold >= dropped;
		if (isPassed) this.store.clear(span);
		return isPassed;
	}

	async spreadLeases(_span: Span): Promise<void> {}

	readonly #feeds = new Set<MemoryFeed>();

	follow(span: Span, after: Timestamp, follower: FeedFollower): FollowedFeed {
		const feed: MemoryFeed = { span, at: after, follower, stop: () => this.#feeds.delete(feed) };
		this.#feeds.add(feed);
		return feed;
	}

	async *changes(query: ChangesQuery): AsyncIterable<ChangesPage> {
		await this.beforeRead?.();
		const { span, after, upTo, base } = query;
		if (after < this.gcThreshold) throw new DatabaseError("72000", "snapshot too old");
		const rows = this.store
			.changes(span, after, upTo, base)
			.filter(({ key, ts }) => query.above === null || key !== span.start || ts > query.above);
		// Small pages, which end within a key too.
		for (let at = 0; at === 0 || at < rows.length; at += changesPerPage) {
			const next = rows[at + changesPerPage];
			const last = rows[at + changesPerPage - 1];
			const above = next !== undefined && next.key === last?.key ? last.ts : null;
			yield {
				rows: rows.slice(at, at + changesPerPage),
				resume: next === undefined ? null : { key: next.key, above },
			};
		}
	}

	/** Something committed at `ts`. */
	committed(rows: readonly Change[], ts: Timestamp): void {
		for (const feed of [...this.#feeds]) {
			if (ts <= feed.at) continue;
			feed.at = ts;
			feed.follower.changes(
				rows.filter((row) => spanContains(feed.span, row.key)),
				ts,
			);
		}
	}

	/** As if the followers had been away for too long. */
	loseFeeds(): void {
		for (const feed of [...this.#feeds]) {
			feed.stop();
			feed.follower.gap();
		}
	}

	async ranges(span: Span): Promise<readonly RangeStatus[]> {
		const bounds = [keyMin, ...this.#splits, keyMax];
		const out: RangeStatus[] = [];
		for (let i = 0; i + 1 < bounds.length; i++) {
			const [start, end] = [bounds[i]!, bounds[i + 1]!];
			if (start >= span.end || end <= span.start) continue;
			out.push({
				descriptor: {
					rangeId: (i + 1) as RangeId,
					start,
					end,
					epoch: { version: 1, conf: 1 },
					replicas: [{ nodeId: 1 as NodeId, replicaId: (1000 + i) as ReplicaId, role: "voter" }],
				},
				leaseholder: 1 as NodeId,
				sizeBytes: 0,
				requestsPerSecond: 0,
			});
		}
		return out;
	}

	async issue(): Promise<IssuedTimestamp> {
		return this.issueNow();
	}

	seen(): Timestamp {
		return this.#clock as Timestamp;
	}

	observe(_issued: Timestamp): void {}

	async raiseSchemaVersion(): Promise<IssuedTimestamp> {
		return this.raiseNow();
	}

	async lookup(): Promise<readonly RangeInfo[]> {
		return [];
	}

	async decided(): Promise<void> {}

	async report(_ranges: readonly RangeInfo[]): Promise<void> {}

	async allocate(kind: IdKind, count: number): Promise<number> {
		const first = this.#counters.get(kind)!;
		this.#counters.set(kind, first + count);
		return first;
	}

	async nodes(): Promise<readonly NodeRecord[]> {
		return [];
	}

	nodesCached(): readonly NodeRecord[] {
		return [];
	}

	/** What the oracle would answer now; `schemaVersion` is what this node has heard of. */
	get currentVersion(): number {
		return this.#version;
	}

	schemaVersion(): number {
		return this.#version;
	}

	settings(): ClusterSettings {
		return this.#settings;
	}

	async set(name: string, value: string | null): Promise<void> {
		const values = new Map(this.#settings.values);
		if (value === null) values.delete(name);
		else values.set(name, value);
		this.#settings = { version: this.#settings.version + 1, values };
	}

	async awaitSchemaVersion(_version: number, _timeoutMs: number): Promise<boolean> {
		return true;
	}
}
