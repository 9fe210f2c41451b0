/** COPY's CSV format (PostgreSQL manual, COPY, "CSV Format"): quoted fields may hold anything, newlines too. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { CopyOptions } from "./copy-options.ts";
import type { Field, HeaderCheck, RecordReader } from "./copy-text.ts";

export class CsvRecords implements RecordReader {
	readonly #options: CopyOptions;
	readonly #forceNotNull: readonly boolean[];
	readonly #forceNull: readonly boolean[];
	#rest = "";
	/** Where in `#rest` the search for the record's end goes on, and whether that is within quotes. */
	#scanned = 0;
	#quoted = false;
	#first = true;
	#lines = 0;
	ended = false;
	line = 0;
	raw = "";
	readonly #header: HeaderCheck;

	constructor(options: CopyOptions, columns: readonly string[], header: HeaderCheck) {
		this.#options = options;
		this.#header = header;
		this.#forceNotNull = columns.map((name) => options.forceNotNull.includes(name));
		this.#forceNull = columns.map((name) => options.forceNull.includes(name));
	}

	*push(text: string): Iterable<readonly Field[]> {
		this.#rest += text;
		for (;;) {
			const end = this.#recordEnd();
			if (end < 0 || this.ended) return;
			const raw = this.#rest.slice(0, end);
			this.#rest = this.#rest.slice(end + 1);
			this.#scanned = 0;
			yield* this.#record(raw);
		}
	}

	*finish(): Iterable<readonly Field[]> {
		if (this.#quoted) {
			this.line = this.#lines + 1;
			this.raw = this.#rest;
			throw new DatabaseError("22P04", "unterminated CSV quoted field");
		}
		const rest = this.#rest;
		this.#rest = "";
		if (rest !== "" && !this.ended) yield* this.#record(rest);
	}

	#recordEnd(): number {
		const { quote, escape: escapeChar } = this.#options;
		const text = this.#rest;
		for (let i = this.#scanned; i < text.length; i++) {
			const char = text[i];
			if (this.#quoted && char === escapeChar && escapeChar !== quote) {
				// An escape at the very end of what has come: its character comes next.
				if (i + 1 === text.length) {
					this.#scanned = i;
					return -1;
				}
				i++;
			} else if (char === quote) {
				this.#quoted = !this.#quoted;
			} else if (char === "\n" && !this.#quoted) {
				return i;
			}
		}
		this.#scanned = text.length;
		return -1;
	}

	*#record(raw: string): Iterable<readonly Field[]> {
		this.line = this.#lines + 1;
		this.#lines += 1 + (raw.match(/\n/g)?.length ?? 0);
		const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
		if (text === "\\.") {
			this.ended = true;
			return;
		}
		this.raw = text;
		const isHeader = this.#first && this.#options.header !== "no";
		this.#first = false;
		const fields = this.#fields(text);
		if (isHeader) this.#header(fields);
		else yield fields;
	}

	#fields(text: string): readonly Field[] {
		const { delimiter, nullText, quote, escape: escapeChar } = this.#options;
		const fields: Field[] = [];
		let value = "";
		let wasQuoted = false;
		let inside = false;
		const end = (): void => {
			const index = fields.length;
			const isNull = wasQuoted
				? this.#forceNull[index] === true && value === nullText
				: value === nullText && this.#forceNotNull[index] !== true;
			fields.push(isNull ? null : value);
			value = "";
			wasQuoted = false;
		};
		for (let i = 0; i < text.length; i++) {
			const char = text[i]!;
			if (inside) {
				const next = text[i + 1];
				if (
					char === escapeChar &&
					(next === quote || (next === escapeChar && escapeChar !== quote))
				) {
					value += next;
					i++;
				} else if (char === quote) {
					inside = false;
				} else {
					value += char;
				}
			} else if (char === quote) {
				inside = true;
				wasQuoted = true;
			} else if (char === delimiter) {
				end();
			} else {
				value += char;
			}
		}
		end();
		return fields;
	}
}

/** A value as a field of the CSV format; NULL is written by the caller. */
export function csvField(
	value: string,
	options: CopyOptions,
	force: boolean,
	single: boolean,
): string {
	const { delimiter, quote, escape: escapeChar, nullText } = options;
	const needed =
		force ||
		value === nullText ||
		value.includes(delimiter) ||
		value.includes(quote) ||
		value.includes("\n") ||
		value.includes("\r") ||
		(single && value === "\\.");
	if (!needed) return value;
	let out = "";
	for (const char of value) {
		if (char === quote || char === escapeChar) out += escapeChar;
		out += char;
	}
	return quote + out + quote;
}
