/** Rows as values: ROW(...), (a, b), and whole rows of a table. */
import type { Expression } from "../parser/ast.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import type { Binder } from "./binder.ts";
import { type Bound, columnOf, plainType } from "./bound.ts";
import { settle } from "./coerce.ts";
import { missingRelation } from "./missing-name.ts";
import { namelessColumn, type Relation } from "./relation.ts";
import { markUsed, type Scope } from "./scope.ts";

/** Throws 42P01. */
export function starRelation(scope: Scope, node: Extract<Expression, { kind: "star" }>): Relation {
	const relation = scope.relation(node.qualifier, node.at);
	if (relation === undefined) throw missingRelation(scope, node.qualifier, node.at);
	return relation;
}

export function wholeRow(relation: Relation, at: number): Bound {
	const names: string[] = [];
	const columns = relation.columns.flatMap((column, index): Bound[] => {
		if (column.name === namelessColumn) return [];
		const bound = columnOf(relation, index, at);
		markUsed(bound);
		names.push(column.name);
		return [bound];
	});
	return { kind: "row", names, type: plainType(2249), args: columns, at };
}

/** Elements of a row that is compared: literals take the types of what they are compared with. */
export function bindCompared(place: Place, node: Expression): Bound {
	if (node.kind !== "row") return bindExpression(place, node);
	const args = node.elements.map((element) => bindExpression(place, element));
	return { kind: "row", type: plainType(2249), args, at: node.at };
}

/** What is still an untyped literal becomes text; a parameter has to get its type elsewhere. */
const settleLiteral = (binder: Binder, bound: Bound): Bound =>
	bound.type.oid === 0 ? bound : settle(binder, bound);

export function bindRow(place: Place, elements: readonly Expression[], at: number): Bound {
	const args = elements.flatMap((element) => {
		const bound = settleLiteral(place.binder, bindExpression(place, element));
		// ROW(t.*) has the columns of t.
		return element.kind === "star" ? bound.args : [bound];
	});
	return { kind: "row", type: plainType(2249), args, at };
}
