/**
 * CREATE, ALTER and DROP DATABASE. A database is a name, an owner and rights: making one is a schema change like any other, and dropping one
 * drops what is in it (S4). Who is connected to it is asked of all nodes; a session that begins meanwhile finds at its next statement that
 * the database is gone (3D000).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { ownerOfDatabase } from "../auth/privileges.ts";
import {
	type DatabaseDescriptor,
	firstDatabaseOid,
	newPublicSchema,
	undefinedDatabase,
} from "../catalog/database.ts";
import type { RoleDescriptor } from "../catalog/role.ts";
import type { DatabaseOption, DatabaseStatement, RoleReference } from "../parser/ast.ts";
import type { SessionStatus } from "../types/cluster-access.ts";
import { aclOfNewOwner } from "./grants.ts";
import { acting, denied, findRole } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";

type Named<K extends DatabaseStatement["kind"]> = Extract<DatabaseStatement, { kind: K }>;

/** The command tag. */
export function changeDatabases(
	editor: SchemaEditor,
	statement: DatabaseStatement,
): Promise<string> {
	switch (statement.kind) {
		case "create-database":
			refuseBlock(editor, "CREATE DATABASE");
			return create(editor, statement);
		case "drop-database":
			refuseBlock(editor, "DROP DATABASE");
			return drop(editor, statement);
		case "rename-database":
			return rename(editor, statement);
		case "alter-database":
			return alter(editor, statement);
	}
}

/** Throws 25001. */
function refuseBlock({ block }: SchemaEditor, what: string): void {
	if (!block.explicit) return;
	throw new DatabaseError("25001", `${what} cannot run inside a transaction block`);
}

async function create(
	editor: SchemaEditor,
	{ name, options }: Named<"create-database">,
): Promise<string> {
	const given = readOptions(editor, options, creating);
	const owner = findRole(
		editor,
		given.owner === undefined ? { kind: "current" } : { kind: "name", name: given.owner },
	);
	if (!mayCreate(editor)) throw denied("permission denied to create database");
	requireMember(editor, owner);
	const oid = await editor.newId();
	await editor.relyOnRoles([owner.oid]);
	await editor.putDatabase({
		kind: "database",
		oid,
		name,
		owner: owner.oid,
		connectionLimit: given.connectionLimit ?? -1,
		allowConnections: given.allowConnections ?? true,
	});
	await editor.putBornSchema(newPublicSchema(await editor.newId(), oid));
	return "CREATE DATABASE";
}

async function drop(
	editor: SchemaEditor,
	{ name, ifExists, force }: Named<"drop-database">,
): Promise<string> {
	const { catalog, state } = editor;
	if (ifExists && catalog.databaseNamed(name) === undefined) {
		state.notice("NOTICE", "00000", `database "${name}" does not exist, skipping`);
		return "DROP DATABASE";
	}
	const database = owned(editor, name, "dropped");
	if (database.oid === state.services.databaseOid) {
		throw new DatabaseError("55006", "cannot drop the currently open database");
	}
	await endOthers(editor, database, force);
	await editor.removeDatabase(database);
	return "DROP DATABASE";
}

async function rename(
	editor: SchemaEditor,
	{ from, to }: Named<"rename-database">,
): Promise<string> {
	const database = owned(editor, from, "renamed");
	if (!mayCreate(editor)) throw denied("permission denied to rename database");
	if (database.oid === editor.state.services.databaseOid) {
		throw new DatabaseError("0A000", "current database cannot be renamed");
	}
	await endOthers(editor, database, false);
	await editor.putDatabase({ ...database, name: to });
	return "ALTER DATABASE";
}

async function alter(
	editor: SchemaEditor,
	{ name, options }: Named<"alter-database">,
): Promise<string> {
	const database = owned(editor, name, "changed");
	const { connectionLimit, allowConnections } = readOptions(editor, options, altering);
	if (allowConnections === false && database.oid === editor.state.services.databaseOid) {
		throw new DatabaseError("22023", "cannot disallow connections for current database");
	}
	await editor.putDatabase({
		...database,
		connectionLimit: connectionLimit ?? database.connectionLimit,
		allowConnections: allowConnections ?? database.allowConnections,
	});
	return "ALTER DATABASE";
}

export async function giveDatabase(
	editor: SchemaEditor,
	name: string,
	to: RoleReference,
): Promise<string> {
	const role = findRole(editor, to);
	const { owner, acl, ...rest } = owned(editor, name, "given to another role");
	requireMember(editor, role);
	if (!mayCreate(editor)) {
		throw denied("permission denied to change owner of database");
	}
	await editor.relyOnRoles([role.oid]);
	const moved = aclOfNewOwner(acl, owner, role.oid);
	await editor.putDatabase({
		...rest,
		owner: role.oid,
		...(moved === undefined ? {} : { acl: moved }),
	});
	return "ALTER DATABASE";
}

function mayCreate(editor: SchemaEditor): boolean {
	const { superuser, createDatabase } = findRole(editor, { kind: "current" });
	return superuser || createDatabase;
}

/** Throws 42501. */
function requireMember(editor: SchemaEditor, role: RoleDescriptor): void {
	if (editor.catalog.roles.isMember(acting(editor).oid, role.oid)) return;
	throw denied(`must be member of role "${role.name}"`);
}

/** Throws 3D000, 42501, and 0A000 of the first one. */
function owned(editor: SchemaEditor, name: string, what: string): DatabaseDescriptor {
	const { catalog } = editor;
	const oid = catalog.databaseNamed(name);
	if (oid === undefined) throw undefinedDatabase(name);
	requireDatabaseOwner(editor, oid);
	const found = catalog.rights(oid);
	if (oid !== firstDatabaseOid && found?.kind === "database") return found;
	throw new DatabaseError("0A000", `database "${name}" cannot be ${what}`, {
		detail: "It is the one that the cluster was born with.",
		hint: "Create another database and use that.",
	});
}

/** Throws 42501. */
export function requireDatabaseOwner(editor: SchemaEditor, database: number): void {
	const { catalog } = editor;
	const owner = ownerOfDatabase(catalog, database);
	if (catalog.roles.hasRightsOf(acting(editor).oid, owner)) return;
	throw denied(`must be owner of database ${catalog.databaseName(database)}`);
}

/** Throws 55006 where others are connected and are not to be ended. */
async function endOthers(
	{ state }: SchemaEditor,
	{ oid, name }: DatabaseDescriptor,
	force: boolean,
): Promise<void> {
	const { cluster } = state.services;
	const { nodes } = await cluster.activity();
	const isThere = ({ database }: SessionStatus): boolean => database === oid;
	const others = nodes.flatMap(({ sessions }) => sessions.filter(isThere));
	if (others.length === 0) return;
	if (!force) {
		const count = others.length;
		throw new DatabaseError("55006", `database "${name}" is being accessed by other users`, {
			detail:
				count === 1
					? "There is 1 other session using the database."
					: `There are ${count} other sessions using the database.`,
		});
	}
	for (const { process } of others) await cluster.signal(process, "terminate");
}

interface Options {
	readonly owner?: string;
	readonly connectionLimit?: number;
	readonly allowConnections?: boolean;
}

type Reader = (editor: SchemaEditor, value: string | undefined, name: string) => Options;

const altering: Readonly<Record<string, Reader>> = {
	connection_limit: (_editor, value) => {
		const limit = value === undefined ? -1 : Number(value);
		if (!Number.isInteger(limit) || limit < -1) {
			throw new DatabaseError("22023", `invalid connection limit: ${value}`);
		}
		return { connectionLimit: limit };
	},
	allow_connections: (_editor, value = "true") => ({ allowConnections: boolean(value) }),
	is_template: (_editor, value = "false") => {
		if (!boolean(value)) return {};
		throw new DatabaseError("0A000", "databases as templates are not supported", {
			hint: "Restore a backup or a dump into a new database.",
		});
	},
	tablespace: only(["pg_default"], "tablespaces", "ALTER TABLE ... CONFIGURE says where rows are."),
};

const byBytes = "Text is ordered by its bytes.";

const creating: Readonly<Record<string, Reader>> = {
	...altering,
	owner: (_editor, value) => (value === undefined ? {} : { owner: value }),
	template: (editor, value = "template1") => {
		if (/^template[01]$/.test(value)) return {};
		if (editor.catalog.databaseNamed(value) === undefined) {
			throw new DatabaseError("3D000", `template database "${value}" does not exist`);
		}
		throw new DatabaseError("0A000", "copying a database is not supported", {
			hint: "Restore a backup or a dump into a new database.",
		});
	},
	encoding: (_editor, value = "UTF8") => {
		if (/^(utf-?8|unicode|6)$/i.test(value)) return {};
		throw new DatabaseError("0A000", `encoding "${value}" is not supported`, {
			hint: "All databases are UTF8.",
		});
	},
	locale: collation,
	lc_collate: collation,
	lc_ctype: collation,
	locale_provider: only(["libc"], "locale providers other than libc", byBytes),
	icu_locale: only([], "ICU locales", byBytes),
	strategy: only(
		["wal_log", "file_copy"],
		"other strategies",
		"Leave STRATEGY out: no database is copied.",
	),
	collation_version: () => ({}),
	oid(_editor, value) {
		if (value === undefined || Number(value) < 16_384) {
			throw new DatabaseError("22023", "OIDs less than 16384 are reserved for system objects");
		}
		throw new DatabaseError("0A000", "choosing the OID of a database is not supported", {
			hint: "Leave OID out: each database gets one of its own.",
		});
	},
};

/** Said, and not refused: dumps of whole databases of PostgreSQL have it. */
function collation({ state }: SchemaEditor, value = "C", name: string): Options {
	if (/^(c|posix|c\.utf-?8)$/i.test(value)) return {};
	state.notice("WARNING", "01000", `${name} "${value}" is not there: text is ordered by its bytes`);
	return {};
}

function only(values: readonly string[], what: string, hint: string): Reader {
	return (_editor, value) => {
		if (value === undefined || values.includes(value.toLowerCase())) return {};
		throw new DatabaseError("0A000", `${what} are not supported`, { hint });
	};
}

/** Throws 22023. */
function boolean(value: string): boolean {
	if (/^(true|on|1)$/i.test(value)) return true;
	if (/^(false|off|0)$/i.test(value)) return false;
	throw new DatabaseError("42601", `"${value}" is not a Boolean value`);
}

/** Throws 42601. */
function readOptions(
	editor: SchemaEditor,
	given: readonly DatabaseOption[],
	readers: Readonly<Record<string, Reader>>,
): Options {
	let all: Options = {};
	const seen = new Set<string>();
	for (const { name, value, at } of given) {
		const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
		const place = { position: at + 1 };
		if (reader === undefined) {
			throw new DatabaseError("42601", `option "${name}" not recognized`, place);
		}
		if (seen.has(name)) {
			throw new DatabaseError("42601", "conflicting or redundant options", place);
		}
		seen.add(name);
		all = { ...all, ...reader(editor, value, name) };
	}
	return all;
}
