/** Lengths of time as settings write them: a whole number and a unit, none meaning milliseconds. */

const units: Readonly<Record<string, number>> = {
	ms: 1,
	s: 1000,
	min: 60_000,
	h: 3_600_000,
	d: 86_400_000,
};

/** In milliseconds; 0 for what is not of that form. */
export function durationMs(value: string): number {
	const match = /^(\d+)(ms|s|min|h|d)?$/.exec(value);
	return match === null ? 0 : Number(match[1]) * units[match[2] ?? "ms"]!;
}
