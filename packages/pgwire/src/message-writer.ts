/**
 * The output of one connection: messages are written one behind the other into one growing buffer, and
 * `take` hands all of them to the socket at once. Memory that was handed over is never written again; the
 * rest of the buffer serves the next messages, so a short answer costs no allocation at all.
 */
import { assert } from "@quorate/keys/assert";

const firstChunkBytes = 4096;
const keptChunkBytesMax = 16 * 1024;
/** Below this, what is left of a chunk is not worth holding on to. */
const keptRestBytesMin = 256;
/** Up to here a loop beats the call into the engine's encoder. */
const loopLengthMax = 24;

export class MessageWriter {
	#buffer: Buffer = Buffer.alloc(0);
	#at = 0;
	/** Where the bytes begin that were not taken yet. */
	#start = 0;
	/** Where the length of the open message is; -1 when none is open. */
	#open = -1;
	#takenBytes = 0;

	get pendingBytes(): number {
		return this.#at - this.#start;
	}

	begin(type: number): void {
		assert(this.#open < 0, "a message is begun inside another");
		this.#ensure(5);
		this.#buffer[this.#at] = type;
		this.#open = this.#at + 1;
		this.#at += 5;
	}

	end(): void {
		assert(this.#open >= 0, "a message is ended that was not begun");
		const open = this.#open;
		this.#open = -1;
		this.#putInt32(open, this.#at - open);
	}

	/** Drops the open message: its encoding failed half way. */
	abandon(): void {
		if (this.#open >= 0) {
			this.#at = this.#open - 1;
			this.#open = -1;
		}
	}

	uint8(value: number): void {
		this.#ensure(1);
		this.#buffer[this.#at++] = value;
	}

	int16(value: number): void {
		this.#ensure(2);
		this.#buffer[this.#at] = value >> 8;
		this.#buffer[this.#at + 1] = value;
		this.#at += 2;
	}

	int32(value: number): void {
		this.#ensure(4);
		this.#putInt32(this.#at, value);
		this.#at += 4;
	}

	int64(value: bigint): void {
		this.#ensure(8);
		this.#at = this.#buffer.writeBigInt64BE(value, this.#at);
	}

	float32(value: number): void {
		this.#ensure(4);
		this.#at = this.#buffer.writeFloatBE(value, this.#at);
	}

	float64(value: number): void {
		this.#ensure(8);
		this.#at = this.#buffer.writeDoubleBE(value, this.#at);
	}

	/** UTF-8 without a length or terminator. */
	text(value: string): void {
		const length = value.length;
		if (length > loopLengthMax) {
			this.#longText(value);
			return;
		}
		this.#ensure(length * 3);
		const buffer = this.#buffer;
		let at = this.#at;
		for (let index = 0; index < length; index++) {
			const code = value.charCodeAt(index);
			if (code >= 0x80) {
				this.#longText(value);
				return;
			}
			buffer[at++] = code;
		}
		this.#at = at;
	}

	/** UTF-8 with a terminator. A NUL inside would end the string early and must not be there. */
	string(value: string): void {
		this.text(value.includes("\0") ? value.replaceAll("\0", "") : value);
		this.uint8(0);
	}

	bytes(value: Uint8Array): void {
		this.#ensure(value.length);
		this.#buffer.set(value, this.#at);
		this.#at += value.length;
	}

	/** A field of a DataRow: its length, then its text. */
	textField(value: string): void {
		const open = this.beginField();
		this.text(value);
		this.endField(open);
	}

	bytesField(value: Uint8Array): void {
		this.int32(value.length);
		this.bytes(value);
	}

	/** A field of a DataRow that holds an integer in decimal digits, without a string in between. */
	integerField(value: number): void {
		if (value < 0 || value > 99_999_999 || !Number.isInteger(value)) {
			this.textField(String(value));
			return;
		}
		let digits = 1;
		for (let bound = 10; value >= bound; bound *= 10) {
			digits++;
		}
		this.#ensure(4 + digits);
		this.#putInt32(this.#at, digits);
		this.#at += 4 + digits;
		let rest = value | 0;
		for (let at = this.#at - 1; digits > 0; at--, digits--) {
			const next = (rest / 10) | 0;
			this.#buffer[at] = 48 + rest - next * 10;
			rest = next;
		}
	}

	beginField(): number {
		this.#ensure(4);
		this.#at += 4;
		// Relative to the pending bytes: the buffer may move while the field grows.
		return this.#at - this.#start;
	}

	endField(open: number): void {
		const start = this.#start + open;
		this.#putInt32(start - 4, this.#at - start);
	}

	/** All finished messages; undefined when there are none. The caller owns the bytes. */
	take(): Uint8Array | undefined {
		assert(this.#open < 0, "output is taken inside a message");
		if (this.#at === this.#start) {
			return undefined;
		}
		const bytes = this.#buffer.subarray(this.#start, this.#at);
		this.#takenBytes = bytes.length;
		this.#start = this.#at;
		const rest = this.#buffer.length - this.#at;
		if (this.#buffer.length > keptChunkBytesMax || rest < keptRestBytesMin) {
			this.#buffer = Buffer.alloc(0);
			this.#at = 0;
			this.#start = 0;
		}
		return bytes;
	}

	#longText(value: string): void {
		// Exact for long values, so that a megabyte does not ask for three.
		this.#ensure(value.length > 1024 ? Buffer.byteLength(value) : value.length * 3);
		this.#at += this.#buffer.write(value, this.#at, "utf8");
	}

	#putInt32(at: number, value: number): void {
		const buffer = this.#buffer;
		buffer[at] = value >> 24;
		buffer[at + 1] = value >> 16;
		buffer[at + 2] = value >> 8;
		buffer[at + 3] = value;
	}

	#ensure(count: number): void {
		if (this.#buffer.length - this.#at < count) {
			this.#grow(count);
		}
	}

	#grow(count: number): void {
		const pending = this.#at - this.#start;
		// A result set is taken in equal portions: the next one is likely as large as the last.
		const likely =
			this.#takenBytes > keptChunkBytesMax ? this.#takenBytes + keptChunkBytesMax : firstChunkBytes;
		const size = Math.max(likely, (pending + count) * 2);
		this.#takenBytes = 0;
		const grown = Buffer.allocUnsafeSlow(size);
		this.#buffer.copy(grown, 0, this.#start, this.#at);
		if (this.#open >= 0) {
			this.#open -= this.#start;
		}
		this.#buffer = grown;
		this.#start = 0;
		this.#at = pending;
	}
}
