/** All rows of a table, gone over in the transaction of a schema change. */
import type { TableDescriptor } from "../catalog/descriptor.ts";
import type { SessionState } from "../session/session-state.ts";
import { FenceRaisedError, WriteFences } from "../session/write-fence.ts";
import { beginSnapshot } from "./fill.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { hasMoreThan, type StoredRow, tableRows } from "./table-rows.ts";

/** Up to so many rows, what a schema change does to them is done in its own transaction. */
export const directRowsMax = 1000;

/** Looks in a transaction of its own: what the change itself reads would have to hold when it commits. */
export async function seemsLarge(state: SessionState, table: TableDescriptor): Promise<boolean> {
	const transaction = await beginSnapshot(state);
	try {
		return await hasMoreThan(transaction, table, directRowsMax);
	} finally {
		await transaction.rollback();
	}
}

export async function* wholeTable(
	editor: SchemaEditor,
	table: TableDescriptor,
): AsyncIterable<readonly StoredRow[]> {
	await keepWritersOut(editor, table);
	yield* tableRows(editor.transaction, table);
}

/**
 * What is read of its rows has to hold at commit, and others may be writing them: where there are many, those wait until the transaction has
 * ended (`../session/write-fence.ts`). Throws `FenceRaisedError` where that begins now: what was read before may have changed.
 */
export async function keepWritersOut(editor: SchemaEditor, table: TableDescriptor): Promise<void> {
	const { state, block } = editor;
	if (editor.isOwn(table) || block.fences?.has(table.oid) === true) return;
	if (!(await seemsLarge(state, table))) return;
	block.fences ??= new WriteFences(state.services);
	await block.fences.raise(table.oid);
	throw new FenceRaisedError();
}
