/** An operator of a physical plan. It holds no state of a run: that lives in the `Env` and in the iteration. */
import type { Layout } from "../plan/relation.ts";
import type { Batch, Env, ExecRow } from "./env.ts";

export interface PlanNode {
	/** First line in EXPLAIN: "Index Scan using i on t". */
	readonly label: string;
	/** Lines below it: "Filter: ...". */
	readonly details: readonly string[];
	readonly children: readonly PlanNode[];
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
	read(env: Env): Promise<ExecRow | undefined>;
	/** What the operators above the read make of the row; undefined: it does not pass. */
	finish(row: ExecRow, env: Env): ExecRow | undefined;
}

/** How many rows an operator gathers before it passes them on. */
export const batchSize = 256;
