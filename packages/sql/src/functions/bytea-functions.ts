/** Functions of bytea, encodings and digests. */
import { createHash } from "node:crypto";
import { DatabaseError } from "@quorate/keys/database-error";
import { asBuffer, bytesFromEscaped, bytesFromHex } from "../types/bytes-types.ts";
import { invalidParameter } from "../types/errors.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { decodeUtf8 } from "../types/text-values.ts";
import { pure } from "./definition.ts";

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
			return escapeHighBytes(bytes);
		default:
			throw unknownEncoding(format);
	}
}

/** As encode(..., 'escape'): only NUL, bytes above 127 and the backslash. */
function escapeHighBytes(bytes: Uint8Array): string {
	let out = "";
	for (const byte of bytes) {
		out +=
			byte === 0 || byte > 127
				? `\\${byte.toString(8).padStart(3, "0")}`
				: byte === 0x5c
					? "\\\\"
					: String.fromCharCode(byte);
	}
	return out;
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
	pure("convert_from(bytea, name) -> text", (bytes: Uint8Array, name: string) => {
		encodingOf(name);
		return decodeUtf8(bytes);
	}),
	pure("convert_to(text, name) -> bytea", (text: string, name: string) => {
		encodingOf(name);
		return Buffer.from(text, "utf8");
	}),
];
