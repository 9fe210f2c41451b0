/** One look at json and at jsonb: what a place in a document is, what is inside of it, and how it is handed out. */
import type { Datum } from "../types/datum.ts";
import { type JsonBuilder, parseJson } from "../types/json-parser.ts";
import {
	formatJson,
	isJsonArray,
	isJsonObject,
	type Json,
	type JsonbValue,
	type JsonTypeName,
	jsonb,
	jsonTypeName,
} from "../types/json-value.ts";

export interface JsonNode {
	readonly kind: JsonTypeName;
	/** Of an array. */
	readonly items: readonly JsonNode[];
	/** Of an object: all of them, in order, also those of one key. */
	readonly pairs: readonly (readonly [string, JsonNode])[];
	/** Of several the last one. */
	get(key: string): JsonNode | undefined;
	/** json or jsonb, as the document is. */
	json(): Datum;
	/** Strings without quotes; null is NULL. */
	text(): string | null;
}

class TreeNode implements JsonNode {
	readonly #value: Json;

	constructor(value: Json) {
		this.#value = value;
	}

	get kind(): JsonTypeName {
		return jsonTypeName(this.#value);
	}

	get items(): readonly JsonNode[] {
		return isJsonArray(this.#value) ? this.#value.map((item) => new TreeNode(item)) : [];
	}

	get pairs(): readonly (readonly [string, JsonNode])[] {
		if (!isJsonObject(this.#value)) return [];
		return [...this.#value].map(([key, item]) => [key, new TreeNode(item)]);
	}

	get(key: string): JsonNode | undefined {
		const found = isJsonObject(this.#value) ? this.#value.get(key) : undefined;
		return found === undefined ? undefined : new TreeNode(found);
	}

	json(): Datum {
		return jsonb(this.#value);
	}

	text(): string | null {
		if (this.#value === null || typeof this.#value === "string") return this.#value;
		return formatJson(this.#value);
	}
}

/** A piece of the text of a json. */
class TextNode implements JsonNode {
	readonly kind: JsonTypeName;
	readonly items: readonly JsonNode[];
	readonly pairs: readonly (readonly [string, JsonNode])[];
	readonly #text: string;
	readonly #string: string | undefined;

	constructor(
		kind: JsonTypeName,
		text: string,
		parts: {
			readonly items?: readonly JsonNode[];
			readonly pairs?: readonly (readonly [string, JsonNode])[];
			readonly string?: string;
		} = {},
	) {
		this.kind = kind;
		this.#text = text;
		this.items = parts.items ?? [];
		this.pairs = parts.pairs ?? [];
		this.#string = parts.string;
	}

	get(key: string): JsonNode | undefined {
		return this.pairs.findLast(([name]) => name === key)?.[1];
	}

	json(): Datum {
		return this.#text;
	}

	text(): string | null {
		return this.kind === "null" ? null : (this.#string ?? this.#text);
	}
}

function textBuilder(text: string, escapes: boolean): JsonBuilder<JsonNode> {
	return {
		escapes,
		string: (value, from, to) => new TextNode("string", text.slice(from, to), { string: value }),
		number: (_number, from, to) => new TextNode("number", text.slice(from, to)),
		literal: (value, from, to) =>
			new TextNode(value === null ? "null" : "boolean", text.slice(from, to)),
		array: (items, from, to) => new TextNode("array", text.slice(from, to), { items }),
		object: (keys, values, from, to) =>
			new TextNode("object", text.slice(from, to), {
				pairs: keys.map((key, i) => [key, values[i]!]),
			}),
	};
}

/** `escapes`: refuse strings that cannot be decoded. */
export function openJson(value: Datum, escapes = true): JsonNode {
	if (typeof value === "string") return parseJson(value, textBuilder(value, escapes));
	return new TreeNode((value as JsonbValue).root);
}

/** As a number from the end where it is negative. */
export function elementOf(items: readonly JsonNode[], index: number): JsonNode | undefined {
	return items[index < 0 ? items.length + index : index];
}

const integer = /^[ \t\n\v\f\r]*[+-]?[0-9]+$/;

/** What C's strtoint takes; undefined for everything else. */
export function pathIndex(text: string): number | undefined {
	const value = integer.test(text) ? Number(text) : undefined;
	return value !== undefined && value >= -2147483648 && value <= 2147483647 ? value : undefined;
}
