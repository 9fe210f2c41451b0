/**
 * Brings the rows that a table had before into an index that all writers keep by now (S3, S5): a series of ordinary transactions whose
 * reads are validated, several of them under way at once. Each has a stretch of the table to itself.
 *
 * First a batch writes without having looked for what is there: rows that nobody has touched since are in no new index, and if a key
 * is taken after all, its commit says so. A batch that fails so, or meets a writer, is done again in smaller ones that look.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, keySuccessor } from "@quorate/keys/key";
import { neverCancelled } from "@quorate/txn/own-transactions";
import { type CancelSignal, KeyExistsError, type Transaction } from "@quorate/txn/types";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { indexSpan } from "../catalog/keys.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { Env, Execution } from "../execute/env.ts";
import { StatementStore } from "../execute/statement-store.ts";
import { isPassing, mayRepeat, retrying } from "../session/retry.ts";
import type { SessionState } from "../session/session-state.ts";
import { type StoredRow, tableRows } from "./table-rows.ts";

/** Rows of one transaction: few enough for one entry of the log, and not to keep others waiting for their turn. */
const batchRows = { blind: 500, looking: 250 };
const batchesAtOnce = 6;
/** From this attempt on a batch that looks locks its rows: writers wait instead of invalidating it. */
const lockFrom = 1;

export const gone = (): DatabaseError =>
	new DatabaseError("55000", "another schema change has taken away what this one was at");

/** What a build needs of the session that runs it. */
export interface Builder extends Pick<SessionState, "services" | "context"> {
	readonly cancel: CancelSignal;
}

export async function begin(
	{ services }: Pick<Builder, "services">,
	pessimistic: boolean,
	cancel: CancelSignal = neverCancelled,
): Promise<Transaction> {
	const newest = await services.catalog.newest();
	const transaction = services.coordinator.begin({
		isolation: "serializable",
		mode: pessimistic ? "pessimistic" : "optimistic",
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: newest.version,
	});
	transaction.beginStatement(cancel);
	await transaction.readTimestamp();
	return transaction;
}

export async function beginSnapshot(
	{ services }: Pick<Builder, "services">,
	cancel: CancelSignal = neverCancelled,
): Promise<Transaction> {
	const newest = await services.catalog.newest();
	const transaction = services.coordinator.begin({
		isolation: "repeatable read",
		mode: "optimistic",
		readOnly: true,
		lockTimeoutMs: 0,
		schemaVersion: newest.version,
	});
	transaction.beginStatement(cancel);
	await transaction.readTimestamp();
	return transaction;
}

export async function tableAt(
	{ services }: Pick<Builder, "services">,
	transaction: Transaction,
	oid: number,
): Promise<TableDescriptor | undefined> {
	const catalog = await services.catalog.of(transaction);
	const found = catalog.relation(oid);
	return found?.kind === "table" ? found : undefined;
}

/** Rows, and where they go. `blind`: what is there is not to be looked at; a key that is taken may throw `KeyExistsError`. */
export type FillBatch = (
	table: TableDescriptor,
	rows: readonly StoredRow[],
	env: Env,
	blind: boolean,
	catalog: CatalogSnapshot,
) => Promise<void>;

/** Of the table; without its bounds, to its start or end. */
interface Stretch {
	readonly start: Key | undefined;
	readonly end: Key | undefined;
}

/** What a transaction has read. */
interface Batch {
	readonly transaction: Transaction;
	readonly catalog: CatalogSnapshot;
	readonly table: TableDescriptor;
	readonly rows: readonly StoredRow[];
	/** Where the next one goes on; undefined: nothing is left. */
	readonly next: Key | undefined;
}

export class Fill {
	readonly #state: Builder;
	readonly #oid: number;
	readonly #fill: FillBatch;
	readonly #reads: boolean;
	/** In the order of their stretches; by where they start. */
	readonly #underWay = new Map<Promise<void>, Key | undefined>();
	#failure: { readonly error: unknown } | undefined;
	#next: Key | undefined;
	#rows: number;

	/** `from`, `rows`: where an earlier one came to. `reads`: nothing is written, and rows are looked at as they were. */
	constructor(
		state: Builder,
		oid: number,
		from: Key | undefined,
		rows: number,
		fill: FillBatch,
		reads = false,
	) {
		this.#state = state;
		this.#oid = oid;
		this.#next = from;
		this.#rows = rows;
		this.#fill = fill;
		this.#reads = reads;
	}

	/** All rows before this key are done. */
	get reached(): Key | undefined {
		const [oldest] = this.#underWay;
		return oldest === undefined ? this.#next : oldest[1];
	}

	/** Done so far. */
	get rows(): number {
		return this.#rows;
	}

	/** All rows. Nothing of it is under way any more when it ends, also where it fails or its statement is cancelled. */
	async run(): Promise<void> {
		try {
			await this.#runAll();
		} finally {
			await Promise.all(this.#underWay.keys());
		}
		if (this.#failure !== undefined) throw this.#failure.error;
	}

	async #runAll(): Promise<void> {
		const { runtime } = this.#state.services;
		for (;;) {
			const start = this.#next;
			const batch = await retrying(
				runtime,
				() => this.#read({ start, end: undefined }, batchRows.blind, false),
				isPassing,
			);
			this.#begin(batch, { start, end: batch.next });
			if (batch.next === undefined) return;
			this.#next = batch.next;
			while (this.#underWay.size >= batchesAtOnce && this.#failure === undefined) {
				await Promise.race(this.#underWay.keys());
			}
			if (this.#failure !== undefined) return;
		}
	}

	#begin(batch: Batch, stretch: Stretch): void {
		const work = this.#finish(batch, true)
			.catch((error) => {
				if (mayRepeat(error) || error instanceof KeyExistsError) return this.#again(stretch);
				throw error;
			})
			.then(() => {
				this.#rows += batch.rows.length;
				this.#underWay.delete(work);
			})
			// What failed stays: nothing behind it counts as reached.
			.catch((error) => {
				this.#failure ??= { error };
			});
		this.#underWay.set(work, stretch.start);
	}

	/** The stretch in smaller batches, one after the other. */
	async #again({ start, end }: Stretch): Promise<void> {
		let from: Key | undefined = start;
		do {
			const rest: Stretch = { start: from, end };
			from = await retrying(
				this.#state.services.runtime,
				async (attempt) => {
					const batch = await this.#read(rest, batchRows.looking, attempt >= lockFrom);
					await this.#finish(batch, false);
					return batch.next;
				},
				mayRepeat,
			);
		} while (from !== undefined && (end === undefined || from < end));
	}

	async #read({ start, end }: Stretch, size: number, lock: boolean): Promise<Batch> {
		const { cancel } = this.#state;
		if (cancel.reason !== undefined) throw cancel.reason;
		const transaction = this.#reads
			? await beginSnapshot(this.#state, cancel)
			: await begin(this.#state, lock, cancel);
		try {
			const catalog = await this.#state.services.catalog.of(transaction);
			const table = catalog.relation(this.#oid);
			if (table?.kind !== "table") throw gone();
			const whole = indexSpan(table.primary.indexId);
			// The rows are no more where they were: TRUNCATE.
			if (start !== undefined && (start < whole.start || start > whole.end)) throw gone();
			const span = { start: start ?? whole.start, end: end ?? whole.end };
			const options = {
				limit: size,
				...(lock && !this.#reads ? { lock: { strength: "update", wait: "block" } as const } : {}),
			};
			const rows: StoredRow[] = [];
			for await (const page of tableRows(transaction, table, options, span)) {
				rows.push(...page);
				if (rows.length >= size) break;
			}
			const some = rows.slice(0, size);
			const next = some.length < size ? undefined : keySuccessor(some.at(-1)!.key);
			return { transaction, catalog, table, rows: some, next };
		} catch (error) {
			await transaction.rollback();
			throw error;
		}
	}

	async #finish({ transaction, catalog, table, rows }: Batch, blind: boolean): Promise<void> {
		try {
			await this.#fill(table, rows, this.#environment(transaction), blind, catalog);
			if (this.#reads) await transaction.rollback();
			else await transaction.commit();
		} catch (error) {
			await transaction.rollback();
			throw error;
		}
	}

	#environment(transaction: Transaction): Env {
		const { services, context } = this.#state;
		return new Env(
			new Execution({
				runtime: services.runtime,
				store: new StatementStore(transaction, transaction.schemaVersion),
				context,
				isolation: "serializable",
				rowIds: services.rowIds,
				cancel: this.#state.cancel,
				moreRows: undefined,
				memoryLimit: services.statementMemory,
			}),
			[],
		);
	}
}
