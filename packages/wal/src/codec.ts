/** Growable bytes with variable-length integers (LEB128, up to 2^53): the alphabet of the log's records. */
import { assert } from "@quorate/keys/assert";

/** A larger buffer is given back after the group commit that needed it. */
const retainedBytesMax = 1 << 20;

export class ByteWriter {
	#bytes: Buffer = Buffer.allocUnsafeSlow(64 << 10);
	#length = 0;

	get length(): number {
		return this.#length;
	}

	reset(): void {
		this.#length = 0;
		if (this.#bytes.length > retainedBytesMax) {
			this.#bytes = Buffer.allocUnsafeSlow(64 << 10);
		}
	}

	/** What was written; valid until the next call. */
	view(): Buffer {
		return this.#bytes.subarray(0, this.#length);
	}

	byte(value: number): void {
		this.#reserve(1);
		this.#bytes[this.#length++] = value;
	}

	uint32(value: number): void {
		this.#reserve(4);
		this.#length = this.#bytes.writeUInt32LE(value, this.#length);
	}

	/** Overwrites four bytes written before. */
	patchUint32(at: number, value: number): void {
		this.#bytes.writeUInt32LE(value, at);
	}

	integer(value: number): void {
		this.#reserve(8);
		const bytes = this.#bytes;
		let rest = value;
		let at = this.#length;
		while (rest > 0x7fffffff) {
			bytes[at++] = (rest & 0x7f) | 0x80;
			rest = Math.floor(rest / 128);
		}
		while (rest > 0x7f) {
			bytes[at++] = (rest & 0x7f) | 0x80;
			rest >>>= 7;
		}
		bytes[at++] = rest;
		this.#length = at;
	}

	integers(values: readonly number[]): void {
		this.integer(values.length);
		for (const value of values) {
			this.integer(value);
		}
	}

	/** With its length in front. */
	bytes(value: Uint8Array): void {
		this.integer(value.length);
		this.#reserve(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
	}

	#reserve(count: number): void {
		if (this.#length + count > this.#bytes.length) {
			const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + count));
			this.#bytes.copy(grown, 0, 0, this.#length);
			this.#bytes = grown;
		}
	}
}

/** Reads what `ByteWriter` wrote. The caller has checked a checksum, so running past the end is a broken invariant. */
export class ByteReader {
	readonly #bytes: Buffer;
	readonly #end: number;
	#at: number;

	constructor(bytes: Buffer, start: number, end: number) {
		this.#bytes = bytes;
		this.#at = start;
		this.#end = end;
	}

	get done(): boolean {
		return this.#at === this.#end;
	}

	byte(): number {
		assert(this.#at < this.#end, "a record of the log ends before its fields do");
		return this.#bytes[this.#at++] as number;
	}

	integer(): number {
		let value = 0;
		let unit = 1;
		for (;;) {
			const byte = this.byte();
			value += (byte & 0x7f) * unit;
			if (byte < 0x80) {
				return value;
			}
			unit *= 128;
		}
	}

	integers(): number[] {
		const values: number[] = [];
		for (let count = this.integer(); count > 0; count--) {
			values.push(this.integer());
		}
		// A copy has no room for more: some are kept for long.
		return values.slice();
	}

	/** A copy: the segment's buffer must not stay in memory for it. */
	bytes(): Uint8Array {
		const length = this.integer();
		assert(this.#at + length <= this.#end, "a record of the log ends before its fields do");
		const copy = Buffer.from(this.#bytes.subarray(this.#at, this.#at + length));
		this.#at += length;
		return copy;
	}
}
