/** The frame of a statement's common tables: where they are planned, and entered when the statement runs. */
import { type CommonTableRows, Env } from "../execute/env.ts";
import { CompileScope } from "./compile-scope.ts";
import type { CommonTableState } from "./logical.ts";
import type { Planner } from "./plan-query.ts";

export interface Frame {
	/** What the statement's own expressions are compiled in. */
	readonly parent: CompileScope;
	enter(env: Env): Env;
}

/** For INSERT, UPDATE and DELETE; queries have an operator for it. */
export function withFrame(planner: Planner, tables: readonly CommonTableState[]): Frame {
	const root = CompileScope.root(planner);
	if (tables.length === 0) return { parent: root, enter: (env) => env };
	const parent = root.inner();
	planner.planCommonTables(tables, parent);
	return {
		parent,
		enter: (env) => {
			const rows = new Map<CommonTableState, CommonTableRows>();
			for (const table of tables) rows.set(table, { rows: undefined, working: undefined });
			return new Env(env.execution, env.args, [], env, rows);
		},
	};
}
