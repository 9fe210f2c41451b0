/** UPDATE and DELETE: read the target rows, with locks where the transaction takes them, then write. */
import { andThen } from "@quorate/keys/and-then";
import type { Key } from "@quorate/keys/key";
import { type Compiled, evaluateAll, syncOnly } from "../../plan/compile.ts";
import { Layout } from "../../plan/relation.ts";
import { changeFacts } from "../../plan/show.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { readFirst } from "../later-writes.ts";
import { Operator } from "../operator.ts";
import type { PlanFacts, PlanNode } from "../plan-node.ts";
import type { Recheck } from "../recheck.ts";
import type { RowChange, TableWriter } from "../table-writer.ts";
import type { ViewCheck } from "../view-check.ts";
import { allRows } from "./joins.ts";
import { sortMemory } from "./sort.ts";

/** Where the target's row lies in the rows of the input. */
export interface Target {
	readonly base: number;
	readonly width: number;
}

export interface Assigned {
	readonly slot: number;
	readonly value: Compiled;
}

export interface ModifyOptions {
	readonly deferred: boolean;
	readonly recheck: Recheck | undefined;
	/** RETURNING has subqueries. */
	readonly returningReads: boolean;
}

const nothing: Batch = [];

const keyOf = (row: ExecRow, target: Target): Key => row[target.base + target.width] as Key;

const targetRow = (row: ExecRow, target: Target): Datum[] =>
	row.slice(target.base, target.base + target.width);

abstract class Modify extends Operator {
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate = 1;
	protected readonly input: PlanNode;
	protected readonly writer: TableWriter;
	protected readonly target: Target;
	protected readonly returning: readonly Compiled[] | undefined;
	/** The input may see the statement's own writes: read all of it first. */
	readonly #deferred: boolean;
	/** Of rows that were not locked as they were read; undefined: all are. */
	readonly #recheck: Recheck | undefined;
	readonly #returningReads: boolean;

	constructor(
		input: PlanNode,
		writer: TableWriter,
		target: Target,
		returning: readonly Compiled[] | undefined,
		options: ModifyOptions,
	) {
		super();
		this.input = input;
		this.writer = writer;
		this.target = target;
		this.returning = returning;
		this.#deferred = options.deferred;
		this.#recheck = options.recheck;
		this.#returningReads = options.returningReads;
		this.children = [input];
		this.layout = new Layout(returning?.length ?? 0, new Map());
	}

	/** Writes a batch; the rows that RETURNING looks at. */
	protected abstract apply(batch: Batch, env: Env): Promise<readonly ExecRow[]>;

	#locked(batch: Batch, env: Env): Batch | Promise<Batch> {
		const recheck = env.execution.isolation === "serializable" ? undefined : this.#recheck;
		return recheck === undefined || batch.length === 0 ? batch : recheck.rows(batch, env);
	}

	protected rows(env: Env): AsyncIterable<Batch> {
		const rows = this.#changed(env);
		return this.#returningReads ? readFirst(env.execution, rows) : rows;
	}

	async *#changed(env: Env): AsyncIterable<Batch> {
		const batches = this.#deferred ? [await allRows(this.input, env)] : this.input.run(env);
		const seen = env.execution.later?.touched ?? new Set<Key>();
		for await (const batch of batches) {
			// A join may find a row of the target more than once: it is changed once.
			const fresh = batch.filter((row) => {
				const key = keyOf(row, this.target);
				return seen.has(key) ? false : seen.add(key);
			});
			const results = await this.apply(await this.#locked(fresh, env), env);
			env.execution.affected += results.length;
			await env.execution.endBatch();
			if (this.returning === undefined || results.length === 0) continue;
			const out: ExecRow[] = [];
			for (const row of results) out.push(await evaluateAll(this.returning, row, env));
			yield out;
		}
	}
}

export class Update extends Modify {
	readonly label: string;
	readonly facts: PlanFacts;
	readonly #assigned: readonly Assigned[];
	/** No key of any index can change: the row's value is all there is to write. */
	readonly #valueOnly: boolean;
	readonly #checks: readonly ViewCheck[];

	constructor(
		input: PlanNode,
		writer: TableWriter,
		target: Target,
		assigned: readonly Assigned[],
		returning: readonly Compiled[] | undefined,
		options: ModifyOptions & {
			readonly valueOnly: boolean;
			readonly checks: readonly ViewCheck[];
		},
	) {
		super(input, writer, target, returning, options);
		this.label = `Update on ${writer.codec.table.name}`;
		this.facts = changeFacts("Update", writer.codec.table);
		this.#assigned = assigned;
		this.#valueOnly = options.valueOnly;
		this.#checks = options.checks;
	}

	/** The whole statement, for one row by its key. */
	directStatement(): ((env: Env) => Batch | Promise<Batch>) | undefined {
		const input = this.input.direct?.();
		const values = syncOnly(this.#assigned.map((assigned) => assigned.value));
		const returning = this.returning === undefined ? [] : syncOnly(this.returning);
		if (input === undefined || values === undefined || returning === undefined) return undefined;
		if (!this.#valueOnly || this.#checks.length > 0) return undefined;
		const slots = this.#assigned.map((assigned) => assigned.slot);
		const change = (row: ExecRow, env: Env): Batch | Promise<Batch> => {
			const next = targetRow(row, this.target);
			for (let i = 0; i < slots.length; i++) next[slots[i]!] = values[i]!(row, env);
			return andThen(this.writer.validate(next, env), () => {
				this.writer.replaceValue(next, keyOf(row, this.target), env);
				env.execution.affected = 1;
				if (returning.length === 0) return nothing;
				const result = this.#result(row, next);
				return [returning.map((evaluate) => evaluate(result, env))];
			});
		};
		return (env) =>
			andThen(input.read(env), (read) => {
				const row = read && input.finish(read, env);
				return row === undefined ? nothing : change(row, env);
			});
	}

	/** The key of the only row that it can change. */
	get changedKey(): ((env: Env) => Key | undefined) | undefined {
		return this.#valueOnly ? this.input.direct?.()?.key : undefined;
	}

	/** What RETURNING sees: the input's row with the new values in it. */
	#result(row: ExecRow, next: readonly Datum[]): ExecRow {
		const out = [...row];
		for (let i = 0; i < next.length; i++) out[this.target.base + i] = next[i]!;
		return out;
	}

	protected async apply(batch: Batch, env: Env): Promise<readonly ExecRow[]> {
		const changes: RowChange[] = [];
		const results: ExecRow[] = [];
		const values: { readonly row: ExecRow; readonly key: Key }[] = [];
		for (const row of batch) {
			const oldRow = targetRow(row, this.target);
			const newRow = [...oldRow];
			for (const { slot, value } of this.#assigned) {
				newRow[slot] = await value.evaluate(row, env);
			}
			const waiting = this.writer.validate(newRow, env);
			if (waiting !== undefined) await waiting;
			const oldKey = keyOf(row, this.target);
			if (this.#valueOnly) values.push({ row: newRow, key: oldKey });
			else changes.push({ oldKey, oldRow, newRow });
			results.push(this.#result(row, newRow));
			const pause = env.execution.stepOf(batch.length);
			if (pause !== undefined) await pause;
		}
		const write = (): void | Promise<void> => {
			for (const { row, key } of values) this.writer.replaceValue(row, key, env);
			return changes.length > 0 ? this.writer.update(changes, env) : undefined;
		};
		await env.execution.write(results, write, sortMemory);
		for (const one of this.#checks) await one.check(results, this.target.base, env);
		return results;
	}
}

export class Delete extends Modify {
	readonly label: string;
	readonly facts: PlanFacts;

	constructor(
		input: PlanNode,
		writer: TableWriter,
		target: Target,
		returning: readonly Compiled[] | undefined,
		options: ModifyOptions,
	) {
		super(input, writer, target, returning, options);
		this.label = `Delete on ${writer.codec.table.name}`;
		this.facts = changeFacts("Delete", writer.codec.table);
	}

	protected async apply(batch: Batch, env: Env): Promise<readonly ExecRow[]> {
		await env.execution.write(batch, () => this.#write(batch, env), sortMemory);
		return batch;
	}

	async #write(batch: Batch, env: Env): Promise<void> {
		const rows = batch.map((row) => ({
			row: targetRow(row, this.target),
			key: keyOf(row, this.target),
		}));
		await this.writer.deleteRows(rows, env);
	}
}
