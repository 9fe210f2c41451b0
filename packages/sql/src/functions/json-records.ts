/** json_to_record and json_populate_record, and the same of sets: objects as rows of the columns that a query lists, or of a type. */
import { DatabaseError } from "@quorate/keys/database-error";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue, Datum, RowValue, SqlType } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { parseJsonb } from "../types/json-types.ts";
import { jsonb, quoteJson } from "../types/json-value.ts";
import { isRow } from "../types/made-oids.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, ScalarFunction, SetFunction } from "../types/registry.ts";
import { fieldsOf, rowOf } from "../types/row-types.ts";
import { applyModifier, builtinType } from "../types/type-table.ts";
import { contextual, signature } from "./definition.ts";
import { type JsonNode, openJson } from "./json-node.ts";

/** Where a value stands, for hints: the key, and the subscripts within it. */
interface Place {
	readonly key: string;
	readonly path: string;
}

/** A value as a column's type takes it: text by the type's input, arrays element by element. */
function convert(
	node: JsonNode | undefined,
	type: SqlType,
	place: Place,
	context: FunctionContext,
): Datum {
	if (node === undefined || node.kind === "null") return null;
	if (type.oid === OID.json) {
		const value = node.json();
		return typeof value === "string"
			? value
			: node.kind === "string"
				? quoteJson(node.text()!)
				: node.text();
	}
	if (type.oid === OID.jsonb) {
		const value = node.json();
		return typeof value === "string" ? jsonb(parseJsonb(value)) : value;
	}
	if (isRow(type.oid) && node.kind !== "string") return populated(node, null, type.oid, context);
	const definition = builtinType(type.oid);
	const isArray = definition?.category === "A" && definition.elementOid !== 0;
	if (isArray && node.kind !== "string") {
		const element = { oid: definition.elementOid, modifier: type.modifier };
		return convertArray(node, depthOf(node), element, place, context);
	}
	const value = definition!.parse(node.text()!, -1, context);
	return applyModifier(value, type, false);
}

/** As many dimensions as the first elements have. */
function depthOf(node: JsonNode): number {
	if (node.kind !== "array") return 0;
	const first = node.items[0];
	return first === undefined ? 1 : 1 + depthOf(first);
}

function convertArray(
	node: JsonNode,
	depth: number,
	element: SqlType,
	place: Place,
	context: FunctionContext,
): ArrayValue {
	if (node.kind !== "array") {
		const where = place.path === "" ? "value of" : `array element ${place.path} of`;
		throw new DatabaseError("22P02", "expected JSON array", {
			hint: `See the ${where} key "${place.key}".`,
		});
	}
	const at = (i: number): Place => ({ key: place.key, path: `${place.path}[${i}]` });
	if (depth <= 1) {
		return arrayOf(node.items.map((item, i) => convert(item, element, at(i), context)));
	}
	const parts = node.items.map((item, i) => convertArray(item, depth - 1, element, at(i), context));
	if (parts.some((part) => part.elements.length !== parts[0]!.elements.length)) {
		throw new DatabaseError("22P02", "malformed JSON array", {
			detail: "Multidimensional arrays must have sub-arrays with matching dimensions.",
		});
	}
	return parts[0]!.elements.length === 0 ? arrayOf([]) : arrayOf(parts);
}

/** A row of a type; what the object does not have it has of `base`. Throws 22023. */
function populated(node: JsonNode, base: Datum, oid: number, context: FunctionContext): Datum {
	const fields = fieldsOf(oid, context);
	const before = (base as RowValue | null)?.fields;
	if (node.kind !== "object") throw notObject(node);
	return rowOf(
		fields,
		fields.map(({ name, type }, i) => {
			const given = node.get(name);
			if (given === undefined && before !== undefined) return before[i]!;
			return convert(given, type, { key: name, path: "" }, context);
		}),
	);
}

/** PostgreSQL names a function that nobody has called. */
function notObject({ kind }: JsonNode): DatabaseError {
	const what = kind === "array" ? "an array" : "a scalar";
	return invalidParameter(`cannot call populate_composite on ${what}`);
}

type Columns = readonly { readonly name: string; readonly type: SqlType }[];

const fieldsFrom = (node: JsonNode, columns: Columns, context: FunctionContext): readonly Datum[] =>
	columns.map(({ name, type }) => convert(node.get(name), type, { key: name, path: "" }, context));

function recordOf(value: Datum, columns: Columns, context: FunctionContext): readonly Datum[] {
	if (value === null) return columns.map(() => null);
	const node = openJson(value);
	if (node.kind !== "object") throw notObject(node);
	return fieldsFrom(node, columns, context);
}

function* objectsOf(name: string, value: Datum): Iterable<JsonNode> {
	const node = openJson(value);
	if (node.kind !== "array") {
		const isJson = typeof value === "string";
		const what = !isJson ? "a non-array" : node.kind === "object" ? "an object" : "a scalar";
		throw invalidParameter(`cannot call ${name} on ${what}`);
	}
	for (const item of node.items) {
		if (item.kind !== "object") {
			throw invalidParameter(`argument of ${name} must be an array of objects`);
		}
		yield item;
	}
}

function* recordsOf(
	name: string,
	value: Datum,
	columns: Columns,
	context: FunctionContext,
): Iterable<readonly Datum[]> {
	for (const item of objectsOf(name, value)) yield fieldsFrom(item, columns, context);
}

function recordFunction(
	name: string,
	type: string,
	nullable: boolean,
	rows: (value: Datum, columns: Columns, context: FunctionContext) => Iterable<readonly Datum[]>,
): SetFunction {
	const plain: SetFunction = {
		name,
		args: signature(`${name}(${type})`).args,
		columns: [{ name, oid: OID.record }],
		nullable,
		call: () => [],
	};
	return {
		...plain,
		withColumns: (columns) => ({
			...plain,
			call: ([value], context) => rows(value!, columns, context),
		}),
	};
}

export const jsonRecords: readonly SetFunction[] = ["json", "jsonb"].flatMap((type) => {
	const set = `${type}_to_recordset`;
	return [
		recordFunction(`${type}_to_record`, type, true, (value, columns, context) => [
			recordOf(value, columns, context),
		]),
		recordFunction(set, type, false, (value, columns, context) =>
			recordsOf(set, value, columns, context),
		),
	];
});

/** Of the first argument, whose type is the result's. Throws 42804. */
function rowArgument(name: string, types: readonly SqlType[]): number {
	const oid = types[0]?.oid ?? 0;
	if (isRow(oid)) return oid;
	if (oid !== OID.record) {
		throw new DatabaseError("42804", `first argument of ${name} must be a row type`);
	}
	throw new DatabaseError("0A000", `${name} of an anonymous record is not supported`, {
		hint: "Cast the first argument to a composite type.",
	});
}

export const jsonPopulate: readonly ScalarFunction[] = ["json", "jsonb"].map((type) => {
	const name = `${type}_populate_record`;
	return contextual(
		`${name}(anyelement, ${type}) -> anyelement`,
		{ volatility: "stable", strict: false },
		([base, value], context, types) => {
			const oid = rowArgument(name, types);
			return value === null ? base! : populated(openJson(value!), base!, oid, context);
		},
	);
});

export const jsonPopulateSets: readonly SetFunction[] = ["json", "jsonb"].map((type) => {
	const name = `${type}_populate_recordset`;
	return {
		name,
		args: signature(`${name}(anyelement, ${type})`).args,
		columns: [{ name, oid: OID.anyelement }],
		nullable: true,
		call: ([base, value], context, types) => {
			const oid = rowArgument(name, types);
			return value === null ? [] : rowsOf(name, value!, base!, oid, context);
		},
	};
});

function* rowsOf(
	name: string,
	value: Datum,
	base: Datum,
	oid: number,
	context: FunctionContext,
): Iterable<readonly Datum[]> {
	for (const item of objectsOf(name, value)) yield [populated(item, base, oid, context)];
}
