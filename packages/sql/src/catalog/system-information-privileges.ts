/** Rights in information_schema: table_privileges, and role_table_grants. Left out: those on the system's own tables. */
import { aclOf, ownerOf } from "../auth/privileges.ts";
import type { FunctionContext } from "../types/registry.ts";
import { lettersOf, nameOfLetter } from "./acl.ts";
import { publicRoleOid } from "./role.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import { yesNo } from "./system-information-schema.ts";
import { tablesOf, viewsOf } from "./system-relations.ts";
import type { SystemRow } from "./system-table.ts";
import { roleName } from "./system-views.ts";

/** Of whoever the current role has the rights of, on either side, and for `everybody` what PUBLIC has been granted by others. */
function* rowsOf(
	catalog: CatalogSnapshot,
	{ currentDatabase, currentRole }: FunctionContext,
	everybody: boolean,
): Iterable<SystemRow> {
	const { roles } = catalog;
	for (const table of [...tablesOf(catalog), ...viewsOf(catalog)]) {
		for (const { grantor, grantee, rights, grantable } of aclOf(table)) {
			const isPublic = grantee === publicRoleOid;
			const isOwn = !isPublic && roles.hasRightsOf(currentRole, grantee);
			if (!isOwn && !roles.hasRightsOf(currentRole, grantor) && !(isPublic && everybody)) continue;
			const ownerToo = !isPublic && roles.hasRightsOf(grantee, ownerOf(table));
			for (const letter of rights) {
				if (!lettersOf.table.includes(letter)) continue;
				yield {
					grantor: roleName(catalog, grantor),
					grantee: isPublic ? "PUBLIC" : roleName(catalog, grantee),
					table_catalog: currentDatabase,
					table_schema: table.schema,
					table_name: table.name,
					privilege_type: nameOfLetter(letter),
					is_grantable: yesNo(ownerToo || grantable.includes(letter)),
					with_hierarchy: yesNo(letter === "r"),
				};
			}
		}
	}
}

export const tablePrivilegeRows = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> => rowsOf(catalog, context, true);

export const tableGrantRows = (
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> => rowsOf(catalog, context, false);
