/** ALTER ... OWNER TO, REASSIGN OWNED, DROP OWNED, and what keeps a role from being dropped. */
import { DatabaseError } from "@quorate/keys/database-error";
import { ownerOf } from "../auth/privileges.ts";
import type { Acl } from "../catalog/acl.ts";
import { databaseOf, type InDatabase } from "../catalog/database.ts";
import { hasColumns, type RelationDescriptor } from "../catalog/descriptor.ts";
import { bootstrapRoleOid, type RoleDescriptor } from "../catalog/role.ts";
import type { SchemaDescriptor } from "../catalog/schema.ts";
import { type CatalogSnapshot, relationOf } from "../catalog/snapshot.ts";
import type { RoleStatement } from "../parser/ast.ts";
import { giveDatabase } from "./databases.ts";
import { defaultsWith, forgetRole } from "./default-rights.ts";
import { type Droppable, dropAll } from "./dependencies.ts";
import { describeRelation } from "./describe.ts";
import { domainNamed } from "./domains.ts";
import { findObject, ownedSequences, tellMissing } from "./drop.ts";
import { typeNamed } from "./enums.ts";
import { aclOfNewOwner, aclWithout } from "./grants.ts";
import { acting, denied, findRole } from "./roles.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { alterSchemaOwner, giveSchema } from "./schemas.ts";

type Named<Kind extends RoleStatement["kind"]> = Extract<RoleStatement, { kind: Kind }>;

export async function alterOwner(
	editor: SchemaEditor,
	statement: Named<"alter-owner">,
): Promise<string> {
	const { object, name, ifExists } = statement;
	const tag = `ALTER ${object.toUpperCase()}`;
	if (object === "schema") {
		await alterSchemaOwner(editor, statement);
		return tag;
	}
	if (object === "database") {
		return giveDatabase(editor, name.parts.join("."), statement.owner);
	}
	const role = findRole(editor, statement.owner);
	if (object === "type" || object === "domain") {
		const found = object === "type" ? typeNamed(editor, name) : domainNamed(editor, name);
		await giveTo(editor, found, role);
		return tag;
	}
	const found = findObject(editor, name);
	if (found === undefined) {
		tellMissing(editor, name, ifExists);
		return tag;
	}
	if (found.kind === "index") {
		throw new DatabaseError("42809", `cannot change owner of index "${found.index.name}"`, {
			hint: "Change the ownership of the index's table, instead.",
		});
	}
	if (object === "sequence" && found.kind !== "sequence") {
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a sequence`);
	}
	if (object === "view" && found.kind !== "view") {
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a view`);
	}
	const relation = relationOf(found);
	if (relation.kind === "sequence" && relation.ownedBy !== undefined) {
		const table = editor.catalog.relation(relation.ownedBy.tableOid);
		throw new DatabaseError("0A000", "cannot change owner of sequence", {
			detail: `Sequence "${relation.name}" is linked to table "${table?.name}".`,
		});
	}
	await giveTo(editor, relation, role);
	return tag;
}

/** Throws 42501. */
async function giveTo(
	editor: SchemaEditor,
	relation: RelationDescriptor,
	role: RoleDescriptor,
): Promise<void> {
	editor.requireOwner(relation);
	const { roles } = editor.catalog;
	const who = acting(editor);
	if (!roles.isMember(who.oid, role.oid)) {
		throw denied(`must be member of role "${role.name}"`);
	}
	if (!who.superuser) editor.requireCreate(relation.schema, role.oid);
	await give(editor, relation, role);
}

async function give(
	editor: SchemaEditor,
	relation: RelationDescriptor,
	role: RoleDescriptor,
): Promise<void> {
	await editor.relyOnRoles([role.oid]);
	await editor.put(owned(relation, role.oid), "right");
	if (relation.kind !== "table") return;
	for (const sequence of ownedSequences(editor, relation)) {
		await editor.put(owned(sequence, role.oid), "right");
	}
}

function owned<T extends RelationDescriptor>(relation: T, to: number): T {
	const { owner: _before, acl, ...rest } = relation;
	const moved = aclOfNewOwner(acl, ownerOf(relation), to);
	return {
		...rest,
		...(to === bootstrapRoleOid ? {} : { owner: to }),
		...(moved === undefined ? {} : { acl: moved }),
	} as T;
}

function mayActFor(editor: SchemaEditor, role: RoleDescriptor, what: string): void {
	if (editor.catalog.roles.hasRightsOf(acting(editor).oid, role.oid)) return;
	throw denied(`permission denied to ${what} objects`);
}

export async function reassignOwned(
	editor: SchemaEditor,
	statement: Named<"reassign-owned">,
): Promise<string> {
	const to = findRole(editor, statement.to);
	const from = statement.roles.map((reference) => findRole(editor, reference));
	for (const role of [...from, to]) mayActFor(editor, role, "reassign");
	for (const role of from) {
		for (const relation of editor.catalog.relations()) {
			const isLinked = relation.kind === "sequence" && relation.ownedBy !== undefined;
			if (relation.owner === role.oid && !isLinked) await give(editor, relation, to);
		}
		for (const schema of editor.catalog.schemas.own()) {
			if (schema.owner === role.oid) await giveSchema(editor, schema, to.oid);
		}
	}
	return "REASSIGN OWNED";
}

export async function dropOwned(
	editor: SchemaEditor,
	statement: Named<"drop-owned">,
): Promise<string> {
	const from = statement.roles.map((reference) => findRole(editor, reference));
	for (const role of from) {
		mayActFor(editor, role, "drop");
		if (role.oid === bootstrapRoleOid) {
			throw new DatabaseError(
				"2BP01",
				`cannot drop objects owned by role ${role.name} because they are required by the database system`,
			);
		}
	}
	for (const role of from) await dropAllOf(editor, role.oid, statement.cascade);
	return "DROP OWNED";
}

const asSchema = (schema: SchemaDescriptor): Droppable => ({ kind: "schema", schema });
const asRelation = (relation: RelationDescriptor): Droppable => ({ kind: "relation", relation });

async function dropAllOf(editor: SchemaEditor, oid: number, cascade: boolean): Promise<void> {
	const { catalog } = editor;
	const isOwned = (one: { readonly owner?: number }): boolean => one.owner === oid;
	await dropAll(
		editor,
		[
			...catalog.schemas.own().filter(isOwned).map(asSchema),
			...catalog.relations().filter(isOwned).map(asRelation),
		],
		cascade,
	);
	for (const relation of editor.catalog.relations()) {
		if (isNamedIn(relation, oid)) await editor.put(withoutRights(relation, oid), "right");
	}
	for (const schema of editor.catalog.schemas.own()) {
		if (schema.acl === undefined || !mentions(schema.acl, oid)) continue;
		await editor.putSchema({ ...schema, acl: aclWithout(schema.acl, oid) });
	}
	await forgetRole(editor, oid);
	for (const rights of editor.catalog.allRights()) {
		if (rights.acl === undefined || !mentions(rights.acl, oid)) continue;
		await editor.putRights({ ...rights, acl: aclWithout(rights.acl, oid) });
	}
}

const mentions = (acl: Acl | undefined, oid: number): boolean =>
	acl?.some(({ grantee, grantor }) => grantee === oid || grantor === oid) === true;

const isNamedIn = (relation: RelationDescriptor, oid: number): boolean =>
	mentions(relation.acl, oid) ||
	(hasColumns(relation) && relation.columns.some(({ acl }) => mentions(acl, oid)));

function withoutRights(relation: RelationDescriptor, oid: number): RelationDescriptor {
	const acl = relation.acl === undefined ? {} : { acl: aclWithout(relation.acl, oid) };
	if (!hasColumns(relation)) return { ...relation, ...acl };
	const columns = relation.columns.map((column) => {
		const { acl: before, ...rest } = column;
		const left = aclWithout(before ?? [], oid);
		return left.length === 0 ? rest : { ...rest, acl: left };
	});
	return { ...relation, ...acl, columns };
}

/** In other databases than the one that the catalog shows: how many things of each depend on a role. */
function elsewhere(catalog: CatalogSnapshot, role: number): { oid: number; detail: string }[] {
	const { everywhere } = catalog;
	const counts = new Map<number, number>();
	const note = (one: InDatabase, isOf: boolean): void => {
		const database = databaseOf(one);
		if (!isOf || database === catalog.database) return;
		counts.set(database, (counts.get(database) ?? 0) + 1);
	};
	for (const relation of everywhere.relations()) {
		note(relation, relation.owner === role || isNamedIn(relation, role));
	}
	for (const schema of everywhere.schemas.changed()) {
		note(schema, schema.owner === role || mentions(schema.acl, role));
	}
	return [...counts].map(([oid, count]) => ({
		oid,
		detail: `${count} object${count === 1 ? "" : "s"} in database ${catalog.databaseName(oid)}`,
	}));
}

/** Throws 2BP01 where something belongs to the role, or it has a right on something. */
export function refuseDependents(editor: SchemaEditor, role: RoleDescriptor): void {
	const found: { readonly oid: number; readonly detail: string }[] = [];
	const note = (oid: number, what: string, owner: number | undefined, isNamed: boolean): void => {
		if (owner === role.oid) found.push({ oid, detail: `owner of ${what}` });
		else if (isNamed) found.push({ oid, detail: `privileges for ${what}` });
	};
	const { catalog } = editor;
	for (const relation of catalog.relations()) {
		const what = describeRelation(editor, relation);
		note(relation.oid, what, relation.owner, mentions(relation.acl, role.oid));
		if (!hasColumns(relation) || relation.owner === role.oid) continue;
		for (const { name, acl } of relation.columns) {
			note(relation.oid, `column ${name} of ${what}`, undefined, mentions(acl, role.oid));
		}
	}
	for (const { oid, name, owner, acl } of catalog.schemas.own()) {
		note(oid, `schema ${name}`, owner, mentions(acl, role.oid));
	}
	for (const { oid, acl } of catalog.allRights()) {
		note(oid, `database ${catalog.databaseName(oid)}`, undefined, mentions(acl, role.oid));
	}
	for (const { oid, name, owner, acl } of catalog.otherDatabases()) {
		note(oid, `database ${name}`, owner, mentions(acl, role.oid));
	}
	found.push(...elsewhere(catalog, role.oid));
	found.push(...defaultsWith(editor, role.oid));
	if (found.length === 0) return;
	found.sort((a, b) => a.oid - b.oid);
	throw new DatabaseError(
		"2BP01",
		`role "${role.name}" cannot be dropped because some objects depend on it`,
		{ detail: found.map(({ detail }) => detail).join("\n") },
	);
}
