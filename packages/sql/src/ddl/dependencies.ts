/**
 * What goes with an object that is dropped: RESTRICT refuses it, CASCADE takes it along. Objects are found, and named, in the order
 * of PostgreSQL's findDependentObjects, so that details and notices read the same.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import {
	type ColumnDescriptor,
	liveColumns,
	type RelationDescriptor,
	type SequenceDescriptor,
	type TableDescriptor,
	type ViewDescriptor,
} from "../catalog/descriptor.ts";
import type { SchemaDescriptor } from "../catalog/schema.ts";
import { refersTo } from "../catalog/sequence-references.ts";
import type { Referrer } from "../catalog/snapshot.ts";
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import { dropReferrers, tellCascade } from "./constraints.ts";
import { describeReferrer, describeRelation, shownName } from "./describe.ts";
import { allIndexIds, pendingEvents } from "./drop.ts";
import type { SchemaEditor } from "./schema-editor.ts";

export type Droppable =
	| { readonly kind: "schema"; readonly schema: SchemaDescriptor }
	| { readonly kind: "relation"; readonly relation: RelationDescriptor }
	/** Of a table that refers to one that goes. */
	| { readonly kind: "foreign-key"; readonly referrer: Referrer }
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
		case "column":
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
	const relations = catalog.relations();
	if (object.kind === "schema") {
		return relations
			.filter(({ schema }) => schema === object.schema.name)
			.map((relation) => ({ kind: "relation", relation }));
	}
	if (object.kind === "column") {
		return catalog
			.viewsOn(object.table.oid)
			.filter((view) => readsColumn(view, object.table.oid, object.column.attnum))
			.map((relation) => ({ kind: "relation", relation }));
	}
	if (object.kind !== "relation") return [];
	const { relation } = object;
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
	return dependents.sort((a, b) => Number(identityOf(a)) - Number(identityOf(b)));
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
			return `schema ${quoteIdentifier(object.schema.name)}`;
		case "relation":
			return describeRelation(editor, object.relation);
		case "foreign-key":
			return describeReferrer(editor, object.referrer);
		case "column":
			return `column ${quoteIdentifier(object.column.name)} of table ${shownName(editor, object.table)}`;
		case "default":
			return `default value for column ${quoteIdentifier(object.column.name)} of table ${shownName(editor, object.table)}`;
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
	if (object.kind === "foreign-key") return going.has(object.referrer.table.oid);
	if (object.kind === "default") return going.has(object.table.oid);
	if (object.kind !== "relation" || object.relation.kind !== "sequence") return false;
	return going.has(object.relation.ownedBy?.tableOid ?? 0);
}

/** Drops the objects, if their owner may. Throws 2BP01, 55006. */
export async function dropAll(
	editor: SchemaEditor,
	targets: readonly Droppable[],
	cascade: boolean,
): Promise<void> {
	const [first] = targets;
	if (first === undefined) return;
	const found = collect(editor, targets);
	const going = new Set(
		found.flatMap(({ object }) => (object.kind === "relation" ? [object.relation.oid] : [])),
	);
	const others = found.filter(({ object, on }) => on !== undefined && !isSilent(object, going));
	if (others.length > 0 && !cascade) {
		const one = targets.length === 1;
		const what = one ? describe(editor, first) : "desired object(s)";
		throw new DatabaseError(
			"2BP01",
			`cannot drop ${what} because other objects depend on ${one ? "it" : "them"}`,
			{
				detail: others
					.map(
						({ object, on }) => `${describe(editor, object)} depends on ${describe(editor, on!)}`,
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
		case "column":
			return;
		case "schema":
			return editor.removeSchema(object.schema);
		case "foreign-key":
			if (going.has(object.referrer.table.oid)) return;
			return dropReferrers(editor, [object.referrer]);
		case "default":
			if (going.has(object.table.oid)) return;
			return dropDefault(editor, object.table, object.column);
		case "relation":
			return dropRelation(editor, object.relation);
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
