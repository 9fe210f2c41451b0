/** A planned statement: what the session runs, and keeps for the next statement of the same shape. */
import type { Key } from "@quorate/keys/key";
import type { Batch, Env, ExecRow } from "../execute/env.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import type { Expression } from "../parser/ast.ts";
import type { ResultColumn } from "../session/types.ts";
import type { ReadArguments } from "./arguments.ts";

export type PlannedCommand = "SELECT" | "INSERT" | "UPDATE" | "DELETE";

export interface LoneRow {
	/** Undefined: no row, whatever is stored. */
	key(env: Env): Key | undefined;
	/** Undefined: it does not pass the conditions. */
	row(key: Key, value: Uint8Array, env: Env): ExecRow | undefined;
}

export interface CursorTables {
	/** FOR UPDATE and its kin: the tables are those that it locks. Else it is the only one that the query reads. */
	readonly locks: boolean;
	/** Object ids, one of each key. */
	readonly tables: readonly number[];
}

export interface StatementPlan {
	readonly command: PlannedCommand;
	/** Undefined: returns no rows. */
	readonly columns: readonly ResultColumn[] | undefined;
	/** Values for `Env.args`. */
	readonly readArguments: ReadArguments;
	/** May write or lock. */
	readonly writes: boolean;
	/** A query with parts that write. */
	readonly hasChanges?: boolean;
	/** Of a query for a cursor: whose keys its rows have behind its columns. */
	readonly cursorRows?: CursorTables;
	/** AS OF SYSTEM TIME of the whole statement: whoever runs the plan sees to it. */
	readonly asOf?: Expression | undefined;
	/** For statements on one row: the whole statement without an iteration. */
	readonly direct: ((env: Env) => Batch | Promise<Batch>) | undefined;
	/** For queries of one row by its key: the same, where the read is somebody else's. */
	readonly byKey?: LoneRow | undefined;
	/**
	 * For a change of one row, by its key, that means the same in every session: the key. Undefined: no row. Any node may do it, best the one
	 * that leads the key's range.
	 */
	readonly changedKey?: ((env: Env) => Key | undefined) | undefined;
	/** Result rows; `execution.affected` counts what was changed. */
	run(env: Env): AsyncIterable<Batch>;
	/** For EXPLAIN. */
	readonly root: PlanNode;
}
