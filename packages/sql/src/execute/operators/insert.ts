/** INSERT: rows of the source, completed by defaults, checked and written; ON CONFLICT. */
import { andThen } from "@quorate/keys/and-then";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import { type Compiled, evaluateAll } from "../../plan/compile.ts";
import { Layout } from "../../plan/relation.ts";
import { changeFacts } from "../../plan/show.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { entryTarget, entryValue, type IndexCodec } from "../index-codec.ts";
import { readFirst } from "../later-writes.ts";
import { Operator } from "../operator.ts";
import type { PlanFacts, PlanNode } from "../plan-node.ts";
import { type Claim, exclusive, type TableWriter } from "../table-writer.ts";
import type { ViewCheck } from "../view-check.ts";
import { uniqueViolation } from "../violation.ts";
import { sortMemory } from "./sort.ts";

/** Rows of the target's live columns, ready to be written. */
export interface RowSource {
	readonly children: readonly PlanNode[];
	/** One row and no more, without waiting: a single VALUES row. */
	readonly single: ((env: Env) => Datum[]) | undefined;
	rows(env: Env): AsyncIterable<SourceBatch>;
}

export interface SourceBatch {
	readonly rows: readonly Datum[][];
	/** One of so many that reading each key before writing it would be slow. */
	readonly bulk: boolean;
}

export interface ConflictAction {
	/** Undefined: all unique indexes. */
	readonly arbiters: readonly IndexCodec[] | undefined;
	/** Undefined: DO NOTHING. */
	readonly update:
		| {
				readonly assigned: readonly { readonly slot: number; readonly value: Compiled }[];
				readonly where: Compiled | undefined;
		  }
		| undefined;
}

/** From this many rows on, INSERT ... SELECT relies on absence instead of reading. */
export const bulkRows = 1000;

const nothing: Batch = [];

export class Insert extends Operator {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate = 1;
	readonly #writer: TableWriter;
	readonly #source: RowSource;
	readonly #conflict: ConflictAction | undefined;
	/** RETURNING has subqueries. */
	readonly #returningReads: boolean;
	readonly #returning: readonly Compiled[] | undefined;
	readonly #checks: readonly ViewCheck[];

	constructor(
		writer: TableWriter,
		source: RowSource,
		conflict: ConflictAction | undefined,
		returning: readonly Compiled[] | undefined,
		checks: readonly ViewCheck[],
		returningReads: boolean,
	) {
		super();
		this.#checks = checks;
		this.#writer = writer;
		this.#source = source;
		this.#conflict = conflict;
		this.#returning = returning;
		this.#returningReads = returningReads;
		this.label = `Insert on ${writer.codec.table.name}`;
		this.facts = changeFacts("Insert", writer.codec.table);
		const action = conflict?.update === undefined ? "NOTHING" : "UPDATE";
		this.details = conflict === undefined ? [] : [`Conflict Resolution: ${action}`];
		this.children = source.children;
		this.layout = new Layout(returning?.length ?? 0, new Map());
	}

	/** One row into a table of which no key has to be looked at. */
	directStatement(): ((env: Env) => Batch | Promise<Batch>) | undefined {
		const { single } = this.#source;
		const isPlain = this.#conflict === undefined && this.#returning === undefined;
		if (single === undefined || !isPlain || this.#checks.length > 0) return undefined;
		const writer = this.#writer;
		const insert = (row: Datum[], key: Key, env: Env): Promise<void> | undefined => {
			writer.insert(row, key, env);
			env.execution.affected = 1;
			return writer.shadow?.insert([{ row, key }], env);
		};
		return (env) => {
			const row = single(env);
			const key = andThen(
				writer.validate(row, env),
				() => writer.newKey(row, env) ?? writer.newKeySlowly(row, env),
			);
			const inserted = andThen(key, (free) =>
				writer.hasUnique
					? writer.check(writer.claims(row, free), env).then(() => insert(row, free, env))
					: insert(row, free, env),
			);
			return andThen(inserted, () => nothing);
		};
	}

	protected rows(env: Env): AsyncIterable<Batch> {
		const rows = this.#inserted(env);
		return this.#returningReads ? readFirst(env.execution, rows) : rows;
	}

	async *#inserted(env: Env): AsyncIterable<Batch> {
		// What is not written yet has to be known to later batches.
		const all =
			this.#conflict !== undefined && env.execution.later !== undefined
				? new ConflictBatch(this.#writer, this.#conflict, env)
				: undefined;
		for await (const { rows: batch, bulk } of this.#source.rows(env)) {
			for (const row of batch) {
				const waiting = this.#writer.validate(row, env);
				if (waiting !== undefined) await waiting;
			}
			const written =
				this.#conflict === undefined
					? await this.#insert(batch, bulk, env)
					: await (all ?? new ConflictBatch(this.#writer, this.#conflict, env)).write(batch);
			for (const one of this.#checks) await one.check(written, 0, env);
			env.execution.affected += written.length;
			await env.execution.endBatch();
			const pause = env.execution.pause();
			if (pause !== undefined) await pause;
			if (this.#returning === undefined || written.length === 0) continue;
			const out: ExecRow[] = [];
			for (const row of written) out.push(await evaluateAll(this.#returning, row, env));
			yield out;
		}
	}

	async #insert(batch: readonly Datum[][], bulk: boolean, env: Env): Promise<readonly ExecRow[]> {
		const writer = this.#writer;
		const keys: Key[] = [];
		for (const row of batch) {
			keys.push(writer.newKey(row, env) ?? (await writer.newKeySlowly(row, env)));
		}
		const write = () => this.#write(batch, keys, bulk, env);
		await env.execution.write(batch, write, sortMemory);
		return batch;
	}

	async #write(
		batch: readonly Datum[][],
		keys: readonly Key[],
		bulk: boolean,
		env: Env,
	): Promise<void> {
		const writer = this.#writer;
		if (writer.hasUnique && bulk) {
			for (const [i, row] of batch.entries()) writer.insertUnread(row, keys[i]!, env);
		} else {
			if (writer.hasUnique) {
				const claims: Claim[] = [];
				for (const [i, row] of batch.entries()) claims.push(...writer.claims(row, keys[i]!));
				await writer.check(claims, env);
			}
			for (const [i, row] of batch.entries()) writer.insert(row, keys[i]!, env);
		}
		if (writer.shadow !== undefined) {
			const rows = batch.map((row, i) => ({ row, key: keys[i]! }));
			await writer.shadow.insert(rows, env);
		}
	}
}

/** One batch of INSERT ... ON CONFLICT: all keys are read at once, then the rows are taken in order. */
class ConflictBatch {
	readonly #writer: TableWriter;
	readonly #action: ConflictAction;
	readonly #env: Env;
	/** What is, or will be, under the keys of the batch. */
	readonly #known = new Map<Key, Uint8Array | undefined>();
	readonly #touched = new Set<Key>();

	constructor(writer: TableWriter, action: ConflictAction, env: Env) {
		this.#writer = writer;
		this.#action = action;
		this.#env = env;
	}

	async write(batch: readonly Datum[][]): Promise<readonly ExecRow[]> {
		const env = this.#env;
		const rows: { readonly row: Datum[]; readonly key: Key; readonly claims: Claim[] }[] = [];
		for (const row of batch) {
			const key = this.#writer.newKey(row, env) ?? (await this.#writer.newKeySlowly(row, env));
			rows.push({ row, key, claims: this.#writer.claims(row, key) });
		}
		const keys = [...new Set(rows.flatMap(({ claims }) => claims.map((claim) => claim.key)))];
		const values = await env.execution.store.get(keys, exclusive);
		for (const [i, key] of keys.entries())
			if (!this.#known.has(key)) this.#known.set(key, values[i]);
		const written: ExecRow[] = [];
		for (const { row, key, claims } of rows) {
			const result = await this.#one(row, key, claims);
			if (result !== undefined) written.push(result);
		}
		return written;
	}

	async #one(row: Datum[], key: Key, claims: readonly Claim[]): Promise<ExecRow | undefined> {
		const taken = claims.filter((claim) => this.#known.get(claim.key) !== undefined);
		const { arbiters, update } = this.#action;
		const conflict = taken.find(({ index }) => arbiters?.includes(index) !== false);
		const other = taken[0];
		if (conflict === undefined && other !== undefined) {
			throw uniqueViolation(other.index.table, other.index.index, row, this.#env.context);
		}
		if (conflict === undefined) {
			const { execution } = this.#env;
			await execution.write([row], () => this.#insert(row, key, claims), sortMemory);
			this.#note(row, key, claims);
			return row;
		}
		return update === undefined ? undefined : this.#update(conflict, row, update);
	}

	async #insert(row: Datum[], key: Key, claims: readonly Claim[]): Promise<void> {
		const writer = this.#writer;
		// Another part of the statement may have taken the keys since they were looked at.
		if (this.#env.execution.later !== undefined) await writer.check(claims, this.#env);
		writer.insert(row, key, this.#env);
		await writer.shadow?.insert([{ row, key }], this.#env);
	}

	#note(row: ExecRow, key: Key, claims: readonly Claim[]): void {
		const value = this.#writer.codec.row.encode(row);
		for (const claim of claims) {
			this.#known.set(claim.key, claim.index.isPrimary ? value : entryValue(key));
		}
		this.#touched.add(key);
	}

	async #update(
		conflict: Claim,
		excluded: ExecRow,
		update: NonNullable<ConflictAction["update"]>,
	): Promise<ExecRow | undefined> {
		const env = this.#env;
		const { codec } = this.#writer;
		const found = this.#known.get(conflict.key)!;
		const oldKey = conflict.index.isPrimary
			? conflict.key
			: entryTarget(codec.primaryPrefix, found);
		if (this.#touched.has(oldKey) || env.execution.later?.touched.has(oldKey) === true) {
			throw new DatabaseError(
				"21000",
				"ON CONFLICT DO UPDATE command cannot affect row a second time",
				{
					hint: "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
				},
			);
		}
		const value = conflict.index.isPrimary
			? found
			: (await env.execution.store.get([oldKey], exclusive))[0];
		if (value === undefined) return undefined;
		const oldRow: Datum[] = new Array(codec.row.width);
		codec.row.decode(value, oldRow, 0, undefined);
		const both = [...oldRow, ...excluded];
		if (update.where !== undefined && (await update.where.evaluate(both, env)) !== true) {
			return undefined;
		}
		const newRow = [...oldRow];
		for (const assigned of update.assigned) {
			newRow[assigned.slot] = await assigned.value.evaluate(both, env);
		}
		const waiting = this.#writer.validate(newRow, env);
		if (waiting !== undefined) await waiting;
		const write = () => this.#writer.update([{ oldKey, oldRow, newRow }], env);
		await env.execution.write([newRow], write, sortMemory);
		this.#touched.add(oldKey);
		env.execution.later?.touched.add(oldKey);
		const newKey = this.#writer.hasKey ? codec.primary.primaryKey(newRow) : oldKey;
		this.#note(newRow, newKey, this.#writer.claims(newRow, newKey));
		return newRow;
	}
}
