/** What pg_cursors and pg_prepared_statements say of a session. */
import { arrayOf } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import type { Cursors } from "./cursors.ts";
import type { KeptNames } from "./kept-names.ts";
import type { Prepared } from "./prepared.ts";

type Row = Readonly<Record<string, Datum>>;

export const cursorRows = (cursors: Cursors): readonly Row[] =>
	cursors.all().map(({ name, statement, hold, canScroll, since }) => ({
		name,
		statement,
		is_holdable: hold,
		is_binary: false,
		is_scrollable: canScroll,
		creation_time: since,
	}));

/** All but the unnamed one. How often which kind of plan was used is not counted. */
export const preparedRows = (statements: KeptNames<Prepared>): readonly Row[] =>
	statements
		.entries()
		.filter(([name]) => name !== "")
		.map(([name, { lexed, parameterTypes, fromSql, since }]) => ({
			name,
			statement: lexed?.query ?? "",
			prepare_time: since ?? null,
			parameter_types: arrayOf(parameterTypes),
			from_sql: fromSql === true,
		}));
