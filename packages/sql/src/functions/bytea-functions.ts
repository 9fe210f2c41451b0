/** Functions of bytea, encodings and digests. */
import { createHash } from "node:crypto";
import { DatabaseError } from "@quorate/keys/database-error";
import { asBuffer, bytesFromEscaped, bytesFromHex, escapeBytes } from "../types/bytes-types.ts";
import { invalidParameter } from "../types/errors.ts";
import { int4Max } from "../types/integer-types.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { decodeUtf8 } from "../types/text-values.ts";
import { likeStable, pure } from "./definition.ts";
import { like } from "./like.ts";
import { trimEnd, trimStart } from "./text-functions.ts";

const unknownEncoding = (name: string): DatabaseError =>
	invalidParameter(`unrecognized encoding: "${name}"`);

/** Lines of 76 characters. */
function toBase64(bytes: Uint8Array): string {
	return (
		asBuffer(bytes)
			.toString("base64")
			.match(/.{1,76}/g) ?? []
	).join("\n");
}

function fromBase64(text: string): Uint8Array {
	const digits = text.replace(/[ \t\n\r]/g, "");
	const wrong = /[^A-Za-z0-9+/=]/u.exec(digits);
	if (wrong !== null) {
		throw invalidParameter(`invalid symbol "${wrong[0]}" found while decoding base64 sequence`);
	}
	if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(digits)) {
		throw invalidParameter("invalid base64 end sequence", {
			hint: "Input data is missing padding, is truncated, or is otherwise corrupted.",
		});
	}
	return Buffer.from(digits, "base64");
}

function encode(bytes: Uint8Array, format: string): string {
	switch (format.toLowerCase()) {
		case "hex":
			return asBuffer(bytes).toString("hex");
		case "base64":
			return toBase64(bytes);
		case "escape":
			return escapeBytes(bytes, 1, 0x7f);
		default:
			throw unknownEncoding(format);
	}
}

function decode(text: string, format: string): Uint8Array {
	switch (format.toLowerCase()) {
		case "hex":
			return bytesFromHex(text);
		case "base64":
			return fromBase64(text);
		case "escape":
			return bytesFromEscaped(text);
		default:
			throw unknownEncoding(format);
	}
}

function substring(bytes: Uint8Array, start: number, count?: number): Uint8Array {
	if (count !== undefined && count < 0) {
		throw new DatabaseError("22011", "negative substring length not allowed");
	}
	const end = count === undefined ? bytes.length : Math.max(start - 1 + count, 0);
	return bytes.subarray(Math.max(start - 1, 0), end);
}

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
	return Buffer.concat([a, b]);
}

function checkIndex(bytes: Uint8Array, index: number): void {
	if (index < 0 || index >= bytes.length) {
		throw new DatabaseError("2202E", `index ${index} out of valid range, 0..${bytes.length - 1}`);
	}
}

function getByte(bytes: Uint8Array, index: number): number {
	checkIndex(bytes, index);
	return bytes[index] as number;
}

function setByte(bytes: Uint8Array, index: number, value: number): Uint8Array {
	checkIndex(bytes, index);
	// Not slice(): that of a Buffer shows the same bytes.
	const out = new Uint8Array(bytes);
	out[index] = value & 0xff;
	return out;
}

/** A character a byte, so that what is done to text can be done to it. */
const latin = (bytes: Uint8Array): string => asBuffer(bytes).toString("latin1");

const trimmed =
	(trim: (text: string, set: string) => string) =>
	(bytes: Uint8Array, set: Uint8Array): Uint8Array =>
		Buffer.from(trim(latin(bytes), latin(set)), "latin1");

function overlay(
	bytes: Uint8Array,
	part: Uint8Array,
	start: number,
	count = part.length,
): Uint8Array {
	if (start <= 0) {
		throw new DatabaseError("22011", "negative substring length not allowed");
	}
	if (start + count > int4Max) {
		throw new DatabaseError("22003", "integer out of range");
	}
	const before = bytes.subarray(0, start - 1);
	return Buffer.concat([before, part, bytes.subarray(Math.max(start + count - 1, 0))]);
}

function checkBit(bytes: Uint8Array, index: bigint): number {
	const bits = BigInt(bytes.length) * 8n;
	if (index < 0n || index >= bits) {
		throw new DatabaseError("2202E", `index ${index} out of valid range, 0..${bits - 1n}`);
	}
	return Number(index);
}

function getBit(bytes: Uint8Array, index: bigint): number {
	const bit = checkBit(bytes, index);
	return (bytes[Math.floor(bit / 8)]! >> (bit % 8)) & 1;
}

function setBit(bytes: Uint8Array, index: bigint, value: number): Uint8Array {
	const bit = checkBit(bytes, index);
	if (value !== 0 && value !== 1) throw invalidParameter("new bit must be 0 or 1");
	const out = new Uint8Array(bytes);
	const [at, mask] = [Math.floor(bit / 8), 1 << (bit % 8)];
	out[at] = value === 1 ? out[at]! | mask : out[at]! & ~mask;
	return out;
}

function bitCount(bytes: Uint8Array): bigint {
	let count = 0;
	for (const byte of bytes) for (let rest = byte; rest > 0; rest &= rest - 1) count++;
	return BigInt(count);
}

const byteLike = (bytes: Uint8Array, pattern: Uint8Array): boolean =>
	like(latin(bytes), latin(pattern));

const digest =
	(algorithm: string) =>
	(bytes: Uint8Array): Uint8Array =>
		createHash(algorithm).update(bytes).digest();

const md5 = (data: string | Uint8Array): string => createHash("md5").update(data).digest("hex");

function encodingOf(name: string): void {
	if (!/^utf-?8$/i.test(name)) {
		throw invalidParameter(`invalid destination encoding name "${name}"`);
	}
}

/** Version 4. */
export const byteaFunctions: readonly ScalarFunction[] = [
	pure("||(bytea, bytea) -> bytea", concatenate),
	pure("length(bytea) -> int4", (bytes: Uint8Array) => bytes.length),
	pure("octet_length(bytea) -> int4", (bytes: Uint8Array) => bytes.length),
	pure("bit_length(bytea) -> int4", (bytes: Uint8Array) => bytes.length * 8),
	...["substring", "substr"].flatMap((name) => [
		pure(`${name}(bytea, int4) -> bytea`, substring),
		pure(`${name}(bytea, int4, int4) -> bytea`, substring),
	]),
	pure(
		"position(bytea, bytea) -> int4",
		(bytes: Uint8Array, part: Uint8Array) => asBuffer(bytes).indexOf(part) + 1,
	),
	pure(
		"btrim(bytea, bytea) -> bytea",
		trimmed((text, set) => trimEnd(trimStart(text, set), set)),
	),
	pure("ltrim(bytea, bytea) -> bytea", trimmed(trimStart)),
	pure("rtrim(bytea, bytea) -> bytea", trimmed(trimEnd)),
	pure("overlay(bytea, bytea, int4) -> bytea", overlay),
	pure("overlay(bytea, bytea, int4, int4) -> bytea", overlay),
	pure("get_bit(bytea, int8) -> int4", getBit),
	pure("set_bit(bytea, int8, int4) -> bytea", setBit),
	pure("bit_count(bytea) -> int8", bitCount),
	...["~~", "like"].map((name) => pure(`${name}(bytea, bytea) -> bool`, byteLike)),
	...["!~~", "notlike"].map((name) =>
		pure(
			`${name}(bytea, bytea) -> bool`,
			(bytes: Uint8Array, pattern: Uint8Array) => !byteLike(bytes, pattern),
		),
	),
	pure("get_byte(bytea, int4) -> int4", getByte),
	pure("set_byte(bytea, int4, int4) -> bytea", setByte),
	pure("encode(bytea, text) -> text", encode),
	pure("decode(text, text) -> bytea", decode),
	pure("md5(text) -> text", md5),
	pure("md5(bytea) -> text", md5),
	pure("sha224(bytea) -> bytea", digest("sha224")),
	pure("sha256(bytea) -> bytea", digest("sha256")),
	pure("sha384(bytea) -> bytea", digest("sha384")),
	pure("sha512(bytea) -> bytea", digest("sha512")),
	likeStable(
		pure("convert_from(bytea, name) -> text", (bytes: Uint8Array, name: string) => {
			encodingOf(name);
			return decodeUtf8(bytes);
		}),
	),
	likeStable(
		pure("convert_to(text, name) -> bytea", (text: string, name: string) => {
			encodingOf(name);
			return Buffer.from(text, "utf8");
		}),
	),
];
