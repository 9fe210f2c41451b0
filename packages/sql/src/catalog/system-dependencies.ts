/**
 * pg_depend: what goes with what ("a", "i"), and what keeps what from going ("n"). pg_dump puts objects in an order by it, and drivers
 * look in it for the sequence of a column.
 */
import type { SqlType } from "../types/datum.ts";
import { isMade, namedOid, objectIdOf } from "../types/made-oids.ts";
import type { TableDescriptor, TypeDescriptor } from "./descriptor.ts";
import { liveAttributes, liveColumns } from "./descriptor.ts";
import { indexedColumns } from "./indexed-columns.ts";
import { referencesIn } from "./sequence-references.ts";
import { type CatalogSnapshot, namedIndexes } from "./snapshot.ts";
import {
	namespaceOid,
	pgAttrdefOid,
	pgClassOid,
	pgConstraintOid,
	pgNamespaceOid,
	pgRewriteOid,
	pgTypeOid,
	relationOid,
} from "./system-names.ts";
import {
	constraintsOf,
	defaultOid,
	type NamedConstraint,
	ruleOid,
	sequencesOf,
	tablesOf,
	viewsOf,
} from "./system-relations.ts";
import type { SystemRow } from "./system-table.ts";

type Reference = readonly [classid: number, objid: number, objsubid: number];

const depends = (
	[classid, objid]: readonly [number, number],
	[refclassid, refobjid, refobjsubid]: Reference,
	deptype: "a" | "i" | "n",
): SystemRow => ({ classid, objid, refclassid, refobjid, refobjsubid, deptype });

export function* dependencyRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const { oid, schema, kind } of catalog.relations()) {
		if (kind === "type") continue;
		yield depends([pgClassOid, oid], [pgNamespaceOid, namespaceOid(catalog, schema), 0], "n");
	}
	for (const type of catalog.types()) yield* ofType(catalog, type);
	yield* ofViews(catalog);
	yield* ofSequences(catalog);
	for (const table of tablesOf(catalog)) yield* ofTable(catalog, table);
	for (const constraint of constraintsOf(catalog)) yield* ofConstraint(constraint);
}

/** A composite type has a row in pg_class, and it is that which depends on the types of the attributes. */
function* ofType(catalog: CatalogSnapshot, type: TypeDescriptor): Iterable<SystemRow> {
	const { oid, schema } = type;
	const itself = [pgTypeOid, oid] as const;
	yield depends(itself, [pgNamespaceOid, namespaceOid(catalog, schema), 0], "n");
	if (type.of === "domain") yield* onType(itself, type.base);
	if (type.of !== "composite") return;
	const relation = [pgClassOid, objectIdOf(oid)] as const;
	yield depends(relation, [pgTypeOid, oid, 0], "i");
	for (const attribute of liveAttributes(type)) yield* onType(relation, attribute.type);
}

/** On types that every database has nothing is said to depend. */
function* onType(object: readonly [number, number], { oid, domain }: SqlType): Iterable<SystemRow> {
	const named = namedOid(domain ?? oid);
	if (domain !== undefined || isMade(named)) yield depends(object, [pgTypeOid, named, 0], "n");
}

function* ofViews(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const view of viewsOf(catalog)) {
		const rule = [pgRewriteOid, ruleOid(view)] as const;
		yield depends(rule, [pgClassOid, view.oid, 0], "i");
		for (const { oid, used } of view.references) {
			if (catalog.relation(oid) === undefined) continue;
			for (const attnum of used.length === 0 ? [0] : used) {
				yield depends(rule, [pgClassOid, oid, attnum], "n");
			}
		}
	}
}

/** The columns that own them. */
function* ofSequences(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const { oid, ownedBy } of sequencesOf(catalog)) {
		if (ownedBy === undefined) continue;
		const { tableOid, attnum } = ownedBy;
		const table = catalog.relation(tableOid);
		const column = table?.kind === "table" ? table.columns[attnum - 1] : undefined;
		const deptype = column?.identity === undefined ? "a" : "i";
		yield depends([pgClassOid, oid], [pgClassOid, tableOid, attnum], deptype);
	}
}

/** Its defaults, with the sequences that they name, and its indexes. */
function* ofTable(catalog: CatalogSnapshot, table: TableDescriptor): Iterable<SystemRow> {
	for (const { attnum, defaultText, generatedText, identity } of liveColumns(table)) {
		const text = generatedText ?? (identity === undefined ? defaultText : undefined);
		if (text === undefined) continue;
		const expression = [pgAttrdefOid, defaultOid(table, attnum)] as const;
		yield depends(expression, [pgClassOid, table.oid, attnum], "a");
		for (const [schema = "", name = ""] of referencesIn(text)) {
			const oid = relationOid(catalog, schema, name);
			if (oid !== undefined) yield depends(expression, [pgClassOid, oid, 0], "n");
		}
	}
	for (const index of namedIndexes(table)) {
		const { oid, constraintOid } = index;
		if (constraintOid !== undefined) {
			yield depends([pgClassOid, oid], [pgConstraintOid, constraintOid, 0], "i");
			continue;
		}
		for (const attnum of indexedColumns(table, index)) {
			yield depends([pgClassOid, oid], [pgClassOid, table.oid, attnum], "a");
		}
	}
}

function* ofConstraint({ oid, table, of }: NamedConstraint): Iterable<SystemRow> {
	const constraint = [pgConstraintOid, oid] as const;
	if (of.kind === "check") {
		yield depends(constraint, [pgClassOid, table.oid, 0], "a");
		return;
	}
	const columns = of.kind === "key" ? of.index.columns.map(({ attnum }) => attnum) : of.key.columns;
	for (const attnum of columns) yield depends(constraint, [pgClassOid, table.oid, attnum], "a");
	if (of.kind === "key") return;
	const { referencedTable, referencedColumns, referencedIndex } = of.key;
	for (const attnum of referencedColumns) {
		yield depends(constraint, [pgClassOid, referencedTable, attnum], "n");
	}
	yield depends(constraint, [pgClassOid, referencedIndex, 0], "n");
}
