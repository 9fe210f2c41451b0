/** All types by OID and by name; type names as text; modifiers. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import { arrayTypeOf, vectorType } from "./array-types.ts";
import type { BuiltinType } from "./builtin-type.ts";
import { byteaType, uuidType } from "./bytes-types.ts";
import { dateTypes } from "./date-types.ts";
import type { Datum, SqlType } from "./datum.ts";
import { enumType, typeReference } from "./enum-types.ts";
import { unsupported } from "./errors.ts";
import { float4Type, float8Type } from "./float-types.ts";
import { boolType, int2Type, int4Type, int8Type } from "./integer-types.ts";
import { intervalType } from "./interval-type.ts";
import { jsonbType, jsonType } from "./json-types.ts";
import { jsonpathType } from "./jsonpath-type.ts";
import { elementOfMade, isEnum, isMadeArray, isRow } from "./made-oids.ts";
import { numericType } from "./numeric-type.ts";
import { oidTypes, regtypeType } from "./oid-types.ts";
import { OID } from "./oids.ts";
import { pseudoTypes } from "./pseudo-types.ts";
import { recordType, rowType, storedOid, storedRecord } from "./row-types.ts";
import {
	aclitemType,
	bpcharType,
	charType,
	cstringType,
	nameType,
	nodeTreeType,
	textType,
	unknownType,
	varcharType,
	voidType,
} from "./text-types.ts";
import { timetzType } from "./timetz-type.ts";

const oidType = oidTypes[0] as BuiltinType;

const scalars: readonly BuiltinType[] = [
	boolType,
	byteaType,
	charType,
	nameType,
	int8Type,
	int2Type,
	vectorType(OID.int2vector, "int2vector", 1006, int2Type),
	int4Type,
	textType,
	...oidTypes,
	regtypeType(builtinRegtype, (oid) => table.get(oid)?.sqlName),
	vectorType(OID.oidvector, "oidvector", 1013, oidType),
	jsonType,
	jsonbType,
	jsonpathType,
	nodeTreeType,
	float4Type,
	float8Type,
	unknownType,
	aclitemType,
	bpcharType,
	varcharType,
	...dateTypes,
	intervalType,
	timetzType,
	numericType,
	uuidType,
	cstringType,
	voidType,
	recordType(lookup),
	...pseudoTypes(),
];

const table = new Map<number, BuiltinType>();
for (const type of scalars) {
	table.set(type.oid, type);
	if (type.arrayOid !== 0) {
		table.set(type.arrayOid, arrayTypeOf(type));
	}
}

function lookup(oid: number): BuiltinType | undefined {
	return table.get(oid) ?? madeType(oid);
}

/** Made anew whenever one is asked for: the numbers come from clients, and who asks does so once a plan. */
function madeType(oid: number): BuiltinType | undefined {
	if (isEnum(oid)) return enumType(oid);
	if (isRow(oid)) return rowType(oid, lookup);
	const element = isMadeArray(oid) ? madeType(elementOfMade(oid)) : undefined;
	return element && arrayTypeOf(element);
}

const storedRow = storedRecord(storedType);
const storedRows = arrayTypeOf(storedRow);

/** What rows keep a value as, which depends on nothing but the value: sort keys are texts. */
export function storedType(oid: number): BuiltinType | undefined {
	const kept = storedOid(oid);
	if (kept === OID.record) return storedRow;
	return kept === OID.recordArray ? storedRows : table.get(kept);
}

/** Of the folder's own kind, with what modifiers do. */
export const builtinType = lookup;

export const typeByOid: (oid: number) => BuiltinType | undefined = lookup;

export function allTypes(): readonly BuiltinType[] {
	return [...table.values()];
}

const byName = new Map<string, BuiltinType>([...table.values()].map((t) => [t.name, t]));

/** SQL's own spellings. `character` and `char` without a length are one character: the grammar says char(1). */
const aliases: Readonly<Record<string, string>> = dictionary({
	boolean: "bool",
	smallint: "int2",
	int: "int4",
	integer: "int4",
	bigint: "int8",
	real: "float4",
	float: "float8",
	"double precision": "float8",
	decimal: "numeric",
	dec: "numeric",
	"character varying": "varchar",
	character: "bpchar",
	'"char"': "char",
	"timestamp without time zone": "timestamp",
	"timestamp with time zone": "timestamptz",
	"time without time zone": "time",
	"time with time zone": "timetz",
});

const absent: ReadonlySet<string> = new Set([
	"xml",
	"money",
	"bit",
	"varbit",
	"bit varying",
	"inet",
	"cidr",
	"macaddr",
	"macaddr8",
	"point",
	"line",
	"lseg",
	"box",
	"path",
	"polygon",
	"circle",
	"tsvector",
	"tsquery",
	"int4range",
	"int8range",
	"numrange",
	"tsrange",
	"tstzrange",
	"daterange",
	"pg_lsn",
	"refcursor",
	"tid",
	"txid_snapshot",
	"pg_snapshot",
	"regcollation",
	"regdictionary",
]);

/** PostgreSQL's own name of a type that every database has. */
export const isBuiltinName = (name: string): boolean => byName.has(name);

/** PostgreSQL has it, Quorate has not: 0A000 instead of 42704. Names as for `typeByName`. */
export function unsupportedType(name: string): boolean {
	return absent.has(name);
}

/** By pg_type name or SQL alias, folded; "int4[]" and "_int4" are arrays. Throws 0A000 for PostgreSQL's types that do not exist here. */
export function typeByName(name: string): BuiltinType | undefined {
	const found = byName.get(name) ?? byName.get(aliases[name] ?? "");
	if (found !== undefined) {
		return found;
	}
	if (name.endsWith("[]")) {
		const element = typeByName(name.slice(0, -2).trimEnd());
		return element === undefined ? undefined : table.get(element.arrayOid);
	}
	if (absent.has(name)) {
		throw unsupported(`type "${name}" is not supported`, "Use text.");
	}
	return undefined;
}

/** A type that every database has, as written in SQL: "int4", "pg_catalog.int8", "character varying(10)", "integer[]". Modifiers are dropped. */
function builtinRegtype(text: string): number | undefined {
	const folded = text
		.trim()
		.replace(/^(?:pg_catalog|"pg_catalog")\./i, "")
		.replace(/\s*\([^)]*\)/, "")
		.replace(/\s+/g, " ");
	const name = /^"[^"]+"(?:\[\])?$/.test(folded)
		? folded.replaceAll('"', "")
		: folded.toLowerCase();
	return typeByName(name === "char" && !folded.startsWith('"') ? "bpchar" : name)?.oid;
}

/** As format_type(oid, modifier): int4, character varying(10), numeric(8,2)[] ... */
export function formatType(type: SqlType): string {
	if (type.domain !== undefined) return typeReference(type.domain);
	const found = lookup(type.oid);
	if (found === undefined) {
		return type.oid === 0 ? "-" : "???";
	}
	if (type.oid === OID.bpchar && type.modifier < 0) {
		return "character";
	}
	return type.modifier >= 0 && found.describe !== undefined
		? found.describe(type.modifier)
		: found.sqlName;
}

/** As what a value is cast to, to be read again: without a length `character` would be one of 1. */
export function castName(type: SqlType): string {
	if (type.domain === undefined && type.modifier < 0) {
		if (type.oid === OID.bpchar) return "bpchar";
		if (type.oid === OID.bpcharArray) return "bpchar[]";
	}
	return formatType(type);
}

/** Applies varchar(n), char(n), numeric(p,s): pads, rounds or throws 22001, 22003. `explicit`: a cast truncates silently. */
export function applyModifier(value: Datum, type: SqlType, explicit: boolean): Datum {
	if (type.modifier < 0 || value === null) {
		return value;
	}
	const modify = lookup(type.oid)?.modify;
	return modify === undefined ? value : modify(value, type.modifier, explicit);
}

/** What stands in parentheses after a type's name, as its type modifier (-1: nothing stood there). */
export function packModifier(oid: number, modifiers: readonly number[], at: number): number {
	if (modifiers.length === 0) {
		return -1;
	}
	const found = lookup(oid);
	if (found?.packModifier === undefined) {
		throw new DatabaseError(
			"42601",
			`type modifier is not allowed for type "${found?.sqlName ?? oid}"`,
			{ position: at + 1 },
		);
	}
	try {
		return found.packModifier(modifiers);
	} catch (error) {
		throw error instanceof DatabaseError
			? new DatabaseError(error.code, error.message, { ...error.fields, position: at + 1 })
			: error;
	}
}
