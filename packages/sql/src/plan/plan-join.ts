/** One join: by lookup in an index, by hash, or by nested loop. */
import {
	HashJoin,
	type HashKeys,
	type JoinType,
	LookupJoin,
	NestedLoop,
} from "../execute/operators/joins.ts";
import { TableScan } from "../execute/operators/table-scan.ts";
import type { PlanNode } from "../execute/plan-node.ts";
import { TableReader } from "../execute/table-reader.ts";
import { type AccessPath, choosePath } from "./access-path.ts";
import { type Bound, conjunction } from "./bound.ts";
import { type Compiled, compile } from "./compile.ts";
import type { CompileScope } from "./compile-scope.ts";
import type { LogicalFrom } from "./logical.ts";
import {
	applicable,
	type Factor,
	factorOf,
	filtered,
	itemRelations,
	locksLate,
	planFactor,
	planFrom,
} from "./plan-from.ts";
import type { Planner } from "./plan-query.ts";
import { Layout, type Relation } from "./relation.ts";
import { relationsOf } from "./relations-of.ts";
import { showAll } from "./show.ts";

/** Adds a factor to what is joined so far. `conjuncts` refer to nothing that is not there then. */
export function planJoin(
	planner: Planner,
	left: PlanNode,
	factor: Factor,
	conjuncts: readonly Bound[],
	level: ReadonlySet<Relation>,
	parent: CompileScope,
): PlanNode {
	return join(planner, "inner", left, factor, conjuncts, level, parent);
}

function join(
	planner: Planner,
	type: "inner" | "left",
	left: PlanNode,
	factor: Factor,
	conjuncts: readonly Bound[],
	level: ReadonlySet<Relation>,
	parent: CompileScope,
): PlanNode {
	const leftScope = parent.inner(left.layout);
	const own = applicable(conjuncts, factor.relations, level);
	const across = conjuncts.filter((conjunct) => !own.includes(conjunct));
	if (factor.lateral) {
		const right = planFactor(planner, factor.item, own, leftScope);
		return loop(type, left, right, across, parent);
	}
	const lookup = planLookup(type, left, factor, conjuncts, parent);
	if (lookup !== undefined) return lookup;
	const right = planFactor(planner, factor.item, own, parent);
	return hashJoin(type, left, right, factor.relations, across, parent);
}

function loop(
	type: "inner" | "left",
	left: PlanNode,
	right: PlanNode,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode {
	const condition = conjunction(conjuncts);
	const scope = parent.inner(left.layout.join(right.layout));
	return new NestedLoop(
		type,
		left,
		right,
		condition && compile(condition, scope),
		condition === undefined ? "" : showAll(conjuncts),
	);
}

/** Left rows above which reading the whole right side once is cheaper than looking up each. */
const lookupLimit = 2000;

function planLookup(
	type: "inner" | "left",
	left: PlanNode,
	factor: Factor,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode | undefined {
	const { item } = factor;
	if (item.kind !== "table") return undefined;
	const path = choosePath(item.table, item.relation, conjuncts, undefined);
	const dependsOnLeft = [...path.equalities, path.low, path.high].some((sarg) =>
		sarg?.values.some((value) =>
			[...relationsOf(value)].some((relation) => left.layout.has(relation)),
		),
	);
	if (!dependsOnLeft) return undefined;
	const inner = parent.inner(left.layout).inner(Layout.empty);
	const reader = new TableReader(path, item.relation, item.lock, inner, locksLate(item, path));
	const scan = new TableScan(reader, item.relation);
	const cost = left.estimate * (reader.ranges.isSingleSync ? 1 : 3 + path.estimate);
	if (cost > lookupLimit && hasEquality(conjuncts, left, factor) && left.estimate > 1)
		return undefined;
	const condition = conjunction(residualOf(path, conjuncts));
	const joined = left.layout.join(scan.layout);
	const compiled: Compiled | undefined = condition && compile(condition, parent.inner(joined));
	if (reader.ranges.isSingleSync) {
		return new LookupJoin(
			type,
			left,
			{ reader, layout: scan.layout, label: scan.label, facts: scan.facts, details: scan.details },
			compiled,
		);
	}
	return new NestedLoop(
		type,
		left,
		scan,
		compiled,
		condition === undefined ? "" : showAll(residualOf(path, conjuncts)),
	);
}

const residualOf = (path: AccessPath, _conjuncts: readonly Bound[]): readonly Bound[] =>
	path.residual;

function hasEquality(conjuncts: readonly Bound[], left: PlanNode, factor: Factor): boolean {
	return conjuncts.some(
		(conjunct) => equiPair(conjunct, left.layout, factor.relations) !== undefined,
	);
}

/** left = right, each side referring to one side of the join only. */
function equiPair(
	conjunct: Bound,
	left: Layout,
	right: ReadonlySet<Relation>,
): readonly [Bound, Bound] | undefined {
	if (conjunct.kind !== "call" || !conjunct.operator || conjunct.name !== "=") return undefined;
	const [a, b] = conjunct.args as [Bound, Bound];
	if (a.type.oid !== b.type.oid && !(isInteger(a.type.oid) && isInteger(b.type.oid))) {
		return undefined;
	}
	const onLeft = (bound: Bound): boolean => {
		const relations = [...relationsOf(bound)];
		return (
			relations.some((relation) => left.has(relation)) &&
			!relations.some((relation) => right.has(relation))
		);
	};
	const onRight = (bound: Bound): boolean => {
		const relations = [...relationsOf(bound)];
		return (
			relations.some((relation) => right.has(relation)) &&
			!relations.some((relation) => left.has(relation))
		);
	};
	if (onLeft(a) && onRight(b)) return [a, b];
	return onLeft(b) && onRight(a) ? [b, a] : undefined;
}

const isInteger = (oid: number): boolean => oid === 20 || oid === 21 || oid === 23;

function hashJoin(
	type: JoinType,
	left: PlanNode,
	right: PlanNode,
	rightRelations: ReadonlySet<Relation>,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode {
	// The smaller side of an inner join is the one kept in memory.
	if (type === "inner" && left.estimate < right.estimate && left.estimate < 5000) {
		const leftRelations = new Set(left.layout.relations());
		return buildHashJoin(type, right, left, leftRelations, conjuncts, parent);
	}
	return buildHashJoin(type, left, right, rightRelations, conjuncts, parent);
}

function buildHashJoin(
	type: JoinType,
	left: PlanNode,
	right: PlanNode,
	rightRelations: ReadonlySet<Relation>,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode {
	const pairs: (readonly [Bound, Bound])[] = [];
	const others: Bound[] = [];
	for (const conjunct of conjuncts) {
		const pair = equiPair(conjunct, left.layout, rightRelations);
		if (pair === undefined) others.push(conjunct);
		else pairs.push(pair);
	}
	const leftScope = parent.inner(left.layout);
	const rightScope = parent.inner(right.layout);
	const keys: HashKeys = {
		left: pairs.map(([bound]) => compile(bound, leftScope)),
		right: pairs.map(([, bound]) => compile(bound, rightScope)),
		oids: pairs.map(([bound]) => bound.type.oid),
	};
	const condition = conjunction(others);
	const scope = parent.inner(left.layout.join(right.layout));
	return new HashJoin(
		type,
		left,
		right,
		keys,
		condition && compile(condition, scope),
		conjuncts.length === 0 ? "" : showAll(conjuncts),
	);
}

/** LEFT, RIGHT, FULL. `conjuncts`: of WHERE, applied above, and below to the side that the join keeps. */
export function planOuterJoin(
	planner: Planner,
	item: Extract<LogicalFrom, { kind: "join" }>,
	conjuncts: readonly Bound[],
	parent: CompileScope,
): PlanNode {
	const swapped = item.type === "right";
	const kept = swapped ? item.right : item.left;
	const other = swapped ? item.left : item.right;
	const keptRelations = new Set(itemRelations(kept));
	const otherRelations = new Set(itemRelations(other));
	const level = new Set([...keptRelations, ...otherRelations]);
	if (item.type === "full") {
		const left = planFrom(planner, [kept], [], parent, undefined).node;
		const right = planFrom(planner, [other], [], parent, undefined).node;
		return filtered(
			hashJoin("full", left, right, otherRelations, item.on, parent),
			conjuncts,
			parent,
		);
	}
	const below = applicable(conjuncts, keptRelations, level);
	const above = conjuncts.filter((conjunct) => !below.includes(conjunct));
	const left = planFrom(planner, [kept], below, parent, undefined).node;
	const node = join(planner, "left", left, factorOf(other, level), item.on, level, parent);
	return filtered(node, above, parent);
}
