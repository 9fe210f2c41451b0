/** Spans of time: whether they overlap, in which bin a moment is, and intervals made of numbers. */
import { DatabaseError } from "@quorate/keys/database-error";
import { isFiniteTimestamp, isValidTimestamp, microsPerDay } from "../types/calendar.ts";
import { instantIn, outOfRange } from "../types/date-types.ts";
import type { Datum, Interval } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { int4Max, int4Min, int8Max } from "../types/integer-types.ts";
import { interval } from "../types/interval-values.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { zoneOfText } from "../types/time-zones.ts";
import { addToTimestamp, addToTimestamptz } from "./date-arithmetic.ts";
import { makeTimestamp } from "./date-functions.ts";
import { contextual, nullable, pure } from "./definition.ts";

/** The start of the stretch of that length, counted from `origin`, in which it is. */
function bin(stride: Interval, moment: bigint, origin: bigint): bigint {
	if (!isFiniteTimestamp(moment)) return moment;
	if (!isFiniteTimestamp(origin)) throw new DatabaseError("22008", "origin out of range");
	if (stride.months !== 0) {
		throw new DatabaseError(
			"0A000",
			"timestamps cannot be binned into intervals containing months or years",
		);
	}
	const length = BigInt(stride.days) * microsPerDay + stride.microseconds;
	if (length <= 0n) throw new DatabaseError("22008", "stride must be greater than zero");
	const behind = (((moment - origin) % length) + length) % length;
	const start = moment - behind;
	if (!isValidTimestamp(start)) throw outOfRange("timestamp");
	return start;
}

type Span = readonly [from: bigint | null, to: bigint | null];

/** The earlier end first; of one that is not known, the other. */
function ordered([from, to]: Span): Span {
	if (from === null) return [to, null];
	return to !== null && from > to ? [to, from] : [from, to];
}

/** NULL where what is not known would decide. */
function overlap(a: Span, b: Span): boolean | null {
	const [left, right] = [ordered(a), ordered(b)];
	if (left[0] === null || right[0] === null) return null;
	if (left[0] === right[0]) return left[1] === null || right[1] === null ? null : true;
	const [first, second] = left[0] < right[0] ? [left, right] : [right, left];
	if (first[1] === null) return null;
	if (second[0]! < first[1]) return true;
	return second[1] === null ? null : false;
}

type Plus = (t: bigint, i: Interval, context: FunctionContext) => bigint;

/** A time of day stays one. */
const addToTime: Plus = (t, { microseconds }) =>
	(((t + microseconds) % microsPerDay) + microsPerDay) % microsPerDay;

function overlapsOf(
	type: string,
	plus: Plus,
	volatility: "immutable" | "stable",
): ScalarFunction[] {
	const end = (start: Datum, given: Datum, isLength: boolean, context: FunctionContext): Datum => {
		if (!isLength || start === null || given === null) return isLength ? null : given;
		return plus(start as bigint, given as Interval, context);
	};
	return [type, "interval"].flatMap((left) =>
		[type, "interval"].map((right) =>
			contextual(
				`overlaps(${type}, ${left}, ${type}, ${right}) -> bool`,
				{ ...nullable, volatility },
				([a = null, b = null, c = null, d = null], context) =>
					overlap(
						[a, end(a, b, left === "interval", context)] as Span,
						[c, end(c, d, right === "interval", context)] as Span,
					),
			),
		),
	);
}

const spans: readonly ScalarFunction[] = [
	...overlapsOf("timestamp", addToTimestamp, "immutable"),
	...overlapsOf("timestamptz", (t, i, { timeZone }) => addToTimestamptz(t, i, timeZone), "stable"),
	...overlapsOf("time", addToTime, "immutable"),
];

const tooLong = (): DatabaseError => new DatabaseError("22008", "interval out of range");

/** Each of them may be left out from the end. */
function makeInterval(args: readonly Datum[]): Interval {
	const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] =
		args as readonly number[];
	const [allMonths, allDays] = [years * 12 + months, weeks * 7 + days];
	const micros = Math.round(seconds * 1_000_000);
	const isInside = (value: number): boolean => value >= int4Min && value <= int4Max;
	if (!Number.isFinite(micros) || !isInside(allMonths) || !isInside(allDays)) {
		throw tooLong();
	}
	const time = BigInt(hours) * 3_600_000_000n + BigInt(minutes) * 60_000_000n + BigInt(micros);
	if (time > int8Max || time < -int8Max) throw tooLong();
	return interval(allMonths, allDays, time);
}

/** A number is how far the zone is east of UTC, other than in SET TIME ZONE. */
function inZone(zone: string, local: bigint): bigint {
	const [, sign, hours, minutes = "0"] = /^([+-])(\d{1,2})(?::?(\d{2}))?$/.exec(zone) ?? [];
	if (sign !== undefined) {
		const seconds = Number(hours) * 3600 + Number(minutes) * 60;
		return local - BigInt(sign === "-" ? -seconds : seconds) * 1_000_000n;
	}
	if (/^\d/.test(zone)) {
		throw invalidParameter(`invalid input syntax for type numeric time zone: "${zone}"`, {
			hint: 'Numeric time zones must have "-" or "+" as first character.',
		});
	}
	return instantIn(zoneOfText(zone), local);
}

export const dateSpans: readonly ScalarFunction[] = [
	...spans,
	pure("date_bin(interval, timestamp, timestamp) -> timestamp", bin),
	pure("date_bin(interval, timestamptz, timestamptz) -> timestamptz", bin),
	contextual(
		"make_interval(int4, int4, int4, int4, int4, int4, float8) -> interval",
		{ volatility: "immutable", optional: 7 },
		makeInterval,
	),
	contextual(
		"make_timestamptz(int4, int4, int4, int4, int4, float8, text) -> timestamptz",
		{ volatility: "stable" },
		(args) => {
			const local = (makeTimestamp as (...a: readonly Datum[]) => bigint)(...args.slice(0, 6));
			return inZone(args[6] as string, local);
		},
	),
];
