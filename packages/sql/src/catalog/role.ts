/**
 * Roles: rows of the catalog like descriptors, under keys of their own (see `keys.ts`), changed as the schema is. The role that
 * a cluster is born with has no row until somebody alters it; PostgreSQL's predefined roles never have one.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { DefaultRights, RightsDescriptor } from "./acl.ts";
import type { DatabaseDescriptor } from "./database.ts";
import type { SchemaDescriptor } from "./schema.ts";

export interface RoleMembership {
	/** Of the role that this one is a member of. */
	readonly roleOid: number;
	/** WITH ADMIN OPTION: may make others members of it. */
	readonly admin: boolean;
	/** Of the role that granted it. */
	readonly grantorOid: number;
}

/** By name, as they were given. */
export type SettingValues = Readonly<Record<string, string>>;

/** What sessions begin with. */
export interface InitialSettings {
	readonly everywhere?: SettingValues;
	/** In this database only; those of a role: in the first one. */
	readonly inDatabase?: SettingValues;
	/** Those of a role in other databases, by their object ids. */
	readonly elsewhere?: Readonly<Record<number, SettingValues>>;
}

export interface RoleDescriptor {
	readonly kind: "role";
	readonly oid: number;
	readonly name: string;
	readonly superuser: boolean;
	/** Has the rights of the roles that it is a member of without SET ROLE. */
	readonly inherit: boolean;
	readonly createRole: boolean;
	readonly createDatabase: boolean;
	readonly login: boolean;
	readonly replication: boolean;
	readonly bypassRowSecurity: boolean;
	/** Sessions at a time on one node; -1: no limit. */
	readonly connectionLimit: number;
	/** A SCRAM-SHA-256 verifier, as PostgreSQL writes it; never the password. Absent: none. */
	readonly verifier?: string;
	/** VALID UNTIL, a timestamptz: microseconds since 2000-01-01 UTC as decimal text. */
	readonly validUntil?: string;
	readonly comment?: string;
	/** Of its sessions. */
	readonly settings?: InitialSettings;
	/** Rights on what it makes. */
	readonly defaults?: readonly DefaultRights[];
	readonly memberOf: readonly RoleMembership[];
}

/** What is stored under the keys of roles. */
export type RoleRow = RoleDescriptor | RightsDescriptor | SchemaDescriptor | DatabaseDescriptor;

/**
 * Raised when the JSON changes shape; a newer one is refused by name. Written is the lowest that says it all. 2: schemas. 3: what the
 * database is configured to. 4: what sessions begin with, and rights that new objects have (`@quorate/keys/cluster-version`). 5: databases,
 * and schemas in them (likewise). 6: what sessions of a role begin with in another database than the first (likewise).
 */
const roleFormat = 6;

/** Who does not know of them would drop them. */
export const hasElsewhere = (role: RoleRow): boolean =>
	"settings" in role && role.settings?.elsewhere !== undefined;

/** Not all nodes may be able to read it. */
export const hasInitials = (role: RoleRow): boolean =>
	("settings" in role && role.settings !== undefined) ||
	("defaults" in role && role.defaults !== undefined);

function formatOf(role: RoleRow): number {
	if (hasElsewhere(role)) return 6;
	if (role.kind === "database") return 5;
	if (role.kind === "schema") return role.database === undefined ? 2 : 5;
	if (hasInitials(role)) return 4;
	if (role.kind === "rights" && role.configuration !== undefined) return 3;
	return 1;
}

export function encodeRole(role: RoleRow): Uint8Array {
	return Buffer.from(JSON.stringify({ format: formatOf(role), ...role }), "utf8");
}

export function decodeRole(bytes: Uint8Array): RoleRow {
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
	const { format, ...role } = JSON.parse(text) as RoleRow & { format: number };
	if (format > roleFormat) {
		throw new DatabaseError(
			"0A000",
			`catalog row has format ${format}, this node knows up to ${roleFormat}`,
			{ hint: "Upgrade this node." },
		);
	}
	return role as RoleRow;
}

export const bootstrapRoleOid = 10;
/** The name PUBLIC stands for everybody; in access control lists it is this. */
export const publicRoleOid = 0;

export const newRole = (oid: number, name: string): RoleDescriptor => ({
	kind: "role",
	oid,
	name,
	superuser: false,
	inherit: true,
	createRole: false,
	createDatabase: false,
	login: false,
	replication: false,
	bypassRowSecurity: false,
	connectionLimit: -1,
	memberOf: [],
});

/** As long as nobody has altered it. */
export const bootstrapRole: RoleDescriptor = {
	...newRole(bootstrapRoleOid, "quorate"),
	superuser: true,
	createRole: true,
	createDatabase: true,
	login: true,
	replication: true,
	bypassRowSecurity: true,
};

/** Its only member, which no list shows, is the owner of the database. */
export const databaseOwnerOid = 6171;
export const monitorOid = 3373;
export const readAllStatsOid = 3375;
export const signalBackendOid = 4200;
export const readAllDataOid = 6181;
export const writeAllDataOid = 6182;

const readAllSettingsOid = 3374;
const statScanTablesOid = 3377;

const monitors = [readAllSettingsOid, readAllStatsOid, statScanTablesOid].map((roleOid) => ({
	roleOid,
	admin: false,
	grantorOid: bootstrapRoleOid,
}));

const predefinedRoles: readonly RoleDescriptor[] = [
	newRole(databaseOwnerOid, "pg_database_owner"),
	newRole(readAllDataOid, "pg_read_all_data"),
	newRole(writeAllDataOid, "pg_write_all_data"),
	{ ...newRole(monitorOid, "pg_monitor"), memberOf: monitors },
	newRole(readAllSettingsOid, "pg_read_all_settings"),
	newRole(readAllStatsOid, "pg_read_all_stats"),
	newRole(statScanTablesOid, "pg_stat_scan_tables"),
	newRole(4569, "pg_read_server_files"),
	newRole(4570, "pg_write_server_files"),
	newRole(4571, "pg_execute_server_program"),
	newRole(signalBackendOid, "pg_signal_backend"),
	newRole(4544, "pg_checkpoint"),
];

/** All roles of one catalog snapshot. */
export class Roles {
	readonly #byOid: ReadonlyMap<number, RoleDescriptor>;
	readonly #byName: ReadonlyMap<string, RoleDescriptor>;
	/** By role: all whose rights it has, itself among them. */
	readonly #rights = new Map<number, ReadonlySet<number>>();
	readonly #databaseOwner: number;

	/** `stored`: those that have a row. `databaseOwner`: who pg_database_owner is. */
	constructor(stored: Iterable<RoleDescriptor>, databaseOwner = bootstrapRoleOid) {
		this.#databaseOwner = databaseOwner;
		const byOid = new Map<number, RoleDescriptor>();
		for (const role of [bootstrapRole, ...predefinedRoles, ...stored]) byOid.set(role.oid, role);
		this.#byOid = byOid;
		this.#byName = new Map([...byOid.values()].map((role) => [role.name, role]));
	}

	/** The same roles, seen from a database. */
	whereOwnerIs(databaseOwner: number): Roles {
		return databaseOwner === this.#databaseOwner ? this : new Roles(this.stored(), databaseOwner);
	}

	/** A copy with other rows. */
	with(stored: Iterable<RoleDescriptor>): Roles {
		return new Roles(stored, this.#databaseOwner);
	}

	/** In order of object ids. */
	all(): readonly RoleDescriptor[] {
		return [...this.#byOid.values()].sort((a, b) => a.oid - b.oid);
	}

	/** Those that have a row. */
	stored(): readonly RoleDescriptor[] {
		const without = new Set([bootstrapRole, ...predefinedRoles]);
		return this.all().filter((role) => !without.has(role));
	}

	byOid(oid: number): RoleDescriptor | undefined {
		return this.#byOid.get(oid);
	}

	byName(name: string): RoleDescriptor | undefined {
		return this.#byName.get(name);
	}

	isSuperuser(oid: number): boolean {
		return this.#byOid.get(oid)?.superuser === true;
	}

	/** Whether `oid` has the rights of `other` without further ado: it is that role or inherits from it. */
	hasRightsOf(oid: number, other: number): boolean {
		return this.isSuperuser(oid) || this.rightsOf(oid).has(other);
	}

	/** Whose rights a role has by itself: its own, and through INHERIT those of the roles that it is a member of. */
	rightsOf(oid: number): ReadonlySet<number> {
		let rights = this.#rights.get(oid);
		if (rights === undefined) {
			rights = this.#closure(oid, (role) => role.inherit);
			this.#rights.set(oid, rights);
		}
		return rights;
	}

	/** Whether `oid` is `other`, or a member of it at some remove: it may SET ROLE to it. */
	isMember(oid: number, other: number): boolean {
		return this.isSuperuser(oid) || this.memberships(oid).has(other);
	}

	/** Itself, and all roles that it is a member of at some remove. */
	memberships(oid: number): ReadonlySet<number> {
		return this.#closure(oid, () => true);
	}

	/** Whether `oid` may add members to `other`. */
	isAdmin(oid: number, other: number): boolean {
		if (this.isSuperuser(oid)) return true;
		for (const one of this.memberships(oid)) {
			const granted = this.#byOid.get(one)?.memberOf ?? [];
			if (granted.some(({ roleOid, admin }) => roleOid === other && admin)) return true;
		}
		return false;
	}

	#closure(oid: number, follow: (role: RoleDescriptor) => boolean): ReadonlySet<number> {
		const found = new Set([oid]);
		for (const one of found) {
			const role = this.#byOid.get(one);
			if (role === undefined || !follow(role)) continue;
			for (const { roleOid } of role.memberOf) found.add(roleOid);
			if (one === this.#databaseOwner) found.add(databaseOwnerOid);
		}
		return found;
	}
}

export const undefinedRole = (name: string): DatabaseError =>
	new DatabaseError("42704", `role "${name}" does not exist`);
