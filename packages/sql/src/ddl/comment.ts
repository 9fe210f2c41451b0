/** COMMENT ON: kept with what it is about. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type IndexDescriptor,
	type RelationDescriptor,
	type TableDescriptor,
	type ViewDescriptor,
	withComment,
} from "../catalog/descriptor.ts";
import { isSystemSchema } from "../catalog/schema.ts";
import { relationOf } from "../catalog/snapshot.ts";
import type { QualifiedName, Statement } from "../parser/ast.ts";
import { domainNamed } from "./domains.ts";
import { findObject, findTable } from "./drop.ts";
import { typeNamed } from "./enums.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { schemaNamed } from "./schemas.ts";
import { columnNamed } from "./table-parts.ts";

type Comment = Extract<Statement, { kind: "comment" }>;

const undefinedRelation = (name: QualifiedName): DatabaseError =>
	new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);

export async function commentOn(editor: SchemaEditor, statement: Comment): Promise<string> {
	if (statement.object === "schema") await commentOnSchema(editor, statement);
	else await editor.put(commented(editor, statement));
	return "COMMENT";
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
	const table = findTable(editor, tableName);
	if (table === undefined) throw undefinedRelation(tableName);
	const column = columnNamed(table, name.parts.at(-1)!);
	return {
		...table,
		columns: table.columns.map((one) => (one === column ? withComment(one, text) : one)),
	};
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
