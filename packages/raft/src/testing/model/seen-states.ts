/**
 * The states that were seen, each as 64 bits of hash and the place of the state it was first reached from: twelve bytes a state.
 * Two states of equal hash would be taken for one; among ten million that has a chance of about one in 400,000.
 */
import { assert } from "@quorate/keys/assert";

export class SeenStates {
	readonly #mask: number;
	readonly #low: Uint32Array;
	readonly #high: Uint32Array;
	readonly #parents: Int32Array;
	#count = 0;

	/** Holds at least `statesMax`. */
	constructor(statesMax: number) {
		const size = 2 ** Math.ceil(Math.log2(statesMax * 1.5));
		this.#mask = size - 1;
		this.#low = new Uint32Array(size);
		this.#high = new Uint32Array(size);
		this.#parents = new Int32Array(size);
	}

	get count(): number {
		return this.#count;
	}

	/** Its place, or undefined if it was there. */
	add(state: readonly number[], parent: number): number | undefined {
		const [low, high] = hash(state);
		const place = this.#find(low, high);
		if (this.#low[place] !== 0) return undefined;
		assert(++this.#count <= this.#mask / 1.4, "more states than expected");
		this.#low[place] = low;
		this.#high[place] = high;
		this.#parents[place] = parent;
		return place;
	}

	placeOf(state: readonly number[]): number {
		return this.#find(...hash(state));
	}

	/** Places from the first state to this one. */
	pathTo(place: number): number[] {
		const path: number[] = [];
		for (let at = place; at >= 0; at = this.#parents[at]!) path.unshift(at);
		return path;
	}

	#find(low: number, high: number): number {
		let place = high & this.#mask;
		while (this.#low[place] !== 0 && (this.#low[place] !== low || this.#high[place] !== high)) {
			place = (place + 1) & this.#mask;
		}
		return place;
	}
}

/** Two multiplicative hashes, mixed as murmur3 ends. The first is never 0. */
function hash(numbers: readonly number[]): [low: number, high: number] {
	let [low, high] = [0x811c9dc5, 0x9e3779b9];
	for (const number of numbers) {
		low = Math.imul(low ^ number, 0x01000193);
		low ^= low >>> 15;
		high = Math.imul(high ^ number, 0x85ebca6b);
		high ^= high >>> 13;
	}
	return [mixed(low, 0xc2b2ae35) || 1, mixed(high, 0x27d4eb2f)];
}

function mixed(value: number, factor: number): number {
	let h = Math.imul(value ^ (value >>> 16), factor);
	h = Math.imul(h ^ (h >>> 13), 0x165667b1);
	return (h ^ (h >>> 16)) >>> 0;
}
