/** Logical queries to operators: what is around the body (WITH, ORDER BY, LIMIT), set operations and VALUES. */
import { assert } from "@quorate/keys/assert";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { type CommonTablePlan, WithFrame } from "../execute/operators/common-tables.ts";
import { Distinct } from "../execute/operators/distinct.ts";
import { LockRows } from "../execute/operators/lock-rows.ts";
import { type SetInput, SetOperation } from "../execute/operators/set-operation.ts";
import { Limit, Project, Truncate, ValuesScan } from "../execute/operators/simple.ts";
import { rowComparer, Sort } from "../execute/operators/sort.ts";
import { TableScan } from "../execute/operators/table-scan.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import type { Bound } from "./bound.ts";
import { type Compiled, compile, sync } from "./compile.ts";
import { ArgumentList, type CompileScope, type PlanContext } from "./compile-scope.ts";
import type {
	CommonTableState,
	LogicalBody,
	LogicalQuery,
	LogicalSelect,
	SortKey,
} from "./logical.ts";
import { planSelect, type SelectPlan } from "./plan-select.ts";
import { Layout, type Relation } from "./relation.ts";

/** Plans one statement. */
export class Planner implements PlanContext {
	readonly arguments = new ArgumentList();
	readonly catalog: CatalogSnapshot;
	readonly #commonTables = new Map<CommonTableState, CommonTablePlan>();

	constructor(catalog: CatalogSnapshot) {
		this.catalog = catalog;
	}

	commonTable(table: CommonTableState): CommonTablePlan {
		const plan = this.#commonTables.get(table);
		assert(plan !== undefined, "a common table is planned with the query that defines it");
		return plan;
	}

	/** Rows are the query's columns, in order. */
	planQuery(query: LogicalQuery, parent: CompileScope): PlanNode {
		if (query.with.length === 0) return this.#planPlain(query, parent);
		const frame = parent.inner(Layout.empty);
		this.planCommonTables(query.with, frame);
		const input = this.#planPlain(query, frame);
		const plans = query.with.map((table) => this.#commonTables.get(table)!);
		return new WithFrame(input, query.with, plans);
	}

	planCommonTables(tables: readonly CommonTableState[], frame: CompileScope): void {
		for (const table of tables) {
			if (table.change !== undefined) {
				this.#commonTables.set(table, {
					base: table.change.root,
					change: table.change,
					recursive: undefined,
				});
				continue;
			}
			if (table.query === undefined) continue;
			this.#commonTables.set(table, {
				base: this.planQuery(table.query, frame),
				recursive:
					table.recursion === undefined
						? undefined
						: {
								plan: this.planQuery(table.recursion.query, frame),
								distinct: table.recursion.distinct,
								oids: table.columns.map((column) => column.type.oid),
							},
			});
		}
	}

	#planPlain(query: LogicalQuery, parent: CompileScope): PlanNode {
		const level = parent.inner(Layout.empty);
		const limit = query.limit && compile(query.limit, level);
		const offset = query.offset && compile(query.offset, level);
		const hasLimit = limit !== undefined;
		const { node, ordered, lockRows } = this.#planBody(query, parent, hasLimit);
		let plan = node;
		if (query.orderBy.length > 0 && !ordered) {
			const shown = query.orderBy.map((sort) => showKey(query, sort)).join(", ");
			// What is skipped, or is like a row before it, does not count: all of it is sorted.
			const skips = lockRows !== undefined || onSlots(query.body) !== undefined;
			const counts = !skips && query.withTies !== true;
			plan = new Sort(
				plan,
				query.orderBy,
				shown,
				counts ? limit : undefined,
				counts ? offset : undefined,
			);
		}
		if (lockRows !== undefined) plan = lockRows(plan);
		plan = distinctOn(query.body, plan);
		if (limit !== undefined || offset !== undefined) {
			const ties = query.withTies === true ? rowComparer(query.orderBy) : undefined;
			if (limit !== undefined && offset === undefined && ties === undefined) passLimit(plan, limit);
			plan = new Limit(plan, limit, offset, ties);
		}
		const { body, columns } = query;
		if (body.kind === "select" && body.keysOf !== undefined) {
			return withKeys(plan, columns.length, body.projections.length, body.keysOf.length);
		}
		return plan.layout.width > columns.length ? new Truncate(plan, columns.length) : plan;
	}

	#planBody(query: LogicalQuery, parent: CompileScope, hasLimit: boolean): SelectPlan {
		const { body } = query;
		switch (body.kind) {
			case "select":
				return planSelect(this, body, query.orderBy, hasLimit, parent);
			case "values": {
				const level = parent.inner(Layout.empty);
				const rows = body.rows.map((row) => row.map((bound) => compile(bound, level)));
				return { node: new ValuesScan(rows), ordered: false };
			}
			default:
				return { node: this.#planSetOperation(body, parent), ordered: false };
		}
	}

	#planSetOperation(
		body: Extract<LogicalBody, { kind: "set-operation" }>,
		parent: CompileScope,
	): PlanNode {
		const input = (query: LogicalQuery, casts: readonly Bound[], relation: Relation): SetInput => {
			const level = parent.inner(Layout.of(relation));
			const plain = casts.every((cast) => cast.kind === "column");
			return {
				node: this.planQuery(query, parent),
				casts: plain ? undefined : casts.map((cast): Compiled => compile(cast, level)),
			};
		};
		return new SetOperation(
			body.operator,
			body.all,
			input(body.left, body.leftCasts, body.inputs[0]),
			input(body.right, body.rightCasts, body.inputs[1]),
			body.leftCasts.map((cast) => cast.type.oid),
		);
	}
}

/** The query's columns, and the keys right behind them. */
function withKeys(plan: PlanNode, width: number, from: number, count: number): PlanNode {
	const slots = Array.from({ length: width + count }, (_, i) => (i < width ? i : from + i - width));
	const columns = slots.map((slot) => sync((row) => row[slot]!));
	return new Project(plan, columns, "the query's columns, and the keys of its rows");
}

function showKey(query: LogicalQuery, sort: SortKey): string {
	const name = query.columns[sort.slot]?.name ?? `column ${sort.slot + 1}`;
	return `${name}${sort.descending ? " DESC" : ""}`;
}

/** Of DISTINCT ON, which looks at sorted rows; plain DISTINCT is done before the sort. */
function onSlots(body: LogicalBody): readonly number[] | undefined {
	if (body.kind !== "select" || body.distinct === undefined) return undefined;
	return isPlainDistinct(body.distinct, body.projections.length) ? undefined : body.distinct;
}

function distinctOn(body: LogicalBody, plan: PlanNode): PlanNode {
	const slots = onSlots(body);
	if (slots === undefined) return plan;
	const { projections } = body as LogicalSelect;
	const oids = slots.map((slot) => projections[slot]!.type.oid);
	return new Distinct(plan, slots, oids);
}

/** All projected columns, none hidden. */
export const isPlainDistinct = (distinct: readonly number[], width: number): boolean =>
	distinct.length === width && distinct.every((slot, i) => slot === i);

/** A scan that nothing filters need not read more pages than the limit. */
function passLimit(plan: PlanNode, limit: Compiled): void {
	let node: PlanNode | undefined = plan;
	while (node instanceof Project || node instanceof LockRows) node = node.children[0];
	if (node instanceof TableScan) node.limit = limit;
}
