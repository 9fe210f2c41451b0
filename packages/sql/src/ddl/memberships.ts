/** GRANT role TO role, and REVOKE. A membership is kept with the member. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { RoleDescriptor } from "../catalog/role.ts";
import type { RoleStatement } from "../parser/ast.ts";
import { acting, denied, findRole } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type Membership = Extract<RoleStatement, { kind: "membership" }>;

export async function changeMembership(
	editor: SchemaEditor,
	statement: Membership,
): Promise<string> {
	const isGrant = statement.verb === "grant";
	const members = statement.members.map((reference) => findRole(editor, reference).oid);
	for (const name of statement.roles) {
		const role = findRole(editor, { kind: "name", name });
		if (isGrant) await addMembers(editor, role, members, statement.admin);
		else await dropMembers(editor, role, members, statement.admin);
	}
	return statement.tag ?? (isGrant ? "GRANT ROLE" : "REVOKE ROLE");
}

/**
 * As in PostgreSQL, CREATEROLE suffices for all roles but superusers; for the predefined ones it does not here, since with
 * them it could raise itself to what it may not be.
 */
function requireAdmin(editor: SchemaEditor, role: RoleDescriptor): void {
	const who = acting(editor);
	if (who.superuser) return;
	if (role.superuser) throw denied("must be superuser to alter superusers");
	const isPredefined = role.name.startsWith("pg_");
	if (who.createRole && !isPredefined) return;
	if (editor.catalog.roles.isAdmin(who.oid, role.oid)) return;
	throw denied(`must have admin option on role "${role.name}"`);
}

export async function addMembers(
	editor: SchemaEditor,
	role: RoleDescriptor,
	members: readonly number[],
	admin: boolean,
): Promise<void> {
	requireAdmin(editor, role);
	if (role.name === "pg_database_owner") {
		throw new DatabaseError("0LP01", `role "${role.name}" cannot have explicit members`);
	}
	// A circle that closes elsewhere meanwhile meets this lock.
	await editor.relyOnRoles([...editor.catalog.roles.memberships(role.oid)]);
	for (const oid of members) {
		const member = editor.catalog.roles.byOid(oid)!;
		if (member.name.startsWith("pg_")) {
			throw denied(`role "${member.name}" cannot be a member of any role`);
		}
		if (editor.catalog.roles.memberships(role.oid).has(oid)) {
			throw new DatabaseError("0LP01", `role "${role.name}" is a member of role "${member.name}"`);
		}
		const before = member.memberOf.find(({ roleOid }) => roleOid === role.oid);
		if (before !== undefined && (before.admin || !admin)) {
			editor.state.notice(
				"NOTICE",
				"00000",
				`role "${member.name}" is already a member of role "${role.name}"`,
			);
			continue;
		}
		const others = member.memberOf.filter((one) => one !== before);
		const granted = { roleOid: role.oid, admin, grantorOid: acting(editor).oid };
		await editor.putRole({ ...member, memberOf: [...others, granted] });
	}
}

async function dropMembers(
	editor: SchemaEditor,
	role: RoleDescriptor,
	members: readonly number[],
	adminOnly: boolean,
): Promise<void> {
	requireAdmin(editor, role);
	for (const oid of members) {
		const member = editor.catalog.roles.byOid(oid)!;
		const before = member.memberOf.find(({ roleOid }) => roleOid === role.oid);
		if (before === undefined || member.name.startsWith("pg_")) {
			editor.state.notice(
				"WARNING",
				"01000",
				`role "${member.name}" is not a member of role "${role.name}"`,
			);
			continue;
		}
		const others = member.memberOf.filter((one) => one !== before);
		const memberOf = adminOnly ? [...others, { ...before, admin: false }] : others;
		await editor.putRole({ ...member, memberOf });
	}
}
