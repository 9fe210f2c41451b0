/** Indexes that are not usable yet, and constraints that are not valid yet: what is left to do of schema changes. */
import { databaseOf } from "../catalog/database.ts";
import type { TableDescriptor, Validation } from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { validatedName } from "./validation.ts";

export interface Build {
	/** Object id of the index; of the primary key, where that changes and all indexes with it; else its own. */
	readonly id: number;
	readonly kind: "CREATE INDEX" | "ADD PRIMARY KEY" | Validation["kind"];
	/** What is being made: an index, a constraint, a column's NOT NULL. */
	readonly object: string;
}

export interface UnfinishedBuild extends Build {
	readonly tableOid: number;
	readonly database: number;
	readonly table: string;
}

export function* buildsOf(table: TableDescriptor): Iterable<Build> {
	for (const { state, oid, name } of table.indexes) {
		if (state !== "public") yield { id: oid, kind: "CREATE INDEX", object: name };
	}
	for (const one of table.validating ?? []) {
		yield { id: one.id, kind: one.kind, object: validatedName(table, one) };
	}
	if (table.rewrite === undefined) return;
	const { oid, name } = table.rewrite.primary;
	yield { id: oid, kind: "ADD PRIMARY KEY", object: name };
}

export function unfinishedBuilds(catalog: CatalogSnapshot): readonly UnfinishedBuild[] {
	const found: UnfinishedBuild[] = [];
	for (const table of catalog.relations()) {
		if (table.kind !== "table") continue;
		for (const one of buildsOf(table)) {
			found.push({ ...one, tableOid: table.oid, table: table.name, database: databaseOf(table) });
		}
	}
	return found;
}
