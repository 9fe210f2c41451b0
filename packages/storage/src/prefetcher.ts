/**
 * Gets that are under way on a thread of the engine, for keys that will be asked for in a moment: while a read waits for its timestamp,
 * the main thread has others to serve, and a get of a row that nobody has asked for of late costs it as much as all else of a short read.
 *
 * 1. Only `RecentGets` learns of what was found. A key that is written meanwhile is expected no longer, so nothing old gets in there.
 * 2. One call at a time; what is asked for meanwhile goes together with the next. A key that comes alone is left to its get.
 * 3. Whoever waits for a key hears of the end of its call: found, failed, left to its get, or closed.
 */
import type { Key } from "@quorate/keys/key";
import type { Scheduler } from "@quorate/runtime/runtime";
import type { RecentGets } from "./recent-gets.ts";

/** Of the next call. What goes beyond it would only push out of `RecentGets` what came before. */
const keysMax = 256;
/** Fewer are got sooner than a thread is woken. */
const keysMin = 2;

/** Calls back once, with a value or undefined for each key; or without any where it failed. */
type GetMany = (
	keys: readonly Key[],
	done: (values: readonly (Uint8Array | null | undefined)[] | undefined) => void,
) => void;

/** The keys of one call; without those that are written while it is under way. */
class Batch {
	readonly keys = new Set<Key>();
	readonly end: Promise<void>;
	ended!: () => void;

	constructor() {
		this.end = new Promise((resolve) => {
			this.ended = resolve;
		});
	}
}

export class Prefetcher {
	readonly #recent: RecentGets;
	readonly #scheduler: Pick<Scheduler, "defer">;
	readonly #getMany: GetMany;
	/** A new one for each call: a set that is emptied and filled again and again lives in old memory, and so does all that it ever held. */
	#next: Batch | undefined;
	#isScheduled = false;
	#isClosed = false;
	#underWay: Batch | undefined;

	constructor(recent: RecentGets, scheduler: Pick<Scheduler, "defer">, getMany: GetMany) {
		this.#recent = recent;
		this.#scheduler = scheduler;
		this.#getMany = getMany;
	}

	/** Resolves when it is time to get them; undefined if that is now. */
	add(keys: readonly Key[]): Promise<void> | undefined {
		let batch: Batch | undefined;
		for (const k of keys) {
			if (this.#isClosed || this.#recent.knows(k)) continue;
			if (this.#underWay?.keys.has(k)) {
				batch ??= this.#underWay;
				continue;
			}
			const next = this.#batch();
			if (next.keys.size >= keysMax) break;
			next.keys.add(k);
			batch = next;
		}
		return batch?.end;
	}

	/** Resolves when nothing is under way; nothing begins after this. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#next?.ended();
		this.#next = undefined;
		await this.#underWay?.end;
	}

	#batch(): Batch {
		this.#next ??= new Batch();
		this.#schedule();
		return this.#next;
	}

	#schedule(): void {
		if (this.#isScheduled || this.#underWay !== undefined) return;
		this.#isScheduled = true;
		this.#scheduler.defer(() => {
			this.#isScheduled = false;
			this.#start();
		});
	}

	#start(): void {
		const batch = this.#next;
		if (batch === undefined) return;
		this.#next = undefined;
		if (batch.keys.size < keysMin) {
			batch.ended();
			return;
		}
		// The set is of `RecentGets` from here on.
		const keys = [...batch.keys];
		this.#underWay = batch;
		this.#recent.expect(batch.keys);
		this.#getMany(keys, (values) => {
			this.#underWay = undefined;
			this.#recent.come(keys, values);
			batch.ended();
			if (this.#next !== undefined) this.#schedule();
		});
	}
}
