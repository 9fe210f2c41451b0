/** ISO text of dates and times. */
import {
	civilFromDays,
	epochOffset,
	splitTimestamp,
	timestampInfinity,
	timestampNegativeInfinity,
} from "./calendar.ts";
import { formatOffset, timeZone } from "./time-zones.ts";

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** Year 0 is 1 BC; the era goes to the very end of a timestamp. */
function civilText(days: number): { text: string; era: string } {
	const { year, month, day } = civilFromDays(days);
	const shown = year > 0 ? year : 1 - year;
	return {
		text: `${String(shown).padStart(4, "0")}-${two(month)}-${two(day)}`,
		era: year > 0 ? "" : " BC",
	};
}

export function formatDate(days: number): string {
	if (!Number.isFinite(days)) {
		return days > 0 ? "infinity" : "-infinity";
	}
	const { text, era } = civilText(days);
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

export function formatTimestamp(t: bigint): string {
	const special = infinityText(t);
	if (special !== undefined) {
		return special;
	}
	const { days, micros } = splitTimestamp(t);
	const { text, era } = civilText(days);
	return `${text} ${formatTime(micros)}${era}`;
}

/** Whole seconds since 1970, rounded down. */
export function unixSeconds(t: bigint): number {
	const shifted = t + epochOffset;
	const seconds = shifted / 1_000_000n;
	return Number(shifted < 0n && seconds * 1_000_000n !== shifted ? seconds - 1n : seconds);
}

export function formatTimestamptz(t: bigint, zoneName: string): string {
	const special = infinityText(t);
	if (special !== undefined) {
		return special;
	}
	const offset = timeZone(zoneName).offsetAt(unixSeconds(t));
	const { days, micros } = splitTimestamp(t + BigInt(offset) * 1_000_000n);
	const { text, era } = civilText(days);
	return `${text} ${formatTime(micros)}${formatOffset(offset)}${era}`;
}
