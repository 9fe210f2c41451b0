/** DROP TABLE, INDEX, SEQUENCE, and TRUNCATE. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasTableRight, mayUseSchema } from "../auth/privileges.ts";
import type {
	IndexDescriptor,
	RelationDescriptor,
	SequenceDescriptor,
	TableDescriptor,
	TableRewrite,
} from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import { schemaOwner, withSystem } from "../catalog/schema.ts";
import { type NamedObject, relationOf } from "../catalog/snapshot.ts";
import type { QualifiedName, Statement } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { releaseIndex } from "./constraints.ts";
import { dropAll } from "./dependencies.ts";
import { describeConstraint, describeIndex, describeRelation, shownName } from "./describe.ts";
import { lookupType } from "./enums.ts";
import { deniedSchema, type SchemaEditor } from "./schema-editor.ts";
import { dropSchemas } from "./schemas.ts";
import { movedIndex, movedIndexes } from "./table-parts.ts";

type Drop = Extract<Statement, { kind: "drop" }>;

export function findObject(editor: SchemaEditor, name: QualifiedName): NamedObject | undefined {
	const [schema, base] = splitName(name);
	const { catalog, state } = editor;
	if (schema !== undefined && catalog.schemas.byName(schema) !== undefined) {
		if (!mayUseSchema(catalog, state.identity.currentOid, schema)) throw deniedSchema(schema);
	}
	for (const one of schema === undefined ? withSystem(state.context.searchPath) : [schema]) {
		const found = catalog.object(one, base);
		if (found !== undefined) return found;
	}
	return undefined;
}

/** With IF EXISTS it is told only. Throws 42P01, 3F000. */
export function tellMissing(editor: SchemaEditor, name: QualifiedName, ifExists: boolean): void {
	const [schema, base] = splitName(name);
	if (ifExists) {
		editor.state.notice("NOTICE", "00000", `relation "${base}" does not exist, skipping`);
		return;
	}
	if (schema !== undefined && editor.catalog.schemas.byName(schema) === undefined) {
		throw new DatabaseError("3F000", `schema "${schema}" does not exist`);
	}
	throw new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);
}

export function findTable(editor: SchemaEditor, name: QualifiedName): TableDescriptor | undefined {
	const found = findObject(editor, name);
	if (found === undefined || found.kind === "table") return found?.table;
	throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a table`);
}

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
	const { object } = statement;
	if (object === "schema") await dropSchemas(editor, statement);
	else if (object === "index") await dropIndexes(editor, statement);
	else if (object === "type" || object === "domain") await dropTypes(editor, statement);
	else await dropRelations(editor, statement);
	return `DROP ${object.toUpperCase()}`;
}

/** `${object} "x" does not exist`, in a schema or at all. Throws what it says, or tells it with IF EXISTS. */
function missing(
	editor: SchemaEditor,
	{ object: asked, ifExists }: Drop,
	name: QualifiedName,
): void {
	const object = asked === "domain" ? "type" : asked;
	const [schema, base] = splitName(name);
	const isSchemaMissing =
		schema !== undefined && editor.catalog.schemas.byName(schema) === undefined;
	const message = isSchemaMissing
		? `schema "${schema}" does not exist`
		: `${object} "${ifExists ? base : name.parts.join(".")}" does not exist`;
	if (!ifExists) {
		const isOther = object === "index" || object === "type";
		const code = isSchemaMissing ? "3F000" : isOther ? "42704" : "42P01";
		throw new DatabaseError(code, message);
	}
	editor.state.notice("NOTICE", "00000", `${message}, skipping`);
}

/** Undefined, with a notice: it is not there. Throws 42809, 42P01. */
function wanted(
	editor: SchemaEditor,
	statement: Drop,
	name: QualifiedName,
): NamedObject | undefined {
	const { object } = statement;
	const found = findObject(editor, name);
	if (found === undefined) {
		missing(editor, statement, name);
		return undefined;
	}
	if (found.kind !== object) {
		const article = object === "index" ? "an" : "a";
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not ${article} ${object}`, {
			hint: `Use DROP ${found.kind.toUpperCase()} to remove ${found.kind === "index" ? "an" : "a"} ${found.kind}.`,
		});
	}
	return found;
}

async function dropRelations(editor: SchemaEditor, statement: Drop): Promise<void> {
	const going = new Map<number, RelationDescriptor>();
	for (const name of statement.names) {
		const found = wanted(editor, statement, name);
		if (found === undefined || found.kind === "index") continue;
		const relation = relationOf(found);
		requireDropper(editor, relation);
		going.set(relation.oid, relation);
	}
	for (const relation of going.values()) refuseIdentity(editor, relation);
	const targets = [...going.values()].map((relation) => ({ kind: "relation", relation }) as const);
	await dropAll(editor, targets, statement.cascade);
}

async function dropTypes(editor: SchemaEditor, statement: Drop): Promise<void> {
	const going = new Map<number, RelationDescriptor>();
	for (const name of statement.names) {
		const type = lookupType(editor, name);
		if (type === undefined) {
			missing(editor, statement, name);
			continue;
		}
		if (statement.object === "domain" && type.of !== "domain") {
			throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a domain`);
		}
		requireDropper(editor, type);
		going.set(type.oid, type);
	}
	const targets = [...going.values()].map((relation) => ({ kind: "relation", relation }) as const);
	await dropAll(editor, targets, statement.cascade);
}

/** The owner, also that of the schema. Throws 42501. */
function requireDropper(editor: SchemaEditor, relation: RelationDescriptor): void {
	const schema = editor.catalog.schemas.byName(relation.schema);
	const { currentOid } = editor.state.identity;
	const isSchemas =
		schema !== undefined && editor.catalog.roles.hasRightsOf(currentOid, schemaOwner(schema));
	if (!isSchemas) editor.requireOwner(relation);
}

/** Throws 2BP01. */
function refuseIdentity(editor: SchemaEditor, relation: RelationDescriptor): void {
	if (relation.kind !== "sequence" || relation.ownedBy === undefined) return;
	const { tableOid, attnum } = relation.ownedBy;
	const table = editor.catalog.relation(tableOid);
	const column = table?.kind === "table" ? table.columns[attnum - 1] : undefined;
	if (table === undefined || column?.identity === undefined) return;
	const what = `column ${column.name} of table ${shownName(editor, table)}`;
	throw new DatabaseError(
		"2BP01",
		`cannot drop ${describeRelation(editor, relation)} because ${what} requires it`,
		{ hint: `You can drop ${what} instead.` },
	);
}

/** As PostgreSQL, though none of it is hard here: a script shall run there, too. Throws 25001, 0A000. */
function checkConcurrently({ block }: SchemaEditor, { names, cascade }: Drop): void {
	const what = "DROP INDEX CONCURRENTLY";
	if (block.explicit) {
		throw new DatabaseError("25001", `${what} cannot run inside a transaction block`);
	}
	if (names.length > 1) {
		throw new DatabaseError("0A000", `${what} does not support dropping multiple objects`);
	}
	if (cascade) {
		throw new DatabaseError("0A000", `${what} does not support CASCADE`);
	}
}

async function dropIndexes(editor: SchemaEditor, statement: Drop): Promise<void> {
	if (statement.concurrently) checkConcurrently(editor, statement);
	for (const name of statement.names) {
		const found = wanted(editor, statement, name);
		if (found?.kind !== "index") continue;
		await dropIndex(editor, found.table, found.index, statement.cascade);
	}
}

async function dropIndex(
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
	cascade: boolean,
): Promise<void> {
	if (index.constraintOid !== undefined) {
		const constraint = describeConstraint(editor, table, index);
		throw new DatabaseError(
			"2BP01",
			`cannot drop ${describeIndex(editor, table, index)} because ${constraint} requires it`,
			{ hint: `You can drop ${constraint} instead.` },
		);
	}
	await releaseIndex(editor, table, index, describeIndex(editor, table, index), cascade);
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

async function emptiedRewrite(
	editor: SchemaEditor,
	{ schema }: TableDescriptor,
	rewrite: TableRewrite,
): Promise<TableRewrite> {
	const { primary, indexes, change } = rewrite;
	return {
		...rewrite,
		primary: await movedIndex(editor, { schema }, primary),
		indexes: await movedIndexes(editor, { schema, indexes }),
		...(change?.places === undefined
			? {}
			: { change: { ...change, places: await editor.newDataId(schema) } }),
	};
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
	const oids: number[] = [];
	for (const table of withReferrers(editor, tables, statement.cascade)) {
		const { currentOid } = editor.state.identity;
		if (!hasTableRight(editor.catalog, currentOid, table, "TRUNCATE")) {
			throw new DatabaseError("42501", `permission denied for table ${table.name}`);
		}
		oids.push(table.oid);
		const { rewrite } = table;
		const emptied = {
			...table,
			primary: await movedIndex(editor, table, table.primary),
			indexes: await movedIndexes(editor, table),
			rewrite: rewrite && (await emptiedRewrite(editor, table, rewrite)),
		};
		await editor.put(emptied, "right");
		editor.dropIndexes(allIndexIds(table));
		if (!statement.restartIdentity) continue;
		for (const sequence of ownedSequences(editor, table)) {
			const { restart: _before, ...rest } = sequence;
			oids.push(sequence.oid);
			await editor.put({ ...rest, valueId: await editor.newDataId(sequence.schema) });
		}
	}
	const use = await editor.state.relianceOf(editor.block);
	for (const oid of oids) use.oids.add(oid);
	for (const { parts } of statement.names) use.names.add(parts.at(-1)!);
	return "TRUNCATE TABLE";
}
