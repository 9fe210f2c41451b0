/**
 * Bound expressions: names resolved, types known, casts explicit. Every node has its operands in `args`, so that a walk
 * needs no knowledge of the kinds. What an expression refers to are relations by identity; where their columns lie in a row
 * at run time is decided later (`layout.ts`).
 */
import type { Datum, SqlType } from "../types/datum.ts";
import type {
	AggregateFunction,
	CastDefinition,
	ScalarFunction,
	SetFunction,
	WindowFunction,
} from "../types/registry.ts";
import type { ValueConditions } from "./domains.ts";
import type { LiteralChoices } from "./literal-choices.ts";
import type { LogicalQuery } from "./logical.ts";
import type { Relation } from "./relation.ts";
import type { BoundFrame } from "./window.ts";

/** A value given when the plan runs: a parameter of the client, or a literal that the plan cache lifted out of the text. */
export interface Argument {
	readonly source: "parameter" | "lifted";
	readonly index: number;
	readonly type: SqlType;
	/** A cast to a type with a modifier truncates where an assignment fails. */
	readonly explicit: boolean;
	/** Of a literal: where questions about its value are asked. */
	readonly choices?: LiteralChoices;
}

export interface AggregateCall {
	readonly fn: AggregateFunction;
	readonly name: string;
	readonly args: readonly Bound[];
	readonly argTypes: readonly SqlType[];
	readonly distinct: boolean;
	readonly orderBy: readonly BoundOrder[];
	readonly filter: Bound | undefined;
	readonly type: SqlType;
	/** WITHIN GROUP: how many of the arguments are direct. */
	readonly direct?: number;
}

export interface BoundOrder {
	readonly expression: Bound;
	readonly descending: boolean;
	readonly nullsFirst: boolean;
}

/** Symbol and function of a comparison. */
export interface Comparison {
	readonly symbol: string;
	readonly fn: ScalarFunction;
	readonly argTypes: readonly SqlType[];
}

export type Bound = {
	readonly type: SqlType;
	readonly args: readonly Bound[];
	/** Offset in the statement, for errors; -1 where there is none. */
	readonly at: number;
} & (
	| { readonly kind: "constant"; readonly value: Datum }
	| { readonly kind: "argument"; readonly argument: Argument }
	| { readonly kind: "column"; readonly relation: Relation; readonly column: number }
	/** A function or an operator (`operator` true: printed infix). */
	| {
			readonly kind: "call";
			readonly fn: ScalarFunction;
			readonly name: string;
			readonly operator: boolean;
			/** Its last argument is an array of those that follow the others. */
			readonly variadic?: true;
			/** It was written with words between its arguments. */
			readonly worded?: true;
			readonly argTypes: readonly SqlType[];
	  }
	| { readonly kind: "cast"; readonly cast: CastDefinition }
	/** Length or scale of the type applied. */
	| { readonly kind: "modifier"; readonly explicit: boolean }
	/** A value that becomes one of a domain, or of a type that is made of some. */
	| { readonly kind: "domain"; readonly conditions: ValueConditions }
	/** The same bytes under another type. */
	| { readonly kind: "relabel" }
	| { readonly kind: "and" }
	| { readonly kind: "or" }
	| { readonly kind: "not" }
	| {
			readonly kind: "is";
			readonly test: "null" | "true" | "false" | "unknown";
			readonly negated: boolean;
	  }
	| { readonly kind: "distinct-from"; readonly negated: boolean; readonly comparison: Comparison }
	/** args: operand, then the list; one comparison for each element of the list. */
	| { readonly kind: "in-list"; readonly comparisons: readonly Comparison[] }
	/** args: condition, result, condition, result ..., otherwise. */
	| { readonly kind: "case" }
	| { readonly kind: "coalesce" }
	| { readonly kind: "nullif"; readonly comparison: Comparison }
	| { readonly kind: "extreme"; readonly greatest: boolean }
	/** `nested`: of arrays, which are its rows. */
	| { readonly kind: "array"; readonly nested: boolean }
	/**
	 * `names`: of its fields; undefined: they are f1, f2 ... `isWhole`: it is the row of a relation, and was not written down as a row.
	 * `given`: `args`, where untyped literals are so still.
	 */
	| {
			readonly kind: "row";
			readonly names?: readonly string[];
			readonly isWhole?: true;
			readonly given?: readonly Bound[];
	  }
	/** args: a row. */
	| { readonly kind: "field"; readonly index: number }
	/** args: array, an index for each dimension. */
	| { readonly kind: "subscript" }
	/** args: array, then the bounds that are given, of one dimension after the other. */
	| {
			readonly kind: "slice";
			readonly dimensions: readonly { readonly lower: boolean; readonly upper: boolean }[];
	  }
	/** args: operand, array. */
	| {
			readonly kind: "quantified";
			readonly all: boolean;
			readonly comparison: Comparison;
	  }
	/** args: the operands of IN, ANY, ALL, one for each column of the query; `comparisons` likewise. */
	| {
			readonly kind: "subquery";
			/** `row`: several columns of the only row are compared. */
			readonly mode: "scalar" | "exists" | "any" | "all" | "row" | "array";
			readonly query: LogicalQuery;
			readonly comparisons: readonly Comparison[];
			/** Of rows that are compared by their order: which of them are equal so far. */
			readonly equalities?: readonly Comparison[];
	  }
	/** Replaced by a column of the aggregation before anything is compiled. */
	| { readonly kind: "aggregate"; readonly call: AggregateCall }
	/** GROUPING(args): replaced by a column of the aggregation before anything is compiled. */
	| { readonly kind: "grouping" }
	/**
	 * Replaced by a column of a window before anything is compiled. args: those of the call, the condition of FILTER, the keys
	 * of the partition, those of the order, the offsets of the frame (`windowParts` takes them apart).
	 */
	| {
			readonly kind: "window";
			readonly fn: WindowFunction | AggregateFunction;
			readonly name: string;
			readonly argTypes: readonly SqlType[];
			readonly filtered: boolean;
			readonly partitions: number;
			readonly order: readonly Omit<BoundOrder, "expression">[];
			readonly frame: BoundFrame;
	  }
	/** Replaced by a column of a set projection before anything is compiled. */
	| {
			readonly kind: "set-call";
			readonly fn: SetFunction;
			readonly name: string;
			readonly argTypes: readonly SqlType[];
	  }
);

export const booleanType: SqlType = { oid: 16, modifier: -1 };
export const textType: SqlType = { oid: 25, modifier: -1 };
export const unknownOid = 705;

export const plainType = (oid: number): SqlType => ({ oid, modifier: -1 });

export const constant = (value: Datum, type: SqlType, at = -1): Bound => ({
	kind: "constant",
	value,
	type,
	args: [],
	at,
});

export function columnOf(relation: Relation, column: number, at = -1): Bound {
	const expression = relation.expressions?.[column];
	if (expression !== undefined) {
		relation.asked.add(column);
		return { ...expression, at };
	}
	const { type } = relation.columns[column]!;
	return { kind: "column", relation, column, type, args: [], at };
}

/** Kinds that are written before or between their operands, so that these may begin further left. */
const inner: ReadonlySet<Bound["kind"]> = new Set([
	"and",
	"cast",
	"distinct-from",
	"domain",
	"field",
	"in-list",
	"is",
	"modifier",
	"or",
	"quantified",
	"relabel",
	"slice",
	"subscript",
]);

/** Where the text of an expression begins (exprLocation); -1 where that is not known. */
export function beginningOf(bound: Bound): number {
	if (!inner.has(bound.kind) && !(bound.kind === "call" && bound.operator)) return bound.at;
	const places = [bound.at, ...bound.args.map(beginningOf)].filter((at) => at >= 0);
	return places.length === 0 ? -1 : Math.min(...places);
}

/** ROW(...), (a, b): what is compared field by field where it stands. */
export const isWrittenRow = (bound: Bound): boolean =>
	bound.kind === "row" && bound.isWhole !== true;

/** A copy with other operands; the same node if none changed. */
export function mapArgs(bound: Bound, change: (arg: Bound) => Bound): Bound {
	let changed = false;
	const args = bound.args.map((arg) => {
		const next = change(arg);
		if (next !== arg) changed = true;
		return next;
	});
	return changed ? { ...bound, args } : bound;
}

export function someNode(bound: Bound, test: (node: Bound) => boolean): boolean {
	return test(bound) || bound.args.some((arg) => someNode(arg, test));
}

export const hasSubquery = (bound: Bound): boolean =>
	someNode(bound, ({ kind }) => kind === "subquery");

/** Flattens nested ANDs. */
export function conjunctsOf(bound: Bound | undefined): readonly Bound[] {
	if (bound === undefined) return [];
	return bound.kind === "and" ? bound.args.flatMap(conjunctsOf) : [bound];
}

export function conjunction(bounds: readonly Bound[]): Bound | undefined {
	if (bounds.length <= 1) return bounds[0];
	return { kind: "and", type: booleanType, args: bounds, at: -1 };
}
