/** Randomness of one walk, from the seed of the run and the walk's number: sfc32, as the simulator's, without its labels. */
export class Random {
	#a: number;
	#b: number;
	#c: number;
	#counter = 1;

	constructor(seed: number, walk: number) {
		this.#a = seed | 0;
		this.#b = walk | 0;
		this.#c = Math.floor(walk / 0x1_0000_0000) | 0;
		// So many rounds until neighbouring seeds and walks have nothing in common.
		for (let i = 0; i < 12; i++) this.#next();
	}

	#next(): number {
		const result = (this.#a + this.#b + this.#counter) | 0;
		this.#counter = (this.#counter + 1) | 0;
		this.#a = this.#b ^ (this.#b >>> 9);
		this.#b = (this.#c + (this.#c << 3)) | 0;
		this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
		return result >>> 0;
	}

	/** An integer in [0, bound). */
	below(bound: number): number {
		return Math.floor(this.#next() * 2 ** -32 * bound);
	}

	/** True in so many of 1,000 cases. */
	permille(rate: number): boolean {
		return rate > 0 && this.below(1_000) < rate;
	}

	/** True once in `count` cases. */
	oneIn(count: number): boolean {
		return this.below(count) === 0;
	}
}
