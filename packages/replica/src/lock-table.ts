/**
 * In-memory locks of one range, at its leaseholder. They are scheduling only: losing them never breaks a guarantee. Waiters
 * are served first come, first served; a shared lock does not overtake a waiting exclusive one.
 */

import type { LockOwner } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";

export type Strength = "exclusive" | "shared";

/** `ended`: the owner's transaction is over, or the lease moved. A string: it is the victim of a deadlock, and that is the detail. */
export type LockOutcome = "granted" | "ended" | { readonly deadlock: string };

/** Ended owners remembered at most. */
const endedMax = 10_000;

interface Waiter {
	readonly owner: LockOwner;
	readonly strength: Strength;
	/** Called once. */
	readonly done: (outcome: LockOutcome) => void;
	readonly since: number;
}

interface Lock {
	readonly holders: Map<LockOwner, Strength>;
	readonly queue: Waiter[];
}

/** An edge of the waits-for graph. */
export interface LockWaitEdge {
	readonly waiter: LockOwner;
	readonly holder: LockOwner;
	readonly key: Key;
	/** Monotonic milliseconds when the wait began. */
	readonly since: number;
}

export class LockTable {
	readonly #locks = new Map<Key, Lock>();
	readonly #owned = new Map<LockOwner, Set<Key>>();

	/** Owners whose transaction has ended: a request of theirs that is still under way gets nothing. */
	readonly #ended = new Set<LockOwner>();

	/** True if granted at once (or held already, at least as strong). */
	tryAcquire(key: Key, owner: LockOwner, strength: Strength): boolean {
		if (this.#ended.has(owner)) {
			return false;
		}
		const lock = this.#locks.get(key);
		if (lock === undefined) {
			this.#locks.set(key, { holders: new Map([[owner, strength]]), queue: [] });
			this.#own(owner, key);
			return true;
		}
		const held = lock.holders.get(owner);
		if (held === "exclusive" || held === strength) {
			return true;
		}
		// An upgrade overtakes the queue: whoever waits there waits for this holder anyway.
		const first = held !== undefined || lock.queue.length === 0;
		if (!first || !compatible(lock, owner, strength)) {
			return false;
		}
		lock.holders.set(owner, strength);
		this.#own(owner, key);
		return true;
	}

	/** Queues; `done` is called once. Returns what takes it out of the queue. */
	enqueue(
		key: Key,
		owner: LockOwner,
		strength: Strength,
		nowMs: number,
		done: (outcome: LockOutcome) => void,
	): () => void {
		const lock = this.#locks.get(key);
		if (lock === undefined || this.#ended.has(owner)) {
			done("ended");
			return () => {};
		}
		const waiter: Waiter = { owner, strength, done, since: nowMs };
		if (lock.holders.has(owner)) {
			lock.queue.unshift(waiter);
		} else {
			lock.queue.push(waiter);
		}
		return () => {
			const at = lock.queue.indexOf(waiter);
			if (at >= 0) {
				lock.queue.splice(at, 1);
				this.#grant(key, lock);
			}
		};
	}

	/** The owner of an exclusive lock on the key, if it is somebody else. */
	foreignExclusive(key: Key, owner: LockOwner): LockOwner | undefined {
		const lock = this.#locks.get(key);
		if (lock === undefined) {
			return undefined;
		}
		for (const holder of lock.holders.keys()) {
			if (holder !== owner) {
				return holder;
			}
		}
		return undefined;
	}

	/** Releases what `owner` holds; queued requests of it stay. */
	release(owner: LockOwner): void {
		const keys = this.#owned.get(owner);
		if (keys === undefined) {
			return;
		}
		this.#owned.delete(owner);
		for (const key of keys) {
			const lock = this.#locks.get(key)!;
			lock.holders.delete(owner);
			this.#grant(key, lock);
		}
	}

	/** The owner's transaction has ended: its locks and its places in queues are free. */
	end(owner: LockOwner): void {
		if (this.#ended.size >= endedMax) {
			this.#ended.clear();
		}
		this.#ended.add(owner);
		this.release(owner);
		for (const [key, lock] of this.#locks) {
			const mine = lock.queue.filter((w) => w.owner === owner);
			for (const waiter of mine) {
				lock.queue.splice(lock.queue.indexOf(waiter), 1);
				waiter.done("ended");
			}
			if (mine.length > 0) {
				this.#grant(key, lock);
			}
		}
	}

	/** The victim's wait for the key fails; what it holds stays until its transaction ends. */
	failWait(owner: LockOwner, key: Key, detail: string): void {
		const lock = this.#locks.get(key);
		const waiter = lock?.queue.find((w) => w.owner === owner);
		if (lock !== undefined && waiter !== undefined) {
			lock.queue.splice(lock.queue.indexOf(waiter), 1);
			waiter.done({ deadlock: detail });
			this.#grant(key, lock);
		}
	}

	/** Every owner for which `gone` is true loses its locks. */
	releaseWhere(gone: (owner: LockOwner) => boolean): void {
		for (const owner of [...this.#owned.keys()]) {
			if (gone(owner)) {
				this.release(owner);
			}
		}
	}

	waits(): LockWaitEdge[] {
		const edges: LockWaitEdge[] = [];
		for (const [key, lock] of this.#locks) {
			lock.queue.forEach((waiter, position) => {
				const ahead = [
					...lock.holders.keys(),
					...lock.queue.slice(0, position).map((w) => w.owner),
				];
				for (const holder of ahead) {
					if (holder !== waiter.owner) {
						edges.push({ waiter: waiter.owner, holder, key, since: waiter.since });
					}
				}
			});
		}
		return edges;
	}

	get size(): number {
		return this.#locks.size;
	}

	/** All locks are forgotten; waiters get nothing. */
	clear(): void {
		const waiters = [...this.#locks.values()].flatMap((lock) => lock.queue);
		this.#locks.clear();
		this.#owned.clear();
		for (const waiter of waiters) {
			waiter.done("ended");
		}
	}

	#own(owner: LockOwner, key: Key): void {
		let keys = this.#owned.get(owner);
		if (keys === undefined) {
			keys = new Set();
			this.#owned.set(owner, keys);
		}
		keys.add(key);
	}

	#grant(key: Key, lock: Lock): void {
		while (lock.queue.length > 0) {
			const next = lock.queue[0]!;
			if (!compatible(lock, next.owner, next.strength)) {
				return;
			}
			lock.queue.shift();
			lock.holders.set(next.owner, next.strength);
			this.#own(next.owner, key);
			next.done("granted");
		}
		if (lock.holders.size === 0) {
			this.#locks.delete(key);
		}
	}
}

function compatible(lock: Lock, owner: LockOwner, strength: Strength): boolean {
	for (const [holder, held] of lock.holders) {
		if (holder !== owner && (strength === "exclusive" || held === "exclusive")) {
			return false;
		}
	}
	return true;
}
