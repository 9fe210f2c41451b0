/**
 * Transactions as SQL sees them. A gateway coordinates: writes are buffered here and overlaid on the transaction's own
 * reads; reads go to leaseholders. All methods reject with `DatabaseError`: 40001 (conflict; run again), 40P01 (deadlock), 40003 (the outcome
 * cannot be learned), 55P03 (lock not available), 57014 (cancelled), 57P03 (cannot reach a quorum now), 53200.
 */

import type { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner, NodeId, TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { LockStrength } from "@quorate/replica/lock-strength";
import type { ExportedChange, ExportPlace } from "@quorate/replica/requests";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";

export type Isolation = "serializable" | "repeatable read" | "read committed";
export type TransactionMode = "pessimistic" | "optimistic";

export interface TransactionOptions {
	readonly isolation: Isolation;
	readonly mode: TransactionMode;
	readonly readOnly: boolean;
	/** 0: no limit. */
	readonly lockTimeoutMs: number;
	/** The catalog's schema version that statements are planned with until a read timestamp is drawn. */
	readonly schemaVersion: number;
	/** By which its client's session is known to others; absent or 0: none. */
	readonly process?: number;
	/** It is to be one statement: its client hears of the end of both at once. */
	readonly oneStatement?: boolean;
	/** It runs for another node. */
	readonly once?: Once;
	/** All reads are at this timestamp, which was issued or is below one that was, with the schema version as of it. Read-only. */
	readonly asOf?: IssuedTimestamp;
}

/**
 * Of a transaction that another node has run here: it commits in one phase under this id, with its record by a key that it writes, or not at
 * all (40001). So the other node can find out what became of it (T5).
 */
export interface Once {
	readonly id: TransactionId;
	readonly anchor: Key;
}

/** Where the plain reads of a transaction that reads the past were served. */
export interface ReadPlaces {
	/** Requests that this node's own replicas answered without leading their ranges. */
	readonly followers: number;
	readonly leaseholders: number;
}

export interface Row {
	readonly key: Key;
	readonly value: Uint8Array;
}

export type LockWait = "block" | "nowait" | "skip locked";

/** Absent: a plain read at the read timestamp. */
export interface LockRequest {
	readonly strength: LockStrength;
	readonly wait: LockWait;
	/** Only a look, which need not hold until the commit and locks nothing: rows that count are locked one by one. Not in optimistic mode. */
	readonly peek?: boolean;
	/**
	 * With "key share": nobody is told the value, only whether there is one. That has to hold at commit, at every level, and no more
	 * than that: the row may change. It is what a foreign key asks of a referenced key.
	 */
	readonly presence?: boolean;
}

export interface ScanOptions {
	readonly reverse?: boolean;
	/** Stop after about this many rows (a hint for the page size; the caller may stop any time). */
	readonly limit?: number;
	/** Read the newest versions and lock them (pessimistic writers, FOR UPDATE). */
	readonly lock?: LockRequest;
	/** What is there, and that there is no more, must hold at commit, at every level. */
	readonly holds?: boolean;
}

/** Cancels waits: statement_timeout, CancelRequest, disconnect. */
export interface CancelSignal {
	readonly reason: DatabaseError | undefined;
	/** Returns what takes the listener back: a statement may wait a million times before it ends. */
	onCancel(listener: () => void): () => void;
}

export interface Transaction {
	/** Who owns its locks, for those who look for deadlocks. */
	readonly lockOwner: LockOwner;
	/** Draws the read timestamp on first use; also the schema version as of it. Under READ COMMITTED a fresh one a statement. */
	readTimestamp(): Promise<{ readonly timestamp: Timestamp; readonly schemaVersion: number }>;
	/**
	 * The schema version as of the read timestamp; `TransactionOptions.schemaVersion` until one is drawn. It may move with any
	 * awaited read (a locking read can move the read timestamp): SQL looks before it decodes what it read (S2).
	 */
	readonly schemaVersion: number;
	/** The read timestamp, if one was drawn. */
	readonly readAt: Timestamp | undefined;
	/**
	 * The transaction takes the past: its plain reads are at a closed timestamp, not below `least`, from replicas of this node
	 * where they can be. Nothing happens if it has a read timestamp.
	 */
	readClosed(least: Timestamp): void;
	readonly readPlaces: ReadPlaces;
	/** Must be called before each statement. `statement` writes if it may write or lock. */
	beginStatement(cancel: CancelSignal): void;
	/** What the running statement reads from here on holds at commit, at every level: a schema change relies on rows. */
	holdReads(): void;
	/** Values in the order of `keys`; undefined where absent. Sees the transaction's own writes. */
	get(keys: readonly Key[], lock?: LockRequest): Promise<(Uint8Array | undefined)[]>;
	/** The same of one key: without a promise where nothing must be waited for. Throws, or rejects. */
	getOne(key: Key, lock?: LockRequest): Uint8Array | undefined | Promise<Uint8Array | undefined>;
	/** Pages of rows in key order (or reverse), own writes merged in. Empty pages do not occur. */
	scan(span: Span, options?: ScanOptions): AsyncIterable<readonly Row[]>;
	/** Buffers a write. The caller has read the key (with a lock, in pessimistic mode), or wants a blind write. */
	put(key: Key, value: Uint8Array): void;
	delete(key: Key): void;
	/**
	 * Buffers an insertion that relies on the key's absence, checked by its leaseholder no later than at commit. Only for keys that the
	 * transaction has not read; a violation rejects `flush` or `commit` with a `KeyExistsError`. Throws one if the transaction has
	 * written the key itself.
	 */
	insert(key: Key, value: Uint8Array): void;
	/**
	 * The transaction commits, or ends as a reader, only if the key is unchanged since that timestamp, at every isolation level. The
	 * first call for a key counts.
	 */
	relyOn(key: Key, since: Timestamp): void;
	/** Waits while the buffer is above its limit: chunks of a large transaction are being prepared. Call it between rows of bulk writes. */
	flush(): Promise<void>;
	/** Bytes buffered now. */
	readonly bufferedBytes: number;
	/** Under which it locks. */
	readonly owner: LockOwner;
	/** Under which it has prepared something; undefined: it has not. */
	readonly id: TransactionId | undefined;
	readonly hasWrites: boolean;
	savepoint(): Savepoint;
	/** A promise where chunks of a large transaction have to be taken back; rejects with 40001 where it is not known what became of one. */
	rollbackTo(savepoint: Savepoint): void | Promise<void>;
	/**
	 * Before its commit: what its statements have taken from the catalog is the same in a newer version of the schema. It commits if that is
	 * the version at its commit timestamp.
	 */
	acceptSchema(version: number): void;
	/**
	 * Marks it as a schema change: c is drawn by one placement entry that raises the version too (S1). Its catalog rows are ordinary writes.
	 */
	markSchemaChange(): void;
	/**
	 * Resolves once the outcome is durable and decided. `timestamp` is undefined for a read-only transaction.
	 * `schemaVersion` is the version that its schema change made.
	 */
	commit(): Promise<{
		readonly timestamp: Timestamp | undefined;
		readonly schemaVersion: number | undefined;
	}>;
	/** Commits where that takes nothing: it has written and locked nothing. False: it goes on as it was. */
	endReadOnly(): boolean;
	/** Never rejects; releases locks and intents in the background. */
	rollback(): Promise<void>;
	/**
	 * The running statement tells its client nothing of what it reads, but how many rows it has written. Where that is none, it waits for
	 * `confirm` first.
	 */
	tellsNothing(): void;
	/**
	 * What it has read may be another transaction's value that is not durable yet. Whoever concludes something from it other than by a
	 * commit, an error for example, waits for that first: rejects with 40001 if it has come to nothing.
	 */
	confirm(): Promise<void> | void;
	/** Whether the running statement may be run again from its start after a conflict: it is the first, and nothing of it was sent. */
	readonly canRestartStatement: boolean;
	/** Forgets what the statement has read and written, for another run of it. Locks stay, unless they were what it failed of. */
	restart(error: DatabaseError): void;
}

declare const savepointBrand: unique symbol;
export interface Savepoint {
	readonly [savepointBrand]: true;
}

/** Rejected insertion: SQL turns it into 23505 with the constraint's name. */
export class KeyExistsError extends Error {
	override readonly name = "KeyExistsError";
	readonly key: Key;
	constructor(k: Key) {
		super("key exists");
		this.key = k;
	}
}

export interface RangeStatus {
	readonly descriptor: RangeDescriptor;
	readonly leaseholder: NodeId | undefined;
	readonly sizeBytes: number;
	readonly requestsPerSecond: number;
}

/** A version of a key. */
export interface Change {
	readonly key: Key;
	readonly ts: Timestamp;
	readonly value: Uint8Array;
}

/** Of a span: what changed in (after, upTo], deletions too, and with `base` what its keys held at `after`. */
export interface ChangesQuery {
	readonly span: Span;
	/** Of the span's first key only those above it, if the page before has ended within that key. */
	readonly above: Timestamp | null;
	readonly base: boolean;
	readonly after: Timestamp;
	/** Issued. */
	readonly upTo: Timestamp;
}

/** In the order of keys, and of a key by timestamp. Complete up to `resume`; null: up to the end of the span. */
export interface ChangesPage {
	readonly rows: readonly ExportedChange[];
	readonly resume: ExportPlace | null;
}

/** Who follows what changes in a span. */
export interface FeedFollower {
	/** Changes in the order of their timestamps; then all up to `upTo` have been told. Deletions are not among them. */
	changes(rows: readonly Change[], upTo: Timestamp): void;
	/** It lay so far behind that what it did not see may be gone. The feed has ended. */
	gap(): void;
}

export interface FollowedFeed {
	/** Told up to here. */
	readonly at: Timestamp;
	stop(): void;
}

/** One per node. */
/** What `readAlone` has read. */
export interface LoneValue {
	/** Null: absent. */
	readonly value: Uint8Array | null;
	readonly timestamp: Timestamp;
	/** As of then. */
	readonly schemaVersion: number;
}

export interface TransactionCoordinator {
	begin(options: TransactionOptions): Transaction;
	/**
	 * A whole transaction: the newest value of one key. Undefined, at once or later: nothing was read, `begin` one. Rejects with the
	 * reason of `cancel`, and where the range is unavailable (57P03).
	 */
	readAlone(key: Key, cancel: CancelSignal): Promise<LoneValue | undefined> | undefined;
	/** The node that leads the range of a key, if that is another one; undefined also where it is not known without asking. */
	leadElsewhere(key: Key): NodeId | undefined;
	/** This node leads it, as far as it knows. */
	leadsHere(key: Key): boolean;
	/** The other node has said that it does not. */
	doesNotLead(key: Key, node: NodeId): void;
	/** For a transaction that another node runs. */
	once(anchor: Key): Promise<Once>;
	/** What became of it, its answer being lost: its commit timestamp. Rejects with 40001: it has not committed, and never will; with 40003. */
	settle(once: Once): Promise<Timestamp>;
	/** Splits the range that holds each key so that a range begins there. Idempotent. What comes of it is shown as an event where `why` is said. */
	splitAt(keys: readonly Key[], why?: string): Promise<void>;
	/** Merges the ranges on both sides of each key, if one begins there. Idempotent. What comes of it is shown as an event where `why` is said. */
	mergeAt(keys: readonly Key[], why?: string): Promise<void>;
	/**
	 * Removes all that is there in the span of what was dropped at a timestamp, once nobody can read it any more. False: not all of it yet.
	 */
	clear(span: Span, dropped: Timestamp): Promise<boolean>;
	/** Spreads the leaseholders of the ranges of a span over the nodes that hold replicas. */
	spreadLeases(span: Span): Promise<void>;
	ranges(span: Span): Promise<readonly RangeStatus[]>;
	/** Tells of everything that commits in the span above `after`, in the order of commits, each once. */
	follow(span: Span, after: Timestamp, follower: FeedFollower): FollowedFeed;
	/** All pages. Locks nothing and lets nobody wait. Rejects with 72000 where history does not reach back to `after`. */
	changes(query: ChangesQuery): AsyncIterable<ChangesPage>;
}
