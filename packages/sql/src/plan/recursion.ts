/** Where a recursive common table may refer to itself (PostgreSQL's checkWellFormedRecursion). */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Query } from "../parser/ast.ts";
import type { Binder } from "./binder.ts";
import type { CommonTableState } from "./logical.ts";

const wrong = (message: string, at: number): DatabaseError =>
	new DatabaseError("42P19", message, { position: at + 1 });

export const notRecursive = (name: string, at: number): DatabaseError =>
	wrong(
		`recursive query "${name}" does not have the form non-recursive-term UNION [ALL] recursive-term`,
		at,
	);

/** A reference of the table to itself. `at`: of the reference. Throws 42P19. */
export function checkRecursion(binder: Binder, table: CommonTableState, at: number): void {
	const { name, binding, referenced } = table;
	if (binding === "form") throw notRecursive(name, table.at);
	const place = binding === "base" ? "its non-recursive term" : binder.place;
	if (place !== undefined) {
		throw wrong(`recursive reference to query "${name}" must not appear within ${place}`, at);
	}
	if (referenced) {
		throw wrong(`recursive reference to query "${name}" must not appear more than once`, at);
	}
}

/** Clauses behind the two terms. Throws 0A000. */
export function refuseTail(query: Query): void {
	const refused = (clause: string, at: number): DatabaseError =>
		new DatabaseError("0A000", `${clause} in a recursive query is not implemented`, {
			position: at + 1,
		});
	const [first] = query.orderBy;
	if (first !== undefined) throw refused("ORDER BY", first.expression.at);
	if (query.offset !== undefined) throw refused("OFFSET", query.offset.at);
	if (query.limit !== undefined) throw refused("LIMIT", query.limit.at);
	if (query.locking.length > 0) throw refused("FOR UPDATE/SHARE", query.at);
}
