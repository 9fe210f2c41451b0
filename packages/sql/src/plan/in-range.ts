/**
 * RANGE with an offset: whether a value lies within the offset of another (PostgreSQL's in_range support functions). Which pairs
 * of types there are, and what their sum is.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { addToTimestamp, addToTimestamptz } from "../functions/date-arithmetic.ts";
import { dateToTimestamp } from "../types/conversions.ts";
import type { Datum, Interval } from "../types/datum.ts";
import {
	addIntervals,
	compareIntervals,
	interval,
	negateInterval,
} from "../types/interval-values.ts";
import { compareNumeric, isNaNumeric, type Numeric, numericZero } from "../types/numeric.ts";
import { add, subtract } from "../types/numeric-arithmetic.ts";
import { OID } from "../types/oids.ts";
import { findCast, formatType, type TypeContext } from "../types/registry.ts";
import type { Binder } from "./binder.ts";
import { type Bound, plainType, unknownOid } from "./bound.ts";
import { coerce, resolutionType } from "./coerce.ts";

/** -1, 0 or 1: `value` below, at or above `base` less (`sub`) or plus the offset. */
export type InRange = (
	value: Datum,
	base: Datum,
	offset: Datum,
	sub: boolean,
	context: TypeContext,
) => number;

const invalidSize = (): DatabaseError =>
	new DatabaseError("22013", "invalid preceding or following size in window function");

function integers(value: Datum, base: Datum, offset: Datum, sub: boolean): number {
	const distance = BigInt(offset as number | bigint);
	if (distance < 0n) throw invalidSize();
	const from = BigInt(base as number | bigint);
	const sum = sub ? from - distance : from + distance;
	const at = BigInt(value as number | bigint);
	return at < sum ? -1 : at > sum ? 1 : 0;
}

/** NaN is above all, and equal to itself; infinities are as far from themselves as one likes. */
function floats(value: Datum, base: Datum, offset: Datum, sub: boolean): number {
	const [at, from, distance] = [value as number, base as number, offset as number];
	if (Number.isNaN(distance) || distance < 0) throw invalidSize();
	if (Number.isNaN(at)) return Number.isNaN(from) ? 0 : 1;
	if (Number.isNaN(from)) return -1;
	const sum = sub ? from - distance : from + distance;
	// An infinity less itself: everything is within reach.
	if (Number.isNaN(sum)) return 0;
	return at < sum ? -1 : at > sum ? 1 : 0;
}

const compareBigint = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function numerics(value: Datum, base: Datum, offset: Datum, sub: boolean): number {
	const [at, from, distance] = [value as Numeric, base as Numeric, offset as Numeric];
	if (isNaNumeric(distance) || compareNumeric(distance, numericZero) < 0) throw invalidSize();
	if (isNaNumeric(at)) return isNaNumeric(from) ? 0 : 1;
	if (isNaNumeric(from)) return -1;
	const sum = sub ? subtract(from, distance) : add(from, distance);
	return isNaNumeric(sum) ? 0 : compareNumeric(at, sum);
}

const noInterval = interval(0, 0, 0n);

function distanceOf(offset: Datum, sub: boolean): Interval {
	const distance = offset as Interval;
	if (compareIntervals(distance, noInterval) < 0) throw invalidSize();
	return sub ? negateInterval(distance) : distance;
}

function intervals(value: Datum, base: Datum, offset: Datum, sub: boolean): number {
	const sum = addIntervals(base as Interval, distanceOf(offset, sub));
	return compareIntervals(value as Interval, sum);
}

function timestamps(value: Datum, base: Datum, offset: Datum, sub: boolean): number {
	const sum = addToTimestamp(base as bigint, distanceOf(offset, sub));
	return compareBigint(value as bigint, sum);
}

function zonedTimestamps(
	value: Datum,
	base: Datum,
	offset: Datum,
	sub: boolean,
	context: TypeContext,
): number {
	const sum = addToTimestamptz(base as bigint, distanceOf(offset, sub), context.timeZone);
	return compareBigint(value as bigint, sum);
}

const dates: InRange = (value, base, offset, sub) =>
	timestamps(dateToTimestamp(value as never), dateToTimestamp(base as never), offset, sub);

/** Only the time of the interval counts, and midnight is passed. */
function times(value: Datum, base: Datum, offset: Datum, sub: boolean): number {
	const distance = (offset as Interval).microseconds;
	if (distance < 0n) throw invalidSize();
	const from = base as bigint;
	return compareBigint(value as bigint, sub ? from - distance : from + distance);
}

const integerOids = [OID.int2, OID.int4, OID.int8];
const ofInterval = (oid: number, inRange: InRange) => [{ oid, offset: OID.interval, inRange }];

const supported: readonly {
	readonly oid: number;
	readonly offset: number;
	readonly inRange: InRange;
}[] = [
	...[OID.int2, OID.int4].flatMap((oid) =>
		integerOids.map((offset) => ({ oid, offset, inRange: integers })),
	),
	{ oid: OID.int8, offset: OID.int8, inRange: integers },
	{ oid: OID.float4, offset: OID.float8, inRange: floats },
	{ oid: OID.float8, offset: OID.float8, inRange: floats },
	{ oid: OID.numeric, offset: OID.numeric, inRange: numerics },
	...ofInterval(OID.date, dates),
	...ofInterval(OID.timestamp, timestamps),
	...ofInterval(OID.timestamptz, zonedTimestamps),
	...ofInterval(OID.interval, intervals),
	...ofInterval(OID.time, times),
];

/** The offset as the type that goes with that of the key. Throws 0A000. */
export function rangeOffset(
	binder: Binder,
	keyOid: number,
	offset: Bound,
): { readonly bound: Bound; readonly inRange: InRange } {
	const position = offset.at >= 0 ? { position: offset.at + 1 } : {};
	const what = "RANGE with offset PRECEDING/FOLLOWING";
	const key = formatType(plainType(keyOid));
	const pairs = supported.filter(({ oid }) => oid === keyOid);
	if (pairs.length === 0) {
		throw new DatabaseError("0A000", `${what} is not supported for column type ${key}`, position);
	}
	const given = resolutionType(binder, offset);
	const isOpen = given === unknownOid || given === 0;
	const preferred = isOpen ? keyOid : given;
	const possible = pairs.filter(
		(pair) =>
			isOpen || pair.offset === given || findCast(given, pair.offset)?.context === "implicit",
	);
	const chosen =
		possible.find((pair) => pair.offset === preferred) ??
		(possible.length === 1 ? possible[0] : undefined);
	if (chosen === undefined) {
		const other = formatType(plainType(given));
		const many = possible.length > 1;
		throw new DatabaseError(
			"0A000",
			many
				? `${what} has multiple interpretations for column type ${key} and offset type ${other}`
				: `${what} is not supported for column type ${key} and offset type ${other}`,
			{
				hint: many
					? "Cast the offset value to the exact intended type."
					: "Cast the offset value to an appropriate type.",
				...position,
			},
		);
	}
	const { inRange } = chosen;
	return { bound: coerce(binder, offset, plainType(chosen.offset), "implicit"), inRange };
}
