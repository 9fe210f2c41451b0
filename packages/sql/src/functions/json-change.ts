/** Changing jsonb: ||, -, #-, jsonb_set and its kin; and what it contains. */
import { DatabaseError } from "@quorate/keys/database-error";
import { dimensionsOf, flatten } from "../types/array-values.ts";
import type { ArrayValue, Datum } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { type JsonBuilder, parseJson } from "../types/json-parser.ts";
import {
	compareJsonb,
	formatIndented,
	isJsonArray,
	isJsonObject,
	isJsonScalar,
	type Json,
	type JsonbValue,
	type JsonObject,
	jsonb,
	jsonObject,
	quoteJson,
} from "../types/json-value.ts";
import type { ScalarFunction } from "../types/registry.ts";
import { contextual, nullable, orderTests, pure } from "./definition.ts";
import { pathIndex } from "./json-node.ts";

const stringsOf = (array: ArrayValue): readonly string[] =>
	flatten(array).filter((item): item is string => item !== null);

/** Scalars count as arrays of one. */
function concatenate(a: Json, b: Json): Json {
	if (isJsonObject(a) && isJsonObject(b)) return jsonObject([...a, ...b]);
	return [...(isJsonArray(a) ? a : [a]), ...(isJsonArray(b) ? b : [b])];
}

function has(value: Json, key: string): boolean {
	if (isJsonObject(value)) return value.has(key);
	return isJsonArray(value) ? value.includes(key) : value === key;
}

/** `inner` at the top may be a scalar of which `outer` is an array. */
function containsAtTop(outer: Json, inner: Json): boolean {
	return isJsonArray(outer) && isJsonScalar(inner)
		? contains(outer, [inner])
		: contains(outer, inner);
}

function contains(outer: Json, inner: Json): boolean {
	if (isJsonObject(inner)) {
		if (!isJsonObject(outer)) return false;
		for (const [key, value] of inner) {
			const found = outer.get(key);
			if (found === undefined || !contains(found, value)) return false;
		}
		return true;
	}
	if (isJsonArray(inner)) {
		return (
			isJsonArray(outer) && inner.every((item) => outer.some((other) => contains(other, item)))
		);
	}
	return isJsonScalar(outer) && compareJsonb(outer, inner) === 0;
}

function removeKeys(value: Json, keys: ReadonlySet<Json>): Json {
	if (isJsonObject(value)) return new Map([...value].filter(([key]) => !keys.has(key)));
	if (isJsonArray(value)) return value.filter((item) => !keys.has(item));
	throw invalidParameter("cannot delete from scalar");
}

function removeAt(value: Json, index: number): Json {
	if (isJsonObject(value)) throw invalidParameter("cannot delete from object using integer index");
	if (!isJsonArray(value)) throw invalidParameter("cannot delete from scalar");
	const at = index < 0 ? value.length + index : index;
	return value.filter((_item, i) => i !== at);
}

/** What happens at the end of a path: `create` also makes what is not there. */
type Change =
	| { readonly kind: "delete" }
	| { readonly kind: "set"; readonly value: Json; readonly create: boolean }
	| { readonly kind: "insert"; readonly value: Json; readonly after: boolean };

const creates = (change: Change): boolean =>
	change.kind === "insert" || (change.kind === "set" && change.create);

function changeAt(value: Json, path: readonly Datum[], level: number, change: Change): Json {
	if (isJsonScalar(value)) return value;
	const step = path[level];
	if (step === null) {
		throw new DatabaseError("22004", `path element at position ${level + 1} is null`);
	}
	return isJsonObject(value)
		? changeField(value, path, level, change)
		: changeElement(value as readonly Json[], path, level, change);
}

function changeField(
	object: JsonObject,
	path: readonly Datum[],
	level: number,
	change: Change,
): Json {
	const key = path[level] as string;
	const found = object.get(key);
	const changed = new Map(object);
	if (level < path.length - 1) {
		if (found !== undefined) changed.set(key, changeAt(found, path, level + 1, change));
		return changed;
	}
	if (found === undefined) {
		return creates(change) && change.kind !== "delete"
			? jsonObject([...object, [key, change.value]])
			: object;
	}
	if (change.kind === "insert") {
		throw invalidParameter("cannot replace existing key", {
			hint: "Try using the function jsonb_set to replace key value.",
		});
	}
	if (change.kind === "delete") changed.delete(key);
	else changed.set(key, change.value);
	return changed;
}

function changeElement(
	items: readonly Json[],
	path: readonly Datum[],
	level: number,
	change: Change,
): Json {
	const step = path[level] as string;
	const index = pathIndex(step);
	if (index === undefined) {
		throw new DatabaseError(
			"22P02",
			`path element at position ${level + 1} is not an integer: "${step}"`,
		);
	}
	const at = index < 0 ? items.length + index : index;
	const found = items[at];
	if (level < path.length - 1) {
		return found === undefined ? items : items.with(at, changeAt(found, path, level + 1, change));
	}
	if (found === undefined) {
		if (!creates(change) || change.kind === "delete") return items;
		return at < 0 ? [change.value, ...items] : [...items, change.value];
	}
	if (change.kind === "delete") return items.toSpliced(at, 1);
	if (change.kind === "set") return items.with(at, change.value);
	return items.toSpliced(change.after ? at + 1 : at, 0, change.value);
}

function change(target: JsonbValue, steps: ArrayValue, what: Change): JsonbValue {
	if (dimensionsOf(steps).length > 1) {
		throw new DatabaseError("2202E", "wrong number of array subscripts");
	}
	if (isJsonScalar(target.root)) {
		throw invalidParameter(`cannot ${what.kind === "delete" ? "delete" : "set"} path in scalar`);
	}
	const path = flatten(steps);
	return path.length === 0 ? target : jsonb(changeAt(target.root, path, 0, what));
}

const set = (target: JsonbValue, path: ArrayValue, value: JsonbValue, create = true): JsonbValue =>
	change(target, path, { kind: "set", value: value.root, create });

/** NULL as the new value means what the last argument says. */
function setLax(args: readonly Datum[]): Datum {
	const [target, path, value, create = true, treatment = "use_json_null"] = args;
	if (target === null || path === null || create === null) return null;
	if (treatment === null) throw badTreatment();
	const [at, steps, isCreating] = [target as JsonbValue, path as ArrayValue, create as boolean];
	if (value !== null) return set(at, steps, value as JsonbValue, isCreating);
	switch (treatment) {
		case "raise_exception":
			throw new DatabaseError("22004", "JSON value must not be null", {
				detail: 'Exception was raised because null_value_treatment is "raise_exception".',
				hint: "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
			});
		case "use_json_null":
			return set(at, steps, jsonb(null), isCreating);
		case "delete_key":
			return change(at, steps, { kind: "delete" });
		case "return_target":
			return target!;
		default:
			throw badTreatment();
	}
}

const badTreatment = (): DatabaseError =>
	invalidParameter(
		'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
	);

function stripNulls(value: Json): Json {
	if (isJsonArray(value)) return value.map(stripNulls);
	if (!isJsonObject(value)) return value;
	const kept = [...value].filter(([, item]) => item !== null);
	return new Map(kept.map(([key, item]) => [key, stripNulls(item)]));
}

/** The same of a json: without blanks between, and with numbers as they were. */
const nullStripper: JsonBuilder<string> = {
	decodes: true,
	string: quoteJson,
	number: (text) => text,
	literal: String,
	array: (items, count) => `[${items.slice(items.length - count).join(",")}]`,
	object(keys, values, count) {
		const from = values.length - count;
		let out = "{";
		for (let i = 0; i < count; i++) {
			const value = values[from + i]!;
			if (value === "null") continue;
			out += `${out === "{" ? "" : ","}${quoteJson(keys[keys.length - count + i]!)}:${value}`;
		}
		return `${out}}`;
	},
};

type J = JsonbValue;

const tests: readonly ScalarFunction[] = [
	...["@>", "jsonb_contains"].map((name) =>
		pure(`${name}(jsonb, jsonb) -> bool`, (a: J, b: J) => containsAtTop(a.root, b.root)),
	),
	...["<@", "jsonb_contained"].map((name) =>
		pure(`${name}(jsonb, jsonb) -> bool`, (a: J, b: J) => containsAtTop(b.root, a.root)),
	),
	...["?", "jsonb_exists"].map((name) =>
		pure(`${name}(jsonb, text) -> bool`, (a: J, key: string) => has(a.root, key)),
	),
	...["?|", "jsonb_exists_any"].map((name) =>
		pure(`${name}(jsonb, _text) -> bool`, (a: J, keys: ArrayValue) =>
			stringsOf(keys).some((key) => has(a.root, key)),
		),
	),
	...["?&", "jsonb_exists_all"].map((name) =>
		pure(`${name}(jsonb, _text) -> bool`, (a: J, keys: ArrayValue) =>
			stringsOf(keys).every((key) => has(a.root, key)),
		),
	),
	...orderTests.map(([symbol, test]) =>
		pure(`${symbol}(jsonb, jsonb) -> bool`, (a: J, b: J) => test(compareJsonb(a.root, b.root))),
	),
	pure("jsonb_cmp(jsonb, jsonb) -> int4", (a: J, b: J) => Math.sign(compareJsonb(a.root, b.root))),
];

const changes: readonly ScalarFunction[] = [
	...["||", "jsonb_concat"].map((name) =>
		pure(`${name}(jsonb, jsonb) -> jsonb`, (a: J, b: J) => jsonb(concatenate(a.root, b.root))),
	),
	...["-", "jsonb_delete"].flatMap((name) => [
		pure(`${name}(jsonb, text) -> jsonb`, (a: J, key: string) =>
			jsonb(removeKeys(a.root, new Set([key]))),
		),
		pure(`${name}(jsonb, int4) -> jsonb`, (a: J, index: number) => jsonb(removeAt(a.root, index))),
		pure(`${name}(jsonb, _text) -> jsonb`, (a: J, keys: ArrayValue) =>
			jsonb(removeKeys(a.root, new Set(stringsOf(keys)))),
		),
	]),
	...["#-", "jsonb_delete_path"].map((name) =>
		pure(`${name}(jsonb, _text) -> jsonb`, (a: J, path: ArrayValue) =>
			change(a, path, { kind: "delete" }),
		),
	),
	...["jsonb, _text, jsonb", "jsonb, _text, jsonb, bool"].flatMap((args) => [
		pure(`jsonb_set(${args}) -> jsonb`, set as never),
		pure(`jsonb_insert(${args}) -> jsonb`, ((a: J, path: ArrayValue, value: J, after = false) =>
			change(a, path, { kind: "insert", value: value.root, after })) as never),
	]),
	contextual(
		"jsonb_set_lax(jsonb, _text, jsonb, bool, text) -> jsonb",
		{ ...nullable, optional: 2 },
		setLax,
	),
	pure("jsonb_strip_nulls(jsonb) -> jsonb", (a: J) => jsonb(stripNulls(a.root))),
	pure("json_strip_nulls(json) -> json", (text: string) => parseJson(text, nullStripper)),
	pure("jsonb_pretty(jsonb) -> text", (a: J) => formatIndented(a.root)),
];

export const jsonChanges: readonly ScalarFunction[] = [...tests, ...changes];
