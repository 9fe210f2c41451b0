/**
 * INTERVAL DAY TO MINUTE and the like: what comes after the last field is cut off. A modifier says which fields there are by a mask, as
 * PostgreSQL's does, above the number of digits that seconds have.
 */
import { microsPerDay } from "./calendar.ts";
import type { Interval } from "./datum.ts";
import { interval } from "./interval-values.ts";

/** In their order, with the bits that PostgreSQL gives them. */
const fields = [
	["year", 1 << 2],
	["month", 1 << 1],
	["day", 1 << 3],
	["hour", 1 << 10],
	["minute", 1 << 11],
	["second", 1 << 12],
] as const;
/** All of them, unnamed. */
export const fullRange = 0x7fff;
/** As many digits as there are. */
export const anyDigits = 0xffff;
const second = 1 << 12;
const unitMicros = new Map([
	[1 << 10, microsPerDay / 24n],
	[1 << 11, microsPerDay / 1440n],
]);

const indexOf = (name: string): number => fields.findIndex(([field]) => field === name);

export const fieldsMask = (first: string, last: string): number =>
	fields.slice(indexOf(first), indexOf(last) + 1).reduce((mask, [, bit]) => mask | bit, 0);

const within = (mask: number) => fields.filter(([, bit]) => (mask & bit) !== 0);

/** " day to minute"; nothing where all fields are there. */
export function describeFields(mask: number): string {
	if (mask === fullRange) return "";
	const names = within(mask).map(([name]) => name);
	return names.length === 1 ? ` ${names[0]}` : ` ${names[0]} to ${names.at(-1)}`;
}

/** Fields before the first one stay. */
export function cutFields(value: Interval, mask: number): Interval {
	const last = within(mask).at(-1)?.[1];
	if (mask === fullRange || last === undefined || last === second) return value;
	const { months, days, microseconds } = value;
	switch (last) {
		case 1 << 2:
			return interval(Math.trunc(months / 12) * 12, 0, 0n);
		case 1 << 1:
			return interval(months, 0, 0n);
		case 1 << 3:
			return interval(months, days, 0n);
	}
	const unit = unitMicros.get(last)!;
	return interval(months, days, (microseconds / unit) * unit);
}
