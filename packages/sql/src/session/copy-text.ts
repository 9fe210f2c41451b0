/** COPY's text format (PostgreSQL manual, COPY, "Text Format"): a line a row, backslash escapes. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { CopyOptions } from "./copy-options.ts";

/** A line's fields, still escaped apart from NULL; undefined at `\.`. */
export type Field = string | null;

const endMarker = "\\.";

/** Splits decoded text into records as it arrives. */
export interface RecordReader {
	/** Complete records in `text`; what is left waits for more. Sets `ended` at the end marker. */
	push(text: string): Iterable<readonly Field[]>;
	/** What remains at the end of the input. */
	finish(): Iterable<readonly Field[]>;
	readonly ended: boolean;
	/** Of the record returned last, from 1, and its text. */
	readonly line: number;
	readonly raw: string;
}

/** Called with the header line, if there is one. */
export type HeaderCheck = (fields: readonly Field[]) => void;

const escapes: Readonly<Record<string, string>> = {
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
};

/** \b \f \n \r \t \v, \digits in octal, \xdigits; any other character stands for itself. */
export function unescapeField(raw: string): string {
	if (!raw.includes("\\")) return raw;
	let out = "";
	let bytes: number[] = [];
	const flush = (): void => {
		if (bytes.length === 0) return;
		out += decodeUtf8(Uint8Array.from(bytes));
		bytes = [];
	};
	for (let i = 0; i < raw.length; i++) {
		const char = raw[i]!;
		if (char !== "\\" || i + 1 === raw.length) {
			flush();
			out += char;
			continue;
		}
		const coded = /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(raw.slice(i + 1, i + 4))?.[0];
		if (coded !== undefined) {
			const value =
				coded[0] === "x" ? Number.parseInt(coded.slice(1), 16) : Number.parseInt(coded, 8);
			bytes.push(value & 0xff);
			i += coded.length;
			continue;
		}
		flush();
		const next = raw[++i]!;
		out += escapes[next] ?? next;
	}
	flush();
	return out;
}

export function decodeUtf8(bytes: Uint8Array): string {
	try {
		const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
		if (text.includes("\0")) throw invalidByte(0);
		return text;
	} catch (error) {
		if (error instanceof DatabaseError) throw error;
		throw invalidByte(bytes.find((byte) => byte > 127) ?? 0);
	}
}

export const invalidByte = (byte: number): DatabaseError =>
	new DatabaseError(
		"22021",
		`invalid byte sequence for encoding "UTF8": 0x${byte.toString(16).padStart(2, "0")}`,
	);

export class TextRecords implements RecordReader {
	readonly #options: CopyOptions;
	#rest = "";
	#first = true;
	ended = false;
	line = 0;
	raw = "";
	readonly #header: HeaderCheck;

	constructor(options: CopyOptions, header: HeaderCheck) {
		this.#options = options;
		this.#header = header;
	}

	*push(text: string): Iterable<readonly Field[]> {
		const all = this.#rest + text;
		let from = 0;
		while (!this.ended) {
			const end = lineEnd(all, from);
			if (end < 0) break;
			yield* this.#record(all.slice(from, end));
			from = end + 1;
		}
		this.#rest = all.slice(from);
	}

	*finish(): Iterable<readonly Field[]> {
		const rest = this.#rest;
		this.#rest = "";
		if (rest !== "" && !this.ended) yield* this.#record(rest);
	}

	*#record(raw: string): Iterable<readonly Field[]> {
		this.line++;
		const text = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
		if (text === endMarker) {
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
		const { delimiter, nullText } = this.#options;
		if (!text.includes("\\")) {
			const fields: Field[] = text.split(delimiter);
			for (let i = 0; i < fields.length; i++) if (fields[i] === nullText) fields[i] = null;
			return fields;
		}
		return splitEscaped(text, delimiter).map((raw) =>
			raw === nullText ? null : unescapeField(raw),
		);
	}
}

/** The next newline that no backslash makes part of the data. */
function lineEnd(text: string, from: number): number {
	let at = text.indexOf("\n", from);
	while (at >= 0) {
		let slashes = 0;
		while (at - 1 - slashes >= from && text[at - 1 - slashes] === "\\") slashes++;
		if (slashes % 2 === 0) return at;
		at = text.indexOf("\n", at + 1);
	}
	return -1;
}

function splitEscaped(text: string, delimiter: string): string[] {
	const fields: string[] = [];
	let start = 0;
	for (let i = 0; i < text.length; i++) {
		if (text[i] === "\\") {
			i++;
		} else if (text[i] === delimiter) {
			fields.push(text.slice(start, i));
			start = i + 1;
		}
	}
	fields.push(text.slice(start));
	return fields;
}

const special = /[\\\b\f\n\r\t\v]/g;
const names: Readonly<Record<string, string>> = {
	"\\": "\\\\",
	"\b": "\\b",
	"\f": "\\f",
	"\n": "\\n",
	"\r": "\\r",
	"\t": "\\t",
	"\v": "\\v",
};

/** A value as a field of the text format. */
export function textField(value: string, options: CopyOptions): string {
	const escaped = value.replace(special, (char) => names[char]!);
	const { delimiter } = options;
	return delimiter === "\t" ? escaped : escaped.replaceAll(delimiter, `\\${delimiter}`);
}
