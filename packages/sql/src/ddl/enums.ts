/** CREATE TYPE ... AS ENUM, and ALTER TYPE of one. Rows and keys are never touched: they have sort keys, not labels. */
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type EnumDescriptor,
	type EnumValue,
	type IndexDescriptor,
	type RelationDescriptor,
	storedTexts,
	type TypeDescriptor,
	withStoredTexts,
} from "../catalog/descriptor.ts";
import { findType } from "../catalog/type-names.ts";
import { plainLiteral, quoteLiteral } from "../functions/quoting-functions.ts";
import type { QualifiedName, Statement } from "../parser/ast.ts";
import { splitName } from "../plan/binder.ts";
import { plainType } from "../plan/bound.ts";
import { firstSortKeys, sortKeyBetween } from "../types/enum-order.ts";
import { typeReference } from "../types/enum-types.ts";
import { arrayOfMade, enumOid } from "../types/made-oids.ts";
import { formatType, typeByName } from "../types/registry.ts";
import { usable } from "./create-index.ts";
import { shownName } from "./describe.ts";
import { withRenamedLabel } from "./enum-labels.ts";
import { type SchemaEditor, typeExists } from "./schema-editor.ts";

type CreateEnum = Extract<Statement, { kind: "create-enum" }>;
type AlterEnum = Extract<Statement, { kind: "alter-enum" }>;

const labelBytesMax = 63;

/** Throws 42602. */
function requireLabel(label: string): void {
	if (label !== "" && Buffer.byteLength(label, "utf8") <= labelBytesMax) return;
	throw new DatabaseError("42602", `invalid enum label "${label}"`, {
		detail: `Labels must be ${labelBytesMax} bytes or less.`,
	});
}

export async function createEnum(editor: SchemaEditor, statement: CreateEnum): Promise<string> {
	const [schema, name] = await editor.targetOf({ ...statement.name, at: -1 }, false);
	if (editor.catalog.type(schema, name) !== undefined) throw typeExists(name);
	const { labels } = statement;
	const oid = enumOid(await editor.newId());
	for (const [i, label] of labels.entries()) {
		requireLabel(label);
		if (labels.indexOf(label) === i) continue;
		throw new DatabaseError(
			"23505",
			'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
			{ detail: `Key (enumtypid, enumlabel)=(${oid}, ${label}) already exists.` },
		);
	}
	const keys = firstSortKeys(labels.length);
	const values: EnumValue[] = [];
	for (const [i, label] of labels.entries()) {
		values.push({ oid: await editor.newId(), label, sortKey: keys[i]! });
	}
	await editor.put({ kind: "type", of: "enum", oid, schema, name, values });
	return "CREATE TYPE";
}

/** One that every database has. */
function systemType([schema, base]: ReturnType<typeof splitName>): string | undefined {
	if (schema !== undefined && schema !== "pg_catalog") return undefined;
	const found = typeByName(base);
	return found && formatType(plainType(found.oid));
}

/** A type that somebody has made. `not`: what is said of others. Throws 42704, 3F000, 42501. */
export function typeNamed(editor: SchemaEditor, name: QualifiedName, not?: string): TypeDescriptor {
	const [schema, base] = splitName(name);
	const ofSystem = systemType([schema, base]);
	if (ofSystem !== undefined) {
		throw not === undefined
			? new DatabaseError("42501", `must be owner of type ${ofSystem}`)
			: new DatabaseError("42809", `${ofSystem} ${not}`);
	}
	const found = findType(editor.catalog, editor.state.context.searchPath, schema, base);
	if (found !== undefined) return found;
	if (schema !== undefined && editor.catalog.schemas.byName(schema) === undefined) {
		throw new DatabaseError("3F000", `schema "${schema}" does not exist`);
	}
	throw new DatabaseError("42704", `type "${name.parts.join(".")}" does not exist`);
}

/** Of a type that is to be dropped. Throws 2BP01 for what every database has. */
export function lookupType(editor: SchemaEditor, name: QualifiedName): TypeDescriptor | undefined {
	const [schema, base] = splitName(name);
	const ofSystem = systemType([schema, base]);
	if (ofSystem !== undefined) {
		throw new DatabaseError(
			"2BP01",
			`cannot drop type ${ofSystem} because it is required by the database system`,
		);
	}
	return findType(editor.catalog, editor.state.context.searchPath, schema, base);
}

export async function alterEnum(editor: SchemaEditor, statement: AlterEnum): Promise<string> {
	const type = typeNamed(editor, statement.name, "is not an enum");
	editor.requireOwner(type);
	if (type.of !== "enum") {
		throw new DatabaseError("42809", `${shownName(editor, type)} is not an enum`);
	}
	if (statement.to === undefined) await addValue(editor, type, statement);
	else await renameValue(editor, type, statement.label, statement.to);
	return "ALTER TYPE";
}

const unknownLabel = (label: string): DatabaseError =>
	new DatabaseError("22023", `"${label}" is not an existing enum label`);

const labelExists = (label: string): string => `enum label "${label}" already exists`;

async function addValue(
	editor: SchemaEditor,
	type: EnumDescriptor,
	{ label, ifNotExists, place }: AlterEnum,
): Promise<void> {
	requireLabel(label);
	const { values } = type;
	if (values.some((one) => one.label === label)) {
		if (!ifNotExists) throw new DatabaseError("42710", labelExists(label));
		editor.state.notice("NOTICE", "42710", `${labelExists(label)}, skipping`);
		return;
	}
	const neighbour =
		place === undefined ? -1 : values.findIndex((one) => one.label === place.neighbour);
	if (place !== undefined && neighbour < 0) throw unknownLabel(place.neighbour);
	const at = place === undefined ? values.length : neighbour + (place.before ? 0 : 1);
	const value: EnumValue = {
		oid: await editor.newId(),
		label,
		sortKey: sortKeyBetween(values[at - 1]?.sortKey, values[at]?.sortKey),
	};
	await editor.put({ ...type, values: [...values.slice(0, at), value, ...values.slice(at)] });
}

async function renameValue(
	editor: SchemaEditor,
	type: EnumDescriptor,
	from: string,
	to: string,
): Promise<void> {
	requireLabel(to);
	const { values } = type;
	if (!values.some(({ label }) => label === from)) throw unknownLabel(from);
	if (values.some(({ label }) => label === to)) throw new DatabaseError("42710", labelExists(to));
	await renameInTexts(editor, type, from, to);
	await editor.put({
		...type,
		values: values.map((one) => (one.label === from ? { ...one, label: to } : one)),
	});
}

/** Constants of the type follow. Throws 0A000 where a text does not tell which they are, 55006. */
async function renameInTexts(
	editor: SchemaEditor,
	type: EnumDescriptor,
	from: string,
	to: string,
): Promise<void> {
	for (const relation of editor.catalog.relations()) {
		if (!isAbout(editor, relation, type.oid)) continue;
		const refused = (): DatabaseError =>
			new DatabaseError(
				"0A000",
				`renaming a value of an enum that an expression of ${kindOf(relation)} ${shownName(editor, relation)} names is not supported`,
				{ hint: "Drop the expression first, and make it again afterwards." },
			);
		if (relation.kind === "view") {
			const isNamed = [plainLiteral, quoteLiteral].some((one) =>
				relation.query.includes(one(from)),
			);
			if (isNamed) throw refused();
			continue;
		}
		let isChanged = false;
		const change = (text: string): string => {
			const renamed = withRenamedLabel(text, type.oid, from, to);
			if (renamed === undefined) throw refused();
			isChanged ||= renamed !== text;
			return renamed;
		};
		const after = withTexts(relation, change);
		if (!isChanged) continue;
		if (relation.kind === "table") usable(relation);
		await editor.put(withLabel(after, type.oid, from, to), "right");
	}
}

const kindOf = (relation: RelationDescriptor): string =>
	relation.kind === "type" ? relation.of : relation.kind;

function withTexts(
	relation: RelationDescriptor,
	change: (text: string) => string,
): RelationDescriptor {
	if (relation.kind === "table") return withStoredTexts(relation, change);
	if (relation.kind !== "type" || relation.of !== "domain") return relation;
	const { defaultText } = relation;
	return {
		...relation,
		...(defaultText === undefined ? {} : { defaultText: change(defaultText) }),
		checks: relation.checks.map((check) => ({ ...check, text: change(check.text) })),
	};
}

/** What indexes keep of the value. */
function withLabel(
	relation: RelationDescriptor,
	oid: number,
	from: string,
	to: string,
): RelationDescriptor {
	if (relation.kind !== "table") return relation;
	const indexes = relation.indexes.map((index): IndexDescriptor => {
		if (index.labels === undefined) return index;
		const labels = index.labels.map((one) =>
			one.type === oid && one.label === from ? { ...one, label: to } : one,
		);
		return { ...index, labels };
	});
	return { ...relation, indexes };
}

/** Whether it, or what it reads, has a column of the type, or names it. */
function isAbout(editor: SchemaEditor, relation: RelationDescriptor, oid: number): boolean {
	if (relation.kind === "type" && relation.of === "domain") {
		const texts = [relation.defaultText ?? "", ...relation.checks.map(({ text }) => text)];
		return texts.some((text) => text.includes(typeReference(oid)));
	}
	if (relation.kind !== "table" && relation.kind !== "view") return false;
	const isColumn = relation.columns.some(
		({ type, dropped }) => !dropped && (type.oid === oid || type.oid === arrayOfMade(oid)),
	);
	if (isColumn) return true;
	if (relation.kind === "table") {
		return storedTexts(relation).some((text) => text.includes(typeReference(oid)));
	}
	const reads = relation.references.map((one) => editor.catalog.relation(one.oid));
	return (
		relation.types?.some((one) => one.oid === oid) === true ||
		reads.some((one) => one !== undefined && isAbout(editor, one, oid))
	);
}
