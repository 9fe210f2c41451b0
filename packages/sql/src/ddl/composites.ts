/** CREATE TYPE ... AS (...), and ALTER TYPE of one. Stored values have the attributes that the type had: it changes only where there are none. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type AttributeDescriptor,
	type CompositeDescriptor,
	liveAttributes,
	liveColumns,
	type RelationDescriptor,
	storedTexts,
} from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { findType } from "../catalog/type-names.ts";
import { columnCodec } from "../execute/column-codec.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { AttributeAction, QualifiedName, Statement, TypeName } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { resolveTypeName } from "../plan/type-name.ts";
import type { SqlType } from "../types/datum.ts";
import { typesNamedIn } from "../types/enum-types.ts";
import { compositeOid, isDomainArray, namedOid } from "../types/made-oids.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { shownName } from "./describe.ts";
import { findObject } from "./drop.ts";
import { alreadyExists, type SchemaEditor, typeExists } from "./schema-editor.ts";
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
		attributes.push({ attnum: i + 1, name: one.name, type, dropped: false });
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
	for (const action of statement.actions) {
		try {
			changed = altered(editor, changed, action);
		} catch (error) {
			throw unplaced(error);
		}
	}
	if (changed !== type) await editor.put(changed);
	return "ALTER TYPE";
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
	refuseUsed(editor, type, "adding an attribute to");
	const attnum = type.attributes.length + 1;
	return {
		...type,
		attributes: [...type.attributes, { attnum, name, type: found, dropped: false }],
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
	refuseUsed(editor, type, "dropping an attribute of");
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
	refuseUsed(editor, type, "dropping an attribute of");
	await editor.put(droppedFrom(type, attnum), "right");
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
		attributes: type.attributes.map((one) => (one === found ? { ...one, type: wanted } : one)),
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
	const { relation, column } = user;
	const what =
		column === undefined
			? `${relation.kind} ${shownName(editor, relation)}`
			: `column "${relation.name}.${column}"`;
	throw new DatabaseError("0A000", `${doing} a type that ${what} uses is not supported`, {
		hint: "Create another type, and alter what uses this one to be of that.",
	});
}

/** It, and all types that are made of it. */
function typesWith(catalog: CatalogSnapshot, oid: number): ReadonlySet<number> {
	const found = new Set([oid]);
	const isIn = ({ oid: of, domain }: SqlType): boolean => found.has(namedOid(domain ?? of));
	for (let before = 0; before !== found.size; ) {
		before = found.size;
		for (const type of catalog.types()) {
			const isMade =
				type.of === "composite"
					? liveAttributes(type).some((one) => isIn(one.type))
					: type.of === "domain" && (isIn(type.base) || found.has(namedOid(type.base.oid)));
			if (isMade) found.add(type.oid);
		}
	}
	return found;
}

/** A column whose values are made of those of a domain, and not such values themselves. */
export function partUser(catalog: CatalogSnapshot, domain: number): string | undefined {
	const types = typesWith(catalog, domain);
	const isIn = ({ oid, domain: own }: SqlType): boolean =>
		types.has(namedOid(oid)) ||
		(own !== undefined && isDomainArray(own) && types.has(namedOid(own)));
	for (const relation of catalog.relations()) {
		const column =
			relation.kind === "table" && liveColumns(relation).find(({ type }) => isIn(type));
		if (column) return `${relation.name}.${column.name}`;
	}
	return undefined;
}

interface User {
	readonly relation: RelationDescriptor;
	/** That is of the type. */
	readonly column?: string;
	/** Expressions that may name an attribute. */
	readonly texts: readonly string[];
}

/** Tables, views and domains that have to do with the type; those with columns of it first. */
function usersOf(catalog: CatalogSnapshot, oid: number): readonly User[] {
	const types = typesWith(catalog, oid);
	const isIn = ({ oid: of, domain }: SqlType): boolean =>
		types.has(namedOid(domain ?? of)) || types.has(namedOid(of));
	const names = (texts: readonly string[]): boolean =>
		texts.flatMap(typesNamedIn).some((one) => types.has(namedOid(one)));
	const tables = new Map<number, User>();
	for (const relation of catalog.relations()) {
		if (relation.kind === "table") {
			const column = liveColumns(relation).find(({ type }) => isIn(type));
			const texts = storedTexts(relation);
			if (column !== undefined) tables.set(relation.oid, { relation, column: column.name, texts });
			else if (names(texts)) tables.set(relation.oid, { relation, texts });
		}
		if (relation.kind === "type" && relation.of === "domain") {
			const texts = [relation.defaultText ?? "", ...relation.checks.map(({ text }) => text)];
			if (types.has(relation.oid) || names(texts)) tables.set(relation.oid, { relation, texts });
		}
	}
	// Views on views have higher numbers than those.
	for (const relation of catalog.relations()) {
		if (relation.kind !== "view") continue;
		const reads = relation.references.some((one) => tables.has(one.oid));
		const isNamed = relation.types?.some((one) => types.has(namedOid(one.oid))) === true;
		const isColumn = relation.columns.some(({ type }) => isIn(type));
		if (reads || isNamed || isColumn)
			tables.set(relation.oid, { relation, texts: [relation.query] });
	}
	return [...tables.values()].sort(
		(a, b) => Number(b.column !== undefined) - Number(a.column !== undefined),
	);
}
