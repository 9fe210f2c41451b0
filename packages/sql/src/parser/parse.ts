/** TO BE REPLACED by the implementation: the contract of the parser with the session. */
import type { Statement } from "./ast.ts";

/** A literal that was lifted out of a statement; becomes an argument of the cached plan. */
export interface LiftedLiteral {
	readonly type: "integer" | "decimal" | "string";
	/** As written, without quotes, escapes decoded. */
	readonly text: string;
	readonly at: number;
}

/** One statement of a query string, lexed but not parsed: cheap, on the hot path. */
export interface LexedStatement {
	/** Its text, without the final `;`. */
	readonly text: string;
	/** Offset of the text in the whole query string (error positions are relative to the whole string). */
	readonly offset: number;
	/** The literal-free token stream: equal shapes have equal keys. The plan cache is keyed by it (plus catalog version and parameter types). */
	readonly shape: string;
	readonly literals: readonly LiftedLiteral[];
	/** For `INSERT ... VALUES` of several rows whose later rows are plain literals: those rows, read as data; the shape and grammar see only the first. */
	readonly moreRows:
		| readonly (readonly (LiftedLiteral | "null" | "default" | boolean)[])[]
		| undefined;
}

/** Splits a query string into statements. Comment-only or empty text gives []. Throws DatabaseError 42601 with position, 54001 at limits. */
export declare function lex(query: string): LexedStatement[];

/**
 * Runs the grammar. Literals become `lifted` nodes (numbered as in `literals`) except where the grammar needs them as syntax (type
 * modifiers, LIMIT stays lifted, SET values, options). Async: fed in slices under 5 ms. `yieldNow` gives way to other tasks.
 */
export declare function parse(
	statement: LexedStatement,
	yieldNow: () => Promise<void>,
): Promise<Statement>;
