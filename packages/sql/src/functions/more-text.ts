/** Parts of identifiers, escaped characters, sizes in words, and how many arguments are NULL. */
import { DatabaseError } from "@quorate/keys/database-error";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { int8Max } from "../types/integer-types.ts";
import { type Numeric, numeric, numericToBigint, parseNumeric } from "../types/numeric.ts";
import { multiply, round } from "../types/numeric-arithmetic.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { contextual, nullable, pure } from "./definition.ts";

/** As PostgreSQL cuts names. */
const nameBytesMax = 63;

function cut(name: string): string {
	const bytes = Buffer.from(name, "utf8");
	if (bytes.length <= nameBytesMax) return name;
	let end = nameBytesMax;
	while ((bytes[end]! & 0xc0) === 0x80) end--;
	return bytes.subarray(0, end).toString("utf8");
}

/** What stands between the dots of a qualified name. Throws 22023. */
function parseIdentifier(text: string, strict = true): ArrayValue {
	const wrong = (detail?: string): DatabaseError =>
		invalidParameter(
			`string is not a valid identifier: "${text}"`,
			detail === undefined ? {} : { detail },
		);
	const parts: string[] = [];
	let rest = text.replace(/^[ \t\n\v\f\r]+/, "");
	for (let afterDot = false; ; afterDot = true) {
		const quoted = /^"((?:[^"]|"")*)"/.exec(rest);
		const plain = /^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/.exec(rest);
		if (quoted !== null) {
			if (quoted[1] === "") throw wrong("Quoted identifier must not be empty.");
			parts.push(cut(quoted[1]!.replaceAll('""', '"')));
		} else if (rest.startsWith('"')) {
			throw wrong("String has unclosed double quotes.");
		} else if (plain !== null) {
			parts.push(cut(plain[0].replace(/[A-Z]+/g, (letters) => letters.toLowerCase())));
		} else if (rest.startsWith(".")) {
			throw wrong('No valid identifier before ".".');
		} else {
			throw wrong(afterDot ? 'No valid identifier after ".".' : undefined);
		}
		rest = rest.slice((quoted ?? plain)![0].length).replace(/^[ \t\n\v\f\r]+/, "");
		if (!rest.startsWith(".")) break;
		rest = rest.slice(1).replace(/^[ \t\n\v\f\r]+/, "");
	}
	if (rest !== "" && strict) throw wrong();
	return arrayOf(parts);
}

/** Throws 42601, and 22P02 for half a character. */
function unescapeUnicode(text: string): string {
	const pattern =
		/\\(?:(\\)|([0-9A-Fa-f]{4})|u([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|U([0-9A-Fa-f]{8}))|\\/g;
	let high: number | undefined;
	const invalidPair = (): DatabaseError =>
		new DatabaseError("42601", "invalid Unicode surrogate pair");
	let last = 0;
	const out = text.replace(pattern, (all, escaped, a, b, c, d, at: number) => {
		if (high !== undefined && at !== last) throw invalidPair();
		last = at + all.length;
		if (escaped !== undefined) {
			if (high !== undefined) throw invalidPair();
			return "\\";
		}
		const digits = a ?? b ?? c ?? d;
		if (digits === undefined) {
			throw new DatabaseError("42601", "invalid Unicode escape", {
				hint: "Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.",
			});
		}
		const code = Number.parseInt(digits, 16);
		if (code === 0 || code > 0x10ffff) {
			throw invalidParameter(
				`invalid Unicode code point: ${code.toString(16).toUpperCase().padStart(4, "0")}`,
			);
		}
		const isLow = code >= 0xdc00 && code <= 0xdfff;
		if (isLow !== (high !== undefined)) throw invalidPair();
		if (code >= 0xd800 && code <= 0xdbff) {
			high = code;
			return "";
		}
		const pair = isLow ? String.fromCharCode(high!, code) : String.fromCodePoint(code);
		high = undefined;
		return pair;
	});
	if (high !== undefined) throw invalidPair();
	return out;
}

const units: Readonly<Record<string, number>> = { bytes: 0, kb: 1, mb: 2, gb: 3, tb: 4, pb: 5 };

/** "1.5 GB" in bytes. Throws 22023. */
function sizeBytes(text: string): bigint {
	const wrong = (
		fields: { readonly detail?: string; readonly hint?: string } = {},
	): DatabaseError => invalidParameter(`invalid size: "${text}"`, fields);
	const found = /^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*$/.exec(text);
	if (found === null) throw wrong();
	const unit = found[2]?.toLowerCase();
	const power = unit === undefined ? 0 : units[unit];
	if (power === undefined || !Object.hasOwn(units, unit ?? "bytes")) {
		throw wrong({
			detail: `Invalid size unit: "${found[2]}".`,
			hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
		});
	}
	const bytes = round(multiply(parseNumeric(found[1]!), numeric(1024n ** BigInt(power), 0)), 0);
	const size = numericToBigint(bytes as Numeric)!;
	if (size > int8Max || size < -int8Max - 1n)
		throw new DatabaseError("22003", "bigint out of range");
	return size;
}

const normalizing = { volatility: "immutable" as const, optional: 1 };

/** In Unicode's form C where no other is named. */
function normalized(text: string, form: Datum | undefined = "NFC"): string {
	const name = (form as string).toUpperCase();
	if (!/^NFK?[CD]$/.test(name)) throw invalidParameter(`invalid normalization form: ${form}`);
	return text.normalize(name);
}

export const moreText: readonly ScalarFunction[] = [
	pure("parse_ident(text) -> _text", (text: string) => parseIdentifier(text)),
	pure("parse_ident(text, bool) -> _text", parseIdentifier),
	pure("unistr(text) -> text", unescapeUnicode),
	contextual("normalize(text, text) -> text", normalizing, ([text, form]) =>
		normalized(text as string, form),
	),
	contextual(
		"is_normalized(text, text) -> bool",
		normalizing,
		([text, form]) => normalized(text as string, form) === text,
	),
	pure("pg_size_bytes(text) -> int8", sizeBytes),
	contextual(
		"num_nulls(variadic any) -> int4",
		nullable,
		(args) => args.filter((arg) => arg === null).length,
	),
	contextual(
		"num_nonnulls(variadic any) -> int4",
		nullable,
		(args) => args.filter((arg) => arg !== null).length,
	),
];
