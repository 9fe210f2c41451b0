/** bytea and uuid. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import { invalidParameter, invalidText } from "./errors.ts";
import { viewOf } from "./integer-types.ts";
import { byteaKey, uuidKey } from "./key-codecs.ts";
import { OID } from "./oids.ts";

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
		const octal = /^\\([0-3][0-7][0-7])/.exec(source.toString("latin1", i, i + 4));
		if (octal !== null) {
			out[size++] = Number.parseInt(octal[1] as string, 8);
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

export function bytesToEscaped(bytes: Uint8Array): string {
	let out = "";
	for (const byte of bytes) {
		if (byte === 0x5c) {
			out += "\\\\";
		} else if (byte < 0x20 || byte > 0x7e) {
			out += `\\${byte.toString(8).padStart(3, "0")}`;
		} else {
			out += String.fromCharCode(byte);
		}
	}
	return out;
}

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
			: bytesToEscaped(value as Uint8Array),
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
