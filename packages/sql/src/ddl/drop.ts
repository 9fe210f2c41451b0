/** DROP TABLE, INDEX, SEQUENCE, and TRUNCATE. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasTableRight } from "../auth/privileges.ts";
import {
	type ColumnDescriptor,
	type IndexDescriptor,
	liveColumns,
	type SequenceDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { NamedObject } from "../catalog/snapshot.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { QualifiedName, Statement } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import {
	dependent,
	describeReferrer,
	dropReferrers,
	releaseIndex,
	tellCascade,
} from "./constraints.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type Drop = Extract<Statement, { kind: "drop" }>;

export function findObject(editor: SchemaEditor, name: QualifiedName): NamedObject | undefined {
	const [schema, base] = splitName(name);
	for (const one of schema === undefined ? editor.state.context.searchPath : [schema]) {
		const found = editor.catalog.object(one, base);
		if (found !== undefined) return found;
	}
	return undefined;
}

export function findTable(editor: SchemaEditor, name: QualifiedName): TableDescriptor | undefined {
	const found = findObject(editor, name);
	if (found === undefined || found.kind === "table") return found?.table;
	throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a table`);
}

export const allIndexIds = (table: TableDescriptor): readonly number[] => {
	const rewrite =
		table.rewrite === undefined ? [] : [table.rewrite.primary, ...table.rewrite.indexes];
	return [table.primary, ...table.indexes, ...rewrite].map((index) => index.indexId);
};

export const ownedSequences = (
	editor: SchemaEditor,
	table: TableDescriptor,
	attnum?: number,
): readonly SequenceDescriptor[] =>
	editor.catalog
		.relations()
		.filter(
			(relation): relation is SequenceDescriptor =>
				relation.kind === "sequence" &&
				relation.ownedBy?.tableOid === table.oid &&
				(attnum === undefined || relation.ownedBy.attnum === attnum),
		);

export const pendingEvents = (statement: string, table: string): DatabaseError =>
	new DatabaseError(
		"55006",
		`cannot ${statement} "${table}" because it has pending trigger events`,
	);

export async function drop(editor: SchemaEditor, statement: Drop): Promise<string> {
	const { object, names, ifExists } = statement;
	if (object === "table") await releaseTables(editor, statement);
	for (const name of names) {
		if (object === "schema") await dropSchema(editor, name, ifExists);
		else await dropOne(editor, statement, name);
	}
	return `DROP ${object.toUpperCase()}`;
}

/** Foreign keys that refer to the tables, of tables that stay. Throws 2BP01. */
async function releaseTables(editor: SchemaEditor, { names, cascade }: Drop): Promise<void> {
	const going = new Map<number, TableDescriptor>();
	for (const name of names) {
		const found = findObject(editor, name);
		if (found?.kind === "table") going.set(found.table.oid, found.table);
	}
	const referrers = [...going.values()].flatMap((on) =>
		editor.catalog
			.referrersOf(on.oid)
			.filter(({ table }) => !going.has(table.oid))
			.map((referrer) => ({ on, referrer })),
	);
	if (referrers.length > 0 && !cascade) {
		const [first] = going.values();
		const lines = referrers.map(
			({ on, referrer }) => `${describeReferrer(referrer)} depends on table ${on.name}`,
		);
		if (going.size === 1) throw dependent(`table ${first!.name}`, lines);
		throw new DatabaseError(
			"2BP01",
			"cannot drop desired object(s) because other objects depend on them",
			{
				detail: lines.join("\n"),
				hint: "Use DROP ... CASCADE to drop the dependent objects too.",
			},
		);
	}
	await dropReferrers(
		editor,
		referrers.map(({ referrer }) => referrer),
	);
	tellCascade(
		editor,
		referrers.map(({ referrer }) => describeReferrer(referrer)),
	);
	for (const table of going.values()) {
		if (editor.block.constraints.isPending(table.oid)) {
			throw pendingEvents("DROP TABLE", table.name);
		}
	}
}

async function dropSchema(
	editor: SchemaEditor,
	name: QualifiedName,
	ifExists: boolean,
): Promise<void> {
	const shown = name.parts.join(".");
	if (["public", "pg_catalog", "information_schema"].includes(shown)) {
		throw new DatabaseError(
			"2BP01",
			`cannot drop schema ${shown} because it is required by the database system`,
		);
	}
	if (!ifExists) throw new DatabaseError("3F000", `schema "${shown}" does not exist`);
	editor.state.notice("NOTICE", "00000", `schema "${shown}" does not exist, skipping`);
}

async function dropOne(editor: SchemaEditor, statement: Drop, name: QualifiedName): Promise<void> {
	const { object, ifExists } = statement;
	const shown = name.parts.at(-1)!;
	const found = findObject(editor, name);
	if (found === undefined) {
		if (!ifExists) {
			throw new DatabaseError(
				object === "index" ? "42704" : "42P01",
				`${object} "${shown}" does not exist`,
			);
		}
		editor.state.notice("NOTICE", "00000", `${object} "${shown}" does not exist, skipping`);
		return;
	}
	if (found.kind !== object) {
		const article = object === "index" ? "an" : "a";
		throw new DatabaseError("42809", `"${shown}" is not ${article} ${object}`, {
			hint: `Use DROP ${found.kind.toUpperCase()} to remove ${found.kind === "index" ? "an" : "a"} ${found.kind}.`,
		});
	}
	if (found.kind === "table") await dropTable(editor, found.table);
	else if (found.kind === "index")
		await dropIndex(editor, found.table, found.index, statement.cascade);
	else await dropSequence(editor, found.sequence, statement.cascade);
}

async function dropTable(editor: SchemaEditor, table: TableDescriptor): Promise<void> {
	editor.requireOwner(table);
	for (const sequence of ownedSequences(editor, table)) await editor.remove(sequence);
	await editor.remove(table);
	editor.dropIndexes(allIndexIds(table));
}

async function dropIndex(
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
	cascade: boolean,
): Promise<void> {
	if (index.constraintOid !== undefined) {
		throw new DatabaseError(
			"2BP01",
			`cannot drop index ${index.name} because constraint ${index.name} on table ${table.name} requires it`,
			{ hint: `You can drop constraint ${index.name} on table ${table.name} instead.` },
		);
	}
	await releaseIndex(editor, table, index, `index ${index.name}`, cascade);
	await removeIndex(editor, editor.current(table), index);
}

export async function removeIndex(
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
): Promise<void> {
	const { rewrite } = table;
	const position = table.indexes.indexOf(index);
	const shadow = rewrite?.indexes[position];
	await editor.put({
		...table,
		indexes: table.indexes.filter((one) => one !== index),
		rewrite: rewrite && {
			...rewrite,
			indexes: rewrite.indexes.filter((one) => one !== shadow),
		},
	});
	editor.dropIndexes([index.indexId, ...(shadow === undefined ? [] : [shadow.indexId])]);
}

/** Columns whose default names the sequence. */
function usersOf(
	editor: SchemaEditor,
	sequence: SequenceDescriptor,
): readonly { readonly table: TableDescriptor; readonly column: ColumnDescriptor }[] {
	const named = `'${quoteIdentifier(sequence.name).replaceAll("'", "''")}'::regclass`;
	return editor.catalog.relations().flatMap((table) =>
		table.kind === "table"
			? liveColumns(table)
					.filter((column) => column.defaultText?.includes(named) === true)
					.map((column) => ({ table, column }))
			: [],
	);
}

async function dropSequence(
	editor: SchemaEditor,
	sequence: SequenceDescriptor,
	cascade: boolean,
): Promise<void> {
	for (const { table, column } of usersOf(editor, sequence)) {
		if (!cascade || column.identity !== undefined) {
			throw new DatabaseError(
				"2BP01",
				`cannot drop sequence ${sequence.name} because other objects depend on it`,
				{
					detail: `default value for column ${column.name} of table ${table.name} depends on sequence ${sequence.name}`,
					hint: "Use DROP ... CASCADE to drop the dependent objects too.",
				},
			);
		}
		const current = editor.catalog.relation(table.oid) as TableDescriptor;
		await editor.put({
			...current,
			columns: current.columns.map((one) =>
				one.attnum === column.attnum ? { ...one, defaultText: undefined } : one,
			),
		});
	}
	await editor.remove(sequence);
}

/** The tables, and with CASCADE those that refer to them. Throws 0A000. */
function withReferrers(
	editor: SchemaEditor,
	tables: readonly TableDescriptor[],
	cascade: boolean,
): readonly TableDescriptor[] {
	const all = new Map(tables.map((table) => [table.oid, table]));
	for (const table of all.values()) {
		for (const { table: referring } of editor.catalog.referrersOf(table.oid)) {
			if (all.has(referring.oid)) continue;
			if (!cascade) {
				throw new DatabaseError(
					"0A000",
					"cannot truncate a table referenced in a foreign key constraint",
					{
						detail: `Table "${referring.name}" references "${table.name}".`,
						hint: `Truncate table "${referring.name}" at the same time, or use TRUNCATE ... CASCADE.`,
					},
				);
			}
			editor.state.notice("NOTICE", "00000", `truncate cascades to table "${referring.name}"`);
			all.set(referring.oid, referring);
		}
	}
	for (const table of all.values()) {
		if (editor.block.constraints.isPending(table.oid)) throw pendingEvents("TRUNCATE", table.name);
	}
	return [...all.values()];
}

/** New physical indexes for the same table: nothing is read, and the old rows go later (S4). */
export async function truncate(
	editor: SchemaEditor,
	statement: Extract<Statement, { kind: "truncate" }>,
): Promise<string> {
	const tables = statement.names.map((name) => {
		const table = findTable(editor, name);
		if (table === undefined) {
			throw new DatabaseError("42P01", `relation "${name.parts.at(-1)}" does not exist`);
		}
		return table;
	});
	for (const table of withReferrers(editor, tables, statement.cascade)) {
		const { currentOid } = editor.state.identity;
		if (!hasTableRight(editor.catalog, currentOid, table, "TRUNCATE")) {
			throw new DatabaseError("42501", `permission denied for table ${table.name}`);
		}
		const fresh = async (index: IndexDescriptor): Promise<IndexDescriptor> => ({
			...index,
			indexId: await editor.newId(),
		});
		const indexes: IndexDescriptor[] = [];
		for (const index of table.indexes) indexes.push(await fresh(index));
		const { rewrite } = table;
		const shadows: IndexDescriptor[] = [];
		for (const index of rewrite?.indexes ?? []) shadows.push(await fresh(index));
		const emptied = {
			...table,
			primary: await fresh(table.primary),
			indexes,
			rewrite: rewrite && { primary: await fresh(rewrite.primary), indexes: shadows },
		};
		await editor.put(emptied, "right");
		editor.dropIndexes(allIndexIds(table));
		if (!statement.restartIdentity) continue;
		for (const sequence of ownedSequences(editor, table)) {
			await editor.put({ ...sequence, valueId: await editor.newId() });
		}
	}
	return "TRUNCATE TABLE";
}
