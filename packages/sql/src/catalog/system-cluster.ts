/** The tables of pg_catalog that describe the database, its roles and settings. */
import { arrayOf } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import type { DefaultRights } from "./acl.ts";
import { firstDatabaseOid } from "./database.ts";
import type { RoleDescriptor, SettingValues } from "./role.ts";
import { aclOfSchema, isForAll, schemaOwner } from "./schema.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import {
	ownerOid,
	pgAuthidOid,
	pgDatabaseOid,
	pgNamespaceOid,
	utf8Encoding,
} from "./system-names.ts";
import { aclDatum } from "./system-privileges.ts";
import type { SystemRow } from "./system-table.ts";

const defaultTablespaceOid = 1663;

export const namespaceRows = (catalog: CatalogSnapshot): SystemRow[] =>
	catalog.schemas.all().map((schema) => ({
		oid: schema.oid,
		nspname: schema.name,
		nspowner: schemaOwner(schema),
		// Other schemas are shown without the list that everybody expects.
		nspacl: aclDatum(catalog, isForAll(schema) ? aclOfSchema(schema) : schema.acl),
	}));

/** What a cluster is born with, so that pg_dump does not take it for somebody's GRANT. */
export const initialPrivilegeRows = (catalog: CatalogSnapshot): SystemRow[] =>
	catalog.schemas.born().map((schema) => ({
		objoid: schema.oid,
		classoid: pgNamespaceOid,
		privtype: "i",
		initprivs: aclDatum(catalog, aclOfSchema(schema)),
	}));

export const databaseRows = (catalog: CatalogSnapshot): SystemRow[] =>
	[firstDatabaseOid, ...catalog.otherDatabases().map(({ oid }) => oid)].map((oid) => {
		const rights = catalog.rights(oid);
		const own = rights?.kind === "database" ? rights : undefined;
		return {
			oid,
			datname: catalog.databaseName(oid) ?? null,
			datdba: own?.owner ?? ownerOid,
			datacl: aclDatum(catalog, rights?.acl),
			encoding: utf8Encoding,
			datlocprovider: "c",
			datallowconn: own?.allowConnections ?? true,
			datconnlimit: own?.connectionLimit ?? -1,
			dattablespace: defaultTablespaceOid,
			datcollate: "C",
			datctype: "C",
		};
	});

export const tablespaceRows = (): SystemRow[] => [
	{ oid: defaultTablespaceOid, spcname: "pg_default", spcowner: ownerOid },
	{ oid: 1664, spcname: "pg_global", spcowner: ownerOid },
];

const roleRow = (role: RoleDescriptor): SystemRow => ({
	oid: role.oid,
	rolname: role.name,
	rolsuper: role.superuser,
	rolinherit: role.inherit,
	rolcreaterole: role.createRole,
	rolcreatedb: role.createDatabase,
	rolcanlogin: role.login,
	rolreplication: role.replication,
	rolconnlimit: role.connectionLimit,
	rolvaliduntil: role.validUntil === undefined ? null : BigInt(role.validUntil),
	rolbypassrls: role.bypassRowSecurity,
	rolconfig: configDatum(role.settings?.everywhere),
});

const configDatum = (values: SettingValues | undefined): Datum =>
	values === undefined
		? null
		: arrayOf(Object.entries(values).map(([name, value]) => `${name}=${value}`));

/** Comments on what all databases share. */
export function* sharedDescriptionRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	const databases = [catalog.rights(firstDatabaseOid), ...catalog.otherDatabases()];
	for (const row of databases) {
		if (row?.comment === undefined) continue;
		yield { objoid: row.oid, classoid: pgDatabaseOid, description: row.comment };
	}
	for (const { oid, comment } of catalog.roles.all()) {
		if (comment === undefined) continue;
		yield { objoid: oid, classoid: pgAuthidOid, description: comment };
	}
}

/** Of all roles: role 0; wherever: database 0. */
export function* initialSettingRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	const ofAll = { oid: 0, settings: catalog.rights(firstDatabaseOid)?.settings };
	for (const { oid: setrole, settings } of [ofAll, ...catalog.roles.all()]) {
		const { everywhere, inDatabase, elsewhere } = settings ?? {};
		if (everywhere) yield { setdatabase: 0, setrole, setconfig: configDatum(everywhere) };
		if (inDatabase) {
			yield { setdatabase: firstDatabaseOid, setrole, setconfig: configDatum(inDatabase) };
		}
		for (const { oid: setdatabase } of catalog.otherDatabases()) {
			const values = elsewhere?.[setdatabase];
			if (values) yield { setdatabase, setrole, setconfig: configDatum(values) };
		}
	}
	for (const { oid: setdatabase, settings } of catalog.otherDatabases()) {
		const { inDatabase } = settings ?? {};
		if (inDatabase) yield { setdatabase, setrole: 0, setconfig: configDatum(inDatabase) };
	}
}

const objectTypes: Readonly<Record<DefaultRights["on"], string>> = {
	table: "r",
	sequence: "S",
	function: "f",
	type: "T",
	schema: "n",
};

export function* defaultRightsRows(catalog: CatalogSnapshot): Iterable<SystemRow> {
	for (const role of catalog.roles.stored()) {
		for (const { oid, on, schema, acl } of role.defaults ?? []) {
			yield {
				oid,
				defaclrole: role.oid,
				defaclnamespace: schema ?? 0,
				defaclobjtype: objectTypes[on],
				defaclacl: acl.length === 0 ? arrayOf([]) : aclDatum(catalog, acl),
			};
		}
	}
}

/** pg_authid: superusers only (`auth/authorize.ts`). */
export const authorizationRows = (catalog: CatalogSnapshot): SystemRow[] =>
	catalog.roles.all().map((role) => ({ ...roleRow(role), rolpassword: role.verifier ?? null }));

export const roleRows = (catalog: CatalogSnapshot): SystemRow[] =>
	catalog.roles.all().map((role) => ({ ...roleRow(role), rolpassword: "********" }));

const userRow = (role: RoleDescriptor): SystemRow => ({
	usename: role.name,
	usesysid: role.oid,
	usecreatedb: role.createDatabase,
	usesuper: role.superuser,
	userepl: role.replication,
	usebypassrls: role.bypassRowSecurity,
	valuntil: role.validUntil === undefined ? null : BigInt(role.validUntil),
	useconfig: configDatum(role.settings?.everywhere),
});

const users = (catalog: CatalogSnapshot): RoleDescriptor[] =>
	catalog.roles.all().filter((role) => role.login);

export const userRows = (catalog: CatalogSnapshot): SystemRow[] =>
	users(catalog).map((role) => ({ ...userRow(role), passwd: "********" }));

/** pg_shadow: superusers only. */
export const shadowRows = (catalog: CatalogSnapshot): SystemRow[] =>
	users(catalog).map((role) => ({ ...userRow(role), passwd: role.verifier ?? null }));

export const groupRows = (catalog: CatalogSnapshot): SystemRow[] =>
	catalog.roles
		.all()
		.filter((role) => !role.login)
		.map((group) => ({
			groname: group.name,
			grosysid: group.oid,
			grolist: arrayOf(
				catalog.roles
					.all()
					.filter((role) => role.memberOf.some(({ roleOid }) => roleOid === group.oid))
					.map((role) => role.oid),
			),
		}));

export const membershipRows = (catalog: CatalogSnapshot): SystemRow[] =>
	catalog.roles.all().flatMap((role) =>
		role.memberOf.map(({ roleOid, admin, grantorOid }) => ({
			roleid: roleOid,
			member: role.oid,
			grantor: grantorOid,
			admin_option: admin,
		})),
	);
