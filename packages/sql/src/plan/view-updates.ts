/**
 * What can be changed through a view (PostgreSQL's view_query_is_auto_updatable, and why not). It follows from the descriptors alone, so that the
 * catalog says the same.
 */
import { assert } from "@quorate/keys/assert";
import type { ViewDescriptor, ViewReference } from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { Expression, Query, SelectItem, TableExpression } from "../parser/ast.ts";
import { aggregateCandidates, setCandidates } from "../types/registry.ts";
import { storedQuery } from "./view-names.ts";

const containing = (what: string): string =>
	`Views containing ${what} are not automatically updatable.`;

const returning = (what: string): string =>
	`Views that return ${what} are not automatically updatable.`;

const noColumns = "Views that have no updatable columns are not automatically updatable.";

/** Undefined: it can be. */
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
	if (someCall(body.items, isAggregate)) return returning("aggregate functions");
	if (someCall(body.items, (call) => call.over !== undefined)) return returning("window functions");
	if (someCall(body.items, isSet)) return returning("set-returning functions");
	return body.from.length === 1 && body.from[0]!.kind === "table" ? undefined : single;
}

type Call = Extract<Expression, { kind: "call" }>;

/** Whether there is such a call in a syntax tree, outside of subqueries. */
function someCall(tree: unknown, test: (call: Call) => boolean): boolean {
	if (Array.isArray(tree)) return tree.some((one) => someCall(one, test));
	if (typeof tree !== "object" || tree === null || "body" in tree) return false;
	const isCall = "kind" in tree && tree.kind === "call";
	return (isCall && test(tree as Call)) || someCall(Object.values(tree), test);
}

const isAggregate = ({ name, over }: Call): boolean =>
	over === undefined && aggregateCandidates(name.parts.at(-1)!).length > 0;

const isSet = ({ name }: Call): boolean => setCandidates(name.parts.at(-1)!).length > 0;

type StoredView = Pick<ViewDescriptor, "query" | "references">;

/** Undefined: the columns can be changed through it, or some of them. */
export const whyNotWritable = (view: StoredView): string | undefined =>
	whyNotUpdatable(storedQuery(view.query)) ??
	(baseColumns(view).every((attnum) => attnum === undefined) ? noColumns : undefined);

/** Of a view that can be changed: its select list, and what it reads. */
export function simpleSelect(view: StoredView): {
	readonly items: readonly SelectItem[];
	readonly from: Extract<TableExpression, { kind: "table" }>;
	readonly where: Expression | undefined;
	readonly reference: ViewReference;
} {
	const { body } = storedQuery(view.query);
	assert(body.kind === "select", "a view that can be changed is a SELECT");
	const [from] = body.from;
	assert(from?.kind === "table", "a view that can be changed reads one table or view");
	const named = from.name.parts.join("\0");
	const reference = view.references.find(({ name }) => name.join("\0") === named);
	assert(reference !== undefined, "a view knows what it reads");
	return { items: body.items, from, where: body.where, reference };
}

/** By column of such a view: the attnum of what it is a column of. Undefined: it is computed. */
export function baseColumns(view: StoredView): readonly (number | undefined)[] {
	const { items, from, reference } = simpleSelect(view);
	const columns = reference.columns.map(({ attnum, name }, i) => ({
		attnum,
		name: from.columnAliases[i] ?? name,
	}));
	return items.flatMap(({ expression }) => {
		if (expression.kind === "star") return columns.map(({ attnum }) => attnum);
		if (expression.kind !== "column") return [undefined];
		const name = expression.name.parts.at(-1);
		return [columns.find((column) => column.name === name)?.attnum];
	});
}

export const updateEvent = 4;
export const insertEvent = 8;
export const deleteEvent = 16;
const allEvents = updateEvent | insertEvent | deleteEvent;

/** pg_relation_is_updatable: a bit for each thing that can be done. `through`: attnums; of these columns alone. */
export function updateEvents(
	catalog: CatalogSnapshot,
	oid: number,
	through?: ReadonlySet<number>,
): number {
	const relation = catalog.relation(oid);
	if (relation?.kind === "table") return allEvents;
	if (relation?.kind !== "view" || whyNotUpdatable(storedQuery(relation.query)) !== undefined) {
		return 0;
	}
	const columns = baseColumns(relation).filter(
		(attnum, i): attnum is number =>
			attnum !== undefined && (through === undefined || through.has(i + 1)),
	);
	const own = columns.length > 0 ? allEvents : deleteEvent;
	return own & updateEvents(catalog, simpleSelect(relation).reference.oid, new Set(columns));
}

/** pg_column_is_updatable: whether rows can be updated, and deleted, and the column too. */
export const isColumnUpdatable = (catalog: CatalogSnapshot, oid: number, attnum: number): boolean =>
	attnum > 0 && updateEvents(catalog, oid, new Set([attnum])) === allEvents;
