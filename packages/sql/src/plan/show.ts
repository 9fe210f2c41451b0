/** Bound expressions as text, for EXPLAIN. */
import type { PlanFacts } from "../execute/plan-node.ts";
import type { Datum } from "../types/datum.ts";
import { labelReference } from "../types/enum-types.ts";
import { formatType, type TypeContext, typeByOid } from "../types/registry.ts";
import type { AccessPath } from "./access-path.ts";
import type { AggregateCall, Bound } from "./bound.ts";
import type { Sarg } from "./sargable.ts";

interface Named {
	readonly schema: string;
	readonly name: string;
}

const context: TypeContext = {
	timeZone: "UTC",
	dateStyle: "ISO, MDY",
	extraFloatDigits: 1,
	byteaOutput: "hex",
	transactionStart: 0n,
	// No catalog is at hand: whoever shows the plan puts the labels in (`withLabels`).
	catalogCall: (_name: string, [oid, value]: readonly Datum[]) =>
		labelReference(oid as number, value as string),
};

function showValue(oid: number, value: Datum): string {
	if (value === null) return "NULL";
	if (typeof value === "boolean" || typeof value === "number") return String(value);
	const text = typeByOid(oid)?.format(value, context) ?? String(value);
	if (oid === 20 || oid === 1700) return text;
	return `'${text.replaceAll("'", "''")}'::${formatType({ oid, modifier: -1 })}`;
}

const list = (bounds: readonly Bound[]): string => bounds.map(show).join(", ");

export function showCall(call: AggregateCall): string {
	const args = call.args.length === 0 ? "*" : list(call.args);
	return `${call.name}(${call.distinct ? "DISTINCT " : ""}${args})`;
}

export function show(bound: Bound): string {
	const args = bound.args;
	switch (bound.kind) {
		case "constant":
			return showValue(bound.type.oid, bound.value);
		case "argument":
			return bound.argument.source === "parameter"
				? `$${bound.argument.index + 1}`
				: `$lit${bound.argument.index + 1}`;
		case "column": {
			const name = bound.relation.columns[bound.column]?.name ?? "?";
			return bound.relation.name === "" ? name || "?" : `${bound.relation.name}.${name}`;
		}
		case "call":
			if (!bound.operator) return `${bound.name}(${list(args)})`;
			return args.length === 1
				? `(${bound.name} ${show(args[0]!)})`
				: `(${show(args[0]!)} ${bound.name} ${show(args[1]!)})`;
		case "cast":
		case "modifier":
			return `(${show(args[0]!)})::${formatType(bound.type)}`;
		case "relabel":
			return show(args[0]!);
		case "field":
			return `(${show(args[0]!)}).${args[0]!.type.fields?.[bound.index]?.name ?? `f${bound.index + 1}`}`;
		case "and":
		case "or":
			return `(${args.map(show).join(` ${bound.kind.toUpperCase()} `)})`;
		case "not":
			return `(NOT ${show(args[0]!)})`;
		case "is":
			return `(${show(args[0]!)} IS ${bound.negated ? "NOT " : ""}${bound.test.toUpperCase()})`;
		case "in-list":
			return `(${show(args[0]!)} IN (${list(args.slice(1))}))`;
		case "distinct-from":
			return `(${show(args[0]!)} IS ${bound.negated ? "NOT " : ""}DISTINCT FROM ${show(args[1]!)})`;
		case "quantified": {
			const quantifier = bound.all ? "ALL" : "ANY";
			return `(${show(args[0]!)} ${bound.comparison.symbol} ${quantifier} (${show(args[1]!)}))`;
		}
		case "subquery":
			return `(SubPlan ${bound.mode})`;
		case "aggregate":
			return showCall(bound.call);
		case "set-call":
			return `${bound.name}(${list(args)})`;
		default:
			return `${bound.kind}(${list(args)})`;
	}
}

export const showAll = (bounds: readonly Bound[]): string =>
	bounds.length === 1 ? show(bounds[0]!) : bounds.map(show).join(" AND ");

/** Of what changes rows. */
export const changeFacts = (operation: string, { name, schema }: Named): PlanFacts => ({
	"Node Type": "ModifyTable",
	Operation: operation,
	"Relation Name": name,
	Schema: schema,
	Alias: name,
});

/** Of what reads a relation. */
export const scanFacts = (type: string, { name, schema }: Named, alias: string): PlanFacts => ({
	"Node Type": type,
	"Relation Name": name,
	Schema: schema,
	Alias: alias,
});

/** Of what reads rows that are no relation's. */
export const rowsFacts = (type: string, alias: string): PlanFacts => ({
	"Node Type": type,
	Alias: alias,
});

export const joinFacts = (method: string, type: "inner" | "left" | "full"): PlanFacts => ({
	"Node Type": method,
	"Join Type": `${type[0]!.toUpperCase()}${type.slice(1)}`,
});

export function showSargs(path: AccessPath): readonly string[] {
	const sargs = [...path.equalities, path.low, path.high].filter(
		(sarg): sarg is Sarg => sarg !== undefined,
	);
	return sargs.length === 0 ? [] : [`Index Cond: ${showAll(sargs.map((sarg) => sarg.conjunct))}`];
}
