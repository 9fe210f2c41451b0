/**
 * Time zones: IANA names by Intl's data (kept up with Node), fixed offsets, and PostgreSQL's default abbreviations. What Intl
 * says is cached as pieces of 2^21 seconds, each with at most one change of offset, so that most look-ups are a Map read.
 */
import { dictionary } from "@quorate/keys/dictionary";
import { daysFromCivil, epochOffsetDays } from "./calendar.ts";
import { invalidParameter } from "./errors.ts";
import { zoneLetters } from "./zone-letters.ts";

/** Seconds east of UTC at a moment in seconds since 1970. */
export interface TimeZone {
	readonly name: string;
	offsetAt(unixSeconds: number): number;
	/** What it is called then: EST. */
	lettersAt(unixSeconds: number): string;
}

const pieceSeconds = 2 ** 21;
/** 400 Gregorian years: Intl's range is less than PostgreSQL's, and rules repeat. */
const cycleSeconds = 12_622_780_800;
const intlLimit = 8.64e12;

interface Piece {
	readonly before: number;
	/** Unix second from which `after` holds. */
	readonly change: number;
	readonly after: number;
}

class NamedZone implements TimeZone {
	readonly name: string;
	/** As the session has it: Intl may know it by another. */
	readonly #asked: string;
	readonly #format: Intl.DateTimeFormat;
	readonly #pieces = new Map<number, Piece>();

	constructor(asked: string, format: Intl.DateTimeFormat) {
		this.#asked = asked;
		this.#format = format;
		this.name = format.resolvedOptions().timeZone;
	}

	offsetAt(unixSeconds: number): number {
		let at = unixSeconds;
		while (at > intlLimit - pieceSeconds * 2) {
			at -= cycleSeconds;
		}
		const index = Math.floor(at / pieceSeconds);
		const piece = this.#pieces.get(index) ?? this.#load(index);
		return at < piece.change ? piece.before : piece.after;
	}

	lettersAt(unixSeconds: number): string {
		const offset = this.offsetAt(unixSeconds);
		const letters = zoneLetters(this.#asked, offset, unixSeconds);
		return letters ?? formatOffset(offset).replaceAll(":", "");
	}

	#load(index: number): Piece {
		let low = index * pieceSeconds;
		let high = low + pieceSeconds - 1;
		const before = this.#ask(low);
		const after = this.#ask(high);
		if (before !== after) {
			while (high - low > 1) {
				const middle = Math.floor((low + high) / 2);
				if (this.#ask(middle) === before) {
					low = middle;
				} else {
					high = middle;
				}
			}
		}
		const piece = { before, change: high, after };
		if (this.#pieces.size > 4096) {
			this.#pieces.clear();
		}
		this.#pieces.set(index, piece);
		return piece;
	}

	#ask(unixSeconds: number): number {
		const field: Record<string, number> = {};
		let before = false;
		for (const { type, value } of this.#format.formatToParts(unixSeconds * 1000)) {
			if (type === "era") {
				before = value.startsWith("B");
			} else if (type !== "literal") {
				field[type] = Number(value);
			}
		}
		const year = field["year"] ?? 0;
		const civil = before ? 1 - year : year;
		const days = daysFromCivil(civil, field["month"] ?? 1, field["day"] ?? 1) + epochOffsetDays;
		const seconds =
			(field["hour"] ?? 0) * 3600 + (field["minute"] ?? 0) * 60 + (field["second"] ?? 0);
		return days * 86_400 + seconds - unixSeconds;
	}
}

class FixedZone implements TimeZone {
	readonly name: string;
	readonly #offset: number;

	constructor(name: string, offset: number) {
		this.name = name;
		this.#offset = offset;
	}

	offsetAt(): number {
		return this.#offset;
	}

	/** Of <+02>-02 what is in the brackets, of FOO5 the letters. */
	lettersAt(): string {
		return /^<([^>]*)>/.exec(this.name)?.[1] ?? this.name.replace(/[^a-z].*$/i, "");
	}
}

export const utc: TimeZone = new FixedZone("UTC", 0);

/** Hours east of UTC, from PostgreSQL's timezonesets/Default; the ones that drivers and people write. */
const abbreviations: Readonly<Record<string, number>> = dictionary({
	utc: 0,
	gmt: 0,
	z: 0,
	zulu: 0,
	ut: 0,
	uct: 0,
	wet: 0,
	west: 1,
	bst: 1,
	cet: 1,
	cest: 2,
	met: 1,
	mest: 2,
	eet: 2,
	eest: 3,
	msk: 3,
	msd: 4,
	est: -5,
	edt: -4,
	cst: -6,
	cdt: -5,
	mst: -7,
	mdt: -6,
	pst: -8,
	pdt: -7,
	akst: -9,
	akdt: -8,
	hst: -10,
	ast: -4,
	adt: -3,
	nst: -3.5,
	ndt: -2.5,
	brt: -3,
	brst: -2,
	art: -3,
	clt: -4,
	ist: 2,
	idt: 3,
	sast: 2,
	eat: 3,
	pkt: 5,
	npt: 5.75,
	ict: 7,
	wib: 7,
	hkt: 8,
	sgt: 8,
	awst: 8,
	jst: 9,
	kst: 9,
	acst: 9.5,
	acdt: 10.5,
	aest: 10,
	aedt: 11,
	nzst: 12,
	nzdt: 13,
});

export const zoneAbbreviations: readonly string[] = Object.keys(abbreviations);

/** Offset of an abbreviation in seconds; names are folded by the caller. */
export function abbreviationOffset(name: string): number | undefined {
	const hours = abbreviations[name];
	return hours === undefined ? undefined : hours * 3600;
}

const known = new Map<string, TimeZone>([
	["utc", utc],
	["gmt", new FixedZone("GMT", 0)],
]);

/** POSIX: letters (or <...>), then hours *west* of UTC, and no daylight saving. */
const posix = /^(?:[a-z]{3,}|<[^<>]+>)([+-]?)(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?$/;
const numberOfHours = /^([+-]?)(\d{1,2})(?::?([0-5]\d))?$/;

function seconds(match: RegExpExecArray): number {
	const size = Number(match[2]) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
	return match[1] === "-" ? -size : size;
}

/** Undefined: no such zone. IANA names and POSIX ones, as pg_tzset. */
function zoneByName(folded: string): TimeZone | undefined {
	const match = posix.exec(folded);
	if (match !== null) {
		return new FixedZone(folded.toUpperCase(), -seconds(match) + 0);
	}
	if (!/^[a-z][a-z0-9_+/-]*$/.test(folded)) {
		return undefined;
	}
	try {
		return new NamedZone(
			folded,
			new Intl.DateTimeFormat("en-US", {
				timeZone: folded,
				hourCycle: "h23",
				era: "short",
				year: "numeric",
				month: "numeric",
				day: "numeric",
				hour: "numeric",
				minute: "numeric",
				second: "numeric",
			}),
		);
	} catch {
		return undefined;
	}
}

/** The zone of a session's TimeZone setting; a bare number is hours east of UTC. */
export function findTimeZone(name: string): TimeZone | undefined {
	const folded = name.trim().toLowerCase();
	const cached = known.get(folded);
	if (cached !== undefined) {
		return cached;
	}
	const match = numberOfHours.exec(folded);
	const zone = match === null ? zoneByName(folded) : fixedZone(seconds(match));
	if (zone !== undefined) {
		if (known.size > 1000) {
			known.clear();
		}
		known.set(folded, zone);
	}
	return zone;
}

/** As PostgreSQL names a numeric zone: <+02>-02. */
export function fixedZone(offset: number): TimeZone {
	const text = formatOffset(offset);
	const inverted = (text.startsWith("-") ? "+" : "-") + text.slice(1);
	return new FixedZone(`<${text}>${inverted}`, offset);
}

/** Throws 22023. */
export function timeZone(name: string): TimeZone {
	const found = findTimeZone(name);
	if (found === undefined) {
		throw invalidParameter(`time zone "${name}" not recognized`);
	}
	return found;
}

/** The zone of AT TIME ZONE: abbreviations come first, and numbers are POSIX, west of UTC. */
export function zoneOfText(name: string): TimeZone {
	const folded = name.trim().toLowerCase();
	const offset = abbreviationOffset(folded);
	if (offset !== undefined) {
		return new FixedZone(name, offset);
	}
	const match = numberOfHours.exec(folded);
	return match === null ? timeZone(name) : new FixedZone(name, -seconds(match) + 0);
}

/** +HH, +HH:MM or +HH:MM:SS. */
export function formatOffset(offset: number): string {
	const size = Math.abs(offset);
	const two = (n: number): string => String(n).padStart(2, "0");
	let out = (offset < 0 ? "-" : "+") + two(Math.floor(size / 3600));
	if (size % 3600 !== 0) {
		out += `:${two(Math.floor(size / 60) % 60)}`;
		if (size % 60 !== 0) {
			out += `:${two(size % 60)}`;
		}
	}
	return out;
}

/**
 * Offset of a local time, in seconds since 1970 as if it were UTC. A time that a change skips takes the offset before it, one
 * that a change repeats the offset after it, as DetermineTimeZoneOffset.
 */
export function offsetOfLocal(zone: TimeZone, localSeconds: number): number {
	const before = zone.offsetAt(localSeconds - 86_400);
	const after = zone.offsetAt(localSeconds + 86_400);
	if (before === after) {
		return before;
	}
	const afterHolds = zone.offsetAt(localSeconds - after) === after;
	return afterHolds ? after : before;
}
