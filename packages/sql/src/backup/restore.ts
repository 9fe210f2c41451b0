/** RESTORE: what a chain of backups held at a timestamp, as new tables (B6, B7). */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key, keySuccessor } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Row, Transaction } from "@quorate/txn/types";
import { inDatabase } from "../catalog/database.ts";
import {
	encodeDescriptor,
	hasPrimaryKey,
	type RelationDescriptor,
	type SequenceDescriptor,
	type TableDescriptor,
	type TypeDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import {
	decodeId,
	descriptorKey,
	encodeId,
	indexPrefix,
	indexPrefixLength,
	isIndexKey,
	roleKey,
	schemaNameKey,
	sequenceKey,
} from "../catalog/keys.ts";
import { encodeRole } from "../catalog/role.ts";
import type { SchemaDescriptor } from "../catalog/schema.ts";
import { alreadyExists, nameKeysOf, requireFormat, typeExists } from "../ddl/schema-editor.ts";
import { entryValue } from "../execute/index-codec.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { retrying } from "../session/retry.ts";
import { schemaWaitMs } from "../session/session-state.ts";
import type { Datum } from "../types/datum.ts";
import { BackupDirectory } from "./directory.ts";
import { Job } from "./job.ts";
import { layersFor, relationsAt, stateAt, verify } from "./layers.ts";
import { keyHex, keyOfHex, type Manifest } from "./plan.ts";
import { type RestorePlan, RestoreState } from "./restore-state.ts";
import {
	type Chosen,
	choose,
	newNumber,
	numbersOf,
	type RestoreTarget,
	restoredSequence,
	restoredTable,
	restoredType,
	restoredView,
} from "./restored-schema.ts";
import { beginBeside, checkCancelled, Progress, type RestoreWork, type Work } from "./work.ts";

export interface RestoreRequest extends RestoreTarget {
	readonly directory: string;
	/** Undefined: the end of the last backup. */
	readonly asOf: Timestamp | undefined;
}

/** Row ids that one call of the placement group hands out at most. */
const rowIdsMax = 1_000_000_000;

/** The number of rows. */
export async function restore(work: Work, request: RestoreRequest): Promise<number> {
	const directory = await BackupDirectory.named(work.services, request.directory);
	const { backups } = await directory.finished();
	const t = request.asOf ?? backups.at(-1)!.upTo;
	const layers = layersFor(backups, t);
	const { table } = request;
	const what = table === undefined ? "database" : `table ${table.schema}.${table.name}`;
	const target = `${layers.at(-1)!.id} ${t} ${what}`;
	const { databaseOid } = work.services;
	const job = await Job.begin(work, {
		kind: "RESTORE",
		directory: directory.path,
		...(table === undefined ? {} : { table: table.name }),
		databaseOid,
		target: `restore ${databaseOid} ${target}`,
	});
	try {
		const watched = { ...work, cancel: job.signal, job };
		const rows = await restoreLayers(watched, request, { directory, layers, t, what, target });
		job.stop();
		return rows;
	} catch (error) {
		await job.leave();
		throw error;
	}
}

async function restoreLayers(
	work: RestoreWork,
	request: RestoreRequest,
	{
		directory,
		layers,
		t,
		what,
		target,
	}: {
		readonly directory: BackupDirectory;
		readonly layers: readonly Manifest[];
		readonly t: Timestamp;
		/** For people. */
		readonly what: string;
		readonly target: string;
	},
): Promise<number> {
	const { runtime, catalog, databaseOid } = work.services;
	const survey = new Survey();
	await verify(work, directory, layers, (_, change) => survey.note(change.key));
	const present = await catalog.newest();
	const relations = (await relationsAt(directory, layers, t)).map(
		({ database: _before, ...relation }) => ({ ...relation, ...inDatabase(databaseOid) }),
	);
	const chosen = choose(relations, request, present);
	const resumed = await resumable(work, target, chosen);
	const state =
		resumed ?? (await RestoreState.begin(work, await plan(work, target, chosen, survey)));
	if (resumed !== undefined) {
		work.tell(`an unfinished restore is gone on with: ${resumed.place.rows} rows are there`);
	}
	runtime.logger.log("info", "a restore runs", { directory: directory.path, t, what });
	try {
		const run = new RestoreRun(work, { directory, layers, t, state, chosen, survey });
		await run.load();
		await run.publish();
	} catch (error) {
		if (isFinal(error)) await state.abandon();
		throw error;
	}
	runtime.logger.log("info", "a restore is finished", { t, what, rows: state.place.rows });
	return state.place.rows;
}

/** The same statement may mean other sequences by now. */
async function resumable(
	work: RestoreWork,
	target: string,
	chosen: Chosen,
): Promise<RestoreState | undefined> {
	const state = await RestoreState.resume(work, target);
	if (state === undefined) return undefined;
	const known = new Map(state.plan.numbers);
	if (numbersOf(chosen).every((number) => known.has(number))) return state;
	await state.abandon();
	return undefined;
}

/** It would fail again: damage, and names that are taken. Of others the statement may be repeated. */
const isFinal = (error: unknown): boolean =>
	error instanceof DatabaseError && ["42P07", "42710", "XX001"].includes(error.code);

const rowIdLength = 8;

/** What is seen of the rows while everything is checked. */
class Survey {
	/** Changes, by physical prefix: not fewer than rows. */
	readonly #changes = new Map<number, number>();
	readonly #rowIds = new Map<number, { least: number; most: number }>();

	note(k: Key): void {
		if (!isIndexKey(k)) return;
		const indexId = decodeId(k, 1);
		this.#changes.set(indexId, (this.#changes.get(indexId) ?? 0) + 1);
		if (k.length !== indexPrefixLength + rowIdLength) return;
		const id = decodeId(k, indexPrefixLength);
		const known = this.#rowIds.get(indexId);
		if (known === undefined) {
			this.#rowIds.set(indexId, { least: id, most: id });
			return;
		}
		known.least = Math.min(known.least, id);
		known.most = Math.max(known.most, id);
	}

	changes(tables: readonly TableDescriptor[]): number {
		return tables.reduce((sum, { primary }) => sum + (this.#changes.get(primary.indexId) ?? 0), 0);
	}

	/** The least and the highest, if it is a table of hidden row ids, and has any. */
	rowIds(table: TableDescriptor): { readonly least: number; readonly most: number } | undefined {
		return hasPrimaryKey(table) ? undefined : this.#rowIds.get(table.primary.indexId);
	}
}

async function plan(
	work: Work,
	target: string,
	chosen: Chosen,
	survey: Survey,
): Promise<RestorePlan> {
	const { objectIds, placement } = work.services;
	const numbers: [number, number][] = [];
	for (const old of numbersOf(chosen)) {
		numbers.push([old, newNumber(old, await objectIds.take())]);
	}
	const renumbering = new Map(numbers);
	const rowShifts: [number, number][] = [];
	const prefixes: number[] = [];
	for (const type of chosen.types) requireFormat(work.services, type);
	for (const table of chosen.tables) {
		requireFormat(work.services, table);
		for (const { indexId } of [table.primary, ...table.indexes]) {
			prefixes.push(renumbering.get(indexId)!);
		}
		const bounds = survey.rowIds(table);
		if (bounds === undefined) continue;
		// Ids of this cluster, so that no row inserted later ever gets one of them.
		const count = bounds.most - bounds.least + 1;
		if (count > rowIdsMax) {
			throw new DatabaseError("54000", `the row ids of table "${table.name}" lie too far apart`, {
				hint: "Give the table a primary key before the backup.",
			});
		}
		const first = await placement.allocate("row", count);
		rowShifts.push([table.primary.indexId, first - bounds.least]);
	}
	return { target, numbers, rowShifts, prefixes };
}

class RestoreRun {
	readonly #work: RestoreWork;
	readonly #directory: BackupDirectory;
	readonly #layers: readonly Manifest[];
	readonly #t: Timestamp;
	readonly #state: RestoreState;
	readonly #sources: readonly TableDescriptor[];
	readonly #tables: readonly TableDescriptor[];
	readonly #sequences: readonly (readonly [SequenceDescriptor, SequenceDescriptor])[];
	readonly #views: readonly ViewDescriptor[];
	readonly #types: readonly TypeDescriptor[];
	readonly #shifts: ReadonlyMap<number, number>;
	/** Of all tables: not fewer than there are rows. */
	readonly #changes: number;
	readonly #progress: Progress;

	constructor(
		work: RestoreWork,
		parts: {
			readonly directory: BackupDirectory;
			readonly layers: readonly Manifest[];
			readonly t: Timestamp;
			readonly state: RestoreState;
			readonly chosen: Chosen;
			readonly survey: Survey;
		},
	) {
		const { directory, layers, t, state, chosen, survey } = parts;
		const numbers = new Map(state.plan.numbers);
		this.#work = work;
		this.#directory = directory;
		this.#layers = layers;
		this.#t = t;
		this.#state = state;
		this.#sources = chosen.tables;
		this.#tables = chosen.tables.map((table) => restoredTable(work, table, numbers));
		this.#types = chosen.types.map((type) => restoredType(type, numbers));
		this.#views = chosen.views.map((view) => restoredView(view, numbers));
		this.#sequences = chosen.sequences.map((old) => [old, restoredSequence(old, numbers)]);
		this.#shifts = new Map(state.plan.rowShifts);
		this.#changes = survey.changes(chosen.tables);
		this.#progress = new Progress(work, "restore");
		work.job.rows = state.place.rows;
		work.job.rowsTotal = this.#changes;
	}

	async load(): Promise<void> {
		for (let n = this.#state.place.table; n < this.#tables.length; n++) {
			await this.#loadTable(n);
			const { rows } = this.#state.place;
			await this.#state.batch({ table: n + 1, key: "", rows }, () => {});
		}
	}

	async #loadTable(n: number): Promise<void> {
		const { place } = this.#state;
		const source = this.#sources[n]!;
		const from = place.table === n && place.key !== "" ? keyOfHex(place.key) : undefined;
		const { indexId } = source.primary;
		const name = { kind: "rows", indexId } as const;
		const { restoreBatchRows } = this.#work.services.limits;
		const [directory, layers, t] = [this.#directory, this.#layers, this.#t];
		for await (const rows of stateAt(directory, layers, name, t, from, restoreBatchRows)) {
			checkCancelled(this.#work);
			const loaded = this.#state.place.rows + rows.length;
			const next = keyHex(keySuccessor(rows.at(-1)!.key));
			await this.#state.batch({ table: n, key: next, rows: loaded }, (transaction) =>
				this.#write(transaction, n, rows),
			);
			this.#work.job.rows = loaded;
			this.#progress.at(
				loaded / this.#changes,
				`${loaded} rows, at table ${n + 1} of ${this.#tables.length} ("${source.name}")`,
			);
		}
	}

	/** Blindly: nobody else knows the prefixes, and the same rows may come twice. */
	#write(transaction: Transaction, n: number, rows: readonly Row[]): void {
		const source = this.#sources[n]!;
		const codec = tableCodec(this.#tables[n]!);
		const shift = this.#shifts.get(source.primary.indexId);
		const prefix = indexPrefix(codec.table.primary.indexId);
		for (const { key: old, value } of rows) {
			const id =
				shift === undefined
					? old.slice(indexPrefixLength)
					: encodeId(decodeId(old, indexPrefixLength) + shift);
			const rowKey = key(prefix + id);
			transaction.put(rowKey, value);
			if (codec.secondary.length === 0) continue;
			const row: Datum[] = new Array(codec.row.width);
			codec.row.decode(value, row, 0, undefined);
			for (const index of codec.secondary) {
				const entry = index.entryKey(row, rowKey);
				if (entry !== undefined) transaction.put(entry, entryValue(rowKey));
			}
		}
	}

	/** One schema change: everything is there, or nothing. */
	async publish(): Promise<void> {
		const { services } = this.#work;
		const values = await this.#sequenceValues();
		await retrying(services.runtime, async () => {
			const transaction = await beginBeside(this.#work, "pessimistic");
			try {
				await this.#state.finish(transaction);
				const sequences = this.#sequences.map(([, made]) => made);
				const relations = [...this.#types, ...this.#tables, ...sequences, ...this.#views];
				for (const relation of relations) await claim(transaction, relation);
				await this.#makeSchemas(transaction, relations);
				for (const [old, made] of this.#sequences) {
					const value = values.get(sequenceKey(old.valueId));
					if (value !== undefined) transaction.put(sequenceKey(made.valueId), value);
				}
				transaction.markSchemaChange();
				const { schemaVersion } = await transaction.commit();
				await services.placement.awaitSchemaVersion(schemaVersion!, schemaWaitMs);
			} catch (error) {
				await transaction.rollback();
				throw error;
			}
		});
	}

	/** Those that are not there any more belong to the role that the cluster was born with, as the tables in them do. */
	async #makeSchemas(
		transaction: Transaction,
		relations: readonly RelationDescriptor[],
	): Promise<void> {
		const { catalog, objectIds, databaseOid } = this.#work.services;
		const { schemas } = await catalog.of(transaction);
		for (const name of new Set(relations.map(({ schema }) => schema))) {
			if (schemas.byName(name) !== undefined) continue;
			const oid = await objectIds.take();
			const schema: SchemaDescriptor = { kind: "schema", oid, name, ...inDatabase(databaseOid) };
			transaction.put(roleKey(schema.oid), encodeRole(schema));
			transaction.put(
				schemaNameKey(name, schema.database),
				Buffer.from(String(schema.oid), "utf8"),
			);
		}
	}

	async #sequenceValues(): Promise<ReadonlyMap<Key, Uint8Array>> {
		const values = new Map<Key, Uint8Array>();
		const name = { kind: "sequences" } as const;
		for await (const rows of stateAt(this.#directory, this.#layers, name, this.#t)) {
			for (const { key: k, value } of rows) values.set(k, value);
		}
		return values;
	}
}

/** Writes a new descriptor and its names. Throws 42P07. */
async function claim(transaction: Transaction, relation: RelationDescriptor): Promise<void> {
	const names = nameKeysOf(relation);
	const keys = [...names.keys()];
	const held = await transaction.get(keys, { strength: "update", wait: "block" });
	const taken = keys.find((_, i) => held[i] !== undefined);
	if (taken !== undefined) {
		const name = names.get(taken)!;
		throw relation.kind === "type" ? typeExists(name) : alreadyExists(name);
	}
	transaction.put(descriptorKey(relation.oid), encodeDescriptor(relation));
	for (const k of keys) transaction.put(k, Buffer.from(String(relation.oid), "utf8"));
}
