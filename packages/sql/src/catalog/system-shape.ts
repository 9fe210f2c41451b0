/** The system tables' names, OIDs and columns, from the recorded text. */
import { assert } from "@quorate/keys/assert";
import { type TypeDefinition, typeByName } from "../types/registry.ts";
import { informationSchemaShapes, pgCatalogShapes } from "./system-shapes.ts";

export interface SystemColumn {
	readonly name: string;
	readonly type: TypeDefinition;
	/** -1: none. */
	readonly modifier: number;
	readonly notNull: boolean;
}

export interface SystemShape {
	readonly schema: string;
	readonly name: string;
	readonly oid: number;
	/** r: a table; v: a view. */
	readonly kind: string;
	readonly columns: readonly SystemColumn[];
}

/** varchar(3) has the modifier 7. */
const lengthOffset = 4;

/** `isPacked`: all columns before it are of a fixed length, and so PostgreSQL keeps none of them null. */
function parseColumn(text: string, isPacked: boolean): SystemColumn {
	const form = /^(\w+):(\w+)(?:\((\d+)\))?(!)?$/;
	const [, name = "", typeName = "", length, mark] = form.exec(text) ?? [];
	const type = typeByName(typeName);
	assert(type !== undefined, () => `system column ${text} has no known type`);
	const modifier = length === undefined ? -1 : Number(length) + lengthOffset;
	return { name, type, modifier, notNull: mark !== undefined || (isPacked && type.length > 0) };
}

function parseShapes(schema: string, text: string): SystemShape[] {
	const shapes: SystemShape[] = [];
	for (const block of text.trim().split(/\n(?! )/)) {
		const [head = "", ...lines] = block.split("\n");
		const [name = "", oid = "", kind = ""] = head.split(" ");
		const columns: SystemColumn[] = [];
		let isPacked = schema === "pg_catalog" && kind === "r";
		for (const text of lines.join(" ").trim().split(/\s+/)) {
			const column = parseColumn(text, isPacked);
			isPacked &&= column.type.length > 0;
			columns.push(column);
		}
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
