/** Which relations an expression refers to, subqueries in it included: where it can be evaluated follows from that. */
import { type Bound, someNode } from "./bound.ts";
import type { LogicalFrom, LogicalQuery } from "./logical.ts";
import type { Relation } from "./relation.ts";

const cache = new WeakMap<Bound, ReadonlySet<Relation>>();

export function relationsOf(bound: Bound): ReadonlySet<Relation> {
	let known = cache.get(bound);
	if (known === undefined) {
		const found = new Set<Relation>();
		collect(bound, found);
		known = found;
		cache.set(bound, known);
	}
	return known;
}

/** Those that its conditions, arguments and subqueries refer to, its own among them. */
export function relationsOfItem(item: LogicalFrom): ReadonlySet<Relation> {
	const found = new Set<Relation>();
	collectFrom(item, found);
	return found;
}

function collect(bound: Bound, out: Set<Relation>): void {
	if (bound.kind === "column") out.add(bound.relation);
	if (bound.kind === "subquery") collectQuery(bound.query, out);
	if (bound.kind === "aggregate") {
		for (const arg of bound.call.args) collect(arg, out);
	}
	for (const arg of bound.args) collect(arg, out);
}

function collectAll(bounds: readonly Bound[], out: Set<Relation>): void {
	for (const bound of bounds) collect(bound, out);
}

function collectFrom(item: LogicalFrom, out: Set<Relation>): void {
	switch (item.kind) {
		case "join":
			collectFrom(item.left, out);
			collectFrom(item.right, out);
			collectAll(item.on, out);
			return;
		case "subquery":
			collectQuery(item.query, out);
			return;
		case "function":
			for (const { args } of item.sources) collectAll(args, out);
			return;
		default:
			return;
	}
}

function collectQuery(query: LogicalQuery, out: Set<Relation>): void {
	for (const cte of query.with) {
		if (cte.query !== undefined) collectQuery(cte.query, out);
		if (cte.recursion !== undefined) collectQuery(cte.recursion.query, out);
	}
	if (query.limit !== undefined) collect(query.limit, out);
	if (query.offset !== undefined) collect(query.offset, out);
	const { body } = query;
	if (body.kind === "values") {
		for (const row of body.rows) collectAll(row, out);
	} else if (body.kind === "set-operation") {
		collectQuery(body.left, out);
		collectQuery(body.right, out);
	} else {
		for (const item of body.from) collectFrom(item, out);
		collectAll(body.where, out);
		collectAll(body.projections, out);
		collectAll(
			body.windows.flatMap((window) => window.calls),
			out,
		);
		collectAll(body.sets?.calls.flatMap((call) => call.args) ?? [], out);
		const { aggregation } = body;
		if (aggregation === undefined) return;
		collectAll(aggregation.inputSets?.calls.flatMap((call) => call.args) ?? [], out);
		collectAll(aggregation.groups, out);
		if (aggregation.having !== undefined) collect(aggregation.having, out);
		for (const call of aggregation.calls) {
			collectAll(call.args, out);
			collectAll(
				call.orderBy.map((order) => order.expression),
				out,
			);
			if (call.filter !== undefined) collect(call.filter, out);
		}
	}
}

export const isVolatile = (bound: Bound): boolean =>
	someNode(bound, (node) => node.kind === "call" && node.fn.volatility === "volatile");
