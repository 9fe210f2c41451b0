/** Errors of constraints, with the words that drivers parse. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import {
	type IndexDescriptor,
	indexColumnType,
	liveColumns,
	rewritten,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { decodeId, indexPrefixLength, isIndexKey } from "../catalog/keys.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { indexColumnText } from "../catalog/system-definitions.ts";
import type { Datum } from "../types/datum.ts";
import { type TypeContext, typeByOid } from "../types/registry.ts";
import { invertBytes } from "./index-codec.ts";
import { indexCodec } from "./table-codec.ts";

/** Before a value in the key of an index that is not primary. */
const notNullMark = 1;

const textOf = (oid: number, value: Datum, context: TypeContext): string =>
	value === null ? "null" : typeByOid(oid)!.format(value, context);

/** (id)=(1) */
function describeValues(
	table: TableDescriptor,
	index: IndexDescriptor,
	values: readonly Datum[],
	context: TypeContext,
): string {
	const columns = index.columns.slice(0, values.length);
	const names = columns.map((column) => indexColumnText(table, column, true)).join(", ");
	const texts = columns.map((column, i) =>
		textOf(indexColumnType(table, column).oid, values[i]!, context),
	);
	return `(${names})=(${texts.join(", ")})`;
}

function duplicate(
	table: TableDescriptor,
	index: IndexDescriptor,
	values: readonly Datum[],
	context: TypeContext,
): DatabaseError {
	return new DatabaseError(
		"23505",
		`duplicate key value violates unique constraint "${index.name}"`,
		{
			detail: `Key ${describeValues(table, index, values, context)} already exists.`,
			schema: table.schema,
			table: table.name,
			constraint: index.name,
		},
	);
}

export function uniqueViolation(
	table: TableDescriptor,
	index: IndexDescriptor,
	row: readonly Datum[],
	context: TypeContext,
): DatabaseError {
	return duplicate(table, index, indexValues(table, index, row), context);
}

/** `(id)=(1)` of a row. */
export const describeRow = (
	table: TableDescriptor,
	index: IndexDescriptor,
	row: readonly Datum[],
	context: TypeContext,
): string => describeValues(table, index, indexValues(table, index, row), context);

/** What the row has in the index's columns. */
function indexValues(
	table: TableDescriptor,
	index: IndexDescriptor,
	row: readonly Datum[],
): readonly Datum[] {
	const codec = indexCodec(table, index);
	return codec.columns.map((column) => codec.valueOf(column, row));
}

/** From a key that a deferred insertion found taken. */
export function keyViolation(
	catalog: CatalogSnapshot,
	key: Key,
	context: TypeContext,
): DatabaseError {
	const entry = entryOf(catalog, key);
	return entry === undefined
		? new DatabaseError("23505", "duplicate key value violates unique constraint")
		: duplicate(entry.table, entry.index, entry.values, context);
}

/** `(id)=(1) of table "account"`, without values that are not to be seen; undefined: no key of a table. */
export function describeKey(
	catalog: CatalogSnapshot,
	key: Key,
	context: TypeContext,
	isSeen: (table: TableDescriptor) => boolean,
): string | undefined {
	const entry = entryOf(catalog, key);
	if (entry === undefined) return undefined;
	const { table, index, values } = entry;
	const isShown = values.length > 0 && isSeen(table);
	const shown = isShown ? describeValues(table, index, values, context) : "";
	return `${shown} of table "${table.name}"`.trim();
}

/** The name of the table that a key belongs to. */
export const tableOfKey = (catalog: CatalogSnapshot, key: Key): string | undefined =>
	entryOf(catalog, key)?.table.name;

interface KeyEntry {
	readonly table: TableDescriptor;
	readonly index: IndexDescriptor;
	readonly values: readonly Datum[];
}

function entryOf(catalog: CatalogSnapshot, key: Key): KeyEntry | undefined {
	if (!isIndexKey(key)) return undefined;
	const indexId = decodeId(key, 1);
	for (const relation of catalog.relations()) {
		if (relation.kind !== "table") continue;
		for (const table of [relation, rewritten(relation)]) {
			if (table === undefined) continue;
			const all = [table.primary, ...table.indexes];
			const index = all.find((candidate) => candidate.indexId === indexId);
			if (index === undefined) continue;
			return { table, index, values: decodeKey(table, index, index === table.primary, key) };
		}
	}
	return undefined;
}

/** Values of its columns; fewer where the key is only the beginning of one. */
function decodeKey(
	table: TableDescriptor,
	index: IndexDescriptor,
	isPrimary: boolean,
	key: Key,
): readonly Datum[] {
	const values: Datum[] = [];
	let offset = indexPrefixLength;
	for (const column of index.columns) {
		if (offset >= key.length) break;
		const bytes = column.descending ? invertBytes(key) : key;
		if (!isPrimary && bytes.charCodeAt(offset++) !== notNullMark) {
			values.push(null);
			continue;
		}
		const codec = typeByOid(indexColumnType(table, column).oid)!.keyCodec!;
		const { value, next } = codec.decode(bytes, offset);
		offset = next;
		values.push(value);
	}
	return values;
}

function failingRow(table: TableDescriptor, row: readonly Datum[], context: TypeContext): string {
	const texts = liveColumns(table).map((column, i) => {
		const text = textOf(column.type.oid, row[i]!, context);
		return text.length > 64 ? `${text.slice(0, 64)}...` : text;
	});
	return `Failing row contains (${texts.join(", ")}).`;
}

export function notNullViolation(
	table: TableDescriptor,
	slot: number,
	row: readonly Datum[],
	context: TypeContext,
): DatabaseError {
	const column = liveColumns(table)[slot]!.name;
	return new DatabaseError(
		"23502",
		`null value in column "${column}" of relation "${table.name}" violates not-null constraint`,
		{
			detail: failingRow(table, row, context),
			schema: table.schema,
			table: table.name,
			column,
		},
	);
}

/** WITH CHECK OPTION. */
export const viewViolation = (
	table: TableDescriptor,
	view: string,
	row: readonly Datum[],
	context: TypeContext,
): DatabaseError =>
	new DatabaseError("44000", `new row violates check option for view "${view}"`, {
		detail: failingRow(table, row, context),
	});

export function checkViolation(
	table: TableDescriptor,
	name: string,
	row: readonly Datum[],
	context: TypeContext,
): DatabaseError {
	return new DatabaseError(
		"23514",
		`new row for relation "${table.name}" violates check constraint "${name}"`,
		{
			detail: failingRow(table, row, context),
			schema: table.schema,
			table: table.name,
			constraint: name,
		},
	);
}
