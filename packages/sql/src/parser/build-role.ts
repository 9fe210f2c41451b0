/** What the grammar's rules for roles and rights make of their parts. */
import { DatabaseError } from "@quorate/keys/database-error";
import type {
	GrantTarget,
	QualifiedName,
	Right,
	RoleOption,
	RoleReference,
	RoleStatement,
	Statement,
} from "./ast.ts";
import type { Token } from "./tokens.ts";

const flags: ReadonlySet<string> = new Set([
	"superuser",
	"createdb",
	"createrole",
	"inherit",
	"login",
	"replication",
	"bypassrls",
]);

/** CURRENT_USER and its kin, where a role is named that is not there yet. */
export function specialRole([word]: [Token]): never {
	const name = word.text.toUpperCase();
	throw new DatabaseError("42939", `${name} cannot be used as a role name here`);
}

/** SUPERUSER, NOSUPERUSER ... */
export function roleFlagOption(word: string, at: number): RoleOption {
	const value = !word.startsWith("no");
	const name = value ? word : word.slice(2);
	if (!flags.has(name)) {
		throw new DatabaseError("42601", `unrecognized role option "${word}"`);
	}
	return { name, value, at };
}

export const groupNode = (
	group: string,
	verb: "grant" | "revoke",
	members: readonly RoleReference[],
	at: number,
): Statement => ({
	kind: "membership",
	verb,
	roles: [group],
	members,
	admin: false,
	cascade: false,
	tag: "ALTER ROLE",
	at,
});

export function membershipNode(
	verb: "grant" | "revoke",
	rights: readonly Right[],
	members: readonly RoleReference[],
	how: { readonly admin?: boolean; readonly cascade?: boolean },
	at: number,
): Statement {
	if (rights.some((right) => right.columns.length > 0)) {
		throw new DatabaseError("0LP01", "column names cannot be included in GRANT/REVOKE ROLE");
	}
	const roles = rights.map((right) => right.name);
	const { admin = false, cascade = false } = how;
	return { kind: "membership", verb, roles, members, admin, cascade, at };
}

export const grantNode = (
	verb: "grant" | "revoke",
	rights: readonly Right[],
	target: GrantTarget,
	grantees: readonly RoleReference[],
	how: { readonly grantable?: boolean; readonly cascade?: boolean },
	at: number,
): Statement => ({
	kind: "grant",
	verb,
	rights,
	target,
	grantees,
	grantable: how.grantable ?? false,
	cascade: how.cascade ?? false,
	at,
});

type AlterOwner = Extract<RoleStatement, { kind: "alter-owner" }>;

export const alterOwner = (
	[, object, ifExists, name, , , owner]: [
		Token,
		AlterOwner["object"],
		boolean,
		QualifiedName,
		Token,
		Token,
		RoleReference,
	],
	at: number,
): Statement => ({ kind: "alter-owner", object, name, ifExists, owner, at });
