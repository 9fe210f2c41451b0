/** Functions and operators of regular expressions. */
import { DatabaseError } from "@quorate/keys/database-error";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue } from "../types/datum.ts";
import { invalidParameter, unsupported } from "../types/errors.ts";
import type { ScalarFunction, SetFunction } from "../types/registry.ts";
import {
	bounded,
	type Matcher,
	matcherOf,
	regularExpression,
	requireFew,
} from "../types/regular-expression.ts";
import { sliceText, textLength } from "../types/text-values.ts";
import { pure, signature } from "./definition.ts";
import { similarParts } from "./similar.ts";

const matcherFor = (text: string, pattern: string, flags: string, isRepeated: boolean): Matcher =>
	matcherOf(regularExpression(pattern, flags), text, isRepeated);

/** All matches at once. */
const matcherForAll = (text: string, pattern: string, flags: string): Matcher =>
	bounded(matcherFor(text, pattern, flags, true), text);

const matches = (text: string, pattern: string, flags: string): boolean =>
	matcherFor(text, pattern, flags, false).find();

/** Groups of the current match, or all of it where the pattern has none. */
function groupsOf(matcher: Matcher): (string | null)[] {
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
	const matcher = matcherFor(text, pattern, flags, false);
	return matcher.find() ? arrayOf(groupsOf(matcher)) : null;
}

function* allMatches(text: string, pattern: string, flags: string): Iterable<[ArrayValue]> {
	const matcher = matcherFor(text, pattern, flags, true);
	while (matcher.find()) {
		yield [arrayOf(groupsOf(matcher))];
		if (!flags.includes("g")) {
			return;
		}
	}
}

/** substring(text from pattern): the first group, or the whole match. */
function substring(text: string, pattern: string): string | null {
	const matcher = matcherFor(text, pattern, "", false);
	return matcher.find() ? (groupsOf(matcher)[0] ?? null) : null;
}

/** In PostgreSQL it is a function in SQL, and says so. */
function partsOf(pattern: string, escapeCharacter: string): readonly string[] {
	try {
		return similarParts(pattern, escapeCharacter);
	} catch (error) {
		if (!(error instanceof DatabaseError)) throw error;
		const where = 'SQL function "substring" statement 1';
		throw new DatabaseError(error.code, error.message, { ...error.fields, where });
	}
}

const whole = (pattern: string): string => `^(?:${pattern})$`;

/** What a part matches would depend on the text around it. */
const boundaries = (): DatabaseError =>
	unsupported(
		"boundaries of words in a pattern with separators are not supported",
		"Use substring(text from pattern) with a POSIX pattern.",
	);

/** Of a character that is two code units. */
const isInside = (text: string, at: number): boolean =>
	(text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;

/**
 * SUBSTRING with SIMILAR: what comes before is as short as it can be, and what is wanted then as long as it can be. Which match is found
 * first depends on no more than that, so all places are tried.
 */
function substringSimilar(text: string, pattern: string, escapeCharacter: string): string | null {
	const [before = "", wanted, after = ""] = partsOf(pattern, escapeCharacter);
	if (wanted === undefined) return matches(text, whole(before), "") ? text : null;
	if ([before, wanted, after].some((part) => /\\[mMyYAZ]/.test(part))) throw boundaries();
	const rest = `(?:${wanted})(?:${after})`;
	if (!matches(text, whole(`(?:${before})${rest}`), "")) return null;
	requireFew(
		text.length ** 2 * regularExpression(whole(`${before}${rest}`), "").programSize(),
		text,
	);
	const fits = (from: number, to: number, part: string): boolean =>
		matches(text.slice(from, to), whole(part), "");
	const end = text.length;
	for (let start = 0; start <= end; start++) {
		if (isInside(text, start) || !fits(0, start, before) || !fits(start, end, rest)) continue;
		let stop = end;
		while (isInside(text, stop) || !fits(start, stop, wanted) || !fits(stop, end, after)) stop--;
		return text.slice(start, stop);
	}
	throw boundaries();
}

function replace(text: string, pattern: string, replacement: string, flags: string): string {
	const matcher = matcherForAll(text, pattern, flags);
	const global = flags.includes("g");
	let out = "";
	let from = 0;
	while (matcher.find()) {
		out += text.slice(from, matcher.start());
		out += replacementOf(matcher, replacement);
		from = matcher.end();
		if (!global) {
			break;
		}
	}
	return out + text.slice(from);
}

const replacementOf = (matcher: Matcher, replacement: string): string =>
	replacement.replace(/\\(?:([0-9&])|(.))/gsu, (_whole, group, other) =>
		group === undefined ? other : groupText(matcher, group),
	);

function groupText(matcher: Matcher, name: string): string {
	const index = name === "&" ? 0 : Number(name);
	return index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
}

function split(text: string, pattern: string, flags: string): string[] {
	const matcher = matcherForAll(text, pattern, flags);
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

/** Where the character of that number is; undefined: behind the end. Throws 22023. */
function placeOf(text: string, start: number): number | undefined {
	if (start <= 0) throw invalidParameter(`invalid value for parameter "start": ${start}`);
	const before = sliceText(text, 0, start - 1);
	return textLength(before) < start - 1 ? undefined : before.length;
}

function withoutGlobal(name: string, flags: string): void {
	if (flags.includes("g")) {
		throw invalidParameter(`${name}() does not support the "global" option`);
	}
}

function notNegative(name: string, value: number, least = 0): void {
	if (value < least) throw invalidParameter(`invalid value for parameter "${name}": ${value}`);
}

function count(text: string, pattern: string, start = 1, flags = ""): number {
	const offset = placeOf(text, start);
	withoutGlobal("regexp_count", flags);
	const matcher = matcherForAll(text, pattern, flags);
	let found = 0;
	if (offset === undefined) return found;
	for (let has = matcher.find(offset); has; has = matcher.find()) found++;
	return found;
}

/** The nth match from there on. */
function nthMatch(
	text: string,
	pattern: string,
	start: number,
	n: number,
	flags: string,
): Matcher | undefined {
	const offset = placeOf(text, start);
	const matcher = matcherForAll(text, pattern, flags);
	if (offset === undefined) return undefined;
	let has = matcher.find(offset);
	for (let i = 1; has && i < n; i++) has = matcher.find();
	return has ? matcher : undefined;
}

/** Of a pattern without groups there is group 0 alone. */
function groupAt(
	matcher: Matcher,
	group: number,
): { readonly start: number; readonly end: number } | undefined {
	if (group > matcher.groupCount()) return undefined;
	const start = matcher.start(group);
	return start < 0 ? undefined : { start, end: matcher.end(group) };
}

function indexOf(
	text: string,
	pattern: string,
	start = 1,
	n = 1,
	end = 0,
	...[flags = "", group = 0]: [flags?: string, group?: number]
): number {
	notNegative("start", start, 1);
	notNegative("n", n, 1);
	if (end !== 0 && end !== 1)
		throw invalidParameter(`invalid value for parameter "endoption": ${end}`);
	notNegative("subexpr", group);
	withoutGlobal("regexp_instr", flags);
	const matcher = nthMatch(text, pattern, start, n, flags);
	const place = matcher && groupAt(matcher, group);
	return place === undefined
		? 0
		: textLength(text.slice(0, end === 1 ? place.end : place.start)) + 1;
}

function part(
	text: string,
	pattern: string,
	start = 1,
	n = 1,
	flags = "",
	group = 0,
): string | null {
	notNegative("start", start, 1);
	notNegative("n", n, 1);
	notNegative("subexpr", group);
	withoutGlobal("regexp_substr", flags);
	const matcher = nthMatch(text, pattern, start, n, flags);
	const place = matcher && groupAt(matcher, group);
	return place === undefined ? null : text.slice(place.start, place.end);
}

/** `n`: which match; 0: all of them. */
function replaceFrom(
	text: string,
	pattern: string,
	replacement: string,
	start: number,
	n: number,
	flags: string,
): string {
	notNegative("start", start, 1);
	notNegative("n", n);
	const offset = placeOf(text, start);
	if (offset === undefined) return text;
	const matcher = matcherForAll(text, pattern, flags.replaceAll("g", ""));
	let out = "";
	let from = 0;
	let i = 1;
	for (let has = matcher.find(offset); has; has = matcher.find(), i++) {
		if (n !== 0 && i !== n) continue;
		out += text.slice(from, matcher.start()) + replacementOf(matcher, replacement);
		from = matcher.end();
		if (n !== 0) break;
	}
	return out + text.slice(from);
}

const operators: readonly (readonly [symbol: string, flags: string, wanted: boolean])[] = [
	["~", "", true],
	["!~", "", false],
	["~*", "i", true],
	["!~*", "i", false],
];

const functions: readonly ScalarFunction[] = [
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
	...["", ", int4", ", int4, text"].map((more) =>
		pure(`regexp_count(text, text${more}) -> int4`, count as never),
	),
	...["", ", int4", ", int4, int4", ", int4, int4, int4", ", int4, int4, int4, text"].map((more) =>
		pure(`regexp_instr(text, text${more}) -> int4`, indexOf as never),
	),
	pure("regexp_instr(text, text, int4, int4, int4, text, int4) -> int4", indexOf as never),
	...["", ", int4", ", int4, int4", ", int4, int4, text", ", int4, int4, text, int4"].map((more) =>
		pure(`regexp_substr(text, text${more}) -> text`, part as never),
	),
	pure(
		"regexp_replace(text, text, text, int4) -> text",
		(t: string, p: string, r: string, start: number) => replaceFrom(t, p, r, start, 1, ""),
	),
	pure(
		"regexp_replace(text, text, text, int4, int4) -> text",
		(t: string, p: string, r: string, start: number, n: number) =>
			replaceFrom(t, p, r, start, n, ""),
	),
	pure("regexp_replace(text, text, text, int4, int4, text) -> text", replaceFrom),
	pure("substring(text, text) -> text", substring),
	pure("substring(text, text, text) -> text", substringSimilar),
	pure("textregexeq(text, text) -> bool", (t: string, p: string) => matches(t, p, "")),
];

export const regularExpressionFunctions = functions.map((one) => ({ ...one, slow: true }));

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
