/**
 * The grammar's tokens. moo splits the text; the literals that `lex` lifted out, and the rows that it read as data, are not in what
 * moo sees. Long lists of constants, `IN (1, 2, ...)` or a wide row of VALUES, are packed into one token: for the Earley parser
 * they would be thousands of steps without a decision.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import moo from "moo";
import type { Expression } from "./ast.ts";
import {
	BARE_LABEL,
	COLUMN_NAME,
	FUNCTION_NAME,
	IDENTIFIER_CLASSES,
	KEYWORD,
	keywordClasses,
	LABEL,
} from "./keywords.ts";
import type { LexedStatement, LiftedLiteral } from "./lex.ts";
import { statementPosition } from "./position.ts";
import { Scanner, UNICODE_STRING } from "./scanner.ts";
import {
	dollarStringValue,
	escapeStringValue,
	foldIdentifier,
	plainStringValue,
	unquoteIdentifier,
} from "./string-literal.ts";
import { unicodeValue } from "./unicode-literal.ts";

export type TokenType =
	/** Words, quoted or not; `text` of an unquoted one is its folded form, so that the grammar can name key words. */
	| "word"
	| "string"
	| "integer"
	| "decimal"
	| "parameter"
	| "liftedNumber"
	| "liftedString"
	/** Several constants with the commas between them. */
	| "packed"
	/** An operator that the grammar does not name. */
	| "operator"
	/** Operators and punctuation that it does. */
	| "symbol";

export interface Token {
	readonly type: TokenType;
	/** What a literal in the grammar is compared with. */
	readonly text: string;
	/** Folded or unquoted name, value of a string, digits of a number. */
	readonly value: string;
	/** What a word may name (keywords.ts). */
	readonly classes: number;
	readonly start: number;
	readonly end: number;
	/** Of "packed". */
	readonly items: readonly Expression[];
}

/** A statement of more tokens costs minutes, not plans. Packed constants and rows read as data do not count. */
const TOKENS_MAX = 20_000;
/** As in PostgreSQL's protocol. */
const PARAMETERS_MAX = 65_535;
/** Fewer constants than this are left to the grammar: their tokens cost little. */
const PACKED_MIN = 8;
/** Of text outside lifted literals. */
const TEXT_MAX = 1 << 20;

// White space with a line break, comments allowed, then the next part of the constant. A comment must run to its line's end, or
// the expression could be matched in exponentially many ways.
const GAP = "[ \\t\\f]*(?:--[^\\n\\r]*)?[\\n\\r](?:[ \\t\\n\\r\\f]|--[^\\n\\r]*[\\n\\r])*";
const PLAIN = "'[^']*(?:''[^']*)*'";
const ESCAPED = "'[^'\\\\]*(?:(?:''|\\\\[^])[^'\\\\]*)*'";
const LETTER = "A-Za-z_\\u0080-\\uffff";
const NO_COMMENT = "(?!--|\\/\\*)";
const SIMPLE_OPERATOR = `(?:${NO_COMMENT}[+\\-*\\/<>=])`;
const ANY_OPERATOR = `(?:${NO_COMMENT}[+\\-*\\/<>=~!@#%^&|\`?])`;

const grammarLexer = moo.states({
	main: {
		space: { match: /[ \t\n\r\f]+/, lineBreaks: true },
		lineComment: /--[^\n\r]*/,
		blockComment: { match: /\/\*/, push: "comment" },
		escapeString: {
			match: new RegExp(`[eE]${ESCAPED}(?:${GAP}${ESCAPED})*`),
			lineBreaks: true,
		},
		string: { match: new RegExp(`${PLAIN}(?:${GAP}${PLAIN})*`), lineBreaks: true },
		dollarOpen: new RegExp(`\\$(?:[${LETTER}][${LETTER}0-9]*)?\\$`),
		unicodeOpen: /[uU]&(?=['"])/,
		parameter: /\$[0-9]+/,
		quoted: { match: /"[^"]*(?:""[^"]*)*"/, lineBreaks: true },
		decimal: /(?:[0-9]+\.(?!\.)[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+/,
		integer: /[0-9]+/,
		word: new RegExp(`[${LETTER}][${LETTER}0-9$]*`),
		// PostgreSQL's rule: an operator of several characters ends in + or - only if it holds one of ~ ! @ # % ^ & | ` ?
		operator: [
			new RegExp(`${SIMPLE_OPERATOR}{0,63}${NO_COMMENT}[~!@#%^&|\`?]${ANY_OPERATOR}{0,63}`),
			new RegExp(`${SIMPLE_OPERATOR}{0,63}${NO_COMMENT}[*\\/<>=]`),
			/[+-]/,
		],
		punctuation: ["::", ":=", "..", ",", "(", ")", "[", "]", ".", ";", ":"],
	},
	comment: {
		open: { match: /\/\*/, push: "comment" },
		close: { match: /\*\//, pop: 1 },
		inside: { match: /[^*/]+|[*/]/, lineBreaks: true },
	},
});

const NAMED_OPERATORS = new Set("+ - * / % ^ < > = <= >= <> =>".split(" "));
const NONE: readonly Expression[] = [];

/** moo takes a fraction of a microsecond a token, and what follows as much again. */
const SLICE_TOKENS = 2000;

/** Yields now and then, for other tasks. */
export function* tokenize(statement: LexedStatement): Generator<undefined, Token[]> {
	const { text, literals, moreRows, moreRowsAt, moreRowsEnd } = statement;
	const tokens: Token[] = [];
	const lexer = ownLexer();
	let from = 0;
	for (const [index, literal] of literals.entries()) {
		if (moreRows !== undefined && from <= moreRowsAt && moreRowsAt < literal.at) {
			yield* tokensBetween(text, from, moreRowsAt, tokens, lexer);
			from = moreRowsEnd;
		}
		yield* tokensBetween(text, from, literal.at, tokens, lexer);
		tokens.push(liftedToken(literal, index));
		from = literal.end;
	}
	if (moreRows !== undefined && from <= moreRowsAt) {
		yield* tokensBetween(text, from, moreRowsAt, tokens, lexer);
		from = moreRowsEnd;
	}
	yield* tokensBetween(text, from, text.length, tokens, lexer);
	const packed = pack(tokens, statement);
	if (packed.length > TOKENS_MAX) {
		throw new DatabaseError("54001", "statement too complex", {
			detail: `It has ${packed.length} tokens; at most ${TOKENS_MAX} are allowed.`,
			hint: "Split it, or pass long lists as an array parameter.",
		});
	}
	return packed;
}

const liftedToken = (literal: LiftedLiteral, index: number): Token => ({
	type: literal.type === "string" ? "liftedString" : "liftedNumber",
	text: "",
	value: "",
	classes: 0,
	start: literal.at,
	end: literal.end,
	items: [{ kind: "lifted", type: literal.type, index, at: literal.at }],
});

/** Others may run while one waits. moo has `clone`, its types have not. */
const ownLexer = (): moo.Lexer => (grammarLexer as moo.Lexer & { clone(): moo.Lexer }).clone();

/** All tokens of text[from, to), through moo. */
export function* tokensBetween(
	text: string,
	from: number,
	to: number,
	tokens: Token[],
	lexer: moo.Lexer = ownLexer(),
): Generator<undefined, void> {
	if (to - from > TEXT_MAX) {
		throw new DatabaseError("54001", "statement too long", {
			hint: `At most ${TEXT_MAX} characters outside of lifted constants are allowed.`,
		});
	}
	lexer.reset(text.slice(from, to), { state: "main", line: 1, col: 1 } as moo.LexerState);
	let base = from;
	for (;;) {
		const token = lexer.next();
		if (token === undefined) {
			return;
		}
		const start = base + token.offset;
		const end = start + token.text.length;
		if (token.type === "dollarOpen") {
			// A tag cannot be matched with itself by an expression without groups.
			const close = text.indexOf(token.text, end) + token.text.length;
			tokens.push(make("string", "'", dollarStringValue(text, start, close), start, close));
			lexer.reset(text.slice(close, to), { state: "main", line: 1, col: 1 } as moo.LexerState);
			base = close;
		} else if (token.type === "unicodeOpen") {
			const made = unicodeToken(text, start);
			tokens.push(made);
			lexer.reset(text.slice(made.end, to), { state: "main", line: 1, col: 1 } as moo.LexerState);
			base = made.end;
		} else {
			const made = toToken(token.type ?? "", text, start, end);
			if (made !== undefined) {
				tokens.push(made);
			}
			if (tokens.length % SLICE_TOKENS === SLICE_TOKENS - 1) {
				yield;
			}
		}
	}
}

function make(
	type: TokenType,
	text: string,
	value: string,
	start: number,
	end: number,
	classes = 0,
): Token {
	return { type, text, value, classes, start, end, items: NONE };
}

/** What stands behind it may belong to it: the scanner knows. */
function unicodeToken(text: string, start: number): Token {
	const scanner = new Scanner();
	scanner.reset(text, start);
	const kind = scanner.next();
	const value = unicodeValue(text, start, scanner.end);
	return kind === UNICODE_STRING
		? make("string", "'", value, start, scanner.end)
		: make("word", '"', value, start, scanner.end, IDENTIFIER_CLASSES);
}

function toToken(type: string, text: string, start: number, end: number): Token | undefined {
	switch (type) {
		case "word": {
			const folded = foldIdentifier(text.slice(start, end));
			// N'...' is NCHAR '...'.
			const word = folded === "n" && text[end] === "'" ? "nchar" : folded;
			return make("word", word, word, start, end, keywordClasses(word) ?? IDENTIFIER_CLASSES);
		}
		case "quoted": {
			const name = unquoteIdentifier(text.slice(start, end));
			return make("word", '"', name, start, end, IDENTIFIER_CLASSES);
		}
		case "string":
			return make("string", "'", plainStringValue(text, start, end), start, end);
		case "escapeString":
			return make("string", "'", escapeStringValue(text, start, end), start, end);
		case "integer":
		case "decimal":
			return make(type, "0", text.slice(start, end), start, end);
		case "parameter":
			return make("parameter", "$", text.slice(start + 1, end), start, end);
		case "operator": {
			const written = text.slice(start, end);
			const operator = written === "!=" ? "<>" : written;
			const named = NAMED_OPERATORS.has(operator);
			return make(named ? "symbol" : "operator", operator, operator, start, end);
		}
		case "punctuation": {
			const symbol = text.slice(start, end);
			return make("symbol", symbol, symbol, start, end);
		}
		default:
			return undefined;
	}
}

/** The expression that a constant token stands for. */
export function constant(token: Token): Expression {
	switch (token.type) {
		case "integer":
		case "decimal":
		case "string":
			return { kind: "literal", type: token.type, text: token.value, at: token.start };
		case "parameter":
			return { kind: "parameter", index: Number(token.value), at: token.start };
		default:
			return token.items[0] as Expression;
	}
}

const isConstant = (token: Token | undefined): boolean =>
	token !== undefined &&
	token.type !== "word" &&
	token.type !== "symbol" &&
	token.type !== "operator";

function pack(tokens: readonly Token[], statement: LexedStatement): Token[] {
	const packed: Token[] = [];
	let i = 0;
	while (i < tokens.length) {
		const token = tokens[i] as Token;
		if (token.type === "parameter") {
			checkParameter(token, statement);
		}
		packed.push(token);
		i += 1;
		if (token.text !== "(" && token.text !== "[") {
			continue;
		}
		let end = i;
		while (isConstant(tokens[end]) && tokens[end + 1]?.text === ",") {
			end += 2;
		}
		// The last constant of the run stays out: it may be the start of a longer expression.
		const count = (end - i) / 2;
		if (count < PACKED_MIN || !isConstant(tokens[end])) {
			continue;
		}
		const items: Expression[] = [];
		for (let k = i; k < end; k += 2) {
			const item = tokens[k] as Token;
			if (item.type === "parameter") {
				checkParameter(item, statement);
			}
			items.push(constant(item));
		}
		const first = tokens[i] as Token;
		packed.push({ ...make("packed", "", "", first.start, first.end), items });
		// The comma behind the run stays.
		i = end - 1;
	}
	return packed;
}

function checkParameter(token: Token, statement: LexedStatement): void {
	const index = Number(token.value);
	if (index < 1 || index > PARAMETERS_MAX) {
		throw new DatabaseError("42P02", `there is no parameter $${token.value}`, {
			position: statementPosition(statement, token.start),
		});
	}
}

/** Matchers that the grammar refers to by name. */
const named = (kind: number): { test: (token: Token) => boolean } => ({
	test: (token) => (token.classes & kind) !== 0,
});
export const columnName = named(COLUMN_NAME);
export const functionName = named(FUNCTION_NAME);
export const anyWord = named(LABEL);
export const bareLabel = named(BARE_LABEL);
/** COPY targets, SET values ...: ColId or type_function_name. */
export const plainWord = named(COLUMN_NAME | FUNCTION_NAME);
/** UPDATE t SET: an alias without AS, but not the word SET. */
export const aliasBeforeSet: { test: (token: Token) => boolean } = {
	test: (token) => (token.classes & COLUMN_NAME) !== 0 && token.text !== "set",
};
/** What an unsupported GRANT is about, up to TO. */
export const grantedToken: { test: (token: Token) => boolean } = {
	test: (token) => token.text !== "to" && token.text !== "from",
};
export const anyToken: { test: (token: Token) => boolean } = { test: () => true };
/** Of a list of arguments. */
export const bareToken: { test: (token: Token) => boolean } = {
	test: (token) => token.text !== "(" && token.text !== ")",
};
/** SET TIME ZONE utc: a word that is no key word. */
export const zoneWord: { test: (token: Token) => boolean } = {
	test: (token) => token.type === "word" && (token.classes & KEYWORD) === 0,
};
