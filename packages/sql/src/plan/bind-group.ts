/** GROUP BY: its expressions, and the sets that GROUPING SETS, ROLLUP and CUBE stand for. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Expression, GroupElement, Select, SelectItem } from "../parser/ast.ts";
import { bindExpression, type Place } from "./bind-expression.ts";
import { settledColumn } from "./bind-query.ts";
import type { Output } from "./bind-select.ts";
import { type Bound, plainType, someNode } from "./bound.ts";
import { requireComparable } from "./comparable.ts";
import { ordinalOf } from "./ordinal.ts";
import { same } from "./same.ts";

export interface BoundGroups {
	readonly keys: readonly Bound[];
	/** Positions in `keys`; undefined: all of them group. */
	readonly sets: readonly (readonly number[])[] | undefined;
}

/** PostgreSQL's limits. */
const setsMax = 4096;
const cubeMax = 12;
const argumentsMax = 31;

export function bindGroups(place: Place, select: Select, outputs: readonly Output[]): BoundGroups {
	const bind = (node: Expression): Bound => bindGroup(place, node, select.items, outputs);
	if (select.grouping === undefined) {
		return { keys: select.groupBy.map(bind), sets: undefined };
	}
	const keys: Bound[] = [];
	const slotOf = (node: Expression): number => {
		const bound = bind(node);
		const known = keys.findIndex((key) => same(place.binder, key, bound));
		return known >= 0 ? known : keys.push(bound) - 1;
	};
	const { elements, distinct } = select.grouping;
	let sets: readonly (readonly number[])[] = [[]];
	for (const element of elements) sets = product(sets, setsOf(element, slotOf));
	const plain = sets.map((set) => [...new Set(set)].sort((a, b) => a - b));
	return { keys, sets: distinct ? withoutDuplicates(plain) : plain };
}

function product(
	left: readonly (readonly number[])[],
	right: readonly (readonly number[])[],
): readonly (readonly number[])[] {
	if (left.length * right.length > setsMax) {
		throw new DatabaseError("54001", `too many grouping sets present (maximum ${setsMax})`);
	}
	return left.flatMap((a) => right.map((b) => [...a, ...b]));
}

function withoutDuplicates(sets: readonly (readonly number[])[]): readonly (readonly number[])[] {
	return [...new Map(sets.map((set) => [set.join(), set])).values()];
}

function setsOf(
	element: GroupElement,
	slotOf: (node: Expression) => number,
): readonly (readonly number[])[] {
	switch (element.kind) {
		case "set":
			return [element.expressions.map(slotOf)];
		case "sets":
			return element.elements.flatMap((inner) => setsOf(inner, slotOf));
		case "rollup": {
			const parts = element.lists.map((part) => part.map(slotOf));
			return Array.from({ length: parts.length + 1 }, (_, i) =>
				parts.slice(0, parts.length - i).flat(),
			);
		}
		default:
			return cube(element, slotOf);
	}
}

function cube(
	element: Extract<GroupElement, { kind: "rollup" | "cube" }>,
	slotOf: (node: Expression) => number,
): readonly (readonly number[])[] {
	if (element.lists.length > cubeMax) {
		throw new DatabaseError("54011", `CUBE is limited to ${cubeMax} elements`, {
			position: element.at + 1,
		});
	}
	let sets: readonly (readonly number[])[] = [[]];
	for (const part of element.lists) {
		const slots = part.map(slotOf);
		sets = sets.flatMap((set) => [[...set, ...slots], set]);
	}
	return sets;
}

/** An ordinal, an input column, an output name, an expression: in this order. */
function bindGroup(
	place: Place,
	node: Expression,
	items: readonly SelectItem[],
	outputs: readonly Output[],
): Bound {
	const ordinal = ordinalOf(place.binder, node, outputs.length, "GROUP BY");
	let bound: Bound | undefined = ordinal === undefined ? undefined : outputs[ordinal]!.bound;
	if (bound === undefined && node.kind === "column" && node.name.parts.length === 1) {
		const name = node.name.parts[0];
		if (place.scope.find(node.name) === undefined && items.length > 0) {
			bound = outputs.find((output) => output.name === name)?.bound;
		}
	}
	bound ??= settledColumn(place.binder, bindExpression(place, node));
	refuseGroup(bound, "aggregate", "42803", "aggregate functions", node.at);
	refuseGroup(bound, "window", "42P20", "window functions", node.at);
	refuseGroup(bound, "grouping", "42803", "grouping operations", node.at);
	requireComparable(place.binder, bound, "equality", node.at);
	place.binder.notes?.keys.set(node, bound);
	return bound;
}

function refuseGroup(
	bound: Bound,
	kind: Bound["kind"],
	code: string,
	what: string,
	at: number,
): void {
	if (!someNode(bound, (inner) => inner.kind === kind)) return;
	throw new DatabaseError(code, `${what} are not allowed in GROUP BY`, { position: at + 1 });
}

/** GROUPING(...): whether its arguments are grouped by is seen when the query level is. */
export function bindGrouping(place: Place, node: Extract<Expression, { kind: "grouping" }>): Bound {
	if (!place.aggregates) {
		const message =
			place.clause === "aggregate"
				? "aggregate function calls cannot be nested"
				: `grouping operations are not allowed in ${place.clause}`;
		throw new DatabaseError("42803", message, { position: node.at + 1 });
	}
	if (node.args.length > argumentsMax) {
		throw new DatabaseError("54023", "GROUPING must have fewer than 32 arguments", {
			position: node.at + 1,
		});
	}
	const inner: Place = { ...place, sets: false, windows: undefined };
	const args = node.args.map((arg) => settledColumn(place.binder, bindExpression(inner, arg)));
	return { kind: "grouping", type: plainType(23), args, at: node.at };
}
