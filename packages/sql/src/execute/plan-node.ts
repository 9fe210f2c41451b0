/** An operator of a physical plan. It holds no state of a run: that lives in the `Env` and in the iteration. */
import type { Key } from "@quorate/keys/key";
import type { Layout } from "../plan/relation.ts";
import type { Batch, Env, ExecRow } from "./env.ts";

export type PlanFacts = Readonly<Record<string, string>>;

export interface PlanNode {
	/** First line in EXPLAIN: "Index Scan using i on t". */
	readonly label: string;
	/** Lines below it: "Filter: ...". */
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
	/** What programs read in EXPLAIN (FORMAT JSON), by PostgreSQL's names; "Node Type" only where it is not all of the label. */
	readonly facts?: PlanFacts;
	readonly layout: Layout;
	/** Guess of the rows it yields, for choosing joins. */
	readonly estimate: number;
	/** Rows in batches, none of them empty. */
	run(env: Env): AsyncIterable<Batch>;
	/** For plans that read one row by its key: the same without an iteration. */
	direct?(): DirectRow | undefined;
}

export interface DirectRow {
	/** Undefined: no row. */
	read(env: Env): ExecRow | undefined | Promise<ExecRow | undefined>;
	/** Where nothing but the value of one key is needed, which is neither locked nor found by another index. */
	readonly byKey: RowByKey | undefined;
	/** The row's key, where it is found by that alone; returns undefined: no row, whatever is stored. */
	readonly key: ((env: Env) => Key | undefined) | undefined;
	/** What the operators above the read make of the row; undefined: it does not pass. */
	finish(row: ExecRow, env: Env): ExecRow | undefined;
}

export interface RowByKey {
	/** Undefined: no row, whatever is stored. */
	key(env: Env): Key | undefined;
	decode(key: Key, value: Uint8Array): ExecRow;
}

/** How many rows an operator gathers before it passes them on. */
export const batchSize = 256;
