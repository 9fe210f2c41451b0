/** Bytes in each of PostgreSQL's units of memory: powers of 1,024. */
import { dictionary } from "./dictionary.ts";

export const memoryUnits: Readonly<Record<string, number>> = dictionary({
	B: 1,
	kB: 1 << 10,
	MB: 1 << 20,
	GB: 1 << 30,
	TB: 2 ** 40,
});
