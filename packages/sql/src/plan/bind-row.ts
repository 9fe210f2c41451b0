/** Rows as values: ROW(...), (a, b), and whole rows of a table. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression } from "../parser/ast.ts";
import type { RowField, SqlType } from "../types/datum.ts";
import { rowTypeOid } from "../types/made-oids.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import type { Binder } from "./binder.ts";
import { type Bound, booleanType, columnOf, constant, plainType } from "./bound.ts";
import { settle } from "./coerce.ts";
import { bindFields, recordOf } from "./fields.ts";
import { missingRelation } from "./missing-name.ts";
import { namelessColumn, type Relation } from "./relation.ts";
import { markUsed, type Scope } from "./scope.ts";
import { presenceOf } from "./table-oid.ts";

/** Throws 42P01. */
export function starRelation(scope: Scope, node: Extract<Expression, { kind: "star" }>): Relation {
	if (scope.joinOf(node.qualifier) !== undefined) {
		throw new DatabaseError("0A000", "a row of an alias of JOIN ... USING is not supported", {
			hint: "Name its columns.",
			position: node.at + 1,
		});
	}
	const relation = scope.relation(node.qualifier, node.at);
	if (relation === undefined) throw missingRelation(scope, node.qualifier, node.at);
	return relation;
}

/** Of a table or view its row type, else a record. */
function rowTypeOf(
	binder: Binder,
	{ table, columns, rowType }: Relation,
	fields: readonly RowField[],
): SqlType {
	if (rowType !== undefined) return rowType;
	const oid = columns[0]?.tableOid ?? 0;
	const isStored = table?.kind === "table" || table?.kind === "view";
	// Within a view it goes on having the columns that there were when the view was made.
	const isKept = binder.made !== undefined || binder.meanings !== undefined;
	return isStored && !isKept && oid !== 0 ? plainType(rowTypeOid(oid)) : recordOf(fields);
}

/** NULL where an outer join found no row. */
export function wholeRow(binder: Binder, relation: Relation, at: number): Bound {
	const row = allColumns(binder, relation, at);
	if (!relation.isNulled) return row;
	const found = presenceOf(relation, at);
	const otherwise = constant(null, row.type, at);
	return { kind: "case", type: row.type, args: [found ?? anyOf(row), row, otherwise], at };
}

/** Of a subquery or a function nothing tells a row of NULLs from none. */
const anyOf = (row: Bound): Bound =>
	({
		kind: "not",
		type: booleanType,
		args: [{ kind: "is", test: "null", negated: false, type: booleanType, args: [row], at: -1 }],
		at: -1,
	}) satisfies Bound;

function allColumns(binder: Binder, relation: Relation, at: number): Bound {
	const names: string[] = [];
	const columns = relation.columns.flatMap((column, index): Bound[] => {
		if (column.name === namelessColumn) return [];
		const bound = columnOf(relation, index, at);
		markUsed(bound);
		names.push(column.name);
		return [bound];
	});
	const fields = columns.map(({ type }, i) => ({ name: names[i]!, type }));
	return {
		kind: "row",
		isWhole: true,
		names,
		type: rowTypeOf(binder, relation, fields),
		args: columns,
		at,
	};
}

/** A row without names: its fields are f1, f2 ... */
const unnamed = (args: readonly Bound[], at: number, given = args): Bound => ({
	kind: "row",
	given,
	type: recordOf(args.map(({ type }, i) => ({ name: `f${i + 1}`, type }))),
	args,
	at,
});

/** Elements of a row that is compared: literals take the types of what they are compared with. */
export function bindCompared(place: Place, node: Expression): Bound {
	if (node.kind !== "row") return bindExpression(place, node);
	return unnamed(
		node.elements.map((element) => bindExpression(place, element)),
		node.at,
	);
}

/** What is still an untyped literal becomes text; a parameter has to get its type elsewhere. */
const settleLiteral = (binder: Binder, bound: Bound): Bound =>
	bound.type.oid === 0 ? bound : settle(binder, bound);

export function bindRow(place: Place, elements: readonly Expression[], at: number): Bound {
	const given = elements.flatMap((element) => {
		if (element.kind === "fields") return bindFields(place, element).map(({ bound }) => bound);
		// ROW(t.*) has the columns of t.
		return element.kind === "star"
			? wholeRow(place.binder, starRelation(place.scope, element), element.at).args
			: [bindExpression(place, element)];
	});
	const args = given.map((bound) => settleLiteral(place.binder, bound));
	return unnamed(args, at, given);
}
