/**
 * Gets that are under way on a thread of the engine, for keys that will be asked for in a moment: while a read waits for its timestamp,
 * the main thread has others to serve, and a get of a row that nobody has asked for of late costs it as much as all else of a short read.
 *
 * 1. Only `RecentGets` learns of what was found. A key that is written meanwhile is expected no longer, so nothing old gets in there.
 * 2. One call at a time; what is asked for meanwhile goes together with the next. A key that comes alone is left to its get.
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

export class Prefetcher {
	readonly #recent: RecentGets;
	readonly #scheduler: Pick<Scheduler, "defer">;
	readonly #getMany: GetMany;
	readonly #next = new Set<Key>();
	#isScheduled = false;
	#isClosed = false;
	#underWay: Promise<void> | undefined;

	constructor(recent: RecentGets, scheduler: Pick<Scheduler, "defer">, getMany: GetMany) {
		this.#recent = recent;
		this.#scheduler = scheduler;
		this.#getMany = getMany;
	}

	add(keys: readonly Key[]): void {
		for (const k of keys) {
			if (this.#next.size >= keysMax) break;
			this.#next.add(k);
		}
		this.#schedule();
	}

	/** Resolves when nothing is under way; nothing begins after this. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#underWay;
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
		const keys = [...this.#next].filter((k) => !this.#recent.knows(k));
		this.#next.clear();
		if (this.#isClosed || keys.length < keysMin) return;
		this.#underWay = new Promise((resolve) => {
			this.#recent.expect(keys);
			this.#getMany(keys, (values) => {
				this.#recent.come(keys, values);
				this.#underWay = undefined;
				resolve();
				if (this.#next.size > 0) this.#schedule();
			});
		});
	}
}
