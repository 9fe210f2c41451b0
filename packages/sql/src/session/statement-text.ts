/** Statements as people may see them who may not see the data: what they look like, without what they say. */
import type { LexedStatement } from "../parser/parse.ts";
import {
	DECIMAL,
	DOLLAR_STRING,
	END,
	ESCAPE_STRING,
	INTEGER,
	Scanner,
	STRING,
} from "../parser/scanner.ts";

export const statementTextMax = 1_000;

const literals: ReadonlySet<number> = new Set([
	STRING,
	ESCAPE_STRING,
	DOLLAR_STRING,
	INTEGER,
	DECIMAL,
]);

/** With `?` for every literal, comments and white space as one space, and of rows of VALUES that are data only the first. */
export function withoutLiterals(lexed: LexedStatement): string {
	const { query, offset, moreRows, moreRowsAt, moreRowsEnd } = lexed;
	const scanner = new Scanner();
	scanner.reset(query, offset);
	const end = offset + lexed.text.length;
	let shown = "";
	let before = offset;
	while (scanner.next() !== END && scanner.start < end) {
		if (moreRows !== undefined && scanner.start - offset === moreRowsAt) {
			scanner.reset(query, offset + moreRowsEnd);
			before = offset + moreRowsEnd;
			continue;
		}
		if (scanner.start > before) shown += " ";
		shown += literals.has(scanner.kind) ? "?" : query.slice(scanner.start, scanner.end);
		before = scanner.end;
		if (shown.length > statementTextMax) {
			shown = `${shown.slice(0, statementTextMax)} ...`;
			break;
		}
	}
	// A copy: a slice would keep the whole query string.
	return Buffer.from(shown).toString();
}
