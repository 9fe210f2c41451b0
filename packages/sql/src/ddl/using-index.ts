/**
 * ADD UNIQUE or PRIMARY KEY USING INDEX: an index becomes that of a constraint, and gets its name. For UNIQUE that is all; a primary key is
 * what rows are kept by, so they are written anew under it, and the index goes once they are.
 */
import { DatabaseError, type DatabaseErrorFields } from "@quorate/keys/database-error";
import {
	hasNullsFirst,
	type IndexDescriptor,
	isUnique,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import type { AlterTableAction } from "../parser/ast.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { constraintName, refuseTaken } from "./table-parts.ts";

type KeyUsing = Extract<AlterTableAction, { kind: "add-key-using" }>;

/** An index that the primary key of a table is to take the place of. */
export interface UsedIndex {
	readonly index: IndexDescriptor;
	/** What the key is called. */
	readonly name: string;
}

/** What the primary key is made of; undefined: it was a UNIQUE, which is done. Throws 42704, 42710, 42809, 55000, 42P07. */
export async function keyUsing(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: KeyUsing,
): Promise<UsedIndex | undefined> {
	editor.requireOwner(table);
	const { primaryKey } = action;
	const index = indexOf(editor, table, action);
	const name = action.name ?? index.name;
	refuseTaken(table, [...table.checks, ...table.foreignKeys], name);
	if (name !== index.name) {
		constraintName(editor, table.schema, name, [], new Set());
		const message = `ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "${index.name}" to "${name}"`;
		editor.state.notice("NOTICE", "00000", message);
	}
	if (!primaryKey) {
		const constraint = { ...index, name, constraintOid: await editor.newId() };
		const indexes = table.indexes.map((one) => (one === index ? constraint : one));
		await editor.put({ ...table, indexes });
		return undefined;
	}
	return { index, name };
}

function indexOf(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ index: name, primaryKey, deferrable, at }: KeyUsing,
): IndexDescriptor {
	const refuse = (code: string, message: string, fields: DatabaseErrorFields = {}): never => {
		throw new DatabaseError(code, message, { position: at + 1, ...fields });
	};
	const detail = "Cannot create a primary key or unique constraint using such an index.";
	const found =
		[table.primary, ...table.indexes].find((one) => one.name === name) ??
		refuse(
			editor.isTaken(table.schema, name) ? "55000" : "42704",
			editor.isTaken(table.schema, name)
				? `index "${name}" does not belong to table "${table.name}"`
				: `index "${name}" does not exist`,
		);
	if (found.constraintOid !== undefined)
		refuse("55000", `index "${name}" is already associated with a constraint`);
	if (found.state !== "public") refuse("55000", `index "${name}" is not valid`);
	if (!isUnique(found)) refuse("42809", `"${name}" is not a unique index`, { detail });
	if (found.columns.some(({ expression }) => expression !== undefined))
		refuse("42809", `index "${name}" contains expressions`, { detail });
	if (found.predicate !== undefined) refuse("42809", `"${name}" is a partial index`, { detail });
	const other = found.columns.findIndex((one) => one.descending || hasNullsFirst(one));
	if (other >= 0) {
		const message = `index "${name}" column number ${other + 1} does not have default sorting behavior`;
		refuse("42809", message, { detail });
	}
	if (deferrable === true) {
		const what = primaryKey ? "PRIMARY KEY" : "UNIQUE";
		refuse("0A000", `${what} USING INDEX ... DEFERRABLE is not supported`, {
			hint: `Name the columns: ADD ${what} (...) DEFERRABLE.`,
		});
	}
	return found;
}
