/** json_to_record and json_to_recordset: objects as rows of the columns that a query lists. */
import { DatabaseError } from "@quorate/keys/database-error";
import { arrayOf } from "../types/array-values.ts";
import type { ArrayValue, Datum, SqlType } from "../types/datum.ts";
import { invalidParameter } from "../types/errors.ts";
import { parseJsonb } from "../types/json-types.ts";
import { jsonb, quoteJson } from "../types/json-value.ts";
import { OID } from "../types/oids.ts";
import type { FunctionContext, SetFunction } from "../types/registry.ts";
import { applyModifier, builtinType } from "../types/type-table.ts";
import { signature } from "./definition.ts";
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

type Columns = readonly { readonly name: string; readonly type: SqlType }[];

const rowOf = (node: JsonNode, columns: Columns, context: FunctionContext): readonly Datum[] =>
	columns.map(({ name, type }) => convert(node.get(name), type, { key: name, path: "" }, context));

function recordOf(value: Datum, columns: Columns, context: FunctionContext): readonly Datum[] {
	if (value === null) return columns.map(() => null);
	const node = openJson(value);
	if (node.kind === "object") return rowOf(node, columns, context);
	// PostgreSQL names a function that nobody has called.
	const what = node.kind === "array" ? "an array" : "a scalar";
	throw invalidParameter(`cannot call populate_composite on ${what}`);
}

function* recordsOf(
	name: string,
	value: Datum,
	columns: Columns,
	context: FunctionContext,
): Iterable<readonly Datum[]> {
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
		yield rowOf(item, columns, context);
	}
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
