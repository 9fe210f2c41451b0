/** Shape of arrays: dimensions, construction, iteration. A multidimensional array is an array of arrays. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { ArrayValue, Datum } from "./datum.ts";

/** PostgreSQL's MAXDIM. */
export const dimensionsMax = 6;

export const emptyArray: ArrayValue = { kind: "array", elements: [], lower: 1 };

export function arrayOf(elements: readonly Datum[], lower = 1): ArrayValue {
	return { kind: "array", elements, lower };
}

export function isArray(value: Datum | undefined): value is ArrayValue {
	return typeof value === "object" && value !== null && "kind" in value && value.kind === "array";
}

export interface Dimension {
	readonly size: number;
	readonly lower: number;
}

/** Outermost first; none for an empty array. */
export function dimensionsOf(array: ArrayValue): Dimension[] {
	const dimensions: Dimension[] = [];
	let level: Datum | undefined = array;
	while (isArray(level) && level.elements.length > 0) {
		dimensions.push({ size: level.elements.length, lower: level.lower });
		level = level.elements[0];
	}
	return dimensions;
}

/** All elements in storage order; the array's own list where it has one dimension. */
export function flatten(array: ArrayValue): readonly Datum[] {
	if (!isArray(array.elements[0])) {
		return array.elements;
	}
	return array.elements.flatMap((element) => flatten(element as ArrayValue));
}

/** Inverse of `flatten`. */
export function shape(elements: readonly Datum[], dimensions: readonly Dimension[]): ArrayValue {
	const [outer, ...inner] = dimensions;
	if (outer === undefined || elements.length === 0) {
		return emptyArray;
	}
	if (inner.length === 0) {
		return arrayOf(elements, outer.lower);
	}
	const stride = elements.length / outer.size;
	const parts: Datum[] = [];
	for (let i = 0; i < outer.size; i++) {
		parts.push(shape(elements.slice(i * stride, (i + 1) * stride), inner));
	}
	return arrayOf(parts, outer.lower);
}

/** ARRAY[...] of values or of arrays of the same shape; 2202E where they differ. */
export function makeArray(elements: readonly Datum[], nested: boolean): ArrayValue {
	if (!nested) {
		return arrayOf(elements);
	}
	const parts = elements.map((element) => (isArray(element) ? element : emptyArray));
	const first = parts[0];
	if (first === undefined || parts.every((part) => part.elements.length === 0)) {
		return emptyArray;
	}
	const dimensions = dimensionsOf(first);
	for (const part of parts) {
		const other = dimensionsOf(part);
		if (
			other.length !== dimensions.length ||
			other.some((d, i) => d.size !== dimensions[i]?.size || d.lower !== dimensions[i]?.lower)
		) {
			throw new DatabaseError(
				"2202E",
				"multidimensional arrays must have array expressions with matching dimensions",
			);
		}
	}
	return arrayOf(parts);
}

export function mapArray(array: ArrayValue, map: (element: Datum) => Datum): ArrayValue {
	return arrayOf(
		array.elements.map((element) => (isArray(element) ? mapArray(element, map) : map(element))),
		array.lower,
	);
}

/** As btree's array_cmp: elements first (NULL above all), then their number, then the shape. */
export function compareArrays(
	a: ArrayValue,
	b: ArrayValue,
	compare: (a: Datum, b: Datum) => number,
): number {
	const left = flatten(a);
	const right = flatten(b);
	const count = Math.min(left.length, right.length);
	for (let i = 0; i < count; i++) {
		const x = left[i] as Datum;
		const y = right[i] as Datum;
		const order =
			x === null || y === null ? Number(x === null) - Number(y === null) : compare(x, y);
		if (order !== 0) {
			return order;
		}
	}
	if (left.length !== right.length) {
		return left.length - right.length;
	}
	return compareShapes(dimensionsOf(a), dimensionsOf(b));
}

function compareShapes(a: readonly Dimension[], b: readonly Dimension[]): number {
	if (a.length !== b.length) {
		return a.length - b.length;
	}
	for (let i = 0; i < a.length; i++) {
		const order = (a[i]?.size ?? 0) - (b[i]?.size ?? 0);
		if (order !== 0) {
			return order;
		}
	}
	for (let i = 0; i < a.length; i++) {
		const order = (a[i]?.lower ?? 0) - (b[i]?.lower ?? 0);
		if (order !== 0) {
			return order;
		}
	}
	return 0;
}
