/** Set-returning functions. */
import { dimensionsOf, flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum, Interval } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { compareIntervals } from "../types/interval-values.ts";
import {
	compareNumeric,
	isNaNumeric,
	type Numeric,
	numericOne,
	numericSign,
} from "../types/numeric.ts";
import { add } from "../types/numeric-arithmetic.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, SetFunction } from "../types/registry.ts";
import { splitText } from "./array-functions.ts";
import { addToTimestamp, addToTimestamptz } from "./date-arithmetic.ts";
import { signature } from "./definition.ts";

type Rows = Iterable<readonly Datum[]>;

function set(
	text: string,
	body: (args: readonly Datum[], context: FunctionContext) => Rows,
	column?: string,
): SetFunction {
	const { name, args, result } = signature(text);
	return { name, args, columns: [{ name: column ?? name, oid: result }], call: body };
}

const zeroStep = (): Error => invalidParameter("step size cannot equal zero");

function* numbers(start: number, stop: number, step: number): Rows {
	if (step === 0) {
		throw zeroStep();
	}
	for (let i = start; step > 0 ? i <= stop : i >= stop; i += step) {
		yield [i];
	}
}

function* bigints(start: bigint, stop: bigint, step: bigint): Rows {
	if (step === 0n) {
		throw zeroStep();
	}
	for (let i = start; step > 0n ? i <= stop : i >= stop; i += step) {
		yield [i];
	}
}

function* numerics(start: Numeric, stop: Numeric, step: Numeric): Rows {
	for (const [value, name] of [
		[start, "start"],
		[stop, "stop"],
		[step, "step"],
	] as const) {
		if (value.special !== 0) {
			const what = name === "step" ? "step size" : `${name} value`;
			throw invalidParameter(`${what} cannot be ${isNaNumeric(value) ? "NaN" : "infinity"}`);
		}
	}
	const sign = numericSign(step);
	if (sign === 0) {
		throw zeroStep();
	}
	for (let i = start; compareNumeric(i, stop) * sign <= 0; i = add(i, step)) {
		yield [i];
	}
}

/** `next` adds the step; it may go either way. */
function* moments(start: bigint, stop: bigint, step: Interval, next: (t: bigint) => bigint): Rows {
	const direction = compareIntervals(step, zeroInterval);
	if (direction === 0) {
		throw zeroStep();
	}
	for (let t = start; direction > 0 ? t <= stop : t >= stop; t = next(t)) {
		yield [t];
	}
}
const zeroInterval: Interval = { kind: "interval", months: 0, days: 0, microseconds: 0n };

function* subscripts(array: ArrayValue, dimension: number, reverse: boolean): Rows {
	const bounds = dimensionsOf(array)[dimension - 1];
	for (let i = 0; i < (bounds?.size ?? 0); i++) {
		yield [(bounds?.lower ?? 1) + (reverse ? (bounds?.size ?? 0) - 1 - i : i)];
	}
}

function* each(items: readonly Datum[]): Rows {
	for (const item of items) {
		yield [item];
	}
}

/** Elements with their places, counted from 1. */
function* numbered(array: ArrayValue): Rows {
	for (const [i, element] of array.elements.entries()) yield [element, i + 1];
}

/** name=value */
function* splitOptions(options: ArrayValue): Rows {
	for (const option of flatten(options)) {
		const [name = "", ...rest] = String(option).split("=");
		yield [name, rest.length === 0 ? null : rest.join("=")];
	}
}

export const setFunctions: readonly SetFunction[] = [
	set("generate_series(int4, int4) -> int4", ([a, b]) => numbers(a as number, b as number, 1)),
	set("generate_series(int4, int4, int4) -> int4", ([a, b, s]) =>
		numbers(a as number, b as number, s as number),
	),
	set("generate_series(int8, int8) -> int8", ([a, b]) => bigints(a as bigint, b as bigint, 1n)),
	set("generate_series(int8, int8, int8) -> int8", ([a, b, s]) =>
		bigints(a as bigint, b as bigint, s as bigint),
	),
	set("generate_series(numeric, numeric) -> numeric", ([a, b]) =>
		numerics(a as Numeric, b as Numeric, numericOne),
	),
	set("generate_series(numeric, numeric, numeric) -> numeric", ([a, b, s]) =>
		numerics(a as Numeric, b as Numeric, s as Numeric),
	),
	set("generate_series(timestamp, timestamp, interval) -> timestamp", ([a, b, s]) =>
		moments(a as bigint, b as bigint, s as Interval, (t) => addToTimestamp(t, s as Interval)),
	),
	set("generate_series(timestamptz, timestamptz, interval) -> timestamptz", ([a, b, s], c) =>
		moments(a as bigint, b as bigint, s as Interval, (t) =>
			addToTimestamptz(t, s as Interval, c.timeZone),
		),
	),
	set("generate_subscripts(anyarray, int4) -> int4", ([array, dimension]) =>
		subscripts(array as ArrayValue, dimension as number, false),
	),
	set("generate_subscripts(anyarray, int4, bool) -> int4", ([array, dimension, reverse]) =>
		subscripts(array as ArrayValue, dimension as number, reverse as boolean),
	),
	...["text, text", "text, text, text"].map((args) =>
		set(`string_to_table(${args}) -> text`, ([text, separator, nullText]) =>
			each(splitText(text as string, separator as string, (nullText ?? null) as string | null)),
		),
	),
	set("unnest(anyarray) -> anyelement", ([array]) => each(flatten(array as ArrayValue))),
	{
		name: "pg_options_to_table",
		args: [OID.textArray],
		columns: [
			{ name: "option_name", oid: OID.text },
			{ name: "option_value", oid: OID.text },
		],
		call: ([options]) => splitOptions(options as ArrayValue),
	},
	{
		name: "information_schema._pg_expandarray",
		args: [OID.anyarray],
		columns: [
			{ name: "x", oid: OID.anyelement },
			{ name: "n", oid: OID.int4 },
		],
		call: ([array]) => numbered(array as ArrayValue),
	},
	set("pg_listening_channels() -> text", (_args, context) => each(context.listeningChannels())),
	// No table is a partition; psql's \d asks.
	set("pg_partition_ancestors(regclass) -> regclass", () => each([]), "relid"),
	{
		name: "pg_partition_tree",
		args: [OID.regclass],
		columns: [
			{ name: "relid", oid: OID.regclass },
			{ name: "parentrelid", oid: OID.regclass },
			{ name: "isleaf", oid: OID.bool },
			{ name: "level", oid: OID.int4 },
		],
		call: () => [],
	},
];
