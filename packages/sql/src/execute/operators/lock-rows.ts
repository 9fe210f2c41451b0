/**
 * SELECT ... FOR UPDATE: locks rows after all conditions, and the order, have been applied, so that no other row is in anybody's way;
 * a LIMIT stops it after as many as it wants. A row's newest version must still meet the conditions. Where it waits, SERIALIZABLE has
 * locked the rows as they were read, for it relies on all of them; with NOWAIT and SKIP LOCKED nobody has.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import { type Compiled, evaluateAll } from "../../plan/compile.ts";
import type { Layout } from "../../plan/relation.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { Operator } from "../operator.ts";
import { batchSize, type PlanNode } from "../plan-node.ts";
import type { TableCodec } from "../table-codec.ts";

export interface RowLocking {
	readonly codec: TableCodec;
	readonly lock: LockRequest;
	/** Over the table's row: all that WHERE says; undefined: nothing. */
	readonly condition: Compiled | undefined;
	/** Over the table's row: the output, without the key. */
	readonly columns: readonly Compiled[];
	/** Where the row's key is in the input: its last column. */
	readonly keySlot: number;
}

export class LockRows extends Operator {
	readonly label = "LockRows";
	readonly details = [];
	readonly children: readonly PlanNode[];
	readonly layout: Layout;
	readonly estimate: number;
	readonly #input: PlanNode;
	readonly #locking: RowLocking;

	constructor(input: PlanNode, locking: RowLocking) {
		super();
		this.#input = input;
		this.#locking = locking;
		this.children = [input];
		this.layout = input.layout;
		this.estimate = input.estimate;
	}

	protected async *rows(env: Env): AsyncIterable<Batch> {
		const waits = this.#locking.lock.wait === "block";
		if (waits && env.execution.isolation === "serializable") {
			yield* this.#input.run(env);
			return;
		}
		// Whoever waits anyway asks for more at once as it goes on: a LIMIT has then locked twice as many as it wants at most.
		let size = 1;
		for await (const batch of this.#input.run(env)) {
			for (let from = 0; from < batch.length; ) {
				const some = batch.slice(from, from + size);
				from += some.length;
				if (waits) size = Math.min(size * 2, batchSize);
				const locked = await this.#locked(some, env);
				if (locked.length > 0) yield locked;
			}
		}
	}

	/** Without those that somebody else has, that are gone, or that are no rows that were asked for any more. */
	async #locked(rows: Batch, env: Env): Promise<Batch> {
		const { lock, keySlot } = this.#locking;
		const keys = rows.map((row) => row[keySlot] as Key);
		const values = await env.execution.store.get(keys, lock);
		const kept: ExecRow[] = [];
		for (let i = 0; i < keys.length; i++) {
			const value = values[i];
			const row = value === undefined ? undefined : await this.#newest(keys[i]!, value, env);
			if (row !== undefined) kept.push(row);
		}
		return kept;
	}

	async #newest(key: Key, value: Uint8Array, env: Env): Promise<ExecRow | undefined> {
		const { codec, condition, columns } = this.#locking;
		const newest: Datum[] = new Array(codec.row.width + 1);
		codec.row.decode(value, newest, 0, undefined);
		newest[codec.row.width] = key;
		if (condition !== undefined && (await condition.evaluate(newest, env)) !== true)
			return undefined;
		return [...(await evaluateAll(columns, newest, env)), key];
	}
}
