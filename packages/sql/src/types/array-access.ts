/** Elements and slices of arrays. */
import { type Dimension, dimensionsOf, emptyArray, isArray } from "./array-values.ts";
import type { ArrayValue, Datum } from "./datum.ts";

/** NULL where there is no such element, or where the indexes are not as many as the dimensions. */
export function elementAt(array: Datum, indexes: readonly Datum[]): Datum {
	if (array === null || indexes.includes(null)) return null;
	if (typeof array === "string") return byteAt(array, indexes);
	let value: Datum = array;
	for (const index of indexes) {
		if (!isArray(value)) return null;
		value = value.elements[(index as number) - value.lower] ?? null;
	}
	return isArray(value) ? null : value;
}

/** Of a name, which has 64 bytes from 0 on. */
function byteAt(name: string, [index, ...more]: readonly Datum[]): Datum {
	const at = index as number;
	if (more.length > 0 || at < 0 || at > 63) return null;
	const byte = Buffer.from(name)[at];
	return byte === undefined ? "" : String.fromCharCode(byte);
}

/**
 * What lies between the bounds, numbered from 1; empty where nothing does. `given` says which bounds there are, `bounds` are those.
 * NULL among them gives NULL. Dimensions without bounds are whole.
 */
export function sliceOf(
	array: Datum,
	given: readonly { readonly lower: boolean; readonly upper: boolean }[],
	bounds: readonly Datum[],
): Datum {
	if (!isArray(array) || bounds.includes(null)) return null;
	const dimensions = dimensionsOf(array);
	if (dimensions.length < given.length) return emptyArray;
	let next = 0;
	const ranges = dimensions.map((dimension, i): readonly [number, number] => {
		const { lower = false, upper = false } = given[i] ?? {};
		const end = dimension.lower + dimension.size - 1;
		const from = lower ? (bounds[next++] as number) : dimension.lower;
		const to = upper ? (bounds[next++] as number) : end;
		return [Math.max(from, dimension.lower), Math.min(to, end)];
	});
	if (ranges.some(([from, to]) => from > to)) return emptyArray;
	return cut(array, dimensions, ranges, 0);
}

function cut(
	array: ArrayValue,
	dimensions: readonly Dimension[],
	ranges: readonly (readonly [number, number])[],
	depth: number,
): ArrayValue {
	const [from, to] = ranges[depth]!;
	const { lower } = dimensions[depth]!;
	const elements = array.elements
		.slice(from - lower, to - lower + 1)
		.map((element) => (isArray(element) ? cut(element, dimensions, ranges, depth + 1) : element));
	return { kind: "array", elements, lower: 1 };
}
