/** What the grammar's rules for expressions make of their parts. */
import { DatabaseError } from "@quorate/keys/database-error";
import { anyDigits, fieldsMask } from "../types/interval-fields.ts";
import type {
	CaseBranch,
	Expression,
	OrderItem,
	QualifiedName,
	Query,
	Subscript,
	TypeName,
} from "./ast.ts";
import type { Token } from "./tokens.ts";

type Call = Extract<Expression, { kind: "call" }>;
type Negation = Token | undefined;
/** A list in which packed constants are still one item, a token. */
export type PackedList = readonly (Expression | Token)[];

export function flat(list: PackedList): Expression[] {
	const items: Expression[] = [];
	for (const item of list) {
		if ("kind" in item) {
			items.push(item);
		} else {
			items.push(...item.items);
		}
	}
	return items;
}

export const binary = (operator: Token, left: Expression, right: Expression): Expression => ({
	kind: "operator",
	operator: operator.text,
	operands: [left, right],
	at: operator.start,
});

export const unary = (operator: Token, operand: Expression): Expression => ({
	kind: "operator",
	operator: operator.text,
	operands: [operand],
	at: operator.start,
});

/** A minus before a number is part of it: -9223372036854775808 is an int8. */
export function negate(operator: Token, operand: Expression): Expression {
	if (operand.kind === "literal" && operand.type !== "string") {
		const text = operand.text.startsWith("-") ? operand.text.slice(1) : `-${operand.text}`;
		return { ...operand, text, at: operator.start };
	}
	return unary(operator, operand);
}

/** A chain of AND or OR as a balanced tree: its meaning and order are the same, and thousands of terms are not deep. */
export const all =
	(operator: "and" | "or") =>
	([terms]: [readonly Expression[]], at: number): Expression =>
		balanced(operator, terms, 0, terms.length, at);

function balanced(
	operator: "and" | "or",
	terms: readonly Expression[],
	from: number,
	to: number,
	at: number,
): Expression {
	if (to - from === 1) {
		return terms[from] as Expression;
	}
	// The left side takes the greater half, so that three terms read as PostgreSQL would read them.
	const middle = from + Math.ceil((to - from) / 2);
	return {
		kind: "operator",
		operator,
		operands: [
			balanced(operator, terms, from, middle, at),
			balanced(operator, terms, middle, to, at),
		],
		at,
	};
}

export const isNode = (
	operand: Expression,
	test: "null" | "true" | "false" | "unknown",
	negated: boolean,
	at: number,
): Expression => ({ kind: "is", test, negated, operand, at });

export const isNormalized = (
	operand: Expression,
	form: Expression | undefined,
	at: number,
): Expression =>
	callNode(nameOf("is_normalized", at), form === undefined ? [operand] : [operand, form], at);

export const distinct = (left: Expression, right: Expression, at: number): Expression => ({
	kind: "operator",
	operator: "is distinct from",
	operands: [left, right],
	at,
});

/** ANY ((SELECT ...)): the inner parentheses are the query's. */
export const quantified = (
	operand: Expression,
	operator: string,
	quantifier: "any" | "all",
	right: Expression | Query,
	at: number,
): Expression => ({
	kind: "quantified",
	operand,
	operator,
	quantifier,
	right: right.kind === "scalar-query" ? right.query : right,
	at,
});

export function between([operand, not, word, symmetric, low, , high]: [
	Expression,
	Negation,
	Token,
	boolean,
	Expression,
	Token,
	Expression,
]): Expression {
	const negated = not !== undefined;
	const at = (not ?? word).start;
	return { kind: "between", operand, low, high, negated, symmetric, at };
}

export function inList([operand, not, word, , packed]: [
	Expression,
	Negation,
	Token,
	Token,
	PackedList,
]): Expression {
	const list = flat(packed);
	const negated = not !== undefined;
	const at = (not ?? word).start;
	const only = list.length === 1 ? list[0] : undefined;
	if (only?.kind === "scalar-query") {
		return { kind: "in-query", operand, query: only.query, negated, at };
	}
	return { kind: "in-list", operand, list, negated, at };
}

export const inQuery = ([operand, not, word, , query]: [
	Expression,
	Negation,
	Token,
	Token,
	Query,
]): Expression => ({
	kind: "in-query",
	operand,
	query,
	negated: not !== undefined,
	at: (not ?? word).start,
});

export const like = ([operand, not, word, pattern, escapedBy]: [
	Expression,
	Negation,
	Token,
	Expression,
	Expression | undefined,
]): Expression => ({
	kind: "like",
	operand,
	pattern,
	escape: escapedBy,
	caseInsensitive: word.text === "ilike",
	similar: false,
	negated: not !== undefined,
	at: (not ?? word).start,
});

export const similar = ([operand, not, word, , pattern, escapedBy]: [
	Expression,
	Negation,
	Token,
	Token,
	Expression,
	Expression | undefined,
]): Expression => ({
	kind: "like",
	operand,
	pattern,
	escape: escapedBy,
	caseInsensitive: false,
	similar: true,
	negated: not !== undefined,
	at: (not ?? word).start,
});

export const likeAny = ([operand, not, word, quantifier, , right]: [
	Expression,
	Negation,
	Token,
	"any" | "all",
	Token,
	Expression | Query,
]): Expression => {
	const operator = `${not === undefined ? "" : "!"}~~${word.text === "ilike" ? "*" : ""}`;
	return quantified(operand, operator, quantifier, right, (not ?? word).start);
};

/** What is accessed within parentheses is no part of the access around them. */
export const closed = (inner: Expression): Expression =>
	inner.kind === "subscript" || inner.kind === "slice" || isJunction(inner)
		? { ...inner, closed: true }
		: inner;

const isJunction = (node: Expression): node is Extract<Expression, { kind: "operator" }> =>
	node.kind === "operator" && (node.operator === "and" || node.operator === "or");

export const subscriptNode = (
	[operand, subscript]: [Expression, Subscript],
	at: number,
): Expression =>
	"index" in subscript
		? { kind: "subscript", operand, index: subscript.index, at }
		: { kind: "slice", operand, ...subscript, at };

export const fieldNode = (
	[operand, , name]: [Expression, Token, Token],
	at: number,
): Expression => ({
	kind: "field",
	operand,
	name: name.value,
	at,
});

export const caseNode = (
	[, operand, branches, otherwise]: [
		Token,
		Expression | undefined,
		readonly CaseBranch[],
		Expression | undefined,
	],
	at: number,
): Expression => ({ kind: "case", operand, branches, otherwise, at });

export const nameOf = (name: string, at: number): QualifiedName => ({ parts: [name], at });

export const one = (at: number): Expression => ({
	kind: "literal",
	type: "integer",
	text: "1",
	at,
});

/** Of a call that is written with words between its arguments. */
export const worded: Partial<Call> = { worded: true };

export const callNode = (
	name: QualifiedName,
	args: readonly Expression[],
	at: number,
	extra: Partial<Call> = {},
): Call => ({
	kind: "call",
	name,
	args,
	star: false,
	distinct: false,
	variadic: false,
	orderBy: [] as readonly OrderItem[],
	filter: undefined,
	at,
	...extra,
});

/** Throws 42601. */
export function overlaps([left, word, right]: [Expression, Token, Expression]): Expression {
	const endsOf = (side: Expression, name: string): readonly Expression[] => {
		if (side.kind === "row" && side.elements.length === 2) return side.elements;
		throw new DatabaseError(
			"42601",
			`wrong number of parameters on ${name} side of OVERLAPS expression`,
			{ position: side.at + 1 },
		);
	};
	const at = word.start;
	const ends = [...endsOf(left, "left"), ...endsOf(right, "right")];
	return callNode(nameOf("overlaps", at), ends, at, worded);
}

export const finishCall = ([call, withinGroup, filter, over]: [
	Call,
	Call["withinGroup"],
	Expression | undefined,
	Call["over"],
]): Call => ({
	...call,
	...(withinGroup === undefined ? {} : { withinGroup }),
	...(filter === undefined ? {} : { filter }),
	...(over === undefined ? {} : { over }),
});

/** current_date and its kin, with an optional precision. */
export const special = (
	[word, precision]: [Token, Expression | undefined],
	at: number,
): Expression =>
	callNode(
		nameOf(word.text, at),
		precision === undefined ? [] : [precision],
		at,
		word.text === "current_schema" ? worded : {},
	);

/** coalesce (...) and its kin. */
export const specialList = ([word, , args]: [Token, Token, PackedList], at: number): Expression =>
	callNode(nameOf(word.text, at), flat(args), at);

export const typeNode = (
	name: readonly string[],
	modifiers: readonly number[],
	at: number,
): TypeName => ({ name, modifiers, dimensions: 0, at });

/** CHAR is CHAR(1). */
export const characterType = (
	varying: boolean,
	modifiers: readonly number[],
	at: number,
): TypeName =>
	varying
		? typeNode(["varchar"], modifiers, at)
		: typeNode(["bpchar"], modifiers.length === 0 ? [1] : modifiers, at);

export function floatType(precision: number, at: number): TypeName {
	if (precision < 1) {
		throw new DatabaseError("22023", "precision for type float must be at least 1 bit");
	}
	if (precision > 53) {
		throw new DatabaseError("22023", "precision for type float must be less than 54 bits");
	}
	return typeNode([precision <= 24 ? "float4" : "float8"], [], at);
}

export const castTo = (
	operand: Expression,
	type: string,
	modifiers: readonly number[],
	at: number,
): Expression => ({ kind: "cast", operand, type: typeNode([type], modifiers, at), at });

/** As `DAY TO SECOND(3)` says it: the first and the last field, and digits of seconds. */
export interface IntervalFields {
	readonly first: string;
	readonly last: string;
	readonly digits?: readonly number[];
}

/** The type: fields after the last one are cut off, which its modifiers say as a number of digits, or none, and a mask of fields. */
export function intervalTypeNode(fields: IntervalFields | undefined, at: number): TypeName {
	if (fields === undefined) return typeNode(["interval"], [], at);
	const { first, last, digits } = fields;
	return typeNode(["interval"], [...(digits ?? [anyDigits]), fieldsMask(first, last)], at);
}

const stringNode = (text: string, at: number): Expression => ({
	kind: "literal",
	type: "string",
	text,
	at,
});

/** INTERVAL '1 10' DAY TO HOUR: the last field is the unit of a bare number at the end. Of MINUTE TO SECOND 2:03 are minutes and seconds. */
function withUnit(text: Expression, { first, last }: IntervalFields, at: number): Expression {
	const replaced = (source: Expression, pattern: string, by: string): Expression => {
		const args = [source, stringNode(pattern, at), stringNode(by, at)];
		return callNode(nameOf("regexp_replace", at), args, at);
	};
	const isShort = first === "minute" && last === "second";
	const whole = isShort ? replaced(text, "^\\s*([+-]?)(\\d+:[\\d.]+)\\s*$", "\\100:\\2") : text;
	return replaced(whole, "((^|\\s)[+-]?\\d+(\\.\\d*)?)\\s*$", `\\1 ${last}`);
}

/** INTERVAL '1' DAY: the field is the unit of a bare number. */
export function intervalNode(operand: Expression, fields: IntervalFields, at: number): Expression {
	const given = castTo(operand, "text", [], at);
	const isRange = fields.first !== fields.last;
	// An operator in any case: a call would give the column its name.
	const text: Expression = {
		kind: "operator",
		operator: "||",
		operands: isRange
			? [withUnit(given, fields, at), stringNode("", at)]
			: [given, stringNode(` ${fields.last}`, at)],
		at,
	};
	return { kind: "cast", operand: text, type: intervalTypeNode(fields, at), at };
}
