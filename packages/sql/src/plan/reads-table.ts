/** Whether a query reads a table anywhere, subqueries in expressions included. */
import { type Bound, someNode } from "./bound.ts";
import type { LogicalFrom, LogicalQuery } from "./logical.ts";

function inBound(bound: Bound, oid: number): boolean {
	return someNode(bound, (node) => node.kind === "subquery" && readsTable(node.query, oid));
}

function inFrom(item: LogicalFrom, oid: number): boolean {
	switch (item.kind) {
		case "table":
			return item.table.oid === oid;
		case "subquery":
			return readsTable(item.query, oid);
		case "join":
			return (
				inFrom(item.left, oid) ||
				inFrom(item.right, oid) ||
				item.on.some((bound) => inBound(bound, oid))
			);
		case "function":
			return item.sources.some(({ args }) => args.some((bound) => inBound(bound, oid)));
		case "cte":
			// It may be defined around the query: look no closer.
			return true;
		default:
			return false;
	}
}

export function readsTable(query: LogicalQuery, oid: number): boolean {
	const { body } = query;
	if (body.kind === "set-operation")
		return readsTable(body.left, oid) || readsTable(body.right, oid);
	if (body.kind === "values")
		return body.rows.some((row) => row.some((bound) => inBound(bound, oid)));
	return (
		body.from.some((item) => inFrom(item, oid)) ||
		[...body.where, ...body.projections, ...body.windows.flatMap(({ calls }) => calls)].some(
			(bound) => inBound(bound, oid),
		) ||
		(body.aggregation?.calls ?? []).some((call) => call.args.some((bound) => inBound(bound, oid)))
	);
}
