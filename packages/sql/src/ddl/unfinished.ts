/** Indexes that are not usable yet, and constraints that are not valid yet: what is left to do of schema changes. */
import { databaseOf } from "../catalog/database.ts";
import {
	columnByAttnum,
	type RewriteChange,
	rewriteId,
	type TableDescriptor,
	type Validation,
} from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { validatedName } from "./validation.ts";

export interface Build {
	/** Object id of the index; of the primary key, where one is added and all indexes change with it; else its own. */
	readonly id: number;
	readonly kind: "CREATE INDEX" | "ADD PRIMARY KEY" | Validation["kind"] | RewriteChange["kind"];
	/** What is being made or taken away: an index, a constraint, a column's NOT NULL, columns. */
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
	const { rewrite } = table;
	if (rewrite === undefined) return;
	const { change } = rewrite;
	yield {
		id: rewriteId(rewrite),
		kind: change?.kind ?? "ADD PRIMARY KEY",
		object: change === undefined ? rewrite.primary.name : changedNames(table, change),
	};
}

function changedNames(table: TableDescriptor, change: RewriteChange): string {
	if (change.kind === "DROP CONSTRAINT") return table.primary.name;
	const { added, altered, dropped } = change;
	const attnums = [...altered.map(({ attnum }) => attnum), ...added];
	if (dropped !== undefined) attnums.push(dropped);
	return attnums.map((attnum) => columnByAttnum(table, attnum).name).join(", ");
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
