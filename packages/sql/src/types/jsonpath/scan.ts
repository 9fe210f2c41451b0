/**
 * The words of a jsonpath, as PostgreSQL's scanner has them: names may hold escapes, a number must not run into a name. What an error says is near is
 * what that scanner has read last, which behind a name is what ended it.
 */
import { DatabaseError } from "@quorate/keys/database-error";

export interface PathToken {
	readonly type: "word" | "string" | "variable" | "number" | "integer" | "symbol";
	/** What a literal in the grammar is compared with: of key words and symbols. */
	readonly text: string;
	readonly value: string;
	/** What an error names; "": that it is at the end. */
	readonly near: string;
}

const keywords: ReadonlySet<string> = new Set([
	..."is to abs lax flag last size type with floor double exists starts strict ceiling".split(" "),
	..."unknown datetime keyvalue like_regex".split(" "),
]);
/** In small letters only. */
const exactKeywords: ReadonlySet<string> = new Set(["null", "true", "false"]);

export const pathError = (message: string, near: string): DatabaseError =>
	new DatabaseError(
		"42601",
		near === ""
			? `${message} at end of jsonpath input`
			: `${message} at or near "${near}" of jsonpath input`,
	);

const other = String.raw`[^?%$.\[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f]`;
const integer = "(?:0|[1-9][0-9]*)";
const decimal = String.raw`(?:${integer}\.[0-9]*|\.[0-9]+)`;
const real = `(?:${integer}|${decimal})[Ee][-+]?[0-9]+`;

const sticky = (source: string): RegExp => new RegExp(source, "yu");
const [blanks, names, variable] = [
	sticky("[ \\t\\n\\r\\f]+"),
	sticky(`${other}+`),
	sticky(`\\$(${other}+)`),
];
const symbols = sticky(String.raw`&&|\|\||\*\*|<=|==|<>|!=|>=|[?%$.\[\]{}()|&!=<>@#,*:\-+/]`);
const junk = "trailing junk after numeric literal";
/** The longest counts; of several the first. */
const numbers: readonly {
	readonly pattern: RegExp;
	readonly is: "number" | "integer" | "name" | { readonly wrong: string };
}[] = [
	{ pattern: sticky(real), is: "number" },
	{ pattern: sticky(decimal), is: "number" },
	{ pattern: sticky(integer), is: "integer" },
	{
		pattern: sticky(`(?:${integer}|${decimal})[Ee][-+]`),
		is: { wrong: "invalid numeric literal" },
	},
	{ pattern: sticky(`(?:${real}|${decimal}|${integer})${other}`), is: { wrong: junk } },
	{ pattern: names, is: "name" },
];

/** More are a mistake, or worse. */
const tokensMax = 1000;

export function scanPath(text: string): readonly PathToken[] {
	const scanner = new Scanner(text);
	const tokens: PathToken[] = [];
	for (let token = scanner.next(); token !== undefined; token = scanner.next()) {
		if (tokens.length === tokensMax) {
			throw new DatabaseError("54001", "stack depth limit exceeded", {
				hint: `A jsonpath has at most ${tokensMax} words.`,
			});
		}
		tokens.push(token);
	}
	return tokens;
}

class Scanner {
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	next(): PathToken | undefined {
		this.#skip();
		const text = this.#text;
		const character = text[this.#at];
		if (character === undefined) return undefined;
		const number = this.#number();
		if (number !== undefined) return number;
		if (character === '"') {
			this.#at++;
			return { type: "string", text: "", value: this.#quoted(), near: '"' };
		}
		if (text.startsWith('$"', this.#at)) {
			this.#at += 2;
			return { type: "variable", text: "", value: this.#quoted(), near: '"' };
		}
		const named = this.#match(variable);
		if (named !== undefined) {
			return { type: "variable", text: "", value: named.slice(1), near: named };
		}
		const symbol = this.#match(symbols);
		if (symbol === undefined) return this.#name();
		return { type: "symbol", text: symbol === "<>" ? "!=" : symbol, value: symbol, near: symbol };
	}

	#match(pattern: RegExp): string | undefined {
		pattern.lastIndex = this.#at;
		const found = pattern.exec(this.#text)?.[0];
		if (found !== undefined) this.#at += found.length;
		return found;
	}

	/** Blanks and comments. */
	#skip(): void {
		for (;;) {
			this.#match(blanks);
			if (!this.#text.startsWith("/*", this.#at)) return;
			const end = this.#text.indexOf("*/", this.#at + 2);
			if (end < 0) throw pathError("unexpected end of comment", "");
			this.#at = end + 2;
		}
	}

	#number(): PathToken | undefined {
		const start = this.#at;
		if (!/[0-9.]/.test(this.#text[start]!)) return undefined;
		let best: { readonly value: string; readonly is: (typeof numbers)[number]["is"] } | undefined;
		for (const { pattern, is } of numbers) {
			this.#at = start;
			const value = this.#match(pattern);
			if (value !== undefined && value.length > (best?.value.length ?? 0)) best = { value, is };
		}
		this.#at = start;
		if (best === undefined || best.is === "name") return undefined;
		if (typeof best.is === "object") throw pathError(best.is.wrong, best.value);
		this.#at += best.value.length;
		return { type: best.is, text: "", value: best.value, near: best.value };
	}

	#quoted(): string {
		let out = "";
		for (;;) {
			const character = this.#text[this.#at];
			if (character === undefined) throw pathError("unexpected end of quoted string", "");
			if (character === '"') {
				this.#at++;
				return out;
			}
			if (character === "\\") {
				out += this.#escape();
				continue;
			}
			const end = /["\\]/g;
			end.lastIndex = this.#at;
			const stop = end.exec(this.#text)?.index ?? this.#text.length;
			out += this.#text.slice(this.#at, stop);
			this.#at = stop;
		}
	}

	#name(): PathToken {
		let value = "";
		for (;;) {
			const part = this.#match(names);
			if (part !== undefined) value += part;
			else if (this.#text[this.#at] === "\\") value += this.#escape();
			else break;
		}
		const end = this.#at;
		const near = this.#match(blanks) ?? (this.#text.startsWith("/*", end) ? "/*" : "");
		const folded = value.toLowerCase();
		const isKeyword = keywords.has(folded) || exactKeywords.has(value);
		return { type: "word", text: isKeyword ? folded : "", value, near };
	}

	#escape(): string {
		const rest = this.#text.slice(this.#at, this.#at + 12);
		if (/^\\u/.test(rest)) return this.#unicode();
		if (/^\\x/.test(rest)) {
			const [all, digits] = /^\\x([0-9a-fA-F]{2})/.exec(rest) ?? [];
			if (all === undefined) {
				throw pathError("invalid hex character sequence", /^\\x[0-9a-fA-F]?/.exec(rest)![0]);
			}
			this.#at += all.length;
			return characterOf(Number.parseInt(digits!, 16));
		}
		const escaped = String.fromCodePoint(rest.codePointAt(1) ?? 10);
		if (escaped === "\n") throw pathError("unexpected end after backslash", "\\");
		this.#at += 1 + escaped.length;
		return { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" }[escaped] ?? escaped;
	}

	/** All that stand side by side: two of them may be one character. */
	#unicode(): string {
		const one = sticky(String.raw`\\u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})`);
		let out = "";
		let high: number | undefined;
		const start = this.#at;
		while (this.#text.startsWith("\\u", this.#at)) {
			one.lastIndex = this.#at;
			const found = one.exec(this.#text);
			if (found === null) {
				const bad = sticky(String.raw`\\u(?:\{[0-9a-fA-F]{0,6}|[0-9a-fA-F]{0,3})`);
				bad.lastIndex = this.#at;
				const text = bad.exec(this.#text)![0];
				throw pathError("invalid unicode sequence", this.#text.slice(start, this.#at) + text);
			}
			this.#at += found[0].length;
			const code = Number.parseInt(found[1] ?? found[2]!, 16);
			if (code >= 0xd800 && code <= 0xdbff) {
				if (high !== undefined) throw surrogate("high surrogate must not follow a high surrogate");
				high = code;
			} else if (code >= 0xdc00 && code <= 0xdfff) {
				if (high === undefined) throw surrogate("low surrogate must follow a high surrogate");
				out += String.fromCharCode(high, code);
				high = undefined;
			} else {
				if (high !== undefined) throw surrogate("low surrogate must follow a high surrogate");
				out += characterOf(code);
			}
		}
		if (high !== undefined) throw surrogate("low surrogate must follow a high surrogate");
		return out;
	}
}

function characterOf(code: number): string {
	if (code === 0) {
		throw new DatabaseError("22P05", "unsupported Unicode escape sequence", {
			detail: "\\u0000 cannot be converted to text.",
		});
	}
	if (code > 0x10ffff) {
		throw new DatabaseError("22P02", "invalid input syntax for type jsonpath");
	}
	return String.fromCodePoint(code);
}

const surrogate = (what: string): DatabaseError =>
	new DatabaseError("22P02", "invalid input syntax for type jsonpath", {
		detail: `Unicode ${what}.`,
	});
