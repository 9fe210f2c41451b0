/** All that is put to both: through the simple protocol, and through the extended one with literals as parameters. */
import * as fc from "fast-check";
import { changes, currents } from "./changes.ts";
import { composites } from "./composites.ts";
import {
	distinct,
	grouped,
	joins,
	selfJoins,
	sets,
	slices,
	subqueries,
	traversals,
	variadics,
	windows,
	withs,
} from "./queries.ts";
import { references } from "./references.ts";
import { filters, groups, lookups, projections, values, whole, written } from "./rows.ts";

export interface Statement {
	readonly text: string;
	/**
	 * False: only values are compared. Rows and conditions are looked at in whatever order, so that which of them fails first, or not at
	 * all, is nobody's promise; and of what is written for a date PostgreSQL skips nearly all punctuation.
	 */
	readonly errorsCount: boolean;
	/** Undefined: it goes through the simple protocol. */
	readonly parameters?: readonly string[];
}

/** Its literals as parameters. */
function prepared(statement: Statement): Statement {
	if (statement.text.includes(";")) return statement;
	const parameters: string[] = [];
	const text = statement.text.replace(/'((?:[^']|'')*)'::(?=\w)/g, (_, value: string) => {
		parameters.push(value.replaceAll("''", "'"));
		return `$${parameters.length}::`;
	});
	return { ...statement, text, parameters };
}

const of = (text: fc.Arbitrary<string>, errorsCount: boolean): fc.Arbitrary<Statement> =>
	text.map((t) => ({ text: t, errorsCount }));

const simple: fc.Arbitrary<Statement> = fc.oneof(
	{ arbitrary: of(values, true), weight: 6 },
	{ arbitrary: of(written, false), weight: 4 },
	...[
		projections,
		filters,
		groups,
		whole,
		joins,
		subqueries,
		slices,
		distinct,
		windows,
		sets,
		grouped,
		withs,
		traversals,
		variadics,
		changes,
		currents,
		references,
		lookups,
		composites,
		selfJoins,
	].map((text) => ({
		arbitrary: of(text, false),
		weight: 1,
	})),
);

export const statements: fc.Arbitrary<Statement> = fc.oneof(
	{ arbitrary: simple, weight: 3 },
	{ arbitrary: simple.map(prepared), weight: 1 },
);
