/** COMMENT ON: kept with what it is about. */
import { DatabaseError } from "@quorate/keys/database-error";
import { rightsOfDatabase } from "../auth/privileges.ts";
import {
	type CompositeDescriptor,
	type IndexDescriptor,
	liveAttributes,
	type RelationDescriptor,
	type TableDescriptor,
	type TypeDescriptor,
	type ViewDescriptor,
	withComment,
} from "../catalog/descriptor.ts";
import { extensions } from "../catalog/extensions.ts";
import { isSystemSchema } from "../catalog/schema.ts";
import { relationOf } from "../catalog/snapshot.ts";
import { findType } from "../catalog/type-names.ts";
import type { QualifiedName, Statement } from "../parser/ast.ts";
import { requireDatabaseOwner } from "./databases.ts";
import { domainNamed } from "./domains.ts";
import { findObject, findTable } from "./drop.ts";
import { typeNamed } from "./enums.ts";
import { acting, denied, findRole } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { schemaNamed } from "./schemas.ts";
import { columnNamed } from "./table-parts.ts";

type Comment = Extract<Statement, { kind: "comment" }>;

const undefinedRelation = (name: QualifiedName): DatabaseError =>
	new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);

export async function commentOn(editor: SchemaEditor, statement: Comment): Promise<string> {
	switch (statement.object) {
		case "schema":
			await commentOnSchema(editor, statement);
			break;
		case "database":
			await commentOnDatabase(editor, statement);
			break;
		case "role":
			await commentOnRole(editor, statement);
			break;
		case "extension":
			commentOnExtension(statement);
			break;
		default:
			await editor.put(commented(editor, statement));
	}
	return "COMMENT";
}

/** As PostgreSQL, it only warns of one that is not there: dumps name the database that they were taken of. */
async function commentOnDatabase(editor: SchemaEditor, { name, text }: Comment): Promise<void> {
	const { catalog, state } = editor;
	const called = name.parts.at(-1)!;
	const oid = catalog.databaseNamed(called);
	if (oid === undefined) {
		state.notice("WARNING", "3D000", `database "${called}" does not exist`);
		return;
	}
	requireDatabaseOwner(editor, oid);
	await editor.putRights(withComment(rightsOfDatabase(catalog, oid), text));
}

async function commentOnRole(editor: SchemaEditor, { name, text }: Comment): Promise<void> {
	const role = findRole(editor, { kind: "name", name: name.parts.at(-1)! });
	const who = acting(editor);
	if (role.superuser && !who.superuser) throw denied("must be superuser");
	if (!who.superuser && !who.createRole) throw denied("must have CREATEROLE privilege");
	await editor.putRole(withComment(role, text));
}

/** Dumps say again what PostgreSQL says of it. Throws 42704, 0A000. */
function commentOnExtension({ name, text }: Comment): void {
	const called = name.parts.at(-1)!;
	const found = extensions.find((one) => one.name === called);
	if (found === undefined) {
		throw new DatabaseError("42704", `extension "${called}" does not exist`);
	}
	if (found.comment === text) return;
	throw new DatabaseError("0A000", "comments on extensions cannot be changed", {
		hint: `That of "${called}" is "${found.comment}".`,
	});
}

async function commentOnSchema(editor: SchemaEditor, { name, text }: Comment): Promise<void> {
	const schema = schemaNamed(editor, name);
	editor.requireSchemaOwner(schema);
	if (isSystemSchema(schema.name)) {
		throw new DatabaseError("42501", `permission denied for schema ${schema.name}`);
	}
	await editor.putSchema(withComment(schema, text));
}

function commented(editor: SchemaEditor, statement: Comment): RelationDescriptor {
	const { name, text } = statement;
	switch (statement.object) {
		case "column":
			return columnCommented(editor, name, text);
		case "constraint":
			return constraintCommented(editor, statement);
		default:
			break;
	}
	if (statement.object === "type") return withComment(typeNamed(editor, name), text);
	if (statement.object === "domain") return withComment(domainNamed(editor, name), text);
	const found = findObject(editor, name);
	if (found === undefined) throw undefinedRelation(name);
	if (found.kind !== statement.object) {
		const article = statement.object === "index" ? "an" : "a";
		throw new DatabaseError(
			"42809",
			`"${name.parts.at(-1)}" is not ${article} ${statement.object}`,
		);
	}
	if (found.kind === "index") return indexCommented(found.table, found.index, text);
	return withComment<RelationDescriptor>(relationOf(found), text);
}

function columnCommented(
	editor: SchemaEditor,
	name: QualifiedName,
	text: string | undefined,
): RelationDescriptor {
	if (name.parts.length < 2) throw new DatabaseError("42601", "column name must be qualified");
	const tableName = { parts: name.parts.slice(0, -1), at: name.at };
	const found = findObject(editor, tableName);
	if (found?.kind === "view") return viewColumnCommented(found.view, name.parts.at(-1)!, text);
	const type = found === undefined ? typeWith(editor, tableName) : undefined;
	if (type?.of === "composite") return attributeCommented(type, name.parts.at(-1)!, text);
	const table = findTable(editor, tableName);
	if (table === undefined) throw undefinedRelation(tableName);
	const column = columnNamed(table, name.parts.at(-1)!);
	return {
		...table,
		columns: table.columns.map((one) => (one === column ? withComment(one, text) : one)),
	};
}

const typeWith = (
	{ catalog, state }: SchemaEditor,
	{ parts }: QualifiedName,
): TypeDescriptor | undefined =>
	findType(catalog, state.context.searchPath, parts.at(-2), parts.at(-1)!);

function attributeCommented(
	type: CompositeDescriptor,
	name: string,
	text: string | undefined,
): CompositeDescriptor {
	if (!liveAttributes(type).some((one) => one.name === name)) {
		throw new DatabaseError("42703", `column "${name}" of relation "${type.name}" does not exist`);
	}
	const attributes = type.attributes.map((one) =>
		one.name === name && !one.dropped ? withComment(one, text) : one,
	);
	return { ...type, attributes };
}

function viewColumnCommented(
	view: ViewDescriptor,
	name: string,
	text: string | undefined,
): ViewDescriptor {
	if (!view.columns.some((one) => one.name === name)) {
		throw new DatabaseError("42703", `column "${name}" of relation "${view.name}" does not exist`);
	}
	const columns = view.columns.map((one) => (one.name === name ? withComment(one, text) : one));
	return { ...view, columns };
}

function constraintCommented(editor: SchemaEditor, statement: Comment): TableDescriptor {
	const name = statement.name.parts.at(-1)!;
	const table = findTable(editor, statement.table!);
	if (table === undefined) throw undefinedRelation(statement.table!);
	const { text } = statement;
	const check = table.checks.find((one) => one.name === name);
	if (check !== undefined) {
		return {
			...table,
			checks: table.checks.map((one) => (one === check ? withComment(one, text) : one)),
		};
	}
	const key = table.foreignKeys.find((one) => one.name === name);
	if (key !== undefined) {
		const foreignKeys = table.foreignKeys.map((one) =>
			one === key ? withComment(one, text) : one,
		);
		return { ...table, foreignKeys };
	}
	const index = [table.primary, ...table.indexes].find(
		(one) => one.name === name && one.constraintOid !== undefined,
	);
	if (index === undefined) {
		throw new DatabaseError(
			"42704",
			`constraint "${name}" for table "${table.name}" does not exist`,
		);
	}
	const { constraintComment: _before, ...rest } = index;
	const changed = text === undefined ? rest : { ...rest, constraintComment: text };
	return replaceIndex(table, index, changed);
}

const indexCommented = (
	table: TableDescriptor,
	index: IndexDescriptor,
	text: string | undefined,
): TableDescriptor => replaceIndex(table, index, withComment(index, text));

const replaceIndex = (
	table: TableDescriptor,
	index: IndexDescriptor,
	changed: IndexDescriptor,
): TableDescriptor => ({
	...table,
	primary: table.primary === index ? changed : table.primary,
	indexes: table.indexes.map((one) => (one === index ? changed : one)),
});
