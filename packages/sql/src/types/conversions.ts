/** What conversions between types compute, named as the pairs they serve. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	isFiniteTimestamp,
	isValidTimestamp,
	joinTimestamp,
	microsPerDay,
	splitTimestamp,
	timestampInfinity,
	timestampNegativeInfinity,
} from "./calendar.ts";
import { fromLocal, toLocal } from "./date-types.ts";
import type { Interval } from "./datum.ts";
import { outOfRange } from "./errors.ts";
import { int2Max, int2Min, int4Max, int4Min, int8Max, int8Min } from "./integer-types.ts";
import { interval } from "./interval-values.ts";
import {
	formatNumeric,
	isNaNumeric,
	type Numeric,
	numericToBigint,
	numericToFloat,
} from "./numeric.ts";
import type { TypeContext } from "./registry.ts";

export function toInt2(value: number): number {
	if (value < int2Min || value > int2Max) {
		throw outOfRange("smallint");
	}
	return value;
}

export function toInt4(value: number): number {
	if (value < int4Min || value > int4Max) {
		throw outOfRange("integer");
	}
	return value;
}

export function toInt8(value: bigint): bigint {
	if (value < int8Min || value > int8Max) {
		throw outOfRange("bigint");
	}
	return value;
}

export function bigintToNumber(value: bigint, min: number, max: number, name: string): number {
	const number = Number(value);
	if (number < min || number > max) {
		throw outOfRange(name);
	}
	return number;
}

/** Half to even. */
export function rint(value: number): number {
	const rounded = Math.round(value);
	const even = Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
	return even + 0;
}

export function floatToNumber(value: number, min: number, max: number, name: string): number {
	const rounded = rint(value);
	if (!(rounded >= min && rounded <= max)) {
		throw outOfRange(name);
	}
	return rounded;
}

export function floatToBigint(value: number): bigint {
	const rounded = rint(value);
	// 2^63 itself is out, and exactly representable.
	if (!(rounded >= -(2 ** 63) && rounded < 2 ** 63)) {
		throw outOfRange("bigint");
	}
	return BigInt(rounded);
}

export function floatToFloat4(value: number): number {
	const narrow = Math.fround(value);
	if (!Number.isFinite(narrow) && Number.isFinite(value)) {
		throw new DatabaseError("22003", "value out of range: overflow");
	}
	if (narrow === 0 && value !== 0) {
		throw new DatabaseError("22003", "value out of range: underflow");
	}
	return narrow;
}

export function numericToInteger(n: Numeric, name: string, min: bigint, max: bigint): bigint {
	const whole = numericToBigint(n);
	if (whole === undefined) {
		throw new DatabaseError(
			"0A000",
			`cannot convert ${isNaNumeric(n) ? "NaN" : "infinity"} to ${name}`,
		);
	}
	if (whole < min || whole > max) {
		throw outOfRange(name);
	}
	return whole;
}

export function numericToFloat4(n: Numeric): number {
	const value = numericToFloat(n);
	const narrow = Math.fround(value);
	if (!Number.isFinite(narrow) && n.special === 0) {
		throw new DatabaseError("22003", `"${formatNumeric(n)}" is out of range for type real`);
	}
	return narrow;
}

export function numericToFloat8(n: Numeric): number {
	const value = numericToFloat(n);
	if (!Number.isFinite(value) && n.special === 0) {
		throw new DatabaseError("22003", "value out of range: overflow");
	}
	return value;
}

export function dateToTimestamp(days: number): bigint {
	if (!Number.isFinite(days)) {
		return days > 0 ? timestampInfinity : timestampNegativeInfinity;
	}
	const t = joinTimestamp(days, 0);
	if (!isValidTimestamp(t)) {
		throw new DatabaseError("22008", "date out of range for timestamp");
	}
	return t;
}

export function dateToTimestamptz(days: number, context: TypeContext): bigint {
	return fromLocal(dateToTimestamp(days), context.timeZone);
}

export function timestampToDate(t: bigint): number {
	if (!isFiniteTimestamp(t)) {
		return t > 0n ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
	}
	return splitTimestamp(t).days;
}

export const timestamptzToDate = (t: bigint, context: TypeContext): number =>
	timestampToDate(toLocal(t, context.timeZone));

/** NULL for the infinities. */
export function timestampToTime(t: bigint): bigint | null {
	return isFiniteTimestamp(t) ? BigInt(splitTimestamp(t).micros) : null;
}

export const timeToInterval = (t: bigint): Interval => interval(0, 0, t);

export function intervalToTime(i: Interval): bigint {
	const micros = i.microseconds % microsPerDay;
	return micros < 0n ? micros + microsPerDay : micros;
}
