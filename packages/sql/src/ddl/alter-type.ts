/**
 * ALTER COLUMN ... TYPE: the rows are written anew under new prefixes, with all indexes, since keys may hold the column. Of a table with many
 * rows a job does it (`rewrite.ts`); here it is done within the transaction.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type ColumnDescriptor,
	columnByAttnum,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import { columnCodec } from "../execute/column-codec.ts";
import { Env, type ExecRow } from "../execute/env.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { AlterTableAction, Expression } from "../parser/ast.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import { bindDefault, storedExpression, tableRelation } from "../plan/bind-table.ts";
import type { Bound } from "../plan/bound.ts";
import { coerce } from "../plan/coerce.ts";
import { compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { Layout, type Relation } from "../plan/relation.ts";
import { Scope } from "../plan/scope.ts";
import { resolveTypeName } from "../plan/type-name.ts";
import { binderFor, executionFor } from "../session/evaluate.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { checkRows, rewriteRows } from "./alter-column.ts";
import { columnsIn, deparse } from "./deparse.ts";
import { readsColumn } from "./dependencies.ts";
import { shownName } from "./describe.ts";
import { generatedFrom } from "./generated.ts";
import { changedForm } from "./index-columns.ts";
import { type Rewrite, refuseBuilding } from "./rewrite.ts";
import { containsNull, usedByView } from "./row-errors.ts";
import { type SchemaEditor, withSchemas } from "./schema-editor.ts";
import {
	bindCheck,
	checkIndexable,
	columnNamed,
	movedIndex,
	movedIndexes,
	replaceColumn,
} from "./table-parts.ts";
import { unplaced } from "./unplaced.ts";
import { refuseValidating } from "./validation.ts";

type AlterType = Extract<AlterTableAction, { kind: "alter-type" }>;

export async function alterType(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AlterType,
	rewrite: Rewrite | undefined = undefined,
): Promise<void> {
	const { column, after, value, isLater } = await prepared(editor, table, action, rewrite);
	if (rewrite !== undefined && isLater) return rewrite.begin();
	const moved = await movedTable(editor, table, after);
	await editor.put(moved);
	await rewriteRows(editor, table, moved, await converter(editor, table, moved, column, value));
	editor.dropIndexes(allIndexIds(table));
	const isChecked =
		columnByAttnum(after, column.attnum).type.domain !== undefined ||
		after.checks.some(({ text }) => columnsIn(storedExpression(text)).has(column.name));
	if (isChecked) await checkRows(editor, moved, undefined);
}

/** Together with others, if it can be: false, and nothing is changed. */
export async function shareType(
	editor: SchemaEditor,
	rewrite: Rewrite,
	action: AlterType,
): Promise<boolean> {
	const { column } = action;
	const isThere = (table: TableDescriptor, type?: SqlType): boolean =>
		liveColumns(table).some((one) => one.name === column && (!type || one.type === type));
	const type = liveColumns(rewrite.before).find(({ name }) => name === column)?.type;
	// One that comes with it, or is altered twice.
	if (isThere(rewrite.table) && (type === undefined || !isThere(rewrite.table, type))) return false;
	return (await prepared(editor, rewrite.table, action, rewrite)).isLater;
}

interface Prepared {
	readonly column: ColumnDescriptor;
	/** The table with the column of the other type; its indexes are as they were. */
	readonly after: TableDescriptor;
	/** Over a row as it was. */
	readonly value: Converted;
	readonly isLater: boolean;
}

interface Converted {
	readonly relation: Relation;
	readonly bound: Bound;
}

async function prepared(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AlterType,
	rewrite: Rewrite | undefined,
): Promise<Prepared> {
	const column = columnNamed(table, action.column);
	const type = wantedType(editor, action);
	refuseUses(editor, table, column);
	const node = action.using ?? columnNode(column.name);
	const value = await conversion(editor, rewrite?.before ?? table, column, type, action.using);
	const after = await withType(editor, table, column, type);
	const text = rewrite && textOf(editor, node);
	const isLater =
		text !== undefined && rewrite?.alter(after, column.attnum, value.bound, text) === true;
	return { column, after, value, isLater };
}

const columnNode = (name: string): Expression => ({
	kind: "column",
	name: { parts: [name], at: -1 },
	at: -1,
});

/** Undefined where no text says it. */
function textOf(editor: SchemaEditor, node: Expression): string | undefined {
	try {
		return withSchemas(editor, deparse(node, editor.asWritten));
	} catch (error) {
		if (error instanceof DatabaseError && error.code === "0A000") return undefined;
		throw error;
	}
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
	refuseBuilding(table);
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
		throw usedByView(shownName(editor, view), name);
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

/** The new value of the column. Throws 42804. */
async function conversion(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
	type: SqlType,
	using: Expression | undefined,
): Promise<Converted> {
	const { state, block } = editor;
	const binder = await binderFor(state, block, undefined, []);
	const relation = tableRelation(table, undefined);
	const scope = new Scope(undefined);
	scope.add(relation);
	const place = { binder, scope, clause: "transform expressions", aggregates: false, sets: false };
	const given = bindExpression(place, using ?? columnNode(column.name));
	try {
		return { relation, bound: coerce(binder, given, type, "assignment", column.name) };
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

/** Throws 42804, 42883, 42704, 22023 where default, checks or keys do not go with the type. */
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
	const isKey = [table.primary, ...table.indexes].some(({ columns }) =>
		columns.some(({ attnum }) => attnum === column.attnum),
	);
	if (isKey) checkIndexable(changed);
	const after = replaceColumn(table, column, changed);
	placeless(() => {
		for (const { text } of after.checks) bindCheck(editor, after, storedExpression(text));
	});
	return after;
}

/** Under new prefixes. */
async function movedTable(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
): Promise<TableDescriptor> {
	const indexes = await movedIndexes(editor, after);
	return {
		...after,
		primary: await movedIndex(editor, after, after.primary),
		indexes: indexes.map((index) => changedForm(editor, index, before, after)),
	};
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

async function converter(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
	column: ColumnDescriptor,
	{ relation, bound }: Converted,
): Promise<(row: ExecRow) => Promise<ExecRow>> {
	const { state, block } = editor;
	const planner = new Planner(editor.catalog);
	const value = compile(bound, CompileScope.root(planner).inner(Layout.of(relation)));
	const slot = liveColumns(before).indexOf(column);
	const env = new Env(await executionFor(state, block), []);
	return async (stored) => {
		const row: Datum[] = [...stored];
		row[slot] = await value.evaluate(stored, env);
		if (row[slot] === null && column.notNull) throw containsNull(after, column.name);
		return row;
	};
}
