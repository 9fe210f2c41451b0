/** The frame of a statement's common tables: where they are planned, and entered when the statement runs. */
import type { Batch, Env } from "../execute/env.ts";
import { runInFrame } from "../execute/operators/common-tables.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { CompileScope } from "./compile-scope.ts";
import type { CommonTableState } from "./logical.ts";
import type { Planner } from "./plan-query.ts";

export interface Frame {
	/** What the statement's own expressions are compiled in. */
	readonly parent: CompileScope;
	run(root: PlanNode, env: Env): AsyncIterable<Batch>;
}

/** For INSERT, UPDATE and DELETE; queries have an operator for it. */
export function withFrame(planner: Planner, tables: readonly CommonTableState[]): Frame {
	const root = CompileScope.root(planner);
	if (tables.length === 0) return { parent: root, run: (node, env) => node.run(env) };
	const parent = root.inner();
	planner.planCommonTables(tables, parent);
	return {
		parent,
		run: (node, env) =>
			runInFrame(
				node,
				tables,
				tables.map((table) => planner.commonTable(table)),
				env,
			),
	};
}
