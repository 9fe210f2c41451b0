/** ALTER TABLE: its actions, one after the other. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	hasPrimaryKey,
	type IndexDescriptor,
	isGenerated,
	isKnownNotNull,
	liveColumns,
	primaryKeyOf,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { AlterTableAction, Statement, TableConstraint } from "../parser/ast.ts";
import { storedExpression } from "../plan/bind-table.ts";
import { addColumn, checkRows, rewriteRows, shareColumn } from "./alter-column.ts";
import { alterType, shareType } from "./alter-type.ts";
import { build } from "./backfill.ts";
import { defaultText, isKey, isSerial } from "./column-definition.ts";
import {
	alterConstraint,
	referrersBy,
	releaseIndex,
	renameConstraint,
	validateConstraint,
} from "./constraints.ts";
import { addIndex, isDirect, usable } from "./create-index.ts";
import { multipleKeys } from "./create-table.ts";
import { deparse } from "./deparse.ts";
import { findObject, findTable, pendingEvents, removeIndex, tellMissing } from "./drop.ts";
import { dropColumn } from "./drop-column.ts";
import { addForeignKey } from "./foreign-key.ts";
import { dropExpression } from "./generated.ts";
import { addIdentity, dropIdentity, setIdentity } from "./identity.ts";
import { changedForm } from "./index-columns.ts";
import { dropPrimaryKey } from "./primary-key.ts";
import { Rewrite } from "./rewrite.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { mergeAt, splitAt } from "./split.ts";
import {
	columnNamed,
	constraintName,
	deferrableOf,
	keyForm,
	keyIndex,
	keyNameParts,
	movedIndexes,
	newCheck,
	replaceColumn,
	withKeyNotNull,
} from "./table-parts.ts";
import { unplaced } from "./unplaced.ts";
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
	const alone = editor.block.isAlone && actions.length === 1;
	const before = editor.catalog.relation(oid) as TableDescriptor;
	if (await isShared(editor, before, actions)) return "ALTER TABLE";
	if (!editor.block.isAlone) {
		editor.requireOwner(before);
		// What comes later in the block may go over its rows, and could not begin anew.
		await keepWritersOut(editor, before);
	}
	for (const action of actions) {
		// Each action sees what the ones before it have done.
		const table = editor.catalog.relation(oid) as TableDescriptor;
		checkUsable(editor, table, action);
		await apply(editor, table, action, alone);
	}
	return "ALTER TABLE";
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
): Promise<boolean> {
	const isOfRows = actions.every(({ kind }) => kind === "alter-type" || kind === "add-column");
	if (actions.length < 2 || !isOfRows || !actions.some(needsRows)) return false;
	for (const action of actions) checkUsable(editor, table, action);
	editor.requireOwner(table);
	const rewrite = await Rewrite.of(editor, table);
	if (rewrite === undefined) return false;
	for (const action of actions) {
		const takes =
			action.kind === "alter-type"
				? await shareType(editor, rewrite, action)
				: action.kind === "add-column" && (await shareColumn(editor, rewrite, action));
		if (!takes) return false;
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

/** Of an action that is alone. */
const rewriteFor = (
	editor: SchemaEditor,
	table: TableDescriptor,
	alone: boolean,
): Promise<Rewrite | undefined> => (alone ? Rewrite.of(editor, table) : Promise.resolve(undefined));

async function apply(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: AlterTableAction,
	alone: boolean,
): Promise<void> {
	switch (action.kind) {
		case "add-column":
			return addColumnWithKey(editor, table, action, alone);
		case "drop-column":
			return dropKeyOrColumn(editor, table, action, alone);
		case "add-constraint":
			return addConstraint(editor, table, action.constraint, alone);
		case "drop-constraint":
			return dropConstraint(editor, table, action, alone);
		case "validate-constraint":
			return validateConstraint(editor, table, action.name, alone);
		case "alter-constraint":
			return alterConstraint(editor, table, action);
		case "rename-constraint":
			return renameConstraint(editor, table, action);
		case "set-default":
			return setDefault(editor, table, action);
		case "alter-type":
			return alterType(editor, table, action, await rewriteFor(editor, table, alone));
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
			return setNotNull(editor, table, action, alone);
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
	alone: boolean,
): Promise<void> {
	switch (constraint.kind) {
		case "primary-key":
			return addPrimaryKey(editor, table, constraint, alone);
		case "unique": {
			const parts = keyNameParts(table.name, constraint);
			const options = {
				name: constraintName(editor, table.schema, constraint.name, parts, new Set()),
				...keyForm(table.columns, constraint),
				unique: true,
				constraint: true,
				deferrable: deferrableOf(constraint),
			};
			await addIndex(editor, table, options, alone);
			return;
		}
		case "check": {
			const check = await withoutPlace(() =>
				newCheck(editor, table, constraint.name, constraint.condition, undefined),
			);
			const unchecked = {
				...table,
				checks: [...table.checks, { ...check, notValid: true } as const],
			};
			if (!constraint.valid) return editor.put(unchecked);
			if (await isLookedAtLater(editor, table, alone)) {
				return beginValidation(editor, unchecked, "ADD CHECK", check.oid);
			}
			const changed = { ...table, checks: [...table.checks, check] };
			await editor.put(changed);
			return checkRows(editor, changed, check.name);
		}
		default:
			return addForeignKey(editor, table, constraint, alone);
	}
}

async function withoutPlace<T>(body: () => Promise<T>): Promise<T> {
	try {
		return await body();
	} catch (error) {
		throw unplaced(error);
	}
}

/** The key comes when the rows have the column. */
async function addColumnWithKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "add-column" }>,
	alone: boolean,
): Promise<void> {
	const { name, constraints } = action.column;
	const isThere = liveColumns(table).some((one) => one.name === name);
	const key = constraints.find((one) => one.kind === "primary-key");
	if (key !== undefined && primaryKeyOf(table) !== undefined && !isThere) {
		throw multipleKeys(table.name, undefined);
	}
	await addColumn(editor, table, action, await rewriteFor(editor, table, alone));
	const isLater = editor.current(table).rewrite !== undefined;
	if (key === undefined || isThere || isLater) return;
	await addPrimaryKey(editor, editor.current(table), { ...key, columns: [name] }, false);
}

/** S5: the rows move under a new prefix, and every index with them, since entries point to primary keys. */
async function addPrimaryKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	constraint: Extract<TableConstraint, { kind: "primary-key" }>,
	alone: boolean,
): Promise<void> {
	if (primaryKeyOf(table) !== undefined) throw multipleKeys(table.name, undefined);
	refuseValidating(table, "all");
	for (const name of constraint.columns) columnNamed(table, name);
	const deferrable = deferrableOf(constraint);
	if (deferrable !== undefined) {
		return addDeferrableKey(editor, table, constraint, deferrable, alone);
	}
	const direct = await isDirect(editor, table, alone);
	const primary = await keyIndex(
		editor,
		table,
		constraint,
		direct ? "public" : "write-only",
		new Set(),
	);
	const indexes = await movedIndexes(editor, table);
	const columns = withKeyNotNull(table.columns, primary.columns);
	if (direct) {
		const changed: TableDescriptor = { ...table, columns, primary, indexes };
		await editor.put(changed);
		await rewriteRows(editor, table, changed);
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
	alone: boolean,
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
	const direct = await addIndex(editor, changed, options, alone);
	if (direct) await checkRows(editor, editor.current(changed), undefined);
}

/** Rows are moved where the column is one of the primary key. */
async function dropKeyOrColumn(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "drop-column" }>,
	alone: boolean,
): Promise<void> {
	const attnum = liveColumns(table).find(({ name }) => name === action.name)?.attnum;
	const isKey = table.primary.columns.some((one) => one.attnum === attnum);
	const rewrite = isKey ? await rewriteFor(editor, table, alone) : undefined;
	return dropColumn(editor, table, action, "owner", rewrite);
}

async function dropConstraint(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "drop-constraint" }>,
	alone: boolean,
): Promise<void> {
	const check = table.checks.find((one) => one.name === action.name);
	if (check !== undefined) {
		return editor.put({ ...table, checks: table.checks.filter((one) => one !== check) });
	}
	const index = table.indexes.find(
		(one) => one.name === action.name && one.constraintOid !== undefined,
	);
	if (index !== undefined) {
		const what = `constraint ${index.name} on table ${table.name}`;
		await releaseIndex(editor, table, index, what, action.cascade);
		return removeIndex(editor, editor.current(table), index);
	}
	const key = table.foreignKeys.find((one) => one.name === action.name);
	if (key !== undefined) {
		return editor.put({ ...table, foreignKeys: table.foreignKeys.filter((one) => one !== key) });
	}
	if (hasPrimaryKey(table) && table.primary.name === action.name) {
		const isFree = referrersBy(editor, table, table.primary).length === 0;
		const rewrite = isFree ? await rewriteFor(editor, table, alone) : undefined;
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
	alone: boolean,
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
	if (action.notNull && (await isLookedAtLater(editor, table, alone))) {
		return beginValidation(editor, changed, "SET NOT NULL", column.attnum);
	}
	await editor.put(changed);
	if (action.notNull) await checkRows(editor, changed, undefined);
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
	if (liveColumns(table).some((one) => one.name === action.to)) {
		throw new DatabaseError(
			"42701",
			`column "${action.to}" of relation "${table.name}" already exists`,
		);
	}
	const rename = { column: (name: string) => (name === action.from ? action.to : name) };
	const columns = table.columns.map((one) => {
		if (one === column) return { ...column, name: action.to };
		const { generatedText } = one;
		return generatedText === undefined
			? one
			: { ...one, generatedText: deparse(storedExpression(generatedText), rename) };
	});
	const changed: TableDescriptor = {
		...table,
		columns,
		checks: table.checks.map((check) => ({
			...check,
			text: deparse(storedExpression(check.text), rename),
		})),
	};
	await editor.put({
		...changed,
		indexes: table.indexes.map((index) => changedForm(editor, index, table, changed)),
	});
}
