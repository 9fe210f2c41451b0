/**
 * Text of dates and times, after ParseDateTime and DecodeDateTime: fields in any order, in that of DateStyle where it is not
 * clear. Left out: Julian dates with fractions, and abbreviations outside the default set.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { daysFromCivil, daysInMonth, isLeapYear } from "./calendar.ts";
import { abbreviationOffset, findTimeZone, type TimeZone } from "./time-zones.ts";

export interface DateFields {
	/** Days since 2000-01-01; undefined where the text has no date. */
	readonly days: number | undefined;
	/** Microseconds since midnight, up to 24:00:00; undefined where the text has no time. */
	readonly micros: number | undefined;
	/** Seconds east of UTC, or a zone whose offset depends on the date; undefined where the text has none. */
	readonly zone: number | TimeZone | undefined;
}

export type Special =
	| "infinity"
	| "-infinity"
	| "epoch"
	| "now"
	| "today"
	| "tomorrow"
	| "yesterday";

export type ParsedDate =
	| { readonly special: Special; readonly fields?: DateFields }
	| { readonly special?: undefined; readonly fields: DateFields };

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const longMonths = [
	"january",
	"february",
	"march",
	"april",
	"may",
	"june",
	"july",
	"august",
	"september",
	"october",
	"november",
	"december",
];
const weekdays: ReadonlySet<string> = new Set([
	"sun",
	"mon",
	"tue",
	"tues",
	"wed",
	"weds",
	"thu",
	"thur",
	"thurs",
	"fri",
	"sat",
	"sunday",
	"monday",
	"tuesday",
	"wednesday",
	"thursday",
	"friday",
	"saturday",
]);
const specials: ReadonlySet<string> = new Set([
	"infinity",
	"-infinity",
	"epoch",
	"now",
	"today",
	"tomorrow",
	"yesterday",
]);

function monthOf(word: string): number {
	const index = word === "sept" ? 8 : months.indexOf(word);
	return (index >= 0 ? index : longMonths.indexOf(word)) + 1;
}

const patterns = {
	time: /(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d*))?)?(?=$|[^\d:])/y,
	isoTime: /t?(\d{2})(\d{2})(\d{2})(?:\.(\d*))?(?=$|[^\d])/y,
	date: /(\d+)([-/.])(\d{1,2}|[a-z]+)\2(\d+)(?=$|[^\d])/y,
	dayOfYear: /(\d{4})\.(\d{3})(?=$|\s)/y,
	monthFirst: /([a-z]+)-(\d{1,2})-(\d+)(?=$|[^\d])/y,
	digits: /\d+(?=$|[^\d])/y,
	zone: /([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?(?=$|[^\d:])/y,
	zoneName: /[a-z]+(?:[/_+-][a-z0-9_+-]+)+/y,
	word: /[a-z]+/y,
	julian: /j(\d+)(?=$|[^\d])/y,
	blank: /[\s,]+/y,
};

/** `dateStyle` as SHOW has it: its end says what comes first. */
export function parseDateText(text: string, typeName: string, dateStyle: string): ParsedDate {
	const folded = text.trim().toLowerCase();
	if (specials.has(folded)) {
		return { special: folded as Special };
	}
	if (folded === "" || folded.length > 150) {
		throw invalid(typeName, text);
	}
	return new DateParser(folded, text, typeName, dateStyle.slice(-3)).parse();
}

export function invalid(typeName: string, text: string): DatabaseError {
	return new DatabaseError("22007", `invalid input syntax for type ${typeName}: "${text}"`);
}

export function fieldOutOfRange(text: string, hint?: string): DatabaseError {
	return new DatabaseError(
		"22008",
		`date/time field value out of range: "${text}"`,
		hint === undefined ? {} : { hint },
	);
}

const datestyleHint = 'Perhaps you need a different "datestyle" setting.';

class DateParser {
	readonly #text: string;
	readonly #original: string;
	readonly #typeName: string;
	/** MDY, DMY or YMD. */
	readonly #order: string;
	#at = 0;
	#year: number | undefined;
	#yearDigits = 0;
	#month: number | undefined;
	#monthIsWord = false;
	#day: number | undefined;
	#dayOfYear: number | undefined;
	#days: number | undefined;
	#micros: number | undefined;
	#zone: number | TimeZone | undefined;
	#half: "am" | "pm" | undefined;
	#bc = false;
	#special: Special | undefined;

	constructor(folded: string, original: string, typeName: string, order: string) {
		this.#text = folded;
		this.#original = original;
		this.#typeName = typeName;
		this.#order = order;
	}

	parse(): ParsedDate {
		while (this.#at < this.#text.length) {
			if (this.#match(patterns.blank) === null) {
				this.#field();
			}
		}
		const fields = { days: this.#finishDate(), micros: this.#finishTime(), zone: this.#zone };
		return this.#special === undefined ? { fields } : { special: this.#special, fields };
	}

	#match(pattern: RegExp): RegExpExecArray | null {
		pattern.lastIndex = this.#at;
		const match = pattern.exec(this.#text);
		if (match !== null) {
			this.#at += match[0].length;
		}
		return match;
	}

	#invalid(): DatabaseError {
		return invalid(this.#typeName, this.#original);
	}

	#field(): void {
		const code = this.#text.charCodeAt(this.#at);
		if (code >= 0x30 && code <= 0x39) {
			this.#number();
		} else if (code >= 0x61 && code <= 0x7a) {
			this.#wordField();
		} else {
			this.#offset();
		}
	}

	#number(): void {
		const time = this.#match(patterns.time);
		if (time !== null) {
			this.#time(time);
			return;
		}
		const ordinal = this.#match(patterns.dayOfYear);
		if (ordinal !== null) {
			this.#setYear(ordinal[1] as string);
			this.#dayOfYear = Number(ordinal[2]);
			this.#days = 0;
			return;
		}
		const date = this.#match(patterns.date);
		if (date !== null) {
			this.#date(date[1] as string, date[3] as string, date[4] as string);
			return;
		}
		const digits = this.#match(patterns.digits);
		if (digits === null) {
			throw this.#invalid();
		}
		this.#digits(digits[0]);
	}

	/** hh:mm:ss.ffffff */
	#time(m: RegExpExecArray): void {
		if (this.#micros !== undefined) {
			throw this.#invalid();
		}
		const hour = Number(m[1]);
		const minute = Number(m[2]);
		const second = Number(m[3] ?? 0);
		const fraction = Math.round(Number(`0.${m[4] || "0"}`) * 1_000_000);
		const micros = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
		if (hour > 24 || minute > 59 || second > 60 || micros > 86_400_000_000) {
			throw fieldOutOfRange(this.#original);
		}
		this.#micros = micros;
	}

	#date(first: string, second: string, third: string): void {
		if (this.#day !== undefined || this.#days !== undefined) {
			throw this.#invalid();
		}
		if (/^[a-z]/.test(second)) {
			this.#monthName(second);
			this.#datePart(first);
		} else {
			this.#datePart(first);
			this.#datePart(second);
		}
		this.#datePart(third);
	}

	/** A number before it may have been taken for the month: that is the day. */
	#monthName(word: string): void {
		const month = monthOf(word);
		const taken = this.#month;
		if (taken !== undefined) {
			if (this.#monthIsWord || this.#day !== undefined || taken < 1 || taken > 31) {
				throw this.#invalid();
			}
			this.#day = taken;
		}
		if (month === 0) {
			throw this.#invalid();
		}
		this.#month = month;
		this.#monthIsWord = true;
	}

	/** Year, month or day, by what there is before it: DecodeNumber. */
	#datePart(digits: string): void {
		const isYear = digits.length > 2 || this.#order === "YMD";
		const [hasYear, hasMonth] = [this.#year !== undefined, this.#month !== undefined];
		if (this.#day !== undefined) {
			if (!hasMonth) this.#month = Number(digits);
			else if (!hasYear) this.#setYear(digits);
			else throw this.#invalid();
		} else if (hasYear && hasMonth) {
			if (this.#monthIsWord && digits.length > 2 && this.#yearDigits <= 2) {
				this.#day = this.#year;
				this.#setYear(digits);
			} else this.#day = Number(digits);
		} else if (hasYear) this.#month = Number(digits);
		else if (hasMonth ? this.#monthIsWord && isYear : isYear) this.#setYear(digits);
		else if (hasMonth || this.#order === "DMY") this.#day = Number(digits);
		else this.#month = Number(digits);
	}

	#setYear(digits: string): void {
		this.#year = Number(digits);
		this.#yearDigits = digits.length;
	}

	/** A number alone: 20000102, 000102, a day, a year, 101112 after a date. */
	#digits(digits: string): void {
		const hasDate = this.#day !== undefined || this.#days !== undefined;
		const isTime = digits.length === 6 || (digits.length === 4 && hasDate);
		if (isTime && (/^time( |$)/.test(this.#typeName) || (hasDate && this.#year !== undefined))) {
			const seconds = digits.length === 6 ? digits.slice(4) : "00";
			this.#timeDigits([digits.slice(0, 2), digits.slice(2, 4), seconds]);
			return;
		}
		if (!hasDate && this.#month === undefined && (digits.length === 8 || digits.length === 6)) {
			const year = digits.length - 4;
			this.#setYear(digits.slice(0, year));
			this.#month = Number(digits.slice(year, year + 2));
			this.#day = Number(digits.slice(year + 2));
		} else if (!hasDate && this.#month === undefined && digits.length === 7) {
			this.#setYear(digits.slice(0, 4));
			this.#dayOfYear = Number(digits.slice(4));
			this.#days = 0;
		} else {
			this.#datePart(digits);
		}
	}

	#timeDigits(parts: readonly string[], fraction = ""): void {
		const match = ["", ...parts, fraction] as unknown as RegExpExecArray;
		this.#time(match);
	}

	#wordField(): void {
		const compact = this.#dateIsComplete() ? this.#match(patterns.isoTime) : null;
		if (compact !== null) {
			this.#timeDigits(compact.slice(1, 4), compact[4] ?? "");
			return;
		}
		const julian = this.#match(patterns.julian);
		if (julian !== null) {
			this.#days = Number(julian[1]) - 2_451_545;
			return;
		}
		const monthFirst = this.#match(patterns.monthFirst);
		if (monthFirst !== null && monthOf(monthFirst[1] as string) > 0) {
			this.#monthName(monthFirst[1] as string);
			this.#datePart(monthFirst[2] as string);
			this.#datePart(monthFirst[3] as string);
			return;
		}
		if (monthFirst !== null) {
			this.#at -= monthFirst[0].length;
		}
		const zoned = this.#match(patterns.zoneName);
		if (zoned !== null) {
			this.#namedZone(zoned[0]);
			return;
		}
		this.#word((this.#match(patterns.word) as RegExpExecArray)[0]);
	}

	#dateIsComplete(): boolean {
		return this.#days !== undefined || (this.#year !== undefined && this.#day !== undefined);
	}

	#word(word: string): void {
		if (monthOf(word) > 0) {
			this.#monthName(word);
			return;
		}
		if (
			weekdays.has(word) ||
			(word === "t" && this.#dateIsComplete()) ||
			word === "at" ||
			word === "on"
		) {
			return;
		}
		if (word === "am" || word === "pm") {
			this.#half = word;
		} else if (word === "bc" || word === "ad") {
			this.#bc = word === "bc";
		} else if (word === "allballs") {
			this.#micros = 0;
			this.#zone = 0;
		} else if (specials.has(word) && this.#special === undefined) {
			this.#special = word as Special;
		} else {
			this.#namedZone(word);
		}
	}

	#namedZone(name: string): void {
		if (this.#zone !== undefined) {
			throw this.#invalid();
		}
		const zone = abbreviationOffset(name) ?? (name.length > 2 ? findTimeZone(name) : undefined);
		if (zone === undefined) {
			if (name.includes("/")) {
				throw new DatabaseError("22023", `time zone "${name}" not recognized`);
			}
			throw this.#invalid();
		}
		this.#zone = zone;
	}

	#offset(): void {
		const m = this.#match(patterns.zone);
		if (
			m === null ||
			this.#zone !== undefined ||
			!(this.#dateIsComplete() || this.#micros !== undefined)
		) {
			throw this.#invalid();
		}
		const hours = Number(m[2]);
		const minutes = Number(m[3] ?? 0);
		if (hours > 15 || minutes > 59) {
			throw new DatabaseError("22009", `time zone displacement out of range: "${this.#original}"`);
		}
		const size = hours * 3600 + minutes * 60 + Number(m[4] ?? 0);
		this.#zone = m[1] === "-" ? -size + 0 : size;
	}

	#finishTime(): number | undefined {
		if (this.#half === undefined || this.#micros === undefined) {
			return this.#micros;
		}
		const hour = 3_600_000_000;
		if (this.#micros >= 13 * hour) {
			throw fieldOutOfRange(this.#original);
		}
		const base = this.#micros >= 12 * hour ? this.#micros - 12 * hour : this.#micros;
		return this.#half === "pm" ? base + 12 * hour : base;
	}

	#finishDate(): number | undefined {
		if (this.#year !== undefined && this.#yearDigits <= 2 && !this.#bc) {
			this.#year += this.#year < 70 ? 2000 : 1900;
		}
		if (this.#dayOfYear !== undefined) {
			const year = this.#year as number;
			if (this.#dayOfYear < 1 || this.#dayOfYear > (isLeapYear(year) ? 366 : 365)) {
				throw fieldOutOfRange(this.#original);
			}
			return daysFromCivil(year, 1, 1) + this.#dayOfYear - 1;
		}
		if (this.#days !== undefined) {
			return this.#days;
		}
		if (this.#year === undefined && this.#month === undefined && this.#day === undefined) {
			return undefined;
		}
		if (this.#year === undefined || this.#month === undefined || this.#day === undefined) {
			throw this.#invalid();
		}
		return this.#civil(this.#year, this.#month, this.#day);
	}

	#civil(written: number, month: number, day: number): number {
		if (written === 0 || written > 9_999_999) {
			throw fieldOutOfRange(this.#original);
		}
		const year = this.#bc ? 1 - written : written;
		if (month < 1 || month > 12 || day < 1 || day > 31) {
			throw fieldOutOfRange(this.#original, datestyleHint);
		}
		if (day > daysInMonth(year, month)) {
			throw fieldOutOfRange(this.#original);
		}
		return daysFromCivil(year, month, day);
	}
}
