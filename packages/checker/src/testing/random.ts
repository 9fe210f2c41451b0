/** Random numbers from a seed (mulberry32), for tests. */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed | 0;
	}

	/** In [0, 1). */
	float(): number {
		this.#state = (this.#state + 0x6d2b79f5) | 0;
		let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	}

	below(count: number): number {
		return Math.floor(this.float() * count);
	}

	chance(p: number): boolean {
		return this.float() < p;
	}

	pick<T>(of: readonly T[]): T {
		return of[this.below(of.length)]!;
	}
}
