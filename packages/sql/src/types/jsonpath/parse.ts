/**
 * From text to path: words (scan.ts), nearley's Earley parser over the grammar (jsonpath.ne, compiled to jsonpath.grammar.ts), and a walk that looks at
 * what the grammar does not say. Words are limited in number, so that neither this nor what recurses over a path takes long, or deep.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import nearley from "nearley";
import { invalidText } from "../errors.ts";
import { regularExpression } from "../regular-expression.ts";
import compiled from "./jsonpath.grammar.ts";
import { type JsonPath, type PathExpression, type PathStep, partsOf } from "./path.ts";
import { type PathToken, pathError, scanPath } from "./scan.ts";

const grammar = nearley.Grammar.fromCompiled(compiled as unknown as nearley.CompiledRules);

/** Of what is made of a word, roughly. */
const tokenSize = 160;
const cacheMax = 300;
const cacheLengthMax = 2000;
const cache = new Map<string, JsonPath>();

/** Throws 22P02, 42601, 2201B, 54001. */
export function parsePath(text: string): JsonPath {
	const known = cache.get(text);
	if (known !== undefined) return known;
	const path = parse(text);
	check(path.expression, { filters: 0, subscript: false });
	if (text.length <= cacheLengthMax) {
		if (cache.size >= cacheMax) cache.clear();
		cache.set(text, path);
	}
	return path;
}

/** Thrown by the parser below for a token that cannot follow. */
class UnexpectedToken extends Error {
	readonly token: PathToken;
	constructor(token: PathToken) {
		super("unexpected token");
		this.token = token;
	}
}

function parse(text: string): JsonPath {
	const tokens = scanPath(text);
	if (tokens.length === 0) throw invalidText("jsonpath", text);
	const parser = parserOf(tokens);
	try {
		parser.feed("");
	} catch (error) {
		throw error instanceof UnexpectedToken ? pathError("syntax error", error.token.near) : error;
	}
	const [path] = parser.results;
	if (path === undefined) throw pathError("syntax error", "");
	return { ...(path as Omit<JsonPath, "size">), size: 96 + tokens.length * tokenSize };
}

function parserOf(tokens: readonly PathToken[]): nearley.Parser {
	let at = 0;
	const lexer = {
		reset: () => undefined,
		next: () => tokens[at++],
		has: () => true,
		save: () => undefined,
		formatError: () => "",
	};
	const parser = new nearley.Parser(grammar, {
		lexer: lexer as unknown as nearley.Lexer,
		keepHistory: false,
	});
	// nearley would describe its whole state.
	(parser as unknown as { reportError(token: PathToken): string }).reportError = (token) => {
		throw new UnexpectedToken(token);
	};
	return parser;
}

/** How many parses the path has: for the test that there is one. */
export function countPathParses(text: string): number {
	const parser = parserOf(scanPath(text));
	parser.feed("");
	return parser.results.length;
}

/** How many filters an expression is in, and whether it is in a subscript. */
interface Place {
	readonly filters: number;
	readonly subscript: boolean;
}

function check(expression: PathExpression, place: Place): void {
	for (const step of expression) {
		checkStep(step, place);
		const within = {
			filters: place.filters + (step.kind === "filter" ? 1 : 0),
			subscript: place.subscript || step.kind === "index",
		};
		for (const part of partsOf(step)) check(part, within);
	}
}

function checkStep(step: PathStep, { filters, subscript }: Place): void {
	if (step.kind === "current" && filters === 0) {
		throw new DatabaseError("42601", "@ is not allowed in root expressions");
	}
	if (step.kind === "last" && !subscript) {
		throw new DatabaseError("42601", "LAST is allowed only in array subscripts");
	}
	if (step.kind === "like_regex") pathPattern(step.pattern, step.flags);
}

/** A pattern of like_regex. Throws 2201B, 42601 for flags that there are not, 0A000. */
export function pathPattern(pattern: string, flags: string): ReturnType<typeof regularExpression> {
	const wrong = /[^ismxq]/u.exec(flags);
	if (wrong !== null) {
		throw new DatabaseError("42601", "invalid input syntax for type jsonpath", {
			detail: `Unrecognized flag character "${wrong[0]}" in LIKE_REGEX predicate.`,
		});
	}
	const has = (letter: string): boolean => flags.includes(letter);
	if (has("x") && !has("q")) {
		throw new DatabaseError(
			"0A000",
			'XQuery "x" flag (expanded regular expressions) is not implemented',
		);
	}
	const lines = has("m") ? (has("s") ? "w" : "n") : has("s") ? "s" : "p";
	return regularExpression(pattern, `${has("q") ? "q" : lines}${has("i") ? "i" : ""}`);
}
