/** What pg_describe_object and pg_get_functiondef say. */
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import { type FunctionContext, typeByOid } from "../types/registry.ts";
import { extensions } from "./extensions.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { argumentsText, signatureText, typeText } from "./system-lookup.ts";
import {
	pgAuthidOid,
	pgClassOid,
	pgConstraintOid,
	pgDatabaseOid,
	pgExtensionOid,
	pgNamespaceOid,
	pgProcOid,
	pgTypeOid,
	relationByOid,
	shortName,
} from "./system-names.ts";
import { attributeRows, classRows, constraintsOf } from "./system-relations.ts";
import type { Procedure } from "./system-types.ts";
import { typeName } from "./type-names.ts";

const kinds: Readonly<Record<string, string>> = {
	r: "table",
	v: "view",
	i: "index",
	S: "sequence",
	c: "composite type",
};

function describeRelation(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	oid: number,
	column: number,
): string | undefined {
	const relation = relationByOid(catalog, oid);
	if (relation === undefined) return undefined;
	const relkind = [...classRows(catalog)].find((row) => row["oid"] === oid)?.["relkind"];
	const text = `${kinds[String(relkind)] ?? "relation"} ${shortName(catalog, context, relation)}`;
	if (column === 0) return text;
	const attribute = [...attributeRows(catalog)].find(
		(row) => row["attrelid"] === oid && row["attnum"] === column,
	);
	return attribute === undefined ? undefined : `column ${attribute["attname"]} of ${text}`;
}

/** Undefined: there is no such object. */
export function describeObject(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	[classOid = 0, oid = 0, column = 0]: readonly number[],
): string | undefined {
	const named = (what: string, name: string | undefined): string | undefined =>
		name === undefined ? undefined : `${what} ${name}`;
	switch (classOid) {
		case pgClassOid:
			return describeRelation(catalog, context, oid, column);
		case pgTypeOid: {
			const builtin = typeByOid(oid) === undefined ? undefined : typeText(oid);
			const name = typeName(catalog, context.searchPath, oid) ?? builtin;
			return name === undefined ? undefined : `type ${name}`;
		}
		case pgNamespaceOid:
			return named("schema", catalog.schemas.byOid(oid)?.name);
		case pgAuthidOid:
			return named("role", catalog.roles.byOid(oid)?.name);
		case pgDatabaseOid:
			return named("database", catalog.databaseName(oid));
		case pgExtensionOid:
			return named("extension", extensions.find((one) => one.oid === oid)?.name);
		case pgProcOid:
			return `function ${signatureText(oid)}`;
		case pgConstraintOid: {
			const found = [...constraintsOf(catalog)].find((one) => one.oid === oid);
			const table = relationByOid(catalog, found?.table.oid ?? 0);
			return found === undefined || table === undefined
				? undefined
				: `constraint ${found.name} on table ${shortName(catalog, context, table)}`;
		}
		default:
			return undefined;
	}
}

const volatilities: Readonly<Record<string, string>> = { i: " IMMUTABLE", s: " STABLE", v: "" };

/** As CREATE FUNCTION would be written; there is no source but the name. */
export function functionDefinition(procedure: Procedure): string {
	const { name, result, returnsSet, strict, volatility } = procedure;
	const attributes = `${volatilities[volatility] ?? ""} PARALLEL SAFE${strict ? " STRICT" : ""}`;
	return [
		`CREATE OR REPLACE FUNCTION pg_catalog.${quoteIdentifier(name)}(${argumentsText(procedure)})`,
		` RETURNS ${returnsSet ? "SETOF " : ""}${typeText(result)}`,
		" LANGUAGE internal",
		attributes,
		`AS $function$${name}$function$`,
		"",
	].join("\n");
}
