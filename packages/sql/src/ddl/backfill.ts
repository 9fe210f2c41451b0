/**
 * The part of a schema change that comes after its first commit (S3, S5): rows that were there before are brought into an
 * index that all writers already keep (`fill.ts`); then one more schema change makes the index usable. If that fails, it takes
 * back what the first one added.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import {
	encodeDescriptor,
	type IndexDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { descriptorKey, droppedIndexKey, nameKey } from "../catalog/keys.ts";
import type { Env } from "../execute/env.ts";
import { entryValue } from "../execute/index-codec.ts";
import { ShadowWriter } from "../execute/shadow-writer.ts";
import { indexCodec, tableCodec } from "../execute/table-codec.ts";
import { retrying } from "../session/retry.ts";
import type { SessionState } from "../session/session-state.ts";
import { duplicated } from "./create-index.ts";
import { begin, Fill, gone, isPassing, tableAt } from "./fill.ts";
import { namesOf } from "./schema-editor.ts";
import type { StoredRow } from "./table-rows.ts";

const schemaWaitMs = 5000;

/** One schema change of its own; `change` returns the new descriptor, or undefined to leave all as it is. */
async function changeTable(
	state: SessionState,
	oid: number,
	change: (table: TableDescriptor) =>
		| {
				readonly table: TableDescriptor;
				readonly dropped: readonly number[];
		  }
		| undefined,
): Promise<void> {
	const { services } = state;
	const run = async (): Promise<void> => {
		const transaction = await begin(state, true);
		try {
			await transaction.get([descriptorKey(oid)], { strength: "update", wait: "block" });
			const table = await tableAt(state, transaction, oid);
			const changed = table && change(table);
			if (table === undefined || changed === undefined) {
				await transaction.rollback();
				return;
			}
			transaction.markSchemaChange();
			transaction.put(descriptorKey(oid), encodeDescriptor(changed.table));
			const kept = new Set(namesOf(changed.table));
			for (const name of namesOf(table)) {
				if (!kept.has(name)) transaction.delete(nameKey(table.schema, name));
			}
			for (const name of kept) {
				transaction.put(nameKey(table.schema, name), Buffer.from(String(oid), "utf8"));
			}
			const dropped = Buffer.from(JSON.stringify({ format: 1 }), "utf8");
			for (const indexId of changed.dropped) transaction.put(droppedIndexKey(indexId), dropped);
			const { schemaVersion } = await transaction.commit();
			if (schemaVersion !== undefined) {
				await services.placement.awaitSchemaVersion(schemaVersion, schemaWaitMs);
			}
		} catch (error) {
			await transaction.rollback();
			throw error;
		}
	};
	await retrying(services.runtime, run, isPassing);
}

export async function buildIndex(
	state: SessionState,
	tableOid: number,
	indexOid: number,
): Promise<void> {
	const find = (table: TableDescriptor): IndexDescriptor => {
		const index = table.indexes.find((one) => one.oid === indexOid);
		if (index === undefined) throw gone();
		return index;
	};
	try {
		const fill = new Fill(state, tableOid, (table, rows, env, blind) =>
			putEntries(table, find(table), rows, env, blind),
		);
		await fill.run();
		await changeTable(state, tableOid, (table) => {
			const index = find(table);
			const indexes = table.indexes.map((one) =>
				one === index ? { ...one, state: "public" as const } : one,
			);
			return { table: { ...table, indexes }, dropped: [] };
		});
	} catch (error) {
		await changeTable(state, tableOid, (table) => {
			const index = table.indexes.find((one) => one.oid === indexOid);
			if (index === undefined || index.state === "public") return undefined;
			const indexes = table.indexes.filter((one) => one !== index);
			return { table: { ...table, indexes }, dropped: [index.indexId] };
		});
		throw error;
	}
}

async function putEntries(
	table: TableDescriptor,
	index: IndexDescriptor,
	rows: readonly StoredRow[],
	env: Env,
	blind: boolean,
): Promise<void> {
	const { context } = env;
	const { store } = env.execution;
	const codec = indexCodec(table, index);
	const entries = rows.map(({ row, key }) => codec.entryKey(row, key));
	const looks = index.unique && !blind;
	const seen = new Set<Key>();
	const held = looks ? await store.get(entries, undefined) : [];
	for (const [i, { row, key }] of rows.entries()) {
		const entry = entries[i]!;
		const value = entryValue(key);
		if (index.unique && blind) {
			store.insert(entry, value);
			continue;
		}
		const other = held[i];
		const foreign = other !== undefined && Buffer.compare(other, value) !== 0;
		if (foreign || (index.unique && seen.has(entry))) {
			throw duplicated(table, index, row, context);
		}
		seen.add(entry);
		if (other === undefined) store.put(entry, value);
	}
}

/** `madeNotNull`: columns that the change made NOT NULL, to be undone if it fails. */
export async function buildRewrite(
	state: SessionState,
	tableOid: number,
	madeNotNull: readonly number[],
): Promise<void> {
	try {
		const fill = new Fill(state, tableOid, async (table, rows, env, blind) => {
			const codec = tableCodec(table).rewrite;
			if (codec === undefined) throw gone();
			checkKeyColumns(codec.table, rows);
			const shadow = new ShadowWriter(codec);
			if (blind) {
				shadow.insertUnread(rows, env);
				return;
			}
			try {
				await shadow.insert(rows, env);
			} catch (error) {
				throw asBuildError(error);
			}
		});
		await fill.run();
		await changeTable(state, tableOid, (table) => {
			const { rewrite } = table;
			if (rewrite === undefined) throw gone();
			return {
				table: {
					...table,
					primary: { ...rewrite.primary, state: "public" },
					indexes: rewrite.indexes,
					rewrite: undefined,
				},
				dropped: [table.primary, ...table.indexes].map((index) => index.indexId),
			};
		});
	} catch (error) {
		await changeTable(state, tableOid, (table) => {
			const { rewrite } = table;
			if (rewrite === undefined) return undefined;
			const columns = table.columns.map((column) =>
				madeNotNull.includes(column.attnum) ? { ...column, notNull: false } : column,
			);
			return {
				table: { ...table, columns, rewrite: undefined },
				dropped: [rewrite.primary, ...rewrite.indexes].map((index) => index.indexId),
			};
		});
		throw error;
	}
}

/** Throws 23502 with the words of ALTER TABLE. */
export function checkKeyColumns(table: TableDescriptor, rows: readonly StoredRow[]): void {
	const { columns } = tableCodec(table).primary;
	for (const { row } of rows) {
		const missing = columns.find((column) => row[column.slot] === null);
		if (missing === undefined) continue;
		const { name } = table.columns[missing.attnum - 1]!;
		throw new DatabaseError(
			"23502",
			`column "${name}" of relation "${table.name}" contains null values`,
			{ schema: table.schema, table: table.name, column: name },
		);
	}
}

/** A key that exists twice, told as the failure to build the index that it is. */
export function asBuildError(error: unknown): unknown {
	if (!(error instanceof DatabaseError) || error.code !== "23505") return error;
	const { constraint, detail, ...rest } = error.fields;
	return new DatabaseError("23505", `could not create unique index "${constraint}"`, {
		...rest,
		...(constraint === undefined ? {} : { constraint }),
		...(detail === undefined ? {} : { detail: detail.replace("already exists", "is duplicated") }),
	});
}
