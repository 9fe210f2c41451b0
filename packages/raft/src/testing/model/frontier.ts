/** States that were reached and not yet gone on from, first come, first served. There are millions: packed one behind the other. */
const CHUNK = 1 << 20;

export class Frontier {
	#chunks: Uint16Array[] = [];
	/** Where the next one begins that is taken, in the first chunk, and the next one that comes, in the last. */
	#head = 0;
	#end = CHUNK;
	#size = 0;

	get size(): number {
		return this.#size;
	}

	/** `numbers` are of 16 bits, `place` is of 32. */
	push(numbers: readonly number[], place: number): void {
		const length = numbers.length + 3;
		if (this.#end + length > CHUNK) {
			// What is left of a chunk says that nothing follows.
			this.#chunks.push(new Uint16Array(CHUNK));
			this.#end = 0;
		}
		const chunk = this.#chunks.at(-1)!;
		chunk[this.#end] = length;
		chunk[this.#end + 1] = place & 0xffff;
		chunk[this.#end + 2] = place >>> 16;
		chunk.set(numbers, this.#end + 3);
		this.#end += length;
		this.#size++;
	}

	/** Undefined: there is none. What it gives is valid until the next call. */
	shift(): { readonly numbers: Uint16Array; readonly place: number } | undefined {
		if (this.#size === 0) return undefined;
		let chunk = this.#chunks[0]!;
		if (this.#head === CHUNK || chunk[this.#head] === 0) {
			this.#chunks.shift();
			this.#head = 0;
			chunk = this.#chunks[0]!;
		}
		const at = this.#head;
		const length = chunk[at]!;
		this.#head += length;
		this.#size--;
		const place = chunk[at + 1]! + chunk[at + 2]! * 65536;
		return { numbers: chunk.subarray(at + 3, at + length), place };
	}
}
