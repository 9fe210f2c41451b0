/**
 * FROM to a tree of joins. Inner joins and comma items are taken apart into factors, joined greedily: start where a
 * condition fixes most, then add what an index lookup, a hash, or nothing connects, in this order of preference. Outer
 * joins stay as they are written. A condition is applied as soon as all it refers to is there.
 */

import { CommonTableScan } from "../execute/operators/common-tables.ts";
import { SequenceScan } from "../execute/operators/sequence-scan.ts";
import { Filter, OneRow, Renamed } from "../execute/operators/simple.ts";
import { FunctionScan, VirtualScan } from "../execute/operators/sources.ts";
import { TableScan } from "../execute/operators/table-scan.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { TableReader } from "../execute/table-reader.ts";
import { type AccessPath, choosePath, type WantedOrder } from "./access-path.ts";
import { type Bound, conjunction } from "./bound.ts";
import { compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import type { LockIntent, LogicalFrom } from "./logical.ts";
import { planJoin, planOuterJoin } from "./plan-join.ts";
import type { Planner } from "./plan-query.ts";
import { pushDown } from "./push-down.ts";
import { Layout, type Relation } from "./relation.ts";
import { relationsOf, relationsOfItem } from "./relations-of.ts";
import { showAll } from "./show.ts";

export interface FromPlan {
	readonly node: PlanNode;
	/** Rows come in the wanted order. */
	readonly ordered: boolean;
}

/** An item that is joined with the others. */
export interface Factor {
	readonly item: LogicalFrom;
	readonly relations: ReadonlySet<Relation>;
	readonly lateral: boolean;
}

export function itemRelations(item: LogicalFrom): readonly Relation[] {
	return item.kind === "join"
		? [...itemRelations(item.left), ...itemRelations(item.right)]
		: [item.relation];
}

const hasLateral = (item: LogicalFrom): boolean =>
	item.kind === "join"
		? hasLateral(item.left) || hasLateral(item.right)
		: (item.kind === "subquery" || item.kind === "function") && item.lateral;

/** Whether it has to be evaluated for each row of other items of its `level`: of what it holds itself it may refer to anything. */
function isLateral(item: LogicalFrom, level: ReadonlySet<Relation>): boolean {
	if (!hasLateral(item)) return false;
	const own = new Set(itemRelations(item));
	return [...relationsOfItem(item)].some((relation) => level.has(relation) && !own.has(relation));
}

export const factorOf = (item: LogicalFrom, level: ReadonlySet<Relation>): Factor => ({
	item,
	relations: new Set(itemRelations(item)),
	lateral: isLateral(item, level),
});

function flatten(item: LogicalFrom, items: LogicalFrom[], conjuncts: Bound[]): void {
	if (item.kind === "join" && item.type === "inner") {
		flatten(item.left, items, conjuncts);
		flatten(item.right, items, conjuncts);
		conjuncts.push(...item.on);
		return;
	}
	items.push(item);
}

export function planFrom(
	planner: Planner,
	items: readonly LogicalFrom[],
	where: readonly Bound[],
	parent: CompileScope,
	wanted: WantedOrder | undefined,
): FromPlan {
	const flat: LogicalFrom[] = [];
	const conjuncts: Bound[] = [...where];
	for (const item of items) flatten(item, flat, conjuncts);
	const level = new Set(flat.flatMap(itemRelations));
	const factors = flat.map((item) => factorOf(item, level));
	const single = factors[0];
	if (single === undefined) {
		return { node: filtered(new OneRow(), conjuncts, parent), ordered: false };
	}
	if (factors.length === 1 && single.item.kind === "table") {
		return planTable(single.item, conjuncts, parent, wanted);
	}
	return { node: joinAll(planner, factors, conjuncts, level, parent), ordered: false };
}

/** Conditions that refer to nothing of this level but `relations`. */
export function applicable(
	conjuncts: readonly Bound[],
	relations: ReadonlySet<Relation>,
	level: ReadonlySet<Relation>,
): readonly Bound[] {
	return conjuncts.filter((conjunct) => {
		for (const relation of relationsOf(conjunct)) {
			if (level.has(relation) && !relations.has(relation)) return false;
		}
		return true;
	});
}

function joinAll(
	planner: Planner,
	factors: readonly Factor[],
	conjuncts: readonly Bound[],
	level: ReadonlySet<Relation>,
	parent: CompileScope,
): PlanNode {
	let open = conjuncts;
	const take = (relations: ReadonlySet<Relation>): readonly Bound[] => {
		const ready = applicable(open, relations, level);
		open = open.filter((conjunct) => !ready.includes(conjunct));
		return ready;
	};
	let rest = [...factors];
	const first = pickFirst(rest, conjuncts, level);
	rest = rest.filter((factor) => factor !== first);
	const placed = new Set(first.relations);
	let node = planFactor(planner, first.item, take(first.relations), parent);
	while (rest.length > 0) {
		const next = pickNext(rest, open, placed, level);
		rest = rest.filter((factor) => factor !== next);
		for (const relation of next.relations) placed.add(relation);
		node = planJoin(planner, node, next, take(placed), level, parent);
	}
	return filtered(node, open, parent);
}

/** The factor whose own conditions narrow it most; a lateral one needs what is on its left. */
function pickFirst(
	factors: readonly Factor[],
	conjuncts: readonly Bound[],
	level: ReadonlySet<Relation>,
): Factor {
	let best = factors[0]!;
	let bestEstimate = Number.POSITIVE_INFINITY;
	const firstLateral = factors.findIndex((factor) => factor.lateral);
	// Items on the left of a lateral one come first, in any order.
	const eligible = firstLateral > 0 ? factors.slice(0, firstLateral) : factors;
	for (const factor of eligible) {
		if (factor.lateral) continue;
		const estimate = estimateFactor(factor, applicable(conjuncts, factor.relations, level));
		if (estimate < bestEstimate) {
			best = factor;
			bestEstimate = estimate;
		}
	}
	return best;
}

function estimateFactor(factor: Factor, conjuncts: readonly Bound[]): number {
	const { item } = factor;
	switch (item.kind) {
		case "table":
			return choosePath(item.table, item.relation, conjuncts, undefined).estimate;
		case "virtual":
			return conjuncts.length > 0 ? 100 : 300;
		case "sequence":
			return 1;
		case "function":
			return item.sources.some(({ fn }) => fn !== undefined) ? 100 : 1;
		default:
			return 2000;
	}
}

function pickNext(
	rest: readonly Factor[],
	open: readonly Bound[],
	placed: ReadonlySet<Relation>,
	level: ReadonlySet<Relation>,
): Factor {
	const firstLateral = rest.findIndex((factor) => factor.lateral);
	if (firstLateral === 0) return rest[0]!;
	const eligible = firstLateral > 0 ? rest.slice(0, firstLateral) : rest;
	let best = eligible[0]!;
	let bestScore = Number.POSITIVE_INFINITY;
	for (const factor of eligible) {
		const relations = new Set([...placed, ...factor.relations]);
		const ready = applicable(open, relations, level);
		const connects = ready.some((conjunct) =>
			[...relationsOf(conjunct)].some((relation) => placed.has(relation)),
		);
		const estimate = estimateFactor(factor, ready);
		const score = connects ? estimate : estimate + 1e9;
		if (score < bestScore) {
			best = factor;
			bestScore = score;
		}
	}
	return best;
}

/** One item by itself, with the conditions that concern only it and what is around the query. */
export function planFactor(
	planner: Planner,
	item: LogicalFrom,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode {
	if (item.kind === "table") return planTable(item, conjuncts, parent, undefined).node;
	if (item.kind === "join" && item.type !== "inner") {
		return planOuterJoin(planner, item, conjuncts, parent);
	}
	if (item.kind === "join") return planFrom(planner, [item], conjuncts, parent, undefined).node;
	if (item.kind === "subquery" && !item.lateral) {
		const { query, rest } = pushDown(item.query, item.relation, conjuncts);
		return filtered(planSource(planner, { ...item, query }, parent), rest, parent);
	}
	return filtered(planSource(planner, item, parent), conjuncts, parent);
}

function planSource(
	planner: Planner,
	item: Exclude<LogicalFrom, { kind: "table" | "join" }>,
	parent: CompileScope,
): PlanNode {
	switch (item.kind) {
		case "virtual":
			return new VirtualScan(item.relation, item.table, planner.catalog);
		case "sequence":
			return new SequenceScan(item.relation, item.sequence);
		case "subquery":
			return new Renamed(planner.planQuery(item.query, parent), item.relation);
		case "cte":
			return new CommonTableScan(item.relation, item.cte, item.isOwn, () =>
				planner.commonTable(item.cte),
			);
		default: {
			const level = parent.inner(Layout.empty);
			const sources = item.sources.map((source) => ({
				...source,
				args: source.args.map((arg) => compile(arg, level)),
				width: source.columns.length,
			}));
			return new FunctionScan(item.relation, sources, item.ordinality);
		}
	}
}

export function planTable(
	item: Extract<LogicalFrom, { kind: "table" }>,
	conjuncts: readonly Bound[],
	parent: CompileScope,
	wanted: WantedOrder | undefined,
): FromPlan {
	const path = choosePath(item.table, item.relation, conjuncts, wanted);
	const node = filtered(scanOf(item, path, parent), path.residual, parent);
	return { node, ordered: path.order !== undefined };
}

/** A row that is found by its whole key is locked at once: there are no others that its statement has seen before. */
export const locksLate = (
	item: Extract<LogicalFrom, { kind: "table" }>,
	path: AccessPath,
): boolean => item.locksLate === "always" || (item.locksLate === "unless by key" && !path.isPoint);

/** How rows are read that a `LockRows` is going to lock: those that it skips need not stay as they are. */
const lookOf = (lock: LockIntent | undefined): LockIntent | undefined =>
	lock?.wait === "skip locked" ? { ...lock, peek: true } : undefined;

export function scanOf(
	item: Extract<LogicalFrom, { kind: "table" }>,
	path: AccessPath,
	parent: CompileScope,
): TableScan {
	const reader = new TableReader(
		path,
		item.relation,
		item.locksRows === true && !path.isPoint ? lookOf(item.lock) : item.lock,
		parent.inner(Layout.empty),
		locksLate(item, path),
	);
	return new TableScan(reader, item.relation);
}

export function filtered(
	node: PlanNode,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode {
	const condition = conjunction(conjuncts);
	if (condition === undefined) return node;
	return new Filter(node, compile(condition, parent.inner(node.layout)), showAll(conjuncts));
}
