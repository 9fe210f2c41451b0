/** ALTER COLUMN ... ADD GENERATED AS IDENTITY, SET GENERATED, DROP IDENTITY. The sequence is the column's default. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { ColumnDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { isGenerated, isKnownNotNull } from "../catalog/descriptor.ts";
import type { AlterTableAction } from "../parser/ast.ts";
import { alteredSequence } from "./alter-sequence.ts";
import { nextvalText, ownedSequence } from "./column-definition.ts";
import { ownedSequences } from "./drop.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { columnNamed, replaceColumn } from "./table-parts.ts";

type Action<Kind extends AlterTableAction["kind"]> = Extract<AlterTableAction, { kind: Kind }>;

const refused = (table: TableDescriptor, column: ColumnDescriptor, what: string): DatabaseError =>
	new DatabaseError("55000", `column "${column.name}" of relation "${table.name}" ${what}`);

const kindOf = (always: boolean): "always" | "by default" => (always ? "always" : "by default");

export async function addIdentity(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Action<"add-identity">,
): Promise<void> {
	const column = columnNamed(table, action.column);
	if (!isKnownNotNull(table, column)) {
		throw refused(table, column, "must be declared NOT NULL before identity can be added");
	}
	if (column.identity !== undefined) throw refused(table, column, "is already an identity column");
	if (column.defaultText !== undefined || isGenerated(column)) {
		throw refused(table, column, "already has a default value");
	}
	const made = await ownedSequence(
		editor,
		table.schema,
		table.name,
		column.name,
		column.type.oid,
		new Set(),
		action.options,
	);
	const sequence = { ...made, ownedBy: { tableOid: table.oid, attnum: column.attnum } };
	await editor.put(sequence);
	const changed = {
		...column,
		defaultText: nextvalText(sequence),
		identity: kindOf(action.always),
	};
	await editor.put(replaceColumn(table, column, changed));
}

export async function setIdentity(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Action<"set-identity">,
): Promise<void> {
	const column = columnNamed(table, action.column);
	if (column.identity === undefined) throw refused(table, column, "is not an identity column");
	const [sequence] = ownedSequences(editor, table, column.attnum);
	assert(sequence !== undefined, "an identity column owns its sequence");
	const always = action.changes.findLast(({ name }) => name === "always");
	const options = action.changes.filter(({ name }) => name !== "always");
	const other = options.find(({ name }) => name === "owned_by" || name === "sequence_name");
	if (other !== undefined) {
		const what = other.name === "owned_by" ? "OWNED BY" : "SEQUENCE NAME";
		throw new DatabaseError("42601", `sequence option "${what}" not supported here`, {
			position: other.at + 1,
		});
	}
	if (options.length > 0) await editor.put(await alteredSequence(editor, sequence, options));
	if (always === undefined) return;
	const identity = kindOf(always.value === true);
	await editor.put(replaceColumn(table, column, { ...column, identity }));
}

export async function dropIdentity(
	editor: SchemaEditor,
	table: TableDescriptor,
	action: Action<"drop-identity">,
): Promise<void> {
	const column = columnNamed(table, action.column);
	if (column.identity === undefined) {
		if (!action.ifExists) throw refused(table, column, "is not an identity column");
		const message = `column "${column.name}" of relation "${table.name}" is not an identity column, skipping`;
		editor.state.notice("NOTICE", "00000", message);
		return;
	}
	const changed = { ...column, identity: undefined, defaultText: undefined };
	await editor.put(replaceColumn(table, column, changed));
	for (const sequence of ownedSequences(editor, table, column.attnum))
		await editor.remove(sequence);
}
