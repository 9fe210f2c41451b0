/**
 * A table's primary key goes: the rows move under hidden row ids, with all indexes, since entries point to primary keys; within the
 * transaction, as for ALTER COLUMN ... TYPE. Its columns stay NOT NULL.
 */
import type { IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import { Env } from "../execute/env.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { TableWriter } from "../execute/table-writer.ts";
import { executionFor } from "../session/evaluate.ts";
import { releaseIndex } from "./constraints.ts";
import { usable } from "./create-index.ts";
import { insertMoved } from "./row-errors.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { rowidIndex } from "./table-parts.ts";
import { tableRows } from "./table-rows.ts";

/** The table as it is then. Throws 2BP01 where foreign keys refer to it. */
export async function dropPrimaryKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	cascade: boolean,
): Promise<TableDescriptor> {
	usable(table);
	const what = `constraint ${table.primary.name} on table ${table.name}`;
	await releaseIndex(editor, table, table.primary, what, cascade);
	const before = editor.current(table);
	const indexes: IndexDescriptor[] = [];
	for (const index of before.indexes) {
		indexes.push({ ...index, indexId: await editor.newDataId(table.schema) });
	}
	const after: TableDescriptor = {
		...before,
		primary: await rowidIndex(editor, table.schema, table.name),
		indexes,
	};
	await editor.put(after);
	await moveRows(editor, before, after);
	editor.dropIndexes(allIndexIds(before));
	return after;
}

async function moveRows(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
): Promise<void> {
	const { state, block, transaction } = editor;
	const env = new Env(await executionFor(state, block), []);
	const writer = new TableWriter(tableCodec(after), []);
	for await (const page of tableRows(transaction, before)) {
		for (const { row } of page) {
			await insertMoved(writer, row, await writer.newKeySlowly(row, env), env);
		}
		await transaction.flush();
	}
}
