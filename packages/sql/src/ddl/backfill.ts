/**
 * The part of a schema change that comes after its first commit (S3, S5): rows that were there before are brought into an
 * index that all writers already keep, in a series of ordinary transactions whose reads are validated; then one more
 * schema change makes the index usable. If that fails, it takes back what the first one added.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, keySuccessor } from "@quorate/keys/key";
import type { Transaction } from "@quorate/txn/types";
import {
	encodeDescriptor,
	type IndexDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { descriptorKey, droppedIndexKey, nameKey } from "../catalog/keys.ts";
import { Env, Execution } from "../execute/env.ts";
import { entryValue } from "../execute/index-codec.ts";
import { ShadowWriter } from "../execute/shadow-writer.ts";
import { StatementStore } from "../execute/statement-store.ts";
import { indexCodec, tableCodec } from "../execute/table-codec.ts";
import { retrying } from "../session/retry.ts";
import type { SessionState } from "../session/session-state.ts";
import { duplicated } from "./create-index.ts";
import { namesOf } from "./schema-editor.ts";
import { type StoredRow, tableRows } from "./table-rows.ts";

/** Rows of one transaction: twice as many after each that went through, the least again after a conflict. */
const batchRows = { least: 500, most: 4000 };
/** From this attempt on a batch locks its rows: writers wait instead of invalidating it. */
const lockFrom = 2;
const schemaWaitMs = 5000;

const gone = (): DatabaseError =>
	new DatabaseError("55000", "the table was changed while its index was being built");

async function begin(state: SessionState, pessimistic: boolean): Promise<Transaction> {
	const newest = await state.services.catalog.newest();
	const transaction = state.services.coordinator.begin({
		isolation: "serializable",
		mode: pessimistic ? "pessimistic" : "optimistic",
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: newest.version,
	});
	transaction.beginStatement({ reason: undefined, onCancel: () => () => {} });
	await transaction.readTimestamp();
	return transaction;
}

async function tableAt(
	state: SessionState,
	transaction: Transaction,
	oid: number,
): Promise<TableDescriptor | undefined> {
	const catalog = await state.services.catalog.of(transaction);
	const found = catalog.relation(oid);
	return found?.kind === "table" ? found : undefined;
}

/** Rows of one transaction; returns where the next one goes on, undefined at the end. */
type FillBatch = (table: TableDescriptor, rows: readonly StoredRow[], env: Env) => Promise<void>;

async function fillFrom(
	state: SessionState,
	oid: number,
	from: Key | undefined,
	size: number,
	attempt: number,
	fill: FillBatch,
): Promise<Key | undefined> {
	const lock = attempt >= lockFrom;
	const transaction = await begin(state, lock);
	try {
		const table = await tableAt(state, transaction, oid);
		if (table === undefined) throw gone();
		const env = environment(state, transaction);
		const rows: StoredRow[] = [];
		const options = {
			limit: size,
			...(lock ? { lock: { strength: "update", wait: "block" } as const } : {}),
		};
		for await (const page of tableRows(transaction, table, options, from)) {
			rows.push(...page);
			if (rows.length >= size) break;
		}
		const some = rows.slice(0, size);
		await fill(table, some, env);
		await transaction.commit();
		return some.length < size ? undefined : keySuccessor(some.at(-1)!.key);
	} catch (error) {
		await transaction.rollback();
		throw error;
	}
}

function environment(state: SessionState, transaction: Transaction): Env {
	const { services } = state;
	return new Env(
		new Execution({
			runtime: services.runtime,
			store: new StatementStore(transaction, transaction.schemaVersion),
			context: state.context,
			isolation: "serializable",
			rowIds: services.rowIds,
			cancel: { reason: undefined, onCancel: () => () => {} },
			moreRows: undefined,
			memoryLimit: services.statementMemory,
		}),
		[],
	);
}

async function fillAll(state: SessionState, oid: number, fill: FillBatch): Promise<void> {
	let from: Key | undefined;
	let size = batchRows.least;
	for (;;) {
		from = await retrying(state.services.runtime, (attempt) => {
			if (attempt > 0) size = batchRows.least;
			return fillFrom(state, oid, from, size, attempt, fill);
		});
		if (from === undefined) return;
		size = Math.min(size * 2, batchRows.most);
		await state.services.runtime.scheduler.yield();
	}
}

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
	await retrying(services.runtime, async () => {
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
	});
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
		await fillAll(state, tableOid, async (table, rows, env) => {
			const index = find(table);
			const codec = indexCodec(table, index);
			const entries = rows.map(({ row, key }) => codec.entryKey(row, key));
			const seen = new Map<Key, number>();
			const held = index.unique ? await env.execution.store.get(entries, undefined) : [];
			for (const [i, { row, key }] of rows.entries()) {
				const value = entryValue(key);
				const other = held[i];
				const foreign = other !== undefined && Buffer.compare(other, value) !== 0;
				if (foreign || (index.unique && seen.has(entries[i]!))) {
					throw duplicated(table, index, row, state.context);
				}
				seen.set(entries[i]!, i);
				if (other === undefined) env.execution.store.put(entries[i]!, value);
			}
		});
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

/** `madeNotNull`: columns that the change made NOT NULL, to be undone if it fails. */
export async function buildRewrite(
	state: SessionState,
	tableOid: number,
	madeNotNull: readonly number[],
): Promise<void> {
	try {
		await fillAll(state, tableOid, async (table, rows, env) => {
			const codec = tableCodec(table).rewrite;
			if (codec === undefined) throw gone();
			checkKeyColumns(codec.table, rows);
			const shadow = new ShadowWriter(codec);
			try {
				await shadow.insert(rows, env);
			} catch (error) {
				throw asBuildError(error);
			}
		});
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
