/**
 * From SQL text to syntax trees, in two steps. `lex` (lex.ts) is what every statement goes through: it finds the statements of a
 * query string and takes each apart into shape and literals. `parse` runs only if no plan is cached for the shape: moo's tokens
 * (tokens.ts), nearley's Earley parser over the grammar (grammar/*.ne, compiled to sql.grammar.ts), then the actions (deferred.ts).
 *
 * 1. Both steps read the same language: what `lex` calls a literal is one token for the grammar.
 * 2. The grammar is unambiguous.
 * 3. A syntax error is reported at the first token with which no statement can go on, as PostgreSQL does.
 * 4. What PostgreSQL has and Quorate does not is refused by name (0A000).
 * 5. No statement, however made, takes the event loop for more than a few milliseconds at a time, or memory out of proportion:
 *    nesting, tokens and depth of expressions have limits (54001).
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import nearley from "nearley";
import type { Expression, Query, Statement } from "./ast.ts";
import { type Action, Deferred, Evaluation } from "./deferred.ts";
import { type LexedStatement, lex } from "./lex.ts";
import { errorNear, syntaxError } from "./position.ts";
import compiled, { id } from "./sql.grammar.ts";
import { type Token, tokenize } from "./tokens.ts";
import { refuseByOpening } from "./unsupported.ts";

export type { DataCell, LexedStatement, LiftedLiteral } from "./lex.ts";
export { lex, lexInParts, longLength } from "./lex.ts";

/** Tokens of ALTER VIEW IF EXISTS a.b.c SET SCHEMA. */
const openingLength = 11;

/** Tokens between two chances for other tasks: about 3 ms. */
const SLICE_TOKENS = 40;

const grammar = deferredGrammar();

/** The grammar with its actions put off. */
function deferredGrammar(): nearley.Grammar {
	const rules = compiled.ParserRules.map((rule) => {
		const action = rule.postprocess as Action | undefined;
		// A rule that is its first symbol leaves no trace in the parse.
		const postprocess =
			action === id
				? (data: unknown[]) => data[0]
				: (data: unknown[], reference: number) => new Deferred(action, data, reference);
		return { ...rule, postprocess };
	});
	return nearley.Grammar.fromCompiled({
		...compiled,
		ParserRules: rules,
	} as unknown as nearley.CompiledRules);
}

/** Gives the parser a slice of the tokens a `feed`. */
class TokenFeed {
	#next = 0;
	#sliceEnd = 0;
	readonly #tokens: readonly Token[];

	constructor(tokens: readonly Token[]) {
		this.#tokens = tokens;
	}

	get done(): boolean {
		return this.#next === this.#tokens.length;
	}

	reset(): void {
		this.#sliceEnd = Math.min(this.#next + SLICE_TOKENS, this.#tokens.length);
	}

	next(): Token | undefined {
		if (this.#next === this.#sliceEnd) {
			return undefined;
		}
		const token = this.#tokens[this.#next];
		this.#next += 1;
		return token;
	}

	has(): boolean {
		return true;
	}

	save(): undefined {
		return undefined;
	}

	formatError(): string {
		return "";
	}
}

/** Thrown by the parser below for a token that cannot follow. */
class UnexpectedToken extends Error {
	readonly token: Token;
	constructor(token: Token) {
		super("unexpected token");
		this.token = token;
	}
}

/**
 * Runs the grammar. Literals become `lifted` nodes (numbered as in `literals`) where `lex` lifted them, `literal` nodes elsewhere.
 * Async: fed in slices of a few milliseconds. `yieldNow` gives way to other tasks.
 */
export async function parse(
	statement: LexedStatement,
	yieldNow: () => Promise<void>,
): Promise<Statement> {
	const tokenizer = tokenize(statement);
	let step = tokenizer.next();
	while (step.done !== true) {
		await yieldNow();
		step = tokenizer.next();
	}
	const run = new ParseRun(statement, step.value);
	while (!run.done) {
		run.step();
		if (!run.done) {
			await yieldNow();
		}
	}
	return run.finish() as Statement;
}

const beforeQuery = "explain ";
const beforeExpression = "select (";
/** Where the text of `parseExpression` begins, as places in its tree count. */
export const expressionStart = beforeQuery.length + beforeExpression.length;

/**
 * The expression in a text that Quorate wrote itself, as the defaults and checks in the catalog: short, so in one go. Nothing is
 * lifted out of it.
 */
export function parseExpression(text: string): Expression {
	const query = parseQuery(`${beforeExpression}${text})`);
	assert(query.body.kind === "select", "select holds a select");
	const [item] = query.body.items;
	assert(item !== undefined, "a stored expression is one expression");
	return item.expression;
}

/** The query in a text that the catalog keeps. Nothing is lifted out of it. */
export function parseQuery(text: string): Query {
	// EXPLAIN is a statement whose literals are not lifted.
	const [statement] = lex(`${beforeQuery}${text}`);
	assert(statement !== undefined, "a stored query is not empty");
	const explain = runAtOnce(statement).finish() as Statement;
	assert(explain.kind === "explain", "explain parses as such");
	const query = explain.statement;
	assert(query.kind === "query", "a stored query is a query");
	return query;
}

/** How many parses the statement has: for the test that there is one. */
export const countParses = (statement: LexedStatement): number => runAtOnce(statement).parses;

function runAtOnce(statement: LexedStatement): ParseRun {
	const tokenizer = tokenize(statement);
	let step = tokenizer.next();
	while (step.done !== true) {
		step = tokenizer.next();
	}
	const run = new ParseRun(statement, step.value);
	while (!run.done) {
		run.step();
	}
	return run;
}

class ParseRun {
	readonly #statement: LexedStatement;
	readonly #tokens: readonly Token[];
	readonly #feed: TokenFeed;
	readonly #parser: nearley.Parser;

	constructor(statement: LexedStatement, tokens: readonly Token[]) {
		this.#statement = statement;
		this.#tokens = tokens;
		refuseByOpening(
			this.#tokens
				.slice(0, openingLength)
				.map((token) => (token.type === "word" ? token.text : "")),
		);
		this.#feed = new TokenFeed(this.#tokens);
		this.#parser = new nearley.Parser(grammar, {
			lexer: this.#feed as unknown as nearley.Lexer,
			keepHistory: false,
		});
		// nearley would describe its whole state, which for a grammar of this size takes longer than the parse.
		(this.#parser as unknown as { reportError(token: Token): string }).reportError = (token) => {
			throw new UnexpectedToken(token);
		};
	}

	get done(): boolean {
		return this.#feed.done;
	}

	get parses(): number {
		return this.#parser.results.length;
	}

	step(): void {
		try {
			this.#parser.feed("");
		} catch (error) {
			if (error instanceof UnexpectedToken) {
				throw this.#unexpected(error.token);
			}
			throw error;
		}
	}

	finish(): unknown {
		const parse = this.#parser.results[0];
		if (parse === undefined) {
			throw this.#unexpectedEnd();
		}
		try {
			return new Evaluation(this.#statement, this.#tokens).value(parse);
		} catch (error) {
			throw error instanceof RangeError
				? new DatabaseError("54001", "stack depth limit exceeded")
				: error;
		}
	}

	#unexpected(token: Token): DatabaseError {
		const { query, offset } = this.#statement;
		// What is read as one token here may have begun with a sign, or be many.
		const sign = query[offset + token.start] === "-" && token.type === "liftedNumber";
		const end = sign ? token.start + 1 : token.end;
		return errorNear(query, offset + token.start, offset + end, "syntax error");
	}

	#unexpectedEnd(): DatabaseError {
		const { query, queryEnd } = this.#statement;
		return query[queryEnd] === ";"
			? errorNear(query, queryEnd, queryEnd + 1, "syntax error")
			: syntaxError(query, queryEnd, "syntax error at end of input");
	}
}
