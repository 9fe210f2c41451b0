/** Logical queries: what the binder makes of a query and the planner turns into operators. */
import type { LockStrength } from "@quorate/replica/lock-strength";
import type { SequenceDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import type { VirtualTable } from "../catalog/virtual-table.ts";
import type { SqlType } from "../types/datum.ts";
import type { SetFunction } from "../types/registry.ts";
import type { AccessCollector } from "./access.ts";
import type { AggregateCall, Bound } from "./bound.ts";
import type { Relation, RelationColumn } from "./relation.ts";
import type { StatementPlan } from "./statement-plan.ts";
import type { WindowStage } from "./window.ts";

export interface LockIntent {
	readonly strength: LockStrength;
	readonly wait: "block" | "nowait" | "skip locked";
	/** See the transaction's `LockRequest`. */
	readonly peek?: boolean;
}

export type LogicalFrom =
	| {
			readonly kind: "table";
			readonly relation: Relation;
			readonly table: TableDescriptor;
			/** Set by FOR UPDATE after the item was bound. */
			lock: LockIntent | undefined;
			/** Its rows are locked by a `LockRows`, unless they are found by their whole keys. */
			locksRows?: boolean;
			/** Below SERIALIZABLE its rows are locked not as they are read, but by a `Recheck` or `LockRows` once all conditions have been applied. */
			locksLate?: "always" | "unless by key";
	  }
	| { readonly kind: "virtual"; readonly relation: Relation; readonly table: VirtualTable }
	| {
			readonly kind: "sequence";
			readonly relation: Relation;
			readonly sequence: SequenceDescriptor;
	  }
	| {
			readonly kind: "subquery";
			readonly relation: Relation;
			readonly query: LogicalQuery;
			/** Refers to items on its left: evaluated for each of their rows. */
			readonly lateral: boolean;
			/** It is a view: what it does to tables is its owner's doing. */
			readonly view?: { readonly oid: number; readonly access: AccessCollector };
	  }
	| {
			readonly kind: "function";
			readonly relation: Relation;
			/** Their rows stand beside each other. */
			readonly sources: readonly FunctionSource[];
			readonly ordinality: boolean;
			readonly lateral: boolean;
	  }
	| {
			readonly kind: "cte";
			readonly relation: Relation;
			readonly cte: CommonTableState;
			/** In the recursive term of the table itself. */
			readonly isOwn: boolean;
	  }
	| {
			readonly kind: "join";
			readonly type: "inner" | "left" | "right" | "full";
			readonly left: LogicalFrom;
			readonly right: LogicalFrom;
			readonly on: readonly Bound[];
	  };

export interface FunctionSource {
	/** Undefined: a scalar function used as a table of one row. */
	readonly fn: SetFunction | undefined;
	readonly name: string;
	readonly args: readonly Bound[];
	readonly argTypes: readonly SqlType[];
	readonly columns: readonly RelationColumn[];
	/** The type of its values, where they are rows: the columns are their fields. */
	readonly row?: SqlType;
}

/** WITH: one object a common table, shared by all references. */
export interface CommonTableState {
	readonly name: string;
	/** Where the name stands in WITH. */
	readonly at: number;
	readonly columns: readonly RelationColumn[];
	/** Of a statement that writes: its plan, which runs exactly once, read or not. `columns` are what it returns. */
	readonly change?: StatementPlan;
	/** How many of its columns are its own, where SEARCH or CYCLE add some: `*` in another query than that of its WITH is no more than those. */
	starCount?: number;
	/** What of it is being bound: `form` a query that cannot be recursive. */
	binding?: "form" | "base" | "step" | undefined;
	/** Set when it is bound; while a recursive one is being bound, references see only the columns. */
	query: LogicalQuery | undefined;
	referenced: boolean;
	/** Recursive: the term that refers to itself, and whether duplicates go. */
	recursion: { readonly query: LogicalQuery; readonly distinct: boolean } | undefined;
}

export interface SortKey {
	/** Position in the projected row. */
	readonly slot: number;
	readonly type: SqlType;
	readonly descending: boolean;
	readonly nullsFirst: boolean;
}

/** Its rows: group keys, results of the calls, then what GROUPING(...) says. */
export interface Aggregation {
	/** Set-returning calls that are grouped by: made of the rows before these are grouped. */
	readonly inputSets: SetProjection | undefined;
	readonly groups: readonly Bound[];
	/** Of GROUPING SETS and its kin: which of the keys group; the others are NULL. */
	readonly sets: readonly (readonly number[])[];
	/** Keys that each GROUPING asks for; with the columns of `groupingRelation`. */
	readonly groupings: readonly (readonly number[])[];
	readonly groupingRelation: Relation;
	readonly calls: readonly AggregateCall[];
	readonly groupRelation: Relation;
	readonly callRelation: Relation;
	/** Of calls that stand in subqueries, the last ones. */
	readonly outerCallRelation: Relation;
	readonly having: Bound | undefined;
}

/** Set-returning calls of a select list, in lockstep. */
export interface SetProjection {
	readonly calls: readonly Extract<Bound, { kind: "set-call" }>[];
	/** One column a call. */
	readonly relation: Relation;
}

export interface LogicalSelect {
	readonly kind: "select";
	readonly from: readonly LogicalFrom[];
	readonly where: readonly Bound[];
	readonly aggregation: Aggregation | undefined;
	/** Each over the rows of those before it. */
	readonly windows: readonly WindowStage[];
	readonly sets: SetProjection | undefined;
	/** Visible columns first, then those that only ORDER BY and DISTINCT ON need. */
	readonly projections: readonly Bound[];
	/** Slots of the projected row that are compared; undefined: no DISTINCT. */
	readonly distinct: readonly number[] | undefined;
	/** Tables in FROM: the keys of their rows stand behind all columns of the query. */
	readonly keysOf?: readonly Relation[];
}

export type LogicalBody =
	| LogicalSelect
	| { readonly kind: "values"; readonly rows: readonly (readonly Bound[])[] }
	| {
			readonly kind: "set-operation";
			readonly operator: "union" | "intersect" | "except";
			readonly all: boolean;
			readonly left: LogicalQuery;
			readonly right: LogicalQuery;
			/** Casts of either side's columns to the common types, over `inputs`. */
			readonly leftCasts: readonly Bound[];
			readonly rightCasts: readonly Bound[];
			readonly inputs: readonly [Relation, Relation];
	  };

export interface LogicalQuery {
	readonly columns: readonly RelationColumn[];
	readonly with: readonly CommonTableState[];
	readonly body: LogicalBody;
	readonly orderBy: readonly SortKey[];
	readonly limit: Bound | undefined;
	readonly offset: Bound | undefined;
	/** Rows that are equal to the last one in order are not cut off. */
	readonly withTies?: boolean;
	/** Refers to columns of queries around it. */
	readonly correlated: boolean;
	/** FOR UPDATE and its kin. */
	readonly locks: boolean;
}
