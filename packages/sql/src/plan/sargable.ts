/**
 * Conditions that an index can answer: column OP value, where the value does not depend on the column's own table.
 * Integers of all sizes share one key encoding, and so do the text types: a comparison across them still uses the index.
 */
import { type Bound, someNode } from "./bound.ts";
import type { Relation } from "./relation.ts";
import { isVolatile, relationsOf } from "./relations-of.ts";

export interface Sarg {
	/** Position in the relation; below 0: an expression that an index keeps (`IndexKeyColumn.slot`). */
	readonly column: number;
	readonly operator: "=" | "<" | "<=" | ">" | ">=";
	/** More than one, or an array: any of them (`=` only). */
	readonly values: readonly Bound[];
	readonly isArray: boolean;
	/** Type whose key encoding the value has; for an array its elements'. */
	readonly valueOid: number;
	readonly conjunct: Bound;
}

const families = new Map<number, number>([
	[20, 20],
	[21, 20],
	[23, 20],
	[26, 20],
	[25, 25],
	[1043, 25],
]);

const familyOf = (oid: number): number => families.get(oid) ?? oid;

/** What the indexes of a table are on, beside its columns. */
export type FindExpression = (bound: Bound) => number | undefined;

/** The column, or the expression of an index, under casts that keep its order within the family, and its type. */
function columnUnder(bound: Bound, relation: Relation, find: FindExpression): Column | undefined {
	if (bound.kind === "column") {
		return bound.relation === relation ? { slot: bound.column, oid: bound.type.oid } : undefined;
	}
	const slot = find(bound);
	if (slot !== undefined) return { slot, oid: bound.type.oid };
	if (bound.kind !== "cast" && bound.kind !== "relabel") return undefined;
	const operand = bound.args[0]!;
	if (familyOf(operand.type.oid) !== familyOf(bound.type.oid)) return undefined;
	// A narrowing cast would fail on some values instead of comparing them.
	if (operand.type.oid === 20 && bound.type.oid !== 20) return undefined;
	return columnUnder(operand, relation, find);
}

interface Column {
	readonly slot: number;
	readonly oid: number;
}

const flipped = { "=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

function isUsable(value: Bound, relation: Relation): boolean {
	return (
		!relationsOf(value).has(relation) &&
		!isVolatile(value) &&
		!someNode(value, (node) => node.kind === "call" && node.fn.async)
	);
}

export function sargOf(
	conjunct: Bound,
	relation: Relation,
	find: FindExpression,
): Sarg | undefined {
	if (conjunct.kind === "call" && conjunct.operator && conjunct.args.length === 2) {
		return comparisonSarg(conjunct, relation, find);
	}
	if (conjunct.kind === "in-list") return listSarg(conjunct, relation, find);
	if (conjunct.kind === "quantified") return arraySarg(conjunct, relation, find);
	return undefined;
}

function comparisonSarg(
	conjunct: Extract<Bound, { kind: "call" }>,
	relation: Relation,
	find: FindExpression,
): Sarg | undefined {
	if (!(conjunct.name in flipped)) return undefined;
	const operator = conjunct.name as Sarg["operator"];
	const [left, right] = conjunct.args as [Bound, Bound];
	for (const [side, value, op] of [
		[left, right, operator],
		[right, left, flipped[operator]],
	] as const) {
		const column = columnUnder(side, relation, find);
		if (column === undefined || !isUsable(value, relation)) continue;
		if (familyOf(column.oid) !== familyOf(value.type.oid)) continue;
		return {
			column: column.slot,
			operator: op,
			values: [value],
			isArray: false,
			valueOid: value.type.oid,
			conjunct,
		};
	}
	return undefined;
}

function listSarg(conjunct: Bound, relation: Relation, find: FindExpression): Sarg | undefined {
	const [operand, ...values] = conjunct.args as [Bound, ...Bound[]];
	const column = columnUnder(operand, relation, find);
	if (column === undefined || !values.every((value) => isUsable(value, relation))) return undefined;
	const family = familyOf(column.oid);
	if (!values.every((value) => familyOf(value.type.oid) === family)) return undefined;
	return {
		column: column.slot,
		operator: "=",
		values,
		isArray: false,
		valueOid: values[0]!.type.oid,
		conjunct,
	};
}

function arraySarg(
	conjunct: Extract<Bound, { kind: "quantified" }>,
	relation: Relation,
	find: FindExpression,
): Sarg | undefined {
	const { all, comparison } = conjunct;
	const [operand, array] = conjunct.args as [Bound, Bound];
	const column = columnUnder(operand, relation, find);
	if (all || comparison.symbol !== "=" || column === undefined) return undefined;
	const valueOid = comparison.argTypes[1]!.oid;
	if (!isUsable(array, relation)) return undefined;
	if (familyOf(column.oid) !== familyOf(valueOid)) return undefined;
	return { column: column.slot, operator: "=", values: [array], isArray: true, valueOid, conjunct };
}
