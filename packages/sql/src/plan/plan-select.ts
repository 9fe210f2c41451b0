/** SELECT to operators: FROM, then grouping, then the select list. */
import { Aggregate, type CompiledAggregate } from "../execute/operators/aggregate.ts";
import { Distinct } from "../execute/operators/distinct.ts";
import { LockRows, type RowLocking } from "../execute/operators/lock-rows.ts";
import { Project } from "../execute/operators/simple.ts";
import { rowComparer } from "../execute/operators/sort.ts";
import { ProjectSet } from "../execute/operators/sources.ts";
import { TableScan } from "../execute/operators/table-scan.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { WantedOrder } from "./access-path.ts";
import type { AggregateCall } from "./bound.ts";
import { conjunction } from "./bound.ts";
import { type Compiled, compile, sync } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import type { Aggregation, LogicalFrom, LogicalSelect, SetProjection, SortKey } from "./logical.ts";
import { filtered, planFrom } from "./plan-from.ts";
import { isPlainDistinct, type Planner } from "./plan-query.ts";
import { planWindow } from "./plan-window.ts";
import { Layout, type Relation } from "./relation.ts";
import { show } from "./show.ts";

export interface SelectPlan {
	readonly node: PlanNode;
	readonly ordered: boolean;
	/** To be put above the order, and below the limit; it needs all of the node's columns. */
	readonly lockRows?: (input: PlanNode) => PlanNode;
}

export function planSelect(
	planner: Planner,
	select: LogicalSelect,
	orderBy: readonly SortKey[],
	hasLimit: boolean,
	parent: CompileScope,
): SelectPlan {
	const wanted = wantedOrder(select, orderBy, hasLimit);
	const [item] = select.from;
	if (select.from.length === 1 && item?.kind === "table") {
		if (item.lock?.wait === "block") item.locksLate = "unless by key";
		else item.locksRows = item.lock !== undefined;
	}
	const from = planFrom(planner, select.from, select.where, parent, wanted);
	let node = from.node;
	if (select.aggregation !== undefined) {
		const { inputSets } = select.aggregation;
		if (inputSets !== undefined) node = planSets(inputSets, node, parent);
		node = planAggregation(select.aggregation, node, parent);
	}
	for (const stage of select.windows) node = planWindow(stage, node, parent);
	if (select.sets !== undefined) node = planSets(select.sets, node, parent);
	const level = parent.inner(node.layout);
	const keys = (select.keysOf ?? []).map((relation) => rowKey(node.layout, relation));
	const columns = [...select.projections.map((projection) => compile(projection, level)), ...keys];
	const shown = select.projections.map(show).join(", ");
	const scan = node.children[0] ?? node;
	const locks = item?.kind === "table" && (item.locksRows === true || item.locksLate !== undefined);
	if (locks && scan instanceof TableScan) {
		const locking = scan.reader.path.isPoint ? undefined : rowLocking(select, item, columns, level);
		if (locking !== undefined) {
			const { width } = scan.reader;
			const key = sync((row) => row[width]!);
			node = new Project(node, [...columns, key], shown);
			return { node, ordered: from.ordered, lockRows: (input) => new LockRows(input, locking) };
		}
	}
	node = new Project(node, columns, shown);
	const { distinct, projections } = select;
	if (distinct !== undefined && isPlainDistinct(distinct, projections.length)) {
		node = new Distinct(
			node,
			distinct,
			projections.map((projection) => projection.type.oid),
		);
	}
	return { node, ordered: from.ordered };
}

function planSets(sets: SetProjection, input: PlanNode, parent: CompileScope): PlanNode {
	const level = parent.inner(input.layout);
	const calls = sets.calls.map(({ fn, args, argTypes, type }) => ({
		fn,
		type,
		argTypes,
		args: args.map((arg) => compile(arg, level)),
	}));
	return new ProjectSet(input, sets.relation, calls);
}

/** Behind the columns of the relation; NULL where an outer join has found no row. */
function rowKey(layout: Layout, relation: Relation): Compiled {
	const slot = layout.slot(relation, relation.columns.length);
	return sync((row) => row[slot]!);
}

function rowLocking(
	select: LogicalSelect,
	item: Extract<LogicalFrom, { kind: "table" }>,
	columns: readonly Compiled[],
	level: CompileScope,
): RowLocking {
	const condition = conjunction(select.where);
	// What is looked at again is a row of its own.
	item.relation.useAll();
	return {
		codec: tableCodec(item.table),
		lock: item.lock!,
		condition: condition && compile(condition, level),
		columns,
		keySlot: columns.length,
	};
}

/** The order of ORDER BY, where an index of the only table may have it. */
function wantedOrder(
	select: LogicalSelect,
	orderBy: readonly SortKey[],
	hasLimit: boolean,
): WantedOrder | undefined {
	const item = select.from[0];
	if (select.from.length !== 1 || item?.kind !== "table" || orderBy.length === 0) return undefined;
	if (select.aggregation !== undefined || select.sets !== undefined) return undefined;
	if (select.windows.length > 0) return undefined;
	const keys = orderBy.map(({ slot, descending, nullsFirst }) => ({
		expression: select.projections[slot]!,
		descending,
		nullsFirst,
	}));
	return { keys, hasLimit };
}

function planAggregation(
	aggregation: Aggregation,
	input: PlanNode,
	parent: CompileScope,
): PlanNode {
	const level = parent.inner(input.layout);
	const { groups, calls, having } = aggregation;
	const node = new Aggregate(
		input,
		groups.map((group) => compile(group, level)),
		{
			oids: groups.map((group) => group.type.oid),
			sets: aggregation.sets,
			masks: aggregation.sets.map((set) => maskOf(aggregation.groupings, set)),
		},
		calls.map((call) => compileAggregate(call, level)),
		aggregationLayout(aggregation),
		groups.map(show).join(", "),
	);
	return having === undefined ? node : filtered(node, [having], parent);
}

/** What each GROUPING says of a set: a bit an argument, the last one lowest, set where the set does not group by it. */
const maskOf = (groupings: readonly (readonly number[])[], set: readonly number[]) =>
	groupings.map((slots) =>
		slots.reduce((mask, slot) => (mask << 1) | (set.includes(slot) ? 0 : 1), 0),
	);

/** Grouped columns are also found under their own names: subqueries may refer to them. */
function aggregationLayout(aggregation: Aggregation): Layout {
	const singles = new Map<Relation, Map<number, number>>();
	for (const [slot, group] of aggregation.groups.entries()) {
		if (group.kind !== "column") continue;
		const columns = singles.get(group.relation) ?? new Map<number, number>();
		columns.set(group.column, slot);
		singles.set(group.relation, columns);
	}
	const count = aggregation.groups.length;
	const behind = count + aggregation.calls.length;
	return new Layout(
		behind + aggregation.groupings.length,
		new Map([
			[aggregation.groupRelation, 0],
			[aggregation.callRelation, count],
			[aggregation.outerCallRelation, behind - aggregation.outerCallRelation.columns.length],
			[aggregation.groupingRelation, behind],
		]),
		singles,
	);
}

function compileAggregate(call: AggregateCall, level: CompileScope): CompiledAggregate {
	const order =
		call.orderBy.length === 0
			? undefined
			: {
					keys: call.orderBy.map((item) => compile(item.expression, level)),
					compare: rowComparer(
						call.orderBy.map((item, i) => ({
							slot: call.args.length + i,
							type: item.expression.type,
							descending: item.descending,
							nullsFirst: item.nullsFirst,
						})),
					),
				};
	return {
		fn: call.fn,
		args: call.args.map((arg) => compile(arg, level)),
		argTypes: call.argTypes,
		distinct: call.distinct,
		order,
		filter: call.filter && compile(call.filter, level),
		within: call.direct === undefined ? undefined : call.orderBy,
	};
}
