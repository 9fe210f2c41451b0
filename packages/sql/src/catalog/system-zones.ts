/** pg_timezone_names and pg_timezone_abbrevs: what the functions of those names answer. */
import { zoneAbbreviationSet, zoneNameSet } from "../functions/zone-sets.ts";
import type { SetFunction } from "../types/registry.ts";
import type { RowSource } from "./system-table.ts";

const rowsOf =
	({ columns, call }: SetFunction): RowSource =>
	(_catalog, context) =>
		[...call([], context, [])].map((row) =>
			Object.fromEntries(columns.map(({ name }, i) => [name, row[i]!])),
		);

export const zoneNameRows = rowsOf(zoneNameSet);
export const zoneAbbreviationRows = rowsOf(zoneAbbreviationSet);
