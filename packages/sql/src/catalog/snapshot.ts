/**
 * The catalog as of one schema version: immutable, made from all descriptors at a read timestamp. A transaction that
 * changes the schema lays its own changes over it (`withChange`).
 */

import type { RightsDescriptor } from "./acl.ts";
import {
	type ForeignKeyDescriptor,
	hasPrimaryKey,
	type IndexDescriptor,
	type RelationDescriptor,
	type SequenceDescriptor,
	type TableDescriptor,
	type TypeDescriptor,
	type ViewDescriptor,
} from "./descriptor.ts";
import { type RoleDescriptor, Roles } from "./role.ts";
import { type SchemaDescriptor, Schemas } from "./schema.ts";

/** What a name in a schema stands for: tables, views, sequences and indexes share one namespace. */
export type NamedObject =
	| { readonly kind: "table"; readonly table: TableDescriptor }
	| { readonly kind: "sequence"; readonly sequence: SequenceDescriptor }
	| { readonly kind: "view"; readonly view: ViewDescriptor }
	| { readonly kind: "index"; readonly table: TableDescriptor; readonly index: IndexDescriptor };

/** What is stored of a named object that is more than a part of another. */
export function relationOf(
	object: Exclude<NamedObject, { kind: "index" }>,
): TableDescriptor | SequenceDescriptor | ViewDescriptor {
	if (object.kind === "view") return object.view;
	return object.kind === "table" ? object.table : object.sequence;
}

/** A foreign key, and the table that has it. */
export interface Referrer {
	readonly table: TableDescriptor;
	readonly key: ForeignKeyDescriptor;
}

const nameKey = (schema: string, name: string): string => `${schema}\0${name}`;

/** All indexes of a table that have a name: the primary key first. */
export function namedIndexes(table: TableDescriptor): readonly IndexDescriptor[] {
	return hasPrimaryKey(table) ? [table.primary, ...table.indexes] : table.indexes;
}

export class CatalogSnapshot {
	/** The schema version that it shows. */
	readonly version: number;
	readonly roles: Roles;
	readonly schemas: Schemas;
	/** Physical indexes that were dropped, by id, with the table that they were of: their rows may be there still. */
	readonly dropped: ReadonlyMap<number, string | null>;
	readonly #rights: readonly RightsDescriptor[];
	readonly #byOid: ReadonlyMap<number, RelationDescriptor>;
	readonly #byName: ReadonlyMap<string, NamedObject>;
	readonly #types: ReadonlyMap<string, TypeDescriptor>;
	/** By the table that is referred to, in the order of their OIDs. */
	#referrers: ReadonlyMap<number, readonly Referrer[]> | undefined;

	constructor(
		version: number,
		relations: Iterable<RelationDescriptor>,
		others: {
			readonly roles?: Roles;
			readonly rights?: readonly RightsDescriptor[];
			readonly schemas?: Schemas;
			readonly dropped?: ReadonlyMap<number, string | null>;
		} = {},
	) {
		const byOid = new Map<number, RelationDescriptor>();
		const byName = new Map<string, NamedObject>();
		const types = new Map<string, TypeDescriptor>();
		for (const relation of relations) {
			byOid.set(relation.oid, relation);
			if (relation.kind === "sequence") {
				byName.set(nameKey(relation.schema, relation.name), {
					kind: "sequence",
					sequence: relation,
				});
				continue;
			}
			if (relation.kind === "type") {
				types.set(nameKey(relation.schema, relation.name), relation);
				continue;
			}
			if (relation.kind === "view") {
				byName.set(nameKey(relation.schema, relation.name), { kind: "view", view: relation });
				continue;
			}
			byName.set(nameKey(relation.schema, relation.name), { kind: "table", table: relation });
			for (const index of namedIndexes(relation)) {
				byName.set(nameKey(relation.schema, index.name), { kind: "index", table: relation, index });
			}
		}
		this.version = version;
		this.roles = others.roles ?? new Roles([]);
		this.schemas = others.schemas ?? new Schemas([]);
		this.#rights = others.rights ?? [];
		this.dropped = others.dropped ?? new Map();
		this.#byOid = byOid;
		this.#byName = byName;
		this.#types = types;
	}

	/** Of the database; undefined: the default ones. */
	rights(oid: number): RightsDescriptor | undefined {
		return this.#rights.find((one) => one.oid === oid);
	}

	/** Those that differ from the default. */
	allRights(): readonly RightsDescriptor[] {
		return this.#rights;
	}

	/** In order of object ids. */
	relations(): readonly RelationDescriptor[] {
		return [...this.#byOid.values()].sort((a, b) => a.oid - b.oid);
	}

	relation(oid: number): RelationDescriptor | undefined {
		return this.#byOid.get(oid);
	}

	object(schema: string, name: string): NamedObject | undefined {
		return this.#byName.get(nameKey(this.schemas.nameOf(schema), name));
	}

	/** Types do not share the names of relations. */
	type(schema: string, name: string): TypeDescriptor | undefined {
		return this.#types.get(nameKey(this.schemas.nameOf(schema), name));
	}

	/** Those that somebody has made, in order of object ids. */
	types(): readonly TypeDescriptor[] {
		return [...this.#types.values()].sort((a, b) => a.oid - b.oid);
	}

	/** The foreign keys that refer to a table. */
	referrersOf(oid: number): readonly Referrer[] {
		this.#referrers ??= referrersOf(this.#byOid.values());
		return this.#referrers.get(oid) ?? [];
	}

	/** The views that read a table or view, in the order of their OIDs. */
	viewsOn(oid: number): readonly ViewDescriptor[] {
		return this.relations().filter(
			(relation): relation is ViewDescriptor =>
				relation.kind === "view" && relation.references.some((one) => one.oid === oid),
		);
	}

	/** A copy with descriptors replaced (or, undefined, removed). */
	withChanges(changes: CatalogChanges): CatalogSnapshot {
		const relations = new Map(this.#byOid);
		const roles = new Map(this.roles.stored().map((role) => [role.oid, role]));
		let rights = this.#rights;
		const schemas = new Map<number, SchemaDescriptor | undefined>();
		let isOfRoles = false;
		for (const [oid, descriptor] of changes) {
			if (descriptor === undefined) {
				relations.delete(oid);
				isOfRoles = roles.delete(oid) || isOfRoles;
				schemas.set(oid, undefined);
			} else if (descriptor.kind === "role") {
				roles.set(oid, descriptor);
				isOfRoles = true;
			} else if (descriptor.kind === "rights") {
				rights = [...rights.filter((one) => one.oid !== oid), descriptor];
			} else if (descriptor.kind === "schema") {
				schemas.set(oid, descriptor);
			} else {
				relations.set(oid, descriptor);
			}
		}
		const changed = isOfRoles ? new Roles(roles.values()) : this.roles;
		return new CatalogSnapshot(this.version, relations.values(), {
			roles: changed,
			rights,
			dropped: this.dropped,
			schemas: schemas.size === 0 ? this.schemas : this.schemas.with(schemas),
		});
	}
}

/** By object id; undefined: dropped. */
export type CatalogChanges = ReadonlyMap<number, AnyDescriptor | undefined>;

export type AnyDescriptor =
	| RelationDescriptor
	| RoleDescriptor
	| RightsDescriptor
	| SchemaDescriptor;

function referrersOf(
	relations: Iterable<RelationDescriptor>,
): ReadonlyMap<number, readonly Referrer[]> {
	const found = new Map<number, Referrer[]>();
	for (const table of relations) {
		if (table.kind !== "table") continue;
		for (const key of table.foreignKeys) {
			const known = found.get(key.referencedTable);
			if (known === undefined) found.set(key.referencedTable, [{ table, key }]);
			else known.push({ table, key });
		}
	}
	for (const list of found.values()) list.sort((a, b) => a.key.oid - b.key.oid);
	return found;
}
