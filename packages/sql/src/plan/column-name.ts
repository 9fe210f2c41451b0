/** The name of a select item without an alias, by PostgreSQL's rules (FigureColname). */
import { dictionary } from "@quorate/keys/dictionary";
import type { Expression, Query } from "../parser/ast.ts";

export function columnName(node: Expression): string {
	return figure(node)?.name ?? "?column?";
}

/** Weak: taken from a type or from CASE itself, so what is around it may give a better one. */
interface Figure {
	readonly name: string;
	readonly weak: boolean;
}

const strong = (name: string): Figure => ({ name, weak: false });
const weak = (name: string): Figure => ({ name, weak: true });

function figure(node: Expression): Figure | undefined {
	switch (node.kind) {
		case "field":
			return strong(node.name);
		case "star":
			return strong(node.qualifier.at(-1)!);
		case "column":
		case "call":
			return strong(node.name.parts.at(-1)!);
		case "cast":
			return stronger(node.operand) ?? weak(internalName(node.type.name.at(-1)!));
		case "case":
			return (node.otherwise && stronger(node.otherwise)) ?? weak("case");
		case "exists":
			return strong("exists");
		case "array":
		case "array-query":
			return strong("array");
		case "row":
			return strong("row");
		case "grouping":
			return strong("grouping");
		case "collate":
			return figure(node.operand);
		case "subscript":
		case "slice":
			return figure(node.operand);
		case "at-time-zone":
			return strong("timezone");
		case "scalar-query":
			return strong(queryName(node.query) ?? "?column?");
		default:
			return undefined;
	}
}

function stronger(node: Expression): Figure | undefined {
	const inner = figure(node);
	return inner === undefined || inner.weak ? undefined : inner;
}

function queryName(query: Query): string | undefined {
	const { body } = query;
	if (body.kind === "set-operation") return queryName(body.left);
	if (body.kind === "values") return "column1";
	const item = body.items[0];
	return item === undefined ? undefined : (item.alias ?? columnName(item.expression));
}

const internalNames: Readonly<Record<string, string>> = dictionary({
	int: "int4",
	integer: "int4",
	smallint: "int2",
	bigint: "int8",
	boolean: "bool",
	real: "float4",
	decimal: "numeric",
	character: "bpchar",
	"double precision": "float8",
	"character varying": "varchar",
	"timestamp with time zone": "timestamptz",
});

const internalName = (name: string): string => internalNames[name] ?? name;
