/** ALTER DEFAULT PRIVILEGES: the rights that what a role makes from now on begins with. They are kept with the role. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type Acl,
	type DefaultRights,
	firstDefault,
	isAsDefault,
	ordered,
	withGrant,
	withoutGrant,
} from "../catalog/acl.ts";
import { publicRoleOid, type RoleDescriptor } from "../catalog/role.ts";
import type { RoleStatement } from "../parser/ast.ts";
import { lettersOfRight } from "./grants.ts";
import { acting, denied, findGrantee, findRole } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { schemaNamed } from "./schemas.ts";

type DefaultRightsStatement = Extract<RoleStatement, { kind: "default-rights" }>;

export async function changeDefaultRights(
	editor: SchemaEditor,
	statement: DefaultRightsStatement,
): Promise<string> {
	const { roles: named, schemas: inSchemas, on, rights } = statement;
	const grantees = statement.grantees.map((reference) => findGrantee(editor, reference));
	if (statement.verb === "grant" && statement.grantable && grantees.includes(publicRoleOid)) {
		throw new DatabaseError("0LP01", "grant options can only be granted to roles");
	}
	if (rights.some(({ columns }) => columns.length > 0)) {
		throw new DatabaseError("0LP01", "default privileges cannot be set for columns");
	}
	const letters = ordered(rights.map((right) => lettersOfRight(right, on)).join(""));
	if (on === "schema" && inSchemas !== undefined) {
		throw new DatabaseError(
			"0LP01",
			"cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS",
		);
	}
	await editor.relyOnRoles(grantees.filter((oid) => oid !== publicRoleOid));
	for (const { oid } of (named ?? [{ kind: "current" } as const]).map((one) =>
		member(editor, one),
	)) {
		const schemas = inSchemas?.map((name) => schemaNamed(editor, { parts: [name], at: 0 }).oid);
		for (const schema of schemas ?? [undefined]) {
			const role = editor.catalog.roles.byOid(oid)!;
			const of = { on, ...(schema === undefined ? {} : { schema }) };
			await editor.putRole(
				await changed(editor, role, of, (acl) =>
					changedList(acl, role.oid, grantees, letters, statement),
				),
			);
		}
	}
	return "ALTER DEFAULT PRIVILEGES";
}

/** Throws 42704, 42501. */
function member(editor: SchemaEditor, reference: Parameters<typeof findRole>[1]): RoleDescriptor {
	const role = findRole(editor, reference);
	if (editor.catalog.roles.isMember(acting(editor).oid, role.oid)) return role;
	throw denied(`must be member of role "${role.name}"`);
}

/** The role grants it all: nobody has anything on from others. */
function changedList(
	before: Acl,
	grantor: number,
	grantees: readonly number[],
	rights: string,
	{ verb, grantable }: DefaultRightsStatement,
): Acl {
	let acl = before;
	for (const grantee of grantees) {
		const option = grantable && grantee !== grantor ? rights : "";
		acl =
			verb === "grant"
				? withGrant(acl, { grantee, grantor, rights, grantable: option })
				: withoutGrant(acl, grantee, grantor, rights, grantable);
	}
	return acl;
}

async function changed(
	editor: SchemaEditor,
	role: RoleDescriptor,
	of: Pick<DefaultRights, "on" | "schema">,
	change: (acl: Acl) => Acl,
): Promise<RoleDescriptor> {
	const all = role.defaults ?? [];
	const before = all.find(({ on, schema }) => on === of.on && schema === of.schema);
	const acl = change(before?.acl ?? firstDefault(of, role.oid));
	const after = { ...of, oid: before?.oid ?? (await editor.newId()), acl };
	const others = all.filter((one) => one !== before);
	return withDefaults(role, isAsDefault(after, role.oid) ? others : [...others, after]);
}

const withDefaults = (
	{ defaults: _before, ...role }: RoleDescriptor,
	defaults: readonly DefaultRights[],
): RoleDescriptor => (defaults.length === 0 ? role : { ...role, defaults });

/** The schema goes, and what was said of it. */
export async function forgetSchema(editor: SchemaEditor, oid: number): Promise<void> {
	for (const role of editor.catalog.roles.stored()) {
		const left = role.defaults?.filter(({ schema }) => schema !== oid);
		if (left === undefined || left.length === role.defaults?.length) continue;
		await editor.putRole(withDefaults(role, left));
	}
}

const mentions = ({ acl }: DefaultRights, oid: number): boolean =>
	acl.some(({ grantee }) => grantee === oid);

/** DROP OWNED BY: what the role has said, and what others have said of it. */
export async function forgetRole(editor: SchemaEditor, oid: number): Promise<void> {
	for (const role of editor.catalog.roles.stored()) {
		if (role.defaults === undefined) continue;
		if (role.oid !== oid && !role.defaults.some((one) => mentions(one, oid))) continue;
		const left =
			role.oid === oid
				? []
				: role.defaults
						.map((one) => ({ ...one, acl: one.acl.filter(({ grantee }) => grantee !== oid) }))
						.filter((one) => !isAsDefault(one, role.oid));
		await editor.putRole(withDefaults(role, left));
	}
}

const plurals: Readonly<Record<DefaultRights["on"], string>> = {
	table: "relations",
	sequence: "sequences",
	type: "types",
	function: "functions",
	schema: "schemas",
};

/** What stands in the way of a role that is to be dropped, as PostgreSQL tells it. */
export function* defaultsWith(
	{ catalog }: SchemaEditor,
	oid: number,
): Iterable<{ readonly oid: number; readonly detail: string }> {
	for (const role of catalog.roles.stored()) {
		for (const one of role.defaults ?? []) {
			if (role.oid !== oid && !mentions(one, oid)) continue;
			const schema = one.schema === undefined ? undefined : catalog.schemas.byOid(one.schema);
			const where = schema === undefined ? "" : ` in schema ${schema.name}`;
			const what = `default privileges on new ${plurals[one.on]} belonging to role ${role.name}${where}`;
			const how = role.oid === oid ? "owner of" : "privileges for";
			yield { oid: one.oid, detail: `${how} ${what}` };
		}
	}
}
