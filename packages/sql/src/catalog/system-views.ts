/** pg_catalog's views over tables, indexes and sequences. */

import { ownerOf } from "../auth/privileges.ts";
import type { ClusterActivity } from "../types/cluster-access.ts";
import type { FunctionContext } from "../types/registry.ts";
import { bootstrapRoleOid } from "./role.ts";
import { type CatalogSnapshot, namedIndexes } from "./snapshot.ts";
import { indexDefinition } from "./system-definitions.ts";
import { qualified } from "./system-names.ts";
import { sequencesOf, tablesOf, viewsOf } from "./system-relations.ts";
import { systemShapes } from "./system-shape.ts";
import type { SystemRow } from "./system-table.ts";
import { withTypeNames } from "./type-names.ts";
import { viewDefinition } from "./view-definition.ts";

export const roleName = (catalog: CatalogSnapshot, oid: number): string =>
	catalog.roles.byOid(oid)?.name ?? String(oid);

export function* tableViewRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	const row = {
		hasrules: false,
		hastriggers: false,
		rowsecurity: false,
	};
	for (const { schema, name, kind } of systemShapes) {
		if (kind === "r") {
			const tableowner = roleName(catalog, bootstrapRoleOid);
			yield { ...row, schemaname: schema, tablename: name, tableowner, hasindexes: false };
		}
	}
	for (const table of tablesOf(catalog)) {
		const hasindexes = namedIndexes(table).length > 0;
		const tableowner = roleName(catalog, ownerOf(table));
		yield { ...row, schemaname: table.schema, tablename: table.name, tableowner, hasindexes };
	}
}

export function* viewRows(catalog: CatalogSnapshot, context: FunctionContext): Iterable<SystemRow> {
	for (const view of viewsOf(catalog)) {
		yield {
			schemaname: view.schema,
			viewname: view.name,
			viewowner: roleName(catalog, ownerOf(view)),
			definition: viewDefinition(catalog, context, view),
		};
	}
}

export function* indexViewRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	for (const table of tablesOf(catalog)) {
		for (const index of namedIndexes(table)) {
			yield {
				schemaname: table.schema,
				tablename: table.name,
				indexname: index.name,
				indexdef: withTypeNames(
					catalog,
					context.searchPath,
					indexDefinition(table, index, qualified(table), false),
				),
			};
		}
	}
}

export function* sequenceViewRows(
	catalog: CatalogSnapshot,
	_: FunctionContext,
	activity?: ClusterActivity,
): Iterable<SystemRow> {
	for (const sequence of sequencesOf(catalog)) {
		yield {
			schemaname: sequence.schema,
			sequencename: sequence.name,
			sequenceowner: roleName(catalog, ownerOf(sequence)),
			data_type: sequence.typeOid,
			start_value: BigInt(sequence.start),
			min_value: BigInt(sequence.min),
			max_value: BigInt(sequence.max),
			increment_by: BigInt(sequence.increment),
			cycle: sequence.cycle,
			cache_size: BigInt(sequence.cache),
			last_value: activity?.sequences?.get(sequence.oid) ?? null,
		};
	}
}

/** Nothing is counted: the names are there, the numbers unknown. */
export function* tableStatisticsRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const table of tablesOf(catalog)) {
		yield { relid: table.oid, schemaname: table.schema, relname: table.name };
	}
}

export function* indexStatisticsRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const table of tablesOf(catalog)) {
		for (const index of namedIndexes(table)) {
			yield {
				relid: table.oid,
				indexrelid: index.oid,
				schemaname: table.schema,
				relname: table.name,
				indexrelname: index.name,
			};
		}
	}
}
