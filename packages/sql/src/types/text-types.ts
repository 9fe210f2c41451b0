/** text, varchar(n), char(n), name, "char", json and the types that only look like text. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType, type TypeSpec } from "./builtin-type.ts";
import type { Datum, SqlType } from "./datum.ts";
import { invalidParameter } from "./errors.ts";
import { paddedTextKey, textKey } from "./key-codecs.ts";
import { OID } from "./oids.ts";
import {
	compareText,
	decodeUtf8,
	offsetOf,
	padBlanks,
	textLength,
	trimBlanks,
	truncateBytes,
} from "./text-values.ts";

const nameBytesMax = 63;
/** PostgreSQL's MaxAttrSize. */
const lengthMax = 10_485_760;

const compareTexts = (a: Datum, b: Datum): number => compareText(a as string, b as string);

function textLike(
	spec: Pick<TypeSpec, "oid" | "name" | "arrayOid" | "category"> & Partial<TypeSpec>,
): BuiltinType {
	return defineType({
		length: -1,
		parse: (text) => text,
		format: (value) => value as string,
		encodeBinary: (value) => Buffer.from(value as string, "utf8"),
		decodeBinary: (bytes) => decodeUtf8(bytes),
		compare: compareTexts,
		keyCodec: textKey,
		...spec,
	});
}

function packLength(typeName: string): (modifiers: readonly number[]) => number {
	return (modifiers) => {
		const [length] = modifiers;
		if (length === undefined || modifiers.length > 1) {
			throw invalidParameter("invalid type modifier");
		}
		if (length < 1) {
			throw invalidParameter(`length for type ${typeName} must be at least 1`);
		}
		if (length > lengthMax) {
			throw invalidParameter(`length for type ${typeName} cannot exceed ${lengthMax}`);
		}
		return length + 4;
	};
}

function tooLong(typeName: string, length: number): DatabaseError {
	return new DatabaseError("22001", `value too long for type ${typeName}(${length})`);
}

/** Cuts to `length` characters; other than blanks may go only in an explicit cast. */
function cut(text: string, length: number, explicit: boolean, typeName: string): string {
	const end = offsetOf(text, length);
	if (!explicit && trimBlanks(text.slice(end)) !== "") {
		throw tooLong(typeName, length);
	}
	return text.slice(0, end);
}

function modifyVarchar(value: Datum, modifier: number, explicit: boolean): Datum {
	const text = value as string;
	const length = modifier - 4;
	if (text.length <= length || textLength(text) <= length) {
		return text;
	}
	return cut(text, length, explicit, "character varying");
}

function modifyBpchar(value: Datum, modifier: number, explicit: boolean): Datum {
	const text = value as string;
	const length = modifier - 4;
	return textLength(text) <= length
		? padBlanks(text, length)
		: cut(text, length, explicit, "character");
}

export const textType = textLike({
	oid: OID.text,
	name: "text",
	category: "S",
	preferred: true,
	arrayOid: OID.textArray,
});

export const varcharType = textLike({
	oid: OID.varchar,
	name: "varchar",
	sqlName: "character varying",
	category: "S",
	arrayOid: OID.varcharArray,
	modify: modifyVarchar,
	describe: (modifier) => `character varying(${modifier - 4})`,
	packModifier: packLength("varchar"),
});

export const compareBpchar = (a: Datum, b: Datum): number =>
	compareText(trimBlanks(a as string), trimBlanks(b as string));

export const bpcharType = textLike({
	oid: OID.bpchar,
	name: "bpchar",
	sqlName: "character",
	category: "S",
	arrayOid: 1014,
	compare: compareBpchar,
	keyCodec: paddedTextKey,
	modify: modifyBpchar,
	describe: (modifier) => `character(${modifier - 4})`,
	packModifier: packLength("char"),
});

/** Of char(n): n. */
export const charLength = ({ oid, modifier }: SqlType): number | undefined =>
	oid === OID.bpchar && modifier > 4 ? modifier - 4 : undefined;

export const truncateName = (text: string): string => truncateBytes(text, nameBytesMax);

export const nameType = textLike({
	oid: OID.name,
	name: "name",
	length: 64,
	category: "S",
	arrayOid: OID.nameArray,
	elementOid: OID.char,
	parse: truncateName,
	decodeBinary: (bytes) => truncateName(decodeUtf8(bytes)),
});

/** "char" is one byte; bytes above 127 are written \ooo. */
export function charFromText(text: string): string {
	const octal = /^\\([0-3][0-7][0-7])$/.exec(text);
	if (octal !== null) {
		const code = Number.parseInt(octal[1] as string, 8);
		return code === 0 ? "" : String.fromCharCode(code);
	}
	const first = Buffer.from(text.slice(0, 2), "utf8")[0];
	return first === undefined || first === 0 ? "" : String.fromCharCode(first);
}

export function charToText(value: string): string {
	return value.charCodeAt(0) > 0x7f ? `\\${value.charCodeAt(0).toString(8)}` : value;
}

export const charType = textLike({
	oid: OID.char,
	name: "char",
	sqlName: '"char"',
	length: 1,
	category: "Z",
	arrayOid: 1002,
	parse: charFromText,
	format: (value) => charToText(value as string),
	encodeBinary: (value) => Buffer.of((value as string).charCodeAt(0) || 0),
	decodeBinary: (bytes) => (bytes[0] ? String.fromCharCode(bytes[0]) : ""),
});

export const unknownType = textLike({
	oid: OID.unknown,
	name: "unknown",
	length: -2,
	category: "X",
	arrayOid: 0,
});

export const cstringType = textLike({
	oid: OID.cstring,
	name: "cstring",
	length: -2,
	category: "P",
	arrayOid: 1263,
});

export const nodeTreeType = textLike({
	oid: OID.nodeTree,
	name: "pg_node_tree",
	category: "Z",
	arrayOid: 0,
	compare: undefined,
	keyCodec: undefined,
});

export const aclitemType = textLike({
	oid: OID.aclitem,
	name: "aclitem",
	length: 12,
	category: "U",
	arrayOid: OID.aclitemArray,
});

export const voidType = textLike({
	oid: OID.void,
	name: "void",
	length: 4,
	category: "P",
	arrayOid: 0,
	parse: () => "",
	format: () => "",
	encodeBinary: () => Buffer.alloc(0),
	compare: undefined,
	keyCodec: undefined,
});
