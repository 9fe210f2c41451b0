/** extract, date_part, date_trunc. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import {
	civilFromDays,
	dayOfWeek,
	daysFromCivil,
	epochOffset,
	isFiniteTimestamp,
	isoWeek,
	joinTimestamp,
	microsPerDay,
	splitTimestamp,
} from "../types/calendar.ts";
import { unixSeconds } from "../types/date-format.ts";
import { instantIn, localIn, toLocal } from "../types/date-types.ts";
import type { Datum, Interval, TimeTz } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { unitName } from "../types/interval-text.ts";
import { interval } from "../types/interval-values.ts";
import {
	type Numeric,
	numeric,
	numericFromNumber,
	numericInfinity,
	numericNegativeInfinity,
	numericToFloat,
} from "../types/numeric.ts";
import { add, divide } from "../types/numeric-arithmetic.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { type TimeZone, timeZone, zoneOfText } from "../types/time-zones.ts";
import { atUtc } from "../types/timetz-type.ts";
import { contextual, pure, stable } from "./definition.ts";

/** Units that only extract knows. */
const extractUnits: ReadonlySet<string> = new Set([
	"epoch",
	"dow",
	"isodow",
	"doy",
	"isoyear",
	"week",
	"julian",
	"timezone",
	"timezone_hour",
	"timezone_minute",
]);

function unitOf(text: string, typeName: string): string {
	const folded = text.toLowerCase();
	const aliases: Record<string, string> = dictionary({
		j: "julian",
		jd: "julian",
		m: "minute",
		tz: "timezone",
	});
	const unit = extractUnits.has(folded) ? folded : (aliases[folded] ?? unitName(folded));
	if (unit === undefined) {
		throw notRecognized(text, typeName);
	}
	return unit;
}

const notRecognized = (unit: string, typeName: string): DatabaseError =>
	invalidParameter(`unit "${unit}" not recognized for type ${typeName}`);

const notSupported = (unit: string, typeName: string): DatabaseError =>
	new DatabaseError("0A000", `unit "${unit}" not supported for type ${typeName}`);

const integer = (value: number): Numeric => numericFromNumber(value + 0);

/** Fields of a time of day; undefined for what is none. `micros` may be negative in an interval. */
function timeField(unit: string, micros: bigint): Numeric | undefined {
	switch (unit) {
		case "microsecond":
			return numeric(micros % 60_000_000n, 0);
		case "millisecond":
			return numeric(micros % 60_000_000n, 3);
		case "second":
			return numeric(micros % 60_000_000n, 6);
		case "minute":
			return numeric((micros / 60_000_000n) % 60n, 0);
		case "hour":
			return numeric(micros / 3_600_000_000n, 0);
		default:
			return undefined;
	}
}

/** 1 BC is year 0 here and -1 to the user; centuries and millennia have no 0 either. */
function eras(year: number, size: number): number {
	return year > 0 ? Math.floor((year + size - 1) / size) : -Math.floor((size - year) / size);
}

function yearField(unit: string, year: number): Numeric | undefined {
	switch (unit) {
		case "year":
			return integer(year > 0 ? year : year - 1);
		case "decade":
			return integer(Math.floor(year / 10));
		case "century":
			return integer(eras(year, 100));
		case "millennium":
			return integer(eras(year, 1000));
		default:
			return undefined;
	}
}

function dateField(unit: string, days: number): Numeric | undefined {
	const { year, month, day } = civilFromDays(days);
	switch (unit) {
		case "day":
			return integer(day);
		case "month":
			return integer(month);
		case "quarter":
			return integer(Math.floor((month - 1) / 3) + 1);
		case "week":
			return integer(isoWeek(days).week);
		case "isoyear": {
			const isoYear = isoWeek(days).year;
			return integer(isoYear > 0 ? isoYear : isoYear - 1);
		}
		case "dow":
			return integer(dayOfWeek(days));
		case "isodow":
			return integer(dayOfWeek(days) || 7);
		case "doy":
			return integer(days - daysFromCivil(year, 1, 1) + 1);
		case "julian":
			return integer(days + 2_451_545);
		default:
			return yearField(unit, year);
	}
}

const monotonic: ReadonlySet<string> = new Set([
	"year",
	"decade",
	"century",
	"millennium",
	"julian",
	"isoyear",
	"epoch",
]);

/** Of an infinity: itself for what grows without end, else NULL. */
function ofInfinity(unit: string, positive: boolean): Numeric | null {
	return monotonic.has(unit) ? (positive ? numericInfinity : numericNegativeInfinity) : null;
}

function extractDate(unitText: string, days: number): Numeric | null {
	const unit = unitOf(unitText, "date");
	if (!Number.isFinite(days)) {
		return ofInfinity(unit, days > 0);
	}
	if (unit === "epoch") {
		return numeric(BigInt(days + 10_957) * 86_400n, 0);
	}
	const field = dateField(unit, days);
	if (field === undefined) {
		throw notSupported(unitText, "date");
	}
	return field;
}

function extractTimestamp(unitText: string, t: bigint): Numeric | null {
	const name = "timestamp without time zone";
	const unit = unitOf(unitText, name);
	if (!isFiniteTimestamp(t)) {
		return ofInfinity(unit, t > 0n);
	}
	const field = localField(unit, t) ?? (unit === "epoch" ? numeric(t + epochOffset, 6) : undefined);
	if (field === undefined) {
		throw notSupported(unitText, name);
	}
	return field;
}

function localField(unit: string, t: bigint): Numeric | undefined {
	const { days, micros } = splitTimestamp(t);
	if (unit === "julian") {
		const fraction = divide(numeric(BigInt(micros), 0), numeric(microsPerDay, 0));
		return add(integer(days + 2_451_545), fraction);
	}
	return timeField(unit, BigInt(micros)) ?? dateField(unit, days);
}

/** timezone, timezone_hour, timezone_minute. `offset`: seconds east of UTC. */
function zoneField(unit: string, offset: number): Numeric {
	if (unit === "timezone") return integer(offset);
	return integer(Math.trunc(unit === "timezone_hour" ? offset / 3600 : (offset % 3600) / 60));
}

function extractTimestamptz(unitText: string, t: bigint, zone: string): Numeric | null {
	const name = "timestamp with time zone";
	const unit = unitOf(unitText, name);
	if (!isFiniteTimestamp(t)) {
		return ofInfinity(unit, t > 0n);
	}
	if (unit === "epoch") {
		return numeric(t + epochOffset, 6);
	}
	if (unit.startsWith("timezone")) {
		const offset = timeZone(zone).offsetAt(unixSeconds(t));
		return zoneField(unit, offset);
	}
	const field = localField(unit, toLocal(t, zone));
	if (field === undefined) {
		throw notSupported(unitText, name);
	}
	return field;
}

function extractTime(unitText: string, t: bigint): Numeric {
	const name = "time without time zone";
	const unit = unitOf(unitText, name);
	const field = unit === "epoch" ? numeric(t, 6) : timeField(unit, t);
	if (field === undefined) {
		throw notSupported(unitText, name);
	}
	return field;
}

function extractTimetz(unitText: string, time: TimeTz): Numeric {
	const name = "time with time zone";
	const unit = unitOf(unitText, name);
	if (unit === "epoch") return numeric(atUtc(time), 6);
	const field = unit.startsWith("timezone")
		? zoneField(unit, time.offset)
		: timeField(unit, time.micros);
	if (field === undefined) {
		throw notSupported(unitText, name);
	}
	return field;
}

function extractInterval(unitText: string, i: Interval): Numeric {
	const unit = unitOf(unitText, "interval");
	const years = Math.trunc(i.months / 12);
	const time = timeField(unit, i.microseconds);
	if (time !== undefined) {
		return time;
	}
	switch (unit) {
		case "day":
			return integer(i.days);
		case "month":
			return integer(i.months % 12);
		case "quarter":
			return integer(Math.trunc((i.months % 12) / 3) + 1);
		case "year":
			return integer(years);
		case "decade":
			return integer(Math.trunc(years / 10));
		case "century":
			return integer(Math.trunc(years / 100));
		case "millennium":
			return integer(Math.trunc(years / 1000));
		case "epoch": {
			// A year is 365.25 days, a month of its rest 30.
			const quarterDays = BigInt(years * 1461 + (i.months % 12) * 120 + i.days * 4);
			return numeric(quarterDays * (microsPerDay / 4n) + i.microseconds, 6);
		}
		default:
			throw notSupported(unitText, "interval");
	}
}

type Field = (unit: string, value: never, context: FunctionContext) => Numeric | null;

const sources: readonly (readonly [type: string, field: Field, stable: boolean])[] = [
	["date", extractDate as Field, false],
	["time", extractTime as Field, false],
	["timetz", extractTimetz as Field, false],
	["timestamp", extractTimestamp as Field, false],
	["interval", extractInterval as Field, false],
	[
		"timestamptz",
		((unit: string, t: bigint, c: FunctionContext) =>
			extractTimestamptz(unit, t, c.timeZone)) as Field,
		true,
	],
];

function extraction([type, field, isStable]: (typeof sources)[number]): ScalarFunction[] {
	const options = { volatility: isStable ? ("stable" as const) : ("immutable" as const) };
	const call = (args: readonly Datum[], context: FunctionContext): Numeric | null =>
		field(args[0] as string, args[1] as never, context);
	return [
		contextual(`extract(text, ${type}) -> numeric`, options, call),
		contextual(`date_part(text, ${type}) -> float8`, options, (args, context) => {
			const value = call(args, context);
			return value === null ? null : numericToFloat(value);
		}),
	];
}

const steps: Readonly<Record<string, number>> = dictionary({
	year: 1,
	decade: 10,
	century: 100,
	millennium: 1000,
});

/** First year of the unit that `year` is in; centuries and millennia begin with year 1. */
function truncateYear(unit: string, year: number): number {
	const size = steps[unit] as number;
	if (size <= 10) {
		return Math.floor(year / size) * size;
	}
	return Math.floor((year - 1) / size) * size + 1;
}

const timeSteps: Readonly<Record<string, bigint>> = dictionary({
	microsecond: 1n,
	millisecond: 1000n,
	second: 1_000_000n,
	minute: 60_000_000n,
	hour: 3_600_000_000n,
	day: microsPerDay,
});

export function truncateTimestamp(unitText: string, t: bigint, typeName: string): bigint {
	if (!isFiniteTimestamp(t)) {
		return t;
	}
	const unit = unitOf(unitText, typeName);
	if (extractUnits.has(unit) && unit !== "week" && !unit.startsWith("timezone")) {
		throw notRecognized(unitText, typeName);
	}
	if (
		!(
			unit in timeSteps ||
			unit in steps ||
			unit === "week" ||
			unit === "month" ||
			unit === "quarter"
		)
	) {
		throw notSupported(unitText, typeName);
	}
	const { days, micros } = splitTimestamp(t);
	const step = timeSteps[unit];
	if (step !== undefined) {
		return joinTimestamp(days, 0) + (BigInt(micros) / step) * step;
	}
	const { year, month } = civilFromDays(days);
	switch (unit) {
		case "week":
			return joinTimestamp(days - ((dayOfWeek(days) + 6) % 7), 0);
		case "month":
			return joinTimestamp(daysFromCivil(year, month, 1), 0);
		case "quarter":
			return joinTimestamp(daysFromCivil(year, Math.floor((month - 1) / 3) * 3 + 1, 1), 0);
		default:
			return joinTimestamp(daysFromCivil(truncateYear(unit, year), 1, 1), 0);
	}
}

function truncateZoned(unit: string, t: bigint, zone: TimeZone): bigint {
	return instantIn(zone, truncateTimestamp(unit, localIn(zone, t), "timestamp with time zone"));
}

function truncateInterval(unitText: string, i: Interval): Interval {
	const unit = unitOf(unitText, "interval");
	const step = timeSteps[unit];
	if (step !== undefined) {
		return unit === "day"
			? interval(i.months, i.days, 0n)
			: interval(i.months, i.days, (i.microseconds / step) * step);
	}
	const months = unit === "month" ? 1 : unit === "quarter" ? 3 : (steps[unit] ?? 0) * 12;
	if (months === 0) {
		throw notSupported(unitText, "interval");
	}
	return interval(Math.trunc(i.months / months) * months, 0, 0n);
}

export const dateExtraction: readonly ScalarFunction[] = [
	...sources.flatMap(extraction),
	pure("date_trunc(text, timestamp) -> timestamp", (unit: string, t: bigint) =>
		truncateTimestamp(unit, t, "timestamp without time zone"),
	),
	contextual("date_trunc(text, timestamptz) -> timestamptz", stable, ([unit, t], context) =>
		truncateZoned(unit as string, t as bigint, timeZone(context.timeZone)),
	),
	contextual("date_trunc(text, timestamptz, text) -> timestamptz", stable, ([unit, t, zone]) =>
		isFiniteTimestamp(t as bigint)
			? truncateZoned(unit as string, t as bigint, zoneOfText(zone as string))
			: (t as bigint),
	),
	pure("date_trunc(text, interval) -> interval", truncateInterval),
];
