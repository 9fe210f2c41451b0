/** Assignment to elements and slices of arrays: what PostgreSQL's array_set_element and array_set_slice make of them. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type Dimension,
	dimensionsOf,
	emptyArray,
	flatten,
	isArray,
	shape,
} from "./array-values.ts";
import type { ArrayValue, Datum } from "./datum.ts";

const refused = (message: string, detail?: string): DatabaseError =>
	new DatabaseError("2202E", message, detail === undefined ? {} : { detail });

/** Less than PostgreSQL's, which is 134,217,727: an array is in memory. */
const sizeMax = 16_000_000;

function numbers(indexes: readonly Datum[]): readonly number[] {
	if (!indexes.includes(null)) return indexes as readonly number[];
	throw new DatabaseError("22004", "array subscript in assignment must not be null");
}

function checkSize(size: number): void {
	if (size <= sizeMax) return;
	throw new DatabaseError("54000", `array size exceeds the maximum allowed (${sizeMax})`);
}

/** Of one dimension, so that it has all from `from` to `to`; what is new is NULL. */
function widened({ elements, lower }: ArrayValue, from: number, to: number): ArrayValue {
	const first = Math.min(lower, from);
	const last = Math.max(lower + elements.length - 1, to);
	checkSize(last - first + 1);
	const nulls = (count: number): null[] => new Array<null>(Math.max(0, count)).fill(null);
	const all = [...nulls(lower - first), ...elements, ...nulls(last - lower - elements.length + 1)];
	return { kind: "array", elements: all, lower: first };
}

/** `array` NULL: an empty one. Throws 22004, 2202E, 54000. */
export function withElement(array: Datum, indexes: readonly Datum[], value: Datum): ArrayValue {
	const path = numbers(indexes);
	const before = isArray(array) ? array : emptyArray;
	const dimensions = dimensionsOf(before);
	if (dimensions.length === 0) {
		return shape(
			[value],
			path.map((lower) => ({ size: 1, lower })),
		);
	}
	if (dimensions.length !== path.length) throw refused("wrong number of array subscripts");
	if (dimensions.length > 1) return replaced(before, path, value);
	const [at] = path;
	const wide = widened(before, at!, at!);
	return { ...wide, elements: wide.elements.with(at! - wide.lower, value) };
}

function replaced(array: ArrayValue, [at, ...rest]: readonly number[], value: Datum): ArrayValue {
	const place = at! - array.lower;
	const found = array.elements[place];
	if (found === undefined) throw refused("array subscript out of range");
	const next = isArray(found) ? replaced(found, rest, value) : value;
	return { ...array, elements: array.elements.with(place, next) };
}

type Given = readonly { readonly lower: boolean; readonly upper: boolean }[];

/** `bounds`: those that are `given`. A source that is NULL changes nothing. Throws 22004, 2202E, 54000. */
export function withSlice(
	array: Datum,
	given: Given,
	bounds: readonly Datum[],
	source: Datum,
): ArrayValue {
	const limits = numbers(bounds);
	const before = isArray(array) ? array : emptyArray;
	if (!isArray(source)) return before;
	const items = flatten(source);
	const dimensions = dimensionsOf(before);
	if (dimensions.length === 0) return madeOf(given, limits, items);
	if (dimensions.length < given.length) throw refused("wrong number of array subscripts");
	const ranges = rangesOf(dimensions, given, limits);
	requireItems(ranges, items);
	const [from, to] = ranges[0]!;
	const wide = dimensions.length === 1 ? widened(before, from, to) : before;
	const rest = items.values();
	return overwritten(wide, ranges, () => rest.next().value as Datum);
}

type Range = readonly [number, number];

const widthOf = ([from, to]: Range): number => to - from + 1;

function requireItems(ranges: readonly Range[], items: readonly Datum[]): void {
	const wanted = ranges.reduce((product, range) => product * widthOf(range), 1);
	if (items.length < wanted) throw refused("source array too small");
}

/** A new array, of an empty one. */
function madeOf(given: Given, limits: readonly number[], items: readonly Datum[]): ArrayValue {
	if (given.some(({ lower, upper }) => !lower || !upper)) {
		throw refused(
			"array slice subscript must provide both boundaries",
			"When assigning to a slice of an empty array value, slice boundaries must be fully specified.",
		);
	}
	const ranges = given.map((_, i): Range => [limits[2 * i]!, limits[2 * i + 1]!]);
	requireItems(ranges, items);
	const sizes = ranges.map((range): Dimension => ({ size: widthOf(range), lower: range[0] }));
	const count = sizes.reduce((product, { size }) => product * size, 1);
	return shape(items.slice(0, count), sizes);
}

function rangesOf(
	dimensions: readonly Dimension[],
	given: Given,
	limits: readonly number[],
): readonly Range[] {
	let next = 0;
	return dimensions.map(({ lower: least, size }, i): Range => {
		const { lower = false, upper = false } = given[i] ?? {};
		const from = lower ? limits[next++]! : least;
		const to = upper ? limits[next++]! : least + size - 1;
		if (from > to) throw refused("upper bound cannot be less than lower bound");
		const isOutside = from < least || to > least + size - 1;
		if (dimensions.length > 1 && isOutside) throw refused("array subscript out of range");
		return [from, to];
	});
}

function overwritten(
	array: ArrayValue,
	[range, ...rest]: readonly Range[],
	take: () => Datum,
): ArrayValue {
	const [from, to] = range!;
	const elements = array.elements.map((element, i) => {
		const at = array.lower + i;
		if (at < from || at > to) return element;
		return isArray(element) ? overwritten(element, rest, take) : take();
	});
	return { ...array, elements };
}
