/** Cuts a stream into length-prefixed messages. A message that arrives in one piece is not copied. */
import { LENGTH_BYTES } from "./codec.ts";

export class FrameTooLargeError extends Error {
	override readonly name = "FrameTooLargeError";
}

const lengthAt = (bytes: Uint8Array, offset: number): number =>
	((bytes[offset]! << 24) |
		(bytes[offset + 1]! << 16) |
		(bytes[offset + 2]! << 8) |
		bytes[offset + 3]!) >>>
	0;

export class FrameReader {
	/** Checked before anything is set aside for a message, so a peer cannot make us wait for gigabytes. */
	sizeBytesMax: number;
	/** The beginning of an unfinished message. */
	#parts: Uint8Array[] = [];
	#haveBytes = 0;
	#needBytes = LENGTH_BYTES;

	constructor(sizeBytesMax: number) {
		this.sizeBytesMax = sizeBytesMax;
	}

	/** Calls `onMessage` for each message that is now whole; stops early where that answers false. */
	push(chunk: Uint8Array, onMessage: (message: Uint8Array) => boolean): void {
		let bytes = chunk;
		if (this.#haveBytes > 0) {
			this.#parts.push(chunk);
			this.#haveBytes += chunk.length;
			if (this.#haveBytes < this.#needBytes) return;
			bytes = Buffer.concat(this.#parts, this.#haveBytes);
			this.#parts = [];
			this.#haveBytes = 0;
		}
		let offset = 0;
		this.#needBytes = LENGTH_BYTES;
		while (bytes.length - offset >= LENGTH_BYTES) {
			const length = lengthAt(bytes, offset);
			if (length > this.sizeBytesMax) {
				throw new FrameTooLargeError(
					`a message of ${length} bytes is announced, at most ${this.sizeBytesMax} are allowed`,
				);
			}
			const end = offset + LENGTH_BYTES + length;
			if (end > bytes.length) {
				this.#needBytes = end - offset;
				break;
			}
			offset += LENGTH_BYTES;
			if (!onMessage(bytes.subarray(offset, end))) return;
			offset = end;
		}
		if (offset < bytes.length) {
			this.#parts.push(offset === 0 ? bytes : bytes.subarray(offset));
			this.#haveBytes = bytes.length - offset;
		}
	}
}
