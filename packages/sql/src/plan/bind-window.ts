/** Calls with OVER: the function, its window, and the frame. */
import { DatabaseError } from "@quorate/keys/database-error";
import type {
	Expression,
	FrameBound,
	OrderItem,
	WindowDefinition,
	WindowFrame,
} from "../parser/ast.ts";
import {
	aggregateCandidates,
	formatType,
	orderedSetCandidates,
	resolve,
	scalarCandidates,
	setCandidates,
	windowCandidates,
} from "../types/registry.ts";
import type { CallNode } from "./bind-call.ts";
import { bindBoolean, bindExpression, type Place } from "./bind-expression.ts";
import type { Binder } from "./binder.ts";
import { type Bound, type BoundOrder, plainType, someNode } from "./bound.ts";
import { coerce, resolutionType, settle } from "./coerce.ts";
import { type InRange, rangeOffset } from "./in-range.ts";
import { relationsOf } from "./relations-of.ts";
import type { BoundFrame } from "./window.ts";

const wrong = (message: string, at: number): DatabaseError =>
	new DatabaseError("42P20", message, { position: at + 1 });

/** A window function without OVER is told so. */
export function requireOver(name: string, node: CallNode): void {
	refuseWithoutGroup(name, node);
	if (windowCandidates(name).length === 0 || aggregateCandidates(name).length > 0) return;
	throw new DatabaseError("42809", `window function ${name} requires an OVER clause`, {
		position: node.at + 1,
	});
}

/** rank() is a window function, rank(1) is not. */
function refuseWithoutGroup(name: string, node: CallNode): void {
	const count = node.args.length;
	const isMeant = orderedSetCandidates(name).some(({ direct, args }) =>
		direct === "hypothetical" ? count > 0 : args.length === count,
	);
	if (!isMeant) return;
	throw new DatabaseError("42809", `WITHIN GROUP is required for ordered-set aggregate ${name}`, {
		position: node.at + 1,
	});
}

const unsupportedOver = (name: string, node: CallNode): DatabaseError =>
	new DatabaseError("0A000", `OVER is not supported for ordered-set aggregate ${name}`, {
		position: node.at + 1,
	});

export function bindWindowCall(place: Place, name: string, node: CallNode): Bound {
	const inner: Place = { ...place, sets: false, windows: undefined, clause: "window" };
	const bounds = node.star ? [] : node.args.map((arg) => bindExpression(inner, arg));
	if (node.withinGroup === undefined) refuseWithoutGroup(name, node);
	else throw unsupportedOver(name, node);
	const { fn, args, resultType } = windowFunction(place, name, node, bounds);
	refusePlace(place, node);
	refuseSyntax(name, node);
	const filter =
		node.filter === undefined
			? undefined
			: bindBoolean({ ...inner, aggregates: false, clause: "FILTER" }, node.filter, "FILTER");
	const definition = place.windows!.resolve(node.over!);
	const { partition, order } = bindDefinition(place, definition);
	const { frame, offsets } = bindFrame(place, definition, order);
	return {
		kind: "window",
		fn,
		name,
		argTypes: args.map((arg) => arg.type),
		filtered: filter !== undefined,
		partitions: partition.length,
		order: order.map(({ descending, nullsFirst }) => ({ descending, nullsFirst })),
		frame,
		type: plainType(resultType),
		args: [
			...args,
			...(filter === undefined ? [] : [filter]),
			...partition,
			...order.map((key) => key.expression),
			...offsets,
		],
		at: node.at,
	};
}

function windowFunction(place: Place, name: string, node: CallNode, bounds: readonly Bound[]) {
	const { binder } = place;
	const candidates = [...windowCandidates(name), ...aggregateCandidates(name)];
	if (candidates.length === 0) {
		const others = [...scalarCandidates(name), ...setCandidates(name)];
		const types = bounds.map((bound) => resolutionType(binder, bound));
		if (others.length > 0) resolve("function", name, others, types, node.at);
		if (others.length > 0) {
			throw new DatabaseError(
				"42809",
				`OVER specified, but ${name} is not a window function nor an aggregate function`,
				{ position: node.at + 1 },
			);
		}
	}
	const { chosen, argTypes, resultType } = resolve(
		"function",
		name,
		candidates,
		bounds.map((bound) => resolutionType(binder, bound)),
		node.at,
	);
	const args = bounds.map((bound, i) =>
		settle(binder, coerce(binder, bound, plainType(argTypes[i]!), "implicit")),
	);
	return { fn: chosen, args, resultType };
}

function refusePlace(place: Place, node: CallNode): void {
	if (place.windows !== undefined) return;
	if (place.clause === "aggregate") {
		throw new DatabaseError(
			"42803",
			"aggregate function calls cannot contain window function calls",
			{ position: node.at + 1 },
		);
	}
	throw place.clause === "window"
		? wrong("window function calls cannot be nested", node.at)
		: wrong(`window functions are not allowed in ${place.clause}`, node.at);
}

function refuseSyntax(name: string, node: CallNode): void {
	const refused = (message: string): DatabaseError =>
		new DatabaseError("0A000", message, { position: node.at + 1 });
	if (node.distinct) throw refused("DISTINCT is not implemented for window functions");
	if (aggregateCandidates(name).length === 0 && node.filter !== undefined) {
		throw refused("FILTER is not implemented for non-aggregate window functions");
	}
	if (node.orderBy.length > 0) {
		throw refused("aggregate ORDER BY is not implemented for window functions");
	}
}

/** Keys are expressions of the input, never numbers or names of the output. */
export function bindDefinition(
	place: Place,
	definition: WindowDefinition,
): { readonly partition: readonly Bound[]; readonly order: readonly BoundOrder[] } {
	const inner: Place = {
		...place,
		sets: false,
		windows: undefined,
		clause: "window definitions",
	};
	const key = (node: Expression): Bound => settle(place.binder, bindExpression(inner, node));
	return {
		order: definition.orderBy.map(
			(item: OrderItem): BoundOrder => ({
				expression: key(item.expression),
				descending: item.descending,
				nullsFirst: item.nulls === undefined ? item.descending : item.nulls === "first",
			}),
		),
		partition: definition.partitionBy.map(key),
	};
}

const wholePartition: BoundFrame = {
	unit: "range",
	start: "unbounded preceding",
	end: "current row",
	exclude: "no others",
	startInRange: undefined,
	endInRange: undefined,
};

export function bindFrame(
	place: Place,
	{ frame, at }: WindowDefinition,
	order: readonly BoundOrder[],
): { readonly frame: BoundFrame; readonly offsets: readonly Bound[] } {
	if (frame === undefined) return { frame: wholePartition, offsets: [] };
	refuseBounds(frame);
	if (frame.unit === "groups" && order.length === 0) {
		throw wrong("GROUPS mode requires an ORDER BY clause", at);
	}
	const bounds = [frame.start, frame.end];
	if (frame.unit === "range" && bounds.some((bound) => "offset" in bound) && order.length !== 1) {
		throw wrong("RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column", at);
	}
	const [start, end] = bounds.map((bound) => bindOffset(place, frame.unit, bound, order));
	return {
		frame: {
			unit: frame.unit,
			start: frame.start.edge,
			end: frame.end.edge,
			exclude: frame.exclude,
			startInRange: start?.inRange,
			endInRange: end?.inRange,
		},
		offsets: [start, end].flatMap((one) => (one === undefined ? [] : [one.bound])),
	};
}

function refuseBounds({ start, end, isBetween }: WindowFrame): void {
	if (start.edge === "unbounded following") {
		throw wrong("frame start cannot be UNBOUNDED FOLLOWING", start.at);
	}
	if (!isBetween) {
		if (start.edge !== "following") return;
		throw wrong("frame starting from following row cannot end with current row", start.at);
	}
	if (end.edge === "unbounded preceding") {
		throw wrong("frame end cannot be UNBOUNDED PRECEDING", end.at);
	}
	if (start.edge === "current row" && end.edge === "preceding") {
		throw wrong("frame starting from current row cannot have preceding rows", end.at);
	}
	if (start.edge === "following" && (end.edge === "preceding" || end.edge === "current row")) {
		throw wrong("frame starting from following row cannot have preceding rows", end.at);
	}
}

function bindOffset(
	place: Place,
	unit: WindowFrame["unit"],
	bound: FrameBound,
	order: readonly BoundOrder[],
): { readonly bound: Bound; readonly inRange: InRange | undefined } | undefined {
	if (!("offset" in bound)) return undefined;
	const { binder, scope } = place;
	const word = unit.toUpperCase();
	const offset = bindExpression(
		{ ...place, sets: false, windows: undefined, aggregates: false, clause: `window ${word}` },
		bound.offset,
	);
	const typed =
		unit === "range"
			? rangeOffset(binder, order[0]!.expression.type.oid, offset)
			: { bound: rowCount(binder, offset, word), inRange: undefined };
	const own = new Set(scope.relations);
	if ([...relationsOf(offset)].some((relation) => own.has(relation))) {
		const at = firstColumn(offset)?.at ?? bound.at;
		throw new DatabaseError("42P10", `argument of ${word} must not contain variables`, {
			position: at + 1,
		});
	}
	binder.notes?.offsets.set(bound, typed.bound);
	return typed;
}

/** Throws 42804. */
function rowCount(binder: Binder, offset: Bound, word: string): Bound {
	try {
		return coerce(binder, offset, plainType(20), "assignment");
	} catch (error) {
		if (!(error instanceof DatabaseError) || error.code !== "42846") throw error;
		throw new DatabaseError(
			"42804",
			`argument of ${word} must be type bigint, not type ${formatType(offset.type)}`,
			offset.at >= 0 ? { position: offset.at + 1 } : {},
		);
	}
}

function firstColumn(bound: Bound): Bound | undefined {
	let found: Bound | undefined;
	someNode(bound, (node) => {
		if (node.kind === "column") found ??= node;
		return found !== undefined;
	});
	return found;
}
