/**
 * Files in the form of sqllogictest (https://sqlite.org/sqllogictest): records divided by blank lines.
 *
 *     statement ok | statement error [REGEX] | statement count N
 *     INSERT ...
 *
 *     query TYPES [nosort|rowsort|valuesort] [LABEL] | query error [REGEX]
 *     SELECT ...
 *     ----
 *     values, one a line; or a row a line; or "N values hashing to MD5"
 *
 * Before a record: `skipif ENGINE`, `onlyif ENGINE`, `connection NAME`. Between records: `hash-threshold N`, `halt`,
 * `control sortmode MODE`. Comments begin with #.
 */
import { DatabaseError } from "@quorate/keys/database-error";

export type SortMode = "nosort" | "rowsort" | "valuesort";

export type Expectation =
	| { readonly kind: "ok" }
	| { readonly kind: "count"; readonly count: number }
	/** Of the message; empty: any. */
	| { readonly kind: "error"; readonly pattern: string }
	| {
			readonly kind: "rows";
			/** A letter a column: T text, I integer, R real. */
			readonly types: string;
			readonly sort: SortMode;
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

class SltParser {
	readonly #lines: readonly string[];
	readonly #records: SltRecord[] = [];
	#at = 0;
	#skip = false;
	#connection = "";
	#sort: SortMode = "nosort";

	constructor(text: string) {
		this.#lines = text.split(/\r?\n/);
	}

	parse(): readonly SltRecord[] {
		while (this.#at < this.#lines.length) {
			const line = this.#lines[this.#at]!;
			this.#at++;
			if (line.trim() === "" || line.startsWith("#")) continue;
			const words = line.trim().split(/\s+/);
			if (words[0] === "halt" && !this.#skip) break;
			this.#directive(words, line);
		}
		return this.#records;
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
				if (first !== "sortmode") throw wrong(this.#at, `control ${first} is not known`);
				this.#sort = this.#sortMode(words[2]);
				return;
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
				throw wrong(this.#at, `"${name}" is not known`);
		}
	}

	#sortMode(word: string | undefined): SortMode {
		if (word === undefined) return this.#sort;
		if (!sortModes.includes(word)) throw wrong(this.#at, `no sort mode "${word}"`);
		return word as SortMode;
	}

	#record(kind: "statement" | "query", words: readonly string[], text: string): void {
		const line = this.#at;
		const sql: string[] = [];
		let results: string[] | undefined;
		for (; this.#at < this.#lines.length; this.#at++) {
			const next = this.#lines[this.#at]!;
			if (next.trim() === "") break;
			if (results !== undefined) results.push(next);
			else if (next === "----") results = [];
			else sql.push(next);
		}
		const expected = this.#expectation(kind, words, text, results);
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
	): Expectation {
		const [, what = "", sort, label] = words;
		if (what === "error") {
			const pattern = text.replace(/^\s*\S+\s+error\s*/, "") || (results ?? []).join("\n").trim();
			return { kind: "error", pattern };
		}
		if (kind === "query") {
			return { kind: "rows", types: what, sort: this.#sortMode(sort), label, lines: results };
		}
		if (what === "ok") return { kind: "ok" };
		if (what !== "count") throw wrong(this.#at, `statement ${what} is not known`);
		return { kind: "count", count: Number(words[2]) };
	}
}

/** Throws 42601 for what the form does not know. */
export const parseSlt = (text: string): readonly SltRecord[] => new SltParser(text).parse();
