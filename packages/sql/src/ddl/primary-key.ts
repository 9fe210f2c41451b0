/**
 * A table's primary key goes: the rows move under hidden row ids, with all indexes, since entries point to primary keys. Of a table with many
 * rows a job does it (`rewrite.ts`); here it is done within the transaction. Its columns stay NOT NULL.
 */
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import { rewriteRows } from "./alter-column.ts";
import { releaseIndex } from "./constraints.ts";
import { usable } from "./create-index.ts";
import { describeConstraint } from "./describe.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { movedIndexes, rowidIndex } from "./table-parts.ts";

/** The table as it is then. Throws 2BP01 where foreign keys refer to it. */
export async function dropPrimaryKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	cascade: boolean,
): Promise<TableDescriptor> {
	usable(table);
	const what = describeConstraint(editor, table, table.primary);
	await releaseIndex(editor, table, table.primary, what, cascade);
	const before = editor.current(table);
	const after: TableDescriptor = {
		...before,
		primary: await rowidIndex(editor, table.schema, table.name),
		indexes: await movedIndexes(editor, before),
	};
	await editor.put(after);
	await rewriteRows(editor, before, after);
	editor.dropIndexes(allIndexIds(before));
	return after;
}
