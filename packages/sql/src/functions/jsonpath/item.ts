/** What a jsonpath comes across: JSON, and moments that .datetime() has made, which are strings again when it is over. */
import { DatabaseError } from "@quorate/keys/database-error";
import { daysFromCivil, daysInMonth, isValidDate, microsPerDay } from "../../types/calendar.ts";
import { formatDate, formatTime, formatTimestamp, isoDates } from "../../types/date-format.ts";
import { instantIn, localIn } from "../../types/date-types.ts";
import { type Json, jsonTypeName } from "../../types/json-value.ts";
import type { Numeric } from "../../types/numeric.ts";
import { formatOffset, timeZone } from "../../types/time-zones.ts";

export type MomentType = "date" | "time" | "timetz" | "timestamp" | "timestamptz";

export interface Moment {
	readonly kind: "moment";
	readonly type: MomentType;
	/** Microseconds: of the day, or since 2000-01-01; on the clock of its zone, where it has one. */
	readonly local: bigint;
	/** Seconds east of UTC, of what has a zone. */
	readonly offset: number;
}

export type PathItem = Json | Moment;

const isTagged = (value: PathItem, kind: string): boolean =>
	typeof value === "object" && value !== null && "kind" in value && value.kind === kind;

export const isMoment = (value: PathItem): value is Moment => isTagged(value, "moment");
export const isNumber = (value: PathItem): value is Numeric => isTagged(value, "numeric");

const momentNames: Readonly<Record<MomentType, string>> = {
	date: "date",
	time: "time without time zone",
	timetz: "time with time zone",
	timestamp: "timestamp without time zone",
	timestamptz: "timestamp with time zone",
};

export const typeNameOf = (value: PathItem): string =>
	isMoment(value) ? momentNames[value.type] : jsonTypeName(value);

/** As JSON has it. */
export function jsonOf(value: PathItem): Json {
	if (!isMoment(value)) return value;
	const { type, local, offset } = value;
	switch (type) {
		case "date":
			return formatDate(Number(local / microsPerDay), isoDates);
		case "time":
			return formatTime(Number(local));
		case "timetz":
			return formatTime(Number(local)) + longOffset(offset);
		case "timestamp":
			return formatTimestamp(local, isoDates).replace(" ", "T");
		case "timestamptz":
			return formatTimestamp(local, isoDates).replace(" ", "T") + longOffset(offset);
	}
}

/** With minutes. */
const longOffset = (offset: number): string => {
	const text = formatOffset(offset);
	return text.includes(":") ? text : `${text}:00`;
};

const needsZone = (from: MomentType, to: MomentType): DatabaseError =>
	new DatabaseError("0A000", `cannot convert value from ${from} to ${to} without time zone usage`, {
		hint: "Use *_tz() function for time zone support.",
	});

/** `zone`: of the session, where it may be made use of. */
function instantOf(moment: Moment, zone: string | undefined): bigint {
	const { type, local, offset } = moment;
	if (type === "timestamptz") return local - BigInt(offset) * 1_000_000n;
	if (zone === undefined) throw needsZone(type, "timestamptz");
	return instantIn(timeZone(zone), local);
}

/** Of a time: what it is in UTC, and then further west is later. */
function timeOf(moment: Moment, zone: string | undefined, now: bigint): readonly [bigint, number] {
	const { type, local } = moment;
	let { offset } = moment;
	if (type === "time") {
		if (zone === undefined) throw needsZone("time", "timetz");
		offset = Number((localIn(timeZone(zone), now) - now) / 1_000_000n);
	}
	return [local - BigInt(offset) * 1_000_000n, -offset];
}

const isTime = ({ type }: Moment): boolean => type === "time" || type === "timetz";

const order = (a: bigint | number, b: bigint | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** Undefined where they have nothing to do with each other. Throws 0A000 where that takes a time zone, and `zone` is none. */
export function compareMoments(
	a: Moment,
	b: Moment,
	zone: string | undefined,
	now: bigint,
): number | undefined {
	if (isTime(a) !== isTime(b)) return undefined;
	if (isTime(a)) {
		if (a.type === b.type && a.type === "time") return order(a.local, b.local);
		const [left, right] = [timeOf(a, zone, now), timeOf(b, zone, now)];
		return order(left[0], right[0]) || order(left[1], right[1]);
	}
	if (a.type !== "timestamptz" && b.type !== "timestamptz") return order(a.local, b.local);
	return order(instantOf(a, zone), instantOf(b, zone));
}

const day = String.raw`(\d+)-(\d+)-(\d+)`;
const time = String.raw`(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?`;
const offset = String.raw`(?:([ +-])([+-]?\d+)(?::(\d+))?)?`;
const dayPattern = new RegExp(`^${day}$`);
const timePattern = new RegExp(`^${time}${offset}$`);
const momentPattern = new RegExp(`^${day}[ T]${time}${offset}$`);

type Parts = readonly (string | undefined)[];

/** ISO 8601, of the kinds that .datetime() takes without a template. Undefined: it is none. */
export function parseMoment(text: string): Moment | undefined {
	if (text.length > 100) return undefined;
	const date = dayPattern.exec(text);
	if (date !== null) {
		const days = daysOf(date.slice(1, 4));
		return days && { kind: "moment", type: "date", local: days.value, offset: 0 };
	}
	const clock = timePattern.exec(text);
	const both = clock === null ? momentPattern.exec(text) : null;
	const found = clock ?? both;
	if (found === null) return undefined;
	const from = clock === null ? 4 : 1;
	const micros = microsOf(found.slice(from, from + 4));
	const zone = offsetOf(found.slice(from + 4));
	const days = clock === null ? daysOf(found.slice(1, 4)) : { value: 0n };
	if (micros === undefined || zone === undefined || days === undefined) return undefined;
	const isZoned = found[from + 4] !== undefined;
	const type = `${clock === null ? "timestamp" : "time"}${isZoned ? "tz" : ""}` as MomentType;
	return { kind: "moment", type, local: days.value + micros, offset: zone };
}

/** As microseconds. */
function daysOf(parts: Parts): { readonly value: bigint } | undefined {
	const [year, month, day] = parts.map(Number) as [number, number, number];
	if (year < 1 || month < 1 || month > 12 || day < 1) return undefined;
	if (day > daysInMonth(year, month)) return undefined;
	const days = daysFromCivil(year, month, day);
	return isValidDate(days) ? { value: BigInt(days) * microsPerDay } : undefined;
}

function microsOf([hour, minute, second, fraction]: Parts): bigint | undefined {
	const [h, m, s] = [Number(hour), Number(minute), Number(second)];
	if (h > 23 || m > 59 || s > 59) return undefined;
	return BigInt((h * 60 + m) * 60 + s) * 1_000_000n + BigInt((fraction ?? "").padEnd(6, "0"));
}

/** Seconds east of UTC. */
function offsetOf([sign, hours, minutes]: Parts): number | undefined {
	const [h, m] = [Number(hours ?? 0), Number(minutes ?? 0)];
	if (Math.abs(h) > 15 || m > 59) return undefined;
	return (sign === "-" ? -1 : 1) * (h * 3600 + m * 60);
}
