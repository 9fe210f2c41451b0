/** Functions and operators of arrays. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	arrayOf,
	dimensionsOf,
	emptyArray,
	flatten,
	isArray,
	mapArray,
} from "../types/array-values.ts";
import type { ArrayValue, Datum, SqlType } from "../types/datum.ts";
import type { FunctionContext, ScalarFunction } from "../types/registry.ts";
import { builtinType } from "../types/type-table.ts";
import { contextual, pure } from "./definition.ts";
import { textOf } from "./text-functions.ts";

type Equal = (a: Datum, b: Datum) => boolean;

function elementType(argTypes: readonly SqlType[], index: number): number {
	return builtinType(argTypes[index]?.oid ?? 0)?.elementOid ?? 0;
}

function equality(oid: number): Equal {
	const type = builtinType(oid);
	return (a, b) => type?.compare(a, b) === 0;
}

/** Like `=`, but NULL is equal to NULL. */
function sameAs(oid: number): Equal {
	const equal = equality(oid);
	return (a, b) => (a === null || b === null ? a === b : equal(a, b));
}

function oneDimension(array: ArrayValue, message: string): readonly Datum[] {
	if (dimensionsOf(array).length > 1) {
		throw new DatabaseError("2202E", message);
	}
	return array.elements;
}

const immutable = { volatility: "immutable" as const };
const nullable = { volatility: "immutable" as const, strict: false };

const bound = (array: ArrayValue, dimension: number): { lower: number; size: number } | undefined =>
	dimensionsOf(array)[dimension - 1];

function arrayUpper(array: ArrayValue, dimension: number): number | null {
	const b = bound(array, dimension);
	return b === undefined ? null : b.lower + b.size - 1;
}

/** [1:2][1:3] */
function arrayDims(array: ArrayValue): string | null {
	const dimensions = dimensionsOf(array);
	return dimensions.length === 0
		? null
		: dimensions.map((d) => `[${d.lower}:${d.lower + d.size - 1}]`).join("");
}

const sizes: ScalarFunction[] = [
	pure(
		"array_length(anyarray, int4) -> int4",
		(a: ArrayValue, d: number) => bound(a, d)?.size ?? null,
	),
	pure(
		"array_lower(anyarray, int4) -> int4",
		(a: ArrayValue, d: number) => bound(a, d)?.lower ?? null,
	),
	pure("array_upper(anyarray, int4) -> int4", arrayUpper),
	pure("array_ndims(anyarray) -> int4", (a: ArrayValue) => dimensionsOf(a).length || null),
	pure("array_dims(anyarray) -> text", arrayDims),
	pure("cardinality(anyarray) -> int4", (a: ArrayValue) => flatten(a).length),
];

function append(array: ArrayValue | null, element: Datum): ArrayValue {
	const base = array ?? emptyArray;
	const items = oneDimension(base, "argument must be empty or one-dimensional array");
	return arrayOf([...items, element], items.length === 0 ? 1 : base.lower);
}

function prepend(element: Datum, array: ArrayValue | null): ArrayValue {
	const base = array ?? emptyArray;
	const items = oneDimension(base, "argument must be empty or one-dimensional array");
	return arrayOf([element, ...items], items.length === 0 ? 1 : base.lower);
}

/** Arrays of the same depth are joined; one of a depth less becomes an element. */
function concatenate(a: ArrayValue | null, b: ArrayValue | null): ArrayValue | null {
	if (a === null || b === null) {
		return a ?? b;
	}
	if (a.elements.length === 0 || b.elements.length === 0) {
		return a.elements.length === 0 ? b : a;
	}
	const left = dimensionsOf(a);
	const right = dimensionsOf(b);
	const fits = (x: typeof left, y: typeof left): boolean =>
		x.length === y.length && x.every((d, i) => d.size === y[i]?.size);
	if (left.length === right.length && fits(left.slice(1), right.slice(1))) {
		return arrayOf([...a.elements, ...b.elements], a.lower);
	}
	if (fits(left.slice(1), right)) {
		return arrayOf([...a.elements, b], a.lower);
	}
	if (fits(left, right.slice(1))) {
		return arrayOf([a, ...b.elements], b.lower);
	}
	throw new DatabaseError("2202E", "cannot concatenate incompatible arrays", {
		detail: "Arrays with differing element dimensions are not compatible for concatenation.",
	});
}

const joins: ScalarFunction[] = [
	...["array_append", "||"].map((name) =>
		contextual(
			`${name}(anycompatiblearray, anycompatible) -> anycompatiblearray`,
			nullable,
			([a, e]) => append(a as ArrayValue | null, e as Datum),
		),
	),
	...["array_prepend", "||"].map((name) =>
		contextual(
			`${name}(anycompatible, anycompatiblearray) -> anycompatiblearray`,
			nullable,
			([e, a]) => prepend(e as Datum, a as ArrayValue | null),
		),
	),
	...["array_cat", "||"].map((name) =>
		contextual(
			`${name}(anycompatiblearray, anycompatiblearray) -> anycompatiblearray`,
			nullable,
			([a, b]) => concatenate(a as ArrayValue | null, b as ArrayValue | null),
		),
	),
];

const searchMessage = "searching for elements in multidimensional arrays is not supported";

function positions(args: readonly Datum[], types: readonly SqlType[]): number[] {
	const [array, element, start] = args as [ArrayValue, Datum, number | undefined];
	const items = oneDimension(array, searchMessage);
	const same = sameAs(elementType(types, 0));
	const found: number[] = [];
	items.forEach((item, i) => {
		if (i + array.lower >= (start ?? array.lower) && same(item, element)) {
			found.push(i + array.lower);
		}
	});
	return found;
}

const searches: ScalarFunction[] = [
	...["anycompatiblearray, anycompatible", "anycompatiblearray, anycompatible, int4"].map((args) =>
		contextual(`array_position(${args}) -> int4`, nullable, (values, _c, types) =>
			values[0] === null ? null : (positions(values, types)[0] ?? null),
		),
	),
	contextual(
		"array_positions(anycompatiblearray, anycompatible) -> _int4",
		nullable,
		(values, _c, types) => (values[0] === null ? null : arrayOf(positions(values, types))),
	),
	contextual(
		"array_remove(anycompatiblearray, anycompatible) -> anycompatiblearray",
		nullable,
		([a, e], _c, types) => {
			if (a === null) {
				return null;
			}
			const same = sameAs(elementType(types, 0));
			const items = oneDimension(
				a as ArrayValue,
				"removing elements from multidimensional arrays is not supported",
			);
			return arrayOf(
				items.filter((item) => !same(item, e as Datum)),
				(a as ArrayValue).lower,
			);
		},
	),
	contextual(
		"array_replace(anycompatiblearray, anycompatible, anycompatible) -> anycompatiblearray",
		nullable,
		([a, from, to], _c, types) => {
			if (a === null) {
				return null;
			}
			const same = sameAs(elementType(types, 0));
			return replaceIn(a as ArrayValue, (item) =>
				same(item, from as Datum) ? (to as Datum) : item,
			);
		},
	),
];

const replaceIn = (array: ArrayValue, map: (item: Datum) => Datum): ArrayValue =>
	mapArray(array, map);

/** Every element of `inner` is in `outer`; NULLs are in nothing. */
function contains(outer: ArrayValue, inner: ArrayValue, equal: Equal): boolean {
	const items = flatten(outer);
	return flatten(inner).every(
		(item) => item !== null && items.some((other) => other !== null && equal(other, item)),
	);
}

function overlaps(a: ArrayValue, b: ArrayValue, equal: Equal): boolean {
	const items = flatten(b);
	return flatten(a).some(
		(item) => item !== null && items.some((other) => other !== null && equal(other, item)),
	);
}

type ArrayTest = (a: ArrayValue, b: ArrayValue, equal: Equal) => boolean;
const containment: ScalarFunction[] = (
	[
		["@>", contains],
		["<@", (a, b, equal) => contains(b, a, equal)],
		["&&", overlaps],
	] as readonly (readonly [string, ArrayTest])[]
).map(([symbol, test]) =>
	contextual(`${symbol}(anyarray, anyarray) -> bool`, immutable, ([a, b], _c, types) =>
		test(a as ArrayValue, b as ArrayValue, equality(elementType(types, 0))),
	),
);

/** NULLs are left out, or shown as `nullText`. */
function join(
	args: readonly Datum[],
	context: FunctionContext,
	types: readonly SqlType[],
): string | null {
	const [array, separator, nullText] = args as [
		ArrayValue | null,
		string | null,
		string | null | undefined,
	];
	if (array === null || separator === null) {
		return null;
	}
	const element = elementType(types, 0);
	const parts: string[] = [];
	for (const item of flatten(array)) {
		if (item !== null) {
			parts.push(textOf(item, element, context));
		} else if (nullText !== null && nullText !== undefined) {
			parts.push(nullText);
		}
	}
	return parts.join(separator);
}

/** A NULL separator cuts into characters; an empty one not at all. */
export function splitText(
	text: string,
	separator: string | null,
	nullText: string | null,
): (string | null)[] {
	const parts =
		text === ""
			? []
			: separator === null
				? [...text]
				: separator === ""
					? [text]
					: text.split(separator);
	return parts.map((part) => (part === nullText ? null : part));
}

const texts: ScalarFunction[] = [
	contextual("array_to_string(anyarray, text) -> text", { volatility: "stable" }, join),
	contextual(
		"array_to_string(anyarray, text, text) -> text",
		{ volatility: "stable", strict: false },
		join,
	),
	...["text, text", "text, text, text"].map((args) =>
		contextual(`string_to_array(${args}) -> _text`, nullable, ([text, separator, nullText]) =>
			text === null
				? null
				: arrayOf(
						splitText(
							text as string,
							separator as string | null,
							(nullText ?? null) as string | null,
						),
					),
		),
	),
];

/** Of what array_fill makes: fewer than PostgreSQL's, since an array is in memory as a whole. */
const elementsMax = 10_000_000;

const tooManyElements = (): DatabaseError =>
	new DatabaseError("54000", "array size exceeds the maximum allowed (134217727)");

function fill(value: Datum, size: number, lower: number): ArrayValue {
	if (size < 0 || size > elementsMax) throw tooManyElements();
	return size === 0 ? emptyArray : arrayOf(new Array<Datum>(size).fill(value), lower);
}

/** Throws 22004, 2202E, 54000. */
function arrayFill([value, dimensions, bounds]: readonly Datum[]): Datum {
	if (dimensions === null || bounds === null) {
		throw new DatabaseError("22004", "dimension array or low bound array cannot be null");
	}
	const sizes = (dimensions as ArrayValue).elements as number[];
	const lower = bounds === undefined ? undefined : ((bounds as ArrayValue).elements as number[]);
	if (lower !== undefined && lower.length !== sizes.length) {
		throw new DatabaseError("2202E", "wrong number of array subscripts", {
			detail: "Low bound array has different size than dimensions array.",
		});
	}
	if (sizes.reduce((total, size) => total * Math.max(size, 1), 1) > elementsMax) {
		throw tooManyElements();
	}
	return sizes.reduceRight<Datum>(
		(inner, size, i) => fill(inner, size, lower?.[i] ?? 1),
		value as Datum,
	);
}

const others: ScalarFunction[] = [
	contextual("array_fill(anyelement, _int4) -> anyarray", nullable, arrayFill),
	contextual("array_fill(anyelement, _int4, _int4) -> anyarray", nullable, arrayFill),
	contextual(
		"width_bucket(anyelement, anyarray) -> int4",
		{ volatility: "immutable" },
		([value, thresholds], _context, [type]) => {
			const { elements } = thresholds as ArrayValue;
			if (elements.includes(null)) {
				throw new DatabaseError("22004", "thresholds array must not contain NULLs");
			}
			const compare = builtinType(type!.oid)!.compare;
			let [low, high] = [0, elements.length];
			while (low < high) {
				const middle = (low + high) >> 1;
				if (compare(value!, elements[middle]!) < 0) high = middle;
				else low = middle + 1;
			}
			return low;
		},
	),
	pure("trim_array(anyarray, int4) -> anyarray", (array: ArrayValue, count: number) => {
		if (count < 0 || count > array.elements.length) {
			throw new DatabaseError(
				"2202E",
				`number of elements to trim must be between 0 and ${array.elements.length}`,
			);
		}
		return arrayOf(array.elements.slice(0, array.elements.length - count), array.lower);
	}),
];

/**
 * value op ANY (array) and value op ALL (array): true, false or NULL. `test` is never called with NULLs; `any` says which
 * answer ends the search.
 */
export function quantified(
	value: Datum,
	array: ArrayValue | null,
	any: boolean,
	test: (value: Datum, element: Datum) => Datum,
): boolean | null {
	if (array === null) {
		return null;
	}
	let unknown = false;
	for (const element of isArray(array.elements[0]) ? flatten(array) : array.elements) {
		const answer = value === null || element === null ? null : test(value, element);
		if (answer === null) {
			unknown = true;
		} else if (answer === any) {
			return any;
		}
	}
	return unknown ? null : !any;
}

export const arrayFunctions: readonly ScalarFunction[] = [
	...sizes,
	...joins,
	...searches,
	...containment,
	...texts,
	...others,
];
