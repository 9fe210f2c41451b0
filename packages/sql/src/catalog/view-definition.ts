/** A view's query as pg_get_viewdef shows it: with the names that everything has now. */
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { DefinitionPart, ViewDescriptor } from "./descriptor.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { relationByOid, shortName } from "./system-names.ts";
import { systemShapes } from "./system-shape.ts";
import { withTypeNames } from "./type-names.ts";

function columnName(catalog: CatalogSnapshot, of: number, attnum: number): string {
	const relation = catalog.relation(of);
	if (relation?.kind === "table" || relation?.kind === "view") {
		return relation.columns[attnum - 1]?.name ?? String(attnum);
	}
	return systemShapes.find(({ oid }) => oid === of)?.columns[attnum - 1]?.name ?? String(attnum);
}

function partText(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	part: DefinitionPart,
	pretty: boolean,
): string {
	if (typeof part === "string") return withTypeNames(catalog, context.searchPath, part);
	if ("paren" in part) return pretty ? "" : part.paren;
	if ("as" in part) {
		const name = columnName(catalog, part.of, part.column);
		return name === part.as ? "" : ` AS ${quoteIdentifier(part.as)}`;
	}
	if ("column" in part) return quoteIdentifier(columnName(catalog, part.of, part.column));
	const oid = "relation" in part ? part.relation : part.alias;
	const relation = relationByOid(catalog, oid);
	if (relation === undefined) return String(oid);
	return "relation" in part
		? shortName(catalog, context, relation)
		: quoteIdentifier(relation.name);
}

export const viewDefinition = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
	{ definition }: ViewDescriptor,
	pretty = false,
): string => definition.map((part) => partText(catalog, context, part, pretty)).join("");
