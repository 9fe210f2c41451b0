/**
 * The order of an enum's values: each has a sort key, a text of digits that no other value of the type has ever had. There is
 * always one between two others, so a value that comes later takes any place and no key that is in an index ever changes.
 *
 * 1. Keys compare as texts. None is empty, and none ends in the lowest digit: else there would be nothing below it.
 */
import { assert } from "@quorate/keys/assert";

const digits = "0123456789abcdefghijklmnopqrstuvwxyz";
const base = digits.length;
const digitAt = (key: string, i: number): number => (i < key.length ? digits.indexOf(key[i]!) : 0);

/** Of the values that a type is born with. */
export function firstSortKeys(count: number): readonly string[] {
	const width = Math.max(1, (count + 1).toString(base).length);
	return Array.from({ length: count }, (_, i) => `${(i + 1).toString(base).padStart(width, "0")}i`);
}

/** A key between two, undefined: below or above all. */
export function sortKeyBetween(low: string | undefined, high: string | undefined): string {
	const from = low ?? "";
	assert(high === undefined || from < high, "there is room between two values");
	const key = between(from, high);
	assert(from < key && (high === undefined || key < high), "the key lies between the two");
	return key;
}

function between(low: string, high: string | undefined): string {
	if (high !== undefined) {
		let same = 0;
		while (same < high.length && digitAt(low, same) === digitAt(high, same)) same++;
		if (same > 0) return high.slice(0, same) + between(low.slice(same), high.slice(same));
	}
	const a = digitAt(low, 0);
	const b = high === undefined ? base : digitAt(high, 0);
	// Values are mostly added at the end: one digit up, not half of what is left.
	if (high === undefined && a + 1 < base) return digits[a + 1]!;
	if (b - a > 1) return digits[(a + b) >> 1]!;
	if (high !== undefined && high.length > 1) return high[0]!;
	return digits[a]! + between(low.slice(1), undefined);
}
