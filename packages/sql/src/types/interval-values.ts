/** Arithmetic of intervals: months, days and microseconds apart; a month compares as 30 days, a day as 24 hours. */
import { DatabaseError } from "@quorate/keys/database-error";
import { microsPerDay } from "./calendar.ts";
import type { Interval } from "./datum.ts";
import { int4Max, int4Min, int8Max, int8Min } from "./integer-types.ts";

export function intervalOutOfRange(): DatabaseError {
	return new DatabaseError("22008", "interval out of range");
}

export function interval(months: number, days: number, microseconds: bigint): Interval {
	if (
		months < int4Min ||
		months > int4Max ||
		days < int4Min ||
		days > int4Max ||
		microseconds < int8Min ||
		microseconds > int8Max
	) {
		throw intervalOutOfRange();
	}
	// -0 would be visible.
	return { kind: "interval", months: months + 0, days: days + 0, microseconds };
}

/** Microseconds, a month being 30 days. */
export function intervalSpan(i: Interval): bigint {
	return BigInt(i.months * 30 + i.days) * microsPerDay + i.microseconds;
}

export function compareIntervals(a: Interval, b: Interval): number {
	const left = intervalSpan(a);
	const right = intervalSpan(b);
	return left < right ? -1 : left > right ? 1 : 0;
}

export const addIntervals = (a: Interval, b: Interval): Interval =>
	interval(a.months + b.months, a.days + b.days, a.microseconds + b.microseconds);

export const negateInterval = (i: Interval): Interval =>
	interval(-i.months, -i.days, -i.microseconds);

/** Half to even, as rint. */
function rint(value: number): number {
	const rounded = Math.round(value);
	return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Fractions of months go down to days, fractions of days to time, as interval_mul. */
export const multiplyInterval = (i: Interval, factor: number): Interval =>
	scaleInterval(i, (n) => n * factor);

/** Not a multiplication by the reciprocal, which is rounded, or infinite. */
export const divideInterval = (i: Interval, divisor: number): Interval =>
	scaleInterval(i, (n) => n / divisor);

function scaleInterval(i: Interval, scaled: (n: number) => number): Interval {
	const months = scaled(i.months);
	const days = scaled(i.days);
	if (!Number.isFinite(months) || !Number.isFinite(days)) {
		throw intervalOutOfRange();
	}
	const wholeMonths = Math.trunc(months);
	let wholeDays = Math.trunc(days);
	const monthDays = roundMicroFraction((months - wholeMonths) * 30);
	let seconds = roundMicroFraction((days - wholeDays + monthDays - Math.trunc(monthDays)) * 86_400);
	if (Math.abs(seconds) >= 86_400) {
		const carry = Math.trunc(seconds / 86_400);
		wholeDays += carry;
		seconds -= carry * 86_400;
	}
	wholeDays += Math.trunc(monthDays);
	const micros = rint(scaled(Number(i.microseconds)) + seconds * 1_000_000);
	if (!Number.isFinite(micros)) {
		throw intervalOutOfRange();
	}
	return interval(wholeMonths, wholeDays, BigInt(micros));
}

/** Six decimals: hides the noise of binary fractions. */
const roundMicroFraction = (value: number): number => rint(value * 1_000_000) / 1_000_000;
