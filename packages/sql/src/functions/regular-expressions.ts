/**
 * POSIX regular expressions on re2js, which takes time linear in the text whatever the pattern. Advanced expressions that
 * need backtracking (back references, look-around) are refused.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue } from "../types/datum.ts";
import { invalidParameter, unsupported } from "../types/errors.ts";
import type { ScalarFunction, SetFunction } from "../types/registry.ts";
import { pure, signature } from "./definition.ts";

const patternLengthMax = 10_000;

interface Flags {
	readonly ignoreCase: boolean;
	/** n, m: . and [^x] do not cross lines, ^ and $ match at lines. */
	readonly lines: boolean;
	readonly extended: boolean;
	readonly literal: boolean;
	readonly global: boolean;
}

function flagsOf(text: string): Flags {
	const flags = { ignoreCase: false, lines: false, extended: false, literal: false, global: false };
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
				flags.lines = true;
				break;
			case "s":
				flags.lines = false;
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
function translate(pattern: string, extended: boolean): string {
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
			out += bracket(pattern.slice(at, end));
			at = end - 1;
		} else if (
			character === "(" &&
			pattern[at + 1] === "?" &&
			/[=!<]/.test(pattern[at + 2] ?? "")
		) {
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
function bracket(text: string): string {
	const negated = text.startsWith("[^");
	const body = text.slice(negated ? 2 : 1, -1);
	const escaped = body.replace(/\[:\w+:\]|\[[.=](.)[.=]\]|\\.|[[\]]/gsu, (part, single) => {
		if (part.startsWith("[:") || part.startsWith("\\")) {
			return part;
		}
		return `\\${single ?? part}`;
	});
	return `[${negated ? "^" : ""}${escaped}]`;
}

function compile(source: string, flags: Flags): RE2JS {
	if (source.length > patternLengthMax) {
		throw invalid("regular expression is too complex");
	}
	let pattern = source;
	let { literal, ignoreCase, lines, extended } = flags;
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
		lines ||= inner.lines;
		extended ||= inner.extended;
		literal ||= inner.literal;
		pattern = pattern.slice(embedded[0].length);
	}
	const text = literal ? RE2JS.quote(pattern) : translate(pattern, extended);
	// POSIX takes the longest of the leftmost matches, unless the pattern asks for short ones (a*?).
	const preferShort = /[*+?}]\?/.test(text);
	const options =
		(ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) |
		(lines ? RE2JS.MULTILINE : RE2JS.DOTALL) |
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

const matches = (text: string, pattern: string, flags: string): boolean =>
	regularExpression(pattern, flags).matcher(text).find();

/** Groups of the current match, or all of it where the pattern has none. */
function groupsOf(matcher: ReturnType<RE2JS["matcher"]>): (string | null)[] {
	const count = matcher.groupCount();
	if (count === 0) {
		return [matcher.group()];
	}
	return Array.from({ length: count }, (_, i) => matcher.group(i + 1));
}

function firstMatch(text: string, pattern: string, flags: string): ArrayValue | null {
	if (flags.includes("g")) {
		throw invalidParameter('regexp_match() does not support the "global" option', {
			hint: "Use the regexp_matches function instead.",
		});
	}
	const matcher = regularExpression(pattern, flags).matcher(text);
	return matcher.find() ? arrayOf(groupsOf(matcher)) : null;
}

function* allMatches(text: string, pattern: string, flags: string): Iterable<[ArrayValue]> {
	const matcher = regularExpression(pattern, flags).matcher(text);
	while (matcher.find()) {
		yield [arrayOf(groupsOf(matcher))];
		if (!flags.includes("g")) {
			return;
		}
	}
}

/** substring(text from pattern): the first group, or the whole match. */
function substring(text: string, pattern: string): string | null {
	const matcher = regularExpression(pattern, "").matcher(text);
	return matcher.find() ? (groupsOf(matcher)[0] ?? null) : null;
}

function replace(text: string, pattern: string, replacement: string, flags: string): string {
	const matcher = regularExpression(pattern, flags).matcher(text);
	const global = flags.includes("g");
	let out = "";
	let from = 0;
	while (matcher.find()) {
		out += text.slice(from, matcher.start());
		out += replacement.replace(/\\(?:([0-9&])|(.))/gsu, (_whole, group, other) =>
			group === undefined ? other : groupText(matcher, group),
		);
		from = matcher.end();
		if (!global) {
			break;
		}
	}
	return out + text.slice(from);
}

function groupText(matcher: ReturnType<RE2JS["matcher"]>, name: string): string {
	const index = name === "&" ? 0 : Number(name);
	return index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
}

function split(text: string, pattern: string, flags: string): string[] {
	const matcher = regularExpression(pattern, flags).matcher(text);
	const parts: string[] = [];
	let from = 0;
	let previousEnd = 0;
	while (matcher.find()) {
		// An empty match at an end or right behind a match separates nothing.
		if (matcher.start() < text.length && matcher.end() > previousEnd) {
			parts.push(text.slice(from, matcher.start()));
			from = matcher.end();
		}
		previousEnd = matcher.end();
	}
	parts.push(text.slice(from));
	return parts;
}

function count(text: string, pattern: string, flags: string): number {
	let found = 0;
	for (const matcher = regularExpression(pattern, flags).matcher(text); matcher.find(); ) {
		found++;
	}
	return found;
}

const operators: readonly (readonly [symbol: string, flags: string, wanted: boolean])[] = [
	["~", "", true],
	["!~", "", false],
	["~*", "i", true],
	["!~*", "i", false],
];

export const regularExpressionFunctions: readonly ScalarFunction[] = [
	...operators.flatMap(([symbol, flags, wanted]) =>
		["text", "name", "bpchar"].map((type) =>
			pure(
				`${symbol}(${type}, text) -> bool`,
				(text: string, pattern: string) => matches(text, pattern, flags) === wanted,
			),
		),
	),
	pure("regexp_like(text, text) -> bool", (t: string, p: string) => matches(t, p, "")),
	pure("regexp_like(text, text, text) -> bool", matches),
	pure("regexp_match(text, text) -> _text", (t: string, p: string) => firstMatch(t, p, "")),
	pure("regexp_match(text, text, text) -> _text", firstMatch),
	pure("regexp_replace(text, text, text) -> text", (t: string, p: string, r: string) =>
		replace(t, p, r, ""),
	),
	pure("regexp_replace(text, text, text, text) -> text", replace),
	pure("regexp_split_to_array(text, text) -> _text", (t: string, p: string) =>
		arrayOf(split(t, p, "")),
	),
	pure("regexp_split_to_array(text, text, text) -> _text", (t: string, p: string, f: string) =>
		arrayOf(split(t, p, f)),
	),
	pure("regexp_count(text, text) -> int4", (t: string, p: string) => count(t, p, "")),
	pure("substring(text, text) -> text", substring),
	pure("textregexeq(text, text) -> bool", (t: string, p: string) => matches(t, p, "")),
];

function rows(
	text: string,
	body: (...args: string[]) => Iterable<readonly [ArrayValue | string]>,
): SetFunction {
	const { name, args, result } = signature(text);
	return {
		name,
		args,
		columns: [{ name, oid: result }],
		call: (values) => body(...(values as string[])),
	};
}

export const regularExpressionSets: readonly SetFunction[] = [
	rows("regexp_matches(text, text) -> _text", (t = "", p = "") => allMatches(t, p, "")),
	rows("regexp_matches(text, text, text) -> _text", (t = "", p = "", f = "") =>
		allMatches(t, p, f),
	),
	rows("regexp_split_to_table(text, text) -> text", (t = "", p = "") =>
		split(t, p, "").map((part) => [part] as const),
	),
	rows("regexp_split_to_table(text, text, text) -> text", (t = "", p = "", f = "") =>
		split(t, p, f).map((part) => [part] as const),
	),
];
