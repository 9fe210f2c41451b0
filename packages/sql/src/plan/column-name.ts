/** The name of a select item without an alias, by PostgreSQL's rules (FigureColname). */
import type { Expression, Query } from "../parser/ast.ts";

export function columnName(node: Expression): string {
	return figure(node) ?? "?column?";
}

function figure(node: Expression): string | undefined {
	switch (node.kind) {
		case "column":
			return node.name.parts.at(-1);
		case "call":
			return node.name.parts.at(-1);
		case "cast":
			return figure(node.operand) ?? internalName(node.type.name.at(-1)!);
		case "boolean":
			return "bool";
		case "case":
			return (node.otherwise === undefined ? undefined : figure(node.otherwise)) ?? "case";
		case "exists":
			return "exists";
		case "array":
		case "array-query":
			return "array";
		case "row":
			return "row";
		case "collate":
		case "subscript":
			return figure(node.operand);
		case "at-time-zone":
			return "timezone";
		case "scalar-query":
			return queryName(node.query);
		default:
			return undefined;
	}
}

function queryName(query: Query): string | undefined {
	const { body } = query;
	if (body.kind === "set-operation") return queryName(body.left);
	if (body.kind === "values") return "column1";
	const item = body.items[0];
	return item === undefined ? undefined : (item.alias ?? columnName(item.expression));
}

const internalNames: Readonly<Record<string, string>> = {
	int: "int4",
	integer: "int4",
	smallint: "int2",
	bigint: "int8",
	boolean: "bool",
	real: "float4",
	decimal: "numeric",
	char: "bpchar",
	character: "bpchar",
	"double precision": "float8",
	"character varying": "varchar",
	"timestamp with time zone": "timestamptz",
};

const internalName = (name: string): string => internalNames[name] ?? name;
