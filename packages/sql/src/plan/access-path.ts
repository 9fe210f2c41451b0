/**
 * How a table is read: which index, which of its columns are fixed, in which interval the next one lies. Chosen from the
 * conditions at hand; there are no statistics, so the rules are: a whole unique key, else the longest fixed prefix, else
 * an interval, else the order that is wanted, else everything.
 */
import type { IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import type { IndexCodec } from "../execute/index-codec.ts";
import { indexCodec, tableCodec } from "../execute/table-codec.ts";
import type { Bound, BoundOrder } from "./bound.ts";
import { isImplied, isMatch } from "./index-match.ts";
import type { Relation } from "./relation.ts";
import { type FindExpression, type Sarg, sargOf } from "./sargable.ts";

export interface AccessPath {
	readonly index: IndexDescriptor;
	readonly codec: IndexCodec;
	/** One for each of the leading index columns. */
	readonly equalities: readonly Sarg[];
	readonly low: Sarg | undefined;
	readonly high: Sarg | undefined;
	/** The whole key of a unique index is fixed: at most one row for each combination of values. */
	readonly isPoint: boolean;
	/** Conditions that the path does not answer. */
	readonly residual: readonly Bound[];
	readonly estimate: number;
	/** Its order serves the wanted one: forward, backward, or not at all. */
	readonly order: "forward" | "backward" | undefined;
}

export interface WantedOrder {
	/** Over the relation. */
	readonly keys: readonly BoundOrder[];
	/** Whether rows beyond some count will not be read. */
	readonly hasLimit: boolean;
}

const fullEstimate = 10_000;

function candidates(table: TableDescriptor): readonly IndexDescriptor[] {
	return [table.primary, ...table.indexes.filter((index) => index.state === "public")];
}

export function choosePath(
	table: TableDescriptor,
	relation: Relation,
	conjuncts: readonly Bound[],
	order: WantedOrder | undefined,
): AccessPath {
	const find = expressionFinder(table, relation);
	const sargs: Sarg[] = [];
	for (const conjunct of conjuncts) {
		const sarg = sargOf(conjunct, relation, find);
		if (sarg !== undefined) sargs.push(sarg);
	}
	const wanted = order && wantedColumns(table, relation, order, find);
	let best: AccessPath | undefined;
	let bestCost = Number.POSITIVE_INFINITY;
	for (const index of candidates(table)) {
		if (!isImplied(indexCodec(table, index), conjuncts, relation)) continue;
		const path = pathOver(table, index, sargs, conjuncts, wanted);
		const cost = costOf(path, table, order);
		if (cost < bestCost) {
			best = path;
			bestCost = cost;
		}
	}
	return best!;
}

function costOf(path: AccessPath, table: TableDescriptor, order: WantedOrder | undefined): number {
	const isPrimary = path.index === table.primary;
	// An entry of a secondary index costs a row fetch.
	let cost = path.estimate * (isPrimary ? 1 : 2.5);
	if (order !== undefined && path.order !== undefined && !path.isPoint) {
		cost = order.hasLimit ? Math.min(cost, 100 + cost / 100) : cost * (isPrimary ? 0.9 : 1);
	}
	return cost;
}

function pathOver(
	table: TableDescriptor,
	index: IndexDescriptor,
	sargs: readonly Sarg[],
	conjuncts: readonly Bound[],
	order: readonly WantedColumn[] | undefined,
): AccessPath {
	const codec = indexCodec(table, index);
	const equalities: Sarg[] = [];
	let low: Sarg | undefined;
	let high: Sarg | undefined;
	for (const { slot } of codec.columns) {
		const equal = bestEquality(sargs, slot);
		if (equal !== undefined) {
			equalities.push(equal);
			continue;
		}
		low = sargs.find((sarg) => sarg.column === slot && sarg.operator.startsWith(">"));
		high = sargs.find((sarg) => sarg.column === slot && sarg.operator.startsWith("<"));
		break;
	}
	const isPoint =
		index.unique && codec.columns.length > 0 && equalities.length === codec.columns.length;
	const used = new Set([...equalities, low, high].map((sarg) => sarg?.conjunct));
	const isSecondary = index !== table.primary;
	return {
		index,
		codec,
		equalities,
		low,
		high,
		isPoint,
		// The row behind an entry may be newer than the entry: what the index answered is looked at again.
		residual: isSecondary ? conjuncts : conjuncts.filter((conjunct) => !used.has(conjunct)),
		estimate: estimateOf(codec, equalities, low, high, isPoint),
		order: orderOf(codec, equalities, order),
	};
}

function bestEquality(sargs: readonly Sarg[], slot: number): Sarg | undefined {
	const equal = sargs.filter((sarg) => sarg.column === slot && sarg.operator === "=");
	return equal.find((sarg) => sarg.values.length === 1 && !sarg.isArray) ?? equal[0];
}

function estimateOf(
	codec: IndexCodec,
	equalities: readonly Sarg[],
	low: Sarg | undefined,
	high: Sarg | undefined,
	isPoint: boolean,
): number {
	let lists = 1;
	for (const sarg of equalities) lists *= sarg.isArray ? 10 : sarg.values.length;
	if (isPoint) return lists;
	let rows = fullEstimate;
	for (let i = 0; i < equalities.length; i++) rows /= i === 0 ? 200 : 5;
	rows = Math.max(rows, 2) * lists;
	if (low !== undefined && high !== undefined) rows /= 40;
	else if (low !== undefined || high !== undefined) rows /= 3;
	// Somebody has made it for few of the rows.
	if (codec.predicate !== undefined) rows /= 3;
	return Math.max(rows, codec.columns.length > 0 ? 2 : 1);
}

/** Where the expressions of the table's indexes are in a statement. */
function expressionFinder(table: TableDescriptor, relation: Relation): FindExpression {
	const keys = tableCodec(table).secondary.flatMap(({ index, columns }) =>
		columns.filter(({ slot }) => slot < 0).map((column) => ({ index, ...column })),
	);
	if (keys.length === 0) return () => undefined;
	return (bound) =>
		keys.find(({ index, expression }) => isMatch(bound, expression!.bound, { index, relation }))
			?.slot;
}

interface WantedColumn {
	readonly slot: number;
	readonly descending: boolean;
	/** Undefined: there are no NULLs. */
	readonly nullsFirst: boolean | undefined;
}

/** Undefined: no index has such an order. */
function wantedColumns(
	table: TableDescriptor,
	relation: Relation,
	order: WantedOrder,
	find: FindExpression,
): readonly WantedColumn[] | undefined {
	// What says NOT NULL elsewhere may not hold for all rows yet.
	const keys = new Set(tableCodec(table).primary.columns.map(({ slot }) => slot));
	const columns: WantedColumn[] = [];
	for (const { expression, descending, nullsFirst } of order.keys) {
		const isColumn = expression.kind === "column" && expression.relation === relation;
		const slot = isColumn ? expression.column : find(expression);
		if (slot === undefined) return undefined;
		const hasNulls = !keys.has(slot);
		columns.push({ slot, descending, nullsFirst: hasNulls ? nullsFirst : undefined });
	}
	return columns;
}

function orderOf(
	codec: IndexCodec,
	equalities: readonly Sarg[],
	order: readonly WantedColumn[] | undefined,
): AccessPath["order"] {
	if (order === undefined || order.length === 0) return undefined;
	// A column fixed to one value has no order of its own; one fixed to several may only stand in its place.
	const constants = new Set<number>();
	for (const sarg of equalities) {
		if (sarg.isArray || sarg.values.length > 1) break;
		constants.add(sarg.column);
	}
	let position = 0;
	let direction: "forward" | "backward" | undefined;
	for (const wanted of order) {
		if (constants.has(wanted.slot)) continue;
		while (position < codec.columns.length && constants.has(codec.columns[position]!.slot)) {
			position++;
		}
		const column = codec.columns[position++];
		if (column?.slot !== wanted.slot) return undefined;
		const needed = column.descending === wanted.descending ? "forward" : "backward";
		if (direction !== undefined && direction !== needed) return undefined;
		const { nullsFirst } = wanted;
		const isUsual = (column.nullsFirst === nullsFirst) === (needed === "forward");
		if (nullsFirst !== undefined && !isUsual) return undefined;
		direction = needed;
	}
	return direction ?? "forward";
}

/** Everything, in the order of the primary index. */
export const fullPath = (table: TableDescriptor, conjuncts: readonly Bound[]): AccessPath => ({
	index: table.primary,
	codec: tableCodec(table).primary,
	equalities: [],
	low: undefined,
	high: undefined,
	isPoint: false,
	residual: conjuncts,
	estimate: fullEstimate,
	order: undefined,
});
