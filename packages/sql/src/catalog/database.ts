/**
 * Databases: rows of the catalog beside those of roles. The one that a cluster is born with has no row, but for the rights on it; all
 * others have one. Whatever is in a database other than that says so (`database` of its descriptor), and has its names under a prefix of their own
 * (`keys.ts`). A session sees a snapshot of the catalog that shows one database (`snapshot.ts`); roles are the cluster's.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { RightsDescriptor } from "./acl.ts";
import type { SchemaDescriptor } from "./schema.ts";

/** PostgreSQL's OID of the database that is there at first. */
export const firstDatabaseOid = 5;

export interface DatabaseDescriptor extends Omit<RightsDescriptor, "kind"> {
	readonly kind: "database";
	readonly name: string;
	/** OID of a role. */
	readonly owner: number;
	/** Sessions at a time on one node; -1: no limit. */
	readonly connectionLimit: number;
	readonly allowConnections: boolean;
}

/** What is in the first one does not say so. */
export interface InDatabase {
	readonly database?: number;
}

export const databaseOf = ({ database = firstDatabaseOid }: InDatabase): number => database;

/** To be spread into what is made there. */
export const inDatabase = (oid: number): InDatabase =>
	oid === firstDatabaseOid ? {} : { database: oid };

/** Every database begins with one. */
export const newPublicSchema = (oid: number, database: number): SchemaDescriptor => ({
	kind: "schema",
	oid,
	name: "public",
	comment: "standard public schema",
	isBorn: true,
	database,
});

export const undefinedDatabase = (
	name: string,
	fields: ConstructorParameters<typeof DatabaseError>[2] = {},
): DatabaseError => new DatabaseError("3D000", `database "${name}" does not exist`, fields);
