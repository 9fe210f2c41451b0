/** FOREIGN KEY: what it refers to, found when it is made, and whether the rows that are there agree with it. */
import { DatabaseError } from "@quorate/keys/database-error";
import { isOwner } from "../auth/privileges.ts";
import {
	columnByAttnum,
	type ForeignKeyDescriptor,
	type IndexDescriptor,
	isGenerated,
	isUnique,
	primaryKeyOf,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { descriptorKey } from "../catalog/keys.ts";
import { namedIndexes } from "../catalog/snapshot.ts";
import { constraintsOf } from "../catalog/system-relations.ts";
import { isTemporary } from "../catalog/temporary.ts";
import { converter } from "../execute/references/converter.ts";
import { Reference } from "../execute/references/reference.ts";
import { ReferenceChecks } from "../execute/references/reference-checks.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { TableConstraint } from "../parser/ast.ts";
import { referencedTable } from "../plan/bind-table.ts";
import { executionFor } from "../session/evaluate.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { findObject } from "./drop.ts";
import type { RowWork } from "./row-work.ts";
import { type SchemaEditor, shortened } from "./schema-editor.ts";
import { beginValidation, isLookedAtLater } from "./validation.ts";
import { wholeTable } from "./whole-table.ts";

export type ForeignKeyConstraint = Extract<TableConstraint, { kind: "foreign-key" }>;

const mismatch = (message: string): DatabaseError => new DatabaseError("42830", message);

/** The table with it. Its rows are not looked at. */
export async function withForeignKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	constraint: ForeignKeyConstraint,
): Promise<TableDescriptor> {
	const parent = await referenced(editor, table, constraint);
	const columns = attnumsOf(table, constraint.columns);
	const referencedColumns =
		constraint.referenced.length === 0
			? keyColumns(parent)
			: attnumsOf(parent, constraint.referenced);
	const setColumns = setColumnsOf(table, constraint, columns);
	if (columns.length !== referencedColumns.length) {
		throw mismatch("number of referencing and referenced columns for foreign key disagree");
	}
	refuseGenerated(table, columns, constraint);
	const index = matchingIndex(parent, referencedColumns);
	const name = foreignKeyName(editor, table, constraint);
	checkKeyTypes(table, columns, parent, referencedColumns, name);
	const made: ForeignKeyDescriptor = {
		oid: await editor.newId(),
		name,
		columns,
		referencedTable: parent.oid,
		referencedColumns,
		referencedIndex: index.oid,
		onDelete: constraint.onDelete,
		onUpdate: constraint.onUpdate,
		setColumns,
		matchFull: constraint.matchFull,
		deferrable: constraint.deferrable,
		initiallyDeferred: constraint.initiallyDeferred,
		validated: constraint.valid,
	};
	return { ...table, foreignKeys: [...table.foreignKeys, made] };
}

/** What an action writes must not be generated. Throws 42601. */
function refuseGenerated(
	table: TableDescriptor,
	columns: readonly number[],
	{ onDelete, onUpdate }: ForeignKeyConstraint,
): void {
	if (!columns.some((attnum) => isGenerated(columnByAttnum(table, attnum)))) return;
	const refused = (event: string): DatabaseError =>
		new DatabaseError(
			"42601",
			`invalid ${event} action for foreign key constraint containing generated column`,
		);
	if (["set null", "set default", "cascade"].includes(onUpdate)) throw refused("ON UPDATE");
	if (["set null", "set default"].includes(onDelete)) throw refused("ON DELETE");
}

/** Throws 42P01, 42809, 42501. Whoever drops it meanwhile is noticed. */
async function referenced(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ table: name }: ForeignKeyConstraint,
): Promise<TableDescriptor> {
	const found = findObject(editor, name);
	const shown = name.parts.join(".");
	if (found === undefined) throw new DatabaseError("42P01", `relation "${shown}" does not exist`);
	if (found.kind !== "table") {
		throw new DatabaseError("42809", `referenced relation "${name.parts.at(-1)}" is not a table`);
	}
	if (!isOwner(editor.catalog, editor.state.identity.currentOid, found.table)) {
		throw new DatabaseError("42501", `permission denied for table ${found.table.name}`);
	}
	if (isTemporary(found.table) !== isTemporary(table)) {
		const kind = isTemporary(table) ? "temporary" : "permanent";
		throw new DatabaseError(
			"42P16",
			`constraints on ${kind} tables may reference only ${kind} tables`,
		);
	}
	if (isTemporary(table)) return found.table;
	if (found.table.oid !== table.oid) await editor.read([descriptorKey(found.table.oid)]);
	return found.table;
}

function attnumsOf(table: TableDescriptor, names: readonly string[]): readonly number[] {
	return names.map((name) => {
		const column = table.columns.find((one) => one.name === name && !one.dropped);
		if (column !== undefined) return column.attnum;
		throw new DatabaseError(
			"42703",
			`column "${name}" referenced in foreign key constraint does not exist`,
		);
	});
}

function keyColumns(parent: TableDescriptor): readonly number[] {
	const key = primaryKeyOf(parent);
	if (key?.deferrable !== undefined) throw deferrableKey("primary key", parent);
	if (key !== undefined) return key.columns.map(({ attnum }) => attnum);
	throw new DatabaseError("42704", `there is no primary key for referenced table "${parent.name}"`);
}

function setColumnsOf(
	table: TableDescriptor,
	constraint: ForeignKeyConstraint,
	columns: readonly number[],
): readonly number[] {
	const attnums = attnumsOf(table, constraint.setColumns);
	const other = attnums.find((attnum) => !columns.includes(attnum));
	if (other === undefined) return [...new Set(attnums)];
	const { name } = columnByAttnum(table, other);
	throw new DatabaseError(
		"42P10",
		`column "${name}" referenced in ON DELETE SET action must be part of foreign key`,
	);
}

const deferrableKey = (what: string, { name }: TableDescriptor): DatabaseError =>
	new DatabaseError("55000", `cannot use a deferrable ${what} for referenced table "${name}"`);

/** Throws 42830, 55000, 55006. */
function matchingIndex(parent: TableDescriptor, columns: readonly number[]): IndexDescriptor {
	if (new Set(columns).size < columns.length) {
		throw mismatch("foreign key referenced-columns list must not contain duplicates");
	}
	const fitting = namedIndexes(parent).filter(
		(index) =>
			isUnique(index) &&
			index.predicate === undefined &&
			index.columns.length === columns.length &&
			index.columns.every(({ attnum }) => columns.includes(attnum)),
	);
	const matching = fitting.filter(({ unique }) => unique);
	if (matching.length === 0 && fitting.length > 0) {
		throw deferrableKey("unique constraint", parent);
	}
	if (matching.length === 0) {
		throw mismatch(
			`there is no unique constraint matching given keys for referenced table "${parent.name}"`,
		);
	}
	const usable = matching.find(({ state }) => state === "public");
	if (usable !== undefined && parent.rewrite === undefined) return usable;
	throw new DatabaseError("55006", `the key of table "${parent.name}" is still being built`, {
		hint: "Try again when the running schema change has ended.",
	});
}

/** Throws 42804, or 0A000 where PostgreSQL would compare values of both types. */
export function checkKeyTypes(
	table: TableDescriptor,
	columns: readonly number[],
	parent: TableDescriptor,
	referencedColumns: readonly number[],
	name: string,
): void {
	for (const [i, attnum] of columns.entries()) {
		const column = columnByAttnum(table, attnum);
		const other = columnByAttnum(parent, referencedColumns[i]!);
		const [from, to] = [column.type.oid, other.type.oid];
		if (converter(from, to) !== undefined && converter(to, from) !== undefined) continue;
		const isComparable =
			typeByOid(from)!.category === typeByOid(to)!.category && typeByOid(from)!.category !== "U";
		if (isComparable) {
			throw new DatabaseError(
				"0A000",
				`a foreign key from ${formatType(column.type)} to ${formatType(other.type)} is not supported`,
				{ hint: "Give both columns the same type." },
			);
		}
		throw new DatabaseError("42804", `foreign key constraint "${name}" cannot be implemented`, {
			detail: `Key columns "${column.name}" and "${other.name}" are of incompatible types: ${formatType(column.type)} and ${formatType(other.type)}.`,
		});
	}
}

/** Throws 42710 if the given one is taken. */
function foreignKeyName(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ name: given, columns }: ForeignKeyConstraint,
): string {
	const changed = editor.catalog.relation(table.oid) === undefined ? [] : [table];
	const all = [...constraintsOf(editor.catalog)].filter((one) => one.table.schema === table.schema);
	const ofTable = new Set([
		...all.filter((one) => one.table.oid === table.oid).map(({ name }) => name),
		...changed.flatMap((one) => one.foreignKeys.map(({ name }) => name)),
	]);
	if (given !== undefined) {
		if (!ofTable.has(given)) return given;
		throw new DatabaseError(
			"42710",
			`constraint "${given}" for relation "${table.name}" already exists`,
		);
	}
	const taken = new Set([...ofTable, ...all.map(({ name }) => name)]);
	// One part, cut together, as PostgreSQL has it.
	const parts = [table.name, columns.join("_"), "fkey"];
	for (let n = 0; ; n++) {
		const name = shortened(parts, n === 0 ? "" : String(n));
		if (!taken.has(name)) return name;
	}
}

/** ALTER TABLE ... ADD. Throws 23503 if rows do not agree with it. */
export async function addForeignKey(
	editor: SchemaEditor,
	table: TableDescriptor,
	constraint: ForeignKeyConstraint,
	rows: RowWork,
): Promise<void> {
	const changed = await withForeignKey(editor, table, constraint);
	const key = changed.foreignKeys.at(-1)!;
	if (key.validated && (await isLookedAtLater(editor, table, rows))) {
		const foreignKeys = [...table.foreignKeys, { ...key, validated: false }];
		return beginValidation(editor, { ...changed, foreignKeys }, "ADD FOREIGN KEY", key.oid);
	}
	await editor.put(changed);
	if (key.validated) rows.refer(() => checkReferences(editor, editor.current(table), key));
}

/** Throws 23503 if a row refers to a key that is not there. What is read holds when the transaction commits. */
export async function checkReferences(
	editor: SchemaEditor,
	table: TableDescriptor,
	key: ForeignKeyDescriptor,
): Promise<void> {
	const { state, block } = editor;
	const execution = await executionFor(state, block);
	const reference = new Reference(
		{ ...key, deferrable: false },
		table,
		referencedTable(editor.catalog, key),
	);
	const checks = new ReferenceChecks(execution);
	const { width } = tableCodec(table).row;
	for await (const page of wholeTable(editor, table)) {
		for (const { row, key: rowKey } of page) {
			checks.written({ own: [reference], referrers: [] }, row.slice(0, width), rowKey);
		}
		await checks.run();
	}
}
