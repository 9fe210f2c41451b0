/**
 * Values of a composite type whose attributes come or go. What is stored of one is what the type had (`types/row-types.ts`), so all rows that
 * have such values, in arrays, domains and other composite types, too, are written anew under new prefixes, with all entries, in the transaction
 * of the statement: whoever reads an older version reads them as they were.
 */
import {
	type CompositeDescriptor,
	liveAttributes,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { isArray } from "../types/array-values.ts";
import type { ArrayValue, Datum, RowValue } from "../types/datum.ts";
import { elementOfMade, isMadeArray, namedOid } from "../types/made-oids.ts";
import { rewriteRows } from "./alter-column.ts";
import { movedTable } from "./alter-type.ts";
import { usable } from "./create-index.ts";
import { pendingEvents } from "./drop.ts";
import { refuseBuilding } from "./rewrite.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { typesWith } from "./type-users.ts";
import { refuseValidating } from "./validation.ts";

/** `after`: as the catalog has it by now. Throws 23505, 42883 for keys, 55006. */
export async function rewriteValues(
	editor: SchemaEditor,
	before: CompositeDescriptor,
	after: CompositeDescriptor,
): Promise<void> {
	const types = typesWith(editor.catalog, before.oid);
	const convert = converter(editor.catalog, before, after, types);
	for (const table of [...editor.catalog.relations()]) {
		if (table.kind !== "table") continue;
		const isIn = liveColumns(table).map(({ type }) => types.has(namedOid(type.oid)));
		if (isIn.includes(true)) await rewriteTable(editor, table, isIn, convert);
	}
}

type Convert = (value: Datum, oid: number) => Datum;

/** `isIn`: of its live columns, those with such values. */
async function rewriteTable(
	editor: SchemaEditor,
	table: TableDescriptor,
	isIn: readonly boolean[],
	convert: Convert,
): Promise<void> {
	usable(table);
	refuseBuilding(table);
	refuseValidating(table, "all");
	if (editor.block.constraints.isPending(table.oid)) throw pendingEvents("ALTER TYPE", table.name);
	const live = liveColumns(table);
	const columns = table.columns.map((column) =>
		isIn[live.indexOf(column)] === true ? { ...column, missingText: undefined } : column,
	);
	const moved = await movedTable(editor, table, { ...table, columns });
	await editor.put(moved, "right");
	await rewriteRows(editor, table, moved, async (row) =>
		row.map((value, slot) => (isIn[slot] === true ? convert(value, live[slot]!.type.oid) : value)),
	);
	editor.dropIndexes(allIndexIds(table));
}

/** The value as it is after the change. */
function converter(
	catalog: CatalogSnapshot,
	before: CompositeDescriptor,
	after: CompositeDescriptor,
	types: ReadonlySet<number>,
): Convert {
	const had = liveAttributes(before).map(({ attnum }) => attnum);
	const sources = liveAttributes(after).map(({ attnum }) => had.indexOf(attnum));
	const convert: Convert = (value, oid) => {
		if (value === null || !types.has(namedOid(oid))) return value;
		if (isMadeArray(oid)) {
			const array = value as ArrayValue;
			return { ...array, elements: array.elements.map((one) => convertElement(one, oid)) };
		}
		const { fields } = value as RowValue;
		const attributes = liveAttributes(catalog.relation(oid) as CompositeDescriptor);
		return {
			kind: "row",
			fields: attributes.map(({ type }, i) => {
				const source = oid === after.oid ? sources[i]! : i;
				return source < 0 ? null : convert(fields[source]!, type.oid);
			}),
			types: attributes.map(({ type }) => type.oid),
		};
	};
	// Of one with several dimensions an element is an array.
	const convertElement = (value: Datum, oid: number): Datum =>
		convert(value, isArray(value) ? oid : elementOfMade(oid));
	return convert;
}
