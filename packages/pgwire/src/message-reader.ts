/**
 * Cuts the bytes of a socket into protocol messages. A message that lies in one chunk is handed out as a
 * view of it; one that spans chunks is put together once, when its last byte has come. Lengths are judged
 * as soon as the header is there, so a client that announces a gigabyte costs nothing.
 */
import type { PgLimits } from "./limits.ts";
import { ProtocolViolation, SilentClose } from "./protocol-violation.ts";

const headerBytes = 5;
const empty = Buffer.alloc(0);
/** Types that carry statements or data, and so may be large. */
const largeTypes = new Set([..."QPBFd"].map((type) => type.charCodeAt(0)));
const smallTypes = new Set([..."CDEHSXcfp"].map((type) => type.charCodeAt(0)));

const passwordType = "p".charCodeAt(0);

export class MessageReader {
	readonly #limits: PgLimits;
	#head: Buffer = empty;
	#at = 0;
	/** Chunks after the head; consumed from `#first` so that a long queue is not shifted one by one. */
	#chunks: Buffer[] = [];
	#first = 0;
	#bytes = 0;
	/** The message that `next` found: its type byte, and its body as a part of `buffer`. */
	type = 0;
	buffer: Buffer = empty;
	start = 0;
	end = 0;

	constructor(limits: PgLimits) {
		this.#limits = limits;
	}

	/** Bytes that were received and not yet handed out. */
	get bufferedBytes(): number {
		return this.#bytes;
	}

	append(bytes: Uint8Array): void {
		if (bytes.length === 0) {
			return;
		}
		const chunk = Buffer.isBuffer(bytes)
			? bytes
			: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		if (this.#bytes === 0) {
			this.#head = chunk;
			this.#at = 0;
		} else {
			this.#chunks.push(chunk);
		}
		this.#bytes += chunk.length;
	}

	/** Before the client is let in, what is no answer to the server's question is refused by its first bytes. */
	onlyPasswords = false;

	/** True when a whole message is there; throws `ProtocolViolation` on one that must not be. */
	next(): boolean {
		if (this.#bytes < headerBytes) {
			return false;
		}
		this.#join(headerBytes);
		const type = this.#head[this.#at]!;
		const length = this.#head.readInt32BE(this.#at + 1);
		this.#judge(type, length);
		if (this.#bytes < length + 1) {
			return false;
		}
		this.#join(length + 1);
		this.type = type;
		this.#take(headerBytes, length + 1);
		return true;
	}

	/** The type of the message after that, if its first byte has come. */
	get nextType(): number | undefined {
		return this.#bytes === 0 ? undefined : this.#head[this.#at];
	}

	/** The same for the packets before the protocol is agreed: they have no type byte. */
	nextStartup(): boolean {
		if (this.#bytes < 4) {
			return false;
		}
		this.#join(4);
		const length = this.#head.readInt32BE(this.#at);
		if (length < 8 || length > this.#limits.startupBytesMax) {
			throw new SilentClose(`invalid length of startup packet: ${length}`);
		}
		if (this.#bytes < length) {
			return false;
		}
		this.#join(length);
		this.type = 0;
		this.#take(4, length);
		return true;
	}

	#judge(type: number, length: number): void {
		if (this.onlyPasswords && type !== passwordType) {
			throw new ProtocolViolation(`expected SASL response, got message type ${type}`);
		}
		const large = largeTypes.has(type);
		if (!large && !smallTypes.has(type)) {
			throw new ProtocolViolation(`invalid frontend message type ${type}`);
		}
		const max = large ? this.#limits.messageBytesMax : this.#limits.smallMessageBytesMax;
		if (length < 4 || length - 4 > max) {
			throw new ProtocolViolation("invalid message length");
		}
	}

	#take(bodyAt: number, length: number): void {
		this.buffer = this.#head;
		this.start = this.#at + bodyAt;
		this.end = this.#at + length;
		this.#at += length;
		this.#bytes -= length;
		if (this.#at === this.#head.length) {
			this.#shift();
		}
	}

	/** Makes the next `count` bytes lie in the head. */
	#join(count: number): void {
		let have = this.#head.length - this.#at;
		if (have >= count) {
			return;
		}
		const joined = Buffer.allocUnsafe(count);
		this.#head.copy(joined, 0, this.#at);
		while (have < count) {
			const chunk = this.#chunks[this.#first]!;
			const copied = chunk.copy(joined, have, 0, count - have);
			have += copied;
			if (copied < chunk.length) {
				this.#chunks[this.#first] = chunk.subarray(copied);
			} else {
				this.#dropFirst();
			}
		}
		this.#head = joined;
		this.#at = 0;
	}

	#shift(): void {
		this.#at = 0;
		if (this.#first < this.#chunks.length) {
			this.#head = this.#chunks[this.#first]!;
			this.#dropFirst();
		} else {
			this.#head = empty;
		}
	}

	#dropFirst(): void {
		this.#chunks[this.#first] = empty;
		this.#first++;
		if (this.#first === this.#chunks.length) {
			this.#chunks = [];
			this.#first = 0;
		}
	}
}
