/**
 * to_char of timestamps and intervals. Patterns as in the manual, table 9.27; FM suppresses padding, TH adds an ordinal, TM is
 * English. Left out: SP.
 */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import {
	civilFromDays,
	dayOfWeek,
	daysFromCivil,
	isFiniteTimestamp,
	isoWeek,
	splitTimestamp,
} from "../types/calendar.ts";
import { unixSeconds } from "../types/date-format.ts";
import { toLocal } from "../types/date-types.ts";
import type { Interval } from "../types/datum.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { timeZone } from "../types/time-zones.ts";
import { contextual, likeStable, pure, stable, volatile } from "./definition.ts";

interface Moment {
	readonly year: number;
	readonly month: number;
	readonly day: number;
	/** Days since 2000-01-01; undefined for intervals. */
	readonly days: number | undefined;
	readonly hours: number;
	readonly minutes: number;
	readonly seconds: number;
	readonly micros: number;
	/** Seconds east of UTC; undefined without a zone. */
	readonly offset: number | undefined;
	readonly zone: string;
}

export const monthNames = [
	"January",
	"February",
	"March",
	"April",
	"May",
	"June",
	"July",
	"August",
	"September",
	"October",
	"November",
	"December",
];
export const dayNames = [
	"Sunday",
	"Monday",
	"Tuesday",
	"Wednesday",
	"Thursday",
	"Friday",
	"Saturday",
];
const romans = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

function number(value: number, width: number, fill: boolean): string {
	const digits = String(Math.abs(value));
	return (value < 0 ? "-" : "") + (fill ? digits.padStart(width, "0") : digits);
}

/** The case of the pattern: MONTH, Month, month. */
function cased(name: string, pattern: string): string {
	if (pattern === pattern.toUpperCase()) {
		return name.toUpperCase();
	}
	return pattern[0] === pattern[0]?.toLowerCase() ? name.toLowerCase() : name;
}

/** Between double quotes a backslash stands before what is meant as it is. */
export const unquoted = (text: string): string =>
	text.replace(/^"/, "").replace(/\\([\s\S])|"/g, "$1");

export function ordinal(value: number): string {
	const size = Math.abs(value);
	const teens = size % 100 >= 11 && size % 100 <= 13;
	return teens ? "th" : (["th", "st", "nd", "rd"][size % 10] ?? "th");
}

const shownYear = (m: Moment): number => (m.days === undefined || m.year > 0 ? m.year : 1 - m.year);
const isoYear = (m: Moment): number => (m.days === undefined ? m.year : isoWeek(m.days).year);
const dayOfYear = (m: Moment): number =>
	m.days === undefined ? m.month * 30 + m.day : m.days - daysFromCivil(m.year, 1, 1) + 1;

type Field = (m: Moment, fill: boolean, pattern: string) => string;

const half = (m: Moment): "am" | "pm" => (((m.hours % 24) + 24) % 24 >= 12 ? "pm" : "am");
const twelve = (hours: number): number => (hours % 12 === 0 ? 12 : hours % 12);
const padded = (name: string, pattern: string, fill: boolean): string =>
	fill ? cased(name, pattern).padEnd(9) : cased(name, pattern);

function offsetText(m: Moment, part: "hours" | "minutes" | "both"): string {
	const offset = m.offset ?? 0;
	const size = Math.abs(offset);
	const hours = (offset < 0 ? "-" : "+") + String(Math.floor(size / 3600)).padStart(2, "0");
	const minutes = String(Math.floor(size / 60) % 60).padStart(2, "0");
	if (part === "both") {
		return minutes === "00" ? hours : `${hours}:${minutes}`;
	}
	return part === "hours" ? hours : minutes;
}

/** Keys are upper case; the longest match wins. */
const fields: Readonly<Record<string, Field>> = dictionary({
	HH24: (m, f) => number(m.hours, 2, f),
	HH12: (m, f) => number(twelve(m.hours), 2, f),
	HH: (m, f) => number(twelve(m.hours), 2, f),
	MI: (m, f) => number(m.minutes, 2, f),
	SSSSS: (m) => String(m.hours * 3600 + m.minutes * 60 + m.seconds),
	SSSS: (m) => String(m.hours * 3600 + m.minutes * 60 + m.seconds),
	SS: (m, f) => number(m.seconds, 2, f),
	MS: (m) => String(Math.trunc(m.micros / 1000)).padStart(3, "0"),
	US: (m) => String(m.micros).padStart(6, "0"),
	FF1: (m) => String(m.micros).padStart(6, "0").slice(0, 1),
	FF2: (m) => String(m.micros).padStart(6, "0").slice(0, 2),
	FF3: (m) => String(m.micros).padStart(6, "0").slice(0, 3),
	FF4: (m) => String(m.micros).padStart(6, "0").slice(0, 4),
	FF5: (m) => String(m.micros).padStart(6, "0").slice(0, 5),
	FF6: (m) => String(m.micros).padStart(6, "0"),
	"A.M.": (m, _f, p) => caseOfHalf(half(m) === "am" ? "a.m." : "p.m.", p),
	"P.M.": (m, _f, p) => caseOfHalf(half(m) === "am" ? "a.m." : "p.m.", p),
	AM: (m, _f, p) => caseOfHalf(half(m), p),
	PM: (m, _f, p) => caseOfHalf(half(m), p),
	"Y,YYY": (m) =>
		`${Math.floor(shownYear(m) / 1000)},${String(shownYear(m) % 1000).padStart(3, "0")}`,
	YYYY: (m, f) => number(shownYear(m), 4, f),
	YYY: (m, f) => number(shownYear(m) % 1000, 3, f),
	YY: (m, f) => number(shownYear(m) % 100, 2, f),
	Y: (m, f) => number(shownYear(m) % 10, 1, f),
	IYYY: (m, f) => number(isoYear(m), 4, f),
	IYY: (m, f) => number(isoYear(m) % 1000, 3, f),
	IY: (m, f) => number(isoYear(m) % 100, 2, f),
	I: (m, f) => number(isoYear(m) % 10, 1, f),
	"B.C.": (m, _f, p) => caseOfHalf(m.year > 0 ? "a.d." : "b.c.", p),
	"A.D.": (m, _f, p) => caseOfHalf(m.year > 0 ? "a.d." : "b.c.", p),
	BC: (m, _f, p) => caseOfHalf(m.year > 0 ? "ad" : "bc", p),
	AD: (m, _f, p) => caseOfHalf(m.year > 0 ? "ad" : "bc", p),
	MONTH: (m, f, p) => padded(monthNames[m.month - 1] ?? "", p, f),
	MON: (m, _f, p) => cased((monthNames[m.month - 1] ?? "").slice(0, 3), p),
	MM: (m, f) => number(m.month, 2, f),
	DAY: (m, f, p) => padded(dayNames[dayOfWeek(m.days ?? 0)] ?? "", p, f),
	DY: (m, _f, p) => cased((dayNames[dayOfWeek(m.days ?? 0)] ?? "").slice(0, 3), p),
	DDD: (m, f) => number(dayOfYear(m), 3, f),
	IDDD: (m, f) => number(m.days === undefined ? 0 : isoDayOfYear(m.days), 3, f),
	DD: (m, f) => number(m.day, 2, f),
	D: (m) => String(dayOfWeek(m.days ?? 0) + 1),
	ID: (m) => String(dayOfWeek(m.days ?? 0) || 7),
	WW: (m, f) => number(Math.floor((dayOfYear(m) - 1) / 7) + 1, 2, f),
	W: (m) => String(Math.floor((m.day - 1) / 7) + 1),
	IW: (m, f) => number(m.days === undefined ? 0 : isoWeek(m.days).week, 2, f),
	CC: (m, f) =>
		number(
			m.year > 0 ? Math.floor((m.year - 1) / 100) + 1 : -Math.floor((99 - m.year) / 100),
			2,
			f,
		),
	J: (m) => String((m.days ?? 0) + 2_451_545),
	Q: (m) => (m.month === 0 ? "" : String(Math.floor((m.month - 1) / 3) + 1)),
	RM: (m, f, p) => {
		const roman = romans[m.month - 1] ?? "";
		const shown = p === p.toUpperCase() ? roman : roman.toLowerCase();
		return f ? shown.padEnd(4) : shown;
	},
	TZH: (m) => offsetText(m, "hours"),
	TZM: (m) => offsetText(m, "minutes"),
	TZ: (m, _f, p) => (p === p.toUpperCase() ? m.zone : m.zone.toLowerCase()),
	OF: (m) => offsetText(m, "both"),
});

/** Of no interval. */
const datesOnly: ReadonlySet<string> = new Set(
	"A.D. B.C. AD BC MONTH MON DAY DY D ID TZ TZH TZM OF".split(" "),
);

function isoDayOfYear(days: number): number {
	const { week } = isoWeek(days);
	return (week - 1) * 7 + (dayOfWeek(days) || 7);
}

const caseOfHalf = (text: string, pattern: string): string =>
	pattern === pattern.toUpperCase() ? text.toUpperCase() : text;

const names = Object.keys(fields).sort((a, b) => b.length - a.length);

/** The longest field that begins at `at`, as the pattern writes it. */
function fieldAt(pattern: string, at: number): string | undefined {
	const upper = pattern.slice(at, at + 5).toUpperCase();
	const name = names.find((candidate) => upper.startsWith(candidate));
	return name === undefined ? undefined : pattern.slice(at, at + name.length);
}

function format(pattern: string, moment: Moment): string {
	let out = "";
	for (let at = 0; at < pattern.length; ) {
		if (pattern[at] === '"') {
			const quoted = /^"(?:[^"\\]|\\[\s\S])*\\?"?/.exec(pattern.slice(at))![0];
			out += unquoted(quoted);
			at += quoted.length;
			continue;
		}
		const prefix = /^(?:FM|fm|TM|tm|FX|fx)+/.exec(pattern.slice(at, at + 6))?.[0] ?? "";
		const fill = !/fm|tm/i.test(prefix);
		const field = fieldAt(pattern, at + prefix.length);
		if (field === undefined) {
			at += prefix.length;
			if (at < pattern.length) {
				if (pattern[at] === "\\" && pattern[at + 1] === '"') {
					at++;
				}
				out += pattern[at];
				at++;
			}
			continue;
		}
		const name = field.toUpperCase();
		if (moment.days === undefined && datesOnly.has(name)) {
			throw new DatabaseError("22007", "invalid format specification for an interval value", {
				hint: "Intervals are not tied to specific calendar dates.",
			});
		}
		const text = (fields[name] as Field)(moment, fill, field);
		at += prefix.length + field.length;
		const suffix = /^th/i.test(pattern.slice(at, at + 2)) ? pattern.slice(at, at + 2) : "";
		if (suffix !== "" && /\d$/.test(text)) {
			const ending = ordinal(Number(text.slice(-2)));
			out += text + (suffix === "TH" ? ending.toUpperCase() : ending);
			at += 2;
		} else {
			out += text;
		}
	}
	return out;
}

function momentOf(t: bigint, offset: number | undefined, zone: string): Moment {
	const { days, micros } = splitTimestamp(t);
	const seconds = Math.floor(micros / 1_000_000);
	return {
		...civilFromDays(days),
		days,
		hours: Math.floor(seconds / 3600),
		minutes: Math.floor(seconds / 60) % 60,
		seconds: seconds % 60,
		micros: micros % 1_000_000,
		offset,
		zone,
	};
}

function momentOfInterval(i: Interval): Moment {
	const micros = i.microseconds;
	const seconds = micros / 1_000_000n;
	return {
		year: Math.trunc(i.months / 12),
		month: i.months % 12,
		day: i.days,
		days: undefined,
		hours: Number(seconds / 3600n),
		minutes: Number((seconds / 60n) % 60n),
		seconds: Number(seconds % 60n),
		micros: Number(micros % 1_000_000n),
		offset: undefined,
		zone: "",
	};
}

function momentInZone(t: bigint, zoneName: string): Moment {
	const zone = timeZone(zoneName);
	const at = unixSeconds(t);
	return momentOf(toLocal(t, zoneName), zone.offsetAt(at), zone.lettersAt(at));
}

export const dateToChar: readonly ScalarFunction[] = [
	likeStable(
		pure("to_char(timestamp, text) -> text", (t: bigint, pattern: string) =>
			isFiniteTimestamp(t) && pattern !== "" ? format(pattern, momentOf(t, undefined, "")) : null,
		),
	),
	contextual("to_char(timestamptz, text) -> text", stable, ([value, pattern], c) =>
		isFiniteTimestamp(value as bigint) && pattern !== ""
			? format(pattern as string, momentInZone(value as bigint, c.timeZone))
			: null,
	),
	contextual("timeofday() -> text", volatile, (_args, c) =>
		format("Dy Mon DD HH24:MI:SS.US YYYY TZ", momentInZone(c.clockNow(), c.timeZone)),
	),
	likeStable(
		pure("to_char(interval, text) -> text", (i: Interval, pattern: string) =>
			pattern === "" ? null : format(pattern, momentOfInterval(i)),
		),
	),
];
