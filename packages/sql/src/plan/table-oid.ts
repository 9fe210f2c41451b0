/** The system column tableoid: which table a row is of, NULL where an outer join found none. */
import type { Bound } from "./bound.ts";
import type { Relation } from "./relation.ts";

/** Behind its columns a row of a table has something that is not NULL: its key, or of a system catalog a mark. */
export const markOf = (relation: Relation): number => relation.columns.length;

/** Whether there is a row of it. Undefined: it is no table. */
export function presenceOf(relation: Relation, at: number): Bound | undefined {
	const { table } = relation;
	const oid = relation.columns[0]?.tableOid ?? 0;
	if (table === undefined || table.kind === "view" || oid === 0) return undefined;
	const mark: Bound = { kind: "column", relation, column: markOf(relation), type, args: [], at };
	return {
		kind: "is",
		test: "null",
		negated: true,
		type: { oid: 16, modifier: -1 },
		args: [mark],
		at,
	};
}

const type = { oid: 26, modifier: -1 };

/** Undefined: it is no table. */
export function tableOid(relation: Relation, at: number): Bound | undefined {
	const oid = relation.columns[0]?.tableOid ?? 0;
	const isThere = presenceOf(relation, at);
	if (isThere === undefined) return undefined;
	const value = (datum: number | null): Bound => ({
		kind: "constant",
		value: datum,
		type,
		args: [],
		at,
	});
	return { kind: "case", type, args: [isThere, value(oid), value(null)], at };
}
