/**
 * Order-preserving, self-delimiting encodings of single values as binary strings, the pieces of keys.
 *
 * 1. encode(a) < encode(b) exactly if compare(a, b) < 0, and equal exactly if compare is 0.
 * 2. No encoding is a proper prefix of another of the same codec: encodings can be joined, and the order of the join is the
 *    order of the tuples.
 * 3. A codec is `lossy` where equal values have several forms (1.0 and 1.00, -0 and 0, trailing blanks): decode gives one of
 *    them, so a row has to keep the value itself.
 */
import { assert } from "@quorate/keys/assert";
import type { Datum } from "./datum.ts";
import {
	type Numeric,
	numeric,
	numericInfinity,
	numericNaN,
	numericNegativeInfinity,
	powerOfTen,
} from "./numeric.ts";

export interface Decoded {
	readonly value: Datum;
	/** Offset of the first byte after the value. */
	readonly next: number;
}

export interface KeyCodec {
	encode(value: Datum): string;
	decode(bytes: string, offset: number): Decoded;
	readonly lossy: boolean;
}

const scratch = Buffer.alloc(8);

const nonNegativeHigh = "\x80\0\0\0";
const negativeHigh = "\x7f\xff\xff\xff";

/** A safe integer as 8 bytes, big-endian, sign bit flipped. */
export function encodeInteger(value: number): string {
	const low = value >>> 0;
	let high: string;
	if (value >= 0 && value <= 0xffff_ffff) {
		high = nonNegativeHigh;
	} else if (value < 0 && value >= -0x1_0000_0000) {
		high = negativeHigh;
	} else {
		return encodeBigint(BigInt(value));
	}
	return (
		high + String.fromCharCode(low >>> 24, (low >>> 16) & 0xff, (low >>> 8) & 0xff, low & 0xff)
	);
}

export function encodeBigint(value: bigint): string {
	if (value >= 0n && value <= 0xffff_ffffn) {
		return encodeInteger(Number(value));
	}
	scratch.writeBigInt64BE(value, 0);
	scratch[0] = (scratch[0] as number) ^ 0x80;
	return scratch.toString("latin1", 0, 8);
}

const wordAt = (bytes: string, at: number): number =>
	((bytes.charCodeAt(at) << 24) |
		(bytes.charCodeAt(at + 1) << 16) |
		(bytes.charCodeAt(at + 2) << 8) |
		bytes.charCodeAt(at + 3)) >>>
	0;

function decodeNumber(bytes: string, offset: number): number {
	assert(bytes.length >= offset + 8, "a key ends inside an integer");
	return ((wordAt(bytes, offset) ^ 0x8000_0000) | 0) * 0x1_0000_0000 + wordAt(bytes, offset + 4);
}

function decodeBigint(bytes: string, offset: number): bigint {
	assert(bytes.length >= offset + 8, "a key ends inside an integer");
	const high = BigInt((wordAt(bytes, offset) ^ 0x8000_0000) | 0);
	return (high << 32n) | BigInt(wordAt(bytes, offset + 4));
}

/** int2, int4, oid: the same bytes as int8, so that a key column compares with any of them. */
export const integerKey: KeyCodec = {
	encode: (value) => encodeInteger(value as number),
	decode: (bytes, offset) => ({ value: decodeNumber(bytes, offset), next: offset + 8 }),
	lossy: false,
};

export const bigintKey: KeyCodec = {
	encode: (value) => encodeBigint(value as bigint),
	decode: (bytes, offset) => ({ value: decodeBigint(bytes, offset), next: offset + 8 }),
	lossy: false,
};

export const booleanKey: KeyCodec = {
	encode: (value) => (value ? "\x01" : "\0"),
	decode: (bytes, offset) => ({ value: bytes.charCodeAt(offset) === 1, next: offset + 1 }),
	lossy: false,
};

function encodeFloat(value: number): string {
	// -0 equals 0, and there is one NaN, above everything.
	scratch.writeDoubleBE(value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value, 0);
	if ((scratch[0] as number) < 0x80 || Number.isNaN(value)) {
		scratch[0] = (scratch[0] as number) | 0x80;
	} else {
		for (let i = 0; i < 8; i++) {
			scratch[i] = ~(scratch[i] as number) & 0xff;
		}
	}
	return scratch.toString("latin1", 0, 8);
}

export const floatKey: KeyCodec = {
	encode: (value) => encodeFloat(value as number),
	decode(bytes, offset) {
		scratch.write(bytes.slice(offset, offset + 8), 0, 8, "latin1");
		if ((scratch[0] as number) >= 0x80) {
			scratch[0] = (scratch[0] as number) & 0x7f;
		} else {
			for (let i = 0; i < 8; i++) {
				scratch[i] = ~(scratch[i] as number) & 0xff;
			}
		}
		return { value: scratch.readDoubleBE(0), next: offset + 8 };
	},
	lossy: true,
};

/** Days; the infinities are the extremes. */
const dateExtreme = 0x7fff_ffff;
export const dateKey: KeyCodec = {
	encode(value) {
		const days = value as number;
		return encodeInteger(Number.isFinite(days) ? days : days > 0 ? dateExtreme : -dateExtreme - 1);
	},
	decode(bytes, offset) {
		const days = decodeNumber(bytes, offset);
		const infinite = days === dateExtreme || days === -dateExtreme - 1;
		return { value: infinite ? days * Number.POSITIVE_INFINITY : days, next: offset + 8 };
	},
	lossy: false,
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: everything but NUL goes into a key as it is
const plainText = /^[\x01-\x7f]*$/;
const terminator = "\0\x01";

/** Bytes, 0x00 as 0x00 0xff, ended by 0x00 0x01. */
export function encodeBytes(bytes: string): string {
	return (bytes.includes("\0") ? bytes.replaceAll("\0", "\0\xff") : bytes) + terminator;
}

export function decodeBytes(bytes: string, offset: number): { raw: string; next: number } {
	let out = "";
	let from = offset;
	for (;;) {
		const zero = bytes.indexOf("\0", from);
		assert(zero >= 0 && zero + 1 < bytes.length, "a key ends inside a string");
		out += bytes.slice(from, zero);
		if (bytes.charCodeAt(zero + 1) === 1) {
			return { raw: out, next: zero + 2 };
		}
		out += "\0";
		from = zero + 2;
	}
}

/** UTF-8 order, which is the order of code points: collation C. */
export function encodeText(text: string): string {
	return plainText.test(text)
		? text + terminator
		: encodeBytes(Buffer.from(text, "utf8").toString("latin1"));
}

function decodeText(bytes: string, offset: number): Decoded {
	const { raw, next } = decodeBytes(bytes, offset);
	return { value: plainText.test(raw) ? raw : Buffer.from(raw, "latin1").toString("utf8"), next };
}

export const textKey: KeyCodec = {
	encode: (value) => encodeText(value as string),
	decode: decodeText,
	lossy: false,
};

/** char(n): trailing blanks do not count. */
export const paddedTextKey: KeyCodec = {
	encode(value) {
		const text = value as string;
		let end = text.length;
		while (end > 0 && text.charCodeAt(end - 1) === 0x20) {
			end--;
		}
		return encodeText(text.slice(0, end));
	},
	decode: decodeText,
	lossy: true,
};

export const byteaKey: KeyCodec = {
	encode(value) {
		const bytes = value as Uint8Array;
		return encodeBytes(
			Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"),
		);
	},
	decode(bytes, offset) {
		const { raw, next } = decodeBytes(bytes, offset);
		return { value: Buffer.from(raw, "latin1"), next };
	},
	lossy: false,
};

/** 16 bytes. */
export const uuidKey: KeyCodec = {
	encode: (value) => Buffer.from((value as string).replaceAll("-", ""), "hex").toString("latin1"),
	decode(bytes, offset) {
		const hex = Buffer.from(bytes.slice(offset, offset + 16), "latin1").toString("hex");
		return {
			value: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
			next: offset + 16,
		};
	},
	lossy: false,
};

const exponentBias = 0x0080_0000;
const byteOf = (code: number, negative: boolean): number => (negative ? 0xff - code : code);

/**
 * A byte for the class; then, for other than zero, the decimal exponent (3 bytes) and the digits without trailing zeros in
 * pairs (1 to 100, so that the end, 0, is below them); all complemented for negative values.
 */
function encodeNumeric(n: Numeric): string {
	if (n.special !== 0) {
		return n.special === 2 ? "\x06" : n.special === 1 ? "\x05" : "\x01";
	}
	if (n.unscaled === 0n) {
		return "\x03";
	}
	const negative = n.unscaled < 0n;
	const digits = (negative ? -n.unscaled : n.unscaled).toString();
	let end = digits.length;
	while (digits.charCodeAt(end - 1) === 0x30) {
		end--;
	}
	const exponent = digits.length - n.scale + exponentBias;
	let out = negative ? "\x02" : "\x04";
	out += String.fromCharCode(
		byteOf(exponent >>> 16, negative),
		byteOf((exponent >>> 8) & 0xff, negative),
		byteOf(exponent & 0xff, negative),
	);
	for (let i = 0; i < end; i += 2) {
		const second = i + 1 < end ? digits.charCodeAt(i + 1) - 0x30 : 0;
		out += String.fromCharCode(byteOf((digits.charCodeAt(i) - 0x30) * 10 + second + 1, negative));
	}
	return out + (negative ? "\xff" : "\0");
}

function decodeNumeric(bytes: string, offset: number): Decoded {
	const kind = bytes.charCodeAt(offset);
	switch (kind) {
		case 1:
			return { value: numericNegativeInfinity, next: offset + 1 };
		case 3:
			return { value: numeric(0n, 0), next: offset + 1 };
		case 5:
			return { value: numericInfinity, next: offset + 1 };
		case 6:
			return { value: numericNaN, next: offset + 1 };
	}
	assert(kind === 2 || kind === 4, () => `no numeric begins with ${kind}`);
	const negative = kind === 2;
	const at = (i: number): number => byteOf(bytes.charCodeAt(i), negative);
	const exponent =
		at(offset + 1) * 0x1_0000 + at(offset + 2) * 0x100 + at(offset + 3) - exponentBias;
	let digits = "";
	let next = offset + 4;
	for (; at(next) !== 0; next++) {
		assert(next < bytes.length, "a key ends inside a numeric");
		digits += String(at(next) - 1).padStart(2, "0");
	}
	const trimmed = digits.endsWith("0") ? digits.slice(0, -1) : digits;
	const magnitude = BigInt(negative ? `-${trimmed}` : trimmed);
	const scale = trimmed.length - exponent;
	const value = scale >= 0 ? numeric(magnitude, scale) : numeric(magnitude * powerOfTen(-scale), 0);
	return { value, next: next + 1 };
}

export const numericKey: KeyCodec = {
	encode: (value) => encodeNumeric(value as Numeric),
	decode: decodeNumeric,
	lossy: true,
};
