/**
 * What goes with an object that is dropped: RESTRICT refuses it, CASCADE takes it along. Objects are found, and named, in the order
 * of PostgreSQL's findDependentObjects, so that details and notices read the same.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type AttributeDescriptor,
	type CheckDescriptor,
	type ColumnDescriptor,
	type CompositeDescriptor,
	liveAttributes,
	liveColumns,
	type RelationDescriptor,
	rewritten,
	type SequenceDescriptor,
	storedTexts,
	type TableDescriptor,
	type TypeDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import { allIndexIds } from "../catalog/dropped-index.ts";
import type { SchemaDescriptor } from "../catalog/schema.ts";
import { refersTo } from "../catalog/sequence-references.ts";
import type { CatalogSnapshot, Referrer } from "../catalog/snapshot.ts";
import { storedExpression } from "../plan/bind-table.ts";
import type { SqlType } from "../types/datum.ts";
import { typesNamedIn } from "../types/enum-types.ts";
import { arrayOfMade, objectIdOf } from "../types/made-oids.ts";
import { dropAttribute } from "./composites.ts";
import { dropReferrers, tellCascade } from "./constraints.ts";
import { usable } from "./create-index.ts";
import { forgetSchema } from "./default-rights.ts";
import { columnsIn } from "./deparse.ts";
import { describeConstraint, describeReferrer, describeRelation, shownName } from "./describe.ts";
import { pendingEvents } from "./drop.ts";
import { dropColumn } from "./drop-column.ts";
import { generatedFrom } from "./generated.ts";
import type { SchemaEditor } from "./schema-editor.ts";

export type Droppable =
	| { readonly kind: "schema"; readonly schema: SchemaDescriptor }
	| { readonly kind: "relation"; readonly relation: RelationDescriptor }
	/** Of a table that refers to one that goes. */
	| { readonly kind: "foreign-key"; readonly referrer: Referrer }
	/** Its array, which goes with it. */
	| { readonly kind: "array-type"; readonly type: TypeDescriptor }
	/** Of a composite type, with a type that it has. */
	| {
			readonly kind: "attribute";
			readonly type: CompositeDescriptor;
			readonly attribute: AttributeDescriptor;
	  }
	/** With a type that it has, or a column that it is generated from. */
	| {
			readonly kind: "typed-column";
			readonly table: TableDescriptor;
			readonly column: ColumnDescriptor;
	  }
	/** Of a table, that names a type. */
	| { readonly kind: "check"; readonly table: TableDescriptor; readonly check: CheckDescriptor }
	/** Only what depends on it is dropped here. */
	| { readonly kind: "column"; readonly table: TableDescriptor; readonly column: ColumnDescriptor }
	/** That names a sequence that goes. */
	| {
			readonly kind: "default";
			readonly table: TableDescriptor;
			readonly column: ColumnDescriptor;
	  };

interface Found {
	readonly object: Droppable;
	/** Undefined: it is what is to be dropped. */
	readonly on: Droppable | undefined;
}

/** Never the same for two objects. */
function identityOf(object: Droppable): string {
	switch (object.kind) {
		case "schema":
			return `${object.schema.oid}`;
		case "relation":
			return `${object.relation.oid}`;
		case "foreign-key":
			return `${object.referrer.key.oid}`;
		case "array-type":
			return `${object.type.oid}[]`;
		case "attribute":
			return `${object.type.oid}.${object.attribute.attnum}`;
		case "check":
			return `${object.check.oid}`;
		case "column":
		case "typed-column":
		case "default":
			return `${object.table.oid}.${object.column.attnum}`;
	}
}

export const readsColumn = (view: ViewDescriptor, tableOid: number, attnum: number): boolean =>
	view.references.some(({ oid, used }) => oid === tableOid && used.includes(attnum));

const ownsSequence = (table: RelationDescriptor, one: RelationDescriptor): boolean =>
	one.kind === "sequence" && one.ownedBy?.tableOid === table.oid;

/** In order of object ids. */
function dependentsOf({ catalog }: SchemaEditor, object: Droppable): readonly Droppable[] {
	// Of a type that is the row in pg_type.
	const relations = [...catalog.relations()].sort((a, b) => objectIdOf(a.oid) - objectIdOf(b.oid));
	if (object.kind === "schema") {
		return relations
			.filter(({ schema }) => schema === object.schema.name)
			.map((relation) => ({ kind: "relation", relation }));
	}
	if (object.kind === "column" || object.kind === "typed-column") {
		return inOrder([
			...generatedFrom(object.table, object.column).map(
				(column): Droppable => ({ kind: "typed-column", table: object.table, column }),
			),
			...catalog
				.viewsOn(object.table.oid)
				.filter((view) => readsColumn(view, object.table.oid, object.column.attnum))
				.map((relation): Droppable => ({ kind: "relation", relation })),
			...referrersOf(catalog, object).map(
				(referrer): Droppable => ({ kind: "foreign-key", referrer }),
			),
		]);
	}
	if (object.kind === "array-type") return usersOfType(relations, arrayOfMade(object.type.oid));
	if (object.kind !== "relation") return [];
	const { relation } = object;
	if (relation.kind === "type") {
		const users = usersOfType(relations, relation.oid);
		return [{ kind: "array-type", type: relation }, ...users];
	}
	if (relation.kind === "sequence") {
		return usersOf(relations, relation).map((user) => ({ kind: "default", ...user }));
	}
	const dependents = [
		...[
			...relations.filter((one) => ownsSequence(relation, one)),
			...catalog.viewsOn(relation.oid),
		].map((one): Droppable => ({ kind: "relation", relation: one })),
		...catalog
			.referrersOf(relation.oid)
			.map((referrer): Droppable => ({ kind: "foreign-key", referrer })),
	];
	return inOrder(dependents);
}

const inOrder = (objects: readonly Droppable[]): readonly Droppable[] =>
	[...objects].sort((a, b) => Number(identityOf(a)) - Number(identityOf(b)));

/** Foreign keys that refer to a column; those that it is in itself go with it. */
const referrersOf = (
	catalog: CatalogSnapshot,
	{
		table,
		column: { attnum },
	}: { readonly table: TableDescriptor; readonly column: ColumnDescriptor },
): readonly Referrer[] =>
	catalog
		.referrersOf(table.oid)
		.filter(
			({ table: child, key }) =>
				key.referencedColumns.includes(attnum) &&
				(child.oid !== table.oid || !key.columns.includes(attnum)),
		);

const isOf = ({ oid: of, domain }: SqlType, oid: number): boolean => (domain ?? of) === oid;

/** Columns of the type, and expressions and views that name it; of a table in PostgreSQL's order. */
function usersOfType(relations: readonly RelationDescriptor[], oid: number): readonly Droppable[] {
	const names = (text: string | undefined): boolean =>
		text !== undefined && typesNamedIn(text).includes(oid);
	return relations.flatMap((relation): readonly Droppable[] => {
		if (relation.kind === "view") {
			const isNamed = relation.types?.some((one) => one.oid === oid) === true;
			return isNamed ? [{ kind: "relation", relation }] : [];
		}
		if (relation.kind === "type" && relation.of === "domain") {
			const texts = [relation.defaultText, ...relation.checks.map(({ text }) => text)];
			const isUser = isOf(relation.base, oid) || texts.some(names);
			return isUser && relation.oid !== oid ? [{ kind: "relation", relation }] : [];
		}
		if (relation.kind === "type" && relation.of === "composite") {
			return liveAttributes(relation)
				.filter(({ type }) => isOf(type, oid))
				.map((attribute) => ({ kind: "attribute", type: relation, attribute }));
		}
		if (relation.kind !== "table") return [];
		const live = [...liveColumns(relation)].reverse();
		const typed = live.filter(({ type, generatedText }) => isOf(type, oid) || names(generatedText));
		const going = new Set(typed.map(({ name }) => name));
		const defaults = live.filter(
			({ type, defaultText }) =>
				!isOf(type, oid) && !isOf(type, arrayOfMade(oid)) && names(defaultText),
		);
		const checks = relation.checks.filter(
			({ text }) =>
				names(text) && ![...columnsIn(storedExpression(text))].some((name) => going.has(name)),
		);
		return [
			...typed.map((column): Droppable => ({ kind: "typed-column", table: relation, column })),
			...defaults.map((column): Droppable => ({ kind: "default", table: relation, column })),
			...checks.map((check): Droppable => ({ kind: "check", table: relation, check })),
		];
	});
}

/** Columns whose default names the sequence. */
const usersOf = (
	relations: readonly RelationDescriptor[],
	sequence: SequenceDescriptor,
): readonly { readonly table: TableDescriptor; readonly column: ColumnDescriptor }[] =>
	relations.flatMap((table) =>
		table.kind === "table"
			? liveColumns(table)
					.filter(({ defaultText }) => refersTo(defaultText, sequence))
					.map((column) => ({ table, column }))
			: [],
	);

export function describe(editor: SchemaEditor, object: Droppable): string {
	switch (object.kind) {
		case "schema":
			return `schema ${object.schema.name}`;
		case "relation":
			return describeRelation(editor, object.relation);
		case "foreign-key":
			return describeReferrer(editor, object.referrer);
		case "array-type":
			return `type ${shownName(editor, object.type)}[]`;
		case "attribute":
			return `column ${object.attribute.name} of composite type ${shownName(editor, object.type)}`;
		case "check":
			return describeConstraint(editor, object.table, object.check);
		case "column":
		case "typed-column":
			return `column ${object.column.name} of table ${shownName(editor, object.table)}`;
		case "default":
			return `default value for column ${object.column.name} of table ${shownName(editor, object.table)}`;
	}
}

/** All that goes, what others depend on first. */
function collect(editor: SchemaEditor, targets: readonly Droppable[]): readonly Found[] {
	const asked = new Set(targets.map(identityOf));
	const seen = new Set<string>();
	const found: Found[] = [];
	const visit = (object: Droppable, on: Droppable | undefined): void => {
		const identity = identityOf(object);
		if (seen.has(identity)) return;
		seen.add(identity);
		for (const dependent of [...dependentsOf(editor, object)].reverse()) visit(dependent, object);
		found.push({ object, on: asked.has(identity) ? undefined : on });
	};
	for (const target of targets) visit(target, undefined);
	return found.reverse();
}

/** What goes with its table in any case is not worth a word. */
function isSilent(object: Droppable, going: ReadonlySet<number>): boolean {
	if (object.kind === "array-type") return true;
	if (object.kind === "attribute") return going.has(object.type.oid);
	if (object.kind === "foreign-key") return going.has(object.referrer.table.oid);
	if (object.kind === "default" || object.kind === "typed-column" || object.kind === "check") {
		return going.has(object.table.oid);
	}
	if (object.kind !== "relation" || object.relation.kind !== "sequence") return false;
	return going.has(object.relation.ownedBy?.tableOid ?? 0);
}

/** Drops the objects, if their owner may. `gone`: that they depend on it is why they go. Throws 2BP01, 55006. */
export async function dropAll(
	editor: SchemaEditor,
	targets: readonly Droppable[],
	cascade: boolean,
	gone: string | undefined = undefined,
): Promise<void> {
	const [first] = targets;
	if (first === undefined) return;
	const found = collect(editor, targets);
	const going = new Set(
		found.flatMap(({ object }) => (object.kind === "relation" ? [object.relation.oid] : [])),
	);
	const others = found.filter(
		({ object, on }) => (on ?? gone) !== undefined && !isSilent(object, going),
	);
	if (others.length > 0 && !cascade) {
		const one = targets.length === 1 || gone !== undefined;
		const what = gone ?? (one ? describe(editor, first) : "desired object(s)");
		throw new DatabaseError(
			"2BP01",
			`cannot drop ${what} because other objects depend on ${one ? "it" : "them"}`,
			{
				detail: others
					.map(
						({ object, on }) =>
							`${describe(editor, object)} depends on ${on === undefined ? gone : describe(editor, on)}`,
					)
					.join("\n"),
				hint: "Use DROP ... CASCADE to drop the dependent objects too.",
			},
		);
	}
	tellCascade(
		editor,
		others.map(({ object }) => describe(editor, object)),
	);
	// What depends on others goes first.
	for (const { object } of [...found].reverse()) await dropOne(editor, object, going);
}

async function dropOne(
	editor: SchemaEditor,
	object: Droppable,
	going: ReadonlySet<number>,
): Promise<void> {
	switch (object.kind) {
		case "array-type":
		case "column":
			return;
		case "schema":
			await forgetSchema(editor, object.schema.oid);
			return editor.removeSchema(object.schema);
		case "foreign-key":
			if (going.has(object.referrer.table.oid)) return;
			return dropReferrers(editor, [object.referrer]);
		case "default":
			if (going.has(object.table.oid)) return;
			return dropDefault(editor, object.table, object.column);
		case "typed-column":
			if (going.has(object.table.oid)) return;
			return dropTyped(editor, object.table, object.column);
		case "attribute":
			if (going.has(object.type.oid)) return;
			return dropAttribute(editor, object.type, object.attribute.attnum);
		case "check":
			if (going.has(object.table.oid)) return;
			return dropCheck(editor, object.table, object.check);
		case "relation":
			refuseRewriting(editor, object.relation, going);
			return dropRelation(editor, object.relation);
	}
}

/** A type or a sequence that rows are being rewritten with. Throws 55006. */
function refuseRewriting(
	{ catalog }: SchemaEditor,
	object: RelationDescriptor,
	going: ReadonlySet<number>,
): void {
	if (object.kind !== "type" && object.kind !== "sequence") return;
	for (const table of catalog.relations()) {
		if (table.kind !== "table" || going.has(table.oid)) continue;
		const change = table.rewrite?.change;
		const after = rewritten(table);
		if (change === undefined || after === undefined) continue;
		const texts = [...storedTexts(after), ...change.altered.map(({ text }) => text)];
		const isUsed =
			object.kind === "sequence"
				? texts.some((text) => refersTo(text, object))
				: texts.some((text) => typesNamedIn(text).includes(object.oid)) ||
					after.columns.some(
						({ type }) => isOf(type, object.oid) || isOf(type, arrayOfMade(object.oid)),
					);
		if (isUsed) usable(table);
	}
}

async function dropRelation(editor: SchemaEditor, relation: RelationDescriptor): Promise<void> {
	if (relation.kind !== "table") return editor.remove(relation);
	if (editor.block.constraints.isPending(relation.oid)) {
		throw pendingEvents("DROP TABLE", relation.name);
	}
	const current = editor.current(relation);
	await editor.remove(current);
	editor.dropIndexes(allIndexIds(current));
}

async function dropTyped(
	editor: SchemaEditor,
	{ oid }: TableDescriptor,
	{ attnum, name }: ColumnDescriptor,
): Promise<void> {
	const current = editor.catalog.relation(oid);
	assert(current?.kind === "table", "a table that stays is there");
	if (current.columns[attnum - 1]?.dropped !== false) return;
	usable(current);
	const action = { kind: "drop-column", ifExists: false, name, cascade: true, at: -1 } as const;
	await dropColumn(editor, current, action, "right");
}

async function dropCheck(
	editor: SchemaEditor,
	{ oid }: TableDescriptor,
	check: CheckDescriptor,
): Promise<void> {
	const current = editor.catalog.relation(oid);
	assert(current?.kind === "table", "a table that stays is there");
	const checks = current.checks.filter((one) => one.oid !== check.oid);
	await editor.put({ ...current, checks }, "right");
}

async function dropDefault(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ attnum }: ColumnDescriptor,
): Promise<void> {
	const current = editor.catalog.relation(table.oid);
	assert(current?.kind === "table", "a table that stays is there");
	const columns = current.columns.map((one) =>
		one.attnum === attnum ? { ...one, defaultText: undefined } : one,
	);
	await editor.put({ ...current, columns }, "right");
}
