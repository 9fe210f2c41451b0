/** The numbers that random() gives after setseed(): PostgreSQL 15's, xoroshiro128** seeded by splitmix64 (src/common/pg_prng.c). */

const bits64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotated = (value: bigint, by: bigint): bigint =>
	bits64((value << by) | (value >> (64n - by)));

export class SeededRandom {
	#s0: bigint;
	#s1: bigint;

	/** `seed`: from -1 to 1. */
	constructor(seed: number) {
		let state = bits64(BigInt(Math.trunc((2 ** 52 - 1) * seed)));
		const next = (): bigint => {
			state = bits64(state + 0x9e3779b97f4a7c15n);
			let value = bits64((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
			value = bits64((value ^ (value >> 27n)) * 0x94d049bb133111ebn);
			return value ^ (value >> 31n);
		};
		this.#s0 = next();
		this.#s1 = next();
	}

	/** 0 to 1, exclusive. */
	float(): number {
		const s0 = this.#s0;
		const mixed = this.#s1 ^ s0;
		const value = bits64(rotated(bits64(s0 * 5n), 7n) * 9n);
		this.#s0 = rotated(s0, 24n) ^ mixed ^ bits64(mixed << 16n);
		this.#s1 = rotated(mixed, 37n);
		return Number(value >> 12n) / 2 ** 52;
	}
}
