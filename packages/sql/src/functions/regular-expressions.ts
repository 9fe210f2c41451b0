/** Functions and operators of regular expressions. */
import type { RE2JS } from "re2js";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import type { ScalarFunction, SetFunction } from "../types/registry.ts";
import { regularExpression } from "../types/regular-expression.ts";
import { pure, signature } from "./definition.ts";

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
