/** = <> < <= > >= of every type that has an order, and of the pairs of types that compare without a cast. */

import { compareArrays } from "../types/array-values.ts";
import { microsPerDay, timestampEnd, timestampInfinity } from "../types/calendar.ts";
import { dateToTimestamp } from "../types/conversions.ts";
import { fromLocal } from "../types/date-types.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import { compareSortKeys } from "../types/enum-types.ts";
import { OID } from "../types/oids.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { builtinType, typeByName } from "../types/type-table.ts";
import { contextual, pure, stable } from "./definition.ts";

type Compare = (a: Datum, b: Datum) => number;

const tests: readonly (readonly [string, (compare: Compare) => (a: Datum, b: Datum) => boolean])[] =
	[
		["=", (compare) => (a, b) => compare(a, b) === 0],
		["<>", (compare) => (a, b) => compare(a, b) !== 0],
		["<", (compare) => (a, b) => compare(a, b) < 0],
		["<=", (compare) => (a, b) => compare(a, b) <= 0],
		[">", (compare) => (a, b) => compare(a, b) > 0],
		[">=", (compare) => (a, b) => compare(a, b) >= 0],
	];

/** Where JavaScript's own operators are the order: numbers and bigints, also mixed. */
type Plain = number | bigint;
const native: readonly (readonly [string, (a: Plain, b: Plain) => boolean])[] = [
	// == compares a number and a bigint by value.
	// biome-ignore lint/suspicious/noDoubleEquals: by value across number and bigint
	["=", (a, b) => a == b],
	// biome-ignore lint/suspicious/noDoubleEquals: by value across number and bigint
	["<>", (a, b) => a != b],
	["<", (a, b) => a < b],
	["<=", (a, b) => a <= b],
	[">", (a, b) => a > b],
	[">=", (a, b) => a >= b],
];

const nativePairs: readonly (readonly [string, string])[] = [
	["int2", "int2"],
	["int2", "int4"],
	["int2", "int8"],
	["int4", "int2"],
	["int4", "int4"],
	["int4", "int8"],
	["int8", "int2"],
	["int8", "int4"],
	["int8", "int8"],
	["oid", "oid"],
	["date", "date"],
	["time", "time"],
	["timestamp", "timestamp"],
	["timestamptz", "timestamptz"],
];

function nativeComparisons(): ScalarFunction[] {
	return nativePairs.flatMap(([left, right]) =>
		native.map(([operator, test]) => pure(`${operator}(${left}, ${right}) -> bool`, test)),
	);
}

const ordered: readonly string[] = [
	"bool",
	"text",
	"bpchar",
	"name",
	"char",
	"bytea",
	"uuid",
	"float4",
	"float8",
	"numeric",
	"interval",
	"oidvector",
	"xid8",
];

/** Pairs that differ in type and compare as the first or second of them does. */
const mixed: readonly (readonly [string, string, string])[] = [
	["float4", "float8", "float8"],
	["float8", "float4", "float8"],
	["name", "text", "text"],
	["text", "name", "text"],
];

function comparisons(left: string, right: string, like: string): ScalarFunction[] {
	const compare = typeByName(like)?.compare as Compare;
	return tests.map(([operator, make]) =>
		pure(`${operator}(${left}, ${right}) -> bool`, make(compare)),
	);
}

/** A day after all timestamps is later than each of them, and not infinite. */
function midnight(days: number): bigint {
	const isBeyond = Number.isFinite(days) && BigInt(days) * microsPerDay >= timestampEnd;
	return isBeyond ? timestampInfinity - 1n : dateToTimestamp(days);
}

/** date and timestamp compare at midnight; both with timestamptz in the session's zone. */
function dateComparisons(): ScalarFunction[] {
	const out: ScalarFunction[] = [];
	const compare: Compare = (a, b) =>
		(a as bigint) < (b as bigint) ? -1 : (a as bigint) > (b as bigint) ? 1 : 0;
	const local = (value: Datum, type: string): bigint =>
		type === "date" ? midnight(value as number) : (value as bigint);
	for (const [left, right] of [
		["date", "timestamp"],
		["timestamp", "date"],
	] as const) {
		for (const [operator, make] of tests) {
			const test = make((a, b) => compare(local(a, left), local(b, right)));
			out.push(pure(`${operator}(${left}, ${right}) -> bool`, test));
		}
	}
	for (const other of ["date", "timestamp"]) {
		for (const [operator, make] of tests) {
			const test = make(compare);
			out.push(
				contextual(`${operator}(${other}, timestamptz) -> bool`, stable, ([a, b], c) =>
					test(fromLocal(local(a as Datum, other), c.timeZone), b as Datum),
				),
				contextual(`${operator}(timestamptz, ${other}) -> bool`, stable, ([a, b], c) =>
					test(a as Datum, fromLocal(local(b as Datum, other), c.timeZone)),
				),
			);
		}
	}
	return out;
}

function arrayComparisons(): ScalarFunction[] {
	return tests.map(([operator, make]) =>
		contextual(
			`${operator}(anyarray, anyarray) -> bool`,
			{ volatility: "immutable" },
			(args, _c, types) => {
				const element = builtinType(builtinType(types[0]?.oid ?? 0)?.elementOid ?? 0);
				const test = make((a, b) =>
					compareArrays(a as ArrayValue, b as ArrayValue, element?.compare as Compare),
				);
				return test(args[0] as Datum, args[1] as Datum);
			},
		),
	);
}

const enumComparisons = (): ScalarFunction[] =>
	tests.map(([operator, make]) =>
		pure(`${operator}(anyenum, anyenum) -> bool`, make(compareSortKeys)),
	);

/** The operators of text_pattern_ops: byte order, which is collation C's order anyway. */
function patternComparisons(): ScalarFunction[] {
	return ["text", "bpchar"].flatMap((type) => {
		const compare = typeByName(type)?.compare as Compare;
		return tests
			.filter(([operator]) => operator !== "=" && operator !== "<>")
			.map(([operator, make]) => pure(`~${operator}~(${type}, ${type}) -> bool`, make(compare)));
	});
}

function recordComparisons(): ScalarFunction[] {
	const compare = builtinType(OID.record)?.compare as Compare;
	return tests.map(([operator, make]) =>
		pure(`${operator}(record, record) -> bool`, make(compare)),
	);
}

export const comparisonFunctions: readonly ScalarFunction[] = [
	...nativeComparisons(),
	...ordered.flatMap((name) => comparisons(name, name, name)),
	...mixed.flatMap(([left, right, like]) => comparisons(left, right, like)),
	...dateComparisons(),
	...arrayComparisons(),
	...recordComparisons(),
	...enumComparisons(),
	...patternComparisons(),
	pure("=(xid, xid) -> bool", (a: number, b: number) => a === b),
	pure("<>(xid, xid) -> bool", (a: number, b: number) => a !== b),
	pure("=(xid, int4) -> bool", (a: number, b: number) => a === b >>> 0),
	pure("<>(xid, int4) -> bool", (a: number, b: number) => a !== b >>> 0),
	pure("=(cid, cid) -> bool", (a: number, b: number) => a === b),
];
