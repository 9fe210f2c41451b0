/** Runs the records of a file against a database, and says what differs. */
import { createHash } from "node:crypto";
import type { Expectation, SltRecord, SortMode } from "./slt-file.ts";

/** Answers as `Answer` writes them. */
export type Execute = (connection: string, sql: string) => Promise<readonly string[]>;

type Rows = Extract<Expectation, { kind: "rows" }>;

/** What stands between bars, with escapes; NULL is null. */
function fieldsOf(line: string): readonly (string | null)[] {
	const meaning: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r" };
	const fields = line.slice(1).match(/(?:[^|\\]|\\.)*\|/g) ?? [];
	return fields.map((field) =>
		field === "\\N|"
			? null
			: field.slice(0, -1).replace(/\\(.)/g, (_, c: string) => meaning[c] ?? c),
	);
}

const booleans: Readonly<Record<string, string>> = { t: "1", f: "0" };

/** As sqllogictest prints a value under a type. */
function shown(value: string | null, type: string): string {
	if (value === null) return "NULL";
	if (type === "R" && value !== "" && Number.isFinite(Number(value)))
		return Number(value).toFixed(3);
	if (type === "I") {
		const whole = booleans[value] ?? value;
		return /^-?\d+\.\d*$/.test(whole) ? whole.replace(/\..*$/, "") : whole;
	}
	if (value === "") return "(empty)";
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are shown as @
	return value.replace(/[\x00-\x1f\x7f]/g, "@");
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function sorted(
	rows: readonly (readonly string[])[],
	sort: SortMode,
): readonly (readonly string[])[] {
	if (sort === "rowsort") {
		return [...rows].sort((a, b) => {
			for (let i = 0; i < a.length; i++) {
				const order = compareText(a[i]!, b[i] ?? "");
				if (order !== 0) return order;
			}
			return 0;
		});
	}
	return sort === "valuesort"
		? rows
				.flat()
				.sort(compareText)
				.map((value) => [value])
		: rows;
}

const md5 = (values: readonly string[]): string =>
	createHash("md5")
		.update(values.map((value) => `${value}\n`).join(""))
		.digest("hex");

const squeezed = (line: string): string => line.trim().split(/\s+/).join(" ");

/** One value a line or one row a line, whichever the file has. */
function sameRows(
	expected: readonly string[],
	rows: readonly (readonly string[])[],
	sort: SortMode,
): boolean {
	const values = rows.flat();
	const hashed = /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(expected[0] ?? "");
	if (hashed !== null) return Number(hashed[1]) === values.length && hashed[2] === md5(values);
	if (expected.length === values.length && expected.every((line, i) => line === values[i]))
		return true;
	if (expected.length !== rows.length) return false;
	const lines = rows.map((row) => squeezed(row.join(" ")));
	const wanted = expected.map(squeezed);
	if (sort === "rowsort") {
		lines.sort(compareText);
		wanted.sort(compareText);
	}
	return wanted.every((line, i) => line === lines[i]);
}

/** What is no regular expression is a part of the text. */
function matches(pattern: string, text: string): boolean {
	try {
		return new RegExp(pattern, "i").test(text);
	} catch {
		return text.includes(pattern);
	}
}

/** `a int4 | b text` names a and b. */
const namesOf = (answer: readonly string[]): string =>
	(answer[0] ?? "")
		.split(" | ")
		.map((column) => column.replace(/ \S+$/, ""))
		.join(" ");

const booleansOf = (answer: readonly string[]): readonly boolean[] =>
	(answer[0] ?? "").split(" | ").map((column) => column.endsWith(" bool"));

export class SltRun {
	readonly #execute: Execute;
	readonly #labels = new Map<string, string>();

	constructor(execute: Execute) {
		this.#execute = execute;
	}

	/** Undefined: as it should be. */
	async check(record: SltRecord): Promise<string | undefined> {
		const answer = await this.#execute(record.connection, record.sql);
		const error = answer.find((line) => line.startsWith("ERROR ") || line.startsWith("CRASH "));
		const { expected } = record;
		if (expected.kind === "error") {
			if (error === undefined) return "it did not fail";
			return this.#checkError(expected, answer, error);
		}
		if (expected.kind === "maybe") return undefined;
		if (error !== undefined) return answer.join("\n");
		if (expected.kind === "ok") return undefined;
		if (expected.kind === "count") {
			const tag = answer.findLast((line) => /^[A-Z ]+(?: \d+)+$/.test(line));
			const count = Number(tag?.split(" ").at(-1));
			return count === expected.count ? undefined : `${count} rows, not ${expected.count}`;
		}
		return this.#checkRows(expected, answer);
	}

	#checkError(
		{ code, part, pattern }: Extract<Expectation, { kind: "error" }>,
		answer: readonly string[],
		error: string,
	): string | undefined {
		const text = answer.join("\n");
		if (code !== undefined && !error.startsWith(`ERROR ${code}`)) {
			return `another error than ${code}: ${error}`;
		}
		if (!text.toLowerCase().includes(part.toLowerCase())) {
			return `another error than "${part}": ${error}`;
		}
		return matches(pattern, text) ? undefined : `another error than /${pattern}/: ${error}`;
	}

	#checkRows(expected: Rows, answer: readonly string[]): string | undefined {
		const raw = answer.filter((line) => line.startsWith("|")).map(fieldsOf);
		const width = raw[0]?.length ?? expected.types.length;
		if (width !== expected.types.length) {
			return `${width} columns, not ${expected.types.length}`;
		}
		const rows = raw.map((row) => row.map((value, i) => shown(value, expected.types[i]!)));
		const result = sorted(rows, expected.sort);
		if (expected.label !== undefined) {
			const hash = md5(result.flat());
			const known = this.#labels.get(expected.label) ?? hash;
			this.#labels.set(expected.label, known);
			if (known !== hash) return `another result than that of label ${expected.label} before`;
		}
		const { named } = expected;
		const names = named ? namesOf(answer) : undefined;
		const lines = named ? expected.lines?.slice(1) : expected.lines;
		if (names !== undefined && squeezed(expected.lines?.[0] ?? "") !== names) {
			return `the columns are ${names}`;
		}
		if (lines === undefined || sameRows(lines, result, expected.sort)) return undefined;
		// Also as the server wrote it, 1.5 under R, and booleans as others write them.
		const isBoolean = booleansOf(answer);
		for (const [yes, no] of [
			["t", "f"],
			["true", "false"],
			["1", "0"],
		] as const) {
			const written = (value: string | null, i: number): string => {
				if (value === null) return "NULL";
				if (isBoolean[i]) return value === "t" ? yes : no;
				return value === "" ? "(empty)" : value;
			};
			const plain = sorted(
				raw.map((row) => row.map(written)),
				expected.sort,
			);
			if (sameRows(lines, plain, expected.sort)) return undefined;
		}
		const got = result.map((row) => `  ${row.join(" ")}`).join("\n");
		return `expected\n${lines.map((line) => `  ${line}`).join("\n")}\ngot\n${got}`;
	}
}
