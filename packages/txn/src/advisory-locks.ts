/**
 * Advisory locks of a whole cluster, as one node's sessions see them. A lock is a row of the key space, changed by small strictly
 * serializable transactions (`advisory-row.ts` says what a row becomes); nothing about who holds what is in anybody's memory only. So
 * leases may move and nodes may stop, and a lock stays where it is.
 *
 * A session s *holds* a lock at timestamp t if at t the lock's row names s and the row of s's tenure is there (`tenures.ts`).
 *
 * A1. At every timestamp, those who hold a lock bear each other: two sessions hold it only if both hold it shared.
 *     (Rows change one transaction at a time, R1; whoever is left out because of its tenure is left out by a transaction that read the
 *     tenure's absence and validates that.)
 * A2. **Fencing.** A transaction of a session that holds an advisory lock when the transaction begins, or takes one in it, commits at c
 *     only if the session's tenure is there at c; a read-only one is answered only if it is there at a timestamp drawn after its last
 *     statement. So if a lock is taken from s and given to another at g, then no transaction of s commits at or above g that began
 *     while s had reason to believe it held it: s is told 57P01 and its connection ends. This holds however long s's node, its
 *     client, or the network slept, and whatever clocks say.
 *     It covers what is done through this session. What a client does elsewhere because it holds a lock (a file, another service,
 *     another connection) is not fenced by anything here.
 * A3. A lock stays held until its session releases it, ends, or its tenure is ended, which somebody tries only once the node runs
 *     another boot or has been silent for about 4.5 s (2 s at the placement leader, 2.5 s more at whoever waits).
 * A4. Locks of a transaction are released after its commit is decided and before its client is told.
 * A5. Requests are served first come, first served (R2), also across nodes.
 *
 * A session that waits is in the row's queue; its node looks at the row (`advisory-waits.ts`). Deadlocks go to the same detector as those of
 * row locks: who waits for a session waits for the transaction that the session is running.
 *
 * Left out: reads that a session sends to its client inside of a transaction block are fenced by the block's end only.
 */
import type { BootId, LockOwner, NodeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { makeLockOwner } from "@quorate/keys/lock-owner";
import type { Mutations } from "@quorate/keys/mutations";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import type { Victim, WaitEdge } from "@quorate/replica/wait-edge";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import {
	type AdvisoryId,
	type AdvisoryMode,
	type AdvisoryOwner,
	type AdvisoryRow,
	advisoryId,
	advisorySpan,
	decodeRow,
	encodeRow,
	grantedBetween,
	type Requested,
	reduceTo,
	request,
	type Waiter,
	withoutTenures,
} from "./advisory-row.ts";
import { AdvisoryWaits, type WaitLimits } from "./advisory-waits.ts";
import { OwnTransactions } from "./own-transactions.ts";
import { type AdvisoryHost, SessionLocks } from "./session-locks.ts";
import { bootOfTenure, type Tenure, Tenures, tenureEnded, tenureKey } from "./tenures.ts";
import type { LockRequest, Transaction, TransactionCoordinator } from "./types.ts";

/** What a session tells of itself. */
export interface AdvisorySessionHooks {
	/** The owner of row locks of the transaction whose statement runs now. */
	running(): LockOwner | undefined;
	/** Its locks are not its own any more: it must end, with this error. */
	lost(error: ReturnType<typeof tenureEnded>): void;
}

export interface AdvisoryOptions {
	readonly runtime: Runtime;
	readonly nodeId: NodeId;
	readonly bootId: BootId;
	readonly placement: PlacementClient;
	readonly coordinator: Pick<TransactionCoordinator, "begin">;
	/** Undefined: there are no other nodes. */
	readonly rpc: Pick<Rpc, "send" | "handle"> | undefined;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
}

/** A line of pg_locks. */
export interface AdvisoryEntry {
	readonly id: AdvisoryId;
	readonly mode: AdvisoryMode;
	readonly granted: boolean;
	readonly pid: number;
	readonly node: number;
}

const exclusive: LockRequest = { strength: "update", wait: "block" };
const retryMs = 500;
/** A node that stops waits so long for its tenure to be given up; without it the others notice by themselves. */
const stopMs = 500;
/** Locks released by one transaction. */
const batchMax = 200;
const grantedMethod = "advisory-granted";

/** Who the deadlock detector is told holds a session's locks: never the youngest, so never the victim. */
const sessionOwner = ({ tenure, session, pid }: AdvisoryOwner): LockOwner =>
	makeLockOwner(bootOfTenure(tenure), -session, pid, timestampZero);

const edge = (waiter: LockOwner, holder: LockOwner, key: Key, since: number): WaitEdge => ({
	...{ waiter, holder, key, since },
	...{ transaction: null, of: null, strength: null },
});

const describe = ({ classid, objid, objsubid }: AdvisoryId, mode: AdvisoryMode): string =>
	`${mode === "exclusive" ? "ExclusiveLock" : "ShareLock"} on advisory lock [${classid},${objid},${objsubid}]`;

export class AdvisoryLocks implements AdvisoryHost {
	readonly #options: AdvisoryOptions;
	readonly #transactions: OwnTransactions;
	readonly #tenures: Tenures;
	readonly #waits: AdvisoryWaits;
	readonly #sessions = new Map<SessionLocks, AdvisorySessionHooks>();
	/** Whose statements ran at the last look for deadlocks, and since which look (monotonic milliseconds). */
	#running: ReadonlyMap<LockOwner, number> = new Map();
	#counter = 0;
	#closed = false;

	constructor(options: AdvisoryOptions) {
		const { runtime, coordinator, placement } = options;
		this.#options = options;
		this.#transactions = new OwnTransactions(runtime, coordinator, placement);
		this.#tenures = new Tenures({
			runtime,
			bootId: options.bootId,
			placement,
			transactions: this.#transactions,
			isIgnored: options.mutations?.withoutFencing === true,
			isUsed: () => [...this.#sessions.keys()].some((locks) => locks.isActive),
			onEnded: (tenure) => this.#ended(tenure),
			onOtherEnded: (id) => void this.#giveOn(id),
		});
		this.#waits = new AdvisoryWaits(runtime, this.#transactions, this.#tenures);
		options.rpc?.handle(grantedMethod, () => {
			this.#waits.look();
			return null;
		});
	}

	/** For a session that begins. */
	open(pid: number, hooks: AdvisorySessionHooks): SessionLocks {
		this.#counter++;
		const locks = new SessionLocks(this, this.#counter, pid);
		this.#sessions.set(locks, hooks);
		return locks;
	}

	closed(locks: SessionLocks): void {
		this.#sessions.delete(locks);
	}

	newTicket(): number {
		this.#counter++;
		return this.#counter;
	}

	/** A2: to be called for a transaction of a session with locks when it begins, and when it takes its first. */
	fence(locks: SessionLocks, transaction: Transaction): void {
		const { tenure } = locks;
		const isFenced = this.#options.mutations?.withoutFencing !== true;
		if (tenure !== undefined && locks.isActive && isFenced) {
			transaction.relyOn(tenure.key, tenure.aliveAt);
		}
	}

	/** After a conflict: whether it was because the session has lost its locks. */
	async hasLost(locks: SessionLocks): Promise<boolean> {
		const { tenure } = locks;
		if (tenure === undefined) {
			return false;
		}
		if (!tenure.ended) {
			await this.#tenures.refresh(tenure).catch(() => {});
		}
		return tenure.ended;
	}

	// ---- taking

	async acquire(
		locks: SessionLocks,
		k: Key,
		mode: AdvisoryMode,
		limits: WaitLimits,
	): Promise<boolean> {
		const who = await this.#ownerOf(locks);
		const entry = locks.entry(k)!;
		await entry.changing;
		for (;;) {
			const asking = this.#request(locks, who, k, mode);
			entry.changing = asking
				.catch(() => {})
				.then(() => {
					entry.changing = undefined;
				});
			const { outcome, blockers } = await unlessCancelled(asking, limits);
			if (outcome !== "queued") {
				return outcome === "granted";
			}
			const wait = {
				who,
				tenure: locks.tenure!,
				key: k,
				mode,
				ticket: entry.wanted!.ticket!,
				lockOwner: this.#sessions.get(locks)?.running(),
			};
			if ((await this.#waits.wait(wait, blockers, limits)) === "granted") {
				return true;
			}
		}
	}

	async #ownerOf(locks: SessionLocks): Promise<AdvisoryOwner> {
		locks.tenure ??= await this.#tenures.current();
		if (locks.tenure.ended) {
			throw tenureEnded();
		}
		const { tenure, session, pid } = locks;
		return { tenure: tenure.id, session, pid, node: this.#options.nodeId };
	}

	async #request(
		locks: SessionLocks,
		who: AdvisoryOwner,
		k: Key,
		mode: AdvisoryMode,
	): Promise<Requested> {
		const tenure = locks.tenure!;
		const ticket = locks.entry(k)!.wanted?.ticket;
		let asked: Requested | undefined;
		let granted: readonly Waiter[] = [];
		let attempts = 0;
		const timestamp = await this.#transactions.run(async (transaction) => {
			if (attempts++ > 0 && (await this.hasLost(locks))) {
				throw tenureEnded();
			}
			const [bytes] = await transaction.get([k], exclusive);
			const before = decodeRow(bytes);
			asked = request(before, who, mode, ticket);
			if (asked.outcome !== "granted") {
				const ended = await endedTenures(transaction, before, who.tenure);
				asked = request(withoutTenures(before, ended), who, mode, ticket);
			}
			granted = grantedBetween(before, asked.row);
			transaction.relyOn(tenure.key, tenure.aliveAt);
			store(transaction, k, bytes, asked.row);
		});
		this.#standsAt(tenure, timestamp);
		this.#tell(granted);
		for (const blocker of asked!.blockers) {
			this.#tenures.suspect(blocker.tenure);
		}
		return asked!;
	}

	#standsAt(tenure: Tenure, timestamp: Timestamp | undefined): void {
		if (timestamp !== undefined) {
			this.#tenures.saw(tenure, timestamp, true);
		}
	}

	// ---- giving back

	settle(locks: SessionLocks, keys: readonly Key[], patienceMs: number): Promise<void> {
		return within(this.#options.runtime, patienceMs, this.#settle(locks, keys));
	}

	async #settle(locks: SessionLocks, keys: readonly Key[]): Promise<void> {
		for (let at = 0; at < keys.length; at += batchMax) {
			const batch = keys.slice(at, at + batchMax);
			await Promise.all(batch.map((k) => locks.entry(k)?.changing));
			if (!(await this.#reduce(locks, batch))) {
				void this.#reduceLater(locks, batch);
			}
		}
	}

	async #reduceLater(locks: SessionLocks, keys: readonly Key[]): Promise<void> {
		const { scheduler } = this.#options.runtime;
		do {
			await new Promise<void>((resolve) => scheduler.setTimer(retryMs, resolve));
		} while (!this.#closed && !(await this.#reduce(locks, keys)));
	}

	/** True: nothing is left to do. */
	async #reduce(locks: SessionLocks, keys: readonly Key[]): Promise<boolean> {
		const { tenure } = locks;
		if (tenure !== undefined && !tenure.ended) {
			const who: AdvisoryOwner = {
				tenure: tenure.id,
				session: locks.session,
				pid: locks.pid,
				node: this.#options.nodeId,
			};
			const sorted = [...keys].sort();
			try {
				await this.#change(sorted, (row, k) => reduceTo(row, who, locks.claim(k)));
			} catch (error) {
				this.#options.runtime.logger.log("debug", "advisory locks were not released yet", {
					error: String(error),
				});
				return tenure.ended;
			}
		}
		for (const k of keys) {
			locks.forget(k);
		}
		return true;
	}

	/** In one transaction; `keys` in order, so that two of these do not wait for each other. */
	async #change(
		keys: readonly Key[],
		change: (row: AdvisoryRow, k: Key) => AdvisoryRow,
		/** Whose absence the change goes by. */
		endedTenure?: string,
	): Promise<void> {
		let granted: Waiter[] = [];
		await this.#transactions.run(async (transaction) => {
			granted = [];
			if (endedTenure !== undefined) {
				const [row] = await transaction.get([tenureKey(endedTenure)]);
				if (row !== undefined) {
					return;
				}
			}
			const found = await transaction.get(keys, exclusive);
			keys.forEach((k, i) => {
				const before = decodeRow(found[i]);
				const after = change(before, k);
				granted.push(...grantedBetween(before, after));
				store(transaction, k, found[i], after);
			});
		});
		this.#tell(granted);
	}

	/** Nobody has to wait for the next look. */
	#tell(granted: readonly Waiter[]): void {
		const { nodeId, rpc } = this.#options;
		for (const node of new Set(granted.map((w) => w.node))) {
			if (node === nodeId) {
				this.#waits.look();
			} else {
				rpc?.send(node as NodeId, grantedMethod, null);
			}
		}
	}

	// ---- tenures

	/** This node was taken for dead: whoever holds or waits under the tenure is told before anything else is done. */
	#ended(tenure: Tenure): void {
		for (const [locks, hooks] of this.#sessions) {
			if (locks.tenure !== tenure) {
				continue;
			}
			if (locks.isActive) {
				hooks.lost(tenureEnded());
			} else {
				locks.tenure = undefined;
			}
		}
		this.#waits.failAll(tenure, tenureEnded());
	}

	/** What a tenure held goes to those who wait; also where they have not noticed. */
	async #giveOn(id: string): Promise<void> {
		const ended = new Set([id]);
		try {
			const rows = await this.#rows();
			for (const { key, row } of rows) {
				if (withoutTenures(row, ended) !== row) {
					await this.#change([key], (now) => withoutTenures(now, ended), id);
				}
			}
		} catch (error) {
			// Whoever asks for such a lock finds out by himself.
			this.#options.runtime.logger.log("debug", "giving on advisory locks failed", {
				error: String(error),
			});
		}
	}

	async #rows(): Promise<{ readonly key: Key; readonly row: AdvisoryRow }[]> {
		return this.#transactions.read(async (transaction) => {
			const rows: { key: Key; row: AdvisoryRow }[] = [];
			for await (const page of transaction.scan(advisorySpan)) {
				rows.push(...page.map(({ key, value }) => ({ key, row: decodeRow(value) })));
			}
			return rows;
		});
	}

	/** Everything that is held or waited for, cluster-wide, as of one timestamp. */
	list(): Promise<AdvisoryEntry[]> {
		return this.#transactions.read(async (transaction) => {
			const entries: AdvisoryEntry[] = [];
			for await (const page of transaction.scan(advisorySpan)) {
				for (const { key, value } of page) {
					const stored = decodeRow(value);
					const ended = await endedTenures(transaction, stored, undefined);
					entries.push(...entriesOf(advisoryId(key), withoutTenures(stored, ended)));
				}
			}
			return entries;
		});
	}

	// ---- deadlocks

	/** Who waits for whom through advisory locks: lock waits, and that a session's locks last as long as what it runs. */
	edges(): WaitEdge[] {
		const edges: WaitEdge[] = [];
		for (const { lockOwner, key, mode, since, blockers } of this.#waits.all()) {
			if (lockOwner !== undefined) {
				const advisory = describe(advisoryId(key), mode);
				for (const blocker of blockers) {
					edges.push({ ...edge(lockOwner, sessionOwner(blocker), key, since), advisory });
				}
			}
		}
		const nowMs = this.#options.runtime.clock.monotonicMs();
		const runsNow = new Map<LockOwner, number>();
		for (const [locks, hooks] of this.#sessions) {
			const running = locks.isActive ? hooks.running() : undefined;
			if (running === undefined || locks.tenure === undefined) {
				continue;
			}
			const { session, pid, tenure } = locks;
			const since = this.#running.get(running) ?? nowMs;
			runsNow.set(running, since);
			const who = { tenure: tenure.id, session, pid, node: this.#options.nodeId };
			edges.push(edge(sessionOwner(who), running, tenure.key, since));
		}
		this.#running = runsNow;
		return edges;
	}

	failWait(victim: Victim): void {
		this.#waits.failWait(victim);
	}

	/** After its sessions have closed. */
	async close(): Promise<void> {
		this.#closed = true;
		await within(this.#options.runtime, stopMs, this.#tenures.close());
	}
}

/** Of those whom a row names, the tenures that have ended; that is validated with the transaction. */
async function endedTenures(
	transaction: Transaction,
	row: AdvisoryRow,
	own: string | undefined,
): Promise<ReadonlySet<string>> {
	const named = new Set([...row.holders, ...row.queue].map((o) => o.tenure));
	if (own !== undefined) {
		named.delete(own);
	}
	const ids = [...named];
	const found = ids.length === 0 ? [] : await transaction.get(ids.map(tenureKey));
	return new Set(ids.filter((_, i) => found[i] === undefined));
}

function store(
	transaction: Transaction,
	k: Key,
	before: Uint8Array | undefined,
	after: AdvisoryRow,
): void {
	const bytes = encodeRow(after);
	if (bytes === undefined) {
		if (before !== undefined) {
			transaction.delete(k);
		}
	} else if (before === undefined || Buffer.compare(before, bytes) !== 0) {
		transaction.put(k, bytes);
	}
}

function entriesOf(id: AdvisoryId, row: AdvisoryRow): AdvisoryEntry[] {
	const entries: AdvisoryEntry[] = [];
	for (const { pid, node, exclusive: alone, shared } of row.holders) {
		if (alone) {
			entries.push({ id, mode: "exclusive", granted: true, pid, node });
		}
		if (shared) {
			entries.push({ id, mode: "shared", granted: true, pid, node });
		}
	}
	return [
		...entries,
		...row.queue.map(({ pid, node, mode }) => ({ id, mode, granted: false, pid, node })),
	];
}

/** Resolves with the work, or after a while: then it goes on by itself. */
function within(runtime: Runtime, ms: number, work: Promise<void>): Promise<void> {
	return new Promise((resolve, reject) => {
		const timer = runtime.scheduler.setTimer(ms, resolve);
		work.finally(() => timer.cancel()).then(resolve, reject);
	});
}

/** The caller goes on when it is cancelled; what was asked for may still come to be, and is taken back. */
function unlessCancelled<T>(work: Promise<T>, { cancel }: WaitLimits): Promise<T> {
	return new Promise<T>((resolve, reject) => {
		cancel.onCancel(() => {
			if (cancel.reason !== undefined) {
				reject(cancel.reason);
			}
		});
		work.then(resolve, reject);
	});
}
