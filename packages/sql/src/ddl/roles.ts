/** CREATE, ALTER and DROP ROLE. Who may do what to a role is PostgreSQL 15's rule. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import { scramSaltBytes, verifierFor } from "../auth/scram-verifier.ts";
import {
	bootstrapRoleOid,
	newRole,
	publicRoleOid,
	type RoleDescriptor,
	undefinedRole,
} from "../catalog/role.ts";
import type { RoleOption, RoleReference, RoleStatement } from "../parser/ast.ts";
import { typeByName } from "../types/registry.ts";
import { changeDefaultRights } from "./default-rights.ts";
import { changeRights } from "./grants.ts";
import { alterSettings } from "./initial-settings.ts";
import { addMembers, changeMembership } from "./memberships.ts";
import { alterOwner, dropOwned, reassignOwned, refuseDependents } from "./owners.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type Named<Kind extends RoleStatement["kind"]> = Extract<RoleStatement, { kind: Kind }>;

/** The command tag. */
export function changeRoles(editor: SchemaEditor, statement: RoleStatement): Promise<string> {
	switch (statement.kind) {
		case "create-role":
			return createRole(editor, statement);
		case "alter-role":
			return alterRole(editor, statement);
		case "alter-settings":
			return alterSettings(editor, statement);
		case "rename-role":
			return renameRole(editor, statement);
		case "drop-role":
			return dropRoles(editor, statement);
		case "membership":
			return changeMembership(editor, statement);
		case "grant":
			return changeRights(editor, statement);
		case "default-rights":
			return changeDefaultRights(editor, statement);
		case "alter-owner":
			return alterOwner(editor, statement);
		case "reassign-owned":
			return reassignOwned(editor, statement);
		case "drop-owned":
			return dropOwned(editor, statement);
	}
}

export const denied = (message: string): DatabaseError => new DatabaseError("42501", message);

/** Throws 42704, also for PUBLIC, which is no role. */
export function findRole(editor: SchemaEditor, reference: RoleReference): RoleDescriptor {
	const { identity } = editor.state;
	const { roles } = editor.catalog;
	const found =
		reference.kind === "name"
			? roles.byName(reference.name)
			: roles.byOid(reference.kind === "current" ? identity.currentOid : identity.sessionOid);
	if (found !== undefined) return found;
	throw undefinedRole(reference.kind === "name" ? reference.name : identity.currentName);
}

/** The same, PUBLIC allowed. */
export const findGrantee = (editor: SchemaEditor, reference: RoleReference): number =>
	reference.kind === "name" && reference.name === "public"
		? publicRoleOid
		: findRole(editor, reference).oid;

export interface Acting {
	readonly oid: number;
	readonly superuser: boolean;
	readonly createRole: boolean;
}

/** Who asks. */
export function acting(editor: SchemaEditor): Acting {
	const oid = editor.state.identity.currentOid;
	const role = editor.catalog.roles.byOid(oid);
	const superuser = role?.superuser === true;
	return { oid, superuser, createRole: superuser || role?.createRole === true };
}

const reserved = (name: string): DatabaseError | undefined => {
	if (name === "public" || name === "none") {
		return new DatabaseError("42939", `role name "${name}" is reserved`);
	}
	return name.startsWith("pg_")
		? new DatabaseError("42939", `role name "${name}" is reserved`, {
				detail: 'Role names starting with "pg_" are reserved.',
			})
		: undefined;
};

type Flags = Partial<Omit<RoleDescriptor, "kind" | "oid" | "name">>;

const flagFields: Readonly<Record<string, keyof Flags>> = dictionary({
	superuser: "superuser",
	inherit: "inherit",
	createrole: "createRole",
	createdb: "createDatabase",
	login: "login",
	replication: "replication",
	bypassrls: "bypassRowSecurity",
});

/** What the options say of the role itself. Throws 42601, 22023, 22007. */
function fieldsOf(editor: SchemaEditor, options: readonly RoleOption[]): Flags {
	const fields: Record<string, unknown> = {};
	const given = new Set<string>();
	for (const { name, value, at } of options) {
		if (given.has(name) && name !== "sysid") {
			throw new DatabaseError("42601", "conflicting or redundant options", { position: at + 1 });
		}
		given.add(name);
		const flag = flagFields[name];
		if (flag !== undefined) fields[flag] = value === true;
		else if (name === "connection limit") fields["connectionLimit"] = limitOf(Number(value));
		else if (name === "valid until") fields["validUntil"] = momentOf(editor, String(value));
		else if (name === "password") fields["verifier"] = passwordOf(editor, value);
	}
	return fields;
}

function limitOf(limit: number): number {
	if (limit >= -1) return limit;
	throw new DatabaseError("22023", `invalid connection limit: ${limit}`);
}

const momentOf = (editor: SchemaEditor, text: string): string =>
	String(typeByName("timestamptz")!.parse(text, -1, editor.state.context));

function passwordOf(editor: SchemaEditor, password: RoleOption["value"]): string | undefined {
	if (password === undefined) return undefined;
	const verifier = verifierFor(
		String(password),
		editor.state.services.runtime.random.bytes(scramSaltBytes),
	);
	if (verifier === undefined) {
		editor.state.notice(
			"NOTICE",
			"00000",
			"empty string is not a valid password, clearing password",
		);
	}
	return verifier;
}

/** JSON keeps no undefined. */
function without<T extends object>(value: T): T {
	return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}

const rolesOf = (options: readonly RoleOption[], name: string): readonly RoleReference[] =>
	options.find((option) => option.name === name)?.roles ?? [];

async function createRole(editor: SchemaEditor, statement: Named<"create-role">): Promise<string> {
	const { name, options, tag } = statement;
	const fields = fieldsOf(editor, options);
	const who = acting(editor);
	if (!who.superuser) {
		if (fields.superuser) throw denied("must be superuser to create superusers");
		if (fields.replication) throw denied("must be superuser to create replication users");
		if (fields.bypassRowSecurity) throw denied("must be superuser to create bypassrls users");
		if (!who.createRole) throw denied("permission denied to create role");
	}
	const refusal = reserved(name);
	if (refusal !== undefined) throw refusal;
	const role = newRole(await editor.newId(), name);
	await editor.putRole(without({ ...role, login: tag === "USER", ...fields }));
	for (const reference of rolesOf(options, "in")) {
		await addMembers(editor, findRole(editor, reference), [role.oid], false);
	}
	const created = editor.catalog.roles.byOid(role.oid)!;
	for (const [option, admin] of [
		["members", false],
		["admin", true],
	] as const) {
		const members = rolesOf(options, option).map((reference) => findRole(editor, reference).oid);
		if (members.length > 0) await addMembers(editor, created, members, admin);
	}
	return "CREATE ROLE";
}

async function alterRole(editor: SchemaEditor, statement: Named<"alter-role">): Promise<string> {
	const { options } = statement;
	const role = findRole(editor, statement.role);
	const misplaced = options.find((option) => option.name === "in" || option.name === "admin");
	if (misplaced !== undefined) {
		throw new DatabaseError("42601", `syntax error at or near "${misplaced.name}"`, {
			position: misplaced.at + 1,
		});
	}
	const fields = fieldsOf(editor, options);
	const who = acting(editor);
	if (!who.superuser) {
		if (role.superuser || fields.superuser !== undefined) {
			throw denied("must be superuser to alter superuser roles or change superuser attribute");
		}
		if (role.replication || fields.replication !== undefined) {
			throw denied("must be superuser to alter replication roles or change replication attribute");
		}
		if (fields.bypassRowSecurity !== undefined) {
			throw denied("must be superuser to change bypassrls attribute");
		}
		const ownPassword =
			role.oid === who.oid && options.every((option) => option.name === "password");
		if (!who.createRole && !ownPassword) throw denied("permission denied");
	}
	if (role.oid === bootstrapRoleOid && fields.superuser === false) {
		throw new DatabaseError("42501", "permission denied to alter role", {
			detail: "The bootstrap superuser must have the SUPERUSER attribute.",
		});
	}
	if (role.name.startsWith("pg_")) throw reserved(role.name)!;
	await editor.putRole(without({ ...role, ...fields }));
	const members = rolesOf(options, "members").map((reference) => findRole(editor, reference).oid);
	if (members.length > 0) await addMembers(editor, role, members, false);
	return "ALTER ROLE";
}

async function renameRole(editor: SchemaEditor, statement: Named<"rename-role">): Promise<string> {
	const { from, to } = statement;
	const role = findRole(editor, { kind: "name", name: from });
	const { identity } = editor.state;
	if (role.oid === identity.sessionOid) {
		throw new DatabaseError("0A000", "session user cannot be renamed");
	}
	if (role.oid === identity.currentOid) {
		throw new DatabaseError("0A000", "current user cannot be renamed");
	}
	const refusal = reserved(from) ?? reserved(to);
	if (refusal !== undefined) throw refusal;
	const who = acting(editor);
	if (role.superuser && !who.superuser) throw denied("must be superuser to rename superusers");
	if (!who.createRole) throw denied("permission denied to rename role");
	if (from === to || editor.catalog.roles.byName(to) !== undefined) {
		throw new DatabaseError("42710", `role "${to}" already exists`);
	}
	await editor.putRole({ ...role, name: to });
	return "ALTER ROLE";
}

async function dropRoles(editor: SchemaEditor, statement: Named<"drop-role">): Promise<string> {
	for (const reference of statement.roles) {
		const isMissing =
			reference.kind === "name" && editor.catalog.roles.byName(reference.name) === undefined;
		if (isMissing && statement.ifExists) {
			const { message } = undefinedRole(reference.name);
			editor.state.notice("NOTICE", "00000", `${message}, skipping`);
			continue;
		}
		await dropRole(editor, findRole(editor, reference));
	}
	return "DROP ROLE";
}

async function dropRole(editor: SchemaEditor, role: RoleDescriptor): Promise<void> {
	const { identity } = editor.state;
	const who = acting(editor);
	if (!who.createRole) throw denied("permission denied to drop role");
	if (role.oid === identity.currentOid) {
		throw new DatabaseError("55006", "current user cannot be dropped");
	}
	if (role.oid === identity.sessionOid) {
		throw new DatabaseError("55006", "session user cannot be dropped");
	}
	if (role.superuser && !who.superuser) throw denied("must be superuser to drop superusers");
	if (role.oid === bootstrapRoleOid || role.name.startsWith("pg_")) {
		throw new DatabaseError(
			"2BP01",
			`cannot drop role ${role.name} because it is required by the database system`,
		);
	}
	refuseDependents(editor, role);
	for (const member of editor.catalog.roles.stored()) {
		const rest = member.memberOf.filter(({ roleOid }) => roleOid !== role.oid);
		if (rest.length < member.memberOf.length) await editor.putRole({ ...member, memberOf: rest });
	}
	await editor.removeRole(role);
}
