/** Text of dates and times, as DateStyle has it (PostgreSQL's EncodeDateOnly and EncodeDateTime). */
import {
	civilFromDays,
	epochOffset,
	splitTimestamp,
	timestampInfinity,
	timestampNegativeInfinity,
} from "./calendar.ts";
import { formatOffset, timeZone } from "./time-zones.ts";

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** As SHOW DateStyle has it: what is stored, and what others than the client read, is written so. */
export const isoDates = "ISO, MDY";

/** By the first letter of DateStyle. */
const separators: Readonly<Record<string, string>> = { S: "/", G: ".", P: "-" };

const isDayFirst = (dateStyle: string): boolean =>
	dateStyle[0] === "G" || (dateStyle[0] !== "I" && dateStyle.endsWith("DMY"));

/** Year 0 is 1 BC; the era goes to the very end of a timestamp. */
function civilParts(days: number) {
	const { year, month, day } = civilFromDays(days);
	const shown = String(year > 0 ? year : 1 - year).padStart(4, "0");
	return { year: shown, month, day: two(day), era: year > 0 ? "" : " BC" };
}

function civilText(days: number, dateStyle: string): { text: string; era: string } {
	const { year, month, day, era } = civilParts(days);
	const separator = separators[dateStyle[0]!];
	if (separator === undefined) return { text: `${year}-${two(month)}-${day}`, era };
	const parts = isDayFirst(dateStyle) ? [day, two(month)] : [two(month), day];
	return { text: [...parts, year].join(separator), era };
}

export function formatDate(days: number, dateStyle: string): string {
	if (!Number.isFinite(days)) {
		return days > 0 ? "infinity" : "-infinity";
	}
	const { text, era } = civilText(days, dateStyle);
	return text + era;
}

/** Microseconds of a day; the fraction without trailing zeros. */
export function formatTime(micros: number): string {
	const seconds = Math.floor(micros / 1_000_000);
	const fraction = micros % 1_000_000;
	let out = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
	if (fraction !== 0) {
		out += `.${String(fraction).padStart(6, "0").replace(/0+$/, "")}`;
	}
	return out;
}

function infinityText(t: bigint): string | undefined {
	return t === timestampInfinity
		? "infinity"
		: t === timestampNegativeInfinity
			? "-infinity"
			: undefined;
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `zone`: what follows the time of day and, in the style Postgres, the year. */
function momentText(t: bigint, dateStyle: string, zone: string): string {
	const { days, micros } = splitTimestamp(t);
	const time = formatTime(micros);
	if (dateStyle[0] !== "P") {
		const { text, era } = civilText(days, dateStyle);
		return `${text} ${time}${zone}${era}`;
	}
	const { year, month, day, era } = civilParts(days);
	const name = months[month - 1]!;
	// 2000-01-01 was a Saturday.
	const weekday = weekdays[(((days + 6) % 7) + 7) % 7]!;
	const date = isDayFirst(dateStyle) ? `${day} ${name}` : `${name} ${day}`;
	return `${weekday} ${date} ${time} ${year}${zone}${era}`;
}

export const formatTimestamp = (t: bigint, dateStyle: string): string =>
	infinityText(t) ?? momentText(t, dateStyle, "");

/** Whole seconds since 1970, rounded down. */
export function unixSeconds(t: bigint): number {
	const shifted = t + epochOffset;
	const seconds = shifted / 1_000_000n;
	return Number(shifted < 0n && seconds * 1_000_000n !== shifted ? seconds - 1n : seconds);
}

/** Of a zone's name PostgreSQL shows no more. */
const lettersMax = 10;

/** With the zone's offset in ISO's style, else with its letters. */
export function formatTimestamptz(t: bigint, zoneName: string, dateStyle: string): string {
	const special = infinityText(t);
	if (special !== undefined) return special;
	const zone = timeZone(zoneName);
	const at = unixSeconds(t);
	const offset = zone.offsetAt(at);
	const shown =
		dateStyle[0] === "I" ? formatOffset(offset) : ` ${zone.lettersAt(at).slice(0, lettersMax)}`;
	return momentText(t + BigInt(offset) * 1_000_000n, dateStyle, shown);
}
