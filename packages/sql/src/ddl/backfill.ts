/**
 * The part of a schema change that comes after its first commit (S3, S5): rows that were there before are brought into an
 * index that all writers already keep (`fill.ts`), or looked at for a constraint that they keep (`validate-rows.ts`); then one more schema
 * change makes the index usable, or the constraint valid. If that fails, it takes
 * back what the first one added. What is left to do stands in the table's descriptor: where the node that does it goes away,
 * another goes on (`tenure.ts`).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { Transaction } from "@quorate/txn/types";
import {
	encodeDescriptor,
	type IndexDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { encodeDropped } from "../catalog/dropped-index.ts";
import { buildKey, descriptorKey, droppedIndexKey, nameKey } from "../catalog/keys.ts";
import type { Env } from "../execute/env.ts";
import { entryValue } from "../execute/index-codec.ts";
import { ShadowWriter } from "../execute/shadow-writer.ts";
import { indexCodec, tableCodec } from "../execute/table-codec.ts";
import { isPassing, isUnreachable, pause, retrying } from "../session/retry.ts";
import { duplicated } from "./create-index.ts";
import { type Builder, begin, Fill, type FillBatch, gone, tableAt } from "./fill.ts";
import { asBuildError, checkKeyColumns } from "./row-errors.ts";
import { estimateRows } from "./row-estimate.ts";
import { namesOf } from "./schema-editor.ts";
import { checkShared } from "./shared-keys.ts";
import type { StoredRow } from "./table-rows.ts";
import {
	type BuildPlace,
	cancelledBy,
	placesOf,
	refuseCancelled,
	rememberCancelled,
	Tenure,
} from "./tenure.ts";
import { buildsOf, type UnfinishedBuild } from "./unfinished.ts";
import { validationOf, validator } from "./validate-rows.ts";
import { isValid, unvalidated, validated } from "./validation.ts";

const schemaWaitMs = 5000;
/** For what another node makes of it. */
const lookEveryMs = 1000;

/**
 * One schema change of its own, which ends the build; `change` returns the new descriptor, or undefined to leave all as it is. Whether
 * anything was changed. `cancels`: whoever is at it is to be told so. Throws 57014 where somebody has cancelled it before.
 */
async function changeTable(
	state: Pick<Builder, "services">,
	oid: number,
	buildId: number,
	change: (table: TableDescriptor) => Changed | undefined,
	cancels = false,
): Promise<boolean> {
	const { services } = state;
	const run = async (): Promise<boolean> => {
		const transaction = await begin(state, true);
		try {
			await transaction.get([descriptorKey(oid)], { strength: "update", wait: "block" });
			await refuseCancelled(transaction, buildId);
			const table = await tableAt(state, transaction, oid);
			const changed = table && change(table);
			transaction.delete(buildKey(buildId));
			if (table === undefined || changed === undefined) {
				await transaction.commit();
				return false;
			}
			if (cancels) await rememberCancelled(transaction, buildId);
			putChanged(transaction, table, changed);
			const { schemaVersion } = await transaction.commit();
			if (schemaVersion !== undefined) {
				await services.placement.awaitSchemaVersion(schemaVersion, schemaWaitMs);
			}
			return true;
		} catch (error) {
			await transaction.rollback();
			throw error;
		}
	};
	return retrying(services.runtime, run, isPassing);
}

function putChanged(transaction: Transaction, table: TableDescriptor, changed: Changed): void {
	transaction.markSchemaChange();
	transaction.put(descriptorKey(table.oid), encodeDescriptor(changed.table));
	const kept = new Set(namesOf(changed.table));
	for (const name of namesOf(table)) {
		if (!kept.has(name)) transaction.delete(nameKey(table.schema, name, table.database));
	}
	for (const name of kept) {
		transaction.put(
			nameKey(table.schema, name, table.database),
			Buffer.from(String(table.oid), "utf8"),
		);
	}
	const dropped = encodeDropped(table.name);
	for (const indexId of changed.dropped) transaction.put(droppedIndexKey(indexId), dropped);
}

/** CANCEL JOB: takes it back, wherever it is being done. False: it has ended. */
export async function cancelBuild(
	state: Pick<Builder, "services">,
	{ tableOid, id }: UnfinishedBuild,
): Promise<boolean> {
	try {
		return await changeTable(state, tableOid, id, (table) => takenBack(table, id), true);
	} catch (error) {
		if (isCancelled(error)) return false;
		throw error;
	}
}

const isCancelled = (error: unknown): boolean =>
	error instanceof DatabaseError && error.code === "57014";

const isRewrite = (table: TableDescriptor, id: number): boolean =>
	table.rewrite?.primary.oid === id;

const isUsable = (table: TableDescriptor, id: number): boolean =>
	[table.primary, ...table.indexes].some(({ oid, state }) => oid === id && state === "public");

/**
 * Fills the index and makes it usable, or the constraint valid; or takes it back and throws why it cannot be. `seen`: where somebody else has left it; nothing
 * is done where that has changed since. Where another node goes on, what becomes of it is waited for.
 */
export async function build(
	state: Builder,
	tableOid: number,
	id: number,
	seen?: BuildPlace,
): Promise<void> {
	const table = (await state.services.catalog.newest()).relation(tableOid);
	if (table?.kind !== "table") throw gone();
	const validation = validationOf(table, id);
	const isDone = (now: TableDescriptor): boolean =>
		validation === undefined ? isUsable(now, id) : isValid(now, validation);
	// It is only told: without it the work goes on.
	const rowsTotal =
		seen === undefined ? await estimateRows(state, table).catch(() => undefined) : undefined;
	const tenure = await Tenure.take(state, id, seen, rowsTotal);
	if (tenure === undefined) return outcome(state, tableOid, id, isDone);
	const builder: Builder = {
		services: state.services,
		context: state.context,
		cancel: tenure.signal,
	};
	const { from, rows } = tenure;
	const fill = new Fill(
		builder,
		tableOid,
		from,
		rows,
		validation === undefined ? fillIndex(id) : validator(builder, id),
		validation !== undefined,
	);
	tenure.tell(fill);
	try {
		await fill.run();
		if (validation === undefined) await checkShared(builder, tableOid, id);
		tenure.stop();
		await changeTable(state, tableOid, id, (table) => finished(table, id));
	} catch (error) {
		tenure.stop();
		if (tenure.isLost && state.cancel.reason === undefined) {
			return outcome(state, tableOid, id, isDone);
		}
		if (isUnreachable(error)) throw leftToOthers(error);
		await changeTable(state, tableOid, id, (table) => takenBack(table, id));
		throw error;
	}
}

const leftToOthers = (error: DatabaseError): DatabaseError =>
	new DatabaseError(error.code, error.message, {
		...error.fields,
		hint: "It is not given up: a node that reaches the others goes on with it (SHOW JOBS). CANCEL JOB takes it back.",
	});

/** Throws 55000 where it was taken back, 57014 where that was asked for. */
async function outcome(
	state: Builder,
	tableOid: number,
	id: number,
	isDone: (table: TableDescriptor) => boolean,
): Promise<void> {
	for (;;) {
		if (state.cancel.reason !== undefined) throw state.cancel.reason;
		const catalog = await state.services.catalog.newest();
		const table = catalog.relation(tableOid);
		if (table?.kind !== "table") throw gone();
		const isBuilding = [...buildsOf(table)].some((one) => one.id === id);
		if (!isBuilding) {
			if (isDone(table)) return;
			const [place] = await placesOf(state, [id]);
			throw place?.cancelled === undefined ? gone() : cancelledBy(id);
		}
		await pause(state.services.runtime, lookEveryMs);
	}
}

function indexAt(table: TableDescriptor, id: number): IndexDescriptor {
	const index = table.indexes.find(({ oid }) => oid === id);
	if (index === undefined) throw gone();
	return index;
}

interface Changed {
	readonly table: TableDescriptor;
	readonly dropped: readonly number[];
}

/** Undefined: another one has finished it. */
function finished(table: TableDescriptor, id: number): Changed | undefined {
	const { rewrite } = table;
	if (isUsable(table, id)) return undefined;
	const validation = validationOf(table, id);
	if (validation !== undefined) return { table: validated(table, validation), dropped: [] };
	if (rewrite === undefined || !isRewrite(table, id)) {
		const index = indexAt(table, id);
		const { madeNotNull: _made, ...rest } = index;
		const indexes = table.indexes.map((one) =>
			one === index ? { ...rest, state: "public" as const } : one,
		);
		return { table: { ...table, indexes }, dropped: [] };
	}
	return {
		table: {
			...table,
			primary: { ...rewrite.primary, state: "public" },
			indexes: rewrite.indexes,
			rewrite: undefined,
		},
		dropped: [table.primary, ...table.indexes].map((index) => index.indexId),
	};
}

/** Undefined: there is nothing to be taken back. */
function takenBack(table: TableDescriptor, id: number): Changed | undefined {
	const { rewrite } = table;
	const validation = validationOf(table, id);
	if (validation !== undefined) return { table: unvalidated(table, validation), dropped: [] };
	if (rewrite !== undefined && isRewrite(table, id)) {
		return {
			table: { ...withNullable(table, rewrite.madeNotNull), rewrite: undefined },
			dropped: [rewrite.primary, ...rewrite.indexes].map((index) => index.indexId),
		};
	}
	const index = table.indexes.find(({ oid }) => oid === id);
	if (index === undefined || index.state === "public") return undefined;
	const indexes = table.indexes.filter((one) => one !== index);
	return {
		table: { ...withNullable(table, index.madeNotNull), indexes },
		dropped: [index.indexId],
	};
}

const withNullable = (
	table: TableDescriptor,
	madeNotNull: readonly number[] | undefined,
): TableDescriptor => ({
	...table,
	columns: table.columns.map((column) =>
		madeNotNull?.includes(column.attnum) ? { ...column, notNull: false } : column,
	),
});

const fillIndex =
	(id: number): FillBatch =>
	(table, rows, env, blind) =>
		isRewrite(table, id)
			? rewriteRows(table, rows, env, blind)
			: putEntries(table, indexAt(table, id), rows, env, blind);

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
	if (index.deferrable?.primaryKey === true) checkKeyColumns(codec, rows);
	const entries = rows.flatMap(({ row, key }) => {
		const entry = codec.entryKey(row, key);
		return entry === undefined ? [] : [{ row, key, entry }];
	});
	const looks = index.unique && !blind;
	const seen = new Set<Key>();
	const held = looks
		? await store.get(
				entries.map(({ entry }) => entry),
				undefined,
			)
		: [];
	for (const [i, { row, key, entry }] of entries.entries()) {
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

async function rewriteRows(
	table: TableDescriptor,
	rows: readonly StoredRow[],
	env: Env,
	blind: boolean,
): Promise<void> {
	const codec = tableCodec(table).rewrite;
	if (codec === undefined) throw gone();
	checkKeyColumns(codec.primary, rows);
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
}
