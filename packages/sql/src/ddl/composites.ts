/** CREATE TYPE ... AS (...), and ALTER TYPE of one: values that are stored follow it (`attribute-values.ts`). */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type AttributeDescriptor,
	type CompositeDescriptor,
	liveAttributes,
	ofType,
} from "../catalog/descriptor.ts";
import { findType } from "../catalog/type-names.ts";
import { columnCodec } from "../execute/column-codec.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { AttributeAction, QualifiedName, Statement, TypeName } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { collationOf, resolveTypeName } from "../plan/type-name.ts";
import type { SqlType } from "../types/datum.ts";
import { compositeOid, namedOid } from "../types/made-oids.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { rewriteValues } from "./attribute-values.ts";
import { type Droppable, dropAll } from "./dependencies.ts";
import { shownName } from "./describe.ts";
import { findObject } from "./drop.ts";
import { alreadyExists, type SchemaEditor, typeExists } from "./schema-editor.ts";
import { brokenParts, typesWith, type User, usersOf } from "./type-users.ts";
import { unplaced } from "./unplaced.ts";

type Created = Extract<Statement, { kind: "create-composite" }>;
type Altered = Extract<Statement, { kind: "alter-composite" }>;

/** Throws 42704, 42P16, 42501, 0A000. */
function attributeType(editor: SchemaEditor, name: string, type: TypeName): SqlType {
	const found = resolveTypeName(type, editor.types);
	editor.requireUsage(found);
	const definition = typeByOid(found.oid);
	if (definition === undefined || definition.category === "P" || found.oid === 705) {
		throw new DatabaseError("42P16", `column "${name}" has pseudo-type ${formatType(found)}`);
	}
	columnCodec(found.oid);
	return found;
}

export async function createComposite(editor: SchemaEditor, statement: Created): Promise<string> {
	try {
		await editor.put(await newComposite(editor, statement));
	} catch (error) {
		throw unplaced(error);
	}
	return "CREATE TYPE";
}

async function newComposite(
	editor: SchemaEditor,
	statement: Created,
): Promise<CompositeDescriptor> {
	const [schema, name] = await editor.targetOf({ ...statement.name, at: -1 }, false);
	const kind = editor.catalog.object(schema, name)?.kind;
	const isType = editor.catalog.type(schema, name) !== undefined;
	if (isType || kind === "table" || kind === "view") throw typeExists(name);
	if (kind !== undefined) throw alreadyExists(name);
	const attributes: AttributeDescriptor[] = [];
	for (const [i, one] of statement.attributes.entries()) {
		if (attributes.some((other) => other.name === one.name)) {
			throw new DatabaseError("42701", `column "${one.name}" specified more than once`);
		}
		const type = attributeType(editor, one.name, one.type);
		const collated = collationOf(one.type);
		attributes.push({ attnum: i + 1, name: one.name, type, ...collated, dropped: false });
	}
	const oid = compositeOid(await editor.newId());
	return { kind: "type", of: "composite", oid, schema, name, attributes };
}

/** Throws 42P01, 42809. */
function compositeNamed(editor: SchemaEditor, name: QualifiedName): CompositeDescriptor {
	if (findObject(editor, name) !== undefined) {
		throw new DatabaseError("42809", `"${name.parts.at(-1)}" is not a composite type`);
	}
	const [schema, base] = splitName(name);
	const type = findType(editor.catalog, editor.state.context.searchPath, schema, base);
	if (type?.of === "composite") return type;
	throw new DatabaseError("42P01", `relation "${name.parts.join(".")}" does not exist`);
}

export async function alterComposite(editor: SchemaEditor, statement: Altered): Promise<string> {
	const type = compositeNamed(editor, statement.name);
	editor.requireOwner(type);
	let changed = type;
	for (const action of inPasses(statement.actions)) {
		const before = changed;
		try {
			changed = altered(editor, before, action);
		} catch (error) {
			throw action.kind === "add" ? error : unplaced(error);
		}
		if (changed === before) continue;
		await editor.put(changed);
		if (action.kind === "add") refuseBroken(editor, changed, "adding an attribute to");
		if (action.kind === "drop") await releaseAttribute(editor, changed, action);
	}
	await followAttributes(editor, type, changed);
	return "ALTER TYPE";
}

const passes = { drop: 0, alter: 1, add: 2, rename: 3 };

/** As the actions of ALTER TABLE (`alter-table.ts`). */
const inPasses = (actions: readonly AttributeAction[]): readonly AttributeAction[] =>
	[...actions].sort((a, b) => passes[a.kind] - passes[b.kind]);

/** Values have the attributes that there are. */
async function followAttributes(
	editor: SchemaEditor,
	before: CompositeDescriptor,
	after: CompositeDescriptor,
): Promise<void> {
	const [had, has] = [before, after].map((type) =>
		liveAttributes(type).map(({ attnum }) => attnum),
	);
	if (had!.join() !== has!.join()) await rewriteValues(editor, before, after);
}

function altered(
	editor: SchemaEditor,
	type: CompositeDescriptor,
	action: AttributeAction,
): CompositeDescriptor {
	switch (action.kind) {
		case "add":
			return withAttribute(editor, type, action.attribute);
		case "drop":
			return withoutAttribute(editor, type, action);
		case "alter":
			return withType(editor, type, action.name, action.type);
		case "rename":
			return withName(editor, type, action.from, action.to);
	}
}

const missing = ({ name: type }: CompositeDescriptor, name: string): string =>
	`column "${name}" of relation "${type}" does not exist`;

/** Throws 42701. */
function requireFree(type: CompositeDescriptor, name: string): void {
	if (!liveAttributes(type).some((one) => one.name === name)) return;
	throw new DatabaseError("42701", `column "${name}" of relation "${type.name}" already exists`);
}

function withAttribute(
	editor: SchemaEditor,
	type: CompositeDescriptor,
	{ name, type: given }: Extract<AttributeAction, { kind: "add" }>["attribute"],
): CompositeDescriptor {
	requireFree(type, name);
	const found = attributeType(editor, name, given);
	refuseMember(editor, type, found);
	refuseWhole(editor, type, "adding an attribute to");
	const attnum = type.attributes.length + 1;
	return {
		...type,
		attributes: [
			...type.attributes,
			{ attnum, name, type: found, ...collationOf(given), dropped: false },
		],
	};
}

function withoutAttribute(
	editor: SchemaEditor,
	type: CompositeDescriptor,
	{ name, ifExists }: Extract<AttributeAction, { kind: "drop" }>,
): CompositeDescriptor {
	const found = liveAttributes(type).find((one) => one.name === name);
	if (found === undefined) {
		if (!ifExists) throw new DatabaseError("42703", missing(type, name));
		editor.state.notice("NOTICE", "00000", `${missing(type, name)}, skipping`);
		return type;
	}
	refuseWhole(editor, type, "dropping an attribute of");
	return droppedFrom(type, found.attnum);
}

const droppedFrom = (type: CompositeDescriptor, attnum: number): CompositeDescriptor => ({
	...type,
	attributes: type.attributes.map((one) =>
		one.attnum === attnum ? { ...one, dropped: true } : one,
	),
});

/** With the type that it is of. Throws 0A000. */
export async function dropAttribute(
	editor: SchemaEditor,
	{ oid }: CompositeDescriptor,
	attnum: number,
): Promise<void> {
	const type = editor.catalog.relation(oid);
	if (type?.kind !== "type" || type.of !== "composite") return;
	const doing = "dropping an attribute of";
	refuseWhole(editor, type, doing);
	const changed = droppedFrom(type, attnum);
	await editor.put(changed, "right");
	refuseBroken(editor, changed, doing);
	await followAttributes(editor, type, changed);
}

/** What names it goes with it. Throws 2BP01. */
async function releaseAttribute(
	editor: SchemaEditor,
	type: CompositeDescriptor,
	{ name, cascade }: Extract<AttributeAction, { kind: "drop" }>,
): Promise<void> {
	const broken = usersOf(editor.catalog, type.oid).flatMap((user) => brokenParts(editor, user));
	const gone = `column ${name} of composite type ${shownName(editor, type)}`;
	await dropAll(editor, inOrder(broken), cascade, gone);
}

/** The first to be told of is the last; views on views that are broken go with those. */
function inOrder(broken: readonly Droppable[]): readonly Droppable[] {
	const views = new Set(
		broken.flatMap((one) => (one.kind === "relation" ? [one.relation.oid] : [])),
	);
	const isDirect = (one: Droppable): boolean =>
		one.kind !== "relation" ||
		one.relation.kind !== "view" ||
		!one.relation.references.some(({ oid }) => views.has(oid));
	const kinds = ["relation", "check", "typed-column"];
	return broken
		.filter(isDirect)
		.reverse()
		.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
}

function withType(
	editor: SchemaEditor,
	type: CompositeDescriptor,
	name: string,
	given: TypeName,
): CompositeDescriptor {
	const found = liveAttributes(type).find((one) => one.name === name);
	if (found === undefined) throw new DatabaseError("42703", missing(type, name));
	const wanted = attributeType(editor, name, given);
	refuseMember(editor, type, wanted);
	const [user] = usersOf(editor.catalog, type.oid);
	if (user?.column !== undefined) {
		throw new DatabaseError(
			"0A000",
			`cannot alter type "${type.name}" because column "${user.relation.name}.${user.column}" uses it`,
		);
	}
	refuseUsed(editor, type, "altering an attribute of");
	return {
		...type,
		attributes: type.attributes.map((one) =>
			one === found ? ofType(one, { type: wanted, ...collationOf(given) }) : one,
		),
	};
}

/** What is kept as text names attributes as they are called. Throws 42703, 42701, 0A000. */
function withName(
	editor: SchemaEditor,
	type: CompositeDescriptor,
	from: string,
	to: string,
): CompositeDescriptor {
	const found = liveAttributes(type).find((one) => one.name === from);
	if (found === undefined) throw new DatabaseError("42703", `column "${from}" does not exist`);
	requireFree(type, to);
	for (const { relation, texts } of usersOf(editor.catalog, type.oid)) {
		if (!texts.some((text) => text.includes(quoteIdentifier(from)))) continue;
		throw new DatabaseError(
			"0A000",
			`renaming an attribute that an expression of ${relation.kind} ${shownName(editor, relation)} names is not supported`,
			{ hint: "Drop the expression first, and make it again afterwards." },
		);
	}
	return {
		...type,
		attributes: type.attributes.map((one) => (one === found ? { ...one, name: to } : one)),
	};
}

/** Throws 42P16. */
function refuseMember(editor: SchemaEditor, type: CompositeDescriptor, member: SqlType): void {
	if (!typesWith(editor.catalog, type.oid).has(namedOid(member.domain ?? member.oid))) return;
	throw new DatabaseError("42P16", `composite type ${type.name} cannot be made a member of itself`);
}

/** Throws 0A000. */
function refuseUsed(editor: SchemaEditor, type: CompositeDescriptor, doing: string): void {
	const [user] = usersOf(editor.catalog, type.oid);
	if (user === undefined) return;
	throw refused(
		editor,
		doing,
		user,
		"Create another type, and alter what uses this one to be of that.",
	);
}

const remake = "Drop it first, and make it again afterwards.";

/** Expressions that would mean something else. Throws 0A000. */
function refuseWhole(editor: SchemaEditor, type: CompositeDescriptor, doing: string): void {
	const user = usersOf(editor.catalog, type.oid).find(({ isWhole }) => isWhole);
	if (user !== undefined) throw refused(editor, doing, { ...user, column: undefined }, remake);
}

/** Throws 0A000. */
function refuseBroken(editor: SchemaEditor, type: CompositeDescriptor, doing: string): void {
	const user = usersOf(editor.catalog, type.oid).find((one) => brokenParts(editor, one).length > 0);
	if (user !== undefined) throw refused(editor, doing, { ...user, column: undefined }, remake);
}

function refused(
	editor: SchemaEditor,
	doing: string,
	{ relation, column }: Pick<User, "relation"> & { readonly column?: string | undefined },
	hint: string,
): DatabaseError {
	const what =
		column === undefined
			? `an expression of ${relation.kind === "type" ? "domain" : relation.kind} ${shownName(editor, relation)}`
			: `column "${relation.name}.${column}"`;
	return new DatabaseError("0A000", `${doing} a type that ${what} uses is not supported`, { hint });
}
