/** smallint, integer, bigint, boolean. */

import { type BuiltinType, compareBigints, compareNumbers, defineType } from "./builtin-type.ts";
import { binaryLength, invalidText, textOutOfRange } from "./errors.ts";
import { bigintKey, booleanKey, integerKey } from "./key-codecs.ts";
import { OID } from "./oids.ts";

export const int2Min = -0x8000;
export const int2Max = 0x7fff;
export const int4Min = -0x8000_0000;
export const int4Max = 0x7fff_ffff;
export const int8Min = -0x8000_0000_0000_0000n;
export const int8Max = 0x7fff_ffff_ffff_ffffn;

const integerPattern = /^[ \t\n\v\f\r]*[+-]?\d+[ \t\n\v\f\r]*$/;

/** Short plain digits without a look at the pattern; undefined for everything else. */
function quickInteger(text: string): number | undefined {
	const length = text.length;
	if (length === 0 || length > 9) {
		return undefined;
	}
	const negative = text.charCodeAt(0) === 0x2d;
	let value = 0;
	for (let i = negative ? 1 : 0; i < length; i++) {
		const digit = text.charCodeAt(i) - 0x30;
		if (digit < 0 || digit > 9) {
			return undefined;
		}
		value = value * 10 + digit;
	}
	if (negative) {
		// "-" alone is no number, and -0 is 0.
		return length === 1 ? undefined : 0 - value;
	}
	return value;
}

export function parseInteger(text: string, typeName: string, min: number, max: number): number {
	const quick = quickInteger(text);
	if (quick !== undefined && quick >= min && quick <= max) {
		return quick;
	}
	if (!integerPattern.test(text)) {
		throw invalidText(typeName, text);
	}
	const value = Number(text);
	if (value < min || value > max) {
		throw textOutOfRange(typeName, text);
	}
	return value + 0;
}

export function parseBigint(text: string): bigint {
	const quick = quickInteger(text);
	if (quick !== undefined) {
		return BigInt(quick);
	}
	if (!integerPattern.test(text)) {
		throw invalidText("bigint", text);
	}
	const trimmed = text.trim();
	const value = BigInt(trimmed.startsWith("+") ? trimmed.slice(1) : trimmed);
	if (value < int8Min || value > int8Max) {
		throw textOutOfRange("bigint", text);
	}
	return value;
}

export function viewOf(bytes: Uint8Array, length: number): Buffer {
	if (bytes.length !== length) {
		throw binaryLength(bytes, length);
	}
	return Buffer.from(bytes.buffer, bytes.byteOffset, length);
}

export const int2Type: BuiltinType = defineType({
	oid: OID.int2,
	name: "int2",
	sqlName: "smallint",
	length: 2,
	category: "N",
	arrayOid: OID.int2Array,
	parse: (text) => parseInteger(text, "smallint", int2Min, int2Max),
	format: (value) => String(value as number),
	encodeBinary(value) {
		const out = Buffer.allocUnsafe(2);
		out.writeInt16BE(value as number, 0);
		return out;
	},
	decodeBinary: (bytes) => viewOf(bytes, 2).readInt16BE(0),
	compare: compareNumbers,
	keyCodec: integerKey,
});

export const int4Type: BuiltinType = defineType({
	oid: OID.int4,
	name: "int4",
	sqlName: "integer",
	length: 4,
	category: "N",
	arrayOid: OID.int4Array,
	parse: (text) => parseInteger(text, "integer", int4Min, int4Max),
	format: (value) => String(value as number),
	encodeBinary(value) {
		const out = Buffer.allocUnsafe(4);
		out.writeInt32BE(value as number, 0);
		return out;
	},
	decodeBinary: (bytes) => viewOf(bytes, 4).readInt32BE(0),
	compare: compareNumbers,
	keyCodec: integerKey,
});

export function encodeInt8(value: bigint): Uint8Array {
	const out = Buffer.allocUnsafe(8);
	out.writeBigInt64BE(value, 0);
	return out;
}

export const int8Type: BuiltinType = defineType({
	oid: OID.int8,
	name: "int8",
	sqlName: "bigint",
	length: 8,
	category: "N",
	arrayOid: OID.int8Array,
	parse: (text) => parseBigint(text),
	format: (value) => (value as bigint).toString(),
	encodeBinary: (value) => encodeInt8(value as bigint),
	decodeBinary: (bytes) => viewOf(bytes, 8).readBigInt64BE(0),
	compare: compareBigints,
	keyCodec: bigintKey,
});

/** Unique prefixes of true, false, yes, no; on, off; 1, 0. */
export function parseBoolean(text: string): boolean {
	switch (text.trim().toLowerCase()) {
		case "t":
		case "tr":
		case "tru":
		case "true":
		case "y":
		case "ye":
		case "yes":
		case "on":
		case "1":
			return true;
		case "f":
		case "fa":
		case "fal":
		case "fals":
		case "false":
		case "n":
		case "no":
		case "of":
		case "off":
		case "0":
			return false;
		default:
			throw invalidText("boolean", text);
	}
}

export const boolType: BuiltinType = defineType({
	oid: OID.bool,
	name: "bool",
	sqlName: "boolean",
	length: 1,
	category: "B",
	preferred: true,
	arrayOid: OID.boolArray,
	parse: (text) => parseBoolean(text),
	format: (value) => (value ? "t" : "f"),
	encodeBinary: (value) => Buffer.of(value ? 1 : 0),
	decodeBinary: (bytes) => viewOf(bytes, 1)[0] !== 0,
	compare: (a, b) => Number(a) - Number(b),
	keyCodec: booleanKey,
});
