/**
 * Text of intervals: "1 year 2 mons 3 days 04:05:06.5", "@ 1 year 2 mons 3 days 4 hours 5 mins 6.5 secs", ISO 8601 (P1Y2M) and
 * SQL's 1-2 3 4:05:06, all of them in, and that of IntervalStyle out, as EncodeInterval has it.
 */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import { microsPerDay } from "./calendar.ts";
import type { Interval } from "./datum.ts";
import { interval } from "./interval-values.ts";

export const intervalStyles = ["postgres", "postgres_verbose", "sql_standard", "iso_8601"] as const;

export type IntervalStyle = (typeof intervalStyles)[number];

export function formatInterval(i: Interval, style: IntervalStyle = "postgres"): string {
	switch (style) {
		case "postgres_verbose":
			return verboseText(partsOf(i));
		case "sql_standard":
			return standardText(partsOf(i));
		case "iso_8601":
			return isoText(partsOf(i));
		default:
			return postgresText(i);
	}
}

/** All of the same sign within months, and within microseconds. */
interface Parts {
	readonly year: number;
	readonly mon: number;
	readonly day: number;
	readonly hour: number;
	readonly min: number;
	/** Microseconds. */
	readonly sec: number;
}

function partsOf({ months, days, microseconds }: Interval): Parts {
	const minutes = microseconds / 60_000_000n;
	return {
		year: Math.trunc(months / 12),
		mon: months % 12,
		day: days,
		hour: Number(minutes / 60n),
		min: Number(minutes % 60n),
		sec: Number(microseconds % 60_000_000n),
	};
}

/** Without a sign. */
function secondsText(micros: number, width: number): string {
	const size = Math.abs(micros);
	const fraction = String(size % 1_000_000)
		.padStart(6, "0")
		.replace(/0+$/, "");
	const whole = String(Math.trunc(size / 1_000_000)).padStart(width, "0");
	return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** The first field decides which sign is the usual one; "ago" stands for minus. */
function verboseText(parts: Parts): string {
	let out = "@";
	let sign = 0;
	for (const unit of ["year", "mon", "day", "hour", "min", "sec"] as const) {
		const value = parts[unit];
		if (value === 0) continue;
		sign ||= Math.sign(value);
		const minus = Math.sign(value) === sign ? "" : "-";
		const shown = unit === "sec" ? secondsText(value, 1) : String(Math.abs(value));
		// Of seconds the sign does not make a plural.
		const isOne = shown === "1" && (minus === "" || unit === "sec");
		out += ` ${minus}${shown} ${unit}${isOne ? "" : "s"}`;
	}
	if (sign === 0) return `${out} 0`;
	return sign < 0 ? `${out} ago` : out;
}

function isoText({ year, mon, day, hour, min, sec }: Parts): string {
	const part = (value: number, unit: string): string => (value === 0 ? "" : `${value}${unit}`);
	const date = part(year, "Y") + part(mon, "M") + part(day, "D");
	const seconds = sec === 0 ? "" : `${sec < 0 ? "-" : ""}${secondsText(sec, 1)}S`;
	const time = part(hour, "H") + part(min, "M") + seconds;
	if (date + time === "") return "PT0S";
	return `P${date}${time === "" ? "" : `T${time}`}`;
}

/** With one sign for all of it where the standard knows such intervals, else with one for each part. */
function standardText(parts: Parts): string {
	const { year, mon, day, hour, min, sec } = parts;
	const values = Object.values(parts);
	const [minus, plus] = [values.some((one) => one < 0), values.some((one) => one > 0)];
	if (!minus && !plus) return "0";
	const hasMonths = year !== 0 || mon !== 0;
	const hasTime = hour !== 0 || min !== 0 || sec !== 0;
	const size = Math.abs;
	const months = `${size(year)}-${size(mon)}`;
	const time = `${size(hour)}:${String(size(min)).padStart(2, "0")}:${secondsText(sec, 2)}`;
	const isStandard = !(minus && plus) && !(hasMonths && (day !== 0 || hasTime));
	if (!isStandard) {
		const sign = (negative: boolean): string => (negative ? "-" : "+");
		const monthsSign = sign(year < 0 || mon < 0);
		const timeSign = sign(hour < 0 || min < 0 || sec < 0);
		return `${monthsSign}${months} ${sign(day < 0)}${size(day)} ${timeSign}${time}`;
	}
	const text = hasMonths ? months : day === 0 ? time : `${size(day)} ${time}`;
	return minus ? `-${text}` : text;
}

function postgresText(i: Interval): string {
	const parts: string[] = [];
	/** After a negative field, a positive one carries its sign. */
	let negativeBefore = false;
	const push = (count: number, unit: string): void => {
		if (count !== 0) {
			parts.push(
				`${negativeBefore && count > 0 ? "+" : ""}${count} ${unit}${count === 1 ? "" : "s"}`,
			);
			negativeBefore = count < 0;
		}
	};
	push(Math.trunc(i.months / 12), "year");
	push(i.months % 12, "mon");
	push(i.days, "day");
	if (i.microseconds !== 0n || parts.length === 0) {
		parts.push(timeText(i.microseconds, negativeBefore));
	}
	return parts.join(" ");
}

function timeText(micros: bigint, signed: boolean): string {
	const negative = micros < 0n;
	const size = negative ? -micros : micros;
	const two = (n: bigint): string => n.toString().padStart(2, "0");
	const fraction = size % 1_000_000n;
	const seconds = size / 1_000_000n;
	const sign = negative ? "-" : signed ? "+" : "";
	const tail = fraction === 0n ? "" : `.${fraction.toString().padStart(6, "0").replace(/0+$/, "")}`;
	return `${sign}${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}${tail}`;
}

const microsOf: Readonly<Record<string, number>> = dictionary({
	microsecond: 1,
	millisecond: 1000,
	second: 1_000_000,
	minute: 60_000_000,
	hour: 3_600_000_000,
});
const daysOf: Readonly<Record<string, number>> = dictionary({ day: 1, week: 7 });
const monthsOf: Readonly<Record<string, number>> = dictionary({
	month: 1,
	quarter: 3,
	year: 12,
	decade: 120,
	century: 1200,
	millennium: 12_000,
});

const unitNames: Readonly<Record<string, string>> = dictionary({
	us: "microsecond",
	usec: "microsecond",
	usecs: "microsecond",
	usecond: "microsecond",
	useconds: "microsecond",
	microsecon: "microsecond",
	ms: "millisecond",
	msec: "millisecond",
	msecs: "millisecond",
	msecond: "millisecond",
	mseconds: "millisecond",
	s: "second",
	sec: "second",
	secs: "second",
	m: "minute",
	min: "minute",
	mins: "minute",
	h: "hour",
	hr: "hour",
	hrs: "hour",
	d: "day",
	w: "week",
	mon: "month",
	mons: "month",
	y: "year",
	yr: "year",
	yrs: "year",
	dec: "decade",
	decs: "decade",
	c: "century",
	cent: "century",
	centuries: "century",
	mil: "millennium",
	mils: "millennium",
	millennia: "millennium",
	qtr: "quarter",
});

/** A unit's singular name; undefined where it is none. */
export function unitName(word: string): string | undefined {
	const known = unitNames[word];
	if (known !== undefined) {
		return known;
	}
	const singular = word.endsWith("s") ? word.slice(0, -1) : word;
	return singular in microsOf || singular in daysOf || singular in monthsOf ? singular : undefined;
}

/** Sums up fields; fractions go down to the next smaller ones. */
class Sum {
	months = 0;
	days = 0;
	micros = 0n;

	/** `count` of a unit, in text, so that nothing is lost on the way to microseconds. */
	add(count: string, unit: string): void {
		const value = Number(count);
		const micro = microsOf[unit];
		if (micro !== undefined) {
			const whole = Math.trunc(value);
			this.micros += BigInt(whole) * BigInt(micro);
			this.micros += BigInt(roundHalfEven(fractionOf(count) * micro));
			return;
		}
		const days = daysOf[unit];
		if (days !== undefined) {
			this.#addDays(Math.trunc(value) * days, fractionOf(count) * days);
			return;
		}
		const months = monthsOf[unit] as number;
		const fraction = fractionOf(count) * months;
		this.months += Math.trunc(value) * months;
		if (months > 1) {
			this.months += roundHalfEven(fraction);
		} else {
			this.#addDays(0, fraction * 30);
		}
	}

	#addDays(whole: number, fraction: number): void {
		const extra = Math.trunc(fraction);
		this.days += whole + extra;
		this.micros += BigInt(roundHalfEven((fraction - extra) * Number(microsPerDay)));
	}
}

function fractionOf(count: string): number {
	const point = count.indexOf(".");
	if (point < 0) {
		return 0;
	}
	const size = Number(`0${count.slice(point)}`);
	return count.startsWith("-") ? -size : size;
}

function roundHalfEven(value: number): number {
	const rounded = Math.round(value);
	return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const tokens = {
	time: /([+-]?)(\d+):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?(?=$|\s|[a-z])/y,
	minutes: /([+-]?)(\d{1,2}):(\d{1,2})\.(\d+)(?=$|\s)/y,
	yearMonth: /([+-]?)(\d+)-(\d+)(?=$|\s)/y,
	count: /([+-]?(?:\d+\.?\d*|\.\d+))\s*([a-z]+)?/y,
	blank: /\s+/y,
};

export function parseInterval(text: string, style: IntervalStyle = "postgres"): Interval {
	const folded = text.trim().toLowerCase();
	const sum = new Sum();
	const parsed = folded.startsWith("p") ? addIso(folded, sum) : addFields(folded, sum, style);
	if (!parsed) {
		throw new DatabaseError("22007", `invalid input syntax for type interval: "${text}"`);
	}
	try {
		return interval(sum.months, sum.days, sum.micros);
	} catch {
		throw fieldOverflow(text);
	}
}

const fieldOverflow = (text: string): DatabaseError =>
	new DatabaseError("22015", `interval field value out of range: "${text}"`);

function addFields(text: string, sum: Sum, style: IntervalStyle): boolean {
	let body = text.startsWith("@") ? text.slice(1).trimStart() : text;
	const ago = /\s*\bago$/.exec(body);
	if (ago !== null) {
		body = body.slice(0, ago.index);
	}
	// In the standard's form a sign at the start, if there is no other, is that of all fields.
	const isNegated = style === "sql_standard" && /^-(?!.*[\sa-z][+-])/.test(body);
	if (isNegated) {
		body = body.slice(1);
	}
	if (body === "") {
		return false;
	}
	for (let at = 0; at < body.length; ) {
		const next = addField(body, at, sum);
		if (next === undefined) {
			return false;
		}
		at = next;
	}
	if (isNegated !== (ago !== null)) {
		sum.months = -sum.months;
		sum.days = -sum.days;
		sum.micros = -sum.micros;
	}
	return true;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
	pattern.lastIndex = at;
	return pattern.exec(text);
}

/** Returns where the next field begins; undefined for what is no field. */
function addField(text: string, at: number, sum: Sum): number | undefined {
	const blank = matchAt(tokens.blank, text, at);
	if (blank !== null) {
		return at + blank[0].length;
	}
	const minutes = matchAt(tokens.minutes, text, at);
	if (minutes !== null) {
		addTime(sum, text, minutes[1] === "-", "0", minutes[2], minutes[3], minutes[4]);
		return at + minutes[0].length;
	}
	const time = matchAt(tokens.time, text, at);
	if (time !== null) {
		addTime(sum, text, time[1] === "-", time[2], time[3], time[4], time[5]);
		return at + time[0].length;
	}
	const yearMonth = matchAt(tokens.yearMonth, text, at);
	if (yearMonth !== null) {
		const sign = yearMonth[1] === "-" ? -1 : 1;
		sum.months += sign * (Number(yearMonth[2]) * 12 + Number(yearMonth[3]));
		return at + yearMonth[0].length;
	}
	const count = matchAt(tokens.count, text, at);
	if (count === null) {
		return undefined;
	}
	const end = at + count[0].length;
	const unit = count[2] === undefined ? bareUnit(text, end) : unitName(count[2]);
	if (unit === undefined) {
		return undefined;
	}
	sum.add(count[1] as string, unit);
	return end;
}

/** A number without a unit is seconds at the end, days before a time. */
function bareUnit(text: string, end: number): string | undefined {
	const rest = text.slice(end).trim();
	return rest === "" ? "second" : /^[+-]?\d+:/.test(rest) ? "day" : undefined;
}

function addTime(
	sum: Sum,
	text: string,
	negative: boolean,
	hours: string | undefined,
	minutes: string | undefined,
	seconds: string | undefined,
	fraction: string | undefined,
): void {
	if (Number(minutes ?? 0) > 59 || Number(seconds ?? 0) > 60) {
		throw fieldOverflow(text);
	}
	const whole = (BigInt(hours ?? 0) * 60n + BigInt(minutes ?? 0)) * 60n + BigInt(seconds ?? 0);
	const micros = whole * 1_000_000n + BigInt(Math.round(Number(`0.${fraction || "0"}`) * 1e6));
	sum.micros += negative ? -micros : micros;
}

const isoDateUnits: Readonly<Record<string, string>> = dictionary({
	y: "year",
	m: "month",
	w: "week",
	d: "day",
});
const isoTimeUnits: Readonly<Record<string, string>> = dictionary({
	h: "hour",
	m: "minute",
	s: "second",
});

/** P0001-02-03T04:05:06 and P00010203T040506: ISO 8601's other forms, whose parts may be left out from the end. */
const otherIso =
	/^p(?:(\d{4})(\d\d)(\d\d)|([+-]?\d+)-([+-]?\d+)(?:-([+-]?\d+(?:\.\d*)?))?)?(?:t(?:(\d\d)(\d\d)(\d\d)|([+-]?\d+):([+-]?\d+)(?::([+-]?\d+(?:\.\d*)?))?)?)?$/;
const otherIsoUnits = ["year", "month", "day", "year", "month", "day"];
const otherIsoTimes = ["hour", "minute", "second", "hour", "minute", "second"];

/** P1Y2M3DT4H5M6.5S */
function addIso(text: string, sum: Sum): boolean {
	const parts = text === "p" ? null : otherIso.exec(text);
	if (parts !== null) {
		for (const [i, unit] of [...otherIsoUnits, ...otherIsoTimes].entries()) {
			const count = parts[i + 1];
			if (count !== undefined) sum.add(count, unit);
		}
		return true;
	}
	const pattern = /(t)|([+-]?(?:\d+\.?\d*|\.\d+))([a-z])/y;
	pattern.lastIndex = 1;
	let units = isoDateUnits;
	let end = 1;
	for (let m = pattern.exec(text); m !== null; m = pattern.exec(text)) {
		end = pattern.lastIndex;
		if (m[1] !== undefined) {
			units = isoTimeUnits;
			continue;
		}
		const unit = units[m[3] as string];
		if (unit === undefined) {
			return false;
		}
		sum.add(m[2] as string, unit);
	}
	return end === text.length && end > 1;
}
