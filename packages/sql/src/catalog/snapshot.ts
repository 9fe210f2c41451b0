/**
 * The catalog as of one schema version: immutable, made from all descriptors at a read timestamp. A transaction that
 * changes the schema lays its own changes over it (`withChange`). What is read shows all databases; a session sees what `inDatabase` shows of
 * it, where names are unique.
 */

import type { RightsDescriptor } from "./acl.ts";
import { type DatabaseDescriptor, databaseOf, firstDatabaseOid } from "./database.ts";
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
import { bootstrapRoleOid, type RoleDescriptor, Roles } from "./role.ts";
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
	/** Object id of the database that it shows; of one that shows all, of the first. */
	readonly database: number;
	/** The same with all databases: for what goes by object ids, or over everything. */
	readonly everywhere: CatalogSnapshot;
	/** All but the first. */
	readonly #databases: ReadonlyMap<number, DatabaseDescriptor>;
	readonly #firstName: string;
	readonly #views = new Map<number, CatalogSnapshot>();
	readonly #rights: readonly RightsDescriptor[];
	readonly #byOid: ReadonlyMap<number, RelationDescriptor>;
	readonly #byName: ReadonlyMap<string, NamedObject>;
	readonly #types: ReadonlyMap<string, TypeDescriptor>;
	/** By the table that is referred to, in the order of their OIDs. */
	#referrers: ReadonlyMap<number, readonly Referrer[]> | undefined;

	constructor(version: number, relations: Iterable<RelationDescriptor>, others: CatalogParts = {}) {
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
		this.#databases = others.databases ?? new Map();
		this.#firstName = others.firstName ?? "quorate";
		this.database = others.database ?? firstDatabaseOid;
		this.everywhere = others.everywhere ?? this;
		this.dropped = others.dropped ?? new Map();
		this.#byOid = byOid;
		this.#byName = byName;
		this.#types = types;
	}

	/** Undefined: there is no such database, any more. */
	inDatabase(oid: number): CatalogSnapshot | undefined {
		if (oid !== firstDatabaseOid && !this.#databases.has(oid)) return undefined;
		if (this.#databases.size === 0) return this;
		let view = this.#views.get(oid);
		if (view === undefined) {
			const relations = [...this.#byOid.values()].filter((one) => databaseOf(one) === oid);
			const owner = this.#databases.get(oid)?.owner ?? bootstrapRoleOid;
			view = new CatalogSnapshot(this.version, relations, {
				roles: this.roles.whereOwnerIs(owner),
				rights: this.#rights,
				schemas: this.schemas.of(oid),
				dropped: this.dropped,
				databases: this.#databases,
				firstName: this.#firstName,
				database: oid,
				everywhere: this,
			});
			this.#views.set(oid, view);
		}
		return view;
	}

	/** Rights on a database, and what else is said of it; undefined: all as it is at first, or there is no such database. */
	rights(database = this.database): RightsDescriptor | DatabaseDescriptor | undefined {
		return this.#databases.get(database) ?? this.#rights.find((one) => one.oid === database);
	}

	/** Those that have a row of their own. */
	allRights(): readonly RightsDescriptor[] {
		return this.#rights;
	}

	databaseName(oid: number): string | undefined {
		return oid === firstDatabaseOid ? this.#firstName : this.#databases.get(oid)?.name;
	}

	databaseNamed(name: string): number | undefined {
		if (name === this.#firstName) return firstDatabaseOid;
		for (const one of this.#databases.values()) if (one.name === name) return one.oid;
		return undefined;
	}

	/** All but the first, in order of object ids. */
	otherDatabases(): readonly DatabaseDescriptor[] {
		return [...this.#databases.values()].sort((a, b) => a.oid - b.oid);
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
		const databases = new Map(this.#databases);
		let isOfRoles = false;
		for (const [oid, descriptor] of changes) {
			if (descriptor === undefined) {
				relations.delete(oid);
				databases.delete(oid);
				isOfRoles = roles.delete(oid) || isOfRoles;
				schemas.set(oid, undefined);
			} else if (descriptor.kind === "role") {
				roles.set(oid, descriptor);
				isOfRoles = true;
			} else if (descriptor.kind === "rights") {
				rights = [...rights.filter((one) => one.oid !== oid), descriptor];
			} else if (descriptor.kind === "database") {
				databases.set(oid, descriptor);
			} else if (descriptor.kind === "schema") {
				schemas.set(oid, descriptor);
			} else {
				relations.set(oid, descriptor);
			}
		}
		const changed = isOfRoles ? this.roles.with(roles.values()) : this.roles;
		return new CatalogSnapshot(this.version, relations.values(), {
			roles: changed,
			rights,
			dropped: this.dropped,
			schemas: schemas.size === 0 ? this.schemas : this.schemas.with(schemas),
			databases,
			firstName: this.#firstName,
			database: this.database,
			everywhere: this.everywhere,
		});
	}
}

interface CatalogParts {
	readonly roles?: Roles;
	readonly rights?: readonly RightsDescriptor[];
	readonly schemas?: Schemas;
	readonly dropped?: ReadonlyMap<number, string | null>;
	readonly databases?: ReadonlyMap<number, DatabaseDescriptor>;
	/** What the first database is called. */
	readonly firstName?: string;
	readonly database?: number;
	readonly everywhere?: CatalogSnapshot;
}

/** By object id; undefined: dropped. */
export type CatalogChanges = ReadonlyMap<number, AnyDescriptor | undefined>;

export type AnyDescriptor =
	| RelationDescriptor
	| RoleDescriptor
	| RightsDescriptor
	| SchemaDescriptor
	| DatabaseDescriptor;

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
