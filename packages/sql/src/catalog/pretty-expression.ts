/** Expressions of the catalog with no more parentheses than pg_get_expr(text, relation, true) shows: PRETTYFLAG_PAREN of ruleutils.c. */
import { deparse } from "../ddl/deparse.ts";
import type { Expression } from "../parser/ast.ts";
import { storedExpression } from "../plan/bind-table.ts";
import { caseLines } from "../plan/deparse-bound.ts";
import { wordedText } from "../plan/deparse-words.ts";

const isConstant = (node: Expression): boolean =>
	node.kind === "literal" ||
	node.kind === "null" ||
	node.kind === "boolean" ||
	(node.kind === "cast" && (node.operand.kind === "null" || isString(node.operand)));

const isString = (node: Expression): boolean => node.kind === "literal" && node.type === "string";

const isLogical = (node: Expression): node is Extract<Expression, { kind: "operator" }> =>
	node.kind === "operator" && isChain(node.operator);

const isChain = (operator: string): boolean => operator === "and" || operator === "or";

const isTest = (node: Expression): boolean =>
	node.kind === "is" ||
	(node.kind === "operator" && node.operator.startsWith("is ")) ||
	(node.kind === "operator" && !isLogical(node));

/** Looks like a call: its columns need no parentheses around them. */
export const isCall = (text: string): boolean => {
	const { kind } = storedExpression(text);
	return kind === "call" || kind === "at-time-zone";
};

const isBoolean = (node: Expression): boolean => isLogical(node) || node.kind === "not";

/** As isSimpleNode: whether it stands within `parent` as it is. */
function isSimple(node: Expression, parent: Expression): boolean {
	if (isConstant(node)) return true;
	if (node.kind === "cast") return isSimple(node.operand, node) || isComputed(node);
	if (isTest(node)) return isSimpleOperation(node, parent);
	if (isBoolean(node)) {
		if (node.kind === "not") return isLogical(parent);
		const joined = (node as { operator: string }).operator;
		if (!isBoolean(parent)) return false;
		return isLogical(parent) && (joined === "and" || parent.operator === "or");
	}
	return node.kind !== "quantified";
}

/** Of a number into another: a function does it, where texts are read and written. */
const isComputed = ({ operand, type }: Extract<Expression, { kind: "cast" }>): boolean =>
	operand.kind === "operator" &&
	level(operand.operator) !== undefined &&
	!["text", "varchar", "bpchar"].includes(type.name.at(-1)!);

function isSimpleOperation(node: Expression, parent: Expression): boolean {
	if (isBoolean(parent)) return true;
	if (node.kind !== "operator" || parent.kind !== "operator") return false;
	const [inner, outer] = [level(node.operator), level(parent.operator)];
	if (inner === undefined || outer === undefined) return false;
	if (inner > outer) return true;
	return inner === outer && parent.operands[0] === node;
}

const level = (operator: string): number | undefined =>
	["+", "-"].includes(operator) ? 1 : ["*", "/", "%"].includes(operator) ? 2 : undefined;

export function prettyExpression(text: string): string {
	const node = storedExpression(text);
	const shown = show(node);
	return isEnclosing(node) ? shown.slice(1, -1) : shown;
}

/** Kept as it was written: `deparse` puts it in parentheses. */
const isEnclosing = (node: Expression): boolean =>
	node.kind === "between" || node.kind === "like" || node.kind === "in-list";

/** Its parts are set apart by what it is. */
const isApart = (node: Expression): boolean =>
	["call", "array", "row", "collate"].includes(node.kind);

const shown = (node: Expression, parent: Expression): string =>
	isSimple(node, parent) ? show(node) : `(${show(node)})`;

/** Chains of AND, and of OR, are trees. */
const flat = (node: Expression, operator: string): readonly Expression[] =>
	isLogical(node) && node.operator === operator
		? node.operands.flatMap((one) => flat(one, operator))
		: [node];

function show(node: Expression): string {
	switch (node.kind) {
		case "operator": {
			const { operator } = node;
			const symbol = /^[a-z]/.test(operator) ? operator.toUpperCase() : operator;
			const operands = isChain(operator) ? flat(node, operator) : node.operands;
			const texts = operands.map((one) => shown(one, node));
			return texts.length === 1 ? `${symbol} ${texts[0]}` : texts.join(` ${symbol} `);
		}
		case "not":
			return `NOT ${shown(node.operand, node)}`;
		case "is":
			return `${shown(node.operand, node)} IS ${node.negated ? "NOT " : ""}${node.test.toUpperCase()}`;
		case "quantified":
			if (node.right.kind === "query") break;
			return `${shown(node.operand, node)} ${node.operator} ${node.quantifier.toUpperCase()} (${shown(node.right as Expression, node)})`;
		case "cast": {
			const type = deparse({ ...node, operand: { kind: "null", at: -1 } }).slice("NULL".length);
			return `${shown(node.operand, node)}${type}`;
		}
		case "subscript":
			return `${node.operand.kind === "column" ? show(node.operand) : `(${show(node.operand)})`}[${show(node.index)}]`;
		case "case":
			return showCase(node);
		case "call": {
			const [field] = node.args;
			const of = field?.kind === "literal" ? field.text : "";
			const worded =
				node.worded && wordedText(node.name.parts.at(-1)!, node.args.map(show), of, false);
			if (worded !== undefined) return worded;
			break;
		}
		default:
			break;
	}
	// Of the rest only what is in it may be shorter.
	return deparse(node, {
		column: (name) => name,
		node: (inner) => {
			if (inner === node) return undefined;
			return isApart(node) ? show(inner) : shown(inner, node);
		},
	});
}

function showCase(node: Extract<Expression, { kind: "case" }>, depth = 0): string {
	const inner = (one: Expression, at: number): string =>
		one.kind === "case" ? showCase(one, at) : show(one);
	const operand = node.operand === undefined ? "" : ` ${show(node.operand)}`;
	return caseLines(
		depth,
		(at) => [
			...node.branches.map(({ when, then }) => `WHEN ${inner(when, at)} THEN ${inner(then, at)}`),
			...(node.otherwise === undefined ? [] : [`ELSE ${inner(node.otherwise, at)}`]),
		],
		operand,
	);
}
