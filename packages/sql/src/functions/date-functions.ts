/** Making and asking dates and times; the clock. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	civilFromDays,
	daysFromCivil,
	daysInMonth,
	epochOffset,
	isFiniteTimestamp,
	isValidDate,
	isValidTimestamp,
	joinTimestamp,
	microsPerDay,
	splitTimestamp,
	timestampInfinity,
	timestampNegativeInfinity,
} from "../types/calendar.ts";
import { fromLocal, instantIn, localIn, roundMicros, toLocal } from "../types/date-types.ts";
import type { Datum, Interval } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { formatInterval } from "../types/interval-text.ts";
import { interval } from "../types/interval-values.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { timeZone, zoneOfText } from "../types/time-zones.ts";
import { timeTz, timeTzAt } from "../types/timetz-type.ts";
import { asynchronous, contextual, pure, stable, volatile } from "./definition.ts";

function makeDate(year: number, month: number, day: number): number {
	const civil = year < 0 ? year + 1 : year;
	if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(civil, month)) {
		throw new DatabaseError(
			"22008",
			`date field value out of range: ${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`,
		);
	}
	const days = daysFromCivil(civil, month, day);
	if (!isValidDate(days)) {
		throw new DatabaseError("22008", `date out of range: ${year}-${month}-${day}`);
	}
	return days;
}

function makeTime(hour: number, minute: number, second: number): bigint {
	const micros = (hour * 60 + minute) * 60_000_000 + Math.round(second * 1_000_000);
	const valid =
		hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && second >= 0 && second <= 60;
	if (!valid || micros > Number(microsPerDay)) {
		throw new DatabaseError(
			"22008",
			`time field value out of range: ${hour}:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}`,
		);
	}
	return BigInt(micros);
}

export const makeTimestamp = (
	year: number,
	month: number,
	day: number,
	hour: number,
	minute: number,
	second: number,
): bigint => joinTimestamp(makeDate(year, month, day), 0) + makeTime(hour, minute, second);

/** Seconds since 1970. */
function fromUnixSeconds(seconds: number): bigint {
	if (Number.isNaN(seconds)) {
		throw new DatabaseError("22008", "timestamp cannot be NaN");
	}
	if (!Number.isFinite(seconds)) {
		return seconds > 0 ? timestampInfinity : timestampNegativeInfinity;
	}
	const whole = Math.floor(seconds);
	const micros = BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * 1_000_000));
	const t = micros - epochOffset;
	if (!isValidTimestamp(t)) {
		throw new DatabaseError("22008", `timestamp out of range: "${seconds}"`);
	}
	return t;
}

/** By what the zone is ahead of UTC, times `sign`. The infinities are the same in every zone, even in one that there is not. */
function shift(t: bigint, zone: Interval, sign: bigint): bigint {
	return isFiniteTimestamp(t) ? inRange(t + sign * BigInt(zoneSeconds(zone)) * 1_000_000n) : t;
}

function inRange(t: bigint): bigint {
	if (!isValidTimestamp(t)) {
		throw new DatabaseError("22008", "timestamp out of range");
	}
	return t;
}

export function zoneSeconds(i: Interval): number {
	if (i.months !== 0 || i.days !== 0) {
		throw invalidParameter(
			`interval time zone "${formatInterval(i)}" must not include months or days`,
		);
	}
	return Number(i.microseconds / 1_000_000n);
}

const zones: ScalarFunction[] = [
	pure("timezone(text, timestamptz) -> timestamp", (zone: string, t: bigint) =>
		isFiniteTimestamp(t) ? inRange(localIn(zoneOfText(zone), t)) : t,
	),
	pure("timezone(text, timestamp) -> timestamptz", (zone: string, t: bigint) =>
		isFiniteTimestamp(t) ? inRange(instantIn(zoneOfText(zone), t)) : t,
	),
	pure("timezone(interval, timestamptz) -> timestamp", (zone: Interval, t: bigint) =>
		shift(t, zone, 1n),
	),
	pure("timezone(interval, timestamp) -> timestamptz", (zone: Interval, t: bigint) =>
		shift(t, zone, -1n),
	),
];

const today = (context: FunctionContext): { days: number; micros: number } =>
	splitTimestamp(toLocal(context.transactionStart, context.timeZone));

/** A precision that SQL puts behind current_timestamp and its kin. */
function rounded(t: bigint, precision: Datum | undefined): bigint {
	if (precision === undefined) {
		return t;
	}
	if ((precision as number) < 0) {
		throw invalidParameter(`TIMESTAMP(${precision}) precision must not be negative`);
	}
	return roundMicros(t, precision as number);
}

const optionalPrecision = { volatility: "stable" as const, optional: 1 };

const clock: ScalarFunction[] = [
	...["now", "transaction_timestamp"].map((name) =>
		contextual(`${name}() -> timestamptz`, stable, (_args, c) => c.transactionStart),
	),
	contextual("statement_timestamp() -> timestamptz", stable, (_args, c) => c.statementStart),
	contextual("clock_timestamp() -> timestamptz", volatile, (_args, c) => c.clockNow()),
	contextual("current_timestamp(int4) -> timestamptz", optionalPrecision, (args, c) =>
		rounded(c.transactionStart, args[0]),
	),
	contextual("localtimestamp(int4) -> timestamp", optionalPrecision, (args, c) =>
		rounded(toLocal(c.transactionStart, c.timeZone), args[0]),
	),
	contextual("localtime(int4) -> time", optionalPrecision, (args, c) =>
		rounded(BigInt(today(c).micros), args[0]),
	),
	contextual("current_time(int4) -> timetz", optionalPrecision, (args, c) => {
		const { micros, offset } = timeTzAt(timeZone(c.timeZone), c.transactionStart);
		return timeTz(rounded(micros, args[0]), offset);
	}),
	contextual("current_date() -> date", stable, (_args, c) => today(c).days),
	asynchronous("pg_sleep(float8) -> void", async ([seconds], c) => {
		await c.sleep(Math.max((seconds as number) * 1000, 0));
		return "";
	}),
	asynchronous("pg_sleep_for(interval) -> void", async ([i], c) => {
		const { months, days, microseconds } = i as Interval;
		await c.sleep((months * 30 + days) * 86_400_000 + Number(microseconds) / 1000);
		return "";
	}),
];

const finite: ScalarFunction[] = [
	pure("isfinite(date) -> bool", Number.isFinite),
	pure("isfinite(timestamp) -> bool", isFiniteTimestamp),
	pure("isfinite(timestamptz) -> bool", isFiniteTimestamp),
	pure("isfinite(interval) -> bool", () => true),
];

function justifyHours(i: Interval): Interval {
	const days = i.microseconds / microsPerDay;
	return balance(i.months, i.days + Number(days), i.microseconds - days * microsPerDay);
}

/** Days and time get the same sign. */
function balance(months: number, days: number, micros: bigint): Interval {
	if (days > 0 && micros < 0n) {
		return interval(months, days - 1, micros + microsPerDay);
	}
	if (days < 0 && micros > 0n) {
		return interval(months, days + 1, micros - microsPerDay);
	}
	return interval(months, days, micros);
}

function justifyDays(i: Interval): Interval {
	const months = Math.trunc(i.days / 30);
	let total = i.months + months;
	let days = i.days - months * 30;
	if (total > 0 && days < 0) {
		days += 30;
		total--;
	} else if (total < 0 && days > 0) {
		days -= 30;
		total++;
	}
	return interval(total, days, i.microseconds);
}

/** Months, days and time get the same sign. */
function justify(i: Interval): Interval {
	const wholeDays = i.microseconds / microsPerDay;
	const micros = i.microseconds - wholeDays * microsPerDay;
	const total = i.days + Number(wholeDays);
	let months = i.months + Math.trunc(total / 30);
	let days = total % 30;
	if (months > 0 && (days < 0 || (days === 0 && micros < 0n))) {
		days += 30;
		months--;
	} else if (months < 0 && (days > 0 || (days === 0 && micros > 0n))) {
		days -= 30;
		months++;
	}
	return balance(months, days, micros);
}

/** Whole years, months, days and the rest between two local times. */
function age(a: bigint, b: bigint): Interval {
	if (!isFiniteTimestamp(a) || !isFiniteTimestamp(b)) {
		throw new DatabaseError("22008", "cannot subtract infinite timestamps");
	}
	const [late, early, sign] = a >= b ? [a, b, 1] : [b, a, -1];
	const end = splitTimestamp(late);
	const start = splitTimestamp(early);
	const to = civilFromDays(end.days);
	const from = civilFromDays(start.days);
	let micros = end.micros - start.micros;
	let days = to.day - from.day;
	let months = (to.year - from.year) * 12 + to.month - from.month;
	if (micros < 0) {
		micros += Number(microsPerDay);
		days--;
	}
	if (days < 0) {
		days += daysInMonth(from.year, from.month);
		months--;
	}
	return interval(sign * months, sign * days, BigInt(sign * micros));
}

const ages: ScalarFunction[] = [
	pure("age(timestamp, timestamp) -> interval", age),
	contextual("age(timestamptz, timestamptz) -> interval", stable, ([a, b], c) =>
		age(toLocal(a as bigint, c.timeZone), toLocal(b as bigint, c.timeZone)),
	),
	contextual("age(timestamp) -> interval", stable, ([t], c) =>
		age(joinTimestamp(today(c).days, 0), t as bigint),
	),
	contextual("age(timestamptz) -> interval", stable, ([t], c) =>
		age(joinTimestamp(today(c).days, 0), toLocal(t as bigint, c.timeZone)),
	),
];

export const dateFunctions: readonly ScalarFunction[] = [
	...zones,
	...clock,
	...finite,
	...ages,
	pure("make_date(int4, int4, int4) -> date", makeDate),
	pure("make_time(int4, int4, float8) -> time", makeTime),
	pure("make_timestamp(int4, int4, int4, int4, int4, float8) -> timestamp", makeTimestamp),
	contextual(
		"make_timestamptz(int4, int4, int4, int4, int4, float8) -> timestamptz",
		stable,
		(args, c) =>
			fromLocal((makeTimestamp as (...a: readonly Datum[]) => bigint)(...args), c.timeZone),
	),
	pure("to_timestamp(float8) -> timestamptz", fromUnixSeconds),
	pure("justify_hours(interval) -> interval", justifyHours),
	pure("justify_days(interval) -> interval", justifyDays),
	pure("justify_interval(interval) -> interval", justify),
];
