/** CREATE, ALTER and DROP SCHEMA. */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasDatabaseRight } from "../auth/privileges.ts";
import { aclOfNew } from "../catalog/acl.ts";
import { bootstrapRoleOid, type RoleDescriptor } from "../catalog/role.ts";
import { isSystemSchema, ownedBy, type SchemaDescriptor, schemaOwner } from "../catalog/schema.ts";
import { isTemporarySchema, temporaryAlias } from "../catalog/temporary.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { QualifiedName, RoleStatement, SchemaElement, Statement } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { dropAll } from "./dependencies.ts";
import { aclOfNewOwner } from "./grants.ts";
import { moveRelation } from "./rename.ts";
import { acting, denied, findRole } from "./roles.ts";
import { type SchemaEditor, schemaExists } from "./schema-editor.ts";

type Named<Kind extends Statement["kind"]> = Extract<Statement, { kind: Kind }>;

const undefinedSchema = (name: string): DatabaseError =>
	new DatabaseError("3F000", `schema "${name}" does not exist`);

/** Throws 3F000. */
export function schemaNamed(editor: SchemaEditor, { parts }: QualifiedName): SchemaDescriptor {
	const name = parts.join(".");
	const found = editor.catalog.schemas.byName(name);
	if (found === undefined) throw undefinedSchema(name);
	return found;
}

/** Throws 42939. */
function refuseReserved(name: string): void {
	if (!name.startsWith("pg_")) return;
	throw new DatabaseError("42939", `unacceptable schema name "${name}"`, {
		detail: 'The prefix "pg_" is reserved for system schemas.',
	});
}

/** Throws 42501. */
function requireDatabase(editor: SchemaEditor): void {
	const { catalog, state } = editor;
	if (hasDatabaseRight(catalog, acting(editor).oid, "CREATE")) return;
	throw denied(`permission denied for database ${state.services.database}`);
}

/** `define` makes what stands in the statement. */
export async function createSchema(
	editor: SchemaEditor,
	statement: Named<"create-schema">,
	define: (element: SchemaElement) => Promise<string>,
): Promise<string> {
	const who = acting(editor).oid;
	const { roles, schemas } = editor.catalog;
	const owner = statement.owner === undefined ? undefined : findRole(editor, statement.owner);
	const name = statement.name ?? owner!.name;
	requireDatabase(editor);
	if (owner !== undefined && !roles.isMember(who, owner.oid)) {
		throw denied(`must be member of role "${owner.name}"`);
	}
	refuseReserved(name);
	if (schemas.byName(name) !== undefined) {
		if (!statement.ifNotExists) throw schemaExists(name);
		editor.state.notice("NOTICE", "42P06", `schema "${name}" already exists, skipping`);
		return "CREATE SCHEMA";
	}
	const ownerOid = owner?.oid ?? who;
	const acl = aclOfNew(roles.byOid(ownerOid)?.defaults ?? [], "schema", ownerOid, undefined);
	if (ownerOid !== bootstrapRoleOid) await editor.relyOnRoles([ownerOid]);
	await editor.putSchema({
		kind: "schema",
		oid: await editor.newId(),
		name,
		...(ownerOid === bootstrapRoleOid ? {} : { owner: ownerOid }),
		...(acl === undefined ? {} : { acl }),
	});
	if (statement.elements.length > 0) {
		await makeElements(editor, name, roles.byOid(ownerOid), statement.elements, define);
	}
	return "CREATE SCHEMA";
}

/** What may refer to what. */
const elementKinds: readonly SchemaElement["kind"][] = [
	"create-sequence",
	"create-table",
	"create-view",
	"create-index",
	"grant",
];

/** As the owner, with the schema first in search_path. Throws 42P15. */
async function makeElements(
	{ state }: SchemaEditor,
	schema: string,
	owner: RoleDescriptor | undefined,
	elements: readonly SchemaElement[],
	define: (element: SchemaElement) => Promise<string>,
): Promise<void> {
	const { settings, context, identity } = state;
	const placed = elementKinds.flatMap((kind) =>
		elements.filter((one) => one.kind === kind).map((one) => inSchema(one, schema)),
	);
	const before = settings.save();
	try {
		if (owner !== undefined) identity.assume(owner);
		const path = [quoteIdentifier(schema), settings.value("search_path")];
		settings.assume("search_path", path.filter((one) => one !== "").join(", "), true);
		context.refresh();
		for (const element of placed) await define(element);
	} finally {
		settings.restore(before);
		context.refresh();
	}
}

function inSchema(element: SchemaElement, schema: string): SchemaElement {
	switch (element.kind) {
		case "grant":
			return element;
		case "create-index":
			return { ...element, table: nameIn(element.table, schema) };
		default:
			return { ...element, name: nameIn(element.name, schema) };
	}
}

function nameIn(name: QualifiedName, schema: string): QualifiedName {
	const [given, base] = splitName(name);
	if (given === undefined || given === schema) return { ...name, parts: [schema, base] };
	throw new DatabaseError(
		"42P15",
		`CREATE specifies a schema (${given}) different from the one being created (${schema})`,
	);
}

export async function dropSchemas(
	editor: SchemaEditor,
	{ names, ifExists, cascade }: Named<"drop">,
): Promise<void> {
	const going = new Map<number, SchemaDescriptor>();
	for (const { parts } of names) {
		const name = parts.join(".");
		const schema = name === temporaryAlias ? undefined : editor.catalog.schemas.byName(name);
		if (schema === undefined) {
			if (!ifExists) throw undefinedSchema(name);
			editor.state.notice("NOTICE", "00000", `schema "${name}" does not exist, skipping`);
			continue;
		}
		editor.requireSchemaOwner(schema);
		refuseSystem(schema, "drop");
		going.set(schema.oid, schema);
	}
	const targets = [...going.values()].map((schema) => ({ kind: "schema", schema }) as const);
	await dropAll(editor, targets, cascade);
}

/** Throws 2BP01, 42501. */
function refuseSystem({ name }: SchemaDescriptor, what: "drop" | "change"): void {
	if (!isSystemSchema(name) && !isTemporarySchema(name)) return;
	if (what === "change") throw denied(`permission denied for schema ${name}`);
	throw new DatabaseError(
		"2BP01",
		`cannot drop schema ${name} because it is required by the database system`,
	);
}

/** The names of everything in it are claimed anew. */
export async function renameSchema(
	editor: SchemaEditor,
	name: QualifiedName,
	to: string,
): Promise<void> {
	const schema = schemaNamed(editor, name);
	editor.requireSchemaOwner(schema);
	requireDatabase(editor);
	if (editor.catalog.schemas.byName(to) !== undefined) throw schemaExists(to);
	refuseReserved(to);
	refuseSystem(schema, "change");
	await editor.putSchema({ ...schema, name: to });
	for (const relation of editor.catalog.relations()) {
		if (relation.schema === schema.name) await moveRelation(editor, relation, { schema: to });
	}
}

export async function giveSchema(
	editor: SchemaEditor,
	schema: SchemaDescriptor,
	to: number,
): Promise<void> {
	const { acl, ...rest } = schema;
	const moved = aclOfNewOwner(acl, schemaOwner(schema), to);
	await editor.relyOnRoles([to]);
	await editor.putSchema({
		...ownedBy(rest, to),
		...(moved === undefined ? {} : { acl: moved }),
	});
}

export async function alterSchemaOwner(
	editor: SchemaEditor,
	statement: Extract<RoleStatement, { kind: "alter-owner" }>,
): Promise<void> {
	const schema = schemaNamed(editor, statement.name);
	const role = findRole(editor, statement.owner);
	if (schemaOwner(schema) === role.oid) return;
	editor.requireSchemaOwner(schema);
	if (!editor.catalog.roles.isMember(acting(editor).oid, role.oid)) {
		throw denied(`must be member of role "${role.name}"`);
	}
	requireDatabase(editor);
	refuseSystem(schema, "change");
	await giveSchema(editor, schema, role.oid);
}
