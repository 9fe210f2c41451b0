/**
 * ALTER TABLE. Its actions are taken in passes, as PostgreSQL takes them, so that what is added can use what else the statement makes, wherever
 * it stands; those of one pass in the order in which they are written. What they do with rows comes last (`row-work.ts`).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	hasPrimaryKey,
	type IndexDescriptor,
	type IndexState,
	isGenerated,
	isKnownNotNull,
	liveColumns,
	primaryKeyOf,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { AlterTableAction, Statement, TableConstraint } from "../parser/ast.ts";
import { addColumn, rewriteRows, shareColumn } from "./alter-column.ts";
import { alterTypes, shareType, type TypeChange, typeChange } from "./alter-type.ts";
import { build } from "./backfill.ts";
import { defaultText, isKey, isSerial, requireColumnName } from "./column-definition.ts";
import {
	alterConstraint,
	referrersBy,
	releaseIndex,
	renameConstraint,
	validateConstraint,
} from "./constraints.ts";
import { addIndex, usable } from "./create-index.ts";
import { multipleKeys } from "./create-table.ts";
import { describeConstraint, describeIndex } from "./describe.ts";
import { findObject, findTable, pendingEvents, removeIndex, tellMissing } from "./drop.ts";
import { dropColumn } from "./drop-column.ts";
import { addForeignKey } from "./foreign-key.ts";
import { dropExpression } from "./generated.ts";
import { addIdentity, dropIdentity, setIdentity } from "./identity.ts";
import { changedForm } from "./index-columns.ts";
import { dropPrimaryKey } from "./primary-key.ts";
import { Rewrite } from "./rewrite.ts";
import { RowWork } from "./row-work.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { mergeAt, splitAt } from "./split.ts";
import { withColumnRenamed } from "./stored-expression.ts";
import {
	columnNamed,
	constraintName,
	deferrableOf,
	keyForm,
	keyIndex,
	keyNameParts,
	movedIndexes,
	newCheck,
	newIndex,
	refuseRepeated,
	refuseTaken,
	replaceColumn,
	withKeyNotNull,
} from "./table-parts.ts";
import { unplaced } from "./unplaced.ts";
import { keyUsing, type UsedIndex } from "./using-index.ts";
import { beginValidation, isLookedAtLater, refuseValidating } from "./validation.ts";
import { renameViewColumn } from "./views.ts";
import { keepWritersOut } from "./whole-table.ts";

type AlterTable = Extract<Statement, { kind: "alter-table" }>;

export async function alterTable(editor: SchemaEditor, statement: AlterTable): Promise<string> {
	const { name, actions } = statement;
	const found = findObject(editor, name);
	const [only] = actions;
	if (found?.kind === "view" && actions.length === 1 && only?.kind === "rename-column") {
		await renameViewColumn(editor, found, only.from, only.to);
		return "ALTER TABLE";
	}
	if (findTable(editor, name) === undefined) {
		tellMissing(editor, name, statement.ifExists);
		return "ALTER TABLE";
	}
	const oid = findTable(editor, name)!.oid;
	const before = editor.catalog.relation(oid) as TableDescriptor;
	editor.requireOwner(before);
	const queue = queued(actions);
	for (const action of actions) checkUsable(editor, before, action);
	const changes: TypeChange[] = [];
	for (const action of actions) {
		if (action.kind === "alter-type") changes.push(await typeChange(editor, before, action));
	}
	if (await isShared(editor, before, queue.flat(), changes)) return "ALTER TABLE";
	// What comes later in the block may go over its rows, and could not begin anew.
	if (!editor.block.isAlone) await keepWritersOut(editor, before);
	const alone = editor.block.isAlone && actions.length === 1;
	const rows = new RowWork(editor, before, alone);
	for (const [pass, actionsOfPass] of queue.entries()) {
		if (pass === passes.type && changes.length > 0) {
			await alterTypes(editor, editor.current(before), changes, rows);
			continue;
		}
		for (const action of actionsOfPass) {
			// Each action sees what the ones before it have done.
			const table = editor.current(before);
			for (const next of await apply(editor, table, action, pass, rows)) {
				queue[passOf(next, true)]!.push(next);
			}
		}
	}
	await rows.run();
	return "ALTER TABLE";
}

const passes = {
	drop: 0,
	type: 1,
	column: 2,
	constraint: 3,
	notNull: 4,
	key: 5,
	other: 6,
	rest: 7,
};

/** `examined`: of a constraint that was looked at in the pass for those. */
function passOf(action: AlterTableAction, examined: boolean): number {
	switch (action.kind) {
		case "drop-column":
		case "drop-constraint":
		case "drop-identity":
		case "drop-expression":
			return passes.drop;
		case "set-default":
			return action.value === undefined ? passes.drop : passes.other;
		case "set-not-null":
			return action.notNull ? passes.notNull : passes.drop;
		case "alter-type":
			return passes.type;
		case "add-column":
			return passes.column;
		case "add-constraint":
			if (!examined) return passes.constraint;
			return isKey(action.constraint) ? passes.key : passes.other;
		case "add-key-using":
			return passes.key;
		case "add-identity":
			return passes.other;
		default:
			return passes.rest;
	}
}

/** By pass. */
function queued(actions: readonly AlterTableAction[]): readonly AlterTableAction[][] {
	const queue: AlterTableAction[][] = Object.values(passes).map(() => []);
	for (const action of actions) queue[passOf(action, false)]!.push(action);
	return queue;
}

/** Throws 55006. */
function checkUsable(editor: SchemaEditor, table: TableDescriptor, action: AlterTableAction): void {
	if (action.kind !== "split-at" && action.kind !== "merge-at") usable(table);
	if (!editor.block.constraints.isPending(table.oid)) return;
	throw pendingEvents("ALTER TABLE", table.name);
}

/** Whether all of several actions are done by one job, which goes over the rows once. */
async function isShared(
	editor: SchemaEditor,
	table: TableDescriptor,
	actions: readonly AlterTableAction[],
	changes: readonly TypeChange[],
): Promise<boolean> {
	const isOfRows = actions.every(({ kind }) => kind === "alter-type" || kind === "add-column");
	if (actions.length < 2 || !isOfRows || !actions.some(needsRows)) return false;
	const rewrite = await Rewrite.of(editor, table);
	if (rewrite === undefined) return false;
	for (const change of changes) {
		if (!(await shareType(editor, rewrite, change))) return false;
	}
	for (const action of actions) {
		if (action.kind !== "add-column") continue;
		if (!(await shareColumn(editor, rewrite, action))) return false;
	}
	await rewrite.begin();
	return true;
}

/** Whether rows are gone over in any case. */
function needsRows(action: AlterTableAction): boolean {
	if (action.kind !== "add-column") return action.kind === "alter-type";
	const { type, constraints } = action.column;
	return (
		isSerial(type) ||
		constraints.some((one) => one.kind === "generated" || one.kind === "identity" || isKey(one))
	);
}

/** Answers with actions that are to follow in later passes. */
async function apply(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AlterTableAction,
	pass: number,
	rows: RowWork,
): Promise<readonly AlterTableAction[]> {
	if (action.kind === "add-column") {
		const constraints = await addColumn(editor, table, action, rows);
		return constraints.map((constraint) => ({ kind: "add-constraint", constraint }));
	}
	if (pass === passes.constraint && action.kind === "add-constraint") {
		examine(table, action.constraint);
		return [action];
	}
	await change(editor, table, action, rows);
	return [];
}

/** Throws 42701, 42703. */
function examine(table: TableDescriptor, constraint: TableConstraint): void {
	if (!isKey(constraint)) return;
	refuseRepeated(constraint);
	if (constraint.kind === "unique") return;
	for (const name of constraint.columns) columnNamed(table, name);
}

async function change(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Exclude<AlterTableAction, { kind: "add-column" }>,
	rows: RowWork,
): Promise<void> {
	switch (action.kind) {
		case "drop-column":
			return dropKeyOrColumn(editor, table, action, rows);
		case "add-constraint":
			return addConstraint(editor, table, action.constraint, rows);
		case "add-key-using": {
			const used = await keyUsing(editor, table, action);
			return used && addPrimaryKeyUsing(editor, table, used, rows);
		}
		case "drop-constraint":
			return dropConstraint(editor, table, action, rows);
		case "validate-constraint":
			return validateConstraint(editor, table, action.name, rows);
		case "alter-constraint":
			return alterConstraint(editor, table, action);
		case "rename-constraint":
			return renameConstraint(editor, table, action);
		case "set-default":
			return setDefault(editor, table, action);
		case "add-identity":
			return addIdentity(editor, table, action);
		case "set-identity":
			return setIdentity(editor, table, action);
		case "drop-identity":
			return dropIdentity(editor, table, action);
		case "drop-expression":
			return dropExpression(editor, table, action);
		case "hint":
			editor.requireOwner(table);
			if (action.column !== undefined) columnNamed(table, action.column);
			if (action.index !== undefined) requireIndex(table, action.index);
			return;
		case "set-not-null":
			return setNotNull(editor, table, action, rows);
		case "rename-column":
			return renameColumn(editor, table, action);
		case "split-at":
			return splitAt(editor, table, action.rows);
		case "merge-at":
			return mergeAt(editor, table, action.rows);
		default:
			throw new DatabaseError("0A000", "this form of ALTER TABLE is not supported", {
				hint: "The manual lists those that are.",
			});
	}
}

/** Throws 42704. */
function requireIndex({ name, primary, indexes }: TableDescriptor, index: string): void {
	if ([primary, ...indexes].some((one) => one.name === index)) return;
	throw new DatabaseError("42704", `index "${index}" for table "${name}" does not exist`);
}

async function addConstraint(
	editor: SchemaEditor,
	table: TableDescriptor,
	constraint: TableConstraint,
	rows: RowWork,
): Promise<void> {
	if (isKey(constraint)) {
		refuseTaken(table, [...table.checks, ...table.foreignKeys], constraint.name);
	}
	switch (constraint.kind) {
		case "primary-key":
			return addPrimaryKey(editor, table, constraint, rows);
		case "unique": {
			const form = await withoutPlace(async () => keyForm(table.columns, constraint));
			const parts = keyNameParts(table.name, constraint);
			const options = {
				name: constraintName(editor, table.schema, constraint.name, parts, new Set()),
				...form,
				unique: true,
				constraint: true,
				deferrable: deferrableOf(constraint),
			};
			await addIndex(editor, table, options, rows);
			return;
		}
		case "check": {
			const check = await withoutPlace(() => newCheck(editor, table, constraint));
			const unchecked = {
				...table,
				checks: [...table.checks, { ...check, notValid: true } as const],
			};
			if (!constraint.valid) return editor.put(unchecked);
			if (await isLookedAtLater(editor, table, rows)) {
				return beginValidation(editor, unchecked, "ADD CHECK", check.oid);
			}
			await editor.put({ ...table, checks: [...table.checks, check] });
			return rows.check(check.name);
		}
		default:
			return addForeignKey(editor, table, constraint, rows);
	}
}

async function withoutPlace<T>(body: () => Promise<T>): Promise<T> {
	try {
		return await body();
	} catch (error) {
		throw unplaced(error);
	}
}

async function addPrimaryKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	constraint: Extract<TableConstraint, { kind: "primary-key" }>,
	rows: RowWork,
): Promise<void> {
	refuseSecondKey(table);
	const deferrable = deferrableOf(constraint);
	if (deferrable !== undefined) {
		return addDeferrableKey(editor, table, constraint, deferrable, rows);
	}
	return moveUnder(editor, table, rows, (state) =>
		keyIndex(editor, table, constraint, state, new Set()),
	);
}

async function addPrimaryKeyUsing(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ index, name }: UsedIndex,
	rows: RowWork,
): Promise<void> {
	refuseSecondKey(table);
	await releaseIndex(editor, table, index, describeIndex(editor, table, index), false);
	const { schema } = table;
	const { included } = index;
	const columns = index.columns.map(({ attnum }) => ({ attnum, descending: false }));
	const form = { columns, ...(included === undefined ? {} : { included }) };
	const others = table.indexes.filter((one) => one !== index);
	// Last: indexes of both sets go together by their places (`removeIndex`).
	return moveUnder(
		editor,
		{ ...table, indexes: [...others, index] },
		rows,
		(state) => newIndex(editor, { schema, name }, form, { unique: true, constraint: true, state }),
		others,
	);
}

/** Throws 42P16, 55006. */
function refuseSecondKey(table: TableDescriptor): void {
	if (primaryKeyOf(table) !== undefined) throw multipleKeys(table.name, undefined);
	refuseValidating(table, "all");
}

/**
 * S5: the rows move under a new prefix, and every index with them, since entries point to primary keys. `kept`: without one that the key
 * takes the place of.
 */
async function moveUnder(
	editor: SchemaEditor,
	table: TableDescriptor,
	rows: RowWork,
	keyOf: (state: IndexState) => Promise<IndexDescriptor>,
	kept: readonly IndexDescriptor[] = table.indexes,
): Promise<void> {
	const direct = await rows.isDirect(table);
	const primary = await keyOf(direct ? "public" : "write-only");
	const indexes = await movedIndexes(editor, { schema: table.schema, indexes: kept });
	const columns = withKeyNotNull(table.columns, primary.columns);
	if (direct) {
		const changed: TableDescriptor = { ...table, columns, primary, indexes };
		await editor.put(changed);
		await rows.fill(table, () => rewriteRows(editor, table, changed));
		editor.dropIndexes([table.primary, ...table.indexes].map((index) => index.indexId));
		return;
	}
	const madeNotNull = newlyNotNull(table, columns);
	await editor.put({ ...table, columns, rewrite: { primary, indexes, madeNotNull } });
	const { state } = editor;
	editor.block.afterCommit.push(() => build(state, table.oid, primary.oid));
}

const newlyNotNull = (
	before: TableDescriptor,
	columns: TableDescriptor["columns"],
): readonly number[] =>
	columns.flatMap((column, i) => (column === before.columns[i] ? [] : [column.attnum]));

/** The rows stay where they are. */
async function addDeferrableKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	constraint: Extract<TableConstraint, { kind: "primary-key" }>,
	deferrable: IndexDescriptor["deferrable"],
	rows: RowWork,
): Promise<void> {
	const form = keyForm(table.columns, constraint);
	const parts = [table.name, "pkey"];
	const columns = withKeyNotNull(table.columns, form.columns);
	const changed = { ...table, columns };
	const options = {
		name: constraintName(editor, table.schema, constraint.name, parts, new Set()),
		...form,
		unique: true,
		constraint: true,
		deferrable,
		madeNotNull: newlyNotNull(table, columns),
	};
	const direct = await addIndex(editor, changed, options, rows);
	if (direct) rows.check();
}

/** Rows are moved where the column is one of the primary key. */
async function dropKeyOrColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "drop-column" }>,
	rows: RowWork,
): Promise<void> {
	const attnum = liveColumns(table).find(({ name }) => name === action.name)?.attnum;
	const isKey = table.primary.columns.some((one) => one.attnum === attnum);
	const rewrite = isKey ? await rows.job(table) : undefined;
	return dropColumn(editor, table, action, "owner", rewrite);
}

async function dropConstraint(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "drop-constraint" }>,
	rows: RowWork,
): Promise<void> {
	const check = table.checks.find((one) => one.name === action.name);
	if (check !== undefined) {
		return editor.put({ ...table, checks: table.checks.filter((one) => one !== check) });
	}
	const index = table.indexes.find(
		(one) => one.name === action.name && one.constraintOid !== undefined,
	);
	if (index !== undefined) {
		const what = describeConstraint(editor, table, index);
		await releaseIndex(editor, table, index, what, action.cascade);
		return removeIndex(editor, editor.current(table), index);
	}
	const key = table.foreignKeys.find((one) => one.name === action.name);
	if (key !== undefined) {
		return editor.put({ ...table, foreignKeys: table.foreignKeys.filter((one) => one !== key) });
	}
	if (hasPrimaryKey(table) && table.primary.name === action.name) {
		const isFree = referrersBy(editor, table, table.primary).length === 0;
		const rewrite = isFree ? await rows.job(table) : undefined;
		if (rewrite !== undefined) {
			await rewrite.dropKey(undefined);
			return rewrite.begin();
		}
		await dropPrimaryKey(editor, table, action.cascade);
		return;
	}
	const message = `constraint "${action.name}" of relation "${table.name}" does not exist`;
	if (!action.ifExists) throw new DatabaseError("42704", message);
	editor.state.notice("NOTICE", "00000", `${message}, skipping`);
}

async function setDefault(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "set-default" }>,
): Promise<void> {
	const column = columnNamed(table, action.column);
	if (column.identity !== undefined) {
		throw new DatabaseError(
			"42601",
			`column "${column.name}" of relation "${table.name}" is an identity column`,
		);
	}
	if (isGenerated(column)) {
		throw new DatabaseError(
			"42601",
			`column "${column.name}" of relation "${table.name}" is a generated column`,
			action.value === undefined
				? { hint: "Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead." }
				: {},
		);
	}
	const { value } = action;
	const text =
		value && (await withoutPlace(async () => defaultText(editor, column.name, column.type, value)));
	return editor.put(replaceColumn(table, column, { ...column, defaultText: text }));
}

async function setNotNull(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "set-not-null" }>,
	rows: RowWork,
): Promise<void> {
	const column = columnNamed(table, action.column);
	if (column.notNull === action.notNull) {
		if (action.notNull && !isKnownNotNull(table, column)) refuseValidating(table, column.attnum);
		return;
	}
	const isKey = primaryKeyOf(table)?.columns.some((one) => one.attnum === column.attnum);
	if (!action.notNull && isKey === true) {
		throw new DatabaseError("42P16", `column "${column.name}" is in a primary key`);
	}
	const changed = replaceColumn(table, column, { ...column, notNull: action.notNull });
	if (action.notNull && (await isLookedAtLater(editor, table, rows))) {
		return beginValidation(editor, changed, "SET NOT NULL", column.attnum);
	}
	await editor.put(changed);
	if (action.notNull) rows.check();
}

async function renameColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "rename-column" }>,
): Promise<void> {
	const column = liveColumns(table).find((one) => one.name === action.from);
	if (column === undefined) {
		throw new DatabaseError("42703", `column "${action.from}" does not exist`);
	}
	requireColumnName(action.to);
	if (liveColumns(table).some((one) => one.name === action.to)) {
		throw new DatabaseError(
			"42701",
			`column "${action.to}" of relation "${table.name}" already exists`,
		);
	}
	const renamed = (text: string): string => withColumnRenamed(text, action.from, action.to);
	const columns = table.columns.map((one) => {
		if (one === column) return { ...column, name: action.to };
		const { generatedText } = one;
		return generatedText === undefined ? one : { ...one, generatedText: renamed(generatedText) };
	});
	const changed: TableDescriptor = {
		...table,
		columns,
		checks: table.checks.map((check) => ({
			...check,
			text: renamed(check.text),
		})),
	};
	await editor.put({
		...changed,
		indexes: table.indexes.map((index) => changedForm(editor, index, table, changed)),
	});
}
