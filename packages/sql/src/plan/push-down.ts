/**
 * Conditions on a subquery or view that hold for its rows before they are projected as well: they are moved into it, where they may
 * choose the access path.
 */
import { assert } from "@quorate/keys/assert";
import { type Bound, hasSubquery, mapArgs, someNode } from "./bound.ts";
import type { LogicalQuery, LogicalSelect } from "./logical.ts";
import type { Relation } from "./relation.ts";
import { isVolatile, relationsOf } from "./relations-of.ts";

/** Its rows are those of FROM that pass WHERE, each projected by itself. */
function plainSelect(query: LogicalQuery): LogicalSelect | undefined {
	const { body } = query;
	const isPlain =
		body.kind === "select" &&
		body.from.length > 0 &&
		body.aggregation === undefined &&
		body.windows.length === 0 &&
		body.sets === undefined &&
		body.distinct === undefined &&
		query.limit === undefined &&
		query.offset === undefined &&
		query.with.length === 0 &&
		!query.locks;
	return isPlain ? body : undefined;
}

/** Whether the condition is about the columns of the relation alone, and may be evaluated on other occasions than it is written for. */
function isMovable(conjunct: Bound, relation: Relation, body: LogicalSelect): boolean {
	if (hasSubquery(conjunct) || isVolatile(conjunct)) return false;
	const relations = relationsOf(conjunct);
	if (relations.size !== 1 || !relations.has(relation)) return false;
	return !someNode(conjunct, (node) => {
		if (node.kind !== "column") return false;
		const source = body.projections[node.column];
		return source === undefined || isVolatile(source) || hasSubquery(source);
	});
}

/** `rest`: what stays outside. */
export function pushDown(
	query: LogicalQuery,
	relation: Relation,
	conjuncts: readonly Bound[],
): { readonly query: LogicalQuery; readonly rest: readonly Bound[] } {
	const body = plainSelect(query);
	const moved = body === undefined ? [] : conjuncts.filter((one) => isMovable(one, relation, body));
	if (body === undefined || moved.length === 0) return { query, rest: conjuncts };
	const inside = (bound: Bound): Bound => {
		if (bound.kind !== "column" || bound.relation !== relation) return mapArgs(bound, inside);
		const source = body.projections[bound.column];
		assert(source !== undefined, "a column of a subquery is one of its projections");
		return source;
	};
	const where = [...body.where, ...moved.map(inside)];
	return {
		query: { ...query, body: { ...body, where } },
		rest: conjuncts.filter((one) => !moved.includes(one)),
	};
}
