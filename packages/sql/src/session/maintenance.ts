/** VACUUM and ANALYZE, which have nothing to do here, and SHOW RANGES. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import { formatKey } from "@quorate/keys/key";
import { authorizeAccess } from "../auth/authorize.ts";
import { liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import { indexPrefix, indexSpan } from "../catalog/keys.ts";
import { requirePlaced } from "../ddl/placed.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { Statement } from "../parser/ast.ts";
import { typeByOid } from "../types/registry.ts";
import { binderFor } from "./evaluate.ts";
import type { Output } from "./output.ts";
import { rangeColumns } from "./result-columns.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";

/** Old versions go by themselves, and there are no statistics: only the names are checked. */
export async function runMaintenance(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<Statement, { kind: "maintenance" }>,
): Promise<string> {
	if (statement.tag === "VACUUM" && block.explicit) {
		throw new DatabaseError("25001", "VACUUM cannot run inside a transaction block");
	}
	if (statement.tables.length > 0) {
		const binder = await binderFor(state, block, undefined, []);
		for (const name of statement.tables) {
			if (binder.lookup(name) !== undefined) continue;
			throw new DatabaseError("42P01", `relation "${name.parts.at(-1)}" does not exist`);
		}
	}
	return statement.tag;
}

export async function showRanges(
	state: SessionState,
	block: TransactionBlock,
	statement: Extract<Statement, { kind: "show-ranges" }>,
	output: Output,
): Promise<string> {
	const binder = await binderFor(state, block, undefined, []);
	const table = binder.resolveStoredTable(statement.table);
	requirePlaced(table);
	// Where ranges begin is made of rows.
	binder.access.writes(table.oid, "SELECT", allAttnums(table));
	authorizeAccess(binder.environment.catalog, state.identity.currentOid, binder.access.collected());
	const ranges = await state.services.coordinator.ranges(indexSpan(table.primary.indexId));
	output.columns(rangeColumns);
	await output.rows(
		ranges.map(({ descriptor, leaseholder, sizeBytes, requestsPerSecond }) => [
			BigInt(descriptor.rangeId),
			readableKey(state, table, descriptor.start, "start"),
			readableKey(state, table, descriptor.end, "end"),
			leaseholder === undefined ? null : BigInt(leaseholder),
			`{${descriptor.replicas.map((replica) => replica.nodeId).join(",")}}`,
			BigInt(sizeBytes),
			requestsPerSecond,
		]),
	);
	return "SHOW RANGES";
}

const allAttnums = (table: TableDescriptor): readonly number[] =>
	liveColumns(table).map(({ attnum }) => attnum);

/** A bound within the table by its key's values; one outside as the table's own start or end. */
function readableKey(
	state: SessionState,
	table: TableDescriptor,
	bound: Key,
	side: "start" | "end",
): string {
	const prefix = indexPrefix(table.primary.indexId);
	if (!bound.startsWith(prefix) || bound.length === prefix.length) {
		return side === "start" ? "<before:table>" : "<after:table>";
	}
	const values: string[] = [];
	let offset = prefix.length;
	for (const column of tableCodec(table).primary.columns) {
		if (offset >= bound.length) break;
		const type = typeByOid(column.typeOid)!;
		try {
			const { value, next } = type.keyCodec!.decode(bound, offset);
			values.push(type.format(value, state.context));
			offset = next;
		} catch {
			return formatKey(bound);
		}
	}
	return values.length === 0
		? formatKey(bound.slice(prefix.length) as Key)
		: `(${values.join(", ")})`;
}
