/** Keys spread over three tables, each of which begins with three ranges. */
import type { SeededRandom } from "../workload/random.ts";
import { pick } from "./workload.ts";

const tableCount = 3;
const rowMax = 30_000;
/** Coprime to the number of rows: neighbouring keys are far apart, and no two in one place. */
const stride = 7_919;

export interface SpreadTables {
	readonly names: readonly string[];
	readonly schema: readonly string[];
	split(random: SeededRandom): string;
}

/** `columns` come after the key, k. */
export function spreadTables(prefix: string, columns: string): SpreadTables {
	const names = Array.from({ length: tableCount }, (_, i) => `${prefix}${i + 1}`);
	return {
		names,
		schema: names.flatMap((name) => [
			`CREATE TABLE ${name} (k int PRIMARY KEY, ${columns})`,
			`ALTER TABLE ${name} SPLIT AT VALUES (${rowMax / 3}), (${(2 * rowMax) / 3})`,
		]),
		split: (random) =>
			`ALTER TABLE ${pick(random, names)} SPLIT AT VALUES (${random.between(1, rowMax - 1)})`,
	};
}

export const rowOf = (key: number): number => (key * stride) % rowMax;

export function keyPlace(
	{ names }: SpreadTables,
	key: number,
): { readonly table: string; readonly row: number } {
	return { table: names[key % names.length]!, row: rowOf(key) };
}
