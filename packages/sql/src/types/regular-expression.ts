/**
 * POSIX regular expressions on re2js, which finds a match in time linear in the text whatever the pattern. Advanced expressions that
 * need backtracking (back references, look-around) are refused.
 *
 * Linear is not short: it is the product of text and pattern, and finding all matches may read on to the end of the text for each. The
 * event loop of the node stands still meanwhile, so what a call reads is counted, and bounded.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { invalidParameter, unsupported } from "./errors.ts";

const patternLengthMax = 10_000;
/** Characters read, times instructions of the pattern: a tenth of a second to half of one. */
const workMax = 1 << 24;
/** The text is read once from each side, and once for the groups. */
const readings = 4;

interface Flags {
	readonly ignoreCase: boolean;
	/** n, m, p: . and [^x] do not cross lines. */
	readonly stops: boolean;
	/** n, m, w: ^ and $ match at lines. */
	readonly lines: boolean;
	readonly extended: boolean;
	readonly literal: boolean;
	readonly global: boolean;
}

function flagsOf(text: string): Flags {
	const flags = {
		ignoreCase: false,
		stops: false,
		lines: false,
		extended: false,
		literal: false,
		global: false,
	};
	for (const letter of text) {
		switch (letter) {
			case "i":
				flags.ignoreCase = true;
				break;
			case "c":
				flags.ignoreCase = false;
				break;
			case "n":
			case "m":
				flags.stops = true;
				flags.lines = true;
				break;
			case "s":
				flags.stops = false;
				flags.lines = false;
				break;
			case "p":
				flags.stops = true;
				flags.lines = false;
				break;
			case "w":
				flags.stops = false;
				flags.lines = true;
				break;
			case "x":
				flags.extended = true;
				break;
			case "t":
				flags.extended = false;
				break;
			case "q":
				flags.literal = true;
				break;
			case "g":
				flags.global = true;
				break;
			case "e":
			case "b":
				break;
			default:
				throw invalidParameter(`invalid regular expression option: "${letter}"`);
		}
	}
	return flags;
}

/** Escapes that mean something else, or nothing, to RE2. */
const escapes: Readonly<Record<string, string>> = {
	m: "\\b",
	M: "\\b",
	y: "\\b",
	Y: "\\B",
	A: "\\A",
	Z: "\\z",
	B: "\\\\",
	e: "\\x1b",
	a: "\\a",
	v: "\\v",
};

const invalid = (detail: string): DatabaseError =>
	new DatabaseError("2201B", `invalid regular expression: ${detail}`);

/** An advanced regular expression in RE2's syntax. */
function translate(pattern: string, extended: boolean, stops: boolean): string {
	let out = "";
	for (let at = 0; at < pattern.length; at++) {
		const character = pattern[at] as string;
		if (character === "\\") {
			const next = pattern[++at];
			if (next === undefined) {
				throw invalid("invalid escape \\ sequence");
			}
			if (/[1-9]/.test(next)) {
				throw unsupported(
					"back references in regular expressions are not supported",
					"Patterns run in time linear in the text, which back references rule out.",
				);
			}
			out += escapes[next] ?? (/[a-zA-Z0-9]/.test(next) ? `\\${next}` : `\\${next}`);
		} else if (character === "[") {
			const end = bracketEnd(pattern, at);
			out += bracket(pattern.slice(at, end), stops);
			at = end - 1;
		} else if (/^\(\?(?!:|<?[=!])/.test(pattern.slice(at, at + 4))) {
			throw invalid("quantifier operand invalid");
		} else if (character === "(" && pattern[at + 1] === "?" && pattern[at + 2] !== ":") {
			throw unsupported(
				"look-around in regular expressions is not supported",
				"Patterns run in time linear in the text, which look-around rules out.",
			);
		} else if (extended && /\s/.test(character)) {
			// White space in an expanded pattern means nothing.
		} else if (extended && character === "#") {
			const end = pattern.indexOf("\n", at);
			at = end < 0 ? pattern.length : end;
		} else {
			out += character;
		}
	}
	return out;
}

/** The offset behind the ] that ends a bracket expression. */
function bracketEnd(pattern: string, start: number): number {
	let at = start + 1;
	if (pattern[at] === "^") {
		at++;
	}
	if (pattern[at] === "]") {
		at++;
	}
	for (; at < pattern.length; at++) {
		const character = pattern[at];
		if (character === "\\") {
			at++;
		} else if (character === "[" && /[:.=]/.test(pattern[at + 1] ?? "")) {
			const end = pattern.indexOf(`${pattern[at + 1]}]`, at + 2);
			if (end < 0) {
				break;
			}
			at = end + 1;
		} else if (character === "]") {
			return at + 1;
		}
	}
	throw invalid("brackets [] not balanced");
}

/** RE2 reads brackets alike, but for a [ inside and a leading ]. */
function bracket(text: string, stops: boolean): string {
	const negated = text.startsWith("[^");
	const body = text.slice(negated ? 2 : 1, -1);
	const escaped = body.replace(/\[:\w+:\]|\[[.=](.)[.=]\]|\\.|[[\]]/gsu, (part, single) => {
		if (part.startsWith("[:") || part.startsWith("\\")) {
			return part;
		}
		return `\\${single ?? part}`;
	});
	return `[${negated ? (stops ? "^\\n" : "^") : ""}${escaped}]`;
}

function compile(source: string, flags: Flags): RE2JS {
	if (source.length > patternLengthMax) {
		throw invalid("regular expression is too complex");
	}
	let pattern = source;
	let { literal, ignoreCase, stops, lines, extended } = flags;
	if (pattern.startsWith("***=")) {
		literal = true;
		pattern = pattern.slice(4);
	} else if (pattern.startsWith("***:")) {
		pattern = pattern.slice(4);
	}
	const embedded = /^\(\?([a-z]+)\)/.exec(pattern);
	if (embedded !== null && !literal) {
		const inner = flagsOf(embedded[1] as string);
		ignoreCase ||= inner.ignoreCase;
		stops ||= inner.stops;
		lines ||= inner.lines;
		extended ||= inner.extended;
		literal ||= inner.literal;
		pattern = pattern.slice(embedded[0].length);
	}
	const text = literal ? RE2JS.quote(pattern) : translate(pattern, extended, stops);
	// POSIX takes the longest of the leftmost matches, unless the pattern asks for short ones (a*?).
	const preferShort = /[*+?}]\?/.test(text);
	const options =
		(ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) |
		(lines ? RE2JS.MULTILINE : 0) |
		(stops ? 0 : RE2JS.DOTALL) |
		(preferShort ? 0 : RE2JS.LONGEST_MATCH);
	try {
		return RE2JS.compile(text, options);
	} catch (error) {
		if (error instanceof RE2JSSyntaxException) {
			throw invalid(describe(error));
		}
		throw error;
	}
}

/** PostgreSQL's words for what RE2 found. */
function describe(error: RE2JSSyntaxException): string {
	const text = error.getDescription();
	const words: readonly (readonly [RegExp, string])[] = [
		[/missing closing \)|unexpected \)/, "parentheses () not balanced"],
		[/missing closing \]/, "brackets [] not balanced"],
		[
			/missing argument to repetition|bad repetition|invalid nested repetition/,
			"quantifier operand invalid",
		],
		[/invalid character class range/, "invalid character range"],
		[/invalid escape/, "invalid escape \\ sequence"],
		[/repeat count|repetition count|invalid repeat/, "invalid repetition count(s)"],
	];
	return words.find(([pattern]) => pattern.test(text))?.[1] ?? text;
}

const cacheMax = 300;
const cache = new Map<string, RE2JS>();

export function regularExpression(source: string, flags: string): RE2JS {
	const key = `${flags}/${source}`;
	let compiled = cache.get(key);
	if (compiled === undefined) {
		compiled = compile(source, flagsOf(flags));
		if (cache.size >= cacheMax) {
			cache.clear();
		}
		cache.set(key, compiled);
	}
	return compiled;
}

/** A text that says how much of it may still be read. */
class MeteredText extends String {
	readonly #text: string;
	#left: number;

	constructor(text: string, readsMax: number) {
		super(text);
		this.#text = text;
		this.#left = readsMax;
	}

	override charCodeAt(index: number): number {
		if (--this.#left < 0) {
			throw tooLong(this.#text);
		}
		return this.#text.charCodeAt(index);
	}
}

export type Matcher = ReturnType<RE2JS["matcher"]>;

/** Of one call: each takes a microsecond, however short it is and however fast it was found. */
const matchesMax = 1 << 20;

const tooLong = (text: string): DatabaseError =>
	new DatabaseError("54000", "regular expression takes too long for this text", {
		detail: `The text has ${text.length} characters.`,
		hint: "Use a simpler pattern, or a shorter text.",
	});

/** Throws 54000. `steps`: characters read, times instructions. */
export function requireFew(steps: number, text: string): void {
	if (steps * readings > workMax) throw tooLong(text);
}

/** Throws 54000 for what matches too often. */
export function bounded(matcher: Matcher, text: string): Matcher {
	if (text.length < matchesMax) return matcher;
	const find = matcher.find.bind(matcher);
	let left = matchesMax;
	matcher.find = (start) => {
		if (--left < 0) throw tooLong(text);
		return find(start);
	};
	return matcher;
}

/** `isRepeated`: for all matches, and each may look at all that follows it. What it does throws 54000. */
export function matcherOf(expression: RE2JS, text: string, isRepeated: boolean): Matcher {
	const size = expression.programSize();
	const most = text.length * readings * (isRepeated ? text.length : 1) * size;
	if (most <= workMax) return expression.matcher(text);
	return expression.matcher(new MeteredText(text, workMax / size) as unknown as string);
}
