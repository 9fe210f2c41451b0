/**
 * What a jsonb holds. Numbers are exact and keep their scale; the keys of an object are in jsonb's order (shorter ones first, then by
 * bytes), and each is there once.
 */
import { compareNumeric, formatNumeric, type Numeric } from "./numeric.ts";
import { compareText } from "./text-values.ts";
import { TextWriter } from "./text-writer.ts";

export type JsonObject = ReadonlyMap<string, Json>;
export type Json = null | boolean | string | Numeric | readonly Json[] | JsonObject;

export interface JsonbValue {
	readonly kind: "jsonb";
	readonly root: Json;
}

export const jsonb = (root: Json): JsonbValue => ({ kind: "jsonb", root });

export const isJsonArray = (value: Json): value is readonly Json[] => Array.isArray(value);
export const isJsonObject = (value: Json): value is JsonObject => value instanceof Map;
export const isJsonNumber = (value: Json): value is Numeric =>
	typeof value === "object" && value !== null && "kind" in value;
export const isJsonScalar = (value: Json): boolean => !isJsonArray(value) && !isJsonObject(value);

export type JsonTypeName = "object" | "array" | "string" | "number" | "boolean" | "null";

export function jsonTypeName(value: Json): JsonTypeName {
	if (value === null) return "null";
	if (typeof value === "string") return "string";
	if (typeof value === "boolean") return "boolean";
	return isJsonArray(value) ? "array" : isJsonObject(value) ? "object" : "number";
}

/** UTF-8 bytes: a call into the runtime for each key takes longer than all else that a small object needs. */
function keyBytes(key: string): number {
	for (let i = 0; i < key.length; i++) if (key.charCodeAt(i) > 0x7f) return Buffer.byteLength(key);
	return key.length;
}

const compareKeys = (a: string, b: string): number =>
	keyBytes(a) - keyBytes(b) || compareText(a, b);

/** Of the keys and values from `from` on. Of several pairs with one key the last one counts. */
export function jsonObjectOf(
	keys: readonly string[],
	values: readonly Json[],
	from = 0,
	valuesFrom = from,
): JsonObject {
	const object = new Map<string, Json>();
	let isOrdered = true;
	for (let i = from; i < keys.length; i++) {
		isOrdered &&= i === from || compareKeys(keys[i - 1]!, keys[i]!) <= 0;
		object.set(keys[i]!, values[valuesFrom + i - from]!);
	}
	if (isOrdered) return object;
	return new Map([...object].sort(([a], [b]) => compareKeys(a, b)));
}

/** As `jsonObjectOf`. */
export function jsonObject(pairs: Iterable<readonly [string, Json]>): JsonObject {
	const keys: string[] = [];
	const values: Json[] = [];
	for (const [key, value] of pairs) {
		keys.push(key);
		values.push(value);
	}
	return jsonObjectOf(keys, values);
}

const hex = "0123456789abcdef";
/** By code: what stands behind the backslash. */
const shortEscapes: Readonly<Record<number, string>> = {
	8: "b",
	9: "t",
	10: "n",
	12: "f",
	13: "r",
	34: '"',
	92: "\\",
};

/** A string in JSON's quotes, as PostgreSQL's escape_json. */
function writeQuoted(out: TextWriter, text: string): void {
	out.unit(0x22);
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code >= 0x20 && code !== 0x22 && code !== 0x5c) {
			out.unit(code);
			continue;
		}
		const short = shortEscapes[code];
		out.text(short === undefined ? `\\u00${hex[code >> 4]}${hex[code & 15]}` : `\\${short}`);
	}
	out.unit(0x22);
}

export const quoteJson = (text: string): string =>
	isPlain(text) ? `"${text}"` : TextWriter.collect((out) => writeQuoted(out, text));

function isPlain(text: string): boolean {
	for (let i = 0; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code < 0x20 || code === 0x22 || code === 0x5c) return false;
	}
	return true;
}

/** `indent`: in front of the lines of what is around, undefined: all on one line. */
function writeJson(out: TextWriter, value: Json, indent: string | undefined): void {
	if (typeof value === "string") {
		writeQuoted(out, value);
		return;
	}
	if (isJsonScalar(value)) {
		out.text(isJsonNumber(value) ? formatNumeric(value) : String(value));
		return;
	}
	const inner = indent === undefined ? undefined : `${indent}    `;
	const before = inner === undefined ? "" : `\n${inner}`;
	const between = inner === undefined ? ", " : `,\n${inner}`;
	let isFirst = true;
	if (isJsonArray(value)) {
		out.text("[");
		for (const item of value) {
			out.text(isFirst ? before : between);
			writeJson(out, item, inner);
			isFirst = false;
		}
	} else {
		out.text("{");
		for (const [key, item] of value as JsonObject) {
			out.text(isFirst ? before : between);
			writeQuoted(out, key);
			out.text(": ");
			writeJson(out, item, inner);
			isFirst = false;
		}
	}
	if (indent !== undefined) out.text(`\n${indent}`);
	out.text(isJsonArray(value) ? "]" : "}");
}

export const formatJson = (value: Json): string =>
	TextWriter.collect((out) => writeJson(out, value, undefined));

/** As jsonb_pretty: a line for each element, four blanks a level. */
export const formatIndented = (value: Json): string =>
	TextWriter.collect((out) => writeJson(out, value, ""));

/** Null, strings, numbers, booleans, arrays, objects: in this order. */
function rank(value: Json): number {
	return ["null", "string", "number", "boolean", "array", "object"].indexOf(jsonTypeName(value));
}

/** As compareJsonbContainers; with the quirk that an empty array at the top is below everything. */
export function compareJsonb(a: Json, b: Json): number {
	const left = isJsonArray(a) && a.length === 0;
	const right = isJsonArray(b) && b.length === 0;
	if (left || right) return Number(right) - Number(left);
	return compareJson(a, b);
}

function compareJson(a: Json, b: Json): number {
	if (a === b) return 0;
	const order = rank(a) - rank(b);
	if (order !== 0) return order;
	if (typeof a === "string") return compareText(a, b as string);
	if (isJsonArray(a)) return compareItems(a, b as readonly Json[]);
	if (isJsonObject(a)) return comparePairs(a, b as JsonObject);
	return isJsonNumber(a) ? compareNumeric(a, b as Numeric) : Number(a) - Number(b);
}

function compareItems(a: readonly Json[], b: readonly Json[]): number {
	let order = a.length - b.length;
	for (let i = 0; order === 0 && i < a.length; i++) order = compareJson(a[i]!, b[i]!);
	return order;
}

function comparePairs(a: JsonObject, b: JsonObject): number {
	let order = a.size - b.size;
	const others = b.entries();
	for (const [key, value] of a) {
		if (order !== 0) break;
		const [otherKey, other] = others.next().value!;
		order = compareText(key, otherKey) || compareJson(value, other);
	}
	return order;
}

/** Rough bytes in memory. */
export function jsonSize(value: Json): number {
	if (typeof value === "string") return 24 + value.length;
	let size = 64;
	if (isJsonArray(value)) for (const item of value) size += 8 + jsonSize(item);
	else if (isJsonObject(value))
		for (const [key, item] of value) size += 64 + key.length + jsonSize(item);
	return size;
}
