/** Constraints of a table that is there: added, dropped, validated, renamed; and what depends on the key of a table. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	hasPrimaryKey,
	type IndexDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { namedIndexes, type Referrer } from "../catalog/snapshot.ts";
import type { AlterTableAction } from "../parser/ast.ts";
import { describeIndex, describeReferrer } from "./describe.ts";
import { checkReferences } from "./foreign-key.ts";
import type { RowWork } from "./row-work.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { beginValidation, isLookedAtLater, refuseValidating } from "./validation.ts";

const undefinedConstraint = (table: TableDescriptor, name: string): DatabaseError =>
	new DatabaseError("42704", `constraint "${name}" of relation "${table.name}" does not exist`);

/** `what` depends on `on`; each line of the detail is one of them. */
export const dependent = (what: string, lines: readonly string[]): DatabaseError =>
	new DatabaseError("2BP01", `cannot drop ${what} because other objects depend on it`, {
		detail: lines.join("\n"),
		hint: "Use DROP ... CASCADE to drop the dependent objects too.",
	});

export function tellCascade(editor: SchemaEditor, dropped: readonly string[]): void {
	const { state } = editor;
	if (dropped.length === 1) state.notice("NOTICE", "00000", `drop cascades to ${dropped[0]}`);
	if (dropped.length < 2) return;
	const detail = dropped.map((one) => `drop cascades to ${one}`).join("\n");
	state.notice("NOTICE", "00000", `drop cascades to ${dropped.length} other objects`, detail);
}

/** Foreign keys that hang on an index. */
export const referrersBy = (
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
): readonly Referrer[] =>
	editor.catalog.referrersOf(table.oid).filter(({ key }) => key.referencedIndex === index.oid);

export async function dropReferrers(
	editor: SchemaEditor,
	referrers: readonly Referrer[],
): Promise<void> {
	for (const { table, key } of referrers) {
		const current = editor.catalog.relation(table.oid) as TableDescriptor;
		const foreignKeys = current.foreignKeys.filter(({ oid }) => oid !== key.oid);
		await editor.put({ ...current, foreignKeys }, "right");
	}
}

/** Nothing hangs on the index any more. Throws 2BP01. */
export async function releaseIndex(
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
	what: string,
	cascade: boolean,
): Promise<void> {
	const referrers = referrersBy(editor, table, index);
	if (referrers.length === 0) return;
	if (!cascade) {
		const lines = referrers.map(
			(one) => `${describeReferrer(editor, one)} depends on ${describeIndex(editor, table, index)}`,
		);
		throw dependent(what, lines);
	}
	await dropReferrers(editor, referrers);
	tellCascade(
		editor,
		referrers.map((one) => describeReferrer(editor, one)),
	);
}

/** VALIDATE CONSTRAINT. */
export async function validateConstraint(
	editor: SchemaEditor,
	table: TableDescriptor,
	name: string,
	rows: RowWork,
): Promise<void> {
	const key = table.foreignKeys.find((one) => one.name === name);
	const check = table.checks.find((one) => one.name === name);
	const found = key ?? check;
	if (found !== undefined) {
		if (key?.validated === true || (check !== undefined && check.notValid === undefined)) return;
		refuseValidating(table, found.oid);
		if (await isLookedAtLater(editor, table, rows)) {
			return beginValidation(editor, table, "VALIDATE CONSTRAINT", found.oid);
		}
	}
	if (key !== undefined) {
		const changed = { ...key, validated: true };
		const foreignKeys = table.foreignKeys.map((one) => (one === key ? changed : one));
		await editor.put({ ...table, foreignKeys });
		rows.refer(() => checkReferences(editor, editor.current(table), changed));
		return;
	}
	if (check !== undefined) {
		const { notValid: _before, ...valid } = check;
		const checks = table.checks.map((one) => (one === check ? valid : one));
		await editor.put({ ...table, checks });
		return rows.check(check.name);
	}
	const isKey = namedIndexes(table).some(
		(one) => one.name === name && one.constraintOid !== undefined,
	);
	if (!isKey) throw undefinedConstraint(table, name);
	throw new DatabaseError(
		"42809",
		`constraint "${name}" of relation "${table.name}" is not a foreign key or check constraint`,
	);
}

/** ALTER CONSTRAINT: when it is looked at. */
export async function alterConstraint(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Extract<AlterTableAction, { kind: "alter-constraint" }>,
): Promise<void> {
	const { name, deferrable, initiallyDeferred } = action;
	const key = table.foreignKeys.find((one) => one.name === name);
	if (key === undefined) {
		const isOther =
			table.checks.some((one) => one.name === name) ||
			namedIndexes(table).some((one) => one.name === name && one.constraintOid !== undefined);
		if (!isOther) throw undefinedConstraint(table, name);
		throw new DatabaseError(
			"42809",
			`constraint "${name}" of relation "${table.name}" is not a foreign key constraint`,
		);
	}
	await editor.put({
		...table,
		foreignKeys: table.foreignKeys.map((one) =>
			one === key ? { ...key, deferrable, initiallyDeferred } : one,
		),
	});
}

/** RENAME CONSTRAINT; that of a key takes its index with it. */
export async function renameConstraint(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ from, to }: Extract<AlterTableAction, { kind: "rename-constraint" }>,
): Promise<void> {
	const index = namedIndexes(table).find(
		(one) => one.name === from && one.constraintOid !== undefined,
	);
	const others = [...table.checks, ...table.foreignKeys];
	if (index === undefined && !others.some((one) => one.name === from)) {
		throw new DatabaseError(
			"42704",
			`constraint "${from}" for table "${table.name}" does not exist`,
		);
	}
	if (index !== undefined && editor.isTaken(table.schema, to)) throw alreadyExists(to);
	if (others.some((one) => one.name === to)) {
		throw new DatabaseError(
			"42710",
			`constraint "${to}" for relation "${table.name}" already exists`,
		);
	}
	const renamed = <T extends { readonly name: string }>(one: T): T =>
		one.name === from ? { ...one, name: to } : one;
	await editor.put({
		...table,
		primary: hasPrimaryKey(table) ? renamed(table.primary) : table.primary,
		indexes: table.indexes.map((one) => (one === index ? renamed(one) : one)),
		checks: table.checks.map(renamed),
		foreignKeys: table.foreignKeys.map(renamed),
	});
}
