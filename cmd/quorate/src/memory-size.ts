/** Sizes on the command line, with the units of PostgreSQL's settings: powers of 1,024. */

const units: Readonly<Record<string, number>> = {
	kB: 1 << 10,
	MB: 1 << 20,
	GB: 1 << 30,
	TB: 2 ** 40,
};

/** In bytes; undefined where the text is no such size. */
export function parseMemorySize(text: string): number | undefined {
	const [, number, unit] = /^(\d+(?:\.\d+)?) ?(kB|MB|GB|TB)$/.exec(text) ?? [];
	if (number === undefined || unit === undefined) return undefined;
	return Math.round(Number(number) * units[unit]!);
}
