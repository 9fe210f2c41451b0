/**
 * In-memory locks of one range, at its leaseholder. They are scheduling only: losing them never breaks a guarantee.
 *
 * First come, first served: a request is granted once it conflicts with no other holder and with nobody who came before it and
 * still waits. A holder that wants more goes first, since whoever conflicts with it waits for it anyway.
 */

import { assert } from "@quorate/keys/assert";
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { SparseMap, SparseSet } from "@quorate/keys/sparse-map";
import type { LockOwners } from "./lock-owners.ts";
import { type LockStrength, lockRank, locksConflict, strongerLock } from "./lock-strength.ts";
import type { Victim, WaitEdge, WaitEnd } from "./wait-edge.ts";

export type LockOutcome = "granted" | Exclude<WaitEnd, "changed">;

/** Who waits, and since when. */
export interface LockWaiter {
	readonly owner: LockOwner;
	readonly strength: LockStrength;
	/** Under which it has prepared something. */
	readonly transaction: TransactionId | null;
	/** Monotonic milliseconds when the wait began. */
	readonly since: number;
}

/** What goes over with a lease. */
export type HeldLock = readonly [Key, LockOwner, LockStrength];

/** In one turn. */
const releasedMax = 10_000;
/** Of locks that go over with a lease: they travel in an entry of the log. */
const heldMax = { count: 1_000, bytes: 64 << 10 };

/** A lock, or the wait for one, as people are shown it. */
export interface LockView {
	readonly key: Key;
	readonly owner: LockOwner;
	readonly strength: LockStrength;
	/** Undefined: granted. */
	readonly since: number | undefined;
	/** Whom it waits for. */
	readonly blockers: readonly LockOwner[];
}

interface Queued extends LockWaiter {
	/** Called once. */
	readonly done: (outcome: LockOutcome) => void;
}

interface Holder {
	readonly owner: LockOwner;
	strength: LockStrength;
}

/** Few hold the same key: mostly one does. */
interface Lock {
	readonly holders: Holder[];
	queue: Queued[];
}

export class LockTable {
	readonly #locks = new SparseMap<Key, Lock>();
	/** Keys that somebody waits for. */
	readonly #contended = new SparseSet<Key>();
	/** Knows whose locks are here. */
	readonly #owners: LockOwners;

	constructor(owners: LockOwners) {
		this.#owners = owners;
	}

	/** True if granted at once (or held already, at least as strong). */
	tryAcquire(key: Key, owner: LockOwner, strength: LockStrength): boolean {
		if (this.#owners.hasEnded(owner)) {
			return false;
		}
		const lock = this.#locks.get(key);
		if (lock === undefined) {
			this.#locks.set(key, { holders: [{ owner, strength }], queue: [] });
			this.#owners.add(owner, this, key);
			return true;
		}
		const held = holderOf(lock, owner);
		if (held !== undefined && lockRank(held.strength) >= lockRank(strength)) {
			return true;
		}
		const ahead = held === undefined ? lock.queue : none;
		if (!isFree(lock, owner, strength) || ahead.some((w) => waitsFor(owner, strength, w))) {
			return false;
		}
		this.#hold(key, lock, owner, strength);
		return true;
	}

	/** Queues what `tryAcquire` has refused; `done` is called once. Returns what takes it out of the queue. */
	enqueue(key: Key, waiter: LockWaiter, done: (outcome: LockOutcome) => void): () => void {
		const lock = this.#locks.get(key);
		if (lock === undefined || this.#owners.hasEnded(waiter.owner)) {
			done("ended");
			return () => {};
		}
		const queued: Queued = { ...waiter, done };
		if (holderOf(lock, waiter.owner) !== undefined) {
			lock.queue.unshift(queued);
		} else {
			lock.queue.push(queued);
		}
		this.#contended.add(key);
		this.#owners.note(this, true);
		return () => {
			const at = lock.queue.indexOf(queued);
			if (at >= 0) {
				lock.queue.splice(at, 1);
				this.#grant(key, lock);
			}
		};
	}

	/** Another owner of a lock on the key that a writer of it cannot bear. Whoever has not locked it writes as if by `update`. */
	foreignConflict(key: Key, owner: LockOwner): LockOwner | undefined {
		const lock = this.#locks.get(key);
		if (lock === undefined) {
			return undefined;
		}
		const own = strongerLock(holderOf(lock, owner)?.strength ?? "update", "no key update");
		return lock.holders.find((h) => h.owner !== owner && locksConflict(own, h.strength))?.owner;
	}

	/** Releases what `owner` holds; queued requests of it stay. It may be millions of rows: then most of them in later turns. */
	release(owner: LockOwner): void {
		const count = this.#owners.count(owner, this);
		this.releaseKeys(owner, this.#owners.first(owner, this, releasedMax));
		if (count > releasedMax) {
			void this.#releaseRest(owner, count - releasedMax);
		}
	}

	/** `count`: what it locks meanwhile, to begin anew, comes behind. */
	async #releaseRest(owner: LockOwner, count: number): Promise<void> {
		for (let left = count; left > 0; left -= releasedMax) {
			await this.#owners.yield();
			this.releaseKeys(owner, this.#owners.first(owner, this, Math.min(left, releasedMax)));
		}
	}

	/** The same for some keys only. */
	releaseKeys(owner: LockOwner, keys: Iterable<Key>): void {
		for (const key of keys) {
			if (this.#owners.remove(owner, this, key)) {
				this.#let(key, owner);
			}
		}
	}

	/** Owners for which `over` is true wait for nothing any more. */
	endWaits(over: (owner: LockOwner) => boolean): void {
		for (const key of [...this.#contended]) {
			this.#endWaitsOn(key, (w) => over(w.owner), "ended");
		}
	}

	/** The victim's wait fails; what it holds stays until its transaction ends. */
	failWait({ owner, key, since, detail }: Victim): void {
		this.#endWaitsOn(key, (w) => w.owner === owner && w.since === since, { deadlock: detail });
	}

	/**
	 * Who waits for whom. Who came before and waits itself is named only where it asks for more than the waiter: if it asks for
	 * less or the same, the waiter waits for all that it waits for.
	 */
	waits(): WaitEdge[] {
		const edges: WaitEdge[] = [];
		for (const key of this.#contended) {
			const lock = this.#locks.get(key)!;
			lock.queue.forEach((waiter, position) => {
				for (const holder of this.#blockersOf(lock, waiter, position, true)) {
					const { owner, strength, transaction, since } = waiter;
					edges.push({ waiter: owner, transaction, holder, of: null, key, strength, since });
				}
			});
		}
		return edges;
	}

	/** All that is held and waited for. */
	views(): LockView[] {
		const views: LockView[] = [];
		for (const [key, lock] of this.#locks) {
			for (const { owner, strength } of lock.holders) {
				views.push({ key, owner, strength, since: undefined, blockers: [] });
			}
			lock.queue.forEach((waiter, position) => {
				const { owner, strength, since } = waiter;
				const blockers = this.#blockersOf(lock, waiter, position, false);
				views.push({ key, owner, strength, since, blockers });
			});
		}
		return views;
	}

	get size(): number {
		return this.#locks.size;
	}

	/** All locks are forgotten; waiters get nothing. */
	clear(): void {
		const waiters: Queued[] = [];
		for (const [key, lock] of this.#locks) {
			waiters.push(...lock.queue);
			lock.queue = [];
			for (const { owner } of lock.holders) {
				this.#owners.remove(owner, this, key);
			}
		}
		this.#locks.clear();
		this.#contended.clear();
		this.#owners.note(this, false);
		for (const waiter of waiters) {
			waiter.done("ended");
		}
	}

	/** Takes out what is held at and above a key (V2). Who waits for any of it gets nothing: it is another range's. */
	splitOff(at: Key): LockTable {
		const right = new LockTable(this.#owners);
		const waiters: Queued[] = [];
		for (const [key, lock] of [...this.#locks]) {
			if (key < at) {
				continue;
			}
			this.#locks.delete(key);
			this.#unawaited(key);
			waiters.push(...lock.queue);
			lock.queue = [];
			for (const { owner, strength } of lock.holders) {
				this.#owners.remove(owner, this, key);
				right.tryAcquire(key, owner, strength);
			}
		}
		for (const waiter of waiters) {
			waiter.done("ended");
		}
		return right;
	}

	/** Takes in all that is held in another one, of other keys (M5). Who waits there gets nothing, and asks again here. */
	takeOver(other: LockTable): void {
		for (const [key, lock] of other.#locks) {
			for (const { owner, strength } of lock.holders) {
				this.tryAcquire(key, owner, strength);
			}
		}
		other.clear();
	}

	/** What is held, or as much of it as goes over with a lease: the rest is lost with the lease. */
	held(): HeldLock[] {
		const all: HeldLock[] = [];
		let bytes = 0;
		for (const [key, lock] of this.#locks) {
			for (const { owner, strength } of lock.holders) {
				bytes += key.length * 2 + owner.length + strength.length + 8;
				if (all.length >= heldMax.count || bytes > heldMax.bytes) {
					return all;
				}
				all.push([key, owner, strength]);
			}
		}
		return all;
	}

	/** What another node's leaseholder held. Owners of whom it is known here that they have ended get nothing. */
	takeIn(held: readonly HeldLock[]): void {
		for (const [key, owner, strength] of held) {
			this.tryAcquire(key, owner, strength);
		}
	}

	/** Nobody waits for it any more. */
	#unawaited(key: Key): void {
		if (this.#contended.delete(key)) {
			this.#owners.note(this, this.#contended.size > 0);
		}
	}

	#blockersOf(lock: Lock, waiter: Queued, position: number, reduced: boolean): LockOwner[] {
		const { owner, strength } = waiter;
		const found: LockOwner[] = [];
		for (const holder of lock.holders) {
			if (holder.owner !== owner && locksConflict(strength, holder.strength)) {
				found.push(holder.owner);
			}
		}
		for (let at = 0; at < position; at++) {
			const before = lock.queue[at]!;
			const counts = !reduced || lockRank(before.strength) > lockRank(strength);
			if (counts && waitsFor(owner, strength, before)) {
				found.push(before.owner);
			}
		}
		return found;
	}

	#hold(key: Key, lock: Lock, owner: LockOwner, strength: LockStrength): void {
		const held = holderOf(lock, owner);
		if (held === undefined) {
			lock.holders.push({ owner, strength });
		} else {
			held.strength = strongerLock(held.strength, strength);
		}
		this.#owners.add(owner, this, key);
	}

	#let(key: Key, owner: LockOwner): void {
		const lock = this.#locks.get(key);
		const at = lock?.holders.findIndex((h) => h.owner === owner) ?? -1;
		assert(lock !== undefined && at >= 0, "an owned key is locked");
		lock.holders.splice(at, 1);
		this.#grant(key, lock);
	}

	#endWaitsOn(key: Key, over: (waiter: Queued) => boolean, outcome: LockOutcome): void {
		const lock = this.#locks.get(key);
		const ending = lock?.queue.filter(over) ?? [];
		if (lock === undefined || ending.length === 0) {
			return;
		}
		lock.queue = lock.queue.filter((w) => !ending.includes(w));
		for (const waiter of ending) {
			waiter.done(outcome);
		}
		this.#grant(key, lock);
	}

	/** Gives the key to all in the queue who may have it now. */
	#grant(key: Key, lock: Lock): void {
		const waiting: Queued[] = [];
		const granted: Queued[] = [];
		for (const next of lock.queue) {
			const { owner, strength } = next;
			const free = isFree(lock, owner, strength);
			// Who holds it goes first, here as well: a copy of the request that was granted would wait for those who wait for it.
			const ahead = holderOf(lock, owner) === undefined ? waiting : none;
			if (free && !ahead.some((w) => waitsFor(owner, strength, w))) {
				this.#hold(key, lock, owner, strength);
				granted.push(next);
			} else {
				waiting.push(next);
			}
		}
		lock.queue = waiting;
		if (waiting.length === 0) {
			this.#unawaited(key);
			if (lock.holders.length === 0) {
				this.#locks.delete(key);
			}
		}
		for (const one of granted) {
			one.done("granted");
		}
	}
}

const none: readonly Queued[] = [];

const holderOf = (lock: Lock, owner: LockOwner): Holder | undefined =>
	lock.holders.find((h) => h.owner === owner);

/** Nobody else holds what conflicts. */
function isFree(lock: Lock, owner: LockOwner, strength: LockStrength): boolean {
	return !lock.holders.some((h) => h.owner !== owner && locksConflict(strength, h.strength));
}

const waitsFor = (owner: LockOwner, strength: LockStrength, before: LockWaiter): boolean =>
	before.owner !== owner && locksConflict(strength, before.strength);
