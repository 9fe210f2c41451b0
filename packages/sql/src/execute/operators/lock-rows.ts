/**
 * SELECT ... FOR UPDATE NOWAIT or SKIP LOCKED: locks rows one by one after all conditions, and the order, have been applied, so that
 * no other row is in anybody's way; a LIMIT stops it after as many as it wants. A row's newest version must still meet the conditions.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import { type Compiled, evaluateAll } from "../../plan/compile.ts";
import type { Layout } from "../../plan/relation.ts";
import type { Datum } from "../../types/datum.ts";
import type { Batch, Env, ExecRow } from "../env.ts";
import { Operator } from "../operator.ts";
import type { PlanNode } from "../plan-node.ts";
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
		for await (const batch of this.#input.run(env)) {
			for (const row of batch) {
				const locked = await this.#locked(row, env);
				if (locked !== undefined) yield [locked];
			}
		}
	}

	/** Undefined: somebody else has it, it is gone, or it is no row that was asked for any more. */
	async #locked(row: ExecRow, env: Env): Promise<ExecRow | undefined> {
		const { codec, lock, condition, columns, keySlot } = this.#locking;
		const key = row[keySlot] as Key;
		const [value] = await env.execution.store.get([key], lock);
		if (value === undefined) return undefined;
		const newest: Datum[] = new Array(codec.row.width + 1);
		codec.row.decode(value, newest, 0, undefined);
		newest[codec.row.width] = key;
		if (condition !== undefined && (await condition.evaluate(newest, env)) !== true)
			return undefined;
		return [...(await evaluateAll(columns, newest, env)), key];
	}
}
