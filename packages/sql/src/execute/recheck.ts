/**
 * What a statement below SERIALIZABLE does with rows that it found in its snapshot and is going to write: it locks them, and
 * where another transaction has changed one since, READ COMMITTED looks whether the newest version still meets all conditions
 * (PostgreSQL's EvalPlanQual), with the rows of other tables as they were. REPEATABLE READ fails then: the transaction says so.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import type { Compiled } from "../plan/compile.ts";
import type { Datum } from "../types/datum.ts";
import type { Batch, Env, ExecRow } from "./env.ts";
import type { TableCodec } from "./table-codec.ts";

export class Recheck {
	readonly #codec: TableCodec;
	/** Where the table's row lies in the rows that are looked at. */
	readonly #base: number;
	readonly #lock: LockRequest;
	/** Over those rows: everything that FROM and WHERE say; undefined: nothing. */
	readonly #condition: Compiled | undefined;

	constructor(codec: TableCodec, base: number, lock: LockRequest, condition: Compiled | undefined) {
		this.#codec = codec;
		this.#base = base;
		this.#lock = lock;
		this.#condition = condition;
	}

	/** The rows that remain, with the newest versions in them. */
	async rows(batch: Batch, env: Env): Promise<Batch> {
		const { width } = this.#codec.row;
		const keyOf = (row: ExecRow) => row[this.#base + width] as Key;
		const keys = [...new Set(batch.map(keyOf))];
		const values = await env.execution.store.get(keys, this.#lock);
		const newest = new Map(keys.map((key, i) => [key, values[i]]));
		const kept: ExecRow[] = [];
		for (const row of batch) {
			const value = newest.get(keyOf(row));
			if (value === undefined) continue;
			const current: Datum[] = [...row];
			this.#codec.row.decode(value, current, this.#base, undefined);
			if (await this.#holds(current, env)) kept.push(current);
		}
		return kept;
	}

	async #holds(row: ExecRow, env: Env): Promise<boolean> {
		if (this.#condition === undefined) return true;
		const value = this.#condition.evaluate(row, env);
		return (value instanceof Promise ? await value : value) === true;
	}
}
