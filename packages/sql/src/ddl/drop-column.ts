/** ALTER TABLE ... DROP COLUMN: what goes with a column. */
import {
	type ColumnDescriptor,
	type IndexDescriptor,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { indexedColumns } from "../catalog/indexed-columns.ts";
import type { AlterTableAction } from "../parser/ast.ts";
import { dependent, dropReferrers, tellCascade } from "./constraints.ts";
import { dropAll, readsColumn } from "./dependencies.ts";
import { describeReferrer } from "./describe.ts";
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
	if (uses(table.primary)) {
		if (rewrite !== undefined && isFree(editor, table, column)) {
			await rewrite.dropKey(column.attnum);
			return rewrite.begin();
		}
		await releaseColumn(editor, table, column, action.cascade);
		const without = await dropPrimaryKey(editor, editor.current(table), action.cascade);
		return dropColumn(editor, without, action, by);
	}
	const followers = generatedFrom(table, column);
	if (followers.length > 0) {
		const dropped = await dropFollowers(editor, table, column, followers, action, by);
		return dropColumn(editor, dropped, action, by);
	}
	await releaseColumn(editor, table, column, action.cascade);
	await dropAll(editor, [{ kind: "column", table, column }], action.cascade);
	for (const sequence of ownedSequences(editor, table, column.attnum)) {
		await editor.remove(sequence);
	}
	const dropped = table.indexes.filter(uses);
	const { foreignKeys } = editor.current(table);
	const changed = withoutColumn({ ...table, foreignKeys }, column);
	await editor.put(changed, by);
	editor.dropIndexes(dropped.map((index) => index.indexId));
}

/** Whether nothing goes with it but what is the table's own, and its sequences. */
const isFree = (
	{ catalog }: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
): boolean =>
	generatedFrom(table, column).length === 0 &&
	catalog.referrersOf(table.oid).length === 0 &&
	!catalog.viewsOn(table.oid).some((view) => readsColumn(view, table.oid, column.attnum));

/** Generated columns go with a column that they are made of. Throws 2BP01. */
async function dropFollowers(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
	followers: readonly ColumnDescriptor[],
	action: Extract<AlterTableAction, { kind: "drop-column" }>,
	by: "owner" | "right",
): Promise<TableDescriptor> {
	const describe = (one: ColumnDescriptor): string => `column ${one.name} of table ${table.name}`;
	if (!action.cascade) {
		const lines = followers.map((one) => `${describe(one)} depends on ${describe(column)}`);
		throw dependent(describe(column), lines);
	}
	for (const { name } of followers) {
		await dropColumn(editor, editor.current(table), { ...action, name }, by);
	}
	tellCascade(editor, followers.map(describe));
	return editor.current(table);
}

/** Foreign keys of other tables that refer to it. Throws 2BP01. */
async function releaseColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
	cascade: boolean,
): Promise<void> {
	const all = editor.catalog
		.referrersOf(table.oid)
		.filter(({ key }) => key.referencedColumns.includes(column.attnum));
	const referrers = all.filter(
		({ table: child, key }) => child.oid !== table.oid || !key.columns.includes(column.attnum),
	);
	if (referrers.length > 0 && !cascade) {
		const what = `column ${column.name} of table ${table.name}`;
		throw dependent(
			what,
			referrers.map((one) => `${describeReferrer(editor, one)} depends on ${what}`),
		);
	}
	await dropReferrers(editor, all);
	tellCascade(
		editor,
		referrers.map((one) => describeReferrer(editor, one)),
	);
}
