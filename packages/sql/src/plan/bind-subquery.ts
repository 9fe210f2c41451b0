/** Subqueries in expressions: scalar, EXISTS, IN, ANY and ALL, ARRAY. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression, Query } from "../parser/ast.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { logical, type Place } from "./bind-expression.ts";
import { comparisonOf } from "./bind-operator.ts";
import { bindQuery } from "./bind-query.ts";
import { bindCompared } from "./bind-row.ts";
import { type Bound, booleanType, type Comparison, isWrittenRow, plainType } from "./bound.ts";
import type { LogicalQuery } from "./logical.ts";

type SubqueryNode = Extract<
	Expression,
	{ kind: "in-query" | "exists" | "scalar-query" | "array-query" }
>;

/** Clauses that are kept in the catalog, as errors name them. */
const stored: Readonly<Record<string, string>> = {
	"DEFAULT expressions": "DEFAULT expression",
	"check constraints": "check constraint",
	"index expressions": "index expression",
	"index predicates": "index predicate",
	"COPY FROM WHERE conditions": "COPY FROM WHERE condition",
};

/** A subquery that stands in an expression. */
function bindInner(place: Place, query: Query): LogicalQuery {
	const { binder, scope } = place;
	const before = scope.subqueryIn;
	scope.subqueryIn = place;
	try {
		return binder.within("a subquery", () => bindQuery(binder, query, scope));
	} finally {
		scope.subqueryIn = before;
	}
}

export function bindSubquery(place: Place, node: SubqueryNode): Bound {
	const clause = stored[place.clause];
	if (clause !== undefined) {
		throw new DatabaseError("0A000", `cannot use subquery in ${clause}`, {
			position: node.at + 1,
		});
	}
	switch (node.kind) {
		case "exists":
			return {
				kind: "subquery",
				mode: "exists",
				query: bindInner(place, node.query),
				comparisons: [],
				type: booleanType,
				args: [],
				at: node.at,
			};
		case "in-query": {
			const bound = membership(place, node.operand, "=", node.query, "any", node.at);
			return node.negated ? logical("not", [bound], node.at) : bound;
		}
		default:
			return bindSingleColumn(place, node);
	}
}

function bindSingleColumn(
	place: Place,
	node: Extract<SubqueryNode, { kind: "scalar-query" | "array-query" }>,
): Bound {
	const query = bindInner(place, node.query);
	if (query.columns.length !== 1) {
		throw new DatabaseError("42601", "subquery must return only one column", {
			position: node.at + 1,
		});
	}
	const column = query.columns[0]!.type;
	const scalar = node.kind === "scalar-query";
	const type = typeByOid(column.oid);
	// Of arrays: an array of one dimension more.
	const arrayOid = type?.category === "A" ? column.oid : (type?.arrayOid ?? 0);
	if (!scalar && arrayOid === 0) {
		throw new DatabaseError(
			"42704",
			`could not find array type for data type ${formatType(column)}`,
			{ position: node.at + 1 },
		);
	}
	return {
		kind: "subquery",
		mode: scalar ? "scalar" : "array",
		query,
		comparisons: [],
		type: scalar ? column : plainType(arrayOid),
		args: [],
		at: node.at,
	};
}

/** x OP ANY|ALL (query), IN being = ANY. */
export const bindQuantifiedQuery = (
	place: Place,
	node: Extract<Expression, { kind: "quantified" }>,
	query: Query,
): Bound =>
	membership(
		place,
		node.operand,
		node.operator === "!=" ? "<>" : node.operator,
		query,
		node.quantifier,
		node.at,
	);

/** (a, b) OP (SELECT c, d ...). */
export const bindRowQuery = (
	place: Place,
	operand: Expression,
	symbol: string,
	query: Query,
	at: number,
): Bound => membership(place, operand, symbol, query, "row", at);

function membership(
	place: Place,
	operand: Expression,
	symbol: string,
	ast: Query,
	mode: "any" | "all" | "row",
	at: number,
): Bound {
	const left = bindCompared(place, operand);
	const operands = isWrittenRow(left) ? left.args : [left];
	const query = bindInner(place, ast);
	if (operands.length !== query.columns.length) {
		const many = operands.length < query.columns.length;
		throw new DatabaseError(
			"42601",
			many ? "subquery has too many columns" : "subquery has too few columns",
			{ position: at + 1 },
		);
	}
	const comparisons: Comparison[] = [];
	const equalities: Comparison[] = [];
	const isOrder = operands.length > 1 && symbol !== "=" && symbol !== "<>";
	const args = operands.map((bound, i) => {
		const column: Bound = {
			kind: "constant",
			value: null,
			type: query.columns[i]!.type,
			args: [],
			at,
		};
		const { comparison, args: pair } = comparisonOf(place, symbol, bound, column, at);
		comparisons.push(comparison);
		if (isOrder) equalities.push(comparisonOf(place, "=", bound, column, at).comparison);
		return pair[0];
	});
	return {
		kind: "subquery",
		mode,
		query,
		comparisons,
		...(isOrder ? { equalities } : {}),
		type: booleanType,
		args,
		at,
	};
}
