/** Where PostgreSQL's jsonb has the objects of a document: .keyvalue() tells them apart by it. */

import { isJsonArray, isJsonNumber, isJsonObject, type Json } from "../../types/json-value.ts";
import { numericType } from "../../types/numeric-type.ts";
import type { TypeContext } from "../../types/registry.ts";

/** Of each array and object, bytes behind the beginning of the document. */
export function layoutOf(root: Json): ReadonlyMap<Json, number> {
	const places = new Map<Json, number>();
	place(root, 0, places);
	return places;
}

const aligned = (at: number): number => (at + 3) & ~3;

/** Answers where the value ends. */
function place(value: Json, at: number, places: Map<Json, number>): number {
	if (typeof value === "string") return at + Buffer.byteLength(value);
	if (isJsonNumber(value)) return aligned(at) + numericSize(value);
	const start = aligned(at);
	if (isJsonArray(value)) {
		places.set(value, start);
		let end = start + 4 + 4 * value.length;
		for (const item of value) end = place(item, end, places);
		return end;
	}
	if (!isJsonObject(value)) return at;
	places.set(value, start);
	let end = start + 4 + 8 * value.size;
	for (const key of value.keys()) end += Buffer.byteLength(key);
	for (const item of value.values()) end = place(item, end, places);
	return end;
}

/** With a header of two bytes, or of four where scale or weight are large; groups of four digits. */
function numericSize(value: Parameters<typeof numericType.encodeBinary>[0]): number {
	const bytes = numericType.encodeBinary(value, {} as TypeContext);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const [groups, weight, scale] = [view.getInt16(0), view.getInt16(2), view.getInt16(6)];
	const isShort = scale <= 63 && weight <= 63 && weight >= -64;
	return 4 + (isShort ? 2 : 4) + 2 * groups;
}
