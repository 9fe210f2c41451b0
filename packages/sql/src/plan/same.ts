/** Structural equality of bound expressions: how GROUP BY, ORDER BY and DISTINCT find the expression that they mean. */
import type { Datum } from "../types/datum.ts";
import { typeByOid } from "../types/registry.ts";
import type { Binder } from "./binder.ts";
import type { AggregateCall, Argument, Bound } from "./bound.ts";

type WindowBound = Extract<Bound, { kind: "window" }>;

function sameArgument(binder: Binder, a: Argument, b: Argument): boolean {
	if (a.source !== b.source || a.type.oid !== b.type.oid || a.type.modifier !== b.type.modifier) {
		return false;
	}
	if (a.index === b.index) return true;
	if (a.source === "parameter") return false;
	if (binder.literals[a.index]!.text !== binder.literals[b.index]!.text) return false;
	// Equal only for these values: the plan depends on them.
	binder.pinnedText(a.index);
	binder.pinnedText(b.index);
	return true;
}

function sameValue(oid: number, a: Datum, b: Datum): boolean {
	if (a === b) return true;
	if (a === null || b === null || typeof a !== typeof b) return false;
	return typeof a === "object" && typeByOid(oid)?.compare(a, b) === 0;
}

export function same(binder: Binder, a: Bound, b: Bound): boolean {
	if (a === b) return true;
	if (a.kind !== b.kind || a.type.oid !== b.type.oid || a.args.length !== b.args.length) {
		return false;
	}
	if (a.kind === "subquery" || !sameDetails(binder, a, b)) return false;
	return a.args.every((arg, i) => same(binder, arg, b.args[i]!));
}

function sameDetails(binder: Binder, a: Bound, b: Bound): boolean {
	switch (a.kind) {
		case "constant":
			return b.kind === "constant" && sameValue(a.type.oid, a.value, b.value);
		case "argument":
			return b.kind === "argument" && sameArgument(binder, a.argument, b.argument);
		case "column":
			return b.kind === "column" && a.relation === b.relation && a.column === b.column;
		case "call":
			return b.kind === "call" && a.fn === b.fn && a.fn.volatility !== "volatile";
		case "set-call":
			return b.kind === "set-call" && a.fn === b.fn;
		case "field":
			return b.kind === "field" && a.index === b.index;
		case "modifier":
			return a.type.modifier === b.type.modifier;
		case "is":
			return b.kind === "is" && a.test === b.test && a.negated === b.negated;
		case "distinct-from":
			return b.kind === "distinct-from" && a.negated === b.negated;
		case "slice":
			return b.kind === "slice" && JSON.stringify(a.dimensions) === JSON.stringify(b.dimensions);
		case "extreme":
			return b.kind === "extreme" && a.greatest === b.greatest;
		case "quantified":
			return b.kind === "quantified" && a.all === b.all && a.comparison.fn === b.comparison.fn;
		case "window":
			return b.kind === "window" && sameWindowCall(a, b);
		case "aggregate":
			return b.kind === "aggregate" && sameCall(binder, a.call, b.call);
		default:
			return true;
	}
}

export function sameCall(binder: Binder, a: AggregateCall, b: AggregateCall): boolean {
	if (a.fn !== b.fn || a.distinct !== b.distinct || a.args.length !== b.args.length) return false;
	if (a.orderBy.length > 0 || b.orderBy.length > 0) return false;
	if ((a.filter === undefined) !== (b.filter === undefined)) return false;
	if (a.filter !== undefined && !same(binder, a.filter, b.filter!)) return false;
	return a.args.every((arg, i) => same(binder, arg, b.args[i]!));
}

/** Whether two calls with OVER are one, their operands apart. */
const sameWindowCall = (a: WindowBound, b: WindowBound): boolean =>
	a.fn === b.fn &&
	a.filtered === b.filtered &&
	a.argTypes.length === b.argTypes.length &&
	a.partitions === b.partitions &&
	a.frame.unit === b.frame.unit &&
	a.frame.start === b.frame.start &&
	a.frame.end === b.frame.end &&
	a.frame.exclude === b.frame.exclude &&
	a.order.length === b.order.length &&
	a.order.every(
		(key, i) =>
			key.descending === b.order[i]!.descending && key.nullsFirst === b.order[i]!.nullsFirst,
	);
