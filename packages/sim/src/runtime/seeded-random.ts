/**
 * Randomness from a seed: sfc32 (Chris Doty-Humphrey's small fast counter generator, PractRand), seeded by hashing a seed
 * with a label. Every part of a world draws from a stream of its own, so that one more draw in one part does not
 * change what the others see.
 */

/** 128 bits from a text: murmur3's mixing over four lanes. */
function seedWords(text: string): [number, number, number, number] {
	let a = 0x9e3779b9;
	let b = 0x243f6a88;
	let c = 0xb7e15162;
	let d = 0x85ebca6b;
	for (let i = 0; i < text.length; i++) {
		const k = text.charCodeAt(i);
		a = b ^ Math.imul(a ^ k, 597399067);
		b = c ^ Math.imul(b ^ k, 2869860233);
		c = d ^ Math.imul(c ^ k, 951274213);
		d = a ^ Math.imul(d ^ k, 2716044179);
	}
	return [a, b, c, d];
}

/**
 * Of n / 2^32, for n from 1 to 2^32. `Math.log` may differ in its last bit from one engine to the next; sums, products and quotients
 * are the same everywhere.
 */
export function naturalLog(n: number): number {
	const exponent = n >= 2 ** 32 ? 32 : 31 - Math.clz32(n);
	const m = n / 2 ** exponent;
	// ln m = 2 artanh((m - 1) / (m + 1)), by its series.
	const t = (m - 1) / (m + 1);
	const square = t * t;
	let sum = 0;
	for (let k = 17; k >= 1; k -= 2) sum = sum * square + 1 / k;
	return 2 * t * sum + (exponent - 32) * Math.LN2;
}

export class SeededRandom {
	readonly #label: string;
	#a: number;
	#b: number;
	#c: number;
	#counter: number;

	constructor(seed: number, label: string) {
		this.#label = `${seed}/${label}`;
		[this.#a, this.#b, this.#c, this.#counter] = seedWords(this.#label);
		for (let i = 0; i < 15; i++) this.uint32();
	}

	uint32(): number {
		const result = (this.#a + this.#b + this.#counter) | 0;
		this.#counter = (this.#counter + 1) | 0;
		this.#a = this.#b ^ (this.#b >>> 9);
		this.#b = (this.#c + (this.#c << 3)) | 0;
		this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
		return result >>> 0;
	}

	/** In [0, 1). */
	float(): number {
		return this.uint32() / 4294967296;
	}

	/** An integer in [0, bound). */
	below(bound: number): number {
		return Math.floor(this.float() * bound);
	}

	/** In [low, high). */
	between(low: number, high: number): number {
		return low + this.float() * (high - low);
	}

	chance(probability: number): boolean {
		return probability > 0 && this.float() < probability;
	}

	/** A positive number with this mean, and a long tail. */
	exponential(mean: number): number {
		return -naturalLog(this.uint32() + 1) * mean;
	}

	pick<T>(items: readonly T[]): T {
		return items[this.below(items.length)]!;
	}

	/** A random order, in a new array. */
	shuffled<T>(items: readonly T[]): T[] {
		const result = [...items];
		for (let i = result.length - 1; i > 0; i--) {
			const j = this.below(i + 1);
			[result[i], result[j]] = [result[j]!, result[i]!];
		}
		return result;
	}

	bytes(count: number): Uint8Array {
		const result = new Uint8Array(count);
		for (let i = 0; i < count; i++) result[i] = this.uint32();
		return result;
	}
}
