/**
 * Who a session acts as: the role that it logged in with, what SET SESSION AUTHORIZATION made of that, and SET ROLE. Both are
 * settings, so that they end with SET LOCAL and with a rollback as PostgreSQL's do; a name stands for the role that bore it when
 * it was set, whatever has been renamed or made anew since.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type RoleDescriptor, type Roles, undefinedRole } from "../catalog/role.ts";
import type { Settings } from "./settings.ts";

/** No role has it: one that was dropped has no rights. */
const nobody = -1;

export class SessionIdentity {
	/** Who was let in. */
	readonly authenticatedOid: number;
	readonly #settings: Settings;
	readonly #oids = new Map<string, number>();
	#current = { version: -1, oid: nobody };

	constructor(settings: Settings, role: RoleDescriptor) {
		this.#settings = settings;
		this.authenticatedOid = role.oid;
		this.#oids.set(role.name, role.oid);
		settings.force("session_authorization", role.name);
		settings.force("is_superuser", role.superuser ? "on" : "off");
	}

	get sessionName(): string {
		return this.#settings.value("session_authorization");
	}

	get sessionOid(): number {
		return this.#oids.get(this.sessionName) ?? nobody;
	}

	get currentName(): string {
		const role = this.#settings.value("role");
		return role === "none" ? this.sessionName : role;
	}

	/** Asked for with each statement. */
	get currentOid(): number {
		const { version } = this.#settings;
		if (this.#current.version !== version) {
			this.#current = { version, oid: this.#oids.get(this.currentName) ?? nobody };
		}
		return this.#current.oid;
	}

	/** Undefined or "none": the session's own. Throws 22023, 42501. */
	setRole(roles: Roles, name: string | undefined, local: boolean): void {
		const role = this.#known(roles, name === "none" ? undefined : name);
		if (role !== undefined && !roles.isMember(this.sessionOid, role.oid)) {
			throw new DatabaseError("42501", `permission denied to set role "${role.name}"`);
		}
		this.#settings.assume("role", role?.name ?? "none", local);
		this.#tellWhetherSuperuser(roles, local);
	}

	/** Undefined: who was let in. Throws 22023, 42501. */
	setSession(roles: Roles, name: string | undefined, local: boolean): void {
		const role = this.#known(roles, name);
		const isOther = role !== undefined && role.oid !== this.authenticatedOid;
		if (isOther && !roles.isSuperuser(this.authenticatedOid)) {
			throw new DatabaseError(
				"42501",
				`permission denied to set session authorization "${role.name}"`,
			);
		}
		this.#settings.assume("session_authorization", role?.name, local);
		this.#settings.assume("role", "none", local);
		this.#tellWhetherSuperuser(roles, local);
	}

	/** For a part of a statement, which then restores the settings. */
	assume(role: RoleDescriptor): void {
		this.#oids.set(role.name, role.oid);
		this.#settings.assume("role", role.name, true);
	}

	#known(roles: Roles, name: string | undefined): RoleDescriptor | undefined {
		if (name === undefined) return undefined;
		const role = roles.byName(name);
		if (role === undefined) {
			const { message } = undefinedRole(name);
			throw new DatabaseError("22023", message);
		}
		this.#oids.set(role.name, role.oid);
		return role;
	}

	#tellWhetherSuperuser(roles: Roles, local: boolean): void {
		const value = roles.isSuperuser(this.currentOid) ? "on" : "off";
		this.#settings.assume("is_superuser", value, local);
	}
}
