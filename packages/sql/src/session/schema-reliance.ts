/**
 * Whether a transaction may commit under a newer version of the schema than it was planned with.
 *
 * Its commit is refused unless the version at its commit timestamp c is the one that it names (S1). It may name a newer one, w, than
 * its statements were planned with, if with the catalog as of w each of them would have been planned the same:
 *
 * 1. No table, view or sequence that it looked up has changed, nor any that is tied to those by foreign keys, in either direction, and
 *    however far, in the one catalog or the other: a new foreign key, index or constraint is to be minded by whoever writes.
 * 2. No name of a relation that it looked for, found or not, was taken or freed, in whatever schema.
 * 3. No type, schema, role or right has changed at all; and it has not looked at the catalog itself.
 *
 * Nothing changes between w and c, or the commit is refused. What came and went in between is of no account: physical ids are never
 * used again, so that what is the same at both ends has the same rows under the same keys, and these are validated at c.
 *
 * A transaction whose statements were planned with several versions has to be able to say that of the one that it commits under, too.
 *
 * The newer catalog is loaded before anything of the transaction is pending: it waits for nobody who might wait for it.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { RelationDescriptor } from "../catalog/descriptor.ts";
import { type CatalogSnapshot, namedIndexes } from "../catalog/snapshot.ts";
import { CatalogUse } from "../plan/catalog-use.ts";

/** Between two versions. */
interface Difference {
	readonly oids: ReadonlySet<number>;
	/** Of relations, without their schemas. */
	readonly names: ReadonlySet<string>;
	/** Types, schemas, roles, rights. */
	readonly isMore: boolean;
}

export class SchemaReliance {
	/** By the catalog, without changes of the transaction, that statements were planned with. */
	readonly #uses = new Map<CatalogSnapshot, CatalogUse>();

	/** Where to note what is taken from it. */
	of(catalog: CatalogSnapshot): CatalogUse {
		let use = this.#uses.get(catalog);
		if (use === undefined) {
			use = new CatalogUse();
			this.#uses.set(catalog, use);
		}
		return use;
	}

	/** The transaction starts over. */
	forget(): void {
		this.#uses.clear();
	}

	/** Every statement was planned with that version. */
	isOf(version: number): boolean {
		for (const [catalog, use] of this.#uses) {
			if (catalog.version !== version && !use.isEmpty) return false;
		}
		return true;
	}

	/** Every statement would have been planned the same with that catalog. */
	holdsIn(catalog: CatalogSnapshot): boolean {
		return [...this.#uses].every(
			([planned, use]) =>
				use.isEmpty ||
				planned.version === catalog.version ||
				isApart(use, between(planned, catalog), planned, catalog),
		);
	}
}

function isApart(
	use: CatalogUse,
	{ oids, names, isMore }: Difference,
	planned: CatalogSnapshot,
	catalog: CatalogSnapshot,
): boolean {
	if (use.isUnknown || isMore) return false;
	for (const name of use.names) if (names.has(name)) return false;
	for (const oid of withTied(use.oids, [planned, catalog])) if (oids.has(oid)) return false;
	return true;
}

/** With what is tied to them by foreign keys, and what views read. */
function withTied(
	oids: ReadonlySet<number>,
	catalogs: readonly CatalogSnapshot[],
): ReadonlySet<number> {
	const all = new Set(oids);
	for (const oid of all) {
		for (const catalog of catalogs) {
			const relation = catalog.relation(oid);
			for (const { table } of catalog.referrersOf(oid)) all.add(table.oid);
			if (relation?.kind === "view") for (const read of relation.references) all.add(read.oid);
			if (relation?.kind !== "table") continue;
			for (const { referencedTable } of relation.foreignKeys) all.add(referencedTable);
		}
	}
	return all;
}

/** Asked by every transaction that was open when the schema changed. */
const differences = new WeakMap<CatalogSnapshot, WeakMap<CatalogSnapshot, Difference>>();

function between(before: CatalogSnapshot, after: CatalogSnapshot): Difference {
	let known = differences.get(before);
	if (known === undefined) {
		known = new WeakMap();
		differences.set(before, known);
	}
	let found = known.get(after);
	if (found === undefined) {
		found = compare(before, after);
		known.set(after, found);
	}
	return found;
}

function compare(before: CatalogSnapshot, after: CatalogSnapshot): Difference {
	const changed = new Map<number, RelationDescriptor[]>();
	for (const [one, other] of [
		[before, after],
		[after, before],
	] as const) {
		for (const relation of one.relations()) {
			if (isSame(relation, other.relation(relation.oid))) continue;
			changed.set(relation.oid, [...(changed.get(relation.oid) ?? []), relation]);
		}
	}
	const relations = [...changed.values()].flat();
	return {
		oids: new Set(changed.keys()),
		names: new Set(relations.flatMap(namesOf)),
		isMore:
			relations.some(({ kind }) => kind === "type") ||
			!isSame(before.schemas.all(), after.schemas.all()) ||
			!isSame(before.roles.all(), after.roles.all()) ||
			!isSame(before.allRights(), after.allRights()),
	};
}

/** What is not changed is read from the same bytes. */
const isSame = (a: unknown, b: unknown): boolean =>
	a === b || JSON.stringify(a) === JSON.stringify(b);

const namesOf = (relation: RelationDescriptor): readonly string[] =>
	relation.kind === "table"
		? [relation.name, ...namedIndexes(relation).map(({ name }) => name)]
		: [relation.name];

export const schemaChanges = (): DatabaseError =>
	new DatabaseError("40001", "could not serialize access due to a concurrent schema change", {
		hint: "The transaction might succeed if retried.",
	});
