/** Functions and operators of text. Positions and lengths count characters, that is code points. */
import { DatabaseError } from "@quorate/keys/database-error";
import { findCast } from "../types/casts.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { OID } from "../types/oids.ts";
import type { ScalarFunction, TypeContext } from "../types/registry.ts";
import { compareBpchar } from "../types/text-types.ts";
import { compareText, offsetOf, sliceText, textLength, trimBlanks } from "../types/text-values.ts";
import { TextWriter } from "../types/text-writer.ts";
import { builtinType } from "../types/type-table.ts";
import { contextual, nullable, pure, stable, tooLarge } from "./definition.ts";
import { ilike, like, likeEscape } from "./like.ts";
import { similarToEscape } from "./similar.ts";

/** A single call is not interrupted: what makes texts longer than this would hold up everybody for a second. */
const lengthMax = 2 ** 26;

/** substring(text from start for count): what lies outside the text does not exist, but counts. */
export function substring(text: string, start: number, count: number): string {
	if (count < 0) {
		throw new DatabaseError("22011", "negative substring length not allowed");
	}
	return sliceText(text, Math.max(start - 1, 0), Math.max(start - 1 + count, 0));
}

const substringFrom = (text: string, start: number): string =>
	text.slice(offsetOf(text, Math.max(start - 1, 0)));

/** A negative count means all but so many. */
function left(text: string, count: number): string {
	return sliceText(text, 0, count >= 0 ? count : Math.max(textLength(text) + count, 0));
}

function right(text: string, count: number): string {
	return text.slice(offsetOf(text, count >= 0 ? Math.max(textLength(text) - count, 0) : -count));
}

export function trimStart(text: string, set: string): string {
	let at = 0;
	for (const character of text) {
		if (!set.includes(character)) {
			break;
		}
		at += character.length;
	}
	return text.slice(at);
}

export function trimEnd(text: string, set: string): string {
	let end = text.length;
	while (end > 0) {
		const size = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00 ? 2 : 1;
		if (!set.includes(text.slice(end - size, end))) {
			break;
		}
		end -= size;
	}
	return text.slice(0, end);
}

const trimBoth = (text: string, set: string): string => trimEnd(trimStart(text, set), set);

/** Characters before the first occurrence, plus 1; 0 for none. */
function position(text: string, part: string): number {
	const at = text.indexOf(part);
	return at < 0 ? 0 : textLength(text.slice(0, at)) + 1;
}

function repeat(text: string, count: number): string {
	if (count <= 0) {
		return "";
	}
	if (text.length * count > lengthMax) {
		throw tooLarge();
	}
	return text.repeat(count);
}

function padding(text: string, length: number, fill: string): string | undefined {
	const missing = length - textLength(text);
	if (missing <= 0 || fill === "") {
		return undefined;
	}
	if (length > lengthMax) {
		throw tooLarge();
	}
	const size = textLength(fill);
	return sliceText(fill.repeat(Math.ceil(missing / size)), 0, missing);
}

function lpad(text: string, length: number, fill: string): string {
	const pad = padding(text, length, fill);
	return pad === undefined ? sliceText(text, 0, Math.max(length, 0)) : pad + text;
}

function rpad(text: string, length: number, fill: string): string {
	const pad = padding(text, length, fill);
	return pad === undefined ? sliceText(text, 0, Math.max(length, 0)) : text + pad;
}

function splitPart(text: string, separator: string, field: number): string {
	if (field === 0) {
		throw invalidParameter("field position must not be zero");
	}
	const parts = separator === "" ? [text] : text.split(separator);
	return parts.at(field > 0 ? field - 1 : field) ?? "";
}

/** Character by character, as PostgreSQL: what would become two letters stays as it is. */
function mapCase(text: string, whole: string, change: (character: string) => string): string {
	if (whole.length === text.length) {
		return whole;
	}
	return Array.from(text, (character) => {
		const changed = change(character);
		return changed.length === character.length ? changed : character;
	}).join("");
}

const lower = (text: string): string =>
	mapCase(text, text.toLowerCase(), (character) => character.toLowerCase());
const upper = (text: string): string =>
	mapCase(text, text.toUpperCase(), (character) => character.toUpperCase());

const wordUnit = /[\p{L}\p{N}]/u;
const wordUnits = Uint8Array.from({ length: 0x80 }, (_, code) =>
	Number(wordUnit.test(String.fromCharCode(code))),
);

/** Behind the word that begins at `start`; `start` itself: none does. */
function wordEnd(text: string, start: number): number {
	let at = start;
	while (at < text.length) {
		const code = text.codePointAt(at)!;
		if (code < 0x80 ? wordUnits[code] === 0 : !wordUnit.test(String.fromCodePoint(code))) break;
		at += code > 0xffff ? 2 : 1;
	}
	return at;
}

/** A letter or digit continues a word. */
const initcap = (text: string): string =>
	TextWriter.collect((out) => {
		for (let at = 0; at < text.length; ) {
			const end = wordEnd(text, at);
			if (end === at) {
				out.unit(text.charCodeAt(at++));
				continue;
			}
			const second = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
			out.text(text.slice(at, second).toUpperCase());
			out.text(text.slice(second, end).toLowerCase());
			at = end;
		}
	});

function translate(text: string, from: string, to: string): string {
	const target = [...to];
	const changes = new Map<number, string>();
	for (const [i, character] of [...from].entries()) {
		const code = character.codePointAt(0)!;
		if (!changes.has(code)) changes.set(code, target[i] ?? "");
	}
	return TextWriter.collect((out) => {
		for (let at = 0; at < text.length; ) {
			const code = text.codePointAt(at)!;
			const next = at + (code > 0xffff ? 2 : 1);
			const change = changes.get(code);
			if (change === undefined) out.text(text, at, next);
			else out.text(change);
			at = next;
		}
	});
}

/** By characters: what is two code units stays in order. */
const reverse = (text: string): string =>
	TextWriter.collect((out) => {
		for (let end = text.length; end > 0; ) {
			const isSecond = (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00 && end > 1;
			const start = end - (isSecond ? 2 : 1);
			out.text(text, start, end);
			end = start;
		}
	});

function replace(text: string, from: string, to: string): string {
	const first = from === "" ? -1 : text.indexOf(from);
	if (first < 0) return text;
	return TextWriter.collect((out) => {
		let start = 0;
		for (let at = first; at >= 0; at = text.indexOf(from, start)) {
			out.text(text, start, at);
			out.text(to);
			start = at + from.length;
		}
		out.text(text, start);
	});
}

function character(code: number): string {
	if (code === 0) {
		throw new DatabaseError("54000", "null character not permitted");
	}
	if (code < 0) {
		throw invalidParameter("character number must be positive");
	}
	if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) {
		throw new DatabaseError(
			"54000",
			`requested character ${code > 0x10_ffff ? "too large for encoding" : "not valid for encoding"}: ${code}`,
		);
	}
	return String.fromCodePoint(code);
}

function overlay(text: string, part: string, start: number, count: number): string {
	if (start <= 0) {
		throw new DatabaseError("22011", "negative substring length not allowed");
	}
	if (start + count > 2_147_483_647) {
		throw new DatabaseError("22003", "integer out of range");
	}
	return sliceText(text, 0, start - 1) + part + substringFrom(text, start + count);
}

const lengths: ScalarFunction[] = ["length", "char_length", "character_length"].flatMap((name) => [
	pure(`${name}(text) -> int4`, textLength),
	pure(`${name}(bpchar) -> int4`, (text: string) => textLength(trimBlanks(text))),
]);

const patterns: ScalarFunction[] = ["text", "name", "bpchar"].flatMap((type) => [
	pure(`~~(${type}, text) -> bool`, like),
	pure(`!~~(${type}, text) -> bool`, (text: string, pattern: string) => !like(text, pattern)),
	pure(`~~*(${type}, text) -> bool`, ilike),
	pure(`!~~*(${type}, text) -> bool`, (text: string, pattern: string) => !ilike(text, pattern)),
]);

/** Text of any value, as the output function of its type writes it. */
export function textOf(
	value: Datum,
	oid: number,
	context: Parameters<ScalarFunction["call"]>[1],
): string {
	return value === null ? "" : (builtinType(oid)?.format(value, context) ?? "");
}

const textType: SqlType = { oid: OID.text, modifier: -1 };

/** As value::text, which differs for booleans (true, not t) and char(n) (no trailing blanks). */
function castToText(value: Datum, oid: number, context: TypeContext): string {
	return (findCast(oid, OID.text)?.apply(value, textType, context) ?? "") as string;
}

const concatenations: ScalarFunction[] = [
	pure("||(text, text) -> text", (a: string, b: string) => a + b),
	contextual(
		"||(anynonarray, text) -> text",
		stable,
		([a, b], context, types) => castToText(a as Datum, types[0]?.oid ?? 0, context) + (b as string),
	),
	contextual(
		"||(text, anynonarray) -> text",
		stable,
		([a, b], context, types) => (a as string) + castToText(b as Datum, types[1]?.oid ?? 0, context),
	),
	contextual(
		"concat(variadic any) -> text",
		{ ...nullable, volatility: "stable" },
		(args, context, types) =>
			args.map((arg, i) => textOf(arg, types[i]?.oid ?? 0, context)).join(""),
	),
	contextual(
		"concat_ws(text, variadic any) -> text",
		{ ...nullable, volatility: "stable" },
		(args, context, types) => {
			const [separator, ...rest] = args;
			if (separator === null || separator === undefined) {
				return null;
			}
			return rest
				.map((arg, i) => (arg === null ? null : textOf(arg, types[i + 1]?.oid ?? 0, context)))
				.filter((part) => part !== null)
				.join(separator as string);
		},
	),
];

export const textFunctions: readonly ScalarFunction[] = [
	...lengths,
	...patterns,
	...concatenations,
	pure("octet_length(text) -> int4", (text: string) => Buffer.byteLength(text)),
	pure("octet_length(bpchar) -> int4", (text: string) => Buffer.byteLength(text)),
	pure("bit_length(text) -> int4", (text: string) => Buffer.byteLength(text) * 8),
	pure("lower(text) -> text", lower),
	pure("upper(text) -> text", upper),
	pure("initcap(text) -> text", initcap),
	...["substring", "substr"].flatMap((name) => [
		pure(`${name}(text, int4) -> text`, substringFrom),
		pure(`${name}(text, int4, int4) -> text`, substring),
	]),
	pure("left(text, int4) -> text", left),
	pure("right(text, int4) -> text", right),
	pure("btrim(text) -> text", (text: string) => trimBoth(text, " ")),
	pure("btrim(text, text) -> text", trimBoth),
	pure("ltrim(text) -> text", (text: string) => trimStart(text, " ")),
	pure("ltrim(text, text) -> text", trimStart),
	pure("rtrim(text) -> text", (text: string) => trimEnd(text, " ")),
	pure("rtrim(text, text) -> text", trimEnd),
	pure("replace(text, text, text) -> text", replace),
	pure("position(text, text) -> int4", position),
	pure("strpos(text, text) -> int4", position),
	pure("repeat(text, int4) -> text", repeat),
	pure("reverse(text) -> text", reverse),
	pure("lpad(text, int4) -> text", (text: string, length: number) => lpad(text, length, " ")),
	pure("lpad(text, int4, text) -> text", lpad),
	pure("rpad(text, int4) -> text", (text: string, length: number) => rpad(text, length, " ")),
	pure("rpad(text, int4, text) -> text", rpad),
	pure("split_part(text, text, int4) -> text", splitPart),
	pure("starts_with(text, text) -> bool", (text: string, prefix: string) =>
		text.startsWith(prefix),
	),
	pure("^@(text, text) -> bool", (text: string, prefix: string) => text.startsWith(prefix)),
	pure("translate(text, text, text) -> text", translate),
	pure("ascii(text) -> int4", (text: string) => text.codePointAt(0) ?? 0),
	pure("chr(int4) -> text", character),
	pure("overlay(text, text, int4) -> text", (text: string, part: string, start: number) =>
		overlay(text, part, start, textLength(part)),
	),
	pure("overlay(text, text, int4, int4) -> text", overlay),
	pure("like_escape(text, text) -> text", likeEscape),
	pure("similar_to_escape(text) -> text", (pattern: string) => similarToEscape(pattern)),
	pure("similar_to_escape(text, text) -> text", similarToEscape),
	pure("like(text, text) -> bool", like),
	pure("notlike(text, text) -> bool", (text: string, pattern: string) => !like(text, pattern)),
	pure("text_larger(text, text) -> text", (a: string, b: string) =>
		compareText(a, b) > 0 ? a : b,
	),
	pure("bpcharcmp(bpchar, bpchar) -> int4", compareBpchar),
];
