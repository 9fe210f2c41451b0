/** Who may log in, and what the protocol server has to know before it lets anybody. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasDatabaseRight } from "../auth/privileges.ts";
import { decoyVerifier } from "../auth/scram-verifier.ts";
import { firstDatabaseOid, undefinedDatabase } from "../catalog/database.ts";
import { bootstrapRole, type RoleDescriptor, type Roles } from "../catalog/role.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { NodeServices } from "./node-services.ts";
import { isPast } from "./role-expiry.ts";
import type { SessionState } from "./session-state.ts";
import type { LoginFacts } from "./types.ts";

const fatal = (code: string, message: string): DatabaseError =>
	new DatabaseError(code, message, { severity: "FATAL" });

/** What this node has heard of suffices, but for a role that it has not heard of at all. */
async function roleNamed(shared: NodeServices, user: string): Promise<RoleDescriptor | undefined> {
	const known = shared.catalog.known();
	// A node that is cut off takes its operator in; what such a session does is judged by the catalog anyway.
	if (known === undefined && user === bootstrapRole.name) return bootstrapRole;
	const role = (known ?? (await shared.catalog.newest())).roles.byName(user);
	return role ?? (await shared.catalog.confirmed()).roles.byName(user);
}

/** What its sessions share. Throws 3D000. */
export async function loginDatabase(shared: NodeServices, name: string): Promise<NodeServices> {
	// A node that is cut off takes its operator in.
	if (name === shared.database) return shared.inDatabase(firstDatabaseOid, name);
	const found =
		(await shared.catalog.newest()).databaseNamed(name) ??
		(await shared.catalog.confirmed()).databaseNamed(name);
	if (found !== undefined) return shared.inDatabase(found, name);
	throw undefinedDatabase(name, {
		severity: "FATAL",
		hint: `The database that is there at first is named "${shared.database}".`,
	});
}

/** Throws 42501, 55000, 53300. */
function checkConnection(services: NodeServices, catalog: CatalogSnapshot, oid: number): void {
	const { database: name, databaseOid } = services;
	if (!hasDatabaseRight(catalog, oid, "CONNECT")) {
		throw new DatabaseError("42501", `permission denied for database "${name}"`, {
			severity: "FATAL",
			detail: "User does not have CONNECT privilege.",
		});
	}
	const rights = catalog.rights(databaseOid);
	if (rights?.kind !== "database") return;
	if (!rights.allowConnections) {
		throw fatal("55000", `database "${name}" is not currently accepting connections`);
	}
	if (rights.connectionLimit < 0 || catalog.roles.isSuperuser(oid)) return;
	const isOf = (state: SessionState) => state.services.databaseOid === databaseOid;
	if ([...services.sessions].filter(isOf).length >= rights.connectionLimit) {
		throw fatal("53300", `too many connections for database "${name}"`);
	}
}

/** Throws 28000, 53300. */
export async function loginRole(shared: NodeServices, user: string): Promise<RoleDescriptor> {
	const role = await roleNamed(shared, user);
	if (role === undefined) throw fatal("28000", `role "${user}" does not exist`);
	if (!role.login) throw fatal("28000", `role "${user}" is not permitted to log in`);
	const catalog = shared.catalog.known();
	if (catalog !== undefined) checkConnection(shared, catalog, role.oid);
	if (role.connectionLimit >= 0 && !role.superuser) {
		const isOf = (state: SessionState) => state.identity.authenticatedOid === role.oid;
		const open = [...shared.sessions].filter(isOf).length;
		if (open >= role.connectionLimit) {
			throw fatal("53300", `too many connections for role "${user}"`);
		}
	}
	return role;
}

/**
 * With the catalog as of now, for everybody: a password that was changed on another node is the old one no longer, and whoever
 * does not exist cannot be told by the time that it takes.
 */
export async function loginFacts(shared: NodeServices, user: string): Promise<LoginFacts> {
	await shared.placement.issue();
	const { roles } = await shared.catalog.newest();
	const role = roles.byName(user);
	const { verifier, validUntil } = role ?? {};
	const isOver = validUntil !== undefined && isPast(validUntil, shared.runtime.clock.wallMs());
	const memberships = role === undefined ? [] : [...roles.memberships(role.oid)];
	return {
		verifier: verifier ?? decoyVerifier(secretOf(shared, roles), user),
		mayUsePassword: verifier !== undefined && !isOver,
		memberOf: new Set(memberships.flatMap((oid) => roles.byOid(oid)?.name ?? [])),
	};
}

/** The same on all nodes, known to none of those who ask, and changed as seldom as the oldest password is. */
const secretOf = (shared: NodeServices, roles: Roles): string => {
	const oldest = roles.all().find((role) => role.verifier !== undefined);
	return `${shared.clusterId} ${oldest?.verifier ?? ""}`;
};
