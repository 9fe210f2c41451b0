/** The fixed objects of a database that every catalog row refers to, and how relations are named in text. */
import { quoteIdentifier, quoteLiteral } from "../functions/quoting-functions.ts";
import { objectIdOf } from "../types/made-oids.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { RelationDescriptor } from "./descriptor.ts";
import { withSystem } from "./schema.ts";
import { withReferences } from "./sequence-references.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { namedIndexes } from "./snapshot.ts";
import { systemShape, systemShapes } from "./system-shape.ts";
import { withTypeNames } from "./type-names.ts";

/** The role that a cluster is born with. It owns the database and all that nobody else does. */
export const ownerOid = 10;
export const utf8Encoding = 6;
export const pgClassOid = 1259;
export const pgAttrdefOid = 2604;
export const pgConstraintOid = 2606;
export const pgLanguageOid = 2612;
export const pgNamespaceOid = 2615;
export const pgOperatorOid = 2617;
export const pgProcOid = 1255;
export const pgRewriteOid = 2618;
export const pgTypeOid = 1247;
export const pgAmOid = 2601;
export const pgCollationOid = 3456;
export const pgAuthidOid = 1260;
export const pgDatabaseOid = 1262;
export const pgExtensionOid = 3079;
export const heapOid = 2;
export const btreeOid = 403;

export const namespaceOid = (catalog: CatalogSnapshot, schema: string): number =>
	catalog.schemas.byName(schema)?.oid ?? 0;

/** What pg_class has a row for. */
export interface NamedRelation {
	readonly oid: number;
	readonly schema: string;
	readonly name: string;
}

const indexOids = new WeakMap<CatalogSnapshot, ReadonlyMap<number, NamedRelation>>();

/** Tables and sequences are in the snapshot by OID, indexes are not. */
function namedByOid(catalog: CatalogSnapshot): ReadonlyMap<number, NamedRelation> {
	const known = indexOids.get(catalog);
	if (known !== undefined) {
		return known;
	}
	const names = new Map<number, NamedRelation>(systemShapes.map((shape) => [shape.oid, shape]));
	for (const relation of catalog.relations()) {
		if (relation.kind === "type") {
			const { schema, name } = relation;
			const oid = objectIdOf(relation.oid);
			if (relation.of === "composite") names.set(oid, { oid, schema, name });
			continue;
		}
		names.set(relation.oid, relation);
		for (const { oid, name } of relation.kind === "table" ? namedIndexes(relation) : []) {
			names.set(oid, { oid, schema: relation.schema, name });
		}
	}
	indexOids.set(catalog, names);
	return names;
}

export const relationByOid = (catalog: CatalogSnapshot, oid: number): NamedRelation | undefined =>
	namedByOid(catalog).get(oid);

/** The OID of a table, index, sequence or system table. */
export function relationOid(
	catalog: CatalogSnapshot,
	schema: string,
	name: string,
): number | undefined {
	const shape = systemShape(schema, name);
	if (shape !== undefined) {
		return shape.oid;
	}
	const object = catalog.object(schema, name);
	switch (object?.kind) {
		case "table":
			return object.table.oid;
		case "sequence":
			return object.sequence.oid;
		case "view":
			return object.view.oid;
		case "index":
			return object.index.oid;
		default: {
			const type = catalog.type(schema, name);
			return type?.of === "composite" ? objectIdOf(type.oid) : undefined;
		}
	}
}

export function findRelation(
	catalog: CatalogSnapshot,
	context: FunctionContext,
	schema: string | undefined,
	name: string,
): number | undefined {
	for (const candidate of schema === undefined ? withSystem(context.searchPath) : [schema]) {
		const oid = relationOid(catalog, candidate, name);
		if (oid !== undefined) {
			return oid;
		}
	}
	return undefined;
}

export const isVisible = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
	relation: NamedRelation,
): boolean => findRelation(catalog, context, undefined, relation.name) === relation.oid;

export const qualified = (relation: NamedRelation): string =>
	`${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;

/** As regclassout: with its schema only where it would not be found without. */
export const shortName = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
	relation: NamedRelation,
): string =>
	isVisible(catalog, context, relation) ? quoteIdentifier(relation.name) : qualified(relation);

/** An expression of the catalog, as it is shown: sequences and types in sight without their schema. */
export const withVisibleNames = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
	text: string,
): string =>
	withReferences(withTypeNames(catalog, context.searchPath, text), ([schema = "", name = ""]) => {
		const oid = relationOid(catalog, schema, name);
		return oid !== undefined && findRelation(catalog, context, undefined, name) === oid
			? `${quoteLiteral(quoteIdentifier(name))}::regclass`
			: undefined;
	});

export const isTable = (
	relation: RelationDescriptor,
): relation is Extract<RelationDescriptor, { kind: "table" }> => relation.kind === "table";
