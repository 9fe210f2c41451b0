/** An edge of the waits-for graph: somebody waits at a leaseholder, for a lock or for a write whose transaction has not ended. */
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { LockStrength } from "./lock-strength.ts";

export interface WaitEdge {
	readonly waiter: LockOwner;
	/** Under which the waiter has prepared something: others may wait for that. */
	readonly transaction: TransactionId | null;
	/** The owner of the lock. */
	readonly holder: LockOwner | null;
	/** The transaction of the write; exactly one of both is there. */
	readonly of: TransactionId | null;
	readonly key: Key;
	/** Of the lock that is waited for; null: the write itself is. */
	readonly strength: LockStrength | null;
	/** What is waited for, in words, where it is neither. */
	readonly advisory?: string;
	/** Monotonic milliseconds, at the leaseholder, when the wait began: tells one wait from the next. */
	readonly since: number;
}

/**
 * How a wait ends. `ended`: the waiter's statement or transaction is over, or the lease moved. `timeout`: lock_timeout. With `deadlock`:
 * it is the victim of one, and that is the detail.
 */
export type WaitEnd = "changed" | "ended" | "timeout" | { readonly deadlock: string };

/** Whose wait is to end so that a deadlock does. */
export interface Victim {
	readonly owner: LockOwner;
	/** Its wait: where, and since when. */
	readonly key: Key;
	readonly since: number;
	readonly detail: string;
}
