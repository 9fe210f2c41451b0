/**
 * ALTER TABLE ... SPLIT AT: ranges begin at the given keys, and their leaseholders are spread over the nodes. MERGE AT takes that back, and
 * what the cluster has split by itself.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key } from "@quorate/keys/key";
import { columnByAttnum, type TableDescriptor } from "../catalog/descriptor.ts";
import { encodeId, indexSpan } from "../catalog/keys.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { Expression } from "../parser/ast.ts";
import { plainType } from "../plan/bound.ts";
import { evaluateExpressions } from "../session/evaluate.ts";
import type { SqlType } from "../types/datum.ts";
import { requirePlaced } from "./placed.ts";
import type { SchemaEditor } from "./schema-editor.ts";

/** Takes effect at once: where ranges begin is no part of the transaction. */
export async function splitAt(
	editor: SchemaEditor,
	table: TableDescriptor,
	rows: readonly (readonly Expression[])[],
): Promise<void> {
	editor.requireOwner(table);
	requirePlaced(table);
	const { coordinator } = editor.state.services;
	const keys = await borders(editor, table, rows, "SPLIT AT");
	await coordinator.splitAt(keys, `SPLIT AT of table ${table.name}`);
	await coordinator.spreadLeases(indexSpan(table.primary.indexId));
}

/** Takes effect at once, too. Where no range begins nothing is done. */
export async function mergeAt(
	editor: SchemaEditor,
	table: TableDescriptor,
	rows: readonly (readonly Expression[])[],
): Promise<void> {
	editor.requireOwner(table);
	requirePlaced(table);
	const { coordinator } = editor.state.services;
	const keys = await borders(editor, table, rows, "MERGE AT");
	await coordinator.mergeAt(keys, `MERGE AT of table ${table.name}`);
}

async function borders(
	editor: SchemaEditor,
	table: TableDescriptor,
	rows: readonly (readonly Expression[])[],
	what: "SPLIT AT" | "MERGE AT",
): Promise<Key[]> {
	const { primary } = tableCodec(table);
	const rowids = primary.columns.length === 0;
	const types: readonly SqlType[] = rowids
		? [plainType(20)]
		: primary.columns.map((column) => columnByAttnum(table, column.attnum).type);
	const keys: Key[] = [];
	for (const row of rows) {
		if (row.length > types.length) {
			throw new DatabaseError(
				"42601",
				`${what} takes at most ${types.length} values: those of the primary key`,
			);
		}
		const values = await evaluateExpressions(editor.state, editor.block, row, types, undefined);
		if (values.includes(null)) {
			throw new DatabaseError("22004", `${what} values must not be null`);
		}
		let bytes: string = primary.prefix;
		for (const [i, value] of values.entries()) {
			bytes += rowids ? encodeId(Number(value)) : primary.columns[i]!.encode(value);
		}
		keys.push(key(bytes));
	}
	return keys;
}
