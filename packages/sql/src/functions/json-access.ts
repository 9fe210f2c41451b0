/** Reading json and jsonb: ->, ->>, #>, #>>, types, lengths, and what sets are made of them. */
import { flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import type { ScalarFunction, SetFunction } from "../types/registry.ts";
import { pure, signature } from "./definition.ts";
import { elementOf, type JsonNode, openJson, pathIndex } from "./json-node.ts";

type Kind = "json" | "jsonb";
const kinds: readonly Kind[] = ["json", "jsonb"];

const fieldOf = (value: Datum, key: string): JsonNode | undefined => openJson(value).get(key);

function elementAt(value: Datum, index: number): JsonNode | undefined {
	const node = openJson(value);
	// A jsonb that is a scalar is an array of one, as far as this goes.
	const isScalar = node.kind !== "array" && node.kind !== "object";
	if (isScalar && typeof value !== "string") return elementOf([node], index);
	return elementOf(node.items, index);
}

function atPath(value: Datum, path: readonly Datum[]): JsonNode | undefined {
	if (path.includes(null)) return undefined;
	let node: JsonNode | undefined = openJson(value);
	for (const step of path as readonly string[]) {
		if (node?.kind === "array") {
			const index = pathIndex(step);
			node = index === undefined ? undefined : elementOf(node.items, index);
		} else {
			node = node?.get(step);
		}
	}
	return node;
}

const asJson = (node: JsonNode | undefined): Datum => node?.json() ?? null;
const asText = (node: JsonNode | undefined): Datum => node?.text() ?? null;

function accessOf(kind: Kind): ScalarFunction[] {
	const both = (
		name: string,
		symbol: string,
		args: string,
		find: (value: Datum, step: never) => JsonNode | undefined,
	): ScalarFunction[] => {
		const json = (a: Datum, b: Datum): Datum => asJson(find(a, b as never));
		const text = (a: Datum, b: Datum): Datum => asText(find(a, b as never));
		return [
			pure(`${symbol}(${kind}, ${args}) -> ${kind}`, json as never),
			pure(`${symbol}>(${kind}, ${args}) -> text`, text as never),
			pure(`${kind}_${name}(${kind}, ${args}) -> ${kind}`, json as never),
			pure(`${kind}_${name}_text(${kind}, ${args}) -> text`, text as never),
		];
	};
	const path = (value: Datum, steps: ArrayValue): JsonNode | undefined =>
		atPath(value, flatten(steps));
	return [
		...both("object_field", "->", "text", fieldOf),
		...both("array_element", "->", "int4", elementAt),
		pure(`#>(${kind}, _text) -> ${kind}`, (v: Datum, p: ArrayValue) => asJson(path(v, p))),
		pure(`#>>(${kind}, _text) -> text`, (v: Datum, p: ArrayValue) => asText(path(v, p))),
		pure(`${kind}_extract_path(${kind}, variadic text) -> ${kind}`, ((
			value: Datum,
			...steps: Datum[]
		) => asJson(atPath(value, steps))) as never),
		pure(`${kind}_extract_path_text(${kind}, variadic text) -> text`, ((
			value: Datum,
			...steps: Datum[]
		) => asText(atPath(value, steps))) as never),
		pure(`${kind}_typeof(${kind}) -> text`, (value: Datum) => openJson(value, false).kind),
		pure(`${kind}_array_length(${kind}) -> int4`, (value: Datum) => {
			const node = openJson(value, false);
			if (node.kind === "array") return node.items.length;
			throw invalidParameter(
				`cannot get array length of a ${node.kind === "object" ? "non-array" : "scalar"}`,
			);
		}),
	];
}

export const jsonAccess: readonly ScalarFunction[] = kinds.flatMap(accessOf);

const isContainer = (node: JsonNode): boolean => node.kind === "array" || node.kind === "object";

function itemsOf(kind: Kind, name: string, value: Datum): readonly JsonNode[] {
	const node = openJson(value);
	if (node.kind === "array") return node.items;
	const isScalar = !isContainer(node);
	throw invalidParameter(
		kind === "jsonb"
			? `cannot extract elements from ${isScalar ? "a scalar" : "an object"}`
			: `cannot call ${name} on a ${isScalar ? "scalar" : "non-array"}`,
	);
}

function pairsOf(kind: Kind, name: string, value: Datum): JsonNode["pairs"] {
	const node = openJson(value);
	if (node.kind === "object") return node.pairs;
	if (kind === "jsonb") throw invalidParameter(`cannot call ${name} on a non-object`);
	throw invalidParameter(
		node.kind === "array"
			? "cannot deconstruct an array as an object"
			: "cannot deconstruct a scalar",
	);
}

function keysOf(name: string, value: Datum): Iterable<readonly Datum[]> {
	const node = openJson(value);
	if (node.kind !== "object") {
		throw invalidParameter(
			`cannot call ${name} on ${node.kind === "array" ? "an array" : "a scalar"}`,
		);
	}
	return node.pairs.map(([key]) => [key]);
}

type Column = SetFunction["columns"][number];

function setsOf(kind: Kind): SetFunction[] {
	const set = (
		name: string,
		columns: readonly Column[],
		call: (value: Datum) => Iterable<readonly Datum[]>,
	): SetFunction => ({
		name,
		args: signature(`${name}(${kind})`).args,
		columns,
		call: ([value]) => call(value!),
	});
	const columnOf = (name: string, type: string): Column => ({
		name,
		oid: signature(`x(${type})`).args[0]!,
	});
	const key = columnOf("key", "text");
	const value = columnOf("value", kind);
	const text = columnOf("value", "text");
	const [elements, each, keys] = [
		`${kind}_array_elements`,
		`${kind}_each`,
		`${kind}_object_keys`,
	] as const;
	return [
		set(elements, [value], (v) => itemsOf(kind, elements, v).map((item) => [item.json()])),
		set(`${elements}_text`, [text], (v) =>
			itemsOf(kind, `${elements}_text`, v).map((item) => [item.text()]),
		),
		set(each, [key, value], (v) => pairsOf(kind, each, v).map(([k, item]) => [k, item.json()])),
		set(`${each}_text`, [key, text], (v) =>
			pairsOf(kind, `${each}_text`, v).map(([k, item]) => [k, item.text()]),
		),
		set(keys, [columnOf(keys, "text")], (v) => keysOf(keys, v)),
	];
}

export const jsonSets: readonly SetFunction[] = kinds.flatMap(setsOf);
