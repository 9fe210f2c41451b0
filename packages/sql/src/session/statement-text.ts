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
	UNICODE_STRING,
} from "../parser/scanner.ts";

export const statementTextMax = 1_000;

const literals: ReadonlySet<number> = new Set([
	STRING,
	ESCAPE_STRING,
	DOLLAR_STRING,
	UNICODE_STRING,
	INTEGER,
	DECIMAL,
]);

/**
 * For those who may see statements, who need not know passwords: where there may be one, no literal is shown. `text` was found to
 * consist of tokens.
 */
export const withoutSecrets = (text: string): string =>
	/password/i.test(text) ? withoutLiterals({ query: text, offset: 0, text }) : text;

/** With `?` for every literal, comments and white space as one space, and of rows of VALUES that are data only the first. */
export function withoutLiterals(
	lexed: Pick<LexedStatement, "query" | "offset" | "text"> & Partial<LexedStatement>,
): string {
	const { query, offset, moreRows, moreRowsAt = 0, moreRowsEnd = 0 } = lexed;
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
