/**
 * Histories as `history.edn`, in the form that Jepsen's checkers read: a map a line. Names are keywords there: of fields, types, f, of
 * the operations in a transaction, and of the process nemesis. Keys and values are what they are in JSON.
 */
import { HistoryError, type Operation, toOperation, type Value } from "./operations.ts";

/** With a line end, so that a writer can append it. */
export function writeEdnLine(operation: Operation): string {
	const { index, time, process, type, f, value, error } = operation;
	const who = process === "nemesis" ? ":nemesis" : process;
	const why = error === undefined ? "" : `, :error ${JSON.stringify(error)}`;
	const what = f === "txn" ? writeTransaction(value) : writeValue(value);
	return `{:index ${index}, :time ${time}, :process ${who}, :type :${type}, :f :${f}, :value ${what}${why}}\n`;
}

export const writeEdn = (history: readonly Operation[]): string =>
	history.map(writeEdnLine).join("");

function writeTransaction(value: Value): string {
	if (!Array.isArray(value)) return writeValue(value);
	const ops = (value as readonly Value[]).map((op) => {
		if (!Array.isArray(op) || typeof op[0] !== "string") return writeValue(op);
		return `[${[`:${op[0]}`, ...op.slice(1).map(writeValue)].join(" ")}]`;
	});
	return `[${ops.join(" ")}]`;
}

function writeValue(value: Value): string {
	if (value === null) return "nil";
	if (Array.isArray(value)) return `[${(value as readonly Value[]).map(writeValue).join(" ")}]`;
	if (typeof value !== "object") return JSON.stringify(value);
	return `{${Object.entries(value)
		.map(
			([name, v]) =>
				`${/^[A-Za-z][\w.-]*$/.test(name) ? `:${name}` : JSON.stringify(name)} ${writeValue(v)}`,
		)
		.join(", ")}}`;
}

/**
 * Throws HistoryError where the text is no history. Reads what such histories hold: nil, booleans, numbers, strings, keywords and
 * symbols (as strings), vectors, lists and sets (as arrays), maps. Tagged values lose their tag, a record is a map.
 */
export function readEdn(text: string): readonly Operation[] {
	const reader = new EdnReader(text);
	const out: Operation[] = [];
	for (let value = reader.next(); value !== undefined; value = reader.next()) {
		out.push(toOperation(reader.line, value));
	}
	return out;
}

const token =
	/[\s,]+|;[^\n]*|"(?:[^"\\]|\\[\s\S])*"|#\{|#_|#[A-Za-z][\w.\-/]*|[()[\]{}]|[^\s,;"()[\]{}#][^\s,;"()[\]{}]*/y;
const closing = new Map([
	["(", ")"],
	["[", "]"],
	["{", "}"],
	["#{", "}"],
]);

class EdnReader {
	line = 1;
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	/** undefined: the end. */
	next(): Value | undefined {
		const first = this.#token();
		return first === undefined ? undefined : this.#value(first);
	}

	#fail(message: string): never {
		throw new HistoryError(this.line, message);
	}

	/** The next that is no space or comment. */
	#token(): string | undefined {
		while (this.#at < this.#text.length) {
			token.lastIndex = this.#at;
			const found = token.exec(this.#text)?.[0];
			if (found === undefined)
				this.#fail(`cannot read ${this.#text.slice(this.#at, this.#at + 20)}`);
			this.#at += found.length;
			for (const c of found) if (c === "\n") this.line++;
			if (!/^[\s,;]/.test(found)) return found;
		}
		return undefined;
	}

	#value(first: string): Value {
		const end = closing.get(first);
		if (end !== undefined) {
			const items = this.#until(end);
			return first === "{" ? this.#map(items) : items;
		}
		if (first === "#_") {
			this.#value(this.#token() ?? this.#fail("the text ends in a value"));
			return this.#value(this.#token() ?? this.#fail("the text ends in a value"));
		}
		if (first.startsWith("#"))
			return this.#value(this.#token() ?? this.#fail("a tag without a value"));
		return this.#atom(first);
	}

	#until(end: string): readonly Value[] {
		const items: Value[] = [];
		for (;;) {
			const found = this.#token() ?? this.#fail(`${end} is missing`);
			if (found === end) return items;
			items.push(this.#value(found));
		}
	}

	#map(items: readonly Value[]): Value {
		if (items.length % 2 !== 0) this.#fail("a map with a name and no value");
		const entries: [string, Value][] = [];
		for (let i = 0; i < items.length; i += 2) entries.push([String(items[i]), items[i + 1]!]);
		return Object.fromEntries(entries);
	}

	#atom(text: string): Value {
		if (text.startsWith('"')) {
			try {
				return JSON.parse(text.replaceAll("\n", "\\n")) as string;
			} catch {
				return this.#fail(`cannot read the string ${text}`);
			}
		}
		if (text === "nil") return null;
		if (text === "true" || text === "false") return text === "true";
		if (/^[+-]?\d/.test(text)) {
			const number = Number(text.replace(/[NM]$/, ""));
			return Number.isNaN(number) ? this.#fail(`${text} is no number`) : number;
		}
		if (text.startsWith("\\") || /^[)\]}]$/.test(text)) this.#fail(`cannot read ${text}`);
		return text.startsWith(":") ? text.slice(1) : text;
	}
}
