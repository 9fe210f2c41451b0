/** ALTER TABLE ... DROP COLUMN: what goes with a column. */
import {
	type ColumnDescriptor,
	type IndexDescriptor,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { indexedColumns } from "../catalog/indexed-columns.ts";
import type { AlterTableAction } from "../parser/ast.ts";
import { dropReferrers } from "./constraints.ts";
import { dropAll, readsColumn } from "./dependencies.ts";
import { ownedSequences } from "./drop.ts";
import { generatedFrom } from "./generated.ts";
import { dropPrimaryKey } from "./primary-key.ts";
import type { Rewrite } from "./rewrite.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { columnNamed } from "./table-parts.ts";
import { withoutColumn } from "./without-column.ts";

/** ALTER TABLE ... DROP COLUMN. Throws 2BP01. */
export async function dropColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "drop-column" }>,
	by: "owner" | "right" = "owner",
	rewrite: Rewrite | undefined = undefined,
): Promise<void> {
	const column = liveColumns(table).find((one) => one.name === action.name);
	if (column === undefined) {
		if (!action.ifExists) columnNamed(table, action.name);
		editor.state.notice(
			"NOTICE",
			"00000",
			`column "${action.name}" of relation "${table.name}" does not exist, skipping`,
		);
		return;
	}
	const uses = (index: IndexDescriptor): boolean => indexedColumns(table, index).has(column.attnum);
	if (uses(table.primary) && rewrite !== undefined && isFree(editor, table, column)) {
		await rewrite.dropKey(column.attnum);
		return rewrite.begin();
	}
	await dropAll(editor, [{ kind: "column", table, column }], action.cascade);
	await dropReferrers(editor, ownKeys(editor, table, column));
	if (uses(table.primary)) await dropPrimaryKey(editor, editor.current(table), action.cascade);
	const current = editor.current(table);
	for (const sequence of ownedSequences(editor, table, column.attnum)) {
		await editor.remove(sequence);
	}
	const dropped = current.indexes.filter(uses);
	await editor.put(withoutColumn(current, column), by);
	editor.dropIndexes(dropped.map((index) => index.indexId));
}

/** Foreign keys that the column is in, where they refer to its own table. */
const ownKeys = (
	{ catalog }: SchemaEditor,
	{ oid }: TableDescriptor,
	{ attnum }: ColumnDescriptor,
) =>
	catalog
		.referrersOf(oid)
		.filter(({ table, key }) => table.oid === oid && key.columns.includes(attnum));

/** Whether nothing goes with it but what is the table's own, and its sequences. */
const isFree = (
	{ catalog }: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
): boolean =>
	generatedFrom(table, column).length === 0 &&
	catalog.referrersOf(table.oid).length === 0 &&
	!catalog.viewsOn(table.oid).some((view) => readsColumn(view, table.oid, column.attnum));
