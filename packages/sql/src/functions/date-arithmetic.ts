/** Sums and differences of dates, times, timestamps and intervals. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	civilFromDays,
	daysFromCivil,
	daysInMonth,
	isFiniteTimestamp,
	isValidDate,
	isValidTimestamp,
	joinTimestamp,
	microsPerDay,
	splitTimestamp,
} from "../types/calendar.ts";
import { dateToTimestamp } from "../types/conversions.ts";
import { fromLocal, outOfRange, toLocal } from "../types/date-types.ts";
import type { Datum, Interval } from "../types/datum.ts";
import { divisionByZero } from "../types/errors.ts";
import {
	addIntervals,
	divideInterval,
	interval,
	multiplyInterval,
	negateInterval,
} from "../types/interval-values.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { contextual, pure, stable } from "./definition.ts";

function checkedTimestamp(t: bigint): bigint {
	if (!isValidTimestamp(t)) {
		throw outOfRange("timestamp");
	}
	return t;
}

/** Months first (the day is cut to the month's length), then days, then time. */
function addMonthsAndDays(t: bigint, i: Interval): bigint {
	if (i.months === 0 && i.days === 0) {
		return t;
	}
	const { days, micros } = splitTimestamp(t);
	let moved = days;
	if (i.months !== 0) {
		const { year, month, day } = civilFromDays(days);
		const total = year * 12 + month - 1 + i.months;
		const newYear = Math.floor(total / 12);
		const newMonth = total - newYear * 12 + 1;
		moved = daysFromCivil(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)));
	}
	return joinTimestamp(moved + i.days, micros);
}

export function addToTimestamp(t: bigint, i: Interval): bigint {
	return isFiniteTimestamp(t) ? checkedTimestamp(addMonthsAndDays(t, i) + i.microseconds) : t;
}

/** Days and months are those of the zone's calendar, the time is elapsed time. */
export function addToTimestamptz(t: bigint, i: Interval, zone: string): bigint {
	if (!isFiniteTimestamp(t)) {
		return t;
	}
	const moved =
		i.months === 0 && i.days === 0
			? t
			: fromLocal(checkedTimestamp(addMonthsAndDays(toLocal(t, zone), i)), zone);
	return checkedTimestamp(moved + i.microseconds);
}

function difference(a: bigint, b: bigint): Interval {
	if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b)) {
		throw new DatabaseError("22008", "cannot subtract infinite timestamps");
	}
	const micros = a - b;
	const days = micros / microsPerDay;
	return interval(0, Number(days), micros - days * microsPerDay);
}

function addDays(days: number, count: number): number {
	if (!Number.isFinite(days)) {
		return days;
	}
	if (!isValidDate(days + count)) {
		throw outOfRange("date");
	}
	return days + count;
}

function daysBetween(a: number, b: number): number {
	if (!Number.isFinite(a) || !Number.isFinite(b)) {
		throw new DatabaseError("22008", "cannot subtract infinite dates");
	}
	return a - b;
}

const ofDay = (micros: bigint): bigint => {
	const rest = micros % microsPerDay;
	return rest < 0n ? rest + microsPerDay : rest;
};

const addToTime = (t: bigint, i: Interval): bigint => ofDay(t + i.microseconds);
const addToDate = (days: number, i: Interval): bigint => addToTimestamp(dateToTimestamp(days), i);
const subtractFrom = (t: bigint, i: Interval): bigint => addToTimestamp(t, negateInterval(i));

function withTime(days: number, time: bigint): bigint {
	const t = dateToTimestamp(days);
	return isFiniteTimestamp(t) ? checkedTimestamp(t + time) : t;
}

function divided(i: Interval, divisor: number): Interval {
	if (divisor === 0) {
		throw divisionByZero();
	}
	return divideInterval(i, divisor);
}

type Args = readonly Datum[];
const addZoned = (args: Args, c: FunctionContext): bigint =>
	addToTimestamptz(args[0] as bigint, args[1] as Interval, c.timeZone);
const addZonedSwapped = (args: Args, c: FunctionContext): bigint =>
	addToTimestamptz(args[1] as bigint, args[0] as Interval, c.timeZone);
const subtractZoned = (args: Args, c: FunctionContext): bigint =>
	addToTimestamptz(args[0] as bigint, negateInterval(args[1] as Interval), c.timeZone);

export const dateArithmetic: readonly ScalarFunction[] = [
	pure("+(date, int4) -> date", addDays),
	pure("+(int4, date) -> date", (count: number, days: number) => addDays(days, count)),
	pure("-(date, int4) -> date", (days: number, count: number) => addDays(days, -count)),
	pure("-(date, date) -> int4", daysBetween),
	pure("+(date, interval) -> timestamp", addToDate),
	pure("+(interval, date) -> timestamp", (i: Interval, days: number) => addToDate(days, i)),
	pure("-(date, interval) -> timestamp", (days: number, i: Interval) =>
		addToDate(days, negateInterval(i)),
	),
	pure("+(date, time) -> timestamp", withTime),
	pure("+(time, date) -> timestamp", (time: bigint, days: number) => withTime(days, time)),
	pure("+(time, interval) -> time", addToTime),
	pure("+(interval, time) -> time", (i: Interval, t: bigint) => addToTime(t, i)),
	pure("-(time, interval) -> time", (t: bigint, i: Interval) => ofDay(t - i.microseconds)),
	pure("-(time, time) -> interval", (a: bigint, b: bigint) => interval(0, 0, a - b)),
	pure("+(timestamp, interval) -> timestamp", addToTimestamp),
	pure("+(interval, timestamp) -> timestamp", (i: Interval, t: bigint) => addToTimestamp(t, i)),
	pure("-(timestamp, interval) -> timestamp", subtractFrom),
	pure("-(timestamp, timestamp) -> interval", difference),
	contextual("+(timestamptz, interval) -> timestamptz", stable, addZoned),
	contextual("+(interval, timestamptz) -> timestamptz", stable, addZonedSwapped),
	contextual("-(timestamptz, interval) -> timestamptz", stable, subtractZoned),
	pure("-(timestamptz, timestamptz) -> interval", difference),
	pure("+(interval, interval) -> interval", addIntervals),
	pure("-(interval, interval) -> interval", (a: Interval, b: Interval) =>
		interval(a.months - b.months, a.days - b.days, a.microseconds - b.microseconds),
	),
	pure("-(interval) -> interval", negateInterval),
	pure("*(interval, float8) -> interval", multiplyInterval),
	pure("*(float8, interval) -> interval", (factor: number, i: Interval) =>
		multiplyInterval(i, factor),
	),
	pure("/(interval, float8) -> interval", divided),
];
