/**
 * What a jsonb holds. Numbers are exact and keep their scale; the keys of an object are in jsonb's order (shorter ones first, then by
 * bytes), and each is there once.
 */
import { compareNumeric, formatNumeric, type Numeric } from "./numeric.ts";
import { compareText } from "./text-values.ts";

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

const compareKeys = (a: string, b: string): number =>
	Buffer.byteLength(a) - Buffer.byteLength(b) || compareText(a, b);

/** Of several pairs with one key the last one counts. */
export function jsonObject(pairs: Iterable<readonly [string, Json]>): JsonObject {
	return new Map([...new Map(pairs)].sort(([a], [b]) => compareKeys(a, b)));
}

const escapes: Readonly<Record<string, string>> = {
	'"': '\\"',
	"\\": "\\\\",
	"\b": "\\b",
	"\f": "\\f",
	"\n": "\\n",
	"\r": "\\r",
	"\t": "\\t",
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
const special = /["\\\x00-\x1f]/g;

/** A string in JSON's quotes, as PostgreSQL's escape_json. */
export function quoteJson(text: string): string {
	const escaped = text.replace(
		special,
		(c) => escapes[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
	return `"${escaped}"`;
}

function formatScalar(value: Json): string {
	if (typeof value === "string") return quoteJson(value);
	return isJsonNumber(value) ? formatNumeric(value) : String(value);
}

export function formatJson(value: Json): string {
	if (isJsonArray(value)) return `[${value.map(formatJson).join(", ")}]`;
	if (!isJsonObject(value)) return formatScalar(value);
	const pairs: string[] = [];
	for (const [key, item] of value) pairs.push(`${quoteJson(key)}: ${formatJson(item)}`);
	return `{${pairs.join(", ")}}`;
}

/** As jsonb_pretty: a line for each element, four blanks a level. */
export function formatIndented(value: Json, level = 0): string {
	if (isJsonScalar(value)) return formatScalar(value);
	const inner = " ".repeat(4 * (level + 1));
	const items = isJsonArray(value)
		? value.map((item) => inner + formatIndented(item, level + 1))
		: [...(value as JsonObject)].map(
				([key, item]) => `${inner}${quoteJson(key)}: ${formatIndented(item, level + 1)}`,
			);
	const [open, close] = isJsonArray(value) ? "[]" : "{}";
	const body = items.length === 0 ? "" : `\n${items.join(",\n")}`;
	return `${open}${body}\n${" ".repeat(4 * level)}${close}`;
}

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
