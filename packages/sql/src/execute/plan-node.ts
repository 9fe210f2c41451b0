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

/** Undefined: no row. */
export type DirectRow = (env: Env) => Promise<ExecRow | undefined>;

/** How many rows an operator gathers before it passes them on. */
export const batchSize = 256;
