/** A small seeded generator (mulberry32): the same seed chooses the same transactions. */
export class SeededRandom {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** An integer from `from` to `to`, both included. */
	between(from: number, to: number): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
		return from + Math.floor(fraction * (to - from + 1));
	}
}
