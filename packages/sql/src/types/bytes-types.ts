/** bytea and uuid. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { invalidParameter, invalidText } from "./errors.ts";
import { viewOf } from "./integer-types.ts";
import { byteaKey, uuidKey } from "./key-codecs.ts";
import { OID } from "./oids.ts";
import { TextWriter } from "./text-writer.ts";

export function asBuffer(bytes: Uint8Array): Buffer {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Pairs of hexadecimal digits, white space between pairs. */
export function bytesFromHex(hex: string): Uint8Array {
	const digits = hex.replace(/[ \n\t\r]/g, "");
	const wrong = /[^0-9a-fA-F]/u.exec(digits);
	if (wrong !== null) {
		throw invalidParameter(`invalid hexadecimal digit: "${wrong[0]}"`);
	}
	if (digits.length % 2 !== 0) {
		throw invalidParameter("invalid hexadecimal data: odd number of digits");
	}
	return Buffer.from(digits, "hex");
}

/** -1: no octal digit. */
function octalAt(bytes: Uint8Array, at: number): number {
	const digit = (bytes[at] ?? 0) - 0x30;
	return digit >= 0 && digit <= 7 ? digit : -1;
}

/** The traditional form: \\ and \ooo. */
export function bytesFromEscaped(text: string): Uint8Array {
	if (!text.includes("\\")) {
		return Buffer.from(text, "utf8");
	}
	const source = Buffer.from(text, "utf8");
	const out = Buffer.allocUnsafe(source.length);
	let size = 0;
	for (let i = 0; i < source.length; ) {
		if (source[i] !== 0x5c) {
			out[size++] = source[i++] as number;
			continue;
		}
		const high = octalAt(source, i + 1);
		const middle = octalAt(source, i + 2);
		const low = octalAt(source, i + 3);
		if (high >= 0 && high <= 3 && middle >= 0 && low >= 0) {
			out[size++] = (high << 6) | (middle << 3) | low;
			i += 4;
		} else if (source[i + 1] === 0x5c) {
			out[size++] = 0x5c;
			i += 2;
		} else {
			throw new DatabaseError("22P02", "invalid input syntax for type bytea");
		}
	}
	return out.subarray(0, size);
}

/** The same way back. Bytes from `first` to `last` stand for themselves, but for the backslash. */
export const escapeBytes = (bytes: Uint8Array, first: number, last: number): string =>
	TextWriter.collect((out) => {
		for (const byte of bytes) {
			if (byte === 0x5c) out.unit(byte);
			if (byte >= first && byte <= last) {
				out.unit(byte);
				continue;
			}
			out.unit(0x5c);
			out.unit(0x30 + (byte >> 6));
			out.unit(0x30 + ((byte >> 3) & 7));
			out.unit(0x30 + (byte & 7));
		}
	});

export const byteaType: BuiltinType = defineType({
	oid: OID.bytea,
	name: "bytea",
	length: -1,
	category: "U",
	arrayOid: 1001,
	parse: (text) => (text.startsWith("\\x") ? bytesFromHex(text.slice(2)) : bytesFromEscaped(text)),
	format: (value, context) =>
		context.byteaOutput === "hex"
			? `\\x${asBuffer(value as Uint8Array).toString("hex")}`
			: escapeBytes(value as Uint8Array, 0x20, 0x7e),
	encodeBinary: (value) => value as Uint8Array,
	decodeBinary: (bytes) => new Uint8Array(bytes),
	compare: (a, b) => Buffer.compare(a as Uint8Array, b as Uint8Array),
	keyCodec: byteaKey,
});

const canonical = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Braces around, upper case, and a hyphen after any group of four digits are fine. */
const lenient = /^(?:[0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$/;

export function uuidFromHex(hex: string): string {
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function parseUuid(text: string): string {
	if (canonical.test(text)) {
		return text;
	}
	const bare = text.startsWith("{") && text.endsWith("}") ? text.slice(1, -1) : text;
	if (!lenient.test(bare)) {
		throw invalidText("uuid", text);
	}
	return uuidFromHex(bare.replaceAll("-", "").toLowerCase());
}

export const uuidType: BuiltinType = defineType({
	oid: OID.uuid,
	name: "uuid",
	length: 16,
	category: "U",
	arrayOid: 2951,
	parse: (text) => parseUuid(text),
	format: (value) => value as string,
	encodeBinary: (value) => Buffer.from((value as string).replaceAll("-", ""), "hex"),
	decodeBinary: (bytes) => uuidFromHex(viewOf(bytes, 16).toString("hex")),
	compare: (a, b) => ((a as string) < (b as string) ? -1 : a === b ? 0 : 1),
	keyCodec: uuidKey,
});
