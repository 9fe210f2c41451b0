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
	columnByAttnum,
	encodeDescriptor,
	type IndexDescriptor,
	type RewriteChange,
	rewriteId,
	rewritten,
	type SequenceDescriptor,
	type TableDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds, encodeDropped } from "../catalog/dropped-index.ts";
import { buildKey, descriptorKey, droppedIndexKey, nameKey } from "../catalog/keys.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { Env } from "../execute/env.ts";
import { entryValue } from "../execute/index-codec.ts";
import { indexCodec } from "../execute/table-codec.ts";
import { isPassing, isUnreachable, pause, retrying } from "../session/retry.ts";
import { lockSchema } from "../session/schema-lock.ts";
import { dependent } from "./constraints.ts";
import { duplicated } from "./create-index.ts";
import { readsColumn } from "./dependencies.ts";
import { type Builder, begin, Fill, type FillBatch, gone, tableAt } from "./fill.ts";
import { rewriter } from "./rewrite-rows.ts";
import { checkKeyColumns, usedByView } from "./row-errors.ts";
import { estimateRows } from "./row-estimate.ts";
import { alreadyExists, nameKeysOf, namesOf } from "./schema-editor.ts";
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
import { droppedColumn, withoutColumn } from "./without-column.ts";

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
	change: (table: TableDescriptor, catalog: CatalogSnapshot) => Changed | undefined,
	cancels = false,
): Promise<boolean> {
	const { services } = state;
	const run = async (): Promise<boolean> => {
		const transaction = await begin(state, true);
		try {
			await transaction.get([descriptorKey(oid)], { strength: "update", wait: "block" });
			await refuseCancelled(transaction, buildId);
			const catalog = await services.catalog.of(transaction);
			const table = await tableAt(state, transaction, oid);
			const changed = table && change(table, catalog);
			transaction.delete(buildKey(buildId));
			if (table === undefined || changed === undefined) {
				await transaction.commit();
				return false;
			}
			if (cancels) await rememberCancelled(transaction, buildId);
			await putChanged(transaction, table, changed);
			await lockSchema(transaction);
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

/** Throws 42P07 where somebody has taken a name meanwhile. */
async function putChanged(
	transaction: Transaction,
	table: TableDescriptor,
	changed: Changed,
): Promise<void> {
	transaction.markSchemaChange();
	transaction.put(descriptorKey(table.oid), encodeDescriptor(changed.table));
	const before = new Set(namesOf(table));
	const kept = new Set(namesOf(changed.table));
	const keyOf = (name: string): Key => nameKey(table.schema, name, table.database);
	for (const name of before) if (!kept.has(name)) transaction.delete(keyOf(name));
	for (const name of kept) {
		if (before.has(name)) continue;
		const [taken] = await transaction.get([keyOf(name)], { strength: "update", wait: "block" });
		if (taken !== undefined) throw alreadyExists(name);
		transaction.put(keyOf(name), Buffer.from(String(table.oid), "utf8"));
	}
	const ids = new Set(allIndexIds(changed.table));
	const dropped = encodeDropped(table.name);
	for (const indexId of allIndexIds(table)) {
		if (!ids.has(indexId)) transaction.put(droppedIndexKey(indexId), dropped);
	}
	for (const sequence of changed.sequences ?? []) {
		transaction.delete(descriptorKey(sequence.oid));
		for (const key of nameKeysOf(sequence).keys()) transaction.delete(key);
	}
}

/** CANCEL JOB: takes it back, wherever it is being done. False: it has ended. */
export async function cancelBuild(
	state: Pick<Builder, "services">,
	{ tableOid, id }: UnfinishedBuild,
): Promise<boolean> {
	try {
		return await changeTable(
			state,
			tableOid,
			id,
			(table, catalog) => takenBack(table, catalog, id),
			true,
		);
	} catch (error) {
		if (isCancelled(error)) return false;
		throw error;
	}
}

const isCancelled = (error: unknown): boolean =>
	error instanceof DatabaseError && error.code === "57014";

const isRewrite = ({ rewrite }: TableDescriptor, id: number): boolean =>
	rewrite !== undefined && rewriteId(rewrite) === id;

const isUsable = (table: TableDescriptor, id: number): boolean =>
	[table.primary, ...table.indexes].some(({ oid, state }) => oid === id && state === "public");

/** Whether it is as it was to be. `table`: as the job has found it. */
function doneTest(table: TableDescriptor, id: number): (now: TableDescriptor) => boolean {
	const validation = validationOf(table, id);
	if (validation !== undefined) return (now) => isValid(now, validation);
	const { rewrite } = table;
	if (rewrite?.change === undefined || rewriteId(rewrite) !== id) {
		return (now) => isUsable(now, id);
	}
	const { indexId } = rewrite.primary;
	return (now) => now.rewrite === undefined && now.primary.indexId === indexId;
}

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
	const isDone = doneTest(table, id);
	// It is only told: without it the work goes on.
	const rowsTotal =
		seen === undefined ? await estimateRows(state, table).catch(() => undefined) : undefined;
	const known = rowsTotal === undefined ? {} : { rowsTotal };
	const tenure = await Tenure.take(state, id, seen, known);
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
		validation === undefined ? fillIndex(builder, id) : validator(builder, id),
		validation !== undefined,
	);
	tenure.tell(fill);
	try {
		await fill.run();
		if (validation === undefined) await checkShared(builder, tableOid, id);
		tenure.stop();
		await changeTable(state, tableOid, id, (table, catalog) =>
			finished(table, catalog, id, isDone),
		);
	} catch (error) {
		tenure.stop();
		if (tenure.isLost && state.cancel.reason === undefined) {
			return outcome(state, tableOid, id, isDone);
		}
		if (isUnreachable(error)) throw leftToOthers(error);
		await changeTable(state, tableOid, id, (table, catalog) => takenBack(table, catalog, id));
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
	/** That go. */
	readonly sequences?: readonly SequenceDescriptor[];
}

/** Undefined: another one has finished it. Throws 2BP01, 0A000 where somebody has come to depend on what goes. */
function finished(
	table: TableDescriptor,
	catalog: CatalogSnapshot,
	id: number,
	isDone: (table: TableDescriptor) => boolean,
): Changed | undefined {
	const validation = validationOf(table, id);
	if (validation !== undefined) return { table: validated(table, validation) };
	if (isDone(table)) return undefined;
	if (isRewrite(table, id)) return switched(table, catalog);
	const index = indexAt(table, id);
	const { madeNotNull: _made, ...rest } = index;
	const indexes = table.indexes.map((one) =>
		one === index ? { ...rest, state: "public" as const } : one,
	);
	return { table: { ...table, indexes } };
}

/** The second set takes over. */
function switched(before: TableDescriptor, catalog: CatalogSnapshot): Changed {
	const { rewrite } = before;
	const after = rewritten(before)!;
	const table: TableDescriptor = { ...after, primary: { ...after.primary, state: "public" } };
	const change = rewrite?.change;
	if (change === undefined) return { table };
	refuseViews(before, catalog, change);
	if (change.dropped === undefined) return { table };
	return {
		table: withoutColumn(table, columnByAttnum(table, change.dropped)),
		sequences: sequencesOf(catalog, table, [change.dropped]),
	};
}

/** Those that have been made meanwhile. Throws 2BP01, 0A000. */
function refuseViews(
	table: TableDescriptor,
	catalog: CatalogSnapshot,
	{ altered, dropped }: RewriteChange,
): void {
	for (const view of catalog.viewsOn(table.oid)) {
		if (dropped !== undefined && readsColumn(view, table.oid, dropped)) {
			const what = `column ${columnByAttnum(table, dropped).name} of table ${table.name}`;
			throw dependent(what, [`view ${view.name} depends on ${what}`]);
		}
		const used = altered.find(({ attnum }) => readsColumn(view, table.oid, attnum));
		if (used !== undefined) throw usedByView(view.name, columnByAttnum(table, used.attnum).name);
	}
}

/** Of columns that have one of their own. */
const sequencesOf = (
	catalog: CatalogSnapshot,
	table: TableDescriptor,
	attnums: readonly number[],
): readonly SequenceDescriptor[] =>
	catalog
		.relations()
		.filter((one) => one.kind === "sequence")
		.filter(({ ownedBy }) => ownedBy?.tableOid === table.oid && attnums.includes(ownedBy.attnum));

/** Undefined: there is nothing to be taken back. */
function takenBack(
	table: TableDescriptor,
	catalog: CatalogSnapshot,
	id: number,
): Changed | undefined {
	const { rewrite } = table;
	const validation = validationOf(table, id);
	if (validation !== undefined) return { table: unvalidated(table, validation) };
	if (rewrite !== undefined && isRewrite(table, id)) {
		const { added = [] } = rewrite.change ?? {};
		const { columns, ...rest } = withNullable(table, rewrite.madeNotNull);
		return {
			table: {
				...rest,
				columns: columns.map((one) => (added.includes(one.attnum) ? droppedColumn(one) : one)),
				rewrite: undefined,
			},
			sequences: sequencesOf(catalog, table, added),
		};
	}
	const index = table.indexes.find(({ oid }) => oid === id);
	if (index === undefined || index.state === "public") return undefined;
	const indexes = table.indexes.filter((one) => one !== index);
	return { table: { ...withNullable(table, index.madeNotNull), indexes } };
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

function fillIndex(state: Builder, id: number): FillBatch {
	const rewrite = rewriter(state);
	return (table, rows, env, blind, catalog) =>
		isRewrite(table, id)
			? rewrite(table, rows, env, blind, catalog)
			: putEntries(table, indexAt(table, id), rows, env, blind);
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
