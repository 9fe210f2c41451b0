/** Values of any type as json and as jsonb. */
import { DatabaseError } from "@quorate/keys/database-error";
import { flatten, isArray } from "../types/array-values.ts";
import { formatDate, formatTimestamp, formatTimestamptz, isoDates } from "../types/date-format.ts";
import type { ArrayValue, Datum, RowValue, SqlType } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { parseJsonb } from "../types/json-types.ts";
import {
	formatJson,
	type Json,
	type JsonbValue,
	jsonb,
	jsonObject,
	quoteJson,
} from "../types/json-value.ts";
import { isRow as isRowOid } from "../types/made-oids.ts";
import { type Numeric, parseNumeric } from "../types/numeric.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, ScalarFunction, TypeContext } from "../types/registry.ts";
import { fieldType, typedRow } from "../types/row-types.ts";
import { builtinType } from "../types/type-table.ts";
import { contextual, nullable, stable } from "./definition.ts";
import { textOf } from "./text-functions.ts";

const numbers: ReadonlySet<number> = new Set([
	OID.int2,
	OID.int4,
	OID.int8,
	OID.float4,
	OID.float8,
	OID.numeric,
]);

const validNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** As XML Schema writes them, whatever DateStyle is: a T between date and time, and minutes in the zone. */
function momentText(value: Datum, oid: number, { timeZone }: TypeContext): string | undefined {
	switch (oid) {
		case OID.date:
			return formatDate(value as number, isoDates);
		case OID.timestamp:
			return formatTimestamp(value as bigint, isoDates).replace(" ", "T");
		case OID.timestamptz:
			return formatTimestamptz(value as bigint, timeZone, isoDates)
				.replace(" ", "T")
				.replace(/([+-]\d\d)(?=$| BC$)/, "$1:00");
		default:
			return undefined;
	}
}

/** What a scalar is between quotes. */
function scalarText(value: Datum, oid: number, context: TypeContext): string {
	if (typeof value === "boolean") return String(value);
	return momentText(value, oid, context) ?? textOf(value, oid, context as FunctionContext);
}

const isRow = (value: Datum): value is RowValue =>
	typeof value === "object" && value !== null && "kind" in value && value.kind === "row";

const fieldName = (row: RowValue, i: number): string => row.names?.[i] ?? `f${i + 1}`;

/** Its fields are called, and are of the types, that the type of the row says. */
const rowAs = (row: RowValue, oid: number, context: TypeContext): RowValue =>
	isRowOid(oid) ? typedRow(row, oid, context) : row;

const elementType = (oid: number): number => builtinType(oid)?.elementOid ?? 0;

/** `separator`: between the elements or fields of the value itself; nested ones have a comma alone. */
export function jsonText(value: Datum, oid: number, context: TypeContext, separator = ","): string {
	if (value === null) return "null";
	if (isArray(value)) {
		const element = elementType(oid);
		const items = value.elements.map((item) =>
			jsonText(item, isArray(item) ? oid : element, context),
		);
		return `[${items.join(separator)}]`;
	}
	if (isRow(value)) {
		const row = rowAs(value, oid, context);
		const fields = row.fields.map(
			(field, i) =>
				`${quoteJson(fieldName(row, i))}:${jsonText(field, fieldType(row, i), context)}`,
		);
		return `{${fields.join(separator)}}`;
	}
	if (oid === OID.json) return value as string;
	if (oid === OID.jsonb) return formatJson((value as JsonbValue).root);
	const text = scalarText(value, oid, context);
	const isBare = typeof value === "boolean" || (numbers.has(oid) && validNumber.test(text));
	return isBare ? text : quoteJson(text);
}

export function jsonTree(value: Datum, oid: number, context: TypeContext): Json {
	if (value === null || typeof value === "boolean") return value;
	if (isArray(value)) {
		const element = elementType(oid);
		return value.elements.map((item) => jsonTree(item, isArray(item) ? oid : element, context));
	}
	if (isRow(value)) {
		const row = rowAs(value, oid, context);
		return jsonObject(
			row.fields.map((field, i) => [
				fieldName(row, i),
				jsonTree(field, fieldType(row, i), context),
			]),
		);
	}
	if (oid === OID.json) return parseJsonb(value as string);
	if (oid === OID.jsonb) return (value as JsonbValue).root;
	if (oid === OID.numeric && (value as Numeric).special === 0) return value as Numeric;
	const text = scalarText(value, oid, context);
	return numbers.has(oid) && validNumber.test(text) ? parseNumeric(text) : text;
}

/** A key of an object. Throws 22023 where the value is no scalar. */
export function jsonKey(value: Datum, oid: number, context: TypeContext): string {
	if (isArray(value) || isRow(value) || oid === OID.json || oid === OID.jsonb) {
		throw invalidParameter("key value must be scalar, not array, composite, or json");
	}
	return scalarText(value, oid, context);
}

type Body = (args: readonly Datum[], context: FunctionContext, types: readonly SqlType[]) => Datum;

function checkPairs(name: string, args: readonly Datum[]): void {
	if (args.length % 2 === 0) return;
	throw invalidParameter("argument list must have even number of elements", {
		hint: `The arguments of ${name}() must consist of alternating keys and values.`,
	});
}

const oidAt = (types: readonly SqlType[], i: number): number => types[i]?.oid ?? 0;

const buildObjectText: Body = (args, context, types) => {
	checkPairs("json_build_object", args);
	const pairs: string[] = [];
	for (let i = 0; i < args.length; i += 2) {
		if (args[i] === null) {
			throw invalidParameter(`argument ${i + 1} cannot be null`, {
				hint: "Object keys should be text.",
			});
		}
		const key = quoteJson(jsonKey(args[i]!, oidAt(types, i), context));
		pairs.push(`${key} : ${jsonText(args[i + 1]!, oidAt(types, i + 1), context)}`);
	}
	return `{${pairs.join(", ")}}`;
};

const buildObject: Body = (args, context, types) => {
	checkPairs("jsonb_build_object", args);
	const pairs: [string, Json][] = [];
	for (let i = 0; i < args.length; i += 2) {
		if (args[i] === null) throw invalidParameter(`argument ${i + 1}: key must not be null`);
		const key = jsonKey(args[i]!, oidAt(types, i), context);
		pairs.push([key, jsonTree(args[i + 1]!, oidAt(types, i + 1), context)]);
	}
	return jsonb(jsonObject(pairs));
};

const buildArrayText: Body = (args, context, types) =>
	`[${args.map((arg, i) => jsonText(arg, oidAt(types, i), context)).join(", ")}]`;

const buildArray: Body = (args, context, types) =>
	jsonb(args.map((arg, i) => jsonTree(arg, oidAt(types, i), context)));

const subscripts = (): DatabaseError =>
	new DatabaseError("2202E", "wrong number of array subscripts");

/** Depth of an array, which need not be one of arrays to be empty. */
function depthOf(array: ArrayValue): number {
	const first = array.elements[0];
	if (first === undefined) return 0;
	return isArray(first) ? 1 + depthOf(first) : 1;
}

/** Keys and values in turn, or in rows of two. */
function pairsOfArray(array: ArrayValue): (readonly [Datum, Datum])[] {
	const depth = depthOf(array);
	if (depth > 2) throw subscripts();
	if (depth === 2) {
		const rows = array.elements as readonly ArrayValue[];
		if (rows[0]!.elements.length !== 2)
			throw new DatabaseError("2202E", "array must have two columns");
	} else if (array.elements.length % 2 !== 0) {
		throw new DatabaseError("2202E", "array must have even number of elements");
	}
	const items = flatten(array);
	return Array.from({ length: items.length / 2 }, (_, i) => [items[i * 2]!, items[i * 2 + 1]!]);
}

function pairsOfArrays(keys: ArrayValue, values: ArrayValue): (readonly [Datum, Datum])[] {
	if (depthOf(keys) > 1 || depthOf(keys) !== depthOf(values)) throw subscripts();
	if (keys.elements.length !== values.elements.length) {
		throw new DatabaseError("2202E", "mismatched array dimensions");
	}
	return keys.elements.map((key, i) => [key, values.elements[i]!]);
}

function pairsOfText(args: readonly Datum[]): (readonly [string, string | null])[] {
	const [first, second] = args as readonly ArrayValue[];
	const pairs = second === undefined ? pairsOfArray(first!) : pairsOfArrays(first!, second);
	return pairs.map(([key, value]) => {
		if (key === null) throw new DatabaseError("22004", "null value not allowed for object key");
		return [key as string, value as string | null];
	});
}

const objectText: Body = (args) => {
	const pairs = pairsOfText(args).map(
		([key, value]) => `${quoteJson(key)} : ${value === null ? "null" : quoteJson(value)}`,
	);
	return `{${pairs.join(", ")}}`;
};

const withLines = (args: readonly Datum[]): string => (args[1] === true ? ",\n " : ",");

const immutable = { volatility: "immutable" } as const;
const mixed = { ...nullable, volatility: "stable" } as const;

export const jsonBuilders: readonly ScalarFunction[] = [
	contextual("to_json(anyelement) -> json", stable, ([value], context, types) =>
		jsonText(value!, oidAt(types, 0), context),
	),
	contextual("to_jsonb(anyelement) -> jsonb", stable, ([value], context, types) =>
		jsonb(jsonTree(value!, oidAt(types, 0), context)),
	),
	...["array_to_json(anyarray", "row_to_json(record"].flatMap((start) =>
		[")", ", bool)"].map((end) =>
			contextual(`${start}${end} -> json`, stable, (args, context, types) =>
				jsonText(args[0]!, oidAt(types, 0), context, withLines(args)),
			),
		),
	),
	...["", "variadic any"].flatMap((args) => [
		contextual(`json_build_object(${args}) -> json`, mixed, buildObjectText),
		contextual(`jsonb_build_object(${args}) -> jsonb`, mixed, buildObject),
		contextual(`json_build_array(${args}) -> json`, mixed, buildArrayText),
		contextual(`jsonb_build_array(${args}) -> jsonb`, mixed, buildArray),
	]),
	...["_text", "_text, _text"].flatMap((args) => [
		contextual(`json_object(${args}) -> json`, immutable, objectText),
		contextual(`jsonb_object(${args}) -> jsonb`, immutable, (values) =>
			jsonb(jsonObject(pairsOfText(values))),
		),
	]),
];
