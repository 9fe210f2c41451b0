/**
 * The rows of INSERT ... VALUES after the first, where all are plain literals: read as data, outside of the grammar and of the
 * shape, since an Earley parse of thousands of rows would cost seconds and every number of rows would be a plan of its own.
 */
import { type DataCell, readLiteral } from "./lex.ts";
import { END, OPERATOR, PARAMETER, PUNCTUATION, QUOTED, type Scanner, WORD } from "./scanner.ts";
import * as words from "./words.ts";

const OPEN = 40;
const CLOSE = 41;
const COMMA = 44;
const MINUS = 45;

/**
 * From behind the first row's `)`. Undefined: there are no more rows, or not all are literals, or they differ in length; the
 * grammar has to see them. Otherwise the scanner stands at the last `)`.
 */
export function moreRows(
	scanner: Scanner,
	base: number,
	columns: number,
): DataCell[][] | undefined {
	const rows: DataCell[][] = [];
	for (;;) {
		const end = scanner.end;
		scanner.next();
		if (!isPunctuation(scanner, COMMA)) {
			// Whatever follows belongs to the statement, not to the rows.
			scanner.reset(scanner.text, end);
			return rows.length === 0 ? undefined : rows;
		}
		const row = readRow(scanner, base, columns);
		if (row === undefined) {
			return undefined;
		}
		rows.push(row);
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
