/**
 * Newest-reads under locks (pessimistic statements that will write, SELECT FOR UPDATE). They wait for the lock, then for every
 * foreign pending write and intent on the key, whatever its p; lock, value and `since` are of one tick.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { type Timestamp, timestampMax, timestampZero } from "@quorate/keys/timestamp";
import type { Timer } from "@quorate/runtime/runtime";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { type Unavailable, waitFailed } from "./errors.ts";
import { pendingValue } from "./hot-rows.ts";
import { waitForWrite } from "./lock-waits.ts";
import { newestOf } from "./reads.ts";
import type { LockDemand, RangeAnswer, RangeRequestBody } from "./requests.ts";
import type { WaitEnd } from "./wait-edge.ts";
import { resolveLeftOver } from "./writes.ts";

type LockRead = Extract<RangeRequestBody, { kind: "lock-read" }>;

export function lockRead(r: ReplicaCore, q: LockRead): RangeAnswer | Promise<RangeAnswer> {
	// The common case, one key and nobody in the way, stays within the tick.
	if (q.keys.length === 1) {
		const k = q.keys[0]!;
		if (r.locks.tryAcquire(k, q.lock.owner, q.lock.strength)) {
			const found: Blocker[] = [];
			r.blockers.onKey(k, q.transaction ?? null, timestampMax, found);
			if (found.length === 0) {
				return { kind: "locked", values: [newestOf(r, k, q.transaction ?? null)] };
			}
			const built = q.lock.mayBuild === true ? pendingValue(r, k) : undefined;
			if (built !== undefined) {
				return { kind: "locked", values: [built] };
			}
		}
	}
	return lockReadSlow(r, q);
}

async function lockReadSlow(r: ReplicaCore, q: LockRead): Promise<RangeAnswer> {
	const own = q.transaction ?? null;
	const waiting = new LockWaiting(r, q.lock, own);
	const sequence = r.state.lease.sequence;
	const skipped = new Set<Key>();
	try {
		for (const k of q.keys) {
			const got = await waiting.acquire(k);
			if (got === "skipped") {
				skipped.add(k);
			} else if (got !== "granted") {
				return elsewhere(r, sequence, ownsAll(r, q)) ?? waitFailed(k, got);
			}
		}
		for (;;) {
			const moved = elsewhere(r, sequence, ownsAll(r, q));
			if (moved !== undefined) {
				return moved;
			}
			const found: Blocker[] = [];
			for (const k of q.keys) {
				if (!skipped.has(k)) {
					r.blockers.onKey(k, own, timestampMax, found);
				}
			}
			if (found.length === 0) {
				break;
			}
			const built =
				q.lock.mayBuild === true && q.keys.length === 1 ? pendingValue(r, q.keys[0]!) : undefined;
			if (built !== undefined) {
				return { kind: "locked", values: [built] };
			}
			const end = await waiting.write(found[0]!);
			if (end !== "changed") {
				return elsewhere(r, sequence, ownsAll(r, q)) ?? waitFailed(found[0]!.key, end);
			}
			await resolveLeftOver(r, found[0]!, found);
		}
	} finally {
		waiting.end();
	}
	const values = q.keys.map((k) =>
		skipped.has(k)
			? { key: k, value: null, ts: 0 as Timestamp, since: 0 as Timestamp, skipped: true }
			: newestOf(r, k, own),
	);
	return { kind: "locked", values };
}

const ownsAll = (r: ReplicaCore, q: LockRead): boolean => q.keys.every((k) => r.owns(k));

/** Waiters get nothing when the lease moves, or with a split their keys: then the request is routed again. */
export function elsewhere(
	r: ReplicaCore,
	sequence: number,
	ownsAllKeys: boolean,
): RangeAnswer | undefined {
	if (!r.holding() || r.state.lease.sequence !== sequence) {
		return { ...r.notLeaseholder(), served: true };
	}
	return ownsAllKeys ? undefined : r.stale();
}

/** What one request waits for, one thing after the other, within its lock timeout. */
export class LockWaiting {
	readonly #r: ReplicaCore;
	readonly #lock: LockDemand;
	readonly #own: TransactionId | null;
	readonly #since: number;
	#timer: Timer | undefined;
	#isOver = false;
	/** Ends the present wait. */
	#stop: (() => void) | undefined;

	constructor(r: ReplicaCore, lock: LockDemand, own: TransactionId | null) {
		this.#r = r;
		this.#lock = lock;
		this.#own = own;
		const { clock, scheduler } = r.context.runtime;
		this.#since = clock.monotonicMs();
		if (lock.timeoutMs > 0) {
			this.#timer = scheduler.setTimer(lock.timeoutMs, () => {
				this.#isOver = true;
				this.#stop?.();
			});
		}
	}

	/** One lock. With NOWAIT and SKIP LOCKED a foreign write in the way counts as a lock, too. */
	async acquire(k: Key): Promise<"granted" | "skipped" | Unavailable> {
		const { owner, strength, wait } = this.#lock;
		const { locks, blockers, context } = this.#r;
		if (wait !== "block") {
			const found: Blocker[] = [];
			blockers.onKey(k, this.#own, timestampMax, found);
			if (found.length > 0 || !locks.tryAcquire(k, owner, strength)) {
				return wait === "nowait" ? "taken" : "skipped";
			}
			return "granted";
		}
		if (locks.tryAcquire(k, owner, strength)) {
			return "granted";
		}
		return new Promise<"granted" | Unavailable>((resolve) => {
			const since = context.runtime.clock.monotonicMs();
			const waiter = { owner, strength, transaction: this.#own, since };
			const leave = locks.enqueue(k, waiter, resolve);
			this.#stopWith(() => {
				leave();
				resolve("timeout");
			});
		});
	}

	/** Waits until something about the write changes. */
	write(blocker: Blocker): Promise<WaitEnd> {
		const { owner } = this.#lock;
		const waiter = { owner, transaction: this.#own, since: this.#since };
		return waitForWrite(this.#r, blocker, waiter, timestampZero, (stop) => this.#stopWith(stop));
	}

	end(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#stop = undefined;
	}

	#stopWith(stop: () => void): void {
		this.#stop = stop;
		if (this.#isOver) {
			stop();
		}
	}
}
