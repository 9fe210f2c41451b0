/**
 * ALTER COLUMN ... TYPE: the rows are written anew under new prefixes, with all indexes, since keys may hold the column. Of a table with many
 * rows a job does it (`rewrite.ts`); here it is done within the transaction.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type ColumnDescriptor,
	columnByAttnum,
	liveColumns,
	ofType,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import type { Referrer } from "../catalog/snapshot.ts";
import { columnCodec } from "../execute/column-codec.ts";
import { Env, type ExecRow } from "../execute/env.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { AlterTableAction, Expression } from "../parser/ast.ts";
import { bindExpression } from "../plan/bind-expression.ts";
import {
	bindDefault,
	bindGenerated,
	referencedTable,
	storedExpression,
	tableRelation,
} from "../plan/bind-table.ts";
import type { Bound } from "../plan/bound.ts";
import { coerce } from "../plan/coerce.ts";
import { compile } from "../plan/compile.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { Layout, type Relation } from "../plan/relation.ts";
import { Scope } from "../plan/scope.ts";
import { collationOf, resolveTypeName } from "../plan/type-name.ts";
import { binderFor, executionFor } from "../session/evaluate.ts";
import type { Datum, SqlType } from "../types/datum.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { rewriteRows } from "./alter-column.ts";
import { alteredSequence } from "./alter-sequence.ts";
import { columnsIn, deparse } from "./deparse.ts";
import { readsColumn } from "./dependencies.ts";
import { shownName } from "./describe.ts";
import { ownedSequences } from "./drop.ts";
import { checkKeyTypes, checkReferences } from "./foreign-key.ts";
import { generatedFrom } from "./generated.ts";
import { changedForm } from "./index-columns.ts";
import { type Rewrite, refuseBuilding } from "./rewrite.ts";
import { containsNull, usedByView } from "./row-errors.ts";
import type { RowWork } from "./row-work.ts";
import { type SchemaEditor, withSchemas } from "./schema-editor.ts";
import {
	checkIndexable,
	checkText,
	columnNamed,
	movedIndex,
	movedIndexes,
	replaceColumn,
} from "./table-parts.ts";
import { unplaced } from "./unplaced.ts";
import { refuseValidating } from "./validation.ts";

type AlterType = Extract<AlterTableAction, { kind: "alter-type" }>;

/** What is known of such an action before any action of its statement is taken. */
export interface TypeChange {
	readonly action: AlterType;
	readonly attnum: number;
	readonly type: SqlType;
	/** Its new value, over a row as it was. */
	readonly value: Converted;
}

interface Converted {
	readonly relation: Relation;
	readonly bound: Bound;
}

/** `table`: as it was before all actions. Throws 42703, 42704, 42P16, 42804. */
export async function typeChange(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AlterType,
): Promise<TypeChange> {
	const column = columnNamed(table, action.column);
	const type = wantedType(editor, action);
	if (column.generatedText !== undefined && action.using !== undefined) {
		throw new DatabaseError(
			"42611",
			"cannot specify USING when altering type of generated column",
			{
				detail: `Column "${column.name}" is a generated column.`,
			},
		);
	}
	const value = await conversion(editor, table, column, type, action.using);
	return { action, attnum: column.attnum, type, value };
}

/** All of a statement: each new value is made of the row as it was. */
export async function alterTypes(
	editor: SchemaEditor,
	table: TableDescriptor,
	changes: readonly TypeChange[],
	rows: RowWork,
): Promise<void> {
	const job = await rows.job(table);
	let after = table;
	for (const change of changes) {
		after = await changed(editor, after, change, table);
		await alterSequenceOf(editor, table, change);
		if (job !== undefined && isLater(editor, job, after, change)) return job.begin();
	}
	const over = changes
		.filter((one) => !keepsValues(table, one))
		.flatMap((one) => keysOver(editor, after, one));
	const keys = new Map(over.map((one) => [one.key.oid, one]));
	for (const { table: child, key } of keys.values()) {
		const parent = key.referencedTable === after.oid ? after : referencedTable(editor.catalog, key);
		checkKeyTypes(child, key.columns, parent, key.referencedColumns, key.name);
	}
	const moved = await movedTable(editor, table, after);
	await editor.put(moved);
	// What the statement drops is still in its rows.
	const read = { ...table, columns: rows.before.columns };
	rows.rewrite(async () =>
		rewriteRows(editor, read, moved, await converter(editor, rows.before, moved, changes)),
	);
	editor.dropIndexes(allIndexIds(table));
	const names = changes.map(({ action }) => action.column);
	const isChecked =
		changes.some(({ type }) => type.domain !== undefined) ||
		after.checks.some(({ text }) => {
			const columns = columnsIn(storedExpression(text));
			return names.some((name) => columns.has(name));
		});
	if (isChecked) rows.check("all");
	for (const { table: child, key } of keys.values()) {
		if (key.validated) rows.refer(() => checkReferences(editor, editor.current(child), key));
	}
}

/** An identity column's sequence has its type. */
async function alterSequenceOf(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ attnum, type }: TypeChange,
): Promise<void> {
	const column = columnByAttnum(table, attnum);
	if (column.identity === undefined || column.type.oid === type.oid) return;
	const as = { name: "as", value: typeByOid(type.oid)!.name, at: -1 };
	for (const sequence of ownedSequences(editor, table, attnum))
		await editor.put(await alteredSequence(editor, sequence, [as]));
}

const isInteger = ({ oid }: SqlType): boolean => [20, 21, 23].includes(oid);

/** What referred to a row does so still. */
const keepsValues = (table: TableDescriptor, { action, attnum, type }: TypeChange): boolean =>
	action.using === undefined && isInteger(columnByAttnum(table, attnum).type) && isInteger(type);

/** The foreign keys over the column, on either side; the table is as given in them. */
function keysOver(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ attnum }: Pick<TypeChange, "attnum">,
): readonly Referrer[] {
	const own = table.foreignKeys.map((key) => ({ table, key }));
	const others = editor.catalog.referrersOf(table.oid).filter((one) => one.table.oid !== table.oid);
	return [...own, ...others].filter(
		({ table: child, key }) =>
			(child === table && key.columns.includes(attnum)) ||
			(key.referencedTable === table.oid && key.referencedColumns.includes(attnum)),
	);
}

/** Together with others, if it can be: false, and nothing is changed. */
export async function shareType(
	editor: SchemaEditor,
	job: Rewrite,
	change: TypeChange,
): Promise<boolean> {
	const after = await changed(editor, job.table, change, job.before);
	if (!isLater(editor, job, after, change)) return false;
	await alterSequenceOf(editor, job.before, change);
	return true;
}

/** `before`: the types of its columns are those that the statement found. */
async function changed(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ action, attnum, type }: TypeChange,
	before: TableDescriptor,
): Promise<TableDescriptor> {
	const column = columnNamed(table, action.column);
	const { oid, modifier, domain } = columnByAttnum(before, attnum).type;
	if (
		column.type.oid !== oid ||
		column.type.modifier !== modifier ||
		column.type.domain !== domain
	) {
		throw new DatabaseError("0A000", `cannot alter type of column "${column.name}" twice`);
	}
	refuseUses(editor, table, column);
	return withType(editor, table, column, { type, ...collationOf(action.type) });
}

/** Whether a job does it. */
function isLater(
	editor: SchemaEditor,
	job: Rewrite,
	after: TableDescriptor,
	change: TypeChange,
): boolean {
	const { action, attnum, value } = change;
	// Those are looked at again in the transaction.
	if (!keepsValues(job.before, change) && keysOver(editor, after, change).length > 0) return false;
	const text = textOf(editor, action.using ?? columnNode(action.column));
	return text !== undefined && job.alter(after, attnum, value.bound, text);
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
	for (const { table: child } of keysOver(editor, table, column)) refuseValidating(child, "all");
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
			column.generatedText !== undefined
				? {}
				: {
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
	given: Pick<ColumnDescriptor, "type" | "collation">,
): Promise<TableDescriptor> {
	const changed: ColumnDescriptor = { ...ofType(column, given), missingText: undefined };
	if (column.identity !== undefined && !isInteger(given.type)) {
		throw new DatabaseError("22023", "identity column type must be smallint, integer, or bigint");
	}
	await checkDefault(editor, changed);
	const isKey = [table.primary, ...table.indexes].some(({ columns }) =>
		columns.some(({ attnum }) => attnum === column.attnum),
	);
	if (isKey) checkIndexable(changed);
	const after = replaceColumn(table, column, changed);
	await checkGenerated(editor, after, changed);
	return placeless(() => withChecksReread(editor, after, column.name));
}

/** Conditions on a column of another type are read anew, as their casts are others. */
const withChecksReread = (
	editor: SchemaEditor,
	table: TableDescriptor,
	name: string,
): TableDescriptor => ({
	...table,
	checks: table.checks.map((check) => {
		const condition = storedExpression(check.text);
		return columnsIn(condition).has(name)
			? { ...check, text: checkText(editor, table, condition) }
			: check;
	}),
});

/** Under new prefixes. */
export async function movedTable(
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
		throw notCast("default", column, error);
	}
}

/** Throws 42804. */
async function checkGenerated(
	editor: SchemaEditor,
	table: TableDescriptor,
	column: ColumnDescriptor,
): Promise<void> {
	if (column.generatedText === undefined) return;
	const binder = await binderFor(editor.state, editor.block, undefined, []);
	const relation = tableRelation(table, undefined);
	try {
		bindGenerated(binder, column, relation, storedExpression(column.generatedText));
	} catch (error) {
		throw notCast("generation expression", column, error);
	}
}

function notCast(what: string, column: ColumnDescriptor, error: unknown): unknown {
	if (!(error instanceof DatabaseError) || error.code !== "42804") return unplaced(error);
	const to = formatType({ oid: column.type.oid, modifier: -1 });
	return new DatabaseError(
		"42804",
		`${what} for column "${column.name}" cannot be cast automatically to type ${to}`,
	);
}

/** `before`: what the rows have that are converted. */
async function converter(
	editor: SchemaEditor,
	before: TableDescriptor,
	after: TableDescriptor,
	changes: readonly TypeChange[],
): Promise<(row: ExecRow) => Promise<ExecRow>> {
	const { state, block } = editor;
	const planner = new Planner(editor.catalog);
	const env = new Env(await executionFor(state, block), []);
	const slots = new Map(liveColumns(before).map(({ attnum }, slot) => [attnum, slot]));
	const columns = liveColumns(after).map((column) => {
		const value = changes.findLast(({ attnum }) => attnum === column.attnum)?.value;
		const scope = value && CompileScope.root(planner).inner(Layout.of(value.relation));
		return {
			column,
			slot: slots.get(column.attnum)!,
			value: value && compile(value.bound, scope!),
		};
	});
	return async (stored) => {
		const row: Datum[] = [];
		for (const { column, slot, value } of columns) {
			const made = value === undefined ? stored[slot]! : await value.evaluate(stored, env);
			if (value !== undefined && made === null && column.notNull) {
				throw containsNull(after, column.name);
			}
			row.push(made);
		}
		return row;
	};
}
