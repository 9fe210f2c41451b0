/** Syntax trees back to text: how defaults and checks are kept in the catalog, close to what pg_get_expr prints. */
import { DatabaseError } from "@quorate/keys/database-error";
import { plainLiteral, quoteIdentifier, quoteLiteral } from "../functions/quoting-functions.ts";
import type { Expression, TypeName } from "../parser/ast.ts";
import { plainType, textType } from "../plan/bound.ts";
import { bare, normalizationText, wordedText } from "../plan/deparse-words.ts";
import { resolveTypeName } from "../plan/type-name.ts";
import { referencedType, typeReference } from "../types/enum-types.ts";
import { enumOid } from "../types/made-oids.ts";
import { castName } from "../types/registry.ts";

/** `column`: what a column is called in the text. */
export interface DeparseOptions {
	column(name: string): string;
	/** The text of a node, where it is not the usual one. */
	node?(node: Expression): string | undefined;
	/** The OID of a type that somebody has made, by its name. Stored text has its number already. */
	type?(name: TypeName): number | undefined;
}

export const asWritten: DeparseOptions = { column: (name) => name };

/** Their first argument is the name of a sequence. */
const sequenceFunctions = new Set(["nextval", "currval", "setval"]);

/** Constructs of the grammar that look like functions. */
const constructs = new Set(["coalesce", "greatest", "least", "nullif"]);

/** Types have the names that they keep (`typeReference`). */
function typeText(name: TypeName, options: DeparseOptions): string {
	let made: number | undefined;
	const type = resolveTypeName(name, (parts) => {
		made = options.type?.(name) ?? referencedType(parts);
		return made === undefined ? undefined : textType;
	});
	if (made === undefined) return castName(type.modifier < 0 ? plainType(type.oid) : type);
	return name.dimensions === 0 ? typeReference(made) : `${typeReference(made)}[]`;
}

const list = (nodes: readonly Expression[], options: DeparseOptions): string =>
	nodes.map((node) => deparse(node, options)).join(", ");

export function deparse(node: Expression, options: DeparseOptions = asWritten): string {
	const own = options.node?.(node);
	if (own !== undefined) return own;
	switch (node.kind) {
		case "literal":
			return node.type === "string" ? plainLiteral(node.text) : node.text;
		case "null":
			return "NULL";
		case "boolean":
			return String(node.value);
		case "column":
			return columnText(node, options);
		case "cast":
			return `${operand(node.operand, options)}::${typeText(node.type, options)}`;
		case "call":
			return callText(node, options);
		case "array":
			return `ARRAY[${list(node.elements, options)}]`;
		case "row":
			return `ROW(${list(node.elements, options)})`;
		case "subscript":
			return `(${deparse(node.operand, options)})[${deparse(node.index, options)}]`;
		case "field": {
			const text = deparse(node.operand, options);
			const isStep = node.operand.kind === "field" || node.operand.kind === "subscript";
			return `${isStep ? text : `(${text})`}.${quoteIdentifier(node.name)}`;
		}
		case "case":
			return caseText(node, options);
		case "collate":
			return `(${deparse(node.operand, options)} COLLATE ${node.collation.parts.map(quoteIdentifier).join(".")})`;
		default:
			return conditionText(node, options);
	}
}

/** Of a cast: a sign or an operator needs its parentheses. */
function operand(node: Expression, options: DeparseOptions): string {
	const text = deparse(node, options);
	const plain = [
		"literal",
		"null",
		"boolean",
		"column",
		"call",
		"cast",
		"array",
		"row",
		"field",
	].includes(node.kind);
	return plain && !text.startsWith("-") ? text : `(${text})`;
}

function columnText(
	node: Extract<Expression, { kind: "column" }>,
	options: DeparseOptions,
): string {
	return quoteIdentifier(options.column(node.name.parts.at(-1)!));
}

function callText(node: Extract<Expression, { kind: "call" }>, options: DeparseOptions): string {
	const name = node.name.parts.at(-1)!;
	if (bare.has(name)) {
		return `${name.toUpperCase()}${node.args.length === 0 ? "" : `(${list(node.args, options)})`}`;
	}
	if (constructs.has(name)) return `${name.toUpperCase()}(${list(node.args, options)})`;
	const [first, ...rest] = node.args;
	if (sequenceFunctions.has(name) && first?.kind === "literal" && first.type === "string") {
		const args = [
			`${quoteLiteral(first.text)}::regclass`,
			...rest.map((arg) => deparse(arg, options)),
		];
		return `${name}(${args.join(", ")})`;
	}
	if ((name === "normalize" || name === "is_normalized") && first !== undefined) {
		const [second] = rest;
		const form = second?.kind === "literal" ? second.text : second && "";
		const shown = normalizationText(name, deparse(first, options), form);
		if (shown !== undefined) return shown;
	}
	const texts = node.args.map((arg) => deparse(arg, options));
	const field = first?.kind === "literal" ? first.text : "";
	const worded = node.worded && wordedText(name, texts, field, false);
	if (worded !== undefined) return worded;
	if (node.variadic) texts.push(`VARIADIC ${texts.pop()}`);
	return `${quoteIdentifier(name)}(${texts.join(", ")})`;
}

function caseText(node: Extract<Expression, { kind: "case" }>, options: DeparseOptions): string {
	const parts = ["CASE"];
	if (node.operand !== undefined) parts.push(deparse(node.operand, options));
	for (const { when, then } of node.branches) {
		parts.push(`WHEN ${deparse(when, options)} THEN ${deparse(then, options)}`);
	}
	if (node.otherwise !== undefined) parts.push(`ELSE ${deparse(node.otherwise, options)}`);
	return `${parts.join(" ")} END`;
}

function operatorText(
	node: Extract<Expression, { kind: "operator" }>,
	options: DeparseOptions,
): string {
	const texts = node.operands.map((one) => deparse(one, options));
	const symbol = /^[a-z]/.test(node.operator) ? node.operator.toUpperCase() : node.operator;
	return texts.length === 1 ? `(${symbol} ${texts[0]})` : `(${texts.join(` ${symbol} `)})`;
}

function conditionText(node: Expression, options: DeparseOptions): string {
	const text = (one: Expression): string => deparse(one, options);
	switch (node.kind) {
		case "operator":
			return operatorText(node, options);
		case "not":
			return `(NOT ${text(node.operand)})`;
		case "is":
			return `(${text(node.operand)} IS ${node.negated ? "NOT " : ""}${node.test.toUpperCase()})`;
		case "between": {
			const words = `${node.negated ? "NOT " : ""}BETWEEN ${node.symmetric ? "SYMMETRIC " : ""}`;
			return `(${text(node.operand)} ${words}${text(node.low)} AND ${text(node.high)})`;
		}
		case "like": {
			const word = node.similar ? "SIMILAR TO" : node.caseInsensitive ? "ILIKE" : "LIKE";
			const escaped = node.escape === undefined ? "" : ` ESCAPE ${text(node.escape)}`;
			return `(${text(node.operand)} ${node.negated ? "NOT " : ""}${word} ${text(node.pattern)}${escaped})`;
		}
		case "in-list":
			return `(${text(node.operand)} ${node.negated ? "NOT " : ""}IN (${list(node.list, options)}))`;
		case "quantified":
			if (node.right.kind === "query") break;
			return `(${text(node.operand)} ${node.operator} ${node.quantifier.toUpperCase()} (${text(node.right)}))`;
		case "at-time-zone":
			return `(${text(node.operand)} AT TIME ZONE ${text(node.zone)})`;
		default:
			break;
	}
	throw new DatabaseError(
		"0A000",
		node.kind === "parameter"
			? "parameters are not allowed in a stored expression"
			: "cannot use subquery in a stored expression",
	);
}

/** Names of the columns that an expression refers to. */
export function columnsIn(node: Expression): ReadonlySet<string> {
	const names = new Set<string>();
	deparse(node, {
		column: (name) => {
			names.add(name);
			return name;
		},
		// Only columns are looked for: any type will do.
		type: () => enumOid(1),
	});
	return names;
}
