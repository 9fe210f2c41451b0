/**
 * LISTEN and NOTIFY, cluster-wide. What a transaction notifies is rows that it writes: its commit decides about them as about all else, and
 * nobody who dies afterwards can take them back. A node with listeners follows these rows in the order of commits (`ChangeFeed`).
 *
 * N1. A committed notification reaches every session that listens to its channel at its commit timestamp c, once, in the order of c;
 *     within a transaction in the order given. A transaction that did not commit notifies nobody.
 * N2. A session listens from a timestamp on that is drawn between the commit of its LISTEN and the client's learning of it (from its own
 *     transaction on, if that wrote anything). So it is told of everything that commits after LISTEN was answered.
 * N3. It is told outside of transactions only; of what commits while it is in one, at its end.
 * N4. Rows are deleted by whoever wrote them after a while, by anybody later. That decides nothing: feeds see what was deleted as long as
 *     history is kept (gc_ttl). A node that was cut off for longer cannot know what it missed: its listening sessions end (57P01).
 * N5. A session that does not take what it is told keeps at most 16 MiB; then it ends (57P01), and nobody else is the worse for it.
 *
 * PostgreSQL's queue fills up with its slowest listener instead, and then refuses those who notify. Here nobody who notifies waits
 * for anybody (docs/decisions/notifications.md).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key, prefixEnd, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { ticksPerMs } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import { OwnTransactions } from "@quorate/txn/own-transactions";
import type {
	Change,
	FeedFollower,
	FollowedFeed,
	Transaction,
	TransactionCoordinator,
} from "@quorate/txn/types";
import { encodeId } from "../catalog/keys.ts";

export interface Notification {
	readonly channel: string;
	readonly payload: string;
}

/** What a client is told. */
export interface Delivery extends Notification {
	/** Of the session that notified. */
	readonly pid: number;
}

/** A session that listens, or is about to. */
export interface Listener {
	received(ts: Timestamp, delivery: Delivery): void;
	/** What it was to be told is lost. */
	lost(error: DatabaseError): void;
}

const prefix = "\x01q";
const queueSpan: Span = { start: key(prefix), end: prefixEnd(key(prefix)) };
/** Time, writer, counter: each of a fixed length. */
const timeAt = prefix.length;
const writerAt = timeAt + 8;
const writerBytes = 8;
const keyLength = writerAt + writerBytes + 8;
const rowFormat = 1;
/** Of the notifications in one row; every row of a transaction has its place in the order. */
const rowBytesMax = 128 << 10;

/** Between two looks for rows that can go, their age then, and that of others' rows. */
const collectMs = 15_000;
const rowLifeMs = 15_000;
const othersLifeMs = 120_000;
const collectRowsMax = 2_000;
/** After its own commit a session waits so long for what it notified itself of. */
const ownWaitMs = 5_000;

export class NotificationHub implements FeedFollower {
	readonly #runtime: Runtime;
	readonly #coordinator: TransactionCoordinator;
	readonly #placement: PlacementClient;
	readonly #transactions: OwnTransactions;
	readonly #listeners = new Map<string, Set<Listener>>();
	readonly #writer: string;
	#counter = 0;
	#feed: FollowedFeed | undefined;
	#starting: Promise<void> | undefined;
	#waiting: { readonly ts: Timestamp; readonly resolve: () => void }[] = [];
	#collector: Timer | undefined;
	/** Something was written since the collector last found nothing. */
	#hasWritten = false;
	#closed = false;

	constructor(runtime: Runtime, coordinator: TransactionCoordinator, placement: PlacementClient) {
		this.#runtime = runtime;
		this.#coordinator = coordinator;
		this.#placement = placement;
		this.#transactions = new OwnTransactions(runtime, coordinator, placement);
		this.#writer = Buffer.from(runtime.random.bytes(writerBytes)).toString("latin1");
	}

	// ---- listening

	/** From when it resolves on, `listener` is told of everything that commits on the channel. */
	async listen(channel: string, listener: Listener): Promise<void> {
		const listeners = this.#listeners.get(channel) ?? new Set();
		this.#listeners.set(channel, listeners);
		listeners.add(listener);
		while (this.#feed === undefined && listeners.has(listener)) {
			this.#starting ??= this.#start().finally(() => {
				this.#starting = undefined;
			});
			await this.#starting;
		}
	}

	async #start(): Promise<void> {
		const { timestamp } = await this.#placement.issue();
		if (!this.#closed && this.#listeners.size > 0) {
			this.#feed = this.#coordinator.follow(queueSpan, timestamp, this);
			this.#collectLater();
		}
	}

	unlisten(channel: string, listener: Listener): void {
		const listeners = this.#listeners.get(channel);
		if (listeners?.delete(listener) === true && listeners.size === 0) {
			this.#listeners.delete(channel);
			if (this.#listeners.size === 0) {
				this.#stop();
			}
		}
	}

	#stop(): void {
		this.#feed?.stop();
		this.#feed = undefined;
		for (const { resolve } of this.#waiting.splice(0)) resolve();
	}

	changes(rows: readonly Change[], upTo: Timestamp): void {
		for (const { ts, value } of rows) {
			const { pid, notifications } = decodeRow(value);
			for (const { channel, payload } of notifications) {
				for (const listener of this.#listeners.get(channel) ?? []) {
					listener.received(ts, { channel, payload, pid });
				}
			}
		}
		const reached = this.#waiting.filter((w) => w.ts <= upTo);
		this.#waiting = this.#waiting.filter((w) => w.ts > upTo);
		for (const { resolve } of reached) resolve();
	}

	gap(): void {
		const listeners = new Set([...this.#listeners.values()].flatMap((set) => [...set]));
		this.#listeners.clear();
		this.#stop();
		for (const listener of listeners) {
			listener.lost(
				new DatabaseError("57P01", "terminating connection because notifications were lost", {
					severity: "FATAL",
					detail: "The node was cut off from them for longer than history is kept.",
					hint: "Connect again, listen again, and look at what may have changed.",
				}),
			);
		}
	}

	/** Resolves once everything that committed at or before `ts` was told to the sessions of this node, or after a while. */
	async reached(ts: Timestamp): Promise<void> {
		if (this.#feed === undefined || this.#feed.at >= ts) return;
		await new Promise<void>((resolve) => {
			const timer = this.#runtime.scheduler.setTimer(ownWaitMs, resolve);
			this.#waiting.push({
				ts,
				resolve: () => {
					timer.cancel();
					resolve();
				},
			});
		});
	}

	// ---- notifying

	/** Makes them part of the transaction. */
	write(transaction: Transaction, pid: number, notifications: readonly Notification[]): void {
		for (const part of cut(notifications)) {
			this.#counter++;
			const time = encodeId(this.#placement.seen());
			const k = key(`${prefix}${time}${this.#writer}${encodeId(this.#counter)}`);
			transaction.put(k, encodeRow(pid, part));
		}
		this.#hasWritten = true;
		this.#collectLater();
	}

	/** Of a read-only transaction, which writes nothing itself: when that has ended. */
	async writeAlone(
		pid: number,
		notifications: readonly Notification[],
	): Promise<Timestamp | undefined> {
		return this.#transactions.runOnce(async (transaction) =>
			this.write(transaction, pid, notifications),
		);
	}

	// ---- taking away what was told

	#collectLater(): void {
		if (this.#collector !== undefined || this.#closed) return;
		if (!this.#hasWritten && this.#feed === undefined) return;
		const ms = collectMs * (0.75 + this.#runtime.random.float() / 2);
		this.#collector = this.#runtime.scheduler.setTimer(ms, () => {
			void this.#collect()
				.catch((error: unknown) => {
					this.#runtime.logger.log("debug", "notifications were not collected", {
						error: String(error),
					});
				})
				.finally(() => {
					this.#collector = undefined;
					this.#collectLater();
				});
		});
	}

	async #collect(): Promise<void> {
		const keys: Key[] = [];
		await this.#transactions.read(async (transaction) => {
			const { timestamp } = await transaction.readTimestamp();
			const before = (lifeMs: number): string =>
				prefix + encodeId(Math.max(0, timestamp - lifeMs * ticksPerMs));
			const [own, others] = [before(rowLifeMs), before(othersLifeMs)];
			for await (const rows of transaction.scan({ start: queueSpan.start, end: key(own) })) {
				for (const row of rows) {
					const isOwn = row.key.slice(writerAt, writerAt + writerBytes) === this.#writer;
					if ((isOwn || row.key < others) && row.key.length === keyLength) keys.push(row.key);
				}
				if (keys.length >= collectRowsMax) break;
			}
		});
		if (keys.length === 0) {
			this.#hasWritten = false;
			return;
		}
		await this.#transactions.run(async (transaction) => {
			for (const k of keys) transaction.delete(k);
		}, 2);
	}

	close(): void {
		this.#closed = true;
		this.#listeners.clear();
		this.#stop();
		this.#collector?.cancel();
	}
}

const bytesOf = ({ channel, payload }: Notification): number =>
	Buffer.byteLength(channel) + Buffer.byteLength(payload) + 8;

function cut(notifications: readonly Notification[]): Notification[][] {
	const parts: Notification[][] = [];
	let bytes = rowBytesMax;
	for (const one of notifications) {
		bytes += bytesOf(one);
		if (bytes > rowBytesMax) {
			parts.push([]);
			bytes = bytesOf(one);
		}
		parts[parts.length - 1]!.push(one);
	}
	return parts;
}

function encodeRow(pid: number, notifications: readonly Notification[]): Uint8Array {
	const pairs = notifications.map(({ channel, payload }) => [channel, payload]);
	return Buffer.from(JSON.stringify([rowFormat, pid, pairs]), "utf8");
}

function decodeRow(bytes: Uint8Array): {
	readonly pid: number;
	readonly notifications: readonly Notification[];
} {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	const [format, pid, pairs] = JSON.parse(text) as [number, number, [string, string][]];
	if (format !== rowFormat) {
		throw new DatabaseError("0A000", `a notification has format ${format}`, {
			hint: "Upgrade this node.",
		});
	}
	return { pid, notifications: pairs.map(([channel, payload]) => ({ channel, payload })) };
}
