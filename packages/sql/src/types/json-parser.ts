/**
 * JSON as text, after PostgreSQL's jsonapi.c: the same is refused, in the same words. What comes out is made by a `JsonBuilder`, so that json
 * (which keeps its text) and jsonb (which does not) share the grammar.
 */
import { DatabaseError } from "@quorate/keys/database-error";

export interface JsonBuilder<T> {
	/** Strings are decoded, and refused where they cannot be. Otherwise only the grammar matters: strings and numbers come as "". */
	readonly decodes: boolean;
	string(value: string, start: number, end: number): T;
	number(text: string, start: number, end: number): T;
	literal(value: boolean | null, start: number, end: number): T;
	/** Its items are the last `count` of `items`. */
	array(items: readonly T[], count: number, start: number, end: number): T;
	/** Likewise. */
	object(
		keys: readonly string[],
		values: readonly T[],
		count: number,
		start: number,
		end: number,
	): T;
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

/** A call is not interrupted: these take about a second. */
const valuesMax = 4_000_000;

const word = /[A-Za-z0-9_\u0080-\uffff]*/y;
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

const quote = 0x22;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const backslash = 0x5c;

const isDigit = (code: number): boolean => code >= zero && code <= 0x39;
const isBlank = (code: number): boolean =>
	code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
/** , : [ ] { } */
const isPunctuation = (code: number): boolean =>
	code === 0x2c ||
	code === 0x3a ||
	code === 0x5b ||
	code === 0x5d ||
	code === 0x7b ||
	code === 0x7d;
/** , ] } */
const endsNumber = (code: number): boolean =>
	code === 0x2c || code === 0x5d || code === 0x7d || code === -1 || isBlank(code);

function matchAt(pattern: RegExp, text: string, at: number): string {
	pattern.lastIndex = at;
	return pattern.exec(text)?.[0] ?? "";
}

/** Most of the time goes into the lexer, which looks at one code unit after the other: a pattern for each token takes ten times as long. */
class JsonParser<T> {
	readonly #text: string;
	readonly #builder: JsonBuilder<T>;
	#token: Token = "end";
	#start = 0;
	/** Behind the current token. */
	#end = 0;
	/** Behind the one before. */
	#before = 0;
	#value = "";
	#depth = 0;
	#count = 0;
	/** Of what is open, the innermost at the end: an array for each takes longer than the rest of a small object. */
	readonly #keys: string[] = [];
	readonly #values: T[] = [];

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
		const start = this.#start;
		const end = this.#end;
		const token = this.#token;
		switch (token) {
			case "{":
				return this.#parseObject();
			case "[":
				return this.#parseArray();
			case "string":
			case "number": {
				const value = this.#value;
				this.#next();
				return token === "string"
					? this.#builder.string(value, start, end)
					: this.#builder.number(value, start, end);
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

	#descend(): void {
		if (++this.#depth > depthMax) {
			throw new DatabaseError("54001", "stack depth limit exceeded", {
				detail: `JSON may be nested ${depthMax} levels deep.`,
			});
		}
	}

	#parseArray(): T {
		const start = this.#start;
		const first = this.#values.length;
		this.#descend();
		this.#next();
		if (this.#token !== "]") {
			this.#pushValue();
			while (this.#accept(",")) this.#pushValue();
		}
		if (this.#token !== "]") throw this.#expected('"," or "]"');
		this.#depth--;
		this.#next();
		const count = this.#values.length - first;
		const array = this.#builder.array(this.#values, count, start, this.#before);
		this.#values.length = first;
		return array;
	}

	#parseObject(): T {
		const start = this.#start;
		const first = this.#values.length;
		this.#descend();
		this.#next();
		if (this.#token === "string") {
			this.#parsePair();
			while (this.#accept(",")) this.#parsePair();
		} else if (this.#token !== "}") {
			throw this.#expected('string or "}"');
		}
		if (this.#token !== "}") throw this.#expected('"," or "}"');
		this.#depth--;
		this.#next();
		const count = this.#values.length - first;
		const object = this.#builder.object(this.#keys, this.#values, count, start, this.#before);
		this.#values.length = first;
		this.#keys.length -= count;
		return object;
	}

	#parsePair(): void {
		if (this.#token !== "string") throw this.#expected("string");
		this.#keys.push(this.#value);
		this.#next();
		if (!this.#accept(":")) throw this.#expected('":"');
		this.#pushValue();
	}

	/** Throws 54000. */
	#pushValue(): void {
		if (++this.#count > valuesMax) {
			throw new DatabaseError("54000", "JSON document has too many values", {
				detail: `A document may have ${valuesMax} values: what has more would hold up everybody else.`,
				hint: "Keep it in several rows, or as text.",
			});
		}
		this.#values.push(this.#parseValue());
	}

	#accept(token: Token): boolean {
		if (this.#token !== token) return false;
		this.#next();
		return true;
	}

	/** -1: the end. */
	#codeAt(at: number): number {
		return at < this.#text.length ? this.#text.charCodeAt(at) : -1;
	}

	#next(): void {
		let at = this.#end;
		let code = this.#codeAt(at);
		while (isBlank(code)) code = this.#codeAt(++at);
		this.#start = at;
		if (code === quote) this.#lexString();
		else if (code === -1) this.#take("end", at);
		else if (code === minus || isDigit(code)) this.#lexNumber(code);
		else if (isPunctuation(code)) this.#take(this.#text[at] as Token, at + 1);
		else this.#lexWord();
	}

	#take(token: Token, end: number): void {
		this.#token = token;
		this.#before = this.#end;
		this.#end = end;
	}

	#lexWord(): void {
		const name = matchAt(word, this.#text, this.#start);
		this.#take("end", this.#start + (name.length || 1));
		if (name !== "true" && name !== "false" && name !== "null") throw this.#invalidToken();
		this.#token = name;
	}

	/** Most of them end here; a pattern decides on the others, and another one says how far goes what is none. */
	#lexNumber(first: number): void {
		const start = this.#start;
		let at = first === minus ? start + 1 : start;
		at = this.#codeAt(at) === zero ? at + 1 : this.#digitsEnd(at);
		let isPlain = isDigit(this.#codeAt(at - 1));
		if (this.#codeAt(at) === point) {
			at = this.#digitsEnd(at + 1);
			isPlain &&= isDigit(this.#codeAt(at - 1));
		}
		isPlain &&= endsNumber(this.#codeAt(at));
		const end = isPlain ? at : start + matchAt(numberLike, this.#text, start).length;
		const whole = isPlain ? at : start + matchAt(numberStart, this.#text, start).length;
		this.#take("number", end);
		this.#value = this.#builder.decodes ? this.#text.slice(start, whole) : "";
		if (whole !== end || whole === start) throw this.#invalidToken();
	}

	#digitsEnd(from: number): number {
		let at = from;
		while (isDigit(this.#codeAt(at))) at++;
		return at;
	}

	#lexString(): void {
		const text = this.#text;
		const { decodes } = this.#builder;
		let at = this.#start + 1;
		let from = at;
		let out = "";
		for (;;) {
			const code = this.#codeAt(at);
			if (code === quote) break;
			if (code === backslash) {
				const decoded = this.#escape(at + 1);
				if (decodes) out += text.slice(from, at) + decoded.text;
				at = decoded.next;
				from = at;
			} else if (code < 0x20) {
				throw this.#stringEnds(at, text[at]);
			} else {
				at++;
			}
		}
		this.#take("string", at + 1);
		this.#value = decodes ? out + text.slice(from, at) : "";
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
		if (!this.#builder.decodes) return { text: "", next };
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
		const before = text.slice(0, this.#start);
		const lineStart = before.lastIndexOf("\n") + 1;
		let from = lineStart;
		let bytes = Buffer.byteLength(text.slice(from, this.#end));
		for (; bytes >= 50; from += text.codePointAt(from)! > 0xffff ? 2 : 1) {
			bytes -= Buffer.byteLength(String.fromCodePoint(text.codePointAt(from)!));
		}
		if (from - lineStart <= 3) from = lineStart;
		const after = text[this.#end];
		const isCut = after !== undefined && after !== "\n" && after !== "\r";
		const line = before.split("\n").length;
		return `JSON data, line ${line}: ${from > lineStart ? "..." : ""}${text.slice(from, this.#end)}${isCut ? "..." : ""}`;
	}
}

/** Throws 22P02, 22P05, 54000, 54001. */
export function parseJson<T>(text: string, builder: JsonBuilder<T>): T {
	return new JsonParser(text, builder).parse();
}
