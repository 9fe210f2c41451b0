/** Why PostgreSQL changes no table through a view (view_query_is_auto_updatable). */
import type { Expression, Query } from "../parser/ast.ts";
import { aggregateCandidates, setCandidates } from "../types/registry.ts";

const containing = (what: string): string =>
	`Views containing ${what} are not automatically updatable.`;

const returning = (what: string): string =>
	`Views that return ${what} are not automatically updatable.`;

/** Undefined: it does. */
export function whyNotUpdatable(query: Query): string | undefined {
	const { body } = query;
	if (body.kind === "select" && body.distinct !== "all") return containing("DISTINCT");
	const isGrouped =
		body.kind === "select" && (body.groupBy.length > 0 || body.grouping !== undefined);
	if (isGrouped) return containing("GROUP BY");
	if (body.kind === "select" && body.having !== undefined) return containing("HAVING");
	if (body.kind === "set-operation") return containing("UNION, INTERSECT, or EXCEPT");
	if (query.with.length > 0) return containing("WITH");
	if (query.limit !== undefined || query.offset !== undefined) {
		return containing("LIMIT or OFFSET");
	}
	const single =
		"Views that do not select from a single table or view are not automatically updatable.";
	if (body.kind === "values") return single;
	const calls = body.items.map(({ expression }) => expression);
	if (calls.some(isAggregate)) return returning("aggregate functions");
	if (calls.some((one) => one.kind === "call" && one.over !== undefined)) {
		return returning("window functions");
	}
	if (calls.some(isSet)) return returning("set-returning functions");
	return body.from.length === 1 && body.from[0]!.kind === "table" ? undefined : single;
}

const nameOf = (node: Expression): string | undefined =>
	node.kind === "call" && node.over === undefined ? node.name.parts.at(-1) : undefined;

const isAggregate = (node: Expression): boolean => {
	const name = nameOf(node);
	return name !== undefined && aggregateCandidates(name).length > 0;
};

const isSet = (node: Expression): boolean => {
	const name = nameOf(node);
	return name !== undefined && setCandidates(name).length > 0;
};
