/** What the grammar's rules for cursors make of their parts. */
import type { CursorOption, FetchDirection, Query, Statement } from "./ast.ts";
import type { Token } from "./tokens.ts";

export const declareNode = (
	[, name, options, , hold, , query]: [
		Token,
		string,
		readonly CursorOption[],
		Token,
		boolean,
		Token,
		Query,
	],
	at: number,
): Statement => ({ kind: "declare", name, options, hold, query, at });

/** Numbers as they are written. */
export const way = (
	direction: FetchDirection["way"],
	count: string | number | "all",
): FetchDirection => ({ way: direction, count: count === "all" ? count : Number(count) });

export const fetchNode = (name: string, direction: FetchDirection["way"], count: number) => ({
	name,
	direction: way(direction, count),
});
