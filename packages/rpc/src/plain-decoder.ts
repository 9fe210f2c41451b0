/**
 * Reads what `codec.ts` writes, in plain code, for platforms (and installations) without msgpackr's native part: msgpackr's own
 * fallback drops a byte order mark at the head of a long string. Only what the codec writes is read; the rest of MessagePack
 * (dates, records, 32-bit floats ...) is refused.
 */

const undefinedType = 0;
/** Big-endian two's complement of any length. */
const bigintType = 0x42;

export class DecodeError extends Error {
	override readonly name = "DecodeError";
}

/** Throws on bytes that are not one whole value. Byte arrays in the result are views of `bytes`. */
export function decodePlain(bytes: Uint8Array): unknown {
	const reader = new PlainReader(bytes);
	const value = reader.value();
	if (!reader.isAtEnd) throw new DecodeError("bytes are left after the value");
	return value;
}

class PlainReader {
	readonly #bytes: Buffer;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
	}

	get isAtEnd(): boolean {
		return this.#at === this.#bytes.length;
	}

	value(): unknown {
		const head = this.#unsigned(1);
		if (head < 0x80) return head;
		if (head < 0x90) return this.#object(head & 0x0f);
		if (head < 0xa0) return this.#array(head & 0x0f);
		if (head < 0xc0) return this.#text(head & 0x1f);
		if (head >= 0xe0) return head - 0x100;
		return this.#tagged(head);
	}

	#tagged(head: number): unknown {
		switch (head) {
			case 0xc0:
				return null;
			case 0xc2:
				return false;
			case 0xc3:
				return true;
			case 0xc4:
			case 0xc5:
			case 0xc6:
				return this.#binary(this.#unsigned(1 << (head - 0xc4)));
			case 0xc7:
			case 0xc8:
			case 0xc9:
				return this.#extension(this.#unsigned(1 << (head - 0xc7)));
			case 0xcb:
				return this.#bytes.readDoubleBE(this.#skip(8));
			case 0xcc:
			case 0xcd:
			case 0xce:
				return this.#unsigned(1 << (head - 0xcc));
			case 0xcf:
				return this.#bytes.readBigUInt64BE(this.#skip(8));
			case 0xd0:
			case 0xd1:
			case 0xd2: {
				const length = 1 << (head - 0xd0);
				return this.#bytes.readIntBE(this.#skip(length), length);
			}
			case 0xd3:
				return this.#bytes.readBigInt64BE(this.#skip(8));
			case 0xd4:
			case 0xd5:
			case 0xd6:
			case 0xd7:
			case 0xd8:
				return this.#extension(1 << (head - 0xd4));
			case 0xd9:
			case 0xda:
			case 0xdb:
				return this.#text(this.#unsigned(1 << (head - 0xd9)));
			case 0xdc:
			case 0xdd:
				return this.#array(this.#unsigned(2 << (head - 0xdc)));
			case 0xde:
			case 0xdf:
				return this.#object(this.#unsigned(2 << (head - 0xde)));
			default:
				throw new DecodeError(`no value begins with byte ${head}`);
		}
	}

	/** Where the next `length` bytes begin. */
	#skip(length: number): number {
		const at = this.#at;
		if (length > this.#bytes.length - at) throw new DecodeError("the message is cut short");
		this.#at = at + length;
		return at;
	}

	#unsigned(length: number): number {
		return this.#bytes.readUIntBE(this.#skip(length), length);
	}

	#text(length: number): string {
		const at = this.#skip(length);
		return this.#bytes.toString("utf8", at, at + length);
	}

	#binary(length: number): Uint8Array {
		const at = this.#skip(length);
		return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
	}

	/** A length that is only claimed ends at the last byte: nothing is set aside for it. */
	#array(length: number): unknown[] {
		const items: unknown[] = [];
		for (let i = 0; i < length; i++) items.push(this.value());
		return items;
	}

	#object(length: number): Record<string, unknown> {
		const object: Record<string, unknown> = {};
		for (let i = 0; i < length; i++) {
			const name = this.value();
			if (typeof name !== "string" && typeof name !== "number") {
				throw new DecodeError("a name in an object is no text");
			}
			// As msgpackr has it: data must not become a prototype.
			object[name === "__proto__" ? "__proto_" : name] = this.value();
		}
		return object;
	}

	#extension(length: number): bigint | undefined {
		const type = this.#unsigned(1);
		const at = this.#skip(length);
		if (type === undefinedType && length === 1) return undefined;
		if (type !== bigintType || length === 0) throw new DecodeError(`unknown extension ${type}`);
		const digits = this.#bytes.toString("hex", at, at + length);
		return BigInt.asIntN(length * 8, BigInt(`0x${digits}`));
	}
}
