/** Operators, comparisons, LIKE, IN lists and ANY/ALL over arrays. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression } from "../parser/ast.ts";
import { isRow } from "../types/made-oids.ts";
import { operatorCandidates, resolve, scalarCandidates, typeByOid } from "../types/registry.ts";
import { bindBoolean, bindExpression, logical, type Place } from "./bind-expression.ts";
import { bindCompared } from "./bind-row.ts";
import { bindQuantifiedQuery, bindRowQuery } from "./bind-subquery.ts";
import {
	type Bound,
	booleanType,
	type Comparison,
	isWrittenRow,
	plainType,
	unknownOid,
} from "./bound.ts";
import { coerce, resolutionType, settle } from "./coerce.ts";

export function bindOperator(place: Place, node: Extract<Expression, { kind: "operator" }>): Bound {
	const { operator, operands, at } = node;
	if (operator === "and" || operator === "or") {
		const what = operator.toUpperCase();
		const terms = place.binder.notes === undefined ? operands : termsOf(node, operator, true);
		const args = terms.flatMap((operand) => {
			const bound = bindBoolean(place, operand, what);
			const isFlat = terms === operands && bound.kind === operator && operand.kind === "operator";
			return isFlat ? bound.args : [bound];
		});
		return logical(operator, args, at);
	}
	const [first, second] = operands;
	if (first?.kind === "row" && second?.kind === "scalar-query") {
		return bindRowQuery(place, first, operator === "!=" ? "<>" : operator, second.query, at);
	}
	const rows = operands.length === 2 && operands.every(({ kind }) => kind === "row");
	const bind = rows ? bindCompared : bindExpression;
	const bounds = operands.map((operand) => bind(place, operand));
	if (operator === "is distinct from" || operator === "is not distinct from") {
		const negated = operator === "is not distinct from";
		const [left, right] = bounds as [Bound, Bound];
		if (!rows || left.kind !== "row" || right.kind !== "row")
			return distinctFrom(place, negated, left, right, at);
		const each = fieldPairs(left, right, at).map(([a, b]) =>
			distinctFrom(place, negated, a, b, at),
		);
		return logical(negated ? "and" : "or", each, at);
	}
	const symbol = operator === "!=" ? "<>" : operator;
	if (bounds.length === 2) {
		const [left, right] = bounds as [Bound, Bound];
		if (rows && left.kind === "row" && right.kind === "row")
			return rowComparison(place, symbol, left, right, at);
		return compared(place, symbol, left, right, at);
	}
	return operatorCall(place, symbol, bounds, at);
}

/** As PostgreSQL keeps them: what is in parentheses is one of them, unless it is the first. */
function termsOf(node: Expression, operator: string, isFirst: boolean): readonly Expression[] {
	const isChain = node.kind === "operator" && node.operator === operator;
	if (!isChain || (node.closed && !isFirst)) return [node];
	return node.operands.flatMap((one, i) => termsOf(one, operator, isFirst && i === 0));
}

function operatorCall(place: Place, symbol: string, bounds: readonly Bound[], at: number): Bound {
	const arity = bounds.length === 1 ? 1 : 2;
	const { chosen, argTypes, resultType } = resolve(
		"operator",
		symbol,
		operatorCandidates(symbol, arity),
		bounds.map((bound) => resolutionType(place.binder, bound)),
		at,
	);
	const args = bounds.map((bound, i) =>
		coerce(place.binder, bound, plainType(argTypes[i]!), "implicit"),
	);
	return {
		kind: "call",
		fn: chosen,
		name: symbol,
		operator: true,
		argTypes: args.map((arg) => arg.type),
		type: plainType(resultType),
		args,
		at,
	};
}

/** left OP right, of any two types. */
export const compared = (
	place: Place,
	symbol: string,
	left: Bound,
	right: Bound,
	at: number,
): Bound => operatorCall(place, symbol, [left, right], at);

/** A comparison kept apart from its operands, which are coerced to its types. */
export function comparisonOf(
	place: Place,
	symbol: string,
	left: Bound,
	right: Bound,
	at: number,
): { readonly comparison: Comparison; readonly args: readonly [Bound, Bound] } {
	const call = operatorCall(place, symbol, [left, right], at);
	if (call.kind !== "call") throw new DatabaseError("XX000", "an operator is a call");
	if (call.type.oid !== 16) {
		throw new DatabaseError("42804", `operator ${symbol} must return type boolean`, {
			position: at + 1,
		});
	}
	return {
		comparison: { symbol, fn: call.fn, argTypes: call.argTypes },
		args: [call.args[0]!, call.args[1]!],
	};
}

function distinctFrom(
	place: Place,
	negated: boolean,
	left: Bound,
	right: Bound,
	at: number,
): Bound {
	const { comparison, args } = comparisonOf(place, "=", left, right, at);
	return { kind: "distinct-from", negated, comparison, type: booleanType, args, at };
}

/** What is written as two rows is compared field by field, each with the types that fit. Throws 42601. */
function fieldPairs(left: Bound, right: Bound, at: number): (readonly [Bound, Bound])[] {
	if (left.args.length !== right.args.length) {
		throw new DatabaseError("42601", "unequal number of entries in row expressions", {
			position: at + 1,
		});
	}
	return left.args.map((arg, i) => [arg, right.args[i]!] as const);
}

function rowComparison(place: Place, symbol: string, left: Bound, right: Bound, at: number): Bound {
	const pairs = fieldPairs(left, right, at);
	const each = (s: string): Bound[] => pairs.map(([a, b]) => compared(place, s, a, b, at));
	if (symbol === "=") return logical("and", each("="), at);
	if (symbol === "<>") return logical("or", each("<>"), at);
	const strict = symbol[0]!;
	if (!["<", ">", "<=", ">="].includes(symbol)) {
		throw new DatabaseError(
			"0A000",
			`could not determine interpretation of row comparison operator ${symbol}`,
			{ position: at + 1 },
		);
	}
	// (a, b) < (c, d): a < c OR (a = c AND b < d); the last pair decides with the operator as written.
	let bound = compared(place, symbol, ...pairs.at(-1)!, at);
	for (const [a, b] of pairs.slice(0, -1).reverse()) {
		const equal = logical("and", [compared(place, "=", a, b, at), bound], at);
		bound = logical("or", [compared(place, strict, a, b, at), equal], at);
	}
	const { notes } = place.binder;
	if (notes !== undefined) {
		const calls = each(symbol);
		const side = (i: number): readonly Bound[] => calls.map(({ args }) => args[i]!);
		notes.rows.set(bound, { symbol, left: side(0), right: side(1) });
	}
	return bound;
}

export function bindLike(place: Place, node: Extract<Expression, { kind: "like" }>): Bound {
	const operand = bindExpression(place, node.operand);
	let pattern = bindExpression(place, node.pattern);
	const functions = node.similar ? "similar_to_escape" : "like_escape";
	if (node.escape !== undefined || node.similar) {
		const args = [pattern];
		if (node.escape !== undefined) args.push(bindExpression(place, node.escape));
		pattern = callByName(place, functions, args, node.at);
	}
	const symbol = node.similar ? "~" : node.caseInsensitive ? "~~*" : "~~";
	return compared(place, node.negated ? `!${symbol}` : symbol, operand, pattern, node.at);
}

export function callByName(
	place: Place,
	name: string,
	bounds: readonly Bound[],
	at: number,
): Bound {
	const { chosen, argTypes, resultType } = resolve(
		"function",
		name,
		scalarCandidates(name),
		bounds.map((bound) => resolutionType(place.binder, bound)),
		at,
	);
	const args = bounds.map((bound, i) =>
		coerce(place.binder, bound, plainType(argTypes[i]!), "implicit"),
	);
	return {
		kind: "call",
		fn: chosen,
		name,
		operator: false,
		argTypes: args.map((arg) => arg.type),
		type: plainType(resultType),
		args,
		at,
	};
}

export function bindInList(place: Place, node: Extract<Expression, { kind: "in-list" }>): Bound {
	const operand = bindCompared(place, node.operand);
	const elements = node.list.map((element) => {
		const bound = bindCompared(place, element);
		// Several of them are an array in PostgreSQL, and one of the operand's type.
		const isOfRow = isRow(operand.type.oid) && bound.type.oid === unknownOid;
		return isOfRow && node.list.length > 1
			? coerce(place.binder, bound, operand.type, "implicit")
			: bound;
	});
	// What cannot be compared is told of the operator that NOT IN stands for.
	if (node.negated && !isWrittenRow(operand)) {
		for (const element of elements) comparisonOf(place, "<>", operand, element, node.at);
	}
	const isOfRows = [operand, ...elements].every(isWrittenRow);
	if (node.negated && isOfRows && place.binder.notes !== undefined) {
		const rows = elements.map((one) => rowComparison(place, "<>", operand, one, node.at));
		return logical("and", rows, node.at);
	}
	const bound = inList(place, operand, elements, node.at);
	return node.negated ? logical("not", [bound], node.at) : bound;
}

function inList(place: Place, operand: Bound, elements: readonly Bound[], at: number): Bound {
	if (isWrittenRow(operand)) {
		const rows = elements.map((element) =>
			isWrittenRow(element)
				? rowComparison(place, "=", operand, element, at)
				: compared(place, "=", operand, element, at),
		);
		return rows.length === 1 ? rows[0]! : logical("or", rows, at);
	}
	const pairs = elements.map((element) => comparisonOf(place, "=", operand, element, at));
	const same = pairs.every(({ args }) => args[0].type.oid === pairs[0]!.args[0].type.oid);
	if (!same) {
		const calls = elements.map((element) => compared(place, "=", operand, element, at));
		return logical("or", calls, at);
	}
	return {
		kind: "in-list",
		comparisons: pairs.map(({ comparison }) => comparison),
		type: booleanType,
		args: [pairs[0]!.args[0], ...pairs.map(({ args }) => args[1])],
		at,
	};
}

export function bindQuantified(
	place: Place,
	node: Extract<Expression, { kind: "quantified" }>,
): Bound {
	if (node.right.kind === "query") return bindQuantifiedQuery(place, node, node.right);
	const symbol = node.operator === "!=" ? "<>" : node.operator;
	let operand = bindExpression(place, node.operand);
	let array = bindExpression(place, node.right);
	const arrayOid = resolutionType(place.binder, array);
	if (arrayOid === 0 || arrayOid === unknownOid) {
		operand = settle(place.binder, operand);
		const target = typeByOid(operand.type.oid)?.arrayOid ?? 0;
		array = coerce(place.binder, array, plainType(target || 1009), "implicit");
	}
	const elementOid = typeByOid(resolutionType(place.binder, array))?.elementOid ?? 0;
	if (elementOid === 0) {
		throw new DatabaseError("42809", "op ANY/ALL (array) requires array on right side", {
			position: node.at + 1,
		});
	}
	const element: Bound = {
		kind: "constant",
		value: null,
		type: plainType(elementOid),
		args: [],
		at: node.at,
	};
	const { comparison, args } = comparisonOf(place, symbol, operand, element, node.at);
	const wanted = comparison.argTypes[1]!.oid;
	if (wanted !== elementOid) {
		const wantedArray = typeByOid(wanted)?.arrayOid ?? 0;
		array = coerce(place.binder, array, plainType(wantedArray), "explicit");
	}
	return {
		kind: "quantified",
		all: node.quantifier === "all",
		comparison,
		type: booleanType,
		args: [args[0], array],
		at: node.at,
	};
}
