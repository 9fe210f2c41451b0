/** has_*_privilege and pg_has_role: what somebody may do, asked in SQL; and access control lists as their columns show them. */

import { DatabaseError } from "@quorate/keys/database-error";
import { dictionary } from "@quorate/keys/dictionary";
import {
	aclOf,
	aclOfDatabase,
	hasAnyColumnRight,
	hasColumnRight,
	hasDatabaseRight,
	hasSchemaRight,
	hasTableRight,
	hasTypeRight,
	ownerOf,
	ownerOfDatabase,
} from "../auth/privileges.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import { arrayOf } from "../types/array-values.ts";
import type { Datum } from "../types/datum.ts";
import { namedOid } from "../types/made-oids.ts";
import type { FunctionContext } from "../types/registry.ts";
import { type Acl, aclItemText, grantableFor, letterOf, lettersOf, ordered } from "./acl.ts";
import { undefinedDatabase } from "./database.ts";
import { hasColumns, type RelationDescriptor } from "./descriptor.ts";
import { publicRoleOid, undefinedRole } from "./role.ts";
import { aclOfSchema, isSystemSchema, type SchemaDescriptor, schemaOwner } from "./schema.ts";
import type { CatalogSnapshot } from "./snapshot.ts";
import * as lookup from "./system-lookup.ts";
import { relationByOid } from "./system-names.ts";
import { typeDescriptor } from "./type-names.ts";

interface Call {
	readonly catalog: CatalogSnapshot;
	readonly context: FunctionContext;
	readonly args: readonly Datum[];
}
type Body = (call: Call) => Datum;

/** As relacl and its kin show a list; NULL: the default one. */
export const aclDatum = (catalog: CatalogSnapshot, acl: Acl | undefined): Datum =>
	acl === undefined || acl.length === 0
		? null
		: arrayOf(acl.map((item) => aclItemText(item, (oid) => roleText(catalog, oid))));

const roleText = (catalog: CatalogSnapshot, oid: number): string =>
	quoteIdentifier(catalog.roles.byOid(oid)?.name ?? String(oid));

/** Whose rights are asked for: the first of `own` more arguments than there have to be, else the current role. Throws 42704. */
function roleOf({ catalog, context, args }: Call, count: number): number {
	if (args.length < count + 1) return context.currentRole;
	const [role] = args;
	if (typeof role === "number") return role;
	if (role === "public") return publicRoleOid;
	const found = catalog.roles.byName(String(role));
	if (found === undefined) throw undefinedRole(String(role));
	return found.oid;
}

interface Asked {
	readonly name: string;
	readonly grantable: boolean;
}

/** `SELECT, UPDATE WITH GRANT OPTION`: one of them suffices. Throws 22023. */
function askedRights(text: string, letters: string): readonly Asked[] {
	return text.split(",").map((part) => {
		const [, name = "", option] = /^\s*(.*?)(\s+with\s+grant\s+option)?\s*$/i.exec(part) ?? [];
		const letter = letterOf(name);
		if (letter === undefined || !letters.includes(letter)) {
			throw new DatabaseError("22023", `unrecognized privilege type: "${name}"`);
		}
		return { name: name.toUpperCase(), grantable: option !== undefined };
	});
}

const mayGrant = (
	catalog: CatalogSnapshot,
	oid: number,
	owner: number,
	acl: Acl,
	{ name }: Asked,
): boolean =>
	catalog.roles.hasRightsOf(oid, owner) ||
	grantableFor(acl, catalog.roles.rightsOf(oid)).includes(letterOf(name)!);

type Check = (relation: RelationDescriptor, oid: number, asked: Asked) => boolean;

/** `table`: the position, counted from the end, of the argument that names it. */
function onRelation(call: Call, table: number, letters: string, check: Check): Datum {
	const { catalog, context, args } = call;
	const target = args[args.length - table];
	const relationOid =
		typeof target === "string"
			? lookup.requireRelation(catalog, context, target)
			: (target as number);
	const oid = roleOf(call, table);
	const rights = askedRights(String(args.at(-1)), letters);
	const relation = catalog.relation(relationOid);
	if (relation !== undefined) return rights.some((asked) => check(relation, oid, asked));
	const named = relationByOid(catalog, relationOid);
	if (named === undefined) return null;
	// Tables of the catalog can be read, but for those with passwords in them.
	const isSecret = named.name === "pg_authid" || named.name === "pg_shadow";
	const isRead = rights.some(({ name, grantable }) => name === "SELECT" && !grantable);
	return catalog.roles.isSuperuser(oid) || (isRead && !isSecret);
}

const wholeTable =
	(letters: string): Body =>
	(call) =>
		onRelation(call, 2, letters, (relation, oid, asked) =>
			asked.grantable
				? mayGrant(call.catalog, oid, ownerOf(relation), aclOf(relation), asked)
				: hasTableRight(call.catalog, oid, relation, asked.name),
		);

const columnPrivilege: Body = (call) => {
	const column = call.args[call.args.length - 2];
	return onRelation(call, 3, "arwx", (relation, oid, asked) => {
		const found = !hasColumns(relation)
			? undefined
			: relation.columns.find(
					(one) => !one.dropped && (one.name === column || one.attnum === column),
				);
		if (found === undefined) {
			throw new DatabaseError(
				"42703",
				`column "${column}" of relation "${relation.name}" does not exist`,
			);
		}
		if (!asked.grantable) {
			return hasColumnRight(call.catalog, oid, relation, found.attnum, asked.name);
		}
		const acl = [...aclOf(relation), ...(found.acl ?? [])];
		return mayGrant(call.catalog, oid, ownerOf(relation), acl, asked);
	});
};

function onDatabase(call: Call, database: number): boolean {
	const oid = roleOf(call, 2);
	const { catalog } = call;
	return askedRights(String(call.args.at(-1)), lettersOf.database).some((asked) => {
		if (!asked.grantable) return hasDatabaseRight(catalog, oid, asked.name, database);
		const owner = ownerOfDatabase(catalog, database);
		return mayGrant(catalog, oid, owner, aclOfDatabase(catalog, database), asked);
	});
}

function onSchema(call: Call, schema: SchemaDescriptor): boolean {
	const oid = roleOf(call, 2);
	const { catalog } = call;
	return askedRights(String(call.args.at(-1)), lettersOf.schema).some((asked) => {
		if (!asked.grantable) return hasSchemaRight(catalog, oid, schema, asked.name);
		return mayGrant(catalog, oid, schemaOwner(schema), aclOfSchema(schema), asked);
	});
}

const schemaPrivilege: Body = (call) => {
	const target = call.args[call.args.length - 2];
	const { schemas } = call.catalog;
	const schema =
		typeof target === "number" ? schemas.byOid(target) : schemas.byName(String(target));
	if (schema === undefined) {
		if (typeof target !== "string") return null;
		throw new DatabaseError("3F000", `schema "${target}" does not exist`);
	}
	if (!isSystemSchema(schema.name)) return onSchema(call, schema);
	// Those of the system can be used, and nothing be made in them.
	const rights = askedRights(String(call.args.at(-1)), lettersOf.schema);
	const isUse = rights.some(({ name, grantable }) => name === "USAGE" && !grantable);
	return isUse || call.catalog.roles.isSuperuser(roleOf(call, 2));
};

const databasePrivilege: Body = (call) => {
	const target = call.args[call.args.length - 2];
	const { catalog } = call;
	const isOid = typeof target === "number";
	const database = isOid ? target : catalog.databaseNamed(String(target));
	if (database !== undefined && catalog.databaseName(database) !== undefined) {
		return onDatabase(call, database);
	}
	if (isOid) return null;
	throw undefinedDatabase(String(target));
};

const roleMembership: Body = (call) => {
	const { catalog, args } = call;
	const target = args[args.length - 2];
	const found =
		typeof target === "number" ? catalog.roles.byOid(target) : catalog.roles.byName(String(target));
	if (found === undefined) {
		if (typeof target === "number") return null;
		throw undefinedRole(String(target));
	}
	const oid = roleOf(call, 2);
	return String(args.at(-1))
		.split(",")
		.some((part) => {
			const [, what = "", option] =
				/^\s*(\w+)(\s+with\s+(?:admin|grant)\s+option)?\s*$/i.exec(part) ?? [];
			const kind = what.toUpperCase();
			if (kind !== "MEMBER" && kind !== "USAGE") {
				throw new DatabaseError("22023", `unrecognized privilege type: "${part.trim()}"`);
			}
			if (option !== undefined) return catalog.roles.isAdmin(oid, found.oid);
			return kind === "MEMBER"
				? catalog.roles.isMember(oid, found.oid)
				: catalog.roles.hasRightsOf(oid, found.oid);
		});
};

/** acldefault's kinds of objects: what the owner has, and everybody. */
const defaultRights: Readonly<Record<string, readonly [own: string, all: string]>> = {
	c: ["", ""],
	r: [lettersOf.table, ""],
	s: [lettersOf.sequence, ""],
	d: [lettersOf.database, "Tc"],
	f: ["X", "X"],
	l: ["U", "U"],
	L: ["rw", ""],
	n: [lettersOf.schema, ""],
	p: ["sA", ""],
	t: ["C", ""],
	F: ["U", ""],
	S: ["U", ""],
	T: ["U", "U"],
};

const defaultList: Body = ({ catalog, args }) => {
	const [kind, owner] = args as readonly [string, number];
	const rights = Object.hasOwn(defaultRights, kind) ? defaultRights[kind] : undefined;
	if (rights === undefined) {
		throw new DatabaseError("XX000", `unrecognized objtype abbreviation: ${kind}`);
	}
	const [own, all] = rights;
	const item = (grantee: number, letters: string): Acl =>
		letters === "" ? [] : [{ grantee, grantor: owner, rights: ordered(letters), grantable: "" }];
	const acl = [...item(publicRoleOid, all), ...item(owner, own)];
	return acl.length === 0 ? arrayOf([]) : aclDatum(catalog, acl);
};

/** Functions and languages: everybody may use them, and nothing else can be done to them. Likewise the system's types. */
const everybody: Body = () => true;

const typePrivilege: Body = (call) => {
	const { catalog, context, args } = call;
	const target = args[args.length - 2];
	const found = typeof target === "string" ? lookup.lookupType(catalog, context, target) : target;
	const oid = roleOf(call, 2);
	const rights = askedRights(String(args.at(-1)), lettersOf.type);
	const named = namedOid(found as number);
	const type = typeDescriptor(catalog, named);
	if (type === undefined) return true;
	return rights.some((asked) =>
		asked.grantable
			? mayGrant(catalog, oid, ownerOf(type), aclOf(type), asked)
			: hasTypeRight(catalog, oid, type),
	);
};

export const privilegeFunctions: Readonly<Record<string, Body>> = dictionary({
	has_table_privilege: wholeTable(lettersOf.table),
	has_sequence_privilege: wholeTable(lettersOf.sequence),
	has_any_column_privilege: (call) =>
		onRelation(call, 2, "arwx", (relation, oid, { name }) =>
			hasAnyColumnRight(call.catalog, oid, relation, name),
		),
	has_column_privilege: columnPrivilege,
	has_schema_privilege: schemaPrivilege,
	has_database_privilege: databasePrivilege,
	has_function_privilege: everybody,
	has_tablespace_privilege: everybody,
	has_type_privilege: typePrivilege,
	has_language_privilege: everybody,
	pg_has_role: roleMembership,
	acldefault: defaultList,
});
