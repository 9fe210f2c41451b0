/** date, time, timestamp, timestamp with time zone. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, compareBigints, defineType } from "./builtin-type.ts";
import {
	dateMin,
	epochOffset,
	isFiniteTimestamp,
	isValidDate,
	isValidTimestamp,
	joinTimestamp,
	microsPerDay,
	splitTimestamp,
	timestampInfinity,
	timestampNegativeInfinity,
} from "./calendar.ts";
import {
	formatDate,
	formatTime,
	formatTimestamp,
	formatTimestamptz,
	unixSeconds,
} from "./date-format.ts";
import { type DateFields, invalid, type ParsedDate, parseDateText } from "./date-parse.ts";
import type { Datum } from "./datum.ts";
import { invalidParameter } from "./errors.ts";
import { encodeInt8, viewOf } from "./integer-types.ts";
import { bigintKey, dateKey } from "./key-codecs.ts";
import { OID } from "./oids.ts";
import type { TypeContext } from "./registry.ts";
import { offsetOfLocal, type TimeZone, timeZone } from "./time-zones.ts";

export function outOfRange(what: string, text?: string): DatabaseError {
	return new DatabaseError(
		"22008",
		`${what} out of range${text === undefined ? "" : `: "${text}"`}`,
	);
}

/** The same moment on the wall clock of a zone. */
export function localIn(zone: TimeZone, t: bigint): bigint {
	return isFiniteTimestamp(t) ? t + BigInt(zone.offsetAt(unixSeconds(t))) * 1_000_000n : t;
}

/** Inverse of `localIn`. */
export function instantIn(zone: TimeZone, local: bigint): bigint {
	return isFiniteTimestamp(local)
		? local - BigInt(offsetOfLocal(zone, unixSeconds(local))) * 1_000_000n
		: local;
}

export const toLocal = (t: bigint, zoneName: string): bigint => localIn(timeZone(zoneName), t);
export const fromLocal = (t: bigint, zoneName: string): bigint => instantIn(timeZone(zoneName), t);

const currentDay = (context: TypeContext): number =>
	splitTimestamp(toLocal(context.transactionStart, context.timeZone)).days;

/** Days that a text names; undefined where it names an infinity or a moment without a day. */
function dayOf(parsed: ParsedDate, context: TypeContext): number | undefined {
	switch (parsed.special) {
		case undefined:
			return parsed.fields.days;
		case "epoch":
			return -10_957;
		case "today":
		case "now":
			return currentDay(context);
		case "tomorrow":
			return currentDay(context) + 1;
		case "yesterday":
			return currentDay(context) - 1;
		default:
			return undefined;
	}
}

function parseDate(text: string, context: TypeContext): number {
	const parsed = parseDateText(text, "date", context.dateStyle);
	if (parsed.special === "infinity" || parsed.special === "-infinity") {
		return parsed.special === "infinity" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
	}
	const days = dayOf(parsed, context);
	if (days === undefined) {
		throw invalid("date", text);
	}
	if (!isValidDate(days)) {
		throw outOfRange("date", text);
	}
	return days;
}

function zoneOffset(fields: DateFields, local: bigint): bigint | undefined {
	const { zone } = fields;
	if (zone === undefined) {
		return undefined;
	}
	const seconds = typeof zone === "number" ? zone : offsetOfLocal(zone, unixSeconds(local));
	return BigInt(seconds) * 1_000_000n;
}

function parseMoment(text: string, context: TypeContext, zoned: boolean): bigint {
	const typeName = zoned ? "timestamp with time zone" : "timestamp";
	const parsed = parseDateText(text, typeName, context.dateStyle);
	if (parsed.special === "infinity" || parsed.special === "-infinity") {
		return parsed.special === "infinity" ? timestampInfinity : timestampNegativeInfinity;
	}
	if (parsed.special === "now") {
		return zoned ? context.transactionStart : toLocal(context.transactionStart, context.timeZone);
	}
	const days = dayOf(parsed, context);
	if (days === undefined) {
		throw invalid(typeName, text);
	}
	const local = joinTimestamp(days, parsed.fields?.micros ?? 0);
	const result = zoned ? asInstant(parsed, local, context) : local;
	if (!isValidTimestamp(result)) {
		throw outOfRange("timestamp", text);
	}
	return result;
}

function asInstant(parsed: ParsedDate, local: bigint, context: TypeContext): bigint {
	if (parsed.special === "epoch") {
		return local;
	}
	const offset = parsed.fields === undefined ? undefined : zoneOffset(parsed.fields, local);
	return offset === undefined ? fromLocal(local, context.timeZone) : local - offset;
}

function parseTime(text: string, context: TypeContext): bigint {
	const parsed = parseDateText(text, "time", context.dateStyle);
	if (parsed.special === "now") {
		const local = toLocal(context.transactionStart, context.timeZone);
		return BigInt(splitTimestamp(local).micros);
	}
	if (parsed.fields?.micros === undefined) {
		throw invalid("time", text);
	}
	return BigInt(parsed.fields.micros);
}

/** Rounds to `digits` decimals of a second, half away from zero. */
export function roundMicros(micros: bigint, digits: number): bigint {
	if (digits >= 6) {
		return micros;
	}
	const unit = 10n ** BigInt(6 - digits);
	const size = micros < 0n ? -micros : micros;
	const rounded = ((size + unit / 2n) / unit) * unit;
	return micros < 0n ? -rounded : rounded;
}

const modifyTimestamp = (value: Datum, modifier: number): Datum =>
	isFiniteTimestamp(value as bigint) ? roundMicros(value as bigint, modifier) : value;

export function packPrecision(sqlName: string): (modifiers: readonly number[]) => number {
	return (modifiers) => {
		const [precision] = modifiers;
		if (precision === undefined || modifiers.length > 1) {
			throw invalidParameter("invalid type modifier");
		}
		if (precision < 0) {
			throw invalidParameter(`${sqlName}(${precision}) precision must not be negative`);
		}
		// PostgreSQL warns and takes 6.
		return Math.min(precision, 6);
	};
}

const dateType = defineType({
	oid: OID.date,
	name: "date",
	length: 4,
	category: "D",
	arrayOid: 1182,
	parse: parseDate,
	format: (value, { dateStyle }) => formatDate(value as number, dateStyle),
	encodeBinary(value) {
		const days = value as number;
		const out = Buffer.allocUnsafe(4);
		out.writeInt32BE(Number.isFinite(days) ? days : days > 0 ? 0x7fff_ffff : -0x8000_0000, 0);
		return out;
	},
	decodeBinary(bytes) {
		const days = viewOf(bytes, 4).readInt32BE(0);
		if (days === 0x7fff_ffff || days === -0x8000_0000) {
			return days > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
		}
		if (days < dateMin || !isValidDate(days)) {
			throw outOfRange("date");
		}
		return days;
	},
	// Differences of infinities would be NaN.
	compare: (a, b) => ((a as number) < (b as number) ? -1 : a === b ? 0 : 1),
	keyCodec: dateKey,
});

const timeType = defineType({
	oid: OID.time,
	name: "time",
	sqlName: "time without time zone",
	length: 8,
	category: "D",
	arrayOid: 1183,
	parse: parseTime,
	format: (value) => formatTime(Number(value as bigint)),
	encodeBinary: (value) => encodeInt8(value as bigint),
	decodeBinary(bytes) {
		const micros = viewOf(bytes, 8).readBigInt64BE(0);
		if (micros < 0n || micros > microsPerDay) {
			throw outOfRange("time");
		}
		return micros;
	},
	compare: compareBigints,
	keyCodec: bigintKey,
	modify: (value, modifier) => roundMicros(value as bigint, modifier),
	describe: (modifier) => `time(${modifier}) without time zone`,
	packModifier: packPrecision("TIME"),
});

function decodeMoment(bytes: Uint8Array): bigint {
	const t = viewOf(bytes, 8).readBigInt64BE(0);
	if (isFiniteTimestamp(t) && !isValidTimestamp(t)) {
		throw outOfRange("timestamp");
	}
	return t;
}

const moment = {
	length: 8,
	category: "D",
	encodeBinary: (value: Datum) => encodeInt8(value as bigint),
	decodeBinary: decodeMoment,
	compare: compareBigints,
	keyCodec: bigintKey,
	modify: modifyTimestamp,
	packModifier: packPrecision("TIMESTAMP"),
};

const timestampType = defineType({
	...moment,
	oid: OID.timestamp,
	name: "timestamp",
	sqlName: "timestamp without time zone",
	arrayOid: 1115,
	parse: (text, context) => parseMoment(text, context, false),
	format: (value, { dateStyle }) => formatTimestamp(value as bigint, dateStyle),
	describe: (modifier) => `timestamp(${modifier}) without time zone`,
});

const timestamptzType = defineType({
	...moment,
	oid: OID.timestamptz,
	name: "timestamptz",
	sqlName: "timestamp with time zone",
	preferred: true,
	arrayOid: 1185,
	parse: (text, context) => parseMoment(text, context, true),
	format: (value, { timeZone: zone, dateStyle }) =>
		formatTimestamptz(value as bigint, zone, dateStyle),
	describe: (modifier) => `timestamp(${modifier}) with time zone`,
});

export const dateTypes: readonly BuiltinType[] = [
	dateType,
	timeType,
	timestampType,
	timestamptzType,
];

/** Microseconds since 1970 to a timestamp; 22008 outside the range. */
export function timestampFromUnixMicros(micros: bigint): bigint {
	const t = micros - epochOffset;
	if (!isValidTimestamp(t)) {
		throw outOfRange("timestamp");
	}
	return t;
}
