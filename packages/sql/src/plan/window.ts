/** Windows of a query level: what the binder says of a call with OVER, and how equal windows are found. */
import type { Binder } from "./binder.ts";
import { type Bound, type BoundOrder, columnOf, mapArgs } from "./bound.ts";
import type { InRange } from "./in-range.ts";
import { Relation } from "./relation.ts";
import { same } from "./same.ts";

export type FrameEdge =
	| "unbounded preceding"
	| "preceding"
	| "current row"
	| "following"
	| "unbounded following";

export interface BoundFrame {
	readonly unit: "rows" | "range" | "groups";
	readonly start: FrameEdge;
	readonly end: FrameEdge;
	readonly exclude: "no others" | "current row" | "group" | "ties";
	/** RANGE with offsets: how they are applied to the only key of the order. */
	readonly startInRange: InRange | undefined;
	readonly endInRange: InRange | undefined;
}

export type WindowBound = Extract<Bound, { kind: "window" }>;

export interface WindowParts {
	readonly args: readonly Bound[];
	readonly filter: Bound | undefined;
	readonly partition: readonly Bound[];
	readonly order: readonly BoundOrder[];
	readonly startOffset: Bound | undefined;
	readonly endOffset: Bound | undefined;
}

const hasOffset = (edge: FrameEdge): boolean => edge === "preceding" || edge === "following";

export function windowParts(bound: WindowBound): WindowParts {
	let next = 0;
	const take = (count: number): readonly Bound[] => {
		const from = next;
		next += count;
		return bound.args.slice(from, next);
	};
	const args = take(bound.argTypes.length);
	const [filter] = take(bound.filtered ? 1 : 0);
	const partition = take(bound.partitions);
	const order = take(bound.order.length).map((expression, i) => ({
		...bound.order[i]!,
		expression,
	}));
	const [startOffset] = take(hasOffset(bound.frame.start) ? 1 : 0);
	const [endOffset] = take(hasOffset(bound.frame.end) ? 1 : 0);
	return { args, filter, partition, order, startOffset, endOffset };
}

/** Calls over the same partitions in the same order; their frames may differ. One column a call. */
export interface WindowStage {
	readonly partition: readonly Bound[];
	readonly order: readonly BoundOrder[];
	readonly calls: readonly WindowBound[];
	readonly relation: Relation;
}

/** Takes calls with OVER out of the projections; columns of relations stand in for them. */
export function separateWindows(
	binder: Binder,
	projections: readonly Bound[],
): { readonly windows: readonly WindowStage[]; readonly bounds: readonly Bound[] } {
	const stages: { parts: WindowParts; calls: WindowBound[] }[] = [];
	const collect = (bound: Bound): void => {
		if (bound.kind !== "window") {
			bound.args.forEach(collect);
			return;
		}
		const parts = windowParts(bound);
		const stage = stages.find((one) => isSameWindow(binder, one.parts, parts));
		if (stage === undefined) stages.push({ parts, calls: [bound] });
		else if (!stage.calls.some((call) => same(binder, call, bound))) stage.calls.push(bound);
	};
	projections.forEach(collect);
	if (stages.length === 0) return { windows: [], bounds: projections };
	const windows = stages.map(
		({ parts, calls }): WindowStage => ({
			partition: parts.partition,
			order: parts.order,
			calls,
			relation: new Relation(
				"",
				undefined,
				calls.map((call) => ({ name: call.name, type: call.type, tableOid: 0, attnum: 0 })),
			),
		}),
	);
	const replace = (bound: Bound): Bound => {
		if (bound.kind !== "window") return mapArgs(bound, replace);
		for (const { calls, relation } of windows) {
			const index = calls.findIndex((call) => same(binder, call, bound));
			if (index >= 0) return columnOf(relation, index, bound.at);
		}
		return bound;
	};
	return { windows, bounds: projections.map(replace) };
}

function isSameWindow(binder: Binder, a: WindowParts, b: WindowParts): boolean {
	return (
		a.partition.length === b.partition.length &&
		a.order.length === b.order.length &&
		a.partition.every((key, i) => same(binder, key, b.partition[i]!)) &&
		a.order.every((key, i) => isSameOrder(binder, key, b.order[i]!))
	);
}

const isSameOrder = (binder: Binder, a: BoundOrder, b: BoundOrder): boolean =>
	a.descending === b.descending &&
	a.nullsFirst === b.nullsFirst &&
	same(binder, a.expression, b.expression);
