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

const none: readonly never[] = [];

/** A piece of the text of a json. Of large documents there are millions, so that what can be made when it is asked for is. */
class TextNode implements JsonNode {
	readonly kind: JsonTypeName;
	readonly #source: string;
	readonly #start: number;
	readonly #end: number;
	readonly #string: string | undefined;
	/** Of an object. */
	readonly #keys: readonly string[];
	readonly #children: readonly JsonNode[];

	constructor(
		kind: JsonTypeName,
		place: { readonly source: string; readonly start: number; readonly end: number },
		string?: string,
		children: readonly JsonNode[] = none,
		keys: readonly string[] = none,
	) {
		this.kind = kind;
		this.#source = place.source;
		this.#start = place.start;
		this.#end = place.end;
		this.#string = string;
		this.#children = children;
		this.#keys = keys;
	}

	get items(): readonly JsonNode[] {
		return this.kind === "array" ? this.#children : none;
	}

	get pairs(): readonly (readonly [string, JsonNode])[] {
		return this.#keys.map((key, i) => [key, this.#children[i]!]);
	}

	get(key: string): JsonNode | undefined {
		return this.#children[this.#keys.lastIndexOf(key)];
	}

	json(): string {
		return this.#source.slice(this.#start, this.#end);
	}

	text(): string | null {
		return this.kind === "null" ? null : (this.#string ?? this.json());
	}
}

function textBuilder(source: string, decodes: boolean): JsonBuilder<JsonNode> {
	return {
		decodes,
		string: (value, start, end) => new TextNode("string", { source, start, end }, value),
		number: (_number, start, end) => new TextNode("number", { source, start, end }),
		literal: (value, start, end) =>
			new TextNode(value === null ? "null" : "boolean", { source, start, end }),
		array: (items, count, start, end) =>
			new TextNode("array", { source, start, end }, undefined, items.slice(items.length - count)),
		object(keys, values, count, start, end) {
			const children = values.slice(values.length - count);
			const names = keys.slice(keys.length - count);
			return new TextNode("object", { source, start, end }, undefined, children, names);
		},
	};
}

/** `decodes`: strings are looked at, and refused where they cannot be decoded. */
export function openJson(value: Datum, decodes = true): JsonNode {
	if (typeof value === "string") return parseJson(value, textBuilder(value, decodes));
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
