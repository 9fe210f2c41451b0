/** The system tables' names, OIDs and columns, from the recorded text. */
import { assert } from "@quorate/keys/assert";
import { type TypeDefinition, typeByName } from "../types/registry.ts";
import { informationSchemaShapes, pgCatalogShapes } from "./system-shapes.ts";

export interface SystemColumn {
	readonly name: string;
	readonly type: TypeDefinition;
}

export interface SystemShape {
	readonly schema: string;
	readonly name: string;
	readonly oid: number;
	/** r: a table; v: a view. */
	readonly kind: string;
	readonly columns: readonly SystemColumn[];
}

function parseColumn(text: string): SystemColumn {
	const [name = "", typeName = ""] = text.split(":");
	const type = typeByName(typeName);
	assert(type !== undefined, () => `system column ${name} has unknown type ${typeName}`);
	return { name, type };
}

function parseShapes(schema: string, text: string): SystemShape[] {
	const shapes: SystemShape[] = [];
	for (const block of text.trim().split(/\n(?! )/)) {
		const [head = "", ...lines] = block.split("\n");
		const [name = "", oid = "", kind = ""] = head.split(" ");
		const columns = lines.join(" ").trim().split(/\s+/).map(parseColumn);
		shapes.push({ schema, name, oid: Number(oid), kind, columns });
	}
	return shapes;
}

export const systemShapes: readonly SystemShape[] = [
	...parseShapes("pg_catalog", pgCatalogShapes),
	...parseShapes("information_schema", informationSchemaShapes),
];

const byName = new Map(systemShapes.map((shape) => [`${shape.schema}.${shape.name}`, shape]));

export const systemShape = (schema: string, name: string): SystemShape | undefined =>
	byName.get(`${schema}.${name}`);
