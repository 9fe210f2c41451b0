/** ADD COLUMN, and what changes of a table do with the rows that it has. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import {
	hasPrimaryKey,
	isGenerated,
	liveColumns,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { storageContext } from "../execute/column-codec.ts";
import { Env, type ExecRow } from "../execute/env.ts";
import type { IndexCodec } from "../execute/index-codec.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { TableWriter } from "../execute/table-writer.ts";
import type { AlterTableAction, TableConstraint } from "../parser/ast.ts";
import {
	bindDefault,
	bindGenerated,
	storedExpression,
	tableRelation,
	tableWriter,
} from "../plan/bind-table.ts";
import type { Bound } from "../plan/bound.ts";
import { type Compiled, compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { Layout } from "../plan/relation.ts";
import { isVolatile } from "../plan/relations-of.ts";
import { binderFor, executionFor } from "../session/evaluate.ts";
import { storedType, type TypeContext } from "../types/registry.ts";
import { isKey, type NewColumn, newColumn, requireColumnName } from "./column-definition.ts";
import { duplicated } from "./create-index.ts";
import { columnConstraint } from "./create-table.ts";
import { withGenerated } from "./generated.ts";
import type { Rewrite } from "./rewrite.ts";
import { asAlterError, checkKeyColumns, containsNull, insertMoved } from "./row-errors.ts";
import type { RowWork } from "./row-work.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import type { StoredRow } from "./table-rows.ts";
import { unplaced } from "./unplaced.ts";
import { wholeTable } from "./whole-table.ts";

type AddColumn = Extract<AlterTableAction, { kind: "add-column" }>;

/** Answers with the constraints that are to follow it. */
export async function addColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AddColumn,
	rows: RowWork,
): Promise<readonly TableConstraint[]> {
	const { column: definition } = action;
	const { name } = definition;
	requireColumnName(name);
	if (liveColumns(table).some((one) => one.name === name)) {
		const message = `column "${name}" of relation "${table.name}" already exists`;
		if (!action.ifNotExists) throw new DatabaseError("42701", message);
		editor.state.notice("NOTICE", "42701", `${message}, skipping`);
		return [];
	}
	const [made, after] = await withNewColumn(editor, table, definition, new Set());
	const makesIndex = definition.constraints.some(isKey);
	const job = await rows.job(table);
	if (job !== undefined && (makesIndex || (await isOfEachRow(editor, made, after)))) {
		if (await job.add(after, made, definition)) {
			await job.begin();
			return [];
		}
	}
	if (made.sequence !== undefined) {
		await editor.put({
			...made.sequence,
			ownedBy: { tableOid: table.oid, attnum: table.nextAttnum },
		});
	}
	await editor.put(await withExistingRows(editor, table, after, rows));
	rows.join();
	return definition.constraints.flatMap((one) => columnConstraint(one, name) ?? []);
}

/** Together with others, if it can be: false, and nothing is changed. */
export async function shareColumn(
	editor: SchemaEditor,
	rewrite: Rewrite,
	{ column }: AddColumn,
): Promise<boolean> {
	if (liveColumns(rewrite.table).some(({ name }) => name === column.name)) return false;
	const [made, after] = await withNewColumn(editor, rewrite.table, column, rewrite.taken);
	return rewrite.add(after, made, column);
}

async function withNewColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	definition: AddColumn["column"],
	taken: ReadonlySet<string>,
): Promise<readonly [NewColumn, TableDescriptor]> {
	const { schema, name, nextAttnum } = table;
	const made = await newColumn(editor, schema, name, definition, nextAttnum, taken);
	const columns = [...table.columns, made.column];
	const changed = { ...table, columns, nextAttnum: nextAttnum + 1 };
	try {
		return [made, withGenerated(editor, changed, [made])];
	} catch (error) {
		throw unplaced(error);
	}
}

/** Whether rows that are there get values of their own. */
async function isOfEachRow(
	editor: SchemaEditor,
	{ generated, sequence }: NewColumn,
	after: TableDescriptor,
): Promise<boolean> {
	if (generated !== undefined || sequence !== undefined) return true;
	return isVolatile((await defaultOf(editor, after)).bound);
}

/** What rows that are there already have in a new column: one value for all, or one for each that is written. */
async function withExistingRows(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
	rows: RowWork,
): Promise<TableDescriptor> {
	if (!(await rows.hasRows())) return after;
	const column = after.columns.at(-1)!;
	if (isGenerated(column)) {
		rows.rewrite(() => generateRows(editor, before, after));
		return after;
	}
	const { bound, compiled, env } = await defaultOf(editor, after);
	if (!isVolatile(bound)) {
		const value = await compiled.evaluate([], env);
		if (value === null && column.notNull) rows.check();
		if (value === null) return after;
		const type = storedType(column.type.oid)!;
		const missingText = type.format(value, storageContext);
		return { ...after, columns: [...before.columns, { ...column, missingText }] };
	}
	rows.rewrite(() =>
		rewriteRows(editor, before, after, async (row) => [...row, await compiled.evaluate([], env)]),
	);
	return after;
}

/** Rows that are there get the values of a generated column. */
async function generateRows(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
): Promise<void> {
	const { state, block } = editor;
	const binder = await binderFor(state, block, undefined, []);
	const planner = new Planner(binder.environment.catalog);
	const column = after.columns.at(-1)!;
	const relation = tableRelation(after, undefined);
	const expression = storedExpression(column.generatedText!);
	const bound = bindGenerated(binder, column, relation, expression);
	const compiled = compile(bound, CompileScope.root(planner).inner(Layout.of(relation)));
	const env = new Env(await executionFor(state, block), []);
	await rewriteRows(editor, before, after, async (row) => {
		const value = await compiled.evaluate([...row, null], env);
		if (value !== null || !column.notNull) return [...row, value];
		throw containsNull(after, column.name);
	});
}

async function defaultOf(
	editor: SchemaEditor,
	table: TableDescriptor,
): Promise<{ readonly bound: Bound; readonly compiled: Compiled; readonly env: Env }> {
	const { state, block } = editor;
	const binder = await binderFor(state, block, undefined, []);
	const planner = new Planner(binder.environment.catalog);
	const bound = bindDefault(binder, table.columns.at(-1)!);
	const compiled = compile(bound, CompileScope.root(planner).inner());
	return { bound, compiled, env: new Env(await executionFor(state, block), []) };
}

/**
 * Writes all rows anew as `after` has them, within the transaction; where its indexes are others, with all entries. `convert`: a row's new
 * form, which satisfies the table. Throws 23505, 23502 for a key.
 */
export async function rewriteRows(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
	convert: (row: ExecRow) => Promise<ExecRow> = async (row) => row,
): Promise<void> {
	const { state, block, transaction } = editor;
	const moves = before.primary.indexId !== after.primary.indexId;
	const env = new Env(await executionFor(state, block), []);
	const writer = new TableWriter(tableCodec(after), []);
	const isUnique = uniqueTest(after, writer.codec.secondary, state.context);
	for await (const page of wholeTable(editor, before)) {
		const moved: StoredRow[] = [];
		for (const stored of page) {
			const row = await convert(stored.row);
			if (!moves) {
				writer.replaceValue(row, stored.key, env);
				continue;
			}
			checkKeyColumns(writer.codec.primary, [{ ...stored, row }]);
			isUnique(row);
			const key =
				hasPrimaryKey(before) || hasPrimaryKey(after)
					? await writer.newKeySlowly(row, env)
					: writer.codec.primary.movedKey(stored.key);
			moved.push({ row, key });
		}
		await insertMoved(writer, moved, env);
		await transaction.flush();
	}
}

/** Of constraints that are deferrable, whose keys nobody else looks at here. Throws 23505. */
function uniqueTest(
	table: TableDescriptor,
	indexes: readonly IndexCodec[],
	context: TypeContext,
): (row: ExecRow) => void {
	const seen = new Set<Key>();
	return (row) => {
		for (const codec of indexes) {
			const shared = codec.sharedKey(row);
			if (shared === undefined) continue;
			if (seen.has(shared)) throw duplicated(table, codec.index, row, context);
			seen.add(shared);
		}
	};
}

/** Throws 23502 or 23514 if a row does not satisfy the table as it is to be. `checks`: names of those that are looked at, or all that are valid. */
export async function checkRows(
	editor: SchemaEditor,
	given: TableDescriptor,
	checks: ReadonlySet<string> | "all",
): Promise<void> {
	const isMeant = ({ name, notValid }: TableDescriptor["checks"][number]): boolean =>
		checks === "all" ? notValid === undefined : checks.has(name);
	const table = { ...given, checks: given.checks.filter(isMeant) };
	const { state, block } = editor;
	const binder = await binderFor(state, block, undefined, []);
	const planner = new Planner(binder.environment.catalog);
	const writer = tableWriter(binder, table, CompileScope.root(planner));
	const env = new Env(await executionFor(state, block), []);
	for await (const page of wholeTable(editor, table)) {
		for (const { row } of page) {
			try {
				const waiting = writer.validate([...row], env);
				if (waiting !== undefined) await waiting;
			} catch (error) {
				throw asAlterError(error, table);
			}
		}
	}
}
