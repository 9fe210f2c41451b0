/** Sizes on the command line, with the units of PostgreSQL's settings; never without one. */
import { memoryUnits } from "@quorate/keys/memory-units";

/** In bytes; undefined where the text is no such size. */
export function parseMemorySize(text: string): number | undefined {
	const [, number, unit] = /^(\d+(?:\.\d+)?) ?(kB|MB|GB|TB)$/.exec(text) ?? [];
	if (number === undefined || unit === undefined) return undefined;
	return Math.round(Number(number) * memoryUnits[unit]!);
}
