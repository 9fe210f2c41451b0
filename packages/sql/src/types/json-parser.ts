/**
 * JSON as text, after PostgreSQL's jsonapi.c: the same is refused, in the same words. What comes out is made by a `JsonBuilder`, so that json
 * (which keeps its text) and jsonb (which does not) share the grammar.
 */
import { DatabaseError } from "@quorate/keys/database-error";

export interface JsonBuilder<T> {
	/** Decode strings, and refuse what cannot be decoded. Otherwise they are handed on as they stand. */
	readonly escapes: boolean;
	string(value: string, start: number, end: number): T;
	number(text: string, start: number, end: number): T;
	literal(value: boolean | null, start: number, end: number): T;
	array(items: readonly T[], start: number, end: number): T;
	object(keys: readonly string[], values: readonly T[], start: number, end: number): T;
}

type Token =
	| "{"
	| "}"
	| "["
	| "]"
	| ":"
	| ","
	| "string"
	| "number"
	| "true"
	| "false"
	| "null"
	| "end";

/** PostgreSQL's limit is its stack, a few times as much. Twice this does not fit on the stack that Node begins with. */
const depthMax = 1000;

const punctuation = "{}[]:,";
const word = /[A-Za-z0-9_\u0080-\uffff]*/y;
const blank = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are refused
const plainString = /[^"\\\x00-\x1f]*/y;
const numberStart = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** As far as a number goes for the error, whole or not. */
const numberLike =
	/-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?[A-Za-z0-9_\u0080-\uffff]*/y;
const simpleEscapes: Readonly<Record<string, string>> = {
	'"': '"',
	"\\": "\\",
	"/": "/",
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
};

function matchAt(pattern: RegExp, text: string, at: number): string {
	pattern.lastIndex = at;
	return pattern.exec(text)?.[0] ?? "";
}

class JsonParser<T> {
	readonly #text: string;
	readonly #builder: JsonBuilder<T>;
	#line = 1;
	#lineStart = 0;
	#token: Token = "end";
	#start = 0;
	/** Behind the current token. */
	#end = 0;
	/** Behind the one before. */
	#before = 0;
	#value = "";
	#depth = 0;

	constructor(text: string, builder: JsonBuilder<T>) {
		this.#text = text;
		this.#builder = builder;
	}

	parse(): T {
		this.#next();
		const value = this.#parseValue();
		if (this.#token !== "end") throw this.#expected("end of input");
		return value;
	}

	#parseValue(): T {
		const [start, end, token] = [this.#start, this.#end, this.#token];
		switch (token) {
			case "{":
				return this.#nested(() => this.#parseObject());
			case "[":
				return this.#nested(() => this.#parseArray());
			case "string":
			case "number": {
				const value = this.#value;
				this.#next();
				return this.#builder[token](value, start, end);
			}
			case "true":
			case "false":
			case "null":
				this.#next();
				return this.#builder.literal(token === "null" ? null : token === "true", start, end);
			default:
				throw this.#expected("JSON value");
		}
	}

	#nested(parse: () => T): T {
		if (++this.#depth > depthMax) {
			throw new DatabaseError("54001", "stack depth limit exceeded", {
				detail: `JSON may be nested ${depthMax} levels deep.`,
			});
		}
		const value = parse();
		this.#depth--;
		return value;
	}

	#parseArray(): T {
		const start = this.#start;
		const items: T[] = [];
		this.#next();
		if (this.#token !== "]") {
			items.push(this.#parseValue());
			while (this.#accept(",")) items.push(this.#parseValue());
		}
		if (this.#token !== "]") throw this.#expected('"," or "]"');
		this.#next();
		return this.#builder.array(items, start, this.#before);
	}

	#parseObject(): T {
		const start = this.#start;
		const keys: string[] = [];
		const values: T[] = [];
		this.#next();
		if (this.#token === "string") {
			this.#parsePair(keys, values);
			while (this.#accept(",")) this.#parsePair(keys, values);
		} else if (this.#token !== "}") {
			throw this.#expected('string or "}"');
		}
		if (this.#token !== "}") throw this.#expected('"," or "}"');
		this.#next();
		return this.#builder.object(keys, values, start, this.#before);
	}

	#parsePair(keys: string[], values: T[]): void {
		if (this.#token !== "string") throw this.#expected("string");
		keys.push(this.#value);
		this.#next();
		if (!this.#accept(":")) throw this.#expected('":"');
		values.push(this.#parseValue());
	}

	#accept(token: Token): boolean {
		if (this.#token !== token) return false;
		this.#next();
		return true;
	}

	#next(): void {
		this.#skipBlanks();
		const text = this.#text;
		const start = this.#start;
		const first = text[start];
		if (first === undefined) {
			this.#take("end", start);
		} else if (punctuation.includes(first)) {
			this.#take(first as Token, start + 1);
		} else if (first === '"') {
			this.#lexString();
		} else if (first === "-" || (first >= "0" && first <= "9")) {
			const end = start + matchAt(numberLike, text, start).length;
			const whole = matchAt(numberStart, text, start);
			this.#take("number", end);
			this.#value = whole;
			if (start + whole.length !== end || whole === "") throw this.#invalidToken();
		} else {
			const name = matchAt(word, text, start);
			this.#take("end", start + (name.length || 1));
			if (name !== "true" && name !== "false" && name !== "null") throw this.#invalidToken();
			this.#token = name;
		}
	}

	#skipBlanks(): void {
		const blanks = matchAt(blank, this.#text, this.#end);
		this.#start = this.#end + blanks.length;
		for (let at = blanks.indexOf("\n"); at >= 0; at = blanks.indexOf("\n", at + 1)) {
			this.#line++;
			this.#lineStart = this.#end + at + 1;
		}
	}

	#take(token: Token, end: number): void {
		this.#token = token;
		this.#before = this.#end;
		this.#end = end;
	}

	#lexString(): void {
		const text = this.#text;
		const first = this.#start + 1;
		let at = first;
		let out = "";
		for (;;) {
			const plain = matchAt(plainString, text, at);
			out += plain;
			at += plain.length;
			const stop = text[at];
			if (stop === '"') break;
			if (stop !== "\\") throw this.#stringEnds(at, stop);
			const decoded = this.#escape(at + 1);
			out += decoded.text;
			at = decoded.next;
		}
		this.#take("string", at + 1);
		this.#value = this.#builder.escapes ? out : text.slice(first, at);
	}

	#stringEnds(at: number, stop: string | undefined): DatabaseError {
		this.#end = at;
		if (stop === undefined) return this.#invalidToken();
		const code = stop.charCodeAt(0).toString(16).padStart(2, "0");
		return this.#error(`Character with value 0x${code} must be escaped.`);
	}

	/** `at`: behind the backslash. */
	#escape(at: number): { readonly text: string; readonly next: number } {
		const letter = this.#text[at];
		if (letter === "u") return this.#unicode(at);
		if (letter === undefined) throw this.#stringEnds(at, undefined);
		const text = simpleEscapes[letter];
		if (text === undefined) {
			const character = String.fromCodePoint(this.#text.codePointAt(at)!);
			this.#end = at + character.length;
			throw this.#error(`Escape sequence "\\${character}" is invalid.`);
		}
		return { text, next: at + 1 };
	}

	/** `at`: of the u. */
	#unicode(at: number): { readonly text: string; readonly next: number } {
		const high = this.#codeUnit(at);
		const next = at + 5;
		if (!this.#builder.escapes) return { text: "", next };
		if (high === 0) {
			this.#end = next;
			throw this.#error("\\u0000 cannot be converted to text.", "22P05");
		}
		if (high < 0xd800 || high > 0xdfff) return { text: String.fromCharCode(high), next };
		const low = high > 0xdbff ? undefined : this.#lowSurrogate(next);
		if (low === undefined) {
			if (high > 0xdbff) this.#end = next;
			throw this.#error("Unicode low surrogate must follow a high surrogate.");
		}
		return { text: String.fromCharCode(high, low), next: next + 6 };
	}

	/** Undefined, with the end of the token behind it, where something else stands there. */
	#lowSurrogate(at: number): number | undefined {
		const first = this.#text.codePointAt(at);
		if (first === undefined || first < 32) throw this.#stringEnds(at, this.#text[at]);
		this.#end = at + (first > 0xffff ? 2 : 1);
		if (first !== 0x5c) return undefined;
		if (this.#text[at + 1] !== "u") {
			this.#escape(at + 1);
			this.#end = at + 2;
			return undefined;
		}
		const low = this.#codeUnit(at + 1);
		this.#end = at + 6;
		if (low >= 0xd800 && low <= 0xdbff) {
			throw this.#error("Unicode high surrogate must not follow a high surrogate.");
		}
		return low >= 0xdc00 && low <= 0xdfff ? low : undefined;
	}

	#codeUnit(at: number): number {
		for (let i = 1; i <= 4; i++) {
			const digit = this.#text.codePointAt(at + i);
			if (digit === undefined) throw this.#stringEnds(at + i, undefined);
			const character = String.fromCodePoint(digit);
			if (!/[0-9a-fA-F]/.test(character)) {
				this.#end = at + i + character.length;
				throw this.#error('"\\u" must be followed by four hexadecimal digits.');
			}
		}
		return Number.parseInt(this.#text.slice(at + 1, at + 5), 16);
	}

	#shown(): string {
		return this.#text.slice(this.#start, this.#end);
	}

	#invalidToken(): DatabaseError {
		return this.#error(`Token "${this.#shown()}" is invalid.`);
	}

	#expected(what: string): DatabaseError {
		if (this.#token === "end") return this.#error("The input string ended unexpectedly.");
		return this.#error(`Expected ${what}, but found "${this.#shown()}".`);
	}

	#error(detail: string, code = "22P02"): DatabaseError {
		const message =
			code === "22P02"
				? "invalid input syntax for type json"
				: "unsupported Unicode escape sequence";
		return new DatabaseError(code, message, { detail, where: this.#context() });
	}

	/** The line up to the token, fifty bytes of it. */
	#context(): string {
		const text = this.#text;
		let from = this.#lineStart;
		while (Buffer.byteLength(text.slice(from, this.#end)) >= 50) {
			from += text.codePointAt(from)! > 0xffff ? 2 : 1;
		}
		if (from - this.#lineStart <= 3) from = this.#lineStart;
		const after = text[this.#end];
		const isCut = after !== undefined && after !== "\n" && after !== "\r";
		return `JSON data, line ${this.#line}: ${from > this.#lineStart ? "..." : ""}${text.slice(from, this.#end)}${isCut ? "..." : ""}`;
	}
}

/** Throws 22P02, 22P05, 54001. */
export function parseJson<T>(text: string, builder: JsonBuilder<T>): T {
	return new JsonParser(text, builder).parse();
}
