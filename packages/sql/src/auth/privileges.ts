/** Who may do what to an object: its owner, and whoever was granted a right, directly or through a role. */
import {
	type Acl,
	defaultAcl,
	grantableFor,
	letterOf,
	lettersFor,
	type RightsDescriptor,
	rightsOwner,
} from "../catalog/acl.ts";
import type { DatabaseDescriptor } from "../catalog/database.ts";
import {
	hasColumns,
	type RelationDescriptor,
	type SequenceDescriptor,
	type TypeDescriptor,
} from "../catalog/descriptor.ts";
import { bootstrapRoleOid, readAllDataOid, writeAllDataOid } from "../catalog/role.ts";
import { aclOfSchema, type SchemaDescriptor } from "../catalog/schema.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { isTemporarySchema } from "../catalog/temporary.ts";
import type { TableAction } from "../plan/access.ts";

export const ownerOf = (relation: RelationDescriptor): number => relation.owner ?? bootstrapRoleOid;

/** Superusers own everything. */
export const isOwner = (
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
): boolean => catalog.roles.hasRightsOf(oid, ownerOf(relation));

/** Views are tables. */
export const kindOf = ({ kind }: RelationDescriptor): "table" | "sequence" | "type" =>
	kind === "sequence" || kind === "type" ? kind : "table";

export const aclOf = (relation: RelationDescriptor): Acl =>
	relation.acl ?? defaultAcl(kindOf(relation), ownerOf(relation));

export const hasTypeRight = (
	catalog: CatalogSnapshot,
	oid: number,
	type: TypeDescriptor,
): boolean => catalog.roles.isSuperuser(oid) || tableLetters(catalog, oid, type).includes("U");

/** `database`: object id; of the one that the catalog shows where nothing is said. */
export const rightsOfDatabase = (
	catalog: CatalogSnapshot,
	database = catalog.database,
): RightsDescriptor | DatabaseDescriptor =>
	catalog.rights(database) ?? { kind: "rights", oid: database };

export function ownerOfDatabase(catalog: CatalogSnapshot, database = catalog.database): number {
	const rights = catalog.rights(database);
	return rights?.kind === "database" ? rights.owner : rightsOwner;
}

export const aclOfDatabase = (catalog: CatalogSnapshot, database = catalog.database): Acl =>
	rightsOfDatabase(catalog, database).acl ??
	defaultAcl("database", ownerOfDatabase(catalog, database));

/** All letters that a role has on a relation as a whole. */
export const tableLetters = (
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
): string => lettersFor(aclOf(relation), catalog.roles.rightsOf(oid));

const mayAll = (catalog: CatalogSnapshot, oid: number, right: string): boolean => {
	if (catalog.roles.isSuperuser(oid)) return true;
	if (right === "SELECT") return catalog.roles.hasRightsOf(oid, readAllDataOid);
	const writes = right === "INSERT" || right === "UPDATE" || right === "DELETE";
	return writes && catalog.roles.hasRightsOf(oid, writeAllDataOid);
};

/** Of the relation as a whole. `right`: SELECT, TRUNCATE ... */
export const hasTableRight = (
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
	right: string,
): boolean =>
	mayAll(catalog, oid, right) ||
	tableLetters(catalog, oid, relation).includes(letterOf(right) ?? "?");

/** Of one column, whether or not of all. */
export function hasColumnRight(
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
	attnum: number,
	right: string,
): boolean {
	if (hasTableRight(catalog, oid, relation, right)) return true;
	const column = hasColumns(relation) ? relation.columns[attnum - 1] : undefined;
	const letters = lettersFor(column?.acl ?? [], catalog.roles.rightsOf(oid));
	return letters.includes(letterOf(right) ?? "?");
}

export const hasAnyColumnRight = (
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
	right: string,
): boolean =>
	hasTableRight(catalog, oid, relation, right) ||
	(hasColumns(relation) &&
		relation.columns.some(
			({ attnum, dropped }) => !dropped && hasColumnRight(catalog, oid, relation, attnum, right),
		));

export const hasDatabaseRight = (
	catalog: CatalogSnapshot,
	oid: number,
	right: string,
	database = catalog.database,
): boolean =>
	catalog.roles.isSuperuser(oid) ||
	lettersFor(aclOfDatabase(catalog, database), catalog.roles.rightsOf(oid)).includes(
		letterOf(right) ?? "?",
	);

/** Whoever may read or write everything may use every schema. */
export function hasSchemaRight(
	catalog: CatalogSnapshot,
	oid: number,
	schema: SchemaDescriptor,
	right: string,
): boolean {
	const { roles } = catalog;
	if (roles.isSuperuser(oid)) return true;
	// Nobody sees one of another session.
	if (isTemporarySchema(schema.name)) return hasDatabaseRight(catalog, oid, "TEMPORARY");
	const readsAll =
		roles.hasRightsOf(oid, readAllDataOid) || roles.hasRightsOf(oid, writeAllDataOid);
	if (right === "USAGE" && readsAll) return true;
	return lettersFor(aclOfSchema(schema), roles.rightsOf(oid)).includes(letterOf(right) ?? "?");
}

const hasNamedRight = (
	catalog: CatalogSnapshot,
	oid: number,
	name: string,
	right: string,
): boolean => {
	const schema = catalog.schemas.byName(name);
	return schema !== undefined && hasSchemaRight(catalog, oid, schema, right);
};

/** Whether a role may make tables in a schema. */
export const mayCreateIn = (catalog: CatalogSnapshot, oid: number, schema: string): boolean =>
	hasNamedRight(catalog, oid, schema, "CREATE");

/** Whether a role may look for names in a schema that is there. */
export const mayUseSchema = (catalog: CatalogSnapshot, oid: number, schema: string): boolean =>
	hasNamedRight(catalog, oid, schema, "USAGE");

/** USAGE is UPDATE's too. */
export const mayUseSequence = (
	catalog: CatalogSnapshot,
	oid: number,
	sequence: SequenceDescriptor,
	rights: readonly string[],
): boolean => rights.some((right) => hasTableRight(catalog, oid, sequence, right));

/** `columns`: attnums; see `TableAccess`. */
export function mayUseTable(
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
	action: TableAction,
	columns: readonly number[],
): boolean {
	if (hasTableRight(catalog, oid, relation, action)) return true;
	if (action === "DELETE") return false;
	if (columns.length === 0) return hasAnyColumnRight(catalog, oid, relation, action);
	return columns.every((attnum) => hasColumnRight(catalog, oid, relation, attnum, action));
}

/** Letters of a list that a role may grant on: the owner all. */
export const grantable = (
	catalog: CatalogSnapshot,
	oid: number,
	owner: number,
	acl: Acl,
	all: string,
): string =>
	catalog.roles.hasRightsOf(oid, owner) ? all : grantableFor(acl, catalog.roles.rightsOf(oid));
