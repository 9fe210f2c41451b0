/**
 * Conditions that an index can answer: column OP value, where the value does not depend on the column's own table.
 * Integers of all sizes share one key encoding, and so do the text types: a comparison across them still uses the index.
 */
import { type Bound, someNode } from "./bound.ts";
import type { Relation } from "./relation.ts";
import { isVolatile, relationsOf } from "./relations-of.ts";

export interface Sarg {
	/** Position in the relation. */
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

/** The column under casts that keep its order within the family. */
function columnUnder(bound: Bound, relation: Relation): number | undefined {
	if (bound.kind === "column") return bound.relation === relation ? bound.column : undefined;
	if (bound.kind !== "cast" && bound.kind !== "relabel") return undefined;
	const operand = bound.args[0]!;
	if (familyOf(operand.type.oid) !== familyOf(bound.type.oid)) return undefined;
	// A narrowing cast would fail on some values instead of comparing them.
	if (operand.type.oid === 20 && bound.type.oid !== 20) return undefined;
	return columnUnder(operand, relation);
}

const flipped = { "=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

function isUsable(value: Bound, relation: Relation): boolean {
	return (
		!relationsOf(value).has(relation) &&
		!isVolatile(value) &&
		!someNode(value, (node) => node.kind === "call" && node.fn.async)
	);
}

export function sargOf(conjunct: Bound, relation: Relation): Sarg | undefined {
	if (conjunct.kind === "call" && conjunct.operator && conjunct.args.length === 2) {
		return comparisonSarg(conjunct, relation);
	}
	if (conjunct.kind === "in-list") return listSarg(conjunct, relation);
	if (conjunct.kind === "quantified") return arraySarg(conjunct, relation);
	return undefined;
}

function comparisonSarg(
	conjunct: Extract<Bound, { kind: "call" }>,
	relation: Relation,
): Sarg | undefined {
	if (!(conjunct.name in flipped)) return undefined;
	const operator = conjunct.name as Sarg["operator"];
	const [left, right] = conjunct.args as [Bound, Bound];
	for (const [side, value, op] of [
		[left, right, operator],
		[right, left, flipped[operator]],
	] as const) {
		const column = columnUnder(side, relation);
		if (column === undefined || !isUsable(value, relation)) continue;
		if (familyOf(relation.columns[column]!.type.oid) !== familyOf(value.type.oid)) continue;
		return {
			column,
			operator: op,
			values: [value],
			isArray: false,
			valueOid: value.type.oid,
			conjunct,
		};
	}
	return undefined;
}

function listSarg(conjunct: Bound, relation: Relation): Sarg | undefined {
	const [operand, ...values] = conjunct.args as [Bound, ...Bound[]];
	const column = columnUnder(operand, relation);
	if (column === undefined || !values.every((value) => isUsable(value, relation))) return undefined;
	const family = familyOf(relation.columns[column]!.type.oid);
	if (!values.every((value) => familyOf(value.type.oid) === family)) return undefined;
	return {
		column,
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
): Sarg | undefined {
	const { all, comparison } = conjunct;
	const [operand, array] = conjunct.args as [Bound, Bound];
	const column = columnUnder(operand, relation);
	if (all || comparison.symbol !== "=" || column === undefined) return undefined;
	const valueOid = comparison.argTypes[1]!.oid;
	if (!isUsable(array, relation)) return undefined;
	if (familyOf(relation.columns[column]!.type.oid) !== familyOf(valueOid)) return undefined;
	return { column, operator: "=", values: [array], isArray: true, valueOid, conjunct };
}
