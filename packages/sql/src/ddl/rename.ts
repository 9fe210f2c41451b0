/** ALTER ... RENAME TO and SET SCHEMA, of tables and what shares their names. */
import { DatabaseError } from "@quorate/keys/database-error";
import type {
	IndexDescriptor,
	RelationDescriptor,
	SequenceDescriptor,
	TableDescriptor,
	TypeDescriptor,
} from "../catalog/descriptor.ts";
import { isSystemSchema } from "../catalog/schema.ts";
import { withRenamed } from "../catalog/sequence-references.ts";
import { type NamedObject, relationOf } from "../catalog/snapshot.ts";
import { isTemporary, isTemporarySchema } from "../catalog/temporary.ts";
import type { Statement } from "../parser/ast.ts";
import { domainNamed } from "./domains.ts";
import { findObject, ownedSequences, pendingEvents, tellMissing } from "./drop.ts";
import { typeNamed } from "./enums.ts";
import { alreadyExists, type SchemaEditor, typeExists } from "./schema-editor.ts";
import { renameSchema, schemaNamed } from "./schemas.ts";
import { renameViewColumn } from "./views.ts";

type AlterName = Extract<Statement, { kind: "alter-name" }>;

export async function alterName(editor: SchemaEditor, statement: AlterName): Promise<string> {
	const { object, name, ifExists, to } = statement;
	const tag = `ALTER ${object.toUpperCase()}`;
	if (object === "schema") {
		if ("name" in to) await renameSchema(editor, name, to.name);
		return tag;
	}
	if (object === "type" || object === "domain") {
		const found = object === "type" ? typeNamed(editor, name) : domainNamed(editor, name);
		await alterTypeName(editor, found, to);
		return tag;
	}
	const found = findObject(editor, name);
	if (found === undefined) {
		tellMissing(editor, name, ifExists);
		return tag;
	}
	// ALTER TABLE is about whatever it is.
	if (object !== "table" && found.kind !== object) {
		const article = object === "index" ? "an" : "a";
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not ${article} ${object}`);
	}
	if ("column" in to) await renameViewColumn(editor, found, to.column!, to.name);
	else if ("schema" in to) await setSchema(editor, found, to.schema);
	else await rename(editor, found, to.name);
	return tag;
}

async function alterTypeName(
	editor: SchemaEditor,
	type: TypeDescriptor,
	to: AlterName["to"],
): Promise<void> {
	editor.requireOwner(type);
	if ("name" in to) {
		editor.requireCreate(type.schema);
		if (type.of === "composite" && editor.isTaken(type.schema, to.name))
			throw alreadyExists(to.name);
		if (editor.catalog.type(type.schema, to.name) !== undefined) throw typeExists(to.name);
		return moveRelation(editor, type, { name: to.name });
	}
	const schema = openSchema(editor, to.schema);
	if (schema === type.schema) return;
	refuseTemporaryMove(type, schema);
	if (editor.catalog.type(schema, type.name) !== undefined) {
		throw new DatabaseError("42710", `type "${type.name}" already exists in schema "${schema}"`);
	}
	return moveRelation(editor, type, { schema });
}

/** Throws 0A000. */
function refuseTemporaryMove(relation: { readonly schema: string }, to: string): void {
	if (!isTemporarySchema(to) && !isTemporary(relation)) return;
	throw new DatabaseError("0A000", "cannot move objects into or out of temporary schemas");
}

/** A schema that something can be moved to. Throws 3F000, 42501. */
function openSchema(editor: SchemaEditor, name: string): string {
	const { name: schema } = schemaNamed(editor, { parts: [name], at: 0 });
	editor.requireCreate(schema);
	if (!isSystemSchema(schema)) return schema;
	throw new DatabaseError("42501", `permission denied: "${schema}" is a system schema`);
}

async function rename(editor: SchemaEditor, found: NamedObject, to: string): Promise<void> {
	if (found.kind === "index") return renameIndex(editor, found.table, found.index, to);
	const relation = relationOf(found);
	editor.requireOwner(relation);
	editor.requireCreate(relation.schema);
	refusePending(editor, relation);
	if (editor.isTaken(relation.schema, to)) throw alreadyExists(to);
	await moveRelation(editor, relation, { name: to });
}

/** The name of a key's index is the constraint's. */
async function renameIndex(
	editor: SchemaEditor,
	table: TableDescriptor,
	index: IndexDescriptor,
	to: string,
): Promise<void> {
	editor.requireOwner(table);
	if (editor.isTaken(table.schema, to)) throw alreadyExists(to);
	const isConstraint = [...table.checks, ...table.foreignKeys].some((one) => one.name === to);
	if (index.constraintOid !== undefined && isConstraint) {
		throw new DatabaseError(
			"42710",
			`constraint "${to}" for relation "${table.name}" already exists`,
		);
	}
	const renamed = (one: IndexDescriptor): IndexDescriptor =>
		one.oid === index.oid ? { ...one, name: to } : one;
	const { rewrite } = table;
	await editor.put({
		...table,
		primary: renamed(table.primary),
		indexes: table.indexes.map(renamed),
		rewrite: rewrite && {
			...rewrite,
			primary: renamed(rewrite.primary),
			indexes: rewrite.indexes.map(renamed),
		},
	});
}

async function setSchema(editor: SchemaEditor, found: NamedObject, to: string): Promise<void> {
	if (found.kind === "index") {
		throw new DatabaseError("42809", `cannot change schema of index "${found.index.name}"`, {
			hint: "Change the schema of the table instead.",
		});
	}
	const relation = relationOf(found);
	editor.requireOwner(relation);
	if (relation.kind === "sequence" && relation.ownedBy !== undefined) {
		const table = editor.catalog.relation(relation.ownedBy.tableOid);
		throw new DatabaseError("0A000", "cannot move an owned sequence into another schema", {
			detail: `Sequence "${relation.name}" is linked to table "${table?.name}".`,
		});
	}
	refusePending(editor, relation);
	const schema = openSchema(editor, to);
	if (schema === relation.schema) return;
	refuseTemporaryMove(relation, schema);
	if (editor.isTaken(schema, relation.name)) {
		throw new DatabaseError(
			"42P07",
			`relation "${relation.name}" already exists in schema "${schema}"`,
		);
	}
	await moveRelation(editor, relation, { schema });
	if (relation.kind !== "table") return;
	for (const sequence of ownedSequences(editor, relation)) {
		await moveRelation(editor, sequence, { schema });
	}
}

/** Throws 55006. */
function refusePending(editor: SchemaEditor, relation: RelationDescriptor): void {
	if (editor.block.constraints.isPending(relation.oid)) {
		throw pendingEvents("ALTER TABLE", relation.name);
	}
}

/** The defaults that name a sequence go on naming it. Whoever asks has seen to the right. */
export async function moveRelation(
	editor: SchemaEditor,
	relation: RelationDescriptor,
	to: { readonly schema?: string; readonly name?: string },
): Promise<void> {
	const current = editor.catalog.relation(relation.oid) ?? relation;
	await editor.put({ ...current, ...to }, "right");
	if (current.kind === "sequence") await followSequence(editor, current, { ...current, ...to });
}

async function followSequence(
	editor: SchemaEditor,
	from: SequenceDescriptor,
	to: SequenceDescriptor,
): Promise<void> {
	for (const table of editor.catalog.relations()) {
		if (table.kind !== "table") continue;
		const columns = table.columns.map((column) => {
			const { defaultText: text } = column;
			if (text === undefined) return column;
			const renamed = withRenamed(text, from, to);
			return renamed === text ? column : { ...column, defaultText: renamed };
		});
		const { rewrite } = table;
		const change = rewrite?.change;
		const altered = change?.altered.map((one) => ({
			...one,
			text: withRenamed(one.text, from, to),
		}));
		const isUsed = altered?.some(({ text }, i) => text !== change!.altered[i]!.text) === true;
		if (columns.every((column, i) => column === table.columns[i]) && !isUsed) continue;
		const renamed = isUsed ? { ...rewrite!, change: { ...change!, altered: altered! } } : rewrite;
		await editor.put({ ...table, columns, rewrite: renamed }, "right");
	}
}
