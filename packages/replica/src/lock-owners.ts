/**
 * What the lock tables of one node have in common: whose locks are in which of them, in which somebody waits, and which owners have
 * ended. A transaction that ends is told of to nodes, not to ranges, and a node may have ten thousand of them: what it costs to end
 * must depend on what it has locked, and on nothing else.
 */
import type { LockOwner } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Scheduler } from "@quorate/runtime/runtime";
import type { LockTable } from "./lock-table.ts";

/** Ended owners remembered at least; twice as many at most. */
const endedLeast = 10_000;

export class LockOwners {
	readonly #scheduler: Pick<Scheduler, "yield">;
	readonly #held = new Map<LockOwner, Map<LockTable, Set<Key>>>();
	/** Tables with keys that somebody waits for. */
	readonly #contended = new Set<LockTable>();
	/** Owners whose transaction has ended: a request of theirs that is still under way gets nothing. The older ones, and the newer. */
	#endedBefore = new Set<LockOwner>();
	#ended = new Set<LockOwner>();

	constructor(scheduler: Pick<Scheduler, "yield">) {
		this.#scheduler = scheduler;
	}

	/** Others get their turn. */
	yield(): Promise<void> {
		return this.#scheduler.yield();
	}

	hasEnded(owner: LockOwner): boolean {
		return this.#ended.has(owner) || this.#endedBefore.has(owner);
	}

	/** The owner's transaction has ended: its locks and its places in queues are free, everywhere. */
	end(owner: LockOwner): void {
		this.#ended.add(owner);
		if (this.#ended.size >= endedLeast) {
			this.#endedBefore = this.#ended;
			this.#ended = new Set();
		}
		this.#release(owner);
		this.cancelWaits(owner);
	}

	/** Every owner for which `gone` is true loses its locks and its places. */
	endWhere(gone: (owner: LockOwner) => boolean): void {
		for (const owner of [...this.#held.keys()]) {
			if (gone(owner)) {
				this.#release(owner);
			}
		}
		for (const table of this.contended()) {
			table.endWaits(gone);
		}
	}

	/** The owner's statement is over: it waits for nothing any more, and keeps what it has. */
	cancelWaits(owner: LockOwner): void {
		for (const table of this.contended()) {
			table.endWaits((one) => one === owner);
		}
	}

	/** As of now: who is called may change it. */
	contended(): readonly LockTable[] {
		return this.#contended.size === 0 ? none : [...this.#contended];
	}

	#release(owner: LockOwner): void {
		for (const table of [...(this.#held.get(owner)?.keys() ?? none)]) {
			table.release(owner);
		}
	}

	// ---- for the tables

	note(table: LockTable, isContended: boolean): void {
		if (isContended) {
			this.#contended.add(table);
		} else {
			this.#contended.delete(table);
		}
	}

	add(owner: LockOwner, table: LockTable, key: Key): void {
		let tables = this.#held.get(owner);
		if (tables === undefined) {
			tables = new Map();
			this.#held.set(owner, tables);
		}
		const keys = tables.get(table);
		if (keys === undefined) {
			tables.set(table, new Set([key]));
		} else {
			keys.add(key);
		}
	}

	/** Whether it was there. */
	remove(owner: LockOwner, table: LockTable, key: Key): boolean {
		const tables = this.#held.get(owner);
		const keys = tables?.get(table);
		if (tables === undefined || keys?.delete(key) !== true) {
			return false;
		}
		if (keys.size === 0) {
			tables.delete(table);
			if (tables.size === 0) {
				this.#held.delete(owner);
			}
		}
		return true;
	}

	/** How many keys the owner has in the table. */
	count(owner: LockOwner, table: LockTable): number {
		return this.#held.get(owner)?.get(table)?.size ?? 0;
	}

	/** So many of them, those that it has had for longest. */
	first(owner: LockOwner, table: LockTable, max: number): readonly Key[] {
		const keys: Key[] = [];
		for (const key of this.#held.get(owner)?.get(table) ?? none) {
			if (keys.length === max) break;
			keys.push(key);
		}
		return keys;
	}

	/** Owners of something: for tests. */
	get size(): number {
		return this.#held.size;
	}
}

const none: readonly never[] = [];
