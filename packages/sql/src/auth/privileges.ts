/** Who may do what to an object: its owner, and whoever the owner granted a right. */
import type { RelationDescriptor, SequenceDescriptor } from "../catalog/descriptor.ts";
import { bootstrapRoleOid, readAllDataOid, writeAllDataOid } from "../catalog/role.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { TableAction } from "../plan/access.ts";

export const ownerOf = (relation: RelationDescriptor): number => relation.owner ?? bootstrapRoleOid;

/** Superusers own everything. */
export const isOwner = (
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
): boolean => catalog.roles.hasRightsOf(oid, ownerOf(relation));

/** Whether a role may make tables in the schema public. */
export const mayCreateIn = (catalog: CatalogSnapshot, oid: number): boolean =>
	catalog.roles.isSuperuser(oid);

/** USAGE is either of the others. */
export function mayUseSequence(
	catalog: CatalogSnapshot,
	oid: number,
	sequence: SequenceDescriptor,
	_right: "USAGE" | "SELECT" | "UPDATE",
): boolean {
	return isOwner(catalog, oid, sequence);
}

/** `columns`: attnums; see `TableAccess`. */
export function mayUseTable(
	catalog: CatalogSnapshot,
	oid: number,
	relation: RelationDescriptor,
	action: TableAction,
	_columns: readonly number[],
): boolean {
	if (isOwner(catalog, oid, relation)) return true;
	const all = action === "SELECT" ? readAllDataOid : writeAllDataOid;
	return catalog.roles.hasRightsOf(oid, all);
}
