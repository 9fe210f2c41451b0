/**
 * Errors about names that are not in scope, with the hints that PostgreSQL gives (errorMissingColumn, errorMissingRTE): a column
 * with a similar name, a table that is there under an alias, or one that this part of the query must not refer to.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { QualifiedName } from "../parser/ast.ts";
import type { Relation } from "./relation.ts";
import type { Scope } from "./scope.ts";

/** All relations of the query, of the innermost level first, those out of sight too. */
function* everyRelation(scope: Scope): Iterable<Relation> {
	for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
		yield* level.relations;
		yield* level.unseen;
	}
}

export function missingRelation(
	scope: Scope,
	qualifier: readonly string[],
	at: number,
): DatabaseError {
	const name = qualifier.at(-1)!;
	const schema = qualifier.at(-2);
	const position = { position: at + 1 };
	for (const relation of everyRelation(scope)) {
		const isTable =
			relation.table?.name === name && (schema ?? relation.table.schema) === relation.table.schema;
		if (!isTable && relation.name !== name) continue;
		const message = `invalid reference to FROM-clause entry for table "${name}"`;
		const hint =
			relation.name !== name && !isUnseen(scope, relation)
				? `Perhaps you meant to reference the table alias "${relation.name}".`
				: `There is an entry for table "${relation.name}", but it cannot be referenced from this part of the query.`;
		return new DatabaseError("42P01", message, { hint, ...position });
	}
	return new DatabaseError("42P01", `missing FROM-clause entry for table "${name}"`, position);
}

function isUnseen(scope: Scope, relation: Relation): boolean {
	for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
		if (level.unseen.includes(relation)) return true;
	}
	return false;
}

/** Those of PostgreSQL, but tableoid. */
const systemColumns: ReadonlySet<string> = new Set(["ctid", "xmin", "xmax", "cmin", "cmax"]);

export function missingColumn(scope: Scope, name: QualifiedName): DatabaseError {
	const { parts } = name;
	const column = parts.at(-1)!;
	const hasTable = [...everyRelation(scope)].some(({ table }) => table !== undefined);
	if (systemColumns.has(column) && hasTable) {
		throw new DatabaseError("0A000", `system column "${column}" is not supported`, {
			hint: "Rows have neither a place nor the numbers of transactions: use the primary key, or a column of your own.",
			position: name.at + 1,
		});
	}
	const message =
		parts.length === 1
			? `column "${column}" does not exist`
			: `column ${parts.join(".")} does not exist`;
	const hint = columnHint(scope, parts.at(-2), column);
	return new DatabaseError("42703", message, {
		...(hint === undefined ? {} : { hint }),
		position: name.at + 1,
	});
}

/** More differences than these are no misspelling. */
const DISTANCE_MAX = 3;

function columnHint(scope: Scope, table: string | undefined, wanted: string): string | undefined {
	let distance = DISTANCE_MAX + 1;
	let found: string[] = [];
	for (const relation of everyRelation(scope)) {
		const penalty = table === undefined ? 0 : editDistance(relation.name, table);
		for (const column of relation.columns) {
			if (column.name === wanted && penalty === 0) {
				return `There is a column named "${wanted}" in table "${relation.name}", but it cannot be referenced from this part of the query.`;
			}
			if (penalty > distance) continue;
			const own = editDistance(column.name, wanted);
			// Half of the characters must be right.
			if (own > Math.floor(wanted.length / 2) || own + penalty > distance) continue;
			if (own + penalty < distance) found = [];
			distance = own + penalty;
			found.push(`"${relation.name}.${column.name}"`);
			if (found.length > 2) {
				found = [];
				distance -= 1;
			}
		}
	}
	return found.length === 0
		? undefined
		: `Perhaps you meant to reference the column ${found.join(" or the column ")}.`;
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
	let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const row = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
			row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1));
		}
		previous = row;
	}
	return previous[b.length]!;
}
