/**
 * oid and the types that are an OID with a name: regclass, regproc ... Their values are numbers. Names are the catalog's
 * business: input and output ask `context.catalogCall` for `regclassin`(text) and `regclassout`(oid) and their kin. Only
 * the names of types that every database has are known here.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, compareBigints, compareNumbers, defineType } from "./builtin-type.ts";
import type { Datum } from "./datum.ts";
import { invalidText, textOutOfRange } from "./errors.ts";
import { viewOf } from "./integer-types.ts";
import { bigintKey, integerKey, type KeyCodec } from "./key-codecs.ts";
import { OID } from "./oids.ts";
import type { TypeContext } from "./registry.ts";

const oidMax = 0xffff_ffff;
const digits = /^[ \t\n\v\f\r]*([+-]?\d+)[ \t\n\v\f\r]*$/;

/** As strtoul: a negative number down to -2147483648 wraps. */
function parseOid(text: string, typeName: string): number {
	const match = digits.exec(text);
	if (match === null) {
		throw invalidText(typeName, text);
	}
	const value = Number(match[1]);
	if (value < -0x8000_0000 || value > oidMax) {
		throw textOutOfRange(typeName, text);
	}
	return value >>> 0;
}

function encodeOid(value: Datum): Uint8Array {
	const out = Buffer.allocUnsafe(4);
	out.writeUInt32BE(value as number, 0);
	return out;
}

const oidLike = {
	length: 4,
	encodeBinary: encodeOid,
	decodeBinary: (bytes: Uint8Array) => viewOf(bytes, 4).readUInt32BE(0),
	compare: compareNumbers,
	keyCodec: integerKey,
	format: (value: Datum) => String(value as number),
};

const plain = (oid: number, name: string, arrayOid: number, category: string): BuiltinType =>
	defineType({
		...oidLike,
		oid,
		name,
		category,
		preferred: name === "oid",
		arrayOid,
		parse: (text) => parseOid(text, name),
	});

function askCatalog(context: TypeContext, name: string, argument: Datum): Datum {
	assert(context.catalogCall !== undefined, () => `${name} needs a session with a catalog`);
	return context.catalogCall(name, [argument]);
}

function registered(oid: number, name: string, arrayOid: number): BuiltinType {
	return defineType({
		...oidLike,
		oid,
		name,
		category: "N",
		arrayOid,
		parse(text, context) {
			if (text === "-") {
				return 0;
			}
			return /^\d+$/.test(text) ? parseOid(text, "oid") : askCatalog(context, `${name}in`, text);
		},
		format: (value, context) =>
			value === 0 ? "-" : (askCatalog(context, `${name}out`, value) as string),
	});
}

/** A type that somebody has made. Throws 42704. */
function typeCalled(text: string, context: TypeContext): Datum {
	const oid = askCatalog(context, "regtypein", text);
	if (oid !== null) return oid;
	throw new DatabaseError("42704", `type "${text}" does not exist`);
}

/** The names of types that every database has come from the table that this is an entry of. */
export function regtypeType(
	parseName: (text: string) => number | undefined,
	formatName: (oid: number) => string | undefined,
): BuiltinType {
	return defineType({
		...oidLike,
		oid: OID.regtype,
		name: "regtype",
		category: "N",
		arrayOid: 2211,
		parse: (text, context) =>
			text === "-"
				? 0
				: /^\d+$/.test(text)
					? parseOid(text, "oid")
					: (parseName(text) ?? typeCalled(text, context)),
		format: (value, context) =>
			value === 0
				? "-"
				: (formatName(value as number) ?? (askCatalog(context, "regtypeout", value) as string)),
	});
}

const half = 1n << 63n;

/** Of unsigned ones. */
const xid8Key: KeyCodec = {
	encode: (value) => bigintKey.encode((value as bigint) - half),
	decode(bytes, offset) {
		const { value, next } = bigintKey.decode(bytes, offset);
		return { value: (value as bigint) + half, next };
	},
	lossy: false,
};

/** As strtoull with base 0: what is no digit ends it, and nothing is refused. */
function parseXid8(text: string): bigint {
	const match = /^[ \t\n\v\f\r]*([+-]?)(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)/i.exec(text);
	if (match === null) return 0n;
	const digits = match[2]!;
	const value = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
	if (value >= 1n << 64n) return (1n << 64n) - 1n;
	return BigInt.asUintN(64, match[1] === "-" ? -value : value);
}

const xid8Type: BuiltinType = defineType({
	oid: OID.xid8,
	name: "xid8",
	length: 8,
	category: "U",
	arrayOid: OID.xid8Array,
	parse: parseXid8,
	format: (value) => (value as bigint).toString(),
	encodeBinary(value) {
		const out = Buffer.allocUnsafe(8);
		out.writeBigUInt64BE(value as bigint, 0);
		return out;
	},
	decodeBinary: (bytes) => viewOf(bytes, 8).readBigUInt64BE(0),
	compare: compareBigints,
	keyCodec: xid8Key,
});

export const oidTypes: readonly BuiltinType[] = [
	plain(OID.oid, "oid", OID.oidArray, "N"),
	plain(OID.xid, "xid", 1011, "U"),
	xid8Type,
	plain(OID.cid, "cid", 1012, "U"),
	registered(OID.regproc, "regproc", 1008),
	registered(OID.regprocedure, "regprocedure", 2207),
	registered(OID.regoper, "regoper", 2208),
	registered(OID.regoperator, "regoperator", 2209),
	registered(OID.regclass, "regclass", 2210),
	registered(OID.regconfig, "regconfig", 3735),
	registered(OID.regnamespace, "regnamespace", 4090),
	registered(OID.regrole, "regrole", 4097),
];
