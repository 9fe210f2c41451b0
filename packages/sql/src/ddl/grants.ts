/** GRANT and REVOKE on objects. Lists are kept with what they are about, and made explicit by the first change. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	aclOf,
	aclOfDatabase,
	grantable,
	kindOf,
	ownerOf,
	ownerOfDatabase,
	rightsOfDatabase,
} from "../auth/privileges.ts";
import {
	type Acl,
	columnLetters,
	dependents,
	letterOf,
	lettersFor,
	lettersOf,
	nameOfLetter,
	type ObjectKind,
	ordered,
	withGrant,
	withoutGrant,
} from "../catalog/acl.ts";
import { undefinedDatabase } from "../catalog/database.ts";
import {
	hasColumns,
	type RelationDescriptor,
	type TableDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import { publicRoleOid } from "../catalog/role.ts";
import {
	aclOfSchema,
	isSystemSchema,
	type SchemaDescriptor,
	schemaOwner,
} from "../catalog/schema.ts";
import { relationOf } from "../catalog/snapshot.ts";
import type { QualifiedName, Right, RoleStatement } from "../parser/ast.ts";
import { findObject } from "./drop.ts";
import { typeNamed } from "./enums.ts";
import { acting, findGrantee } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { schemaNamed } from "./schemas.ts";
import { columnNamed } from "./table-parts.ts";

type Grant = Extract<RoleStatement, { kind: "grant" }>;

interface Change {
	readonly statement: Grant;
	/** OIDs; 0: PUBLIC. */
	readonly grantees: readonly number[];
}

export async function changeRights(editor: SchemaEditor, statement: Grant): Promise<string> {
	const grantees = statement.grantees.map((reference) => findGrantee(editor, reference));
	if (statement.grantable && statement.verb === "grant" && grantees.includes(publicRoleOid)) {
		throw new DatabaseError("0LP01", "grant options can only be granted to roles");
	}
	await editor.relyOnRoles(grantees.filter((oid) => oid !== publicRoleOid));
	const change = { statement, grantees };
	const { target } = statement;
	switch (target.kind) {
		case "schema":
			for (const name of target.names) await changeSchema(editor, change, name);
			break;
		case "database":
			for (const name of target.names) await changeDatabase(editor, change, name);
			break;
		case "type":
		case "domain":
			for (const name of target.names) await changeType(editor, change, name, target.kind);
			break;
		case "all tables":
		case "all sequences":
			await changeAll(editor, change, target.kind === "all tables" ? "table" : "sequence");
			break;
		default:
			for (const name of target.names) {
				await changeRelation(editor, change, relationNamed(editor, name, target.kind));
			}
	}
	return statement.verb.toUpperCase();
}

async function changeAll(
	editor: SchemaEditor,
	change: Change,
	kind: "table" | "sequence",
): Promise<void> {
	const schemas = change.statement.target.names.map((name) => changeable(editor, name).name);
	for (const relation of editor.catalog.relations()) {
		if (kindOf(relation) === kind && schemas.includes(relation.schema)) {
			await changeRelation(editor, change, relation);
		}
	}
}

/** Throws 0A000, 3F000. */
function changeable(editor: SchemaEditor, name: QualifiedName): SchemaDescriptor {
	const schema = schemaNamed(editor, name);
	if (!isSystemSchema(schema.name)) return schema;
	throw new DatabaseError("0A000", `rights on schema "${schema.name}" cannot be changed`, {
		hint: "Everybody may look things up in it.",
	});
}

function relationNamed(
	editor: SchemaEditor,
	name: QualifiedName,
	kind: "table" | "sequence",
): RelationDescriptor {
	const found = findObject(editor, name);
	const shown = name.parts.at(-1)!;
	if (found === undefined) {
		throw new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);
	}
	if (found.kind === "index") throw new DatabaseError("42809", `"${shown}" is an index`);
	// GRANT ... ON t is about whatever t is; GRANT ... ON SEQUENCE is not.
	if (kind === "sequence" && found.kind !== "sequence") {
		throw new DatabaseError("42809", `"${shown}" is not a sequence`);
	}
	return relationOf(found);
}

/** Throws 42601, 0LP01. */
export function lettersOfRight(right: Right, kind: ObjectKind): string {
	const all = right.columns.length > 0 ? columnLetters : lettersOf[kind];
	if (right.name === "all") return all;
	const letter = letterOf(right.name);
	if (letter === undefined) {
		throw new DatabaseError("42601", `unrecognized privilege type "${right.name}"`);
	}
	if (!all.includes(letter)) {
		const what = right.columns.length > 0 ? "column" : kind === "table" ? "relation" : kind;
		throw new DatabaseError("0LP01", `invalid privilege type ${nameOfLetter(letter)} for ${what}`);
	}
	return letter;
}

const wholeLetters = (change: Change, kind: ObjectKind): string =>
	ordered(
		change.statement.rights
			.filter((right) => right.columns.length === 0)
			.map((right) => lettersOfRight(right, kind))
			.join(""),
	);

async function changeRelation(
	editor: SchemaEditor,
	change: Change,
	relation: RelationDescriptor,
): Promise<void> {
	const kind: ObjectKind = relation.kind === "sequence" ? "sequence" : "table";
	const owner = ownerOf(relation);
	const letters = wholeLetters(change, kind);
	const object = { kind, name: relation.name, owner, all: lettersOf[kind] };
	let changed = relation;
	if (letters !== "") {
		changed = { ...changed, acl: changedAcl(editor, change, object, aclOf(relation), letters) };
	}
	const byColumn = change.statement.rights.filter((right) => right.columns.length > 0);
	if (byColumn.length > 0) {
		if (!hasColumns(changed)) {
			throw new DatabaseError("0LP01", `column privileges are only valid for relations`);
		}
		changed = changedColumns(editor, change, object, changed, byColumn);
	}
	await editor.put(changed, "right");
}

/** Throws 42703. */
function changedColumns<T extends TableDescriptor | ViewDescriptor>(
	editor: SchemaEditor,
	change: Change,
	object: Granted,
	table: T,
	rights: readonly Right[],
): T {
	let { columns } = table as TableDescriptor | ViewDescriptor;
	for (const right of rights) {
		const letters = lettersOfRight(right, "table");
		for (const name of right.columns) {
			const { attnum } = columnNamed(table, name);
			columns = columns.map((column) => {
				if (column.attnum !== attnum) return column;
				const of = { ...object, all: columnLetters, whole: aclOf(table) };
				const acl = changedAcl(editor, change, of, column.acl ?? [], letters);
				const { acl: _before, ...rest } = column;
				return acl.length === 0 ? rest : { ...rest, acl };
			});
		}
	}
	return { ...table, columns };
}

/** Throws 42704, 42809, 0A000. */
async function changeType(
	editor: SchemaEditor,
	change: Change,
	name: QualifiedName,
	kind: "type" | "domain",
): Promise<void> {
	const type = typeNamed(editor, name, "is a type of the system: its rights cannot be changed");
	if (kind === "domain" && type.of !== "domain") {
		throw new DatabaseError("42809", `"${type.name}" is not a domain`);
	}
	const object = {
		kind: "type",
		name: type.name,
		owner: ownerOf(type),
		all: lettersOf.type,
	} as const;
	const acl = changedWhole(editor, change, object, aclOf(type));
	await editor.put({ ...type, acl }, "right");
}

async function changeSchema(
	editor: SchemaEditor,
	change: Change,
	name: QualifiedName,
): Promise<void> {
	const schema = changeable(editor, name);
	const owner = schemaOwner(schema);
	const object = { kind: "schema", name: schema.name, owner, all: lettersOf.schema } as const;
	const acl = changedWhole(editor, change, object, aclOfSchema(schema));
	await editor.putSchema({ ...schema, acl });
}

async function changeDatabase(
	editor: SchemaEditor,
	change: Change,
	name: QualifiedName,
): Promise<void> {
	const { catalog } = editor;
	const database = name.parts.join(".");
	const oid = catalog.databaseNamed(database);
	if (oid === undefined) throw undefinedDatabase(database);
	const owner = ownerOfDatabase(catalog, oid);
	const object = { kind: "database", name: database, owner, all: lettersOf.database } as const;
	const acl = changedWhole(editor, change, object, aclOfDatabase(catalog, oid));
	await editor.putRights({ ...rightsOfDatabase(catalog, oid), acl });
}

/** Of what has no columns. */
function changedWhole(editor: SchemaEditor, change: Change, object: Granted, acl: Acl): Acl {
	if (change.statement.rights.some((right) => right.columns.length > 0)) {
		throw new DatabaseError("0LP01", "column privileges are only valid for relations");
	}
	return changedAcl(editor, change, object, acl, wholeLetters(change, object.kind));
}

interface Granted {
	readonly kind: ObjectKind;
	readonly name: string;
	readonly owner: number;
	/** Every right that there is for it. */
	readonly all: string;
	/** Of a column: the table's list, whose grant options hold for it, too. */
	readonly whole?: Acl;
}

function changedAcl(
	editor: SchemaEditor,
	change: Change,
	object: Granted,
	acl: Acl,
	letters: string,
): Acl {
	const { statement, grantees } = change;
	const who = acting(editor).oid;
	const { catalog } = editor;
	// As in PostgreSQL, whoever has the owner's rights grants as the owner.
	const isAsOwner = catalog.roles.hasRightsOf(who, object.owner);
	const grantor = isAsOwner ? object.owner : who;
	const everything = [...acl, ...(object.whole ?? [])];
	const may = grantable(catalog, who, object.owner, everything, object.all);
	const allowed = [...letters].filter((letter) => may.includes(letter)).join("");
	if (allowed === "") {
		const has = lettersFor(everything, catalog.roles.rightsOf(who));
		if (has === "" && !isAsOwner) {
			throw new DatabaseError("42501", `permission denied for ${object.kind} ${object.name}`);
		}
	}
	if (allowed.length < letters.length) {
		const verb = statement.verb === "grant" ? "granted" : "could be revoked";
		const code = statement.verb === "grant" ? "01007" : "01006";
		const what = allowed === "" ? "no privileges were" : "not all privileges were";
		const none = allowed === "" ? "no privileges" : "not all privileges";
		editor.state.notice(
			"WARNING",
			code,
			verb === "granted"
				? `${what} granted for "${object.name}"`
				: `${none} could be revoked for "${object.name}"`,
		);
	}
	if (allowed === "") return acl;
	let changed = acl;
	for (const grantee of grantees) {
		changed =
			statement.verb === "grant"
				? withGrant(changed, {
						grantee,
						grantor,
						rights: allowed,
						// The owner always may: it needs no option.
						grantable: statement.grantable && grantee !== object.owner ? allowed : "",
					})
				: withoutGrant(changed, grantee, grantor, allowed, statement.grantable);
	}
	return statement.verb === "grant" ? changed : withoutDependents(change, object, changed);
}

/** What was granted on by whoever may not any more. Throws 2BP01. */
function withoutDependents({ statement }: Change, object: Granted, acl: Acl): Acl {
	let rest = acl;
	for (;;) {
		const lost = dependents([...rest, ...(object.whole ?? [])], object.owner).filter((item) =>
			rest.some(({ grantee, grantor }) => grantee === item.grantee && grantor === item.grantor),
		);
		if (lost.length === 0) return rest;
		if (!statement.cascade) {
			throw new DatabaseError("2BP01", "dependent privileges exist", {
				hint: "Use CASCADE to revoke them too.",
			});
		}
		for (const { grantee, grantor, rights } of lost) {
			rest = withoutGrant(rest, grantee, grantor, rights, false);
		}
	}
}

/** A list in which `to` stands wherever `from` stood; undefined stays the default. */
export function aclOfNewOwner(acl: Acl | undefined, from: number, to: number): Acl | undefined {
	if (acl === undefined) return undefined;
	const moved = (oid: number): number => (oid === from ? to : oid);
	let result: Acl = [];
	for (const item of acl) {
		result = withGrant(result, {
			...item,
			grantee: moved(item.grantee),
			grantor: moved(item.grantor),
		});
	}
	return result;
}

/** A list without what was granted to, or by, a role. */
export const aclWithout = (acl: Acl, oid: number): Acl =>
	acl.filter(({ grantee, grantor }) => grantee !== oid && grantor !== oid);
