/** Text form of arrays: {1,NULL,"a b"}, nested braces for dimensions, [0:1]= in front where a lower bound is not 1. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	arrayOf,
	type Dimension,
	dimensionsMax,
	dimensionsOf,
	emptyArray,
	isArray,
} from "./array-values.ts";
import type { ArrayValue, Datum } from "./datum.ts";

/** As array_isspace: no other blanks than those of ASCII. */
const isBlank = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

function needsQuotes(text: string): boolean {
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		// " , \\ { }
		if (code === 0x22 || code === 0x2c || code === 0x5c || code === 0x7b || code === 0x7d)
			return true;
		if (isBlank(code)) return true;
	}
	return text === "" || (text.length === 4 && text.toLowerCase() === "null");
}

export function formatArray(array: ArrayValue, format: (element: Datum) => string): string {
	const dimensions = dimensionsOf(array);
	const body = formatLevel(array, format);
	if (dimensions.every((d) => d.lower === 1)) {
		return body;
	}
	return `${dimensions.map((d) => `[${d.lower}:${d.lower + d.size - 1}]`).join("")}=${body}`;
}

function formatLevel(array: ArrayValue, format: (element: Datum) => string): string {
	let out = "{";
	for (let i = 0; i < array.elements.length; i++) {
		const element = array.elements[i] as Datum;
		if (i > 0) {
			out += ",";
		}
		if (element === null) {
			out += "NULL";
		} else if (isArray(element)) {
			out += formatLevel(element, format);
		} else {
			const text = format(element);
			out += needsQuotes(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
		}
	}
	return `${out}}`;
}

export function parseArray(text: string, parseElement: (text: string) => Datum): ArrayValue {
	return new ArrayParser(text, parseElement).parse();
}

class ArrayParser {
	readonly #text: string;
	readonly #parseElement: (text: string) => Datum;
	#at = 0;
	/** Sizes found so far by depth: sub-arrays must agree. */
	readonly #sizes: number[] = [];
	/** Depth at which elements stand. */
	#leafDepth = 0;

	constructor(text: string, parseElement: (text: string) => Datum) {
		this.#text = text;
		this.#parseElement = parseElement;
	}

	parse(): ArrayValue {
		this.#skipBlanks();
		const bounds = this.#bounds();
		if (this.#text[this.#at] !== "{") {
			throw this.#malformed(
				bounds.length > 0
					? 'Array contents must start with "{".'
					: 'Array value must start with "{" or dimension information.',
			);
		}
		const array = this.#level(1);
		this.#skipBlanks();
		if (this.#at < this.#text.length) {
			throw this.#malformed("Junk after closing right brace.");
		}
		return bounds.length === 0 ? array : this.#withBounds(array, bounds);
	}

	/** [2:4][0:1]= */
	#bounds(): Dimension[] {
		const bounds: Dimension[] = [];
		const pattern = /\s*\[([+-]?\d+)(?::([+-]?\d+))?\]/y;
		pattern.lastIndex = this.#at;
		for (let m = pattern.exec(this.#text); m !== null; m = pattern.exec(this.#text)) {
			this.#at = pattern.lastIndex;
			const lower = m[2] === undefined ? 1 : Number(m[1]);
			const upper = Number(m[2] ?? m[1]);
			if (upper < lower) {
				throw new DatabaseError("2202E", "upper bound cannot be less than lower bound");
			}
			bounds.push({ lower, size: upper - lower + 1 });
		}
		if (bounds.length > 0) {
			this.#skipBlanks();
			if (this.#text[this.#at] !== "=") {
				throw this.#malformed('Missing "=" after array dimensions.');
			}
			this.#at++;
			this.#skipBlanks();
		}
		return bounds;
	}

	#withBounds(array: ArrayValue, bounds: readonly Dimension[]): ArrayValue {
		const found = dimensionsOf(array);
		if (found.length !== bounds.length || found.some((d, i) => d.size !== bounds[i]?.size)) {
			throw this.#malformed("Specified array dimensions do not match array contents.");
		}
		const rebase = (level: ArrayValue, depth: number): ArrayValue =>
			arrayOf(
				level.elements.map((e) => (isArray(e) ? rebase(e, depth + 1) : e)),
				bounds[depth]?.lower ?? 1,
			);
		return rebase(array, 0);
	}

	/** From { to }. */
	#level(depth: number): ArrayValue {
		if (depth > dimensionsMax) {
			throw new DatabaseError(
				"54000",
				`number of array dimensions (${depth}) exceeds the maximum allowed (${dimensionsMax})`,
			);
		}
		this.#at++;
		const elements: Datum[] = [];
		this.#skipBlanks();
		if (this.#text[this.#at] === "}") {
			this.#at++;
			this.#agree(depth, 0);
			return emptyArray;
		}
		for (;;) {
			this.#skipBlanks();
			const isLevel = this.#text[this.#at] === "{";
			if (isLevel && elements.length > 0 && !isArray(elements.at(-1)!)) {
				throw this.#malformed('Unexpected "{" character.');
			}
			elements.push(isLevel ? this.#level(depth + 1) : this.#element(depth));
			this.#skipBlanks();
			const next = this.#text[this.#at++];
			if (next === "}") {
				break;
			}
			if (next !== ",") {
				throw this.#malformed(
					next === undefined ? "Unexpected end of input." : "Unexpected array element.",
				);
			}
		}
		this.#agree(depth, elements.length);
		return elements.every((e) => isArray(e) && e.elements.length === 0) && elements.length > 0
			? emptyArray
			: arrayOf(elements);
	}

	#agree(depth: number, size: number): void {
		const known = this.#sizes[depth];
		if (known !== undefined && known !== size) {
			throw this.#malformed(
				"Multidimensional arrays must have sub-arrays with matching dimensions.",
			);
		}
		this.#sizes[depth] = size;
	}

	#element(depth: number): Datum {
		if (this.#leafDepth !== 0 && this.#leafDepth !== depth) {
			throw this.#malformed(
				"Multidimensional arrays must have sub-arrays with matching dimensions.",
			);
		}
		this.#leafDepth = depth;
		return this.#text[this.#at] === '"' ? this.#quoted() : this.#bare();
	}

	#quoted(): Datum {
		let out = "";
		let from = ++this.#at;
		for (;;) {
			const code = this.#text.charCodeAt(this.#at);
			if (Number.isNaN(code)) {
				throw this.#malformed("Unexpected end of input.");
			}
			if (code === 0x22 || code === 0x5c) {
				out += this.#text.slice(from, this.#at);
				this.#at++;
				if (code === 0x22) {
					return this.#parseElement(out);
				}
				from = this.#at;
			}
			this.#at++;
		}
	}

	#bare(): Datum {
		const text = this.#text;
		let out = "";
		let from = this.#at;
		/** Blanks behind it are none of the element. */
		let end = from;
		let escaped = false;
		for (;;) {
			if (this.#at >= text.length) throw this.#malformed("Unexpected end of input.");
			const code = text.charCodeAt(this.#at);
			if (code === 0x2c || code === 0x7d) break;
			if (code === 0x7b) throw this.#malformed('Unexpected "{" character.');
			if (code === 0x22) throw this.#malformed("Unexpected array element.");
			if (code === 0x5c) {
				escaped = true;
				out += text.slice(from, this.#at);
				from = ++this.#at;
			}
			this.#at++;
			if (code === 0x5c || !isBlank(code)) end = this.#at;
		}
		out += text.slice(from, end);
		if (out === "") throw this.#malformed(`Unexpected "${text[this.#at]}" character.`);
		return !escaped && out.toLowerCase() === "null" ? null : this.#parseElement(out);
	}

	#skipBlanks(): void {
		while (this.#at < this.#text.length && isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
	}

	#malformed(detail: string): DatabaseError {
		return new DatabaseError("22P02", `malformed array literal: "${this.#text}"`, { detail });
	}
}
