/** What the binder found the parts of a query to be: for whoever writes the query down again (`deparse-query.ts`). */
import type { Expression, FrameBound, Query, Select, TableExpression } from "../parser/ast.ts";
import type { AggregateCall, Bound } from "./bound.ts";
import type { LogicalFrom, LogicalQuery } from "./logical.ts";

export interface NotedOutput {
	readonly name: string;
	readonly bound: Bound;
}

/** Of USING: a column of either side, one for both. */
export interface MergedPair {
	readonly name: string;
	readonly left: Bound;
	readonly right: Bound;
	readonly merged: Bound;
}

/** (a, b) < (c, d), whose operands have one type each two. */
export interface RowComparison {
	readonly symbol: string;
	readonly left: readonly Bound[];
	readonly right: readonly Bound[];
}

export class BindNotes {
	/** Before aggregates and windows are taken out of them, and before they get the type that their place wants. */
	readonly bounds = new Map<Expression, Bound>();
	/** What they were written as: the outermost part that is the same. */
	readonly written = new Map<Bound, Expression>();
	readonly outputs = new Map<Select, readonly NotedOutput[]>();
	/** What GROUP BY, ORDER BY and DISTINCT ON mean by an expression. */
	readonly keys = new Map<Expression, Bound>();
	readonly offsets = new Map<FrameBound, Bound>();
	readonly froms = new Map<TableExpression, LogicalFrom>();
	readonly queries = new Map<Query, LogicalQuery>();
	/** What they are of, by a subquery's. */
	readonly subqueries = new Map<LogicalQuery, Query>();
	readonly usings = new Map<TableExpression, readonly MergedPair[]>();
	readonly rows = new Map<Bound, RowComparison>();
	/** Aggregates of a query around the one that they stand in. */
	readonly outerCalls = new Map<Bound, AggregateCall>();

	expression(node: Expression, bound: Bound): void {
		this.bounds.set(node, bound);
		this.written.set(bound, node);
	}

	query(node: Query, query: LogicalQuery): void {
		this.queries.set(node, query);
		this.subqueries.set(query, node);
	}
}
