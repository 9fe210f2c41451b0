/**
 * What a session keeps under names until it says otherwise: prepared statements and portals. Nobody else has an interest in them, so
 * their number and what they take are bounded, for each session and for all of a node.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { MemoryPool } from "../execute/memory.ts";

export interface KeptLimits {
	/** As people call them, and the setting that bounds their number. */
	readonly what: string;
	readonly setting: string;
	countMax(): number;
	/** Of another kind, which count as well. */
	others(): number;
	/** What a client can do about it. */
	readonly hint: string;
}

/** Bytes of one session, which its kinds of names share. */
export class KeptMemory {
	readonly #pool: MemoryPool;
	readonly #bytesMax: () => number;
	#used = 0;

	constructor(pool: MemoryPool, bytesMax: () => number) {
		this.#pool = pool;
		this.#bytesMax = bytesMax;
	}

	/** Throws 53400, 53200, and has taken nothing then. */
	take(bytes: number, { what, hint }: KeptLimits): void {
		if (this.#used + bytes > this.#bytesMax()) {
			throw new DatabaseError("53400", `too much memory for ${what}`, {
				detail: `What a session keeps under names may take ${this.#bytesMax()} bytes (session_memory).`,
				hint,
			});
		}
		this.#pool.take(bytes);
		this.#used += bytes;
	}

	giveBack(bytes: number): void {
		this.#pool.giveBack(bytes);
		this.#used -= bytes;
	}
}

/** By name; "" is the unnamed one, which the next one takes the place of, and which does not count. */
export class KeptNames<Item> {
	/** Nearly all portals are: a field costs less than an entry. */
	#unnamed: Item | undefined;
	readonly #items = new Map<string, { readonly item: Item; readonly bytes: number }>();
	readonly #limits: KeptLimits;
	readonly #memory: KeptMemory;

	constructor(limits: KeptLimits, memory: KeptMemory) {
		this.#limits = limits;
		this.#memory = memory;
	}

	get size(): number {
		return this.#items.size + (this.#unnamed === undefined ? 0 : 1);
	}

	has(name: string): boolean {
		return this.get(name) !== undefined;
	}

	get(name: string): Item | undefined {
		return name === "" ? this.#unnamed : this.#items.get(name)?.item;
	}

	/** All but the unnamed one. */
	named(): readonly (readonly [name: string, item: Item])[] {
		return [...this.#items].map(([name, { item }]) => [name, item]);
	}

	values(): readonly Item[] {
		const values: Item[] = this.#unnamed === undefined ? [] : [this.#unnamed];
		for (const { item } of this.#items.values()) values.push(item);
		return values;
	}

	/** Whether there may be one more: before work is done for it. Throws 53400. */
	requireRoom(name: string): void {
		if (name === "" || this.#items.has(name)) return;
		const { what, setting, hint } = this.#limits;
		const countMax = this.#limits.countMax();
		if (this.#items.size + this.#limits.others() < countMax) return;
		throw new DatabaseError("53400", `too many ${what}`, {
			detail: `A session may have ${countMax} (${setting}).`,
			hint,
		});
	}

	/** `bytes`: rough. Throws 53400, 53200. */
	set(name: string, item: Item, bytes: number): void {
		if (name === "") {
			this.#unnamed = item;
			return;
		}
		this.requireRoom(name);
		if (bytes > 0) this.#memory.take(bytes, this.#limits);
		this.delete(name);
		this.#items.set(name, { item, bytes });
	}

	delete(name: string): boolean {
		if (name === "") {
			const was = this.#unnamed;
			this.#unnamed = undefined;
			return was !== undefined;
		}
		this.#memory.giveBack(this.#items.get(name)?.bytes ?? 0);
		return this.#items.delete(name);
	}

	clear(): void {
		this.#unnamed = undefined;
		if (this.#items.size === 0) return;
		for (const { bytes } of this.#items.values()) this.#memory.giveBack(bytes);
		this.#items.clear();
	}
}
