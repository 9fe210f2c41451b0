/**
 * CREATE TABLE (LIKE other ...): what a new table has of one that is there. Names, types and NOT NULL are always taken; what
 * INCLUDING names is copied, nothing of it stays tied to the source but the sequences that defaults name.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { hasTableRight } from "../auth/privileges.ts";
import {
	attributesOf,
	type CheckDescriptor,
	type ColumnDescriptor,
	columnByAttnum,
	type IndexColumnDescriptor,
	type IndexDescriptor,
	primaryKeyOf,
	type SequenceDescriptor,
	type TableDescriptor,
	type ViewDescriptor,
	withComment,
} from "../catalog/descriptor.ts";
import { withSystem } from "../catalog/schema.ts";
import { namedIndexes } from "../catalog/snapshot.ts";
import { findType } from "../catalog/type-names.ts";
import type { LikeClause, LikePart } from "../parser/ast.ts";
import { storedExpression } from "../plan/bind-table.ts";
import { type NewColumn, nextvalText } from "./column-definition.ts";
import { findObject, ownedSequences } from "./drop.ts";
import type { SchemaEditor } from "./schema-editor.ts";
import { constraintName, newIndex } from "./table-parts.ts";

/** A LIKE clause, with what it names. */
export interface Likeness {
	readonly clause: LikeClause;
	readonly source: TableDescriptor | ViewDescriptor;
	/** attnums of the source's columns to those of the new table's. */
	readonly attnums: ReadonlyMap<number, number>;
}

const including = ({ clause }: Likeness, part: LikePart): boolean =>
	clause.including.includes(part);

/** Throws 42P01, 42809, 42501. */
export function likenessOf(editor: SchemaEditor, clause: LikeClause, first: number): Likeness {
	const source = sourceOf(editor, clause);
	const columns = source.columns.filter(({ dropped }) => !dropped);
	const attnums = new Map(columns.map(({ attnum }, i) => [attnum, first + i]));
	return { clause, source, attnums };
}

function sourceOf(editor: SchemaEditor, { table }: LikeClause): TableDescriptor | ViewDescriptor {
	const found = findObject(editor, table);
	if (found === undefined) throw missing(editor, table);
	if (found.kind === "index" || found.kind === "sequence") {
		throw new DatabaseError("42809", `relation "${table.parts.at(-1)}" is invalid in LIKE clause`, {
			detail: `This operation is not supported for ${found.kind === "index" ? "indexes" : "sequences"}.`,
			position: table.at + 1,
		});
	}
	const source = found.kind === "view" ? found.view : found.table;
	const { catalog, state } = editor;
	if (!hasTableRight(catalog, state.identity.currentOid, source, "SELECT")) {
		throw new DatabaseError("42501", `permission denied for ${source.kind} ${source.name}`);
	}
	return source;
}

function missing({ catalog, state }: SchemaEditor, table: LikeClause["table"]): DatabaseError {
	const [schema, name] = [table.parts.at(-2), table.parts.at(-1)!];
	const type = findType(catalog, state.context.searchPath, schema, name);
	if (type?.of === "composite") {
		return new DatabaseError("0A000", "LIKE of a composite type is not supported", {
			hint: "Name its fields as columns.",
		});
	}
	const schemas = schema === undefined ? withSystem(state.context.searchPath) : [schema];
	if (schemas.some((one) => state.services.virtualTable(one, name) !== undefined)) {
		return new DatabaseError("0A000", "LIKE of a table of the system is not supported", {
			hint: "Use CREATE TABLE ... AS SELECT * FROM ... LIMIT 0.",
		});
	}
	return new DatabaseError("42P01", `relation "${table.parts.join(".")}" does not exist`, {
		position: table.at + 1,
	});
}

export async function likeColumns(
	editor: SchemaEditor,
	schema: string,
	table: string,
	likeness: Likeness,
	taken: Set<string>,
): Promise<readonly NewColumn[]> {
	const made: NewColumn[] = [];
	for (const [from, attnum] of likeness.attnums) {
		const column = likeness.source.columns.find((one) => one.attnum === from)!;
		const one = await likeColumn(editor, schema, table, likeness, column, attnum, taken);
		if (one.sequence !== undefined) taken.add(one.sequence.name);
		made.push(one);
	}
	return made;
}

async function likeColumn(
	editor: SchemaEditor,
	schema: string,
	table: string,
	likeness: Likeness,
	column: ColumnDescriptor,
	attnum: number,
	taken: ReadonlySet<string>,
): Promise<NewColumn> {
	const { name, type, collation, notNull, generatedText } = column;
	editor.requireUsage(type);
	const { source } = likeness;
	const owned =
		column.identity !== undefined && including(likeness, "identity") && source.kind === "table"
			? ownedSequences(editor, source, column.attnum)[0]
			: undefined;
	const sequence = owned && (await likeSequence(editor, owned, schema, [table, name], taken));
	const takesDefault = column.identity === undefined && including(likeness, "defaults");
	const bare: ColumnDescriptor = {
		attnum,
		name,
		type,
		...(collation === undefined ? {} : { collation }),
		notNull,
		defaultText:
			sequence !== undefined
				? nextvalText(sequence)
				: takesDefault
					? column.defaultText
					: undefined,
		identity: sequence === undefined ? undefined : column.identity,
		missingText: undefined,
		dropped: false,
	};
	return {
		sequence,
		generated:
			generatedText !== undefined && including(likeness, "generated")
				? storedExpression(generatedText)
				: undefined,
		column: including(likeness, "comments") ? withComment(bare, column.comment) : bare,
	};
}

/** That of an identity column: it counts as the other does, by itself. */
async function likeSequence(
	editor: SchemaEditor,
	{ typeOid, start, increment, min, max, cache, cycle }: SequenceDescriptor,
	schema: string,
	parts: readonly string[],
	taken: ReadonlySet<string>,
): Promise<SequenceDescriptor> {
	return {
		kind: "sequence",
		oid: await editor.newId(),
		schema,
		name: editor.freeName(schema, [...parts, "seq"], taken),
		...{ typeOid, start, increment, min, max, cache, cycle },
		ownedBy: undefined,
		valueId: await editor.newDataId(schema),
	};
}

/** Its CHECKs. They name columns, which are called the same. Throws 42710. */
export async function withLikeChecks(
	editor: SchemaEditor,
	table: TableDescriptor,
	likeness: Likeness,
): Promise<TableDescriptor> {
	const { source } = likeness;
	if (source.kind !== "table" || !including(likeness, "constraints")) return table;
	const checks: CheckDescriptor[] = [];
	for (const { name, text, noInherit, comment } of source.checks) {
		if ([...table.checks, ...checks].some((one) => one.name === name)) {
			throw new DatabaseError(
				"42710",
				`constraint "${name}" for relation "${table.name}" already exists`,
			);
		}
		const check: CheckDescriptor = {
			oid: await editor.newId(),
			name,
			text,
			...(noInherit === undefined ? {} : { noInherit }),
		};
		checks.push(including(likeness, "comments") ? withComment(check, comment) : check);
	}
	return { ...table, checks: [...table.checks, ...checks] };
}

/** Its keys and indexes, under names of their own: that which is the primary key, and the others. */
export async function likeIndexes(
	editor: SchemaEditor,
	{ schema, name }: Pick<TableDescriptor, "schema" | "name">,
	likeness: Likeness,
	taken: Set<string>,
): Promise<{
	readonly key: IndexDescriptor | undefined;
	readonly others: readonly IndexDescriptor[];
}> {
	const { source } = likeness;
	if (source.kind !== "table" || !including(likeness, "indexes")) {
		return { key: undefined, others: [] };
	}
	const others: IndexDescriptor[] = [];
	let key: IndexDescriptor | undefined;
	for (const index of namedIndexes(source)) {
		// What is not complete may never be.
		if (index.state !== "public") continue;
		const isKey = index === primaryKeyOf(source);
		const parts = isKey ? [name, "pkey"] : indexNameParts(name, source, index);
		const made = await likeIndex(editor, schema, parts, likeness, index, taken);
		if (isKey) key = made;
		else others.push(made);
	}
	return { key, others };
}

const indexNameParts = (
	table: string,
	source: TableDescriptor,
	index: IndexDescriptor,
): readonly string[] => [
	table,
	...attributesOf(index).map(
		({ attnum, expression }) => expression?.name ?? columnByAttnum(source, attnum).name,
	),
	index.constraintOid === undefined ? "idx" : "key",
];

async function likeIndex(
	editor: SchemaEditor,
	schema: string,
	parts: readonly string[],
	likeness: Likeness,
	index: IndexDescriptor,
	taken: Set<string>,
): Promise<IndexDescriptor> {
	const { attnums } = likeness;
	const { columns, included, unique, deferrable, constraintOid, comment } = index;
	const moved = (one: IndexColumnDescriptor): IndexColumnDescriptor =>
		one.attnum === 0 ? one : { ...one, attnum: attnums.get(one.attnum)! };
	const form = {
		...index,
		columns: columns.map(moved),
		...(included === undefined ? {} : { included: included.map((one) => attnums.get(one)!) }),
	};
	const name = constraintName(editor, schema, undefined, parts, taken);
	const made = await newIndex(editor, { schema, name }, form, {
		unique,
		constraint: constraintOid !== undefined,
		state: "public",
		...(deferrable === undefined ? {} : { deferrable }),
	});
	return including(likeness, "comments") ? withComment(made, comment) : made;
}
