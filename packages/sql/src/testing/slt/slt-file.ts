/**
 * Files in the form of sqllogictest (https://sqlite.org/sqllogictest): records divided by blank lines.
 *
 *     statement ok | statement error [pgcode SQLSTATE] [REGEX] | statement count N | statement maybe
 *     INSERT ...
 *
 *     query TYPES [nosort|rowsort|valuesort] [LABEL] | query error [pgcode SQLSTATE] [REGEX]
 *     SELECT ...
 *     ----
 *     values, one a line; or a row a line; or "N values hashing to MD5"
 *
 * Before a record: `skipif ENGINE`, `onlyif ENGINE`, `connection NAME`. Between records: `hash-threshold N`, `halt`,
 * `control sortmode MODE`, `subtest NAME`; `loop NAME FROM TO` and `foreach NAME VALUE ...`, up to `endloop`, with ${NAME} for the
 * value. Comments begin with #. Of the forms that others have made of it: after the sort mode `,colnames`, and then the columns' names
 * come first; the message of an error, or a part of it, behind ----.
 */
import { DatabaseError } from "@quorate/keys/database-error";

export type SortMode = "nosort" | "rowsort" | "valuesort";

export type Expectation =
	| { readonly kind: "ok" }
	| { readonly kind: "count"; readonly count: number }
	/** Whether it succeeds does not matter. */
	| { readonly kind: "maybe" }
	| {
			readonly kind: "error";
			/** Of the message; empty: any. */
			readonly pattern: string;
			/** A part of the message, as it is. */
			readonly part: string;
			/** SQLSTATE; undefined: any. */
			readonly code: string | undefined;
	  }
	| {
			readonly kind: "rows";
			/** A letter a column: T text, I integer, R real. */
			readonly types: string;
			readonly sort: SortMode;
			/** The first of the lines has the names of the columns. */
			readonly named: boolean;
			/** Queries with the same one have the same result. */
			readonly label: string | undefined;
			/** Undefined: whatever comes. */
			readonly lines: readonly string[] | undefined;
	  };

export interface SltRecord {
	/** 1-based. */
	readonly line: number;
	readonly connection: string;
	readonly sql: string;
	readonly expected: Expectation;
}

/** What skipif and onlyif may mean by us. */
const ownNames: ReadonlySet<string> = new Set(["postgresql", "postgres", "quorate"]);

const sortModes: readonly string[] = ["nosort", "rowsort", "valuesort"];

const wrong = (line: number, what: string): DatabaseError =>
	new DatabaseError("42601", `line ${line}: ${what}`);

/** Both ends of `loop i 0 3`: 0, 1 and 2. */
function valuesOf([name, , ...values]: readonly string[], line: number): readonly string[] {
	if (name === "foreach") return values;
	const [from = Number.NaN, to = Number.NaN] = values.map(Number);
	if (!(to - from < loopMax)) throw wrong(line, "loop wants a name and two numbers");
	return Array.from({ length: Math.max(0, to - from) }, (_, i) => String(from + i));
}

const loopMax = 1_000_000;

interface Line {
	readonly text: string;
	/** 1-based. */
	readonly number: number;
}

/** Without loops: each time once more. */
function unrolled(lines: readonly Line[]): readonly Line[] {
	const out: Line[] = [];
	for (let i = 0; i < lines.length; i++) {
		const { text, number } = lines[i]!;
		const words = text.trim().split(/\s+/);
		if (!/^(loop|foreach) /.test(text)) {
			out.push(lines[i]!);
			continue;
		}
		const from = i + 1;
		for (let depth = 1; depth > 0; ) {
			const next = lines[++i]?.text;
			if (next === undefined) throw wrong(number, `${words[0]} has no endloop`);
			if (/^(loop|foreach) /.test(next)) depth++;
			else if (/^endloop\s*$/.test(next)) depth--;
		}
		const body = lines.slice(from, i);
		for (const value of valuesOf(words, number)) {
			const put = (line: Line): Line => ({
				...line,
				text: line.text.replaceAll(`\${${words[1]}}`, value),
			});
			out.push(...unrolled(body.map(put)));
		}
	}
	return out;
}

class SltParser {
	readonly #lines: readonly Line[];
	readonly #records: SltRecord[] = [];
	#at = 0;
	#skip = false;
	#connection = "";
	#sort: SortMode = "nosort";

	constructor(text: string) {
		const lines = text.split(/\r?\n/).map((line, i) => ({ text: line, number: i + 1 }));
		this.#lines = unrolled(lines);
	}

	parse(): readonly SltRecord[] {
		while (this.#at < this.#lines.length) {
			const { text: line } = this.#lines[this.#at]!;
			this.#at++;
			if (line.trim() === "" || line.startsWith("#")) continue;
			const words = line.trim().split(/\s+/);
			if (words[0] === "halt" && !this.#skip) break;
			this.#directive(words, line);
		}
		return this.#records;
	}

	/** Of the line that was read last. */
	get #number(): number {
		return this.#lines[this.#at - 1]!.number;
	}

	#directive(words: readonly string[], text: string): void {
		const [name, first = ""] = words;
		switch (name) {
			case "skipif":
				this.#skip ||= ownNames.has(first.toLowerCase());
				return;
			case "onlyif":
				this.#skip ||= !ownNames.has(first.toLowerCase());
				return;
			case "connection":
				this.#connection = first;
				return;
			case "control":
				if (first !== "sortmode") throw wrong(this.#number, `control ${first} is not known`);
				this.#sort = this.#sortMode(words[2]);
				return;
			case "subtest":
			case "halt":
			case "hash-threshold":
				// Of no consequence here: results are compared by value or by hash, as the file has them.
				this.#skip = false;
				return;
			case "statement":
			case "query":
				this.#record(name, words, text);
				return;
			default:
				throw wrong(this.#number, `"${name}" is not known`);
		}
	}

	#sortMode(word: string | undefined): SortMode {
		if (word === undefined) return this.#sort;
		if (!sortModes.includes(word)) throw wrong(this.#number, `no sort mode "${word}"`);
		return word as SortMode;
	}

	#record(kind: "statement" | "query", words: readonly string[], text: string): void {
		const line = this.#number;
		const sql: string[] = [];
		let results: string[] | undefined;
		for (; this.#at < this.#lines.length; this.#at++) {
			const next = this.#lines[this.#at]!.text;
			if (next.trim() === "") break;
			if (results !== undefined) results.push(next);
			else if (next.trimEnd() === "----") results = [];
			else sql.push(next);
		}
		const expected = this.#expectation(kind, words, text, results, line);
		if (!this.#skip) {
			this.#records.push({ line, connection: this.#connection, sql: sql.join("\n"), expected });
		}
		this.#skip = false;
		this.#connection = "";
	}

	#expectation(
		kind: "statement" | "query",
		words: readonly string[],
		text: string,
		results: readonly string[] | undefined,
		line: number,
	): Expectation {
		const [, what = "", sort, label] = words;
		if (what === "error") {
			const [, code, pattern = ""] =
				/^\s*\S+\s+error\s*(?:pgcode\s+(\w{5})\s*)?(.*)$/.exec(text) ?? [];
			return { kind: "error", pattern, part: (results ?? []).join("\n").trim(), code };
		}
		if (kind === "query") {
			const options = sort?.split(",") ?? [];
			const mode = options.find((one) => one !== "colnames");
			return {
				kind: "rows",
				types: what,
				sort: this.#sortMode(mode),
				named: options.includes("colnames"),
				label,
				lines: results,
			};
		}
		if (what === "ok") return { kind: "ok" };
		if (what === "maybe") return { kind: "maybe" };
		if (what !== "count") throw wrong(line, `statement ${what} is not known`);
		return { kind: "count", count: Number(words[2]) };
	}
}

/** Throws 42601 for what the form does not know. */
export const parseSlt = (text: string): readonly SltRecord[] => new SltParser(text).parse();
