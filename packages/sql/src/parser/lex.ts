/**
 * Splits a query string into statements and takes each apart into a shape, which finds its plan in the cache, and its literals,
 * which become arguments of that plan. Every statement passes here, so nothing is parsed and little allocated.
 *
 * The shape is the statement's text with each lifted literal replaced by one control character that stands for its type
 * (int4, int8, numeric, string), and each comment by a space. Control characters occur nowhere else outside quotes.
 *
 * What is lifted: the literals of SELECT, INSERT, UPDATE, DELETE, VALUES, WITH, TABLE and EXECUTE, but for those whose value
 * decides what the statement means:
 * 1. modifiers of types, varchar(10);
 * 2. literals in ORDER BY, GROUP BY and DISTINCT ON, where 1 names the first output column;
 * 3. in a statement with GROUP BY or DISTINCT, all that is outside of WHERE: `a + 1` in the select list must be seen to be the
 *    same expression as `a + 1` in GROUP BY.
 * A minus that can only be a sign goes with its number, so that `x + -5` and `x + 5` share a plan.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { MoreRows } from "./more-rows.ts";
import {
	DECIMAL,
	END,
	ESCAPE_STRING,
	INTEGER,
	OPERATOR,
	PARAMETER,
	PUNCTUATION,
	QUOTED,
	Scanner,
	STRING,
	UNICODE_QUOTED,
	UNICODE_STRING,
	WORD,
} from "./scanner.ts";
import { dollarStringValue, escapeStringValue, plainStringValue } from "./string-literal.ts";
import { unicodeValue } from "./unicode-literal.ts";
import * as words from "./words.ts";

/** A literal that was lifted out of a statement; becomes an argument of the cached plan. */
export interface LiftedLiteral {
	/**
	 * "integer" fits int8; larger ones are "decimal" (numeric). Whether an integer fits int4 is the same in all statements of one
	 * shape.
	 */
	readonly type: "integer" | "decimal" | "string";
	/** As written, without quotes, escapes decoded; a number may begin with a minus. */
	readonly text: string;
	/** Offset in the statement's text. */
	readonly at: number;
	/** Offset behind it. */
	readonly end: number;
}

export type DataCell = LiftedLiteral | "null" | "default" | boolean;

/** One statement of a query string, lexed but not parsed: cheap, on the hot path. */
export interface LexedStatement {
	/** Its text, without the final `;`. */
	readonly text: string;
	/** Offset of the text in the whole query string (error positions are relative to the whole string). */
	readonly offset: number;
	/** The literal-free text: equal shapes have equal keys. The plan cache is keyed by it (plus catalog version and parameter types). */
	readonly shape: string;
	readonly literals: readonly LiftedLiteral[];
	/** For `INSERT ... VALUES` of several rows whose later rows are plain literals: those rows, read as data; the shape and grammar see only the first. */
	readonly moreRows: readonly (readonly DataCell[])[] | undefined;
	/** What `moreRows` covers in the text, from the comma behind the first row. */
	readonly moreRowsAt: number;
	readonly moreRowsEnd: number;
	/** The whole query string, for error positions, and where the statement's `;` or the string's end is in it. */
	readonly query: string;
	readonly queryEnd: number;
}

const NESTING_MAX = 200;

const INT4_MARK = "\u0001";
const INT8_MARK = "\u0002";
const DECIMAL_MARK = "\u0003";
const STRING_MARK = "\u0004";

const NO_LITERALS: readonly LiftedLiteral[] = [];

const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const MINUS = 45;
const COLON = 58;
const SEMICOLON = 59;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/** From this length on a query string is read in parts: a millisecond each, or several while the code is new to the engine. */
export const longLength = 32_768;
/** Of a part. */
const rowsOfPart = 200;

/** Splits a query string into statements. Comment-only or empty text gives []. Throws DatabaseError 42601 with position, 54001 at limits. */
export function lex(query: string): LexedStatement[] {
	const statements: LexedStatement[] = [];
	const lexer = new StatementLexer(query);
	let from = 0;
	while (from < query.length) {
		const statement = lexer.statement(from);
		if (statement !== undefined) {
			statements.push(statement);
		}
		from = lexer.end + 1;
	}
	return statements;
}

/** The same, with other tasks getting their turn between parts of a long list of rows. */
export async function lexInParts(
	query: string,
	yieldNow: () => Promise<void>,
): Promise<LexedStatement[]> {
	const statements: LexedStatement[] = [];
	const known = new Map<number, KnownRows>();
	const lexer = new StatementLexer(query, known);
	let from = 0;
	let partEnd = longLength;
	while (from < query.length) {
		if (from > partEnd) {
			await yieldNow();
			partEnd = from + longLength;
		}
		try {
			const statement = lexer.statement(from);
			if (statement !== undefined) {
				statements.push(statement);
			}
			from = lexer.end + 1;
		} catch (found) {
			if (!(found instanceof RowsAhead)) {
				throw found;
			}
			// With them the statement is read once more: what comes before is short, or has other rows.
			const { scanner, rows } = found;
			let read = rows.read(rowsOfPart);
			for (; read === "more"; read = rows.read(rowsOfPart)) {
				await yieldNow();
			}
			known.set(found.at, { rows: read, end: scanner.end });
		}
	}
	return statements;
}

/** Rows after the first. */
interface KnownRows {
	/** Undefined: not to be read so. */
	readonly rows: readonly (readonly DataCell[])[] | undefined;
	readonly end: number;
}

/** Thrown where rows may follow, if they are to be read in parts. */
class RowsAhead extends Error {
	/** End of the first row. */
	readonly at: number;
	readonly scanner = new Scanner();
	readonly rows: MoreRows;

	constructor(query: string, at: number, base: number, columns: number) {
		super("rows ahead");
		this.at = at;
		this.scanner.reset(query, at);
		this.rows = new MoreRows(this.scanner, base, columns);
	}
}

/** Reads a number or string constant at the scanner as a literal. `sign`: where its minus is, or -1. */
export function readLiteral(scanner: Scanner, base: number, sign: number): LiftedLiteral {
	const { kind, start, end, text } = scanner;
	const at = (sign === -1 ? start : sign) - base;
	switch (kind) {
		case INTEGER:
			return {
				type: fitsInt8(text, start, end, sign !== -1) ? "integer" : "decimal",
				text: sign === -1 ? text.slice(start, end) : `-${text.slice(start, end)}`,
				at,
				end: end - base,
			};
		case DECIMAL: {
			const written = text.slice(start, end);
			return {
				type: "decimal",
				text: sign === -1 ? written : `-${written}`,
				at,
				end: end - base,
			};
		}
		case STRING:
			return { type: "string", text: plainStringValue(text, start, end), at, end: end - base };
		case ESCAPE_STRING:
			return { type: "string", text: escapeStringValue(text, start, end), at, end: end - base };
		case UNICODE_STRING:
			return { type: "string", text: unicodeValue(text, start, end), at, end: end - base };
		default:
			return { type: "string", text: dollarStringValue(text, start, end), at, end: end - base };
	}
}

function fitsInt8(text: string, start: number, end: number, negative: boolean): boolean {
	if (end - start < 19) {
		return true;
	}
	const value = BigInt(text.slice(start, end));
	return negative ? value <= 9223372036854775808n : value <= 9223372036854775807n;
}

function mark(literal: LiftedLiteral): string {
	if (literal.type === "string") {
		return STRING_MARK;
	}
	if (literal.type === "decimal") {
		return DECIMAL_MARK;
	}
	const value = Number(literal.text);
	return value >= -2147483648 && value <= 2147483647 ? INT4_MARK : INT8_MARK;
}

class StatementLexer {
	/** Where the last statement ended: its `;`, or the query's end. */
	end = 0;

	readonly #query: string;
	readonly #scanner = new Scanner();
	#begin = 0;
	#literals: LiftedLiteral[] = [];
	#shape = "";
	/** Text from here to the present token still has to go into the shape. */
	#pieceStart = 0;
	#lifts = false;
	/** Rule 3: the statement groups. Found on the way, it starts the statement over. */
	#grouping = false;
	/** In grouping statements: whether literals at this depth are lifted, and the same for the depths around. */
	#liftable = true;
	#liftableAround: boolean[] = [];
	#depth = 0;
	/** Nothing is lifted at this depth and deeper; -1: no such list is open. */
	#fixedDepth = -1;
	/** INSERT ... VALUES: number of values seen in the first row; -1 outside of it. */
	#rowValues = -1;
	#isInsert = false;
	#rows: readonly (readonly DataCell[])[] | undefined;
	#rowsAt = 0;
	#rowsEnd = 0;

	/** Rows by the end of the first of them; undefined: all are read in one go. */
	readonly #known: ReadonlyMap<number, KnownRows> | undefined;

	constructor(query: string, known?: ReadonlyMap<number, KnownRows>) {
		this.#query = query;
		this.#known = known;
	}

	statement(from: number): LexedStatement | undefined {
		const scanner = this.#scanner;
		scanner.reset(this.#query, from);
		const kind = scanner.next();
		if (kind === END || this.#isPunctuation(SEMICOLON)) {
			this.end = scanner.start;
			return undefined;
		}
		this.#begin = scanner.start;
		const last = this.#scan(false);
		const text = this.#query.slice(this.#begin, last);
		let shape = text;
		if (this.#pieceStart !== this.#begin) {
			shape = this.#shape + this.#query.slice(this.#pieceStart, last);
		}
		return {
			text,
			offset: this.#begin,
			shape,
			literals: this.#literals.length === 0 ? NO_LITERALS : this.#literals,
			moreRows: this.#rows,
			moreRowsAt: this.#rowsAt,
			moreRowsEnd: this.#rowsEnd,
			query: this.#query,
			queryEnd: this.end,
		};
	}

	/** Reads from the first token, at which the scanner stands, to the statement's end. Returns where its last token ends. */
	#scan(grouping: boolean): number {
		const scanner = this.#scanner;
		this.#literals = [];
		this.#shape = "";
		this.#pieceStart = this.#begin;
		this.#depth = 0;
		this.#fixedDepth = -1;
		this.#rowValues = -1;
		this.#rows = undefined;
		this.#grouping = grouping;
		this.#liftable = !grouping;
		this.#liftableAround.length = 0;
		this.#opening();
		let last = this.#begin;
		let meaning = words.OTHER;
		let before = words.OTHER;
		/** End of an operator or opening punctuation that makes a following minus a sign; and that minus. */
		let operand = false;
		let sign = -1;
		for (let kind = scanner.kind; kind !== END; kind = scanner.next()) {
			if (scanner.afterComment && scanner.start !== this.#begin) {
				this.#shape += `${this.#query.slice(this.#pieceStart, last)} `;
				this.#pieceStart = scanner.start;
			}
			before = meaning;
			meaning = words.OTHER;
			let nextOperand = false;
			let nextSign = -1;
			if (kind === WORD) {
				meaning = words.wordMeaning(this.#query, scanner.start, scanner.end);
				if (meaning !== words.OTHER && this.#word(meaning, before)) {
					return this.#startOver();
				}
			} else if (kind === PUNCTUATION) {
				const code = this.#query.charCodeAt(scanner.start);
				if (code === SEMICOLON) {
					break;
				}
				nextOperand = code === OPEN || code === COMMA || code === OPEN_BRACKET;
				this.#punctuation(code, before);
			} else if (kind === OPERATOR) {
				const minus =
					scanner.end === scanner.start + 1 && this.#query.charCodeAt(scanner.start) === MINUS;
				nextSign = minus && operand ? scanner.start : -1;
				nextOperand = nextSign === -1;
			} else if (kind !== QUOTED && kind !== UNICODE_QUOTED && kind !== PARAMETER) {
				this.#literal(scanner.afterComment ? -1 : sign);
			}
			last = scanner.end;
			operand = nextOperand;
			sign = nextSign;
		}
		this.end = scanner.start;
		return last;
	}

	#startOver(): number {
		this.#scanner.reset(this.#query, this.#begin);
		this.#scanner.next();
		return this.#scan(true);
	}

	/** Decides by the first token whether this statement's literals are lifted. */
	#opening(): void {
		const { kind, start, end } = this.#scanner;
		const first = kind === WORD ? words.wordMeaning(this.#query, start, end) : words.OTHER;
		this.#isInsert = first === words.INSERT;
		this.#lifts =
			first === words.SELECT ||
			first === words.INSERT ||
			first === words.VALUES ||
			first === words.OPENS_LIFTED ||
			this.#isPunctuation(OPEN);
	}

	#isPunctuation(code: number): boolean {
		return (
			this.#scanner.kind === PUNCTUATION && this.#query.charCodeAt(this.#scanner.start) === code
		);
	}

	/** True: the statement turned out to be a grouping one. */
	#word(meaning: number, before: number): boolean {
		if (!this.#lifts) {
			return false;
		}
		switch (meaning) {
			case words.GROUP:
			case words.DISTINCT:
				if (!this.#grouping) {
					return true;
				}
				this.#endList();
				this.#liftable = false;
				break;
			case words.SELECT:
			case words.CLAUSE:
				this.#endList();
				this.#liftable = !this.#grouping;
				break;
			case words.WHERE:
			case words.LIMIT:
				this.#endList();
				this.#liftable = true;
				break;
			case words.BY:
				this.#fixedDepth = this.#fixedDepth === -1 ? this.#depth : this.#fixedDepth;
				break;
			case words.ON:
				if (before === words.DISTINCT && this.#fixedDepth === -1) {
					this.#fixedDepth = this.#depth + 1;
				}
				break;
			case words.VALUES:
				if (this.#isInsert && this.#depth === 0) {
					this.#rowValues = 0;
				}
				break;
			default:
				break;
		}
		return false;
	}

	/** A clause begins: a BY list at this depth is over. */
	#endList(): void {
		if (this.#fixedDepth === this.#depth) {
			this.#fixedDepth = -1;
		}
	}

	#punctuation(code: number, before: number): void {
		if (code === OPEN || code === OPEN_BRACKET) {
			this.#depth += 1;
			if (this.#depth > NESTING_MAX) {
				throw new DatabaseError("54001", "stack depth limit exceeded", {
					hint: `Parentheses and brackets may be nested ${NESTING_MAX} deep.`,
				});
			}
			if (this.#grouping) {
				this.#liftableAround.push(this.#liftable);
			}
			if (before === words.SIZED_TYPE && this.#fixedDepth === -1) {
				this.#fixedDepth = this.#depth;
			}
			if (this.#rowValues === 0 && this.#depth === 1) {
				this.#rowValues = 1;
			}
			if (code === OPEN_BRACKET && this.#rowValues < 0) {
				// Of a column's elements more than one row is for the grammar.
				this.#isInsert = false;
			}
		} else if (code === CLOSE || code === CLOSE_BRACKET) {
			// Unbalanced text is for the grammar to refuse.
			this.#depth = Math.max(0, this.#depth - 1);
			if (this.#fixedDepth > this.#depth) {
				this.#fixedDepth = -1;
			}
			if (this.#grouping) {
				this.#liftable = this.#liftableAround.pop() ?? false;
			}
			if (this.#rowValues > 0 && this.#depth === 0) {
				this.#firstRowEnds();
			}
		} else if (code === COMMA && this.#rowValues > 0 && this.#depth === 1) {
			this.#rowValues += 1;
		}
	}

	#firstRowEnds(): void {
		const scanner = this.#scanner;
		const end = scanner.end;
		const rows = this.#moreRows(end);
		this.#rowValues = -1;
		if (rows === undefined) {
			scanner.reset(this.#query, end);
			return;
		}
		this.#rows = rows;
		this.#shape += this.#query.slice(this.#pieceStart, end);
		this.#rowsAt = end - this.#begin;
		this.#rowsEnd = scanner.end - this.#begin;
		this.#pieceStart = scanner.end;
	}

	#moreRows(firstEnd: number): readonly (readonly DataCell[])[] | undefined {
		const scanner = this.#scanner;
		if (this.#known === undefined) {
			const rows = new MoreRows(scanner, this.#begin, this.#rowValues);
			return rows.read(Number.POSITIVE_INFINITY) as readonly DataCell[][] | undefined;
		}
		const known = this.#known.get(firstEnd);
		if (known === undefined) {
			throw new RowsAhead(this.#query, firstEnd, this.#begin, this.#rowValues);
		}
		scanner.reset(this.#query, known.end);
		return known.rows;
	}

	/** The scanner is at a number or string. */
	#literal(sign: number): void {
		if (!this.#lifts || this.#fixedDepth !== -1 || !this.#liftable) {
			return;
		}
		const { kind, start, end } = this.#scanner;
		const isString = kind !== INTEGER && kind !== DECIMAL;
		// -5::text is -(5::text).
		const signed = !isString && sign !== -1 && this.#query.charCodeAt(end) !== COLON;
		const literal = readLiteral(this.#scanner, this.#begin, signed ? sign : -1);
		this.#shape += this.#query.slice(this.#pieceStart, signed ? sign : start) + mark(literal);
		this.#pieceStart = end;
		this.#literals.push(literal);
	}
}
