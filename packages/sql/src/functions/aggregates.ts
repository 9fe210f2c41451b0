/** Aggregates. DISTINCT, ORDER BY and FILTER inside them are the executor's; so is skipping NULLs for strict ones. */

import { DatabaseError } from "@quorate/keys/database-error";
import { arrayOf, dimensionsOf, isArray } from "../types/array-values.ts";
import { toInt8 } from "../types/conversions.ts";
import type { Datum, Interval, SqlType } from "../types/datum.ts";
import { compareSortKeys } from "../types/enum-types.ts";
import { addIntervals, divideInterval } from "../types/interval-values.ts";
import {
	type Numeric,
	numericFromBigint,
	numericFromNumber,
	numericZero,
} from "../types/numeric.ts";
import { add, divide } from "../types/numeric-arithmetic.ts";
import type { AggregateFunction } from "../types/registry.ts";
import { builtinType, typeByName } from "../types/type-table.ts";
import { signature } from "./definition.ts";
import { regressionAggregates } from "./regression.ts";
import { statisticsAggregates } from "./statistics.ts";

type Accumulator = ReturnType<AggregateFunction["create"]>;

export function aggregate(
	text: string,
	create: (argTypes: readonly SqlType[]) => Accumulator,
	strict = true,
): AggregateFunction {
	const { name, args, result } = signature(text);
	return { name, args, result, create, strict };
}

/** Folds one argument; NULL without rows. */
export function fold<S extends Datum>(
	step: (state: S | null, value: never) => S,
	finish: (state: S) => Datum = (state) => state,
): () => Accumulator {
	const apply = step as (state: S | null, value: Datum) => S;
	return () => {
		let state: S | null = null;
		return {
			step(args) {
				state = apply(state, args[0] as Datum);
			},
			result: () => (state === null ? null : finish(state)),
		};
	};
}

/** A mean over a sum that `step` keeps, and the number of rows. */
function mean<S>(
	zero: S,
	step: (sum: S, value: never) => S,
	finish: (sum: S, count: number) => Datum,
): () => Accumulator {
	const apply = step as (sum: S, value: Datum) => S;
	return () => {
		let sum = zero;
		let count = 0;
		return {
			step(args) {
				sum = apply(sum, args[0] as Datum);
				count++;
			},
			result: () => (count === 0 ? null : finish(sum, count)),
		};
	};
}

function counter(): Accumulator {
	let count = 0;
	return {
		step() {
			count++;
		},
		result: () => BigInt(count),
	};
}

/** Numbers are added as numbers while the sum is exact. */
function integerSum(): Accumulator {
	let small = 0;
	let large = 0n;
	let rows = 0;
	return {
		step(args) {
			small += args[0] as number;
			rows++;
			if (small > 2 ** 52 || small < -(2 ** 52)) {
				large += BigInt(small);
				small = 0;
			}
		},
		result: () => (rows === 0 ? null : toInt8(large + BigInt(small))),
	};
}

/** A sum of finite numbers is finite. */
function checked(a: number, b: number, sum: number): number {
	if (!Number.isFinite(sum) && Number.isFinite(a) && Number.isFinite(b)) {
		throw new DatabaseError("22003", "value out of range: overflow");
	}
	return sum;
}

const quotient = (sum: Numeric, count: number): Datum => divide(sum, numericFromNumber(count));
const bigQuotient = (sum: bigint, count: number): Datum => quotient(numericFromBigint(sum), count);

const sums: AggregateFunction[] = [
	aggregate("count() -> int8", counter, false),
	aggregate("count(any) -> int8", counter),
	aggregate("sum(int2) -> int8", integerSum),
	aggregate("sum(int4) -> int8", integerSum),
	aggregate("sum(int8) -> numeric", () => {
		let sum: bigint | undefined;
		return {
			step(args) {
				sum = (sum ?? 0n) + (args[0] as bigint);
			},
			result: () => (sum === undefined ? null : numericFromBigint(sum)),
		};
	}),
	aggregate(
		"sum(numeric) -> numeric",
		fold<Numeric>((sum, n: Numeric) => (sum === null ? n : add(sum, n))),
	),
	aggregate(
		"sum(float4) -> float4",
		fold<number>((sum, n: number) => checked(sum ?? 0, n, Math.fround((sum ?? 0) + n))),
	),
	aggregate(
		"sum(float8) -> float8",
		fold<number>((sum, n: number) => checked(sum ?? 0, n, (sum ?? 0) + n)),
	),
	aggregate(
		"sum(interval) -> interval",
		fold<Interval>((sum, i: Interval) => (sum === null ? i : addIntervals(sum, i))),
	),
	aggregate(
		"avg(int2) -> numeric",
		mean<bigint>(0n, (sum, n: number) => sum + BigInt(n), bigQuotient),
	),
	aggregate(
		"avg(int4) -> numeric",
		mean<bigint>(0n, (sum, n: number) => sum + BigInt(n), bigQuotient),
	),
	aggregate(
		"avg(int8) -> numeric",
		mean<bigint>(0n, (sum, n: bigint) => sum + n, bigQuotient),
	),
	aggregate(
		"avg(numeric) -> numeric",
		mean(numericZero, (sum, n: Numeric) => add(sum, n), quotient),
	),
	aggregate(
		"avg(float4) -> float8",
		mean<number>(
			0,
			(sum, n: number) => checked(sum, n, sum + n),
			(sum, count) => sum / count,
		),
	),
	aggregate(
		"avg(float8) -> float8",
		mean<number>(
			0,
			(sum, n: number) => checked(sum, n, sum + n),
			(sum, count) => sum / count,
		),
	),
	aggregate(
		"avg(interval) -> interval",
		mean<Interval>(
			{ kind: "interval", months: 0, days: 0, microseconds: 0n },
			(sum, i: Interval) => addIntervals(sum, i),
			divideInterval,
		),
	),
];

const ordered = [
	"int2",
	"int4",
	"int8",
	"oid",
	"float4",
	"float8",
	"numeric",
	"text",
	"bpchar",
	"date",
	"time",
	"timetz",
	"timestamp",
	"timestamptz",
	"interval",
];

type Compare = (a: Datum, b: Datum) => number;

/** Of equal values PostgreSQL keeps the later, but for char(n) the earlier. */
function extreme(compare: Compare, sign: 1 | -1, keepsEarlier: boolean): () => Accumulator {
	return fold<Datum>((best, value) => {
		const order = best === null ? 1 : compare(value, best) * sign;
		return order > 0 || (order === 0 && !keepsEarlier) ? value : (best as Datum);
	});
}

const extremes: AggregateFunction[] = ordered.flatMap((name) => {
	const compare = typeByName(name)?.compare as Compare;
	return [
		aggregate(`min(${name}) -> ${name}`, extreme(compare, -1, name === "bpchar")),
		aggregate(`max(${name}) -> ${name}`, extreme(compare, 1, name === "bpchar")),
	];
});

const enumExtremes: AggregateFunction[] = [
	aggregate("min(anyenum) -> anyenum", extreme(compareSortKeys, -1, false)),
	aggregate("max(anyenum) -> anyenum", extreme(compareSortKeys, 1, false)),
];

function arrayExtreme(sign: 1 | -1): (types: readonly SqlType[]) => Accumulator {
	return (types) => extreme(builtinType(types[0]?.oid ?? 0)?.compare as Compare, sign, false)();
}

const booleans: AggregateFunction[] = [
	aggregate(
		"bool_and(bool) -> bool",
		fold<boolean>((all, v: boolean) => all !== false && v),
	),
	aggregate(
		"every(bool) -> bool",
		fold<boolean>((all, v: boolean) => all !== false && v),
	),
	aggregate(
		"bool_or(bool) -> bool",
		fold<boolean>((some, v: boolean) => some === true || v),
	),
];

const bits: AggregateFunction[] = [
	...["int2", "int4"].flatMap((type) => [
		aggregate(
			`bit_and(${type}) -> ${type}`,
			fold<number>((all, v: number) => (all ?? -1) & v),
		),
		aggregate(
			`bit_or(${type}) -> ${type}`,
			fold<number>((some, v: number) => (some ?? 0) | v),
		),
		aggregate(
			`bit_xor(${type}) -> ${type}`,
			fold<number>((odd, v: number) => (odd ?? 0) ^ v),
		),
	]),
	aggregate(
		"bit_and(int8) -> int8",
		fold<bigint>((all, v: bigint) => (all ?? -1n) & v),
	),
	aggregate(
		"bit_or(int8) -> int8",
		fold<bigint>((some, v: bigint) => (some ?? 0n) | v),
	),
	aggregate(
		"bit_xor(int8) -> int8",
		fold<bigint>((odd, v: bigint) => (odd ?? 0n) ^ v),
	),
];

/** The separator stands before every value but the first; NULL separators are nothing. */
function stringAggregate(): Accumulator {
	let parts: string[] | undefined;
	return {
		step([value, separator]) {
			if (value === null || value === undefined) {
				return;
			}
			if (parts === undefined) {
				parts = [value as string];
			} else {
				parts.push((separator ?? "") as string, value as string);
			}
		},
		result: () => parts?.join("") ?? null,
	};
}

function bytesAggregate(): Accumulator {
	let parts: Uint8Array[] | undefined;
	return {
		step([value, separator]) {
			if (value === null || value === undefined) {
				return;
			}
			if (parts === undefined) {
				parts = [value as Uint8Array];
			} else {
				parts.push((separator ?? new Uint8Array(0)) as Uint8Array, value as Uint8Array);
			}
		},
		result: () => (parts === undefined ? null : Buffer.concat(parts)),
	};
}

function arrayAggregate(): Accumulator {
	let elements: Datum[] | undefined;
	return {
		step(args) {
			elements ??= [];
			elements.push(args[0] as Datum);
		},
		// A copy: a window asks again when more has come.
		result: () => (elements === undefined ? null : arrayOf([...elements])),
	};
}

/** Arrays of one shape make an array of one dimension more. */
function arrayOfArrays(): Accumulator {
	const inner = arrayAggregate();
	let first: string | undefined;
	const refused = (message: string): DatabaseError => new DatabaseError("2202E", message);
	return {
		step(args, context) {
			const [array] = args;
			if (array === null) {
				throw new DatabaseError("22004", "cannot accumulate null arrays");
			}
			if (!isArray(array)) {
				return;
			}
			const dimensions = dimensionsOf(array);
			if (dimensions.length === 0) {
				throw refused("cannot accumulate empty arrays");
			}
			const shape = dimensions.map(({ size, lower }) => `${lower}:${size}`).join();
			first ??= shape;
			if (shape !== first) {
				throw refused("cannot accumulate arrays of different dimensionality");
			}
			inner.step(args, context);
		},
		result: () => inner.result(),
	};
}

export const aggregateFunctions: readonly AggregateFunction[] = [
	...sums,
	...extremes,
	...enumExtremes,
	...booleans,
	...bits,
	...statisticsAggregates,
	...regressionAggregates,
	aggregate("min(anyarray) -> anyarray", arrayExtreme(-1)),
	aggregate("max(anyarray) -> anyarray", arrayExtreme(1)),
	{ ...aggregate("string_agg(text, text) -> text", stringAggregate, false), keeps: true },
	{ ...aggregate("string_agg(bytea, bytea) -> bytea", bytesAggregate, false), keeps: true },
	{ ...aggregate("array_agg(anynonarray) -> anyarray", arrayAggregate, false), keeps: true },
	{ ...aggregate("array_agg(anyarray) -> anyarray", arrayOfArrays, false), keeps: true },
];
