/**
 * Schemas: rows of the catalog beside those of roles, changed as the schema of the database is. The schemas of the system have no row,
 * and `public` has none until somebody changes more of it than its rights; once dropped it has one that says so.
 */
import { type Acl, defaultAcl, type RightsDescriptor } from "./acl.ts";
import { databaseOf, firstDatabaseOid, type InDatabase } from "./database.ts";
import { bootstrapRoleOid, databaseOwnerOid } from "./role.ts";
import { isTemporarySchema, temporaryAlias } from "./temporary.ts";

export interface SchemaDescriptor extends InDatabase {
	readonly kind: "schema";
	readonly oid: number;
	readonly name: string;
	/** OID of the role that owns it; absent: the one that the cluster was born with, of `public` pg_database_owner. */
	readonly owner?: number;
	/** Who was granted what; absent: the default list. */
	readonly acl?: Acl;
	readonly comment?: string;
	/** Only of the schema that a cluster is born with. */
	readonly dropped?: true;
	/** The schema public that another database began with, whatever it is called by now. */
	readonly isBorn?: true;
}

/** PostgreSQL's OIDs. */
export const publicSchemaOid = 2200;
export const pgCatalogOid = 11;
export const informationSchemaOid = 13207;

export const bornPublic: SchemaDescriptor = {
	kind: "schema",
	oid: publicSchemaOid,
	name: "public",
	comment: "standard public schema",
};

const systemSchemas: readonly SchemaDescriptor[] = [
	{ kind: "schema", oid: pgCatalogOid, name: "pg_catalog", comment: "system catalog schema" },
	{ kind: "schema", oid: informationSchemaOid, name: "information_schema" },
];

export const bornSchemas: readonly SchemaDescriptor[] = [...systemSchemas, bornPublic];

const systemNames: ReadonlySet<string> = new Set(systemSchemas.map(({ name }) => name));

export const isSystemSchema = (name: string): boolean => systemNames.has(name);

/** Where names are looked up: pg_catalog comes first unless the path names it, and before it what is temporary. */
export function withSystem(path: readonly string[]): readonly string[] {
	if (path.includes("pg_catalog")) return path;
	const [first, ...rest] = path;
	return first !== undefined && isTemporarySchema(first)
		? [first, "pg_catalog", ...rest]
		: ["pg_catalog", ...path];
}

/** Nobody in particular owns `public` as it is when a cluster is born: whoever owns the database does. */
const bornOwner = (schema: SchemaDescriptor): number =>
	isPublic(schema) ? databaseOwnerOid : bootstrapRoleOid;

/** The one that its database began with. */
const isPublic = ({ oid, isBorn }: SchemaDescriptor): boolean =>
	isBorn === true || oid === publicSchemaOid;

export const schemaOwner = (schema: SchemaDescriptor): number => schema.owner ?? bornOwner(schema);

/** A copy that belongs to `to`. */
export function ownedBy(schema: SchemaDescriptor, to: number): SchemaDescriptor {
	const { owner: _before, ...rest } = schema;
	return to === bornOwner(schema) ? rest : { ...rest, owner: to };
}

/** Whether everybody may use it without being told so. */
export const isForAll = (schema: SchemaDescriptor): boolean =>
	isPublic(schema) || isSystemSchema(schema.name);

/** Everybody may use `public` as it is when a cluster is born, and what the system has. */
export function aclOfSchema(schema: SchemaDescriptor): Acl {
	if (schema.acl !== undefined) return schema.acl;
	const all = defaultAcl("schema", schemaOwner(schema));
	return isForAll(schema) ? all : all.filter(({ grantee }) => grantee === schemaOwner(schema));
}

/** What is stored: nodes of before there were schemas read that of `public`, where it says no more than they know. */
export function storedSchema(schema: SchemaDescriptor): SchemaDescriptor | RightsDescriptor {
	const { oid, name, owner, acl, comment, dropped } = schema;
	const isAsBorn =
		oid === publicSchemaOid &&
		name === bornPublic.name &&
		comment === bornPublic.comment &&
		owner === undefined &&
		dropped === undefined;
	if (!isAsBorn) return schema;
	return acl === undefined ? { kind: "rights", oid } : { kind: "rights", oid, acl };
}

/** All schemas of one catalog snapshot. */
export class Schemas {
	readonly #byOid: ReadonlyMap<number, SchemaDescriptor>;
	readonly #byName: ReadonlyMap<string, SchemaDescriptor>;
	readonly #stored: ReadonlyMap<number, SchemaDescriptor>;
	readonly #born: readonly SchemaDescriptor[];
	/** That of the session which looks, if it has temporary objects. */
	readonly temporary: SchemaDescriptor | undefined;

	/** `stored`: those that have a row. `born`: of a database that has no row for them. */
	constructor(stored: Iterable<SchemaDescriptor>, born = bornSchemas) {
		this.#born = born;
		this.#stored = new Map([...stored].map((schema) => [schema.oid, schema]));
		const byOid = new Map<number, SchemaDescriptor>();
		for (const schema of [...born, ...this.#stored.values()]) {
			byOid.set(schema.oid, schema);
		}
		for (const { oid, dropped } of this.#stored.values()) if (dropped === true) byOid.delete(oid);
		this.#byOid = byOid;
		this.#byName = new Map([...byOid.values()].map((schema) => [schema.name, schema]));
		this.temporary = [...byOid.values()].find(({ name }) => isTemporarySchema(name));
	}

	/** In order of object ids. */
	all(): readonly SchemaDescriptor[] {
		return [...this.#byOid.values()].sort((a, b) => a.oid - b.oid);
	}

	/** Those that somebody can change. */
	own(): readonly SchemaDescriptor[] {
		return this.all().filter(({ name }) => !isSystemSchema(name) && !isTemporarySchema(name));
	}

	/** As the database was when nobody had changed anything. */
	born(): readonly SchemaDescriptor[] {
		const own = [...this.#stored.values()].filter(({ isBorn }) => isBorn === true);
		return [...this.#born, ...own.map(({ owner: _owner, acl: _acl, ...rest }) => rest)];
	}

	/** Those that are not as a cluster is born with them, dropped ones too. */
	changed(): readonly SchemaDescriptor[] {
		return [...this.#stored.values()].filter((schema) => schema !== bornPublic);
	}

	byOid(oid: number): SchemaDescriptor | undefined {
		return this.#byOid.get(oid);
	}

	byName(name: string): SchemaDescriptor | undefined {
		return this.#byName.get(this.nameOf(name));
	}

	/** A schema's own name, where it is called by another. */
	nameOf(name: string): string {
		return name === temporaryAlias ? (this.temporary?.name ?? name) : name;
	}

	/** A copy with rows replaced (or, undefined, removed). */
	with(changes: ReadonlyMap<number, SchemaDescriptor | undefined>): Schemas {
		const stored = new Map(this.#stored);
		for (const [oid, schema] of changes) {
			if (schema === undefined) stored.delete(oid);
			else stored.set(oid, schema);
		}
		return new Schemas(stored.values(), this.#born);
	}

	/** Those of one database. */
	of(database: number): Schemas {
		const stored = [...this.#stored.values()].filter((one) => databaseOf(one) === database);
		return new Schemas(stored, database === firstDatabaseOid ? bornSchemas : systemSchemas);
	}
}

/** A row of the rights of `public`, from before it could be changed otherwise. */
export const publicWith = ({ acl }: RightsDescriptor): SchemaDescriptor =>
	acl === undefined ? bornPublic : { ...bornPublic, acl };
