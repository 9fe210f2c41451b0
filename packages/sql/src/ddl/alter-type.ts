/**
 * ALTER COLUMN ... TYPE: the rows are written anew under new prefixes, with all indexes, since keys may hold the column; within the
 * transaction, as for ADD COLUMN with a value for each row.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import {
	type ColumnDescriptor,
	hasPrimaryKey,
	type IndexDescriptor,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import { indexPrefix, indexPrefixLength } from "../catalog/keys.ts";
import { columnCodec } from "../execute/column-codec.ts";
import { Env, type ExecRow } from "../execute/env.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { TableWriter } from "../execute/table-writer.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { AlterTableAction, Expression } from "../parser/ast.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import { bindDefault, storedExpression, tableRelation } from "../plan/bind-table.ts";
import { coerce } from "../plan/coerce.ts";
import { type Compiled, compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { Layout } from "../plan/relation.ts";
import { Scope } from "../plan/scope.ts";
import { resolveTypeName } from "../plan/type-name.ts";
import { binderFor, executionFor } from "../session/evaluate.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { checkRows } from "./alter-column.ts";
import { columnsIn } from "./deparse.ts";
import { readsColumn } from "./dependencies.ts";
import { shownName } from "./describe.ts";
import { generatedFrom } from "./generated.ts";
import { changedForm } from "./index-columns.ts";
import { containsNull, insertMoved } from "./row-errors.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { bindCheck, checkIndexable, columnNamed } from "./table-parts.ts";
import { tableRows } from "./table-rows.ts";
import { unplaced } from "./unplaced.ts";
import { refuseValidating } from "./validation.ts";

type AlterType = Extract<AlterTableAction, { kind: "alter-type" }>;

export async function alterType(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AlterType,
): Promise<void> {
	const column = columnNamed(table, action.column);
	const type = wantedType(editor, action);
	refuseUses(editor, table, column);
	const value = await conversion(editor, table, column, type, action.using);
	const after = await withType(editor, table, column, type);
	await editor.put(after);
	await rewrite(editor, table, after, column, value);
	editor.dropIndexes(allIndexIds(table));
	const isChecked =
		type.domain !== undefined ||
		after.checks.some(({ text }) => columnsIn(storedExpression(text)).has(column.name));
	if (isChecked) await checkRows(editor, after, undefined);
}

function placeless<T>(body: () => T): T {
	try {
		return body();
	} catch (error) {
		throw unplaced(error);
	}
}

/** Throws 42704, 42P16. */
function wantedType(editor: SchemaEditor, { column, type: name }: AlterType): SqlType {
	const type = placeless(() => resolveTypeName(name, editor.types));
	editor.requireUsage(type);
	const found = typeByOid(type.oid);
	if (found === undefined || found.category === "P" || type.oid === 705) {
		throw new DatabaseError("42P16", `column "${column}" has pseudo-type ${formatType(type)}`);
	}
	columnCodec(type.oid);
	return type;
}

/** What would mean something else, or is not whole yet. Throws 0A000, 55006. */
function refuseUses(editor: SchemaEditor, table: TableDescriptor, column: ColumnDescriptor): void {
	const name = column.name;
	const building = table.indexes.find(({ state }) => state !== "public");
	if (building !== undefined) {
		throw new DatabaseError(
			"55006",
			`cannot alter table "${table.name}" because index "${building.name}" is being built`,
			{ hint: "Try again when the index is there." },
		);
	}
	refuseValidating(table, "all");
	if (column.generatedText !== undefined) {
		throw new DatabaseError("0A000", "cannot alter type of a generated column", {
			hint: "Drop the column and add it with the other type.",
		});
	}
	const [generated] = generatedFrom(table, column);
	if (generated !== undefined) {
		throw new DatabaseError("0A000", "cannot alter type of a column used by a generated column", {
			detail: `Column "${name}" is used by generated column "${generated.name}".`,
		});
	}
	const view = editor.catalog
		.viewsOn(table.oid)
		.find((one) => readsColumn(one, table.oid, column.attnum));
	if (view !== undefined) {
		throw new DatabaseError("0A000", "cannot alter type of a column used by a view or rule", {
			detail: `rule _RETURN on view ${shownName(editor, view)} depends on column "${name}"`,
		});
	}
	const isOfKey =
		table.foreignKeys.some(({ columns }) => columns.includes(column.attnum)) ||
		editor.catalog
			.referrersOf(table.oid)
			.some(({ key }) => key.referencedColumns.includes(column.attnum));
	if (isOfKey) {
		throw new DatabaseError(
			"0A000",
			"altering the type of a column of a foreign key is not supported",
			{
				hint: "Drop the foreign key first, and add it again.",
			},
		);
	}
}

const article = (using: Expression | undefined, name: string): string =>
	using === undefined ? `column "${name}"` : `result of USING clause for column "${name}"`;

/** The new value of a row. Throws 42804. */
async function conversion(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
	type: SqlType,
	using: Expression | undefined,
): Promise<Compiled> {
	const { state, block } = editor;
	const binder = await binderFor(state, block, undefined, []);
	const planner = new Planner(binder.environment.catalog);
	const relation = tableRelation(table, undefined);
	const scope = new Scope(undefined);
	scope.add(relation);
	const place = { binder, scope, clause: "transform expressions", aggregates: false, sets: false };
	const node: Expression = using ?? {
		kind: "column",
		name: { parts: [column.name], at: -1 },
		at: -1,
	};
	const bound = bindExpression(place, node);
	try {
		const converted = coerce(binder, bound, type, "assignment", column.name);
		return compile(converted, CompileScope.root(planner).inner(Layout.of(relation)));
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42804") throw unplaced(error);
		const to = formatType({ oid: type.oid, modifier: -1 });
		throw new DatabaseError(
			"42804",
			`${article(using, column.name)} cannot be cast automatically to type ${to}`,
			{
				hint:
					using === undefined
						? `You might need to specify "USING ${quoteIdentifier(column.name)}::${formatType(type)}".`
						: "You might need to add an explicit cast.",
			},
		);
	}
}

/** Under new prefixes. Throws 42804, 42883, 42704, 22023 where default, checks or keys do not go with the type. */
async function withType(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
	type: SqlType,
): Promise<TableDescriptor> {
	const changed: ColumnDescriptor = { ...column, type, missingText: undefined };
	if (column.identity !== undefined && ![20, 21, 23].includes(type.oid)) {
		throw new DatabaseError("22023", "identity column type must be smallint, integer, or bigint");
	}
	await checkDefault(editor, changed);
	const fresh = async (index: IndexDescriptor): Promise<IndexDescriptor> => ({
		...index,
		indexId: await editor.newDataId(table.schema),
	});
	const indexes: IndexDescriptor[] = [];
	for (const index of table.indexes) indexes.push(await fresh(index));
	const isKey = [table.primary, ...table.indexes].some(({ columns }) =>
		columns.some(({ attnum }) => attnum === column.attnum),
	);
	if (isKey) checkIndexable(changed);
	const after: TableDescriptor = {
		...table,
		columns: table.columns.map((one) => (one === column ? changed : one)),
		primary: await fresh(table.primary),
		indexes,
	};
	const formed: TableDescriptor = {
		...after,
		indexes: after.indexes.map((index) => changedForm(editor, index, table, after)),
	};
	placeless(() => {
		for (const { text } of after.checks) bindCheck(editor, after, storedExpression(text));
	});
	return formed;
}

/** Throws 42804. */
async function checkDefault(editor: SchemaEditor, column: ColumnDescriptor): Promise<void> {
	if (column.defaultText === undefined) return;
	const binder = await binderFor(editor.state, editor.block, undefined, []);
	try {
		bindDefault(binder, column);
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42804") throw unplaced(error);
		const to = formatType({ oid: column.type.oid, modifier: -1 });
		throw new DatabaseError(
			"42804",
			`default for column "${column.name}" cannot be cast automatically to type ${to}`,
		);
	}
}

async function rewrite(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
	column: ColumnDescriptor,
	value: Compiled,
): Promise<void> {
	const { state, block, transaction } = editor;
	const slot = liveColumns(before).indexOf(column);
	const env = new Env(await executionFor(state, block), []);
	const writer = new TableWriter(tableCodec(after), []);
	const keyOf = (row: ExecRow, old: Key): Key =>
		hasPrimaryKey(after)
			? writer.codec.primary.primaryKey(row)
			: ((indexPrefix(after.primary.indexId) + old.slice(indexPrefixLength)) as Key);
	for await (const page of tableRows(transaction, before)) {
		for (const stored of page) {
			const row: Datum[] = [...stored.row];
			row[slot] = await value.evaluate(stored.row, env);
			if (row[slot] === null && column.notNull) {
				throw containsNull(after, column.name);
			}
			await insertMoved(writer, row, keyOf(row, stored.key), env);
		}
		await transaction.flush();
	}
}
