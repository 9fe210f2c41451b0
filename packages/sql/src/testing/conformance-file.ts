/**
 * The files in testdata/sql/conformance: statements, and what PostgreSQL 15 answers to them. A file is a list of paragraphs
 * divided by blank lines:
 *
 *     # What the statements show. A paragraph of nothing else is kept as it is.
 *     \on other                  another session than the file's first; opened when it is first named
 *     \types int4 text           types declared for the parameters, in place of none
 *     \bind 1 \N two\swords      text values for $1 ...: the statement goes through the extended protocol
 *     \rows 2                    the portal is read in pieces of two rows
 *     select a, b from t         what is sent, line by line as it stands
 *     <1	x                       COPY FROM STDIN: a line of data, without the sign
 *     ----
 *     a int4 | b text            columns and their types
 *     |1|x|                      a row; \N is NULL, backslash, bar, tab and line ends are written \\ \| \t \n \r
 *     >1	x                       COPY TO STDOUT: a line of data
 *     SELECT 1                   the command tag
 *     ERROR 42703 at 8: ...      an error with its position; DETAIL, HINT, CONTEXT, FIELDS follow on lines of their own
 *     parameter TimeZone = UTC   a setting that the client is told of
 *     (in a transaction)         or (in a failed transaction): what ReadyForQuery says, where it is not idle
 *
 * Rows of a statement without ORDER BY count as a set. differences.txt has the same form, with the name of the file as
 * `\in name` and the reason as comment: what Quorate answers where it differs, and means to.
 */
import { assert } from "@quorate/keys/assert";

export interface Case {
	readonly comments: readonly string[];
	/** Of differences.txt: the file that the case is in. */
	readonly file: string | undefined;
	readonly session: string;
	/** Directives as they stand. */
	readonly directives: readonly string[];
	readonly types: readonly string[];
	/** Undefined: simple protocol. */
	readonly parameters: readonly (string | null)[] | undefined;
	readonly rowsMax: number;
	readonly statement: string;
	/** Undefined: the statement brings no data along. */
	readonly copyData: string | undefined;
	/** Undefined: not recorded yet. */
	answer: readonly string[] | undefined;
	/** 1-based. */
	readonly line: number;
}

const ANSWER_MARK = "----";

export function parseCases(text: string): Case[] {
	const cases: Case[] = [];
	let lines: string[] = [];
	let first = 1;
	for (const [index, line] of [...text.split("\n"), ""].entries()) {
		if (line !== "") {
			if (lines.length === 0) first = index + 1;
			lines.push(line);
		} else if (lines.length > 0) {
			cases.push(parseCase(lines, first));
			lines = [];
		}
	}
	return cases;
}

function parseCase(lines: readonly string[], line: number): Case {
	const mark = lines.indexOf(ANSWER_MARK);
	const head = mark < 0 ? lines : lines.slice(0, mark);
	const comments: string[] = [];
	const directives: string[] = [];
	const statement: string[] = [];
	const data: string[] = [];
	for (const part of head) {
		if (part.startsWith("<")) data.push(part.slice(1));
		else if (statement.length === 0 && part.startsWith("#")) comments.push(part);
		else if (statement.length === 0 && part.startsWith("\\")) directives.push(part);
		else statement.push(part);
	}
	const words = new Map<string, readonly string[]>();
	for (const directive of directives) {
		const [name, ...rest] = directive.split(" ");
		assert(
			["\\in", "\\on", "\\types", "\\bind", "\\rows", "\\empty"].includes(name!),
			`line ${line}: no directive ${name}`,
		);
		words.set(name!, rest);
	}
	const bound = words.get("\\bind");
	return {
		comments,
		directives,
		file: words.get("\\in")?.[0],
		session: words.get("\\on")?.[0] ?? "",
		types: words.get("\\types") ?? [],
		parameters: bound?.map((word) => (word === "\\N" ? null : unescapeWord(word))),
		rowsMax: Number(words.get("\\rows")?.[0] ?? 0),
		statement: statement.join("\n"),
		copyData: data.length === 0 ? undefined : data.map((part) => `${part}\n`).join(""),
		answer: mark < 0 ? undefined : lines.slice(mark + 1),
		line,
	};
}

/** A paragraph that says something to the reader only. */
export const isRemark = (one: Case): boolean =>
	one.statement === "" && !one.directives.includes("\\empty");

export function renderCases(cases: readonly Case[]): string {
	return cases.map((one) => `${renderCase(one).join("\n")}\n`).join("\n");
}

function renderCase(one: Case): string[] {
	const lines = [...one.comments, ...one.directives];
	if (one.statement !== "") lines.push(...one.statement.split("\n"));
	if (one.copyData !== undefined) {
		lines.push(
			...one.copyData
				.slice(0, -1)
				.split("\n")
				.map((part) => `<${part}`),
		);
	}
	if (!isRemark(one)) lines.push(ANSWER_MARK, ...(one.answer ?? []));
	return lines;
}

/** Answers agree if they are equal, or if the statement asks for no order and the rows are the same ones. */
export function sameAnswer(statement: string, a: readonly string[], b: readonly string[]): boolean {
	return comparable(statement, a) === comparable(statement, b);
}

function comparable(statement: string, answer: readonly string[]): string {
	if (/\border\s+by\b/i.test(statement)) return answer.join("\n");
	const isRow = (line: string) => line.startsWith("|") || line.startsWith(">");
	const rows = answer.filter(isRow).sort();
	return [...answer.filter((line) => !isRow(line)), ...rows].join("\n");
}

const ESCAPES: Readonly<Record<string, string>> = {
	"\\": "\\\\",
	"|": "\\|",
	"\t": "\\t",
	"\n": "\\n",
	"\r": "\\r",
};

export const escapeField = (text: string | null): string =>
	text === null ? "\\N" : text.replace(/[\\|\t\n\r]/g, (c) => ESCAPES[c]!);

/** In `\bind`: \s is a space, \e nothing at all. */
function unescapeWord(word: string): string {
	const meaning: Readonly<Record<string, string>> = { s: " ", e: "", n: "\n", t: "\t" };
	return word.replace(/\\(.)/g, (_, c: string) => meaning[c] ?? c);
}
