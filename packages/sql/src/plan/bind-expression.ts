/** Expressions of the syntax tree to bound ones: the dispatch, and the simple kinds. Larger ones have files beside this. */
import { DatabaseError } from "@quorate/keys/database-error";
import { collationOids } from "../catalog/collations.ts";
import type { Expression } from "../parser/ast.ts";
import type { SqlType } from "../types/datum.ts";
import { commonType, formatType, typeByOid } from "../types/registry.ts";
import { bindArray, bindSubscripts } from "./bind-array.ts";
import { bindCall } from "./bind-call.ts";
import { bindGrouping } from "./bind-group.ts";
import { bindInList, bindLike, bindOperator, bindQuantified, compared } from "./bind-operator.ts";
import { bindRow, starRelation, wholeRow } from "./bind-row.ts";
import { bindSubquery } from "./bind-subquery.ts";
import type { Binder } from "./binder.ts";
import {
	type Bound,
	beginningOf,
	booleanType,
	columnOf,
	constant,
	plainType,
	unknownOid,
} from "./bound.ts";
import {
	bindLifted,
	bindLiteral,
	bindParameter,
	coerce,
	resolutionType,
	settle,
} from "./coerce.ts";
import { checked } from "./domains.ts";
import { bindField } from "./fields.ts";
import { markUsed, type Scope } from "./scope.ts";
import { requireCollatable, resolveTypeName, typesOf } from "./type-name.ts";
import type { Windows } from "./windows.ts";

/** Where an expression stands: what it may contain, and how errors name the place. */
export interface Place {
	readonly binder: Binder;
	readonly scope: Scope;
	/** WHERE, GROUP BY, VALUES, DEFAULT expressions ... */
	readonly clause: string;
	readonly aggregates: boolean;
	readonly sets: boolean;
	/** Where calls with OVER may stand: the windows of the query level. */
	readonly windows?: Windows | undefined;
}

export function bindExpression(place: Place, node: Expression): Bound {
	const bound = bindKind(place, node);
	place.binder.notes?.expression(node, bound);
	return bound;
}

function bindKind(place: Place, node: Expression): Bound {
	const { binder, scope } = place;
	switch (node.kind) {
		case "literal":
			return bindLiteral(binder, node.type, node.text, node.at);
		case "lifted":
			return bindLifted(binder, node.index, node.at);
		case "parameter":
			if (binder.made !== undefined) {
				throw new DatabaseError("42P02", `there is no parameter $${node.index}`, {
					position: node.at + 1,
				});
			}
			return bindParameter(binder, node.index, node.at);
		case "null":
			return constant(null, plainType(unknownOid), node.at);
		case "boolean":
			return constant(node.value, booleanType, node.at);
		case "column":
			return bindColumn(place, node);
		case "operator":
			return bindOperator(place, node);
		case "not":
			return logical("not", [bindBoolean(place, node.operand, "NOT")], node.at);
		case "is":
			return bindIs(place, node);
		case "between":
			return bindBetween(place, node);
		case "like":
			return bindLike(place, node);
		case "in-list":
			return bindInList(place, node);
		case "quantified":
			return bindQuantified(place, node);
		case "in-query":
		case "exists":
		case "scalar-query":
		case "array-query":
			return bindSubquery(place, node);
		case "array":
			return bindArray(place, node.elements, undefined, node.at);
		case "row":
			return bindRow(place, node.elements, node.at);
		case "subscript":
		case "slice":
			return bindSubscripts(place, node);
		case "field":
			return bindField(place, node);
		case "case":
			return bindCase(place, node);
		case "cast":
			return bindCast(place, node);
		case "collate":
			return bindCollate(place, node);
		case "at-time-zone":
			return bindCall(place, {
				kind: "call",
				name: { parts: ["timezone"], at: node.at },
				args: [node.zone, node.operand],
				star: false,
				distinct: false,
				variadic: false,
				orderBy: [],
				filter: undefined,
				worded: true,
				at: node.at,
			});
		case "call":
			return bindCall(place, node);
		case "grouping":
			return bindGrouping(place, node);
		case "star":
			if (node.qualifier.length > 0) return wholeRow(binder, starRelation(scope, node), node.at);
			throw new DatabaseError("42601", `syntax error at or near "*"`, { position: node.at + 1 });
		case "fields":
			throw new DatabaseError("0A000", 'row expansion via "*" is not supported here', {
				position: node.at + 1,
			});
		case "default":
			throw new DatabaseError("42601", "DEFAULT is not allowed in this context", {
				position: node.at + 1,
			});
		default:
			return unreachable(node, scope);
	}
}

function unreachable(node: never, _scope: Scope): never {
	throw new DatabaseError("0A000", `this expression is not supported: ${JSON.stringify(node)}`, {
		hint: "Rewrite the expression.",
	});
}

export const logical = (kind: "and" | "or" | "not", args: readonly Bound[], at: number): Bound => ({
	kind,
	type: booleanType,
	args,
	at,
});

/** A condition; `what` is how the error names it: WHERE, AND, CASE/WHEN. Throws 42804. */
export function bindBoolean(place: Place, node: Expression, what: string): Bound {
	return requireBoolean(place.binder, bindExpression(place, node), what);
}

export function requireBoolean(binder: Binder, bound: Bound, what: string): Bound {
	const oid = resolutionType(binder, bound);
	if (oid === 16 || oid === unknownOid || oid === 0) {
		return coerce(binder, bound, booleanType, "implicit");
	}
	throw new DatabaseError(
		"42804",
		`argument of ${what} must be type boolean, not type ${formatType(plainType(oid))}`,
		bound.at >= 0 ? { position: bound.at + 1 } : {},
	);
}

function bindColumn(place: Place, node: Extract<Expression, { kind: "column" }>): Bound {
	const found = place.scope.find(node.name);
	if (found !== undefined) return found;
	if (node.name.parts.length === 1) {
		const relation = place.scope.relation(node.name.parts, node.at);
		if (relation?.isScalar === true) {
			const column = columnOf(relation, 0, node.at);
			markUsed(column);
			return column;
		}
		if (relation !== undefined) return wholeRow(place.binder, relation, node.at);
	}
	return place.scope.column(node.name);
}

function bindIs(place: Place, node: Extract<Expression, { kind: "is" }>): Bound {
	const operand = bindExpression(place, node.operand);
	const shown = `IS ${node.negated ? "NOT " : ""}${node.test.toUpperCase()}`;
	const arg =
		node.test === "null"
			? settle(place.binder, operand)
			: requireBoolean(place.binder, operand, shown);
	return {
		kind: "is",
		test: node.test,
		negated: node.negated,
		type: booleanType,
		args: [arg],
		at: node.at,
	};
}

/** As PostgreSQL: NOT BETWEEN is below or above, not the negation of BETWEEN. */
function bindBetween(place: Place, node: Extract<Expression, { kind: "between" }>): Bound {
	const { negated, at } = node;
	const half = (symbol: string, end: Expression): Bound =>
		compared(place, symbol, bindExpression(place, node.operand), bindExpression(place, end), at);
	const range = (low: Expression, high: Expression): Bound =>
		negated
			? logical("or", [half("<", low), half(">", high)], at)
			: logical("and", [half(">=", low), half("<=", high)], at);
	const bound = range(node.low, node.high);
	if (!node.symmetric) return bound;
	return logical(negated ? "and" : "or", [bound, range(node.high, node.low)], at);
}

/** Bounds, brought to their common type. */
export function unify(
	binder: Binder,
	bounds: readonly Bound[],
	construct: string,
	at: number,
): { readonly type: SqlType; readonly args: readonly Bound[] } {
	const oid = commonType(
		bounds.map((bound) => resolutionType(binder, bound)),
		construct,
		at,
		bounds.map((bound) => {
			const begins = beginningOf(bound);
			return begins < 0 ? at : begins;
		}),
	);
	const first = bounds.find((bound) => bound.type.oid === oid)?.type.modifier ?? -1;
	const same = bounds.every((bound) => bound.type.oid === oid && bound.type.modifier === first);
	const type = { oid: oid === 0 || oid === unknownOid ? 25 : oid, modifier: same ? first : -1 };
	return { type, args: bounds.map((bound) => coerce(binder, bound, type, "implicit")) };
}

function bindCase(place: Place, node: Extract<Expression, { kind: "case" }>): Bound {
	const conditions = node.branches.map(({ when, at }) =>
		node.operand === undefined
			? bindBoolean(place, when, "CASE/WHEN")
			: compared(
					place,
					"=",
					settle(place.binder, bindExpression(place, node.operand)),
					bindExpression(place, when),
					at,
				),
	);
	const results = node.branches.map(({ then }) => bindExpression(place, then));
	const otherwise =
		node.otherwise === undefined
			? constant(null, plainType(unknownOid))
			: bindExpression(place, node.otherwise);
	// PostgreSQL looks at ELSE first.
	const { type, args } = unify(place.binder, [otherwise, ...results], "CASE", node.at);
	const interleaved = conditions.flatMap((condition, i) => [condition, args[i + 1]!]);
	return { kind: "case", type, args: [...interleaved, args[0]!], at: node.at };
}

function bindCast(place: Place, node: Extract<Expression, { kind: "cast" }>): Bound {
	const type = resolveTypeName(node.type, typesOf(place.binder));
	if (node.operand.kind === "array" && typeByOid(type.oid)?.elementOid) {
		const array = bindArray(place, node.operand.elements, withoutDomain(type), node.at);
		return type.domain === undefined ? array : checked(place.binder, array, type);
	}
	return castTo(place.binder, bindExpression(place, node.operand), type, node.at);
}

const withoutDomain = ({ oid, modifier }: SqlType): SqlType => ({ oid, modifier });

/** `at`: of the cast, where it is impossible. */
export function castTo(binder: Binder, bound: Bound, type: SqlType, at = bound.at): Bound {
	const operand =
		bound.type.oid === unknownOid || bound.type.oid === 0 ? bound : settle(binder, bound);
	try {
		return coerce(binder, operand, type, "explicit");
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42846" || at < 0) throw error;
		throw new DatabaseError(error.code, error.message, { ...error.fields, position: at + 1 });
	}
}

function bindCollate(place: Place, node: Extract<Expression, { kind: "collate" }>): Bound {
	const operand = settle(place.binder, bindExpression(place, node.operand));
	const name = node.collation.parts.at(-1)!;
	if (collationOids[name] === undefined) {
		throw new DatabaseError(
			"42704",
			`collation "${node.collation.parts.join(".")}" for encoding "UTF8" does not exist`,
			{ hint: 'Text is ordered by code point: use "C".', position: node.collation.at + 1 },
		);
	}
	requireCollatable(operand.type, node.at);
	return { ...operand };
}
