/** The proleptic Gregorian calendar in days since 2000-01-01, and time in microseconds. Year 0 is 1 BC. */
export const microsPerSecond = 1_000_000n;
export const microsPerDay = 86_400_000_000n;
export const secondsPerDay = 86_400;

/** Microseconds from 1970-01-01 to 2000-01-01. */
export const epochOffset = 946_684_800_000_000n;
export const epochOffsetDays = 10_957;

/** The int64 extremes stand for the infinities. */
export const timestampInfinity = 0x7fff_ffff_ffff_ffffn;
export const timestampNegativeInfinity = -0x8000_0000_0000_0000n;
/** 4713-11-24 BC, inclusive, to 294277-01-01, exclusive. */
export const timestampMin = -211_813_488_000_000_000n;
export const timestampEnd = 9_223_371_331_200_000_000n;
/** 4713-11-24 BC, inclusive, to 5874898-01-01, exclusive. */
export const dateMin = -2_451_545;
export const dateEnd = 2_145_031_949;

export const isFiniteTimestamp = (t: bigint): boolean =>
	t !== timestampInfinity && t !== timestampNegativeInfinity;
export const isValidTimestamp = (t: bigint): boolean => t >= timestampMin && t < timestampEnd;
export const isValidDate = (days: number): boolean => days >= dateMin && days < dateEnd;

export interface CivilDate {
	readonly year: number;
	/** 1 to 12. */
	readonly month: number;
	readonly day: number;
}

/** Days since 2000-01-01. Algorithm: Howard Hinnant, "chrono-compatible low-level date algorithms". */
export function daysFromCivil(year: number, month: number, day: number): number {
	const y = month <= 2 ? year - 1 : year;
	const era = Math.floor(y / 400);
	const yearOfEra = y - era * 400;
	const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
	const dayOfEra =
		yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
	return era * 146_097 + dayOfEra - 719_468 - epochOffsetDays;
}

export function civilFromDays(days: number): CivilDate {
	const z = days + 719_468 + epochOffsetDays;
	const era = Math.floor(z / 146_097);
	const dayOfEra = z - era * 146_097;
	const yearOfEra = Math.floor(
		(dayOfEra -
			Math.floor(dayOfEra / 1460) +
			Math.floor(dayOfEra / 36_524) -
			Math.floor(dayOfEra / 146_096)) /
			365,
	);
	const dayOfYear =
		dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
	const shifted = Math.floor((5 * dayOfYear + 2) / 153);
	const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
	const month = shifted < 10 ? shifted + 3 : shifted - 9;
	return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export const isLeapYear = (year: number): boolean =>
	(year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
export function daysInMonth(year: number, month: number): number {
	return month === 2 && isLeapYear(year) ? 29 : (lengths[month - 1] as number);
}

/** 0 is Sunday. */
export const dayOfWeek = (days: number): number => (((days + 6) % 7) + 7) % 7;

/** ISO 8601 week and the year that it belongs to. */
export function isoWeek(days: number): { year: number; week: number } {
	// The week belongs to the year of its Thursday.
	const thursday = days - ((dayOfWeek(days) + 6) % 7) + 3;
	const { year } = civilFromDays(thursday);
	return { year, week: Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1 };
}

/** Monday of week 1. */
export function isoYearStart(year: number): number {
	const fourth = daysFromCivil(year, 1, 4);
	return fourth - ((dayOfWeek(fourth) + 6) % 7);
}

/** A finite timestamp as days and microseconds of the day. */
export function splitTimestamp(t: bigint): { days: number; micros: number } {
	let days = t / microsPerDay;
	let rest = t - days * microsPerDay;
	if (rest < 0n) {
		rest += microsPerDay;
		days -= 1n;
	}
	return { days: Number(days), micros: Number(rest) };
}

export const joinTimestamp = (days: number, micros: number): bigint =>
	BigInt(days) * microsPerDay + BigInt(micros);
