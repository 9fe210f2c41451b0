/** Assignment to a subscript of jsonb: unlike jsonb_set it makes whatever is missing on the way, and replaces no scalar by something that has parts. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import {
	isJsonArray,
	isJsonObject,
	type Json,
	type JsonbValue,
	jsonb,
	jsonObject,
} from "../types/json-value.ts";
import { pathIndex } from "./json-node.ts";

/** Elements that are made so that an index is there. */
const gapMax = 1_000_000;

/** `startsArray`: what there is where nothing was. */
export function withJsonPart(
	target: Datum,
	path: readonly Datum[],
	value: Datum,
	startsArray: boolean,
): JsonbValue {
	if (path.includes(null)) {
		throw new DatabaseError("22004", "jsonb subscript in assignment must not be null");
	}
	const root = target === null ? (startsArray ? [] : jsonObject([])) : (target as JsonbValue).root;
	const part = value === null ? null : (value as JsonbValue).root;
	return jsonb(changed(root, path as readonly string[], 0, part));
}

function changed(value: Json, path: readonly string[], level: number, part: Json): Json {
	if (level === path.length) return part;
	if (isJsonObject(value)) {
		const key = path[level]!;
		const found = value.get(key);
		const next =
			found === undefined ? made(path, level + 1, part) : changed(found, path, level + 1, part);
		return jsonObject([...value, [key, next]]);
	}
	if (isJsonArray(value)) return changedElement(value, path, level, part);
	throw invalidParameter("cannot replace existing key", {
		detail: "The path assumes key is a composite object, but it is a scalar value.",
	});
}

function changedElement(
	items: readonly Json[],
	path: readonly string[],
	level: number,
	part: Json,
): Json {
	const step = path[level]!;
	const index = pathIndex(step);
	if (index === undefined) {
		throw new DatabaseError(
			"22P02",
			`path element at position ${level + 1} is not an integer: "${step}"`,
		);
	}
	const at = index < 0 ? items.length + index : index;
	if (at < 0) {
		throw invalidParameter(`path element at position ${level + 1} is out of range: ${index}`);
	}
	const found = items[at];
	if (found !== undefined) return items.with(at, changed(found, path, level + 1, part));
	return [...items, ...nulls(at - items.length), made(path, level + 1, part)];
}

/** What the rest of a path leads to, from nothing. */
function made(path: readonly string[], level: number, part: Json): Json {
	let value = part;
	for (const step of path.slice(level).reverse()) {
		const index = pathIndex(step);
		value = index === undefined ? jsonObject([[step, value]]) : [...nulls(index), value];
	}
	return value;
}

function nulls(count: number): null[] {
	if (count > gapMax) {
		throw new DatabaseError("54000", "total size of jsonb array elements exceeds the maximum", {
			hint: `An index may leave out up to ${gapMax} elements.`,
		});
	}
	return new Array<null>(Math.max(0, count)).fill(null);
}
