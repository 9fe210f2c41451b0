/**
 * The rows of INSERT ... VALUES after the first, where all are plain literals: read as data, outside of the grammar and of the
 * shape, since an Earley parse of thousands of rows would cost seconds and every number of rows would be a plan of its own.
 */
import { type DataCell, readLiteral } from "./lex.ts";
import {
	END,
	OPERATOR,
	PARAMETER,
	PUNCTUATION,
	QUOTED,
	type Scanner,
	UNICODE_QUOTED,
	WORD,
} from "./scanner.ts";
import * as words from "./words.ts";

const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const MINUS = 45;

/** Reads the rows from behind the first row's `)` on; in parts, if there are many. */
export class MoreRows {
	readonly #scanner: Scanner;
	readonly #base: number;
	readonly #columns: number;
	readonly #rows: DataCell[][] = [];

	/** The scanner stands behind that `)`. `base`: where the statement begins. */
	constructor(scanner: Scanner, base: number, columns: number) {
		this.#scanner = scanner;
		this.#base = base;
		this.#columns = columns;
	}

	/**
	 * At most so many more. "more": there may be more of them. Undefined: there are none, or not all are literals, or they differ in
	 * length; the grammar has to see them. Otherwise all rows, and the scanner stands at the last `)`.
	 */
	read(count: number): readonly DataCell[][] | "more" | undefined {
		const scanner = this.#scanner;
		for (let n = 0; n < count; n++) {
			const end = scanner.end;
			scanner.next();
			if (!isPunctuation(scanner, COMMA)) {
				// Whatever follows belongs to the statement, not to the rows.
				scanner.reset(scanner.text, end);
				return this.#rows.length === 0 ? undefined : this.#rows;
			}
			const row = readRow(scanner, this.#base, this.#columns);
			if (row === undefined) {
				return undefined;
			}
			this.#rows.push(row);
		}
		return "more";
	}
}

function readRow(scanner: Scanner, base: number, columns: number): DataCell[] | undefined {
	scanner.next();
	if (!isPunctuation(scanner, OPEN)) {
		return undefined;
	}
	const row: DataCell[] = [];
	for (;;) {
		const cell = readCell(scanner, base);
		if (cell === undefined) {
			return undefined;
		}
		row.push(cell);
		scanner.next();
		if (isPunctuation(scanner, CLOSE)) {
			return row.length === columns ? row : undefined;
		}
		if (!isPunctuation(scanner, COMMA)) {
			return undefined;
		}
	}
}

function readCell(scanner: Scanner, base: number): DataCell | undefined {
	let sign = -1;
	let kind = scanner.next();
	if (kind === OPERATOR) {
		if (scanner.text.charCodeAt(scanner.start) !== MINUS || scanner.end !== scanner.start + 1) {
			return undefined;
		}
		sign = scanner.start;
		kind = scanner.next();
	}
	if (kind === WORD && sign === -1) {
		switch (words.wordMeaning(scanner.text, scanner.start, scanner.end)) {
			case words.NULL:
				return "null";
			case words.DEFAULT:
				return "default";
			case words.TRUE:
				return true;
			case words.FALSE:
				return false;
			default:
				return undefined;
		}
	}
	const literal =
		kind !== WORD &&
		kind !== QUOTED &&
		kind !== UNICODE_QUOTED &&
		kind !== PARAMETER &&
		kind !== PUNCTUATION &&
		kind !== OPERATOR &&
		kind !== END;
	if (!literal) {
		return undefined;
	}
	const cell = readLiteral(scanner, base, sign);
	return sign !== -1 && cell.type === "string" ? undefined : cell;
}

const isPunctuation = (scanner: Scanner, code: number): boolean =>
	scanner.kind === PUNCTUATION &&
	scanner.end === scanner.start + 1 &&
	scanner.text.charCodeAt(scanner.start) === code;
