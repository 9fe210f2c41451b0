/**
 * The pg_cast matrix. What is not listed: a type and itself (a length coercion only), any type to a string type (assignment,
 * by text), a string type to any type (explicit, by text), arrays by their elements.
 */
import type { DatabaseError } from "@quorate/keys/database-error";
import { vectorOids } from "./array-types.ts";
import { mapArray } from "./array-values.ts";
import type { BuiltinType } from "./builtin-type.ts";
import { isFiniteTimestamp } from "./calendar.ts";
import * as convert from "./conversions.ts";
import { fromLocal, toLocal } from "./date-types.ts";
import type { ArrayValue, Datum, Interval, SqlType, TimeTz } from "./datum.ts";
import { invalidParameter, outOfRange } from "./errors.ts";
import { int2Max, int2Min, int4Max, int4Min, int8Max, int8Min } from "./integer-types.ts";
import { isJsonNumber, type Json, type JsonbValue, jsonTypeName } from "./json-value.ts";
import { isRow } from "./made-oids.ts";
import { type Numeric, numericFromBigint, numericFromFloat, numericFromNumber } from "./numeric.ts";
import { OID } from "./oids.ts";
import type { CastDefinition, TypeContext } from "./registry.ts";
import { typedRow } from "./row-types.ts";
import { charFromText, truncateName } from "./text-types.ts";
import { trimBlanks } from "./text-values.ts";
import { timeZone } from "./time-zones.ts";
import { timeTzAt, zoned } from "./timetz-type.ts";
import { builtinType } from "./type-table.ts";

type Apply = (value: never, context: TypeContext) => Datum;
type Context = CastDefinition["context"];

const same = (value: Datum): Datum => value;
const toBigint = (value: number): bigint => BigInt(value);
const fromNumber = (value: number): Numeric => numericFromNumber(value);
const int4Of = (v: bigint): number => convert.bigintToNumber(v, int4Min, int4Max, "integer");
/** What a number in a jsonb becomes. Throws 22023 for what is none. */
const numberOf =
	(name: string, then: (n: Numeric) => Datum) =>
	({ root }: JsonbValue): Datum => {
		if (!isJsonNumber(root)) throw jsonbCast(root, name);
		return then(root);
	};
function jsonbCast(root: Json, name: string): DatabaseError {
	return invalidParameter(
		`cannot cast jsonb ${isJsonNumber(root) ? "numeric" : jsonTypeName(root)} to type ${name}`,
	);
}
const oidOf = (v: bigint): number => {
	if (v < 0n || v > 0xffff_ffffn) {
		throw outOfRange("OID");
	}
	return Number(v);
};

type Row = readonly [from: number, to: number, context: Context, apply: Apply];
const [implicit, assignment, explicit] = ["implicit", "assignment", "explicit"] as const;

const numbers: readonly Row[] = [
	[OID.xid8, OID.xid, explicit, (v: bigint) => Number(v & 0xffff_ffffn)],
	[OID.int2, OID.int4, implicit, same],
	[OID.int2, OID.int8, implicit, toBigint],
	[OID.int2, OID.float4, implicit, same],
	[OID.int2, OID.float8, implicit, same],
	[OID.int2, OID.numeric, implicit, fromNumber],
	[OID.int4, OID.int2, assignment, convert.toInt2],
	[OID.int4, OID.int8, implicit, toBigint],
	[OID.int4, OID.float4, implicit, Math.fround],
	[OID.int4, OID.float8, implicit, same],
	[OID.int4, OID.numeric, implicit, fromNumber],
	[OID.int4, OID.bool, explicit, (v: number) => v !== 0],
	[
		OID.int8,
		OID.int2,
		assignment,
		(v: bigint) => convert.bigintToNumber(v, int2Min, int2Max, "smallint"),
	],
	[OID.int8, OID.int4, assignment, int4Of],
	[OID.int8, OID.float4, implicit, (v: bigint) => Math.fround(Number(v))],
	[OID.int8, OID.float8, implicit, (v: bigint) => Number(v)],
	[OID.int8, OID.numeric, implicit, numericFromBigint],
	[
		OID.float4,
		OID.int2,
		assignment,
		(v: number) => convert.floatToNumber(v, int2Min, int2Max, "smallint"),
	],
	[
		OID.float4,
		OID.int4,
		assignment,
		(v: number) => convert.floatToNumber(v, int4Min, int4Max, "integer"),
	],
	[OID.float4, OID.int8, assignment, convert.floatToBigint],
	[OID.float4, OID.float8, implicit, same],
	[OID.float4, OID.numeric, assignment, (v: number) => numericFromFloat(v, 6)],
	[
		OID.float8,
		OID.int2,
		assignment,
		(v: number) => convert.floatToNumber(v, int2Min, int2Max, "smallint"),
	],
	[
		OID.float8,
		OID.int4,
		assignment,
		(v: number) => convert.floatToNumber(v, int4Min, int4Max, "integer"),
	],
	[OID.float8, OID.int8, assignment, convert.floatToBigint],
	[OID.float8, OID.float4, assignment, convert.floatToFloat4],
	[OID.float8, OID.numeric, assignment, (v: number) => numericFromFloat(v, 15)],
	[
		OID.numeric,
		OID.int2,
		assignment,
		(n: Numeric) =>
			Number(convert.numericToInteger(n, "smallint", BigInt(int2Min), BigInt(int2Max))),
	],
	[
		OID.numeric,
		OID.int4,
		assignment,
		(n: Numeric) =>
			Number(convert.numericToInteger(n, "integer", BigInt(int4Min), BigInt(int4Max))),
	],
	[
		OID.numeric,
		OID.int8,
		assignment,
		(n: Numeric) => convert.numericToInteger(n, "bigint", int8Min, int8Max),
	],
	[OID.numeric, OID.float4, implicit, convert.numericToFloat4],
	[OID.numeric, OID.float8, implicit, convert.numericToFloat8],
	[OID.bool, OID.int4, explicit, (v: boolean) => (v ? 1 : 0)],
];

const integerOf = (name: string, min: bigint, max: bigint) => (n: Numeric) =>
	Number(convert.numericToInteger(n, name, min, max));

const jsonRows: readonly Row[] = [
	[
		OID.jsonb,
		OID.bool,
		explicit,
		({ root }: JsonbValue) => {
			if (typeof root !== "boolean") throw jsonbCast(root, "boolean");
			return root;
		},
	],
	[OID.jsonb, OID.numeric, explicit, numberOf("numeric", same)],
	[
		OID.jsonb,
		OID.int2,
		explicit,
		numberOf("smallint", integerOf("smallint", BigInt(int2Min), BigInt(int2Max))),
	],
	[
		OID.jsonb,
		OID.int4,
		explicit,
		numberOf("integer", integerOf("integer", BigInt(int4Min), BigInt(int4Max))),
	],
	[
		OID.jsonb,
		OID.int8,
		explicit,
		numberOf("bigint", (n) => convert.numericToInteger(n, "bigint", int8Min, int8Max)),
	],
	[OID.jsonb, OID.float4, explicit, numberOf("real", convert.numericToFloat4)],
	[OID.jsonb, OID.float8, explicit, numberOf("double precision", convert.numericToFloat8)],
];

const boolText = (v: boolean): string => (v ? "true" : "false");
const charCode = (v: string): number => ((v.charCodeAt(0) || 0) << 24) >> 24;

function charFromCode(v: number): string {
	if (v < -128 || v > 127) {
		throw outOfRange('"char"');
	}
	return v === 0 ? "" : String.fromCharCode(v & 0xff);
}

const texts: readonly Row[] = [
	[OID.bool, OID.text, assignment, boolText],
	[OID.bool, OID.varchar, assignment, boolText],
	[OID.bool, OID.bpchar, assignment, boolText],
	[OID.char, OID.text, implicit, same],
	[OID.char, OID.varchar, assignment, same],
	[OID.char, OID.bpchar, assignment, same],
	[OID.char, OID.int4, explicit, charCode],
	[OID.int4, OID.char, explicit, charFromCode],
	[OID.name, OID.text, implicit, same],
	[OID.name, OID.varchar, assignment, same],
	[OID.name, OID.bpchar, assignment, same],
	[OID.text, OID.char, assignment, charFromText],
	[OID.text, OID.name, implicit, truncateName],
	[OID.text, OID.bpchar, implicit, same],
	[OID.text, OID.varchar, implicit, same],
	[OID.bpchar, OID.char, assignment, charFromText],
	[OID.bpchar, OID.name, implicit, (v: string) => truncateName(trimBlanks(v))],
	[OID.bpchar, OID.text, implicit, trimBlanks],
	[OID.bpchar, OID.varchar, implicit, trimBlanks],
	[OID.varchar, OID.char, assignment, charFromText],
	[OID.varchar, OID.name, implicit, truncateName],
	[OID.varchar, OID.text, implicit, same],
	[OID.varchar, OID.bpchar, implicit, same],
	[OID.nodeTree, OID.text, implicit, same],
];

const dates: readonly Row[] = [
	[OID.date, OID.timestamp, implicit, convert.dateToTimestamp],
	[OID.date, OID.timestamptz, implicit, convert.dateToTimestamptz],
	[OID.time, OID.interval, implicit, convert.timeToInterval],
	[OID.time, OID.timetz, implicit, zoned],
	[OID.timetz, OID.time, assignment, (t: TimeTz) => t.micros],
	[
		OID.timestamptz,
		OID.timetz,
		assignment,
		(t: bigint, c) => (isFiniteTimestamp(t) ? timeTzAt(timeZone(c.timeZone), t) : null),
	],
	[OID.timestamp, OID.date, assignment, convert.timestampToDate],
	[OID.timestamp, OID.time, assignment, convert.timestampToTime],
	[OID.timestamp, OID.timestamptz, implicit, (t: bigint, c) => fromLocal(t, c.timeZone)],
	[OID.timestamptz, OID.date, assignment, convert.timestamptzToDate],
	[
		OID.timestamptz,
		OID.time,
		assignment,
		(t: bigint, c) => convert.timestampToTime(toLocal(t, c.timeZone)),
	],
	[OID.timestamptz, OID.timestamp, assignment, (t: bigint, c) => toLocal(t, c.timeZone)],
	[OID.interval, OID.time, assignment, (i: Interval) => convert.intervalToTime(i)],
];

/** Every reg type and oid convert into each other's numbers. */
const registered = [
	OID.regproc,
	OID.regprocedure,
	OID.regclass,
	OID.regtype,
	OID.regnamespace,
	OID.regrole,
	OID.regoper,
	OID.regoperator,
	OID.regconfig,
];

function oidRows(): Row[] {
	const rows: Row[] = [
		[OID.regproc, OID.regprocedure, implicit, same],
		[OID.regprocedure, OID.regproc, implicit, same],
		[OID.regoper, OID.regoperator, implicit, same],
		[OID.regoperator, OID.regoper, implicit, same],
	];
	for (const type of [OID.oid, ...registered]) {
		rows.push(
			[OID.int2, type, implicit, (v: number) => v >>> 0],
			[OID.int4, type, implicit, (v: number) => v >>> 0],
			[OID.int8, type, implicit, oidOf],
			[type, OID.int4, assignment, (v: number) => v | 0],
			[type, OID.int8, assignment, toBigint],
		);
		if (type !== OID.oid) {
			rows.push([OID.oid, type, implicit, same], [type, OID.oid, implicit, same]);
		}
	}
	return rows;
}

function define(
	context: Context,
	apply: CastDefinition["apply"],
	binaryCoercible = false,
): CastDefinition {
	return { context, apply, binaryCoercible };
}

const keyOf = (from: number, to: number): number => from * 0x1_0000 + to;

const matrix = new Map<number, CastDefinition | undefined>();
for (const [from, to, context, apply] of [
	...numbers,
	...texts,
	...dates,
	...jsonRows,
	...oidRows(),
]) {
	const call = apply as (value: Datum, context: TypeContext) => Datum;
	matrix.set(
		keyOf(from, to),
		define(context, (value, _target, c) => call(value, c), apply === same),
	);
}
for (const from of [OID.text, OID.varchar]) {
	matrix.set(keyOf(from, OID.regclass), define(implicit, byText(from, OID.regclass)));
}
matrix.set(keyOf(OID.json, OID.jsonb), define(assignment, byText(OID.json, OID.jsonb)));
matrix.set(keyOf(OID.jsonb, OID.json), define(assignment, byText(OID.jsonb, OID.json)));
matrix.set(keyOf(OID.int2vector, OID.int2Array), define(implicit, same, true));
matrix.set(keyOf(OID.oidvector, OID.oidArray), define(implicit, same, true));

/** Output of one type, input of the other. */
function byText(from: number, to: number): CastDefinition["apply"] {
	const source = builtinType(from) as BuiltinType;
	const target = builtinType(to) as BuiltinType;
	return (value, _target, context) => target.parse(source.format(value, context), -1, context);
}

const identity = define(implicit, same, true);

export function findCast(from: number, to: number): CastDefinition | undefined {
	if (from === to) {
		return identity;
	}
	// Types that somebody has made are many, and their numbers no halves of a key.
	const isKept = from < 0x1_0000 && to < 0x1_0000;
	const key = keyOf(from, to);
	if (isKept && matrix.has(key)) {
		return matrix.get(key);
	}
	const derived = derive(from, to);
	// Only pairs of known types are kept: the OIDs come from clients.
	if (isKept && builtinType(from) !== undefined && builtinType(to) !== undefined) {
		matrix.set(key, derived);
	}
	return derived;
}

function derive(from: number, to: number): CastDefinition | undefined {
	const source = builtinType(from);
	const target = builtinType(to);
	if (isRow(from) && to === OID.record) {
		return define(implicit, (value, _target, context) => typedRow(value, from, context));
	}
	if (source === undefined || target === undefined) return undefined;
	if (target.category === "P" && !(isRow(source.elementOid) && to === OID.recordArray)) {
		return undefined;
	}
	if (from === OID.unknown) {
		return define(implicit, (value, _t, context) => target.parse(value as string, -1, context));
	}
	const isRecord = from === OID.record || from === OID.recordArray;
	if (to === OID.unknown || (source.category === "P" && !isRecord)) {
		return undefined;
	}
	if (isRow(source.elementOid) && to === OID.recordArray) return elementwise(source, target);
	if (source.category === "A" && target.category === "A" && !vectorOids.has(to)) {
		return elementwise(source, target);
	}
	if (target.category === "S") {
		return define(assignment, byText(from, to));
	}
	return source.category === "S" ? define(explicit, byText(from, to)) : undefined;
}

function elementwise(source: BuiltinType, target: BuiltinType): CastDefinition | undefined {
	const element = findCast(source.elementOid, target.elementOid);
	if (element === undefined) {
		return undefined;
	}
	const elementType: SqlType = { oid: target.elementOid, modifier: -1 };
	return define(
		element.context,
		element.binaryCoercible
			? same
			: (value, _target, context) =>
					mapArray(value as ArrayValue, (item) =>
						item === null ? null : element.apply(item, elementType, context),
					),
		element.binaryCoercible,
	);
}
