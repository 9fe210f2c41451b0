/** CREATE SEQUENCE. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { SequenceDescriptor } from "../catalog/descriptor.ts";
import type { Option, Statement } from "../parser/ast.ts";
import { findTable } from "./drop.ts";
import { alreadyExists, type SchemaEditor } from "./schema-editor.ts";
import { numbersOf } from "./sequence-numbers.ts";
import { columnNamed } from "./table-parts.ts";

type CreateSequence = Extract<Statement, { kind: "create-sequence" }>;

/** OWNED BY. Throws 42601, 42P01, 42703. */
export function ownerOf(
	editor: SchemaEditor,
	options: readonly Option[],
): SequenceDescriptor["ownedBy"] {
	const value = options.find((option) => option.name === "owned_by")?.value;
	if (!Array.isArray(value)) return undefined;
	const parts = value as readonly string[];
	if (parts.length === 1 && parts[0] === "none") return undefined;
	if (parts.length < 2) {
		throw new DatabaseError("42601", "invalid OWNED BY option", {
			hint: "Specify OWNED BY table.column or OWNED BY NONE.",
		});
	}
	const table = findTable(editor, { parts: parts.slice(0, -1), at: 0 });
	if (table === undefined) {
		throw new DatabaseError("42P01", `relation "${parts.at(-2)}" does not exist`);
	}
	return { tableOid: table.oid, attnum: columnNamed(table, parts.at(-1)!).attnum };
}

/** Throws 55000. */
export function requireSameSchema(
	{ catalog }: SchemaEditor,
	schema: string,
	ownedBy: SequenceDescriptor["ownedBy"],
): void {
	const table = ownedBy && catalog.relation(ownedBy.tableOid);
	if (table === undefined || table.schema === schema) return;
	throw new DatabaseError("55000", "sequence must be in same schema as table it is linked to");
}

export async function createSequence(
	editor: SchemaEditor,
	statement: CreateSequence,
): Promise<string> {
	const [schema, name] = await editor.targetOf({ ...statement.name, at: -1 }, statement.temporary);
	if (editor.isTaken(schema, name)) {
		if (!statement.ifNotExists) throw alreadyExists(name);
		editor.state.notice("NOTICE", "42P07", `relation "${name}" already exists, skipping`);
		return "CREATE SEQUENCE";
	}
	const ownedBy = ownerOf(editor, statement.options);
	requireSameSchema(editor, schema, ownedBy);
	await editor.put({
		kind: "sequence",
		oid: await editor.newId(),
		schema,
		name,
		...numbersOf(statement.options),
		ownedBy,
		valueId: await editor.newDataId(schema),
	});
	return "CREATE SEQUENCE";
}
