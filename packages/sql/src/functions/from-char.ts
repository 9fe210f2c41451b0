/**
 * to_timestamp and to_date with a pattern: DCH_from_char of PostgreSQL's formatting.c, field by field. Names are English (TM changes
 * nothing). What takes a number takes all digits there are, unless another number stands right behind it.
 */
import { DatabaseError, type DatabaseErrorFields } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import {
	civilFromDays,
	daysFromCivil,
	daysInMonth,
	isLeapYear,
	isoYearStart,
	isValidDate,
	isValidTimestamp,
	joinTimestamp,
} from "../types/calendar.ts";
import { fromLocal, outOfRange } from "../types/date-types.ts";
import { int4Max, int4Min } from "../types/integer-types.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { contextual, stable } from "./definition.ts";
import { dayNames, monthNames, unquoted } from "./to-char-date.ts";

type Mode = "gregorian" | "iso";
type Slot =
	| "hh"
	| "mi"
	| "ss"
	| "ms"
	| "us"
	| "ssss"
	| "dd"
	| "ddd"
	| "d"
	| "mm"
	| "ww"
	| "w"
	| "cc"
	| "j"
	| "year"
	| "tzh"
	| "tzm"
	| "pm"
	| "bc";

/** A field of a pattern. */
interface Field {
	readonly mode?: Mode;
	/** Whether digits may stand right before it only if they are as many as their field has. */
	readonly digits: boolean;
	read(reader: Reader, piece: Piece): void;
}

export type Piece =
	| {
			readonly kind: "field";
			readonly name: string;
			readonly field: Field;
			readonly slurps: boolean;
			readonly ordinal: boolean;
	  }
	/** "unknown": stands between fields, and is not one of those that may. */
	| { readonly kind: "blank" | "other" | "unknown"; readonly text: string };

const malformed = (message: string, fields: DatabaseErrorFields = {}): DatabaseError =>
	new DatabaseError("22007", message, fields);

const notAllowed = "The given value did not match any of the allowed values for this field.";
const notFixed = 'If your source string is not fixed-width, try using the "FM" modifier.';

const isBlank = (character: string | undefined): boolean =>
	character !== undefined && /[ \t\n\v\f\r]/.test(character);
const isSeparator = (character: string | undefined): boolean =>
	character !== undefined && /[!-/:-@[-`{-~]/.test(character);

/** What has been read, and where. */
class Reader {
	readonly text: string;
	at = 0;
	/** Blanks and separators that were passed by beyond those of the pattern. */
	extra = 0;
	fixed = false;
	twelveHours = false;
	/** 0: no zone. */
	zoneSign = 0;
	/** Of the year that was given last. */
	yearDigits = 0;
	mode: Mode | undefined;
	readonly slots = new Map<Slot, number>();

	constructor(text: string) {
		this.text = text;
	}

	get(slot: Slot): number {
		return this.slots.get(slot) ?? 0;
	}

	set(slot: Slot, value: number, name: string): void {
		const before = this.get(slot);
		if (before !== 0 && before !== value) {
			throw malformed(`conflicting values for "${name}" field in formatting string`, {
				detail: "This value contradicts a previous setting for the same field type.",
			});
		}
		this.slots.set(slot, value);
	}

	blanks(): number {
		const from = this.at;
		while (isBlank(this.text[this.at])) this.at++;
		return this.at - from;
	}

	/** A number of `length` digits, or of all there are. Answers how many characters it had. */
	number(piece: Piece, length: number, slot: Slot | undefined): number {
		this.blanks();
		const { name, slurps } = piece as Extract<Piece, { kind: "field" }>;
		const start = this.at;
		const rest = this.text.slice(start);
		const copy = rest.slice(0, length);
		if (!slurps && copy.length < length) {
			throw malformed(`source string too short for "${name}" formatting field`, {
				detail: `Field requires ${length} characters, but only ${copy.length} remain.`,
				hint: notFixed,
			});
		}
		const digits = /^[ \t\n\v\f\r]*[+-]?\d+/.exec(slurps ? rest : copy)?.[0] ?? "";
		if (!slurps && digits.length > 0 && digits.length < length) {
			throw malformed(`invalid value "${copy}" for "${name}"`, {
				detail: `Field requires ${length} characters, but only ${digits.length} could be parsed.`,
				hint: notFixed,
			});
		}
		if (digits === "") {
			throw malformed(`invalid value "${copy}" for "${name}"`, {
				detail: "Value must be an integer.",
			});
		}
		const value = Number(digits);
		if (value < int4Min || value > int4Max) {
			throw new DatabaseError("22008", `value for "${name}" in source string is out of range`, {
				detail: `Value must be in the range ${int4Min} to ${int4Max}.`,
			});
		}
		this.at += digits.length;
		if (slot !== undefined) this.set(slot, value, name);
		return digits.length;
	}

	/** Which of them comes next, in whatever case. */
	oneOf(piece: Piece, names: readonly string[]): number {
		const rest = this.text.slice(this.at, this.at + 12).toLowerCase();
		const found = names.findIndex((name) => rest.startsWith(name.toLowerCase()));
		if (found >= 0) {
			this.at += names[found]!.length;
			return found;
		}
		const word = /^\S*/.exec(this.text.slice(this.at))![0];
		throw malformed(
			`invalid value "${word}" for "${(piece as Extract<Piece, { kind: "field" }>).name}"`,
			{ detail: notAllowed },
		);
	}
}

const numeric = (slot: Slot | undefined, length: number, mode?: Mode): Field => ({
	...(mode === undefined ? {} : { mode }),
	digits: true,
	read(reader, piece) {
		reader.number(piece, length, slot);
	},
});

/** Part of a second: 5 is a half of one, 05 a twentieth. */
const fraction = (slot: "ms" | "us", length: number, digits: number, isDigits = true): Field => ({
	digits: isDigits,
	read(reader, piece) {
		const used = reader.number(piece, length, undefined);
		const value = Number(reader.text.slice(reader.at - used, reader.at));
		reader.set(slot, value * 10 ** Math.max(digits - used, 0), (piece as { name: string }).name);
	},
});

/** Of a year without its century: the one that is nearest to 2020. */
function nearest(year: number): number {
	if (year < 70) return year + 2000;
	if (year < 100) return year + 1900;
	if (year < 520) return year + 2000;
	return year < 1000 ? year + 1000 : year;
}

const yearField = (length: number, mode: Mode): Field => ({
	mode,
	digits: true,
	read(reader, piece) {
		const used = reader.number(piece, length, undefined);
		const value = Number(reader.text.slice(reader.at - used, reader.at));
		const isWhole = length === 4 || used >= 4;
		reader.set("year", isWhole ? value : nearest(value), (piece as { name: string }).name);
		reader.yearDigits = length;
	},
});

const half = (names: readonly string[], slot: "pm" | "bc"): Field => ({
	digits: false,
	read(reader, piece) {
		const found = reader.oneOf(piece, names) % 2;
		reader.set(slot, found, (piece as { name: string }).name);
		if (slot === "pm") reader.twelveHours = true;
	},
});

const named = (names: readonly string[], slot: Slot, first: number, mode?: Mode): Field => ({
	...(mode === undefined ? {} : { mode }),
	digits: false,
	read(reader, piece) {
		reader.set(slot, reader.oneOf(piece, names) + first, (piece as { name: string }).name);
	},
});

const onlyShown: Field = {
	digits: false,
	read(_reader, piece) {
		throw new DatabaseError(
			"0A000",
			`formatting field "${(piece as { name: string }).name}" is only supported in to_char`,
		);
	},
};

const short = (names: readonly string[]): readonly string[] =>
	names.map((name) => name.slice(0, 3));
const romans = ["XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I"];
const [eras, longEras] = [
	["ad", "bc"],
	["a.d.", "b.c."],
];
const [halves, longHalves] = [
	["am", "pm"],
	["a.m.", "p.m."],
];

const hour12: Field = {
	digits: true,
	read(reader, piece) {
		reader.number(piece, 2, "hh");
		reader.twelveHours = true;
	},
};

const thousands: Field = {
	mode: "gregorian",
	digits: true,
	read(reader) {
		const found = /^\s*([+-]?\d+),\s*([+-]?\d{1,3})/.exec(reader.text.slice(reader.at));
		if (found === null) throw malformed('invalid input string for "Y,YYY"');
		reader.set("year", Number(found[1]) * 1000 + Number(found[2]), "Y,YYY");
		reader.yearDigits = 4;
		reader.at += found[0].length;
	},
};

const zoneHours: Field = {
	digits: false,
	read(reader, piece) {
		const sign = reader.text[reader.at];
		if (sign === "+" || sign === "-" || sign === " ") {
			reader.zoneSign = sign === "-" ? -1 : 1;
			reader.at++;
		} else {
			reader.zoneSign = reader.extra > 0 && reader.text[reader.at - 1] === "-" ? -1 : 1;
		}
		reader.number(piece, 2, "tzh");
	},
};

const zoneMinutes: Field = {
	digits: true,
	read(reader, piece) {
		if (reader.zoneSign === 0) reader.zoneSign = 1;
		reader.number(piece, 2, "tzm");
	},
};

/** Sunday is 1. */
const isoDay: Field = {
	mode: "iso",
	digits: true,
	read(reader, piece) {
		const used = reader.number(piece, 1, undefined);
		const value = Number(reader.text.slice(reader.at - used, reader.at));
		reader.set("d", value + 1 > 7 ? 1 : value + 1, "ID");
	},
};

const fields: Readonly<Record<string, Field>> = dictionary({
	"A.D.": half(longEras, "bc"),
	"A.M.": half(longHalves, "pm"),
	AD: half(eras, "bc"),
	AM: half(halves, "pm"),
	"B.C.": half(longEras, "bc"),
	BC: half(eras, "bc"),
	CC: numeric("cc", 2),
	DAY: named(dayNames, "d", 1),
	DDD: numeric("ddd", 3, "gregorian"),
	DD: numeric("dd", 2, "gregorian"),
	DY: named(short(dayNames), "d", 1),
	D: numeric("d", 1, "gregorian"),
	...Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`FF${n}`, fraction("us", n, 6, false)])),
	FX: {
		digits: false,
		read(reader) {
			reader.fixed = true;
		},
	},
	HH24: numeric("hh", 2),
	HH12: hour12,
	HH: hour12,
	IDDD: numeric("ddd", 4, "iso"),
	ID: isoDay,
	IW: numeric("ww", 2, "iso"),
	IYYY: yearField(4, "iso"),
	IYY: yearField(3, "iso"),
	IY: yearField(2, "iso"),
	I: yearField(1, "iso"),
	J: numeric("j", 1),
	MI: numeric("mi", 2),
	MM: numeric("mm", 2, "gregorian"),
	MONTH: named(monthNames, "mm", 1, "gregorian"),
	MON: named(short(monthNames), "mm", 1, "gregorian"),
	MS: fraction("ms", 3, 3),
	OF: onlyShown,
	"P.M.": half(longHalves, "pm"),
	PM: half(halves, "pm"),
	Q: numeric(undefined, 1),
	RM: {
		mode: "gregorian",
		digits: false,
		read: (reader, piece) => reader.set("mm", 12 - reader.oneOf(piece, romans), "RM"),
	},
	SSSSS: numeric("ssss", 5),
	SSSS: numeric("ssss", 4),
	SS: numeric("ss", 2),
	TZH: zoneHours,
	TZM: zoneMinutes,
	TZ: onlyShown,
	US: fraction("us", 6, 6),
	WW: numeric("ww", 2, "gregorian"),
	W: numeric("w", 1, "gregorian"),
	"Y,YYY": thousands,
	YYYY: yearField(4, "gregorian"),
	YYY: yearField(3, "gregorian"),
	YY: yearField(2, "gregorian"),
	Y: yearField(1, "gregorian"),
});

/** As patterns write them: in one case, but for names. */
const spellings: readonly (readonly [string, string])[] = Object.keys(fields)
	.flatMap((name): (readonly [string, string])[] => [
		[name, name],
		[name.toLowerCase(), name],
		...(["DAY", "DY", "MONTH", "MON"].includes(name)
			? [[name[0] + name.slice(1).toLowerCase(), name] as const]
			: []),
	])
	.sort(([a], [b]) => b.length - a.length);

interface Parsed {
	readonly name: string;
	readonly field: Field;
	readonly fills: boolean;
	readonly ordinal: boolean;
}

function kindOf(text: string, separators: string | undefined): "blank" | "other" | "unknown" {
	if (separators !== undefined) return separators.includes(text) ? "blank" : "unknown";
	return isSeparator(text) || isBlank(text) ? "blank" : "other";
}

/** `separators`: if not anything may stand between fields. */
function piecesOf(pattern: string, separators?: string): readonly Piece[] {
	const pieces: (Parsed | Piece)[] = [];
	for (let at = 0; at < pattern.length; ) {
		const quoted = /^"(?:[^"\\]|\\[\s\S])*\\?"?/.exec(
			pattern.slice(at, at + 1) === '"' ? pattern.slice(at) : "",
		)?.[0];
		if (quoted !== undefined) {
			for (const text of unquoted(quoted)) pieces.push({ kind: "other", text });
			at += quoted.length;
			continue;
		}
		const prefix = /^(?:FM|fm|TM|tm)/.exec(pattern.slice(at, at + 2))?.[0] ?? "";
		at += prefix.length;
		const spelling = spellings.find(([text]) => pattern.startsWith(text, at));
		if (spelling !== undefined) {
			const [text, name] = spelling;
			at += text.length;
			const ordinal = /^(?:TH|th)$/.test(pattern.slice(at, at + 2));
			const suffix = ordinal || pattern.startsWith("SP", at);
			if (suffix) at += 2;
			pieces.push({ name: text, field: fields[name]!, fills: /^fm$/i.test(prefix), ordinal });
			continue;
		}
		if (at >= pattern.length) break;
		if (pattern[at] === "\\" && pattern[at + 1] === '"') at++;
		const text = String.fromCodePoint(pattern.codePointAt(at)!);
		pieces.push({ kind: kindOf(text, separators), text });
		at += text.length;
	}
	return pieces.map((piece, i): Piece => {
		if (!("field" in piece) || "kind" in piece) return piece;
		const next = pieces[i + 1];
		const isBeforeDigits =
			next !== undefined && ("field" in next ? next.field.digits : /^\d$/.test(next.text));
		const { name, field, ordinal } = piece;
		return {
			kind: "field",
			name,
			field,
			slurps: piece.fills || ordinal || !isBeforeDigits,
			ordinal,
		};
	});
}

/** As the SQL standard wants it: what the pattern separates with stands in the text, and nothing is left over. */
function readStrictly(text: string, pieces: readonly Piece[]): Reader {
	const reader = new Reader(text);
	reader.fixed = true;
	for (const piece of pieces) {
		if (reader.at >= text.length) {
			throw malformed("input string is too short for datetime format");
		}
		if (piece.kind === "field") {
			readField(reader, piece);
		} else if (reader.text.startsWith(piece.text, reader.at)) {
			reader.at += piece.text.length;
		} else {
			const what = piece.kind === "blank" ? "separator" : "character";
			throw malformed(`unmatched format ${what} "${piece.text}"`);
		}
	}
	reader.blanks();
	if (reader.at >= text.length) return reader;
	throw malformed("trailing characters remain in input string after datetime format");
}

function readAll(text: string, pattern: string): Reader {
	const reader = new Reader(text);
	for (const [i, piece] of piecesOf(pattern).entries()) {
		if (reader.at >= text.length) break;
		if (!reader.fixed && (piece.kind === "field" || i === 0)) reader.extra += reader.blanks();
		if (piece.kind === "field") readField(reader, piece);
		else if (piece.kind !== "unknown") skip(reader, piece.kind);
	}
	return reader;
}

function skip(reader: Reader, kind: "blank" | "other"): void {
	const character = reader.text.codePointAt(reader.at);
	const length = character === undefined ? 0 : String.fromCodePoint(character).length;
	if (reader.fixed) {
		reader.at += length;
	} else if (kind === "blank") {
		reader.extra--;
		if (!isBlank(reader.text[reader.at]) && !isSeparator(reader.text[reader.at])) return;
		reader.at++;
		reader.extra++;
	} else if (reader.extra > 0) {
		reader.extra--;
	} else {
		reader.at += length;
	}
}

function readField(reader: Reader, piece: Extract<Piece, { kind: "field" }>): void {
	const { mode } = piece.field;
	if (mode !== undefined) {
		if (reader.mode !== undefined && reader.mode !== mode) {
			throw malformed("invalid combination of date conventions", {
				hint: "Do not mix Gregorian and ISO week date conventions in a formatting template.",
			});
		}
		reader.mode = mode;
	}
	piece.field.read(reader, piece);
	if (piece.ordinal) reader.at = Math.min(reader.at + 2, reader.text.length);
	if (reader.fixed) return;
	reader.extra = reader.blanks();
}

interface Result {
	readonly days: number;
	readonly micros: number;
	/** Seconds east of UTC; undefined: none was given. */
	readonly offset: number | undefined;
}

/** `text` is shown where it does not fit. */
function resultOf(reader: Reader, text: string): Result {
	const overflow = (): DatabaseError =>
		new DatabaseError("22008", `date/time field value out of range: "${text}"`);
	const micros = timeOf(reader, overflow);
	const days = dayOf(reader, overflow);
	if (reader.zoneSign === 0) return { days, micros, offset: undefined };
	const [hours, minutes] = [reader.get("tzh"), reader.get("tzm")];
	if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) {
		throw new DatabaseError("22009", `time zone displacement out of range: "${text}"`);
	}
	return { days, micros, offset: reader.zoneSign * (hours * 3600 + minutes * 60) };
}

function timeOf(reader: Reader, overflow: () => DatabaseError): number {
	const whole = reader.get("ssss");
	let hour = reader.get("hh") || Math.trunc(whole / 3600);
	const minute = reader.get("mi") || Math.trunc((whole % 3600) / 60);
	const second = reader.get("ss") || whole % 60;
	if (reader.twelveHours) {
		if (hour < 1 || hour > 12) {
			throw malformed(`hour "${hour}" is invalid for the 12-hour clock`, {
				hint: "Use the 24-hour clock, or give an hour between 1 and 12.",
			});
		}
		if (reader.get("pm") === 1 && hour < 12) hour += 12;
		else if (reader.get("pm") === 0 && hour === 12) hour = 0;
	}
	const part = reader.get("ms") * 1000 + reader.get("us");
	const isInside = (value: number, end: number): boolean => value >= 0 && value < end;
	if (
		!isInside(hour, 24) ||
		!isInside(minute, 60) ||
		!isInside(second, 60) ||
		!isInside(part, 1_000_000)
	) {
		throw overflow();
	}
	return ((hour * 60 + minute) * 60 + second) * 1_000_000 + part;
}

/** 0 is 1 BC; undefined: none was given. */
function yearOf(reader: Reader): number | undefined {
	const sign = reader.get("bc") === 1 ? -1 : 1;
	const century = sign * reader.get("cc");
	const year = reader.get("year");
	if (year === 0) {
		if (century === 0) return undefined;
		return century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
	}
	if (century === 0 || reader.yearDigits > 2)
		return sign * year < 0 ? sign * year + 1 : sign * year;
	const last = year % 100;
	if (last === 0) return century * 100 + (century >= 0 ? 0 : 1);
	return century >= 0 ? last + (century - 1) * 100 : (century + 1) * 100 - last + 1;
}

function dayOf(reader: Reader, overflow: () => DatabaseError): number {
	const given = yearOf(reader);
	let [year, month, day] = [given ?? 0, 1, 1];
	let ordinalDay = reader.get("ddd");
	let isWhole = false;
	const take = (days: number): void => {
		({ year, month, day } = civilFromDays(days));
		isWhole = true;
	};
	if (reader.get("j") !== 0) take(reader.get("j") - 2_451_545);
	const week = reader.get("ww");
	if (week !== 0 && reader.mode === "iso") {
		const monday = isoYearStart(year) + (week - 1) * 7;
		const weekday = reader.get("d");
		// Sunday, which is 1, ends the week.
		take(weekday === 0 ? monday : weekday > 1 ? monday + weekday - 2 : monday + 6);
	} else if (week !== 0) {
		ordinalDay = (week - 1) * 7 + 1;
	}
	const dayOfMonth = reader.get("w") === 0 ? reader.get("dd") : (reader.get("w") - 1) * 7 + 1;
	if (dayOfMonth !== 0) day = dayOfMonth;
	if (reader.get("mm") !== 0) month = reader.get("mm");
	if (ordinalDay !== 0 && (month <= 1 || day <= 1)) {
		if (year === 0 && reader.get("bc") === 0) {
			throw malformed("cannot calculate day of year without year information");
		}
		if (reader.mode === "iso") {
			take(isoYearStart(year) + ordinalDay - 1);
		} else {
			const found = inYear(year, ordinalDay);
			if (month <= 1) month = found.month;
			if (day <= 1) day = found.day;
			isWhole = given !== undefined;
		}
	}
	const isGiven = reader.get("mm") !== 0 && dayOfMonth !== 0 && given !== undefined;
	if (month < 1 || month > 12 || day < 1 || day > 31) throw overflow();
	if ((isGiven || isWhole) && day > daysInMonth(year, month)) throw overflow();
	return daysFromCivil(year, month, 1) + day - 1;
}

/** Of the year: behind its end in a month that there is not. */
function inYear(
	year: number,
	ordinalDay: number,
): { readonly month: number; readonly day: number } {
	let rest = ordinalDay;
	for (let month = 1; month <= 12; month++) {
		const length = month === 2 ? (isLeapYear(year) ? 29 : 28) : daysInMonth(year, month);
		if (rest <= length) return { month, day: rest };
		rest -= length;
	}
	return { month: 13, day: rest };
}

function toDate(text: string, pattern: string): number {
	const { days } = resultOf(readAll(text, pattern), text);
	if (!isValidDate(days)) throw outOfRange("date", text);
	return days;
}

function toTimestamp(text: string, pattern: string, zone: string): bigint {
	const { days, micros, offset } = resultOf(readAll(text, pattern), text);
	const local = joinTimestamp(days, micros);
	const instant =
		offset === undefined ? fromLocal(local, zone) : local - BigInt(offset) * 1_000_000n;
	if (!isValidTimestamp(instant)) throw outOfRange("timestamp");
	return instant;
}

const ofTime = /^(?:[AP]\.?M\.?|HH(?:12|24)?|MI|MS|SS|SSSSS?|US|FF[1-6])$/i;
const ofZone = /^(?:TZ|OF|TZH|TZM)$/i;

/** On the clock of its zone. */
export interface TemplateMoment {
	readonly type: "date" | "time" | "timetz" | "timestamp" | "timestamptz";
	/** Undefined: of a time. */
	readonly days: number | undefined;
	/** Of the day. */
	readonly micros: number;
	/** Seconds east of UTC. */
	readonly offset: number;
}

/** What separates fields in a template. */
const strictSeparators = "-./,':; ";

/** The pieces of a template. Throws 22007. */
export function templatePieces(template: string): readonly Piece[] {
	const pieces = piecesOf(template, strictSeparators);
	const wrong = pieces.find((piece) => piece.kind === "unknown");
	if (wrong === undefined) return pieces;
	throw malformed(`invalid datetime format separator: "${(wrong as { text: string }).text}"`);
}

/** What a text says by a template. Throws 22007, 22008, 22009, 0A000. */
export function momentByTemplate(text: string, pieces: readonly Piece[]): TemplateMoment {
	const names = pieces.flatMap((piece) =>
		piece.kind === "field" && !/^FX$/i.test(piece.name) ? [piece.name] : [],
	);
	const isTimed = names.some((name) => ofTime.test(name));
	const isZoned = names.some((name) => ofZone.test(name));
	const isDated = names.some((name) => !ofTime.test(name) && !ofZone.test(name));
	const reader = readStrictly(text, pieces);
	const { days, micros, offset = 0 } = resultOf(reader, text);
	if (isDated && isZoned && !isTimed) throw malformed("datetime format is zoned but not timed");
	if (!isDated && !isTimed) throw malformed("datetime format is not dated and not timed");
	const digits = names.findLast((name) => /^FF\d$/i.test(name))?.at(-1);
	const unit = 10 ** (6 - Number(digits ?? 6));
	const kind = isDated ? (isTimed ? "timestamp" : "date") : "time";
	return {
		type: isZoned ? (`${kind}tz` as TemplateMoment["type"]) : kind,
		days: isDated ? days : undefined,
		micros: isTimed ? Math.round(micros / unit) * unit : 0,
		offset,
	};
}

export const fromCharFunctions: readonly ScalarFunction[] = [
	contextual("to_date(text, text) -> date", stable, ([text, pattern]) =>
		toDate(text as string, pattern as string),
	),
	contextual("to_timestamp(text, text) -> timestamptz", stable, ([text, pattern], { timeZone }) =>
		toTimestamp(text as string, pattern as string, timeZone),
	),
];
