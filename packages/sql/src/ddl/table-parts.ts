/** Constraints and indexes of a table under construction: names, columns, physical ids. */
import { DatabaseError } from "@quorate/keys/database-error";
import type {
	CheckDescriptor,
	ColumnDescriptor,
	IndexColumnDescriptor,
	IndexDescriptor,
	IndexState,
	TableDescriptor,
} from "../catalog/descriptor.ts";
import { namedIndexes } from "../catalog/snapshot.ts";
import type {
	CheckClause,
	ConstraintTimes,
	Expression,
	IndexOptions,
	TableConstraint,
} from "../parser/ast.ts";
import { bindCheck } from "../plan/bind-table.ts";
import type { Bound } from "../plan/bound.ts";
import { formatType, typeByOid } from "../types/registry.ts";
import { columnsIn } from "./deparse.ts";
import type { IndexForm } from "./index-columns.ts";
import { alreadyExists, type SchemaEditor, shortened } from "./schema-editor.ts";
import { binderIn, columnTexts, storedText } from "./stored-expression.ts";

const unknownKeyColumn = (name: string, at: number): DatabaseError =>
	new DatabaseError("42703", `column "${name}" named in key does not exist`, {
		position: at + 1,
	});

export function keyColumn(
	columns: readonly ColumnDescriptor[],
	name: string,
	at: number,
	descending = false,
): IndexColumnDescriptor {
	const column = columns.find((one) => one.name === name && !one.dropped);
	if (column === undefined) {
		throw unknownKeyColumn(name, at);
	}
	checkIndexable(column);
	return { attnum: column.attnum, descending };
}

export function checkIndexable(column: Pick<ColumnDescriptor, "name" | "type">): void {
	if (column.type.oid === 2249) {
		throw new DatabaseError("42P16", `column "${column.name}" has pseudo-type record`);
	}
	if (typeByOid(column.type.oid)?.keyCodec !== undefined) return;
	throw new DatabaseError(
		"42704",
		`data type ${formatType(column.type)} has no default operator class for access method "btree"`,
		{
			hint: "You must specify an operator class for the index or define a default operator class for the data type.",
		},
	);
}

export async function newIndex(
	editor: SchemaEditor,
	{ schema, name }: { readonly schema: string; readonly name: string },
	{ columns, predicate, labels, included, nullsNotDistinct }: IndexForm,
	options: {
		readonly unique: boolean;
		readonly constraint: boolean;
		readonly state: IndexState;
		readonly deferrable?: IndexDescriptor["deferrable"];
	},
): Promise<IndexDescriptor> {
	const { deferrable } = options;
	return {
		oid: await editor.newId(),
		name,
		indexId: await editor.newDataId(schema),
		columns,
		unique: options.unique && deferrable === undefined,
		...(deferrable === undefined ? {} : { deferrable }),
		...(predicate === undefined ? {} : { predicate }),
		...(labels === undefined ? {} : { labels }),
		...(included === undefined ? {} : { included }),
		...(nullsNotDistinct === undefined ? {} : { nullsNotDistinct }),
		state: options.state,
		constraintOid: options.constraint ? await editor.newId() : undefined,
	};
}

/** The same under a new prefix. */
export const movedIndex = async (
	editor: SchemaEditor,
	{ schema }: Pick<TableDescriptor, "schema">,
	index: IndexDescriptor,
): Promise<IndexDescriptor> => ({ ...index, indexId: await editor.newDataId(schema) });

/** Indexes of rows that move: under new prefixes, since entries point to primary keys. */
export async function movedIndexes(
	editor: SchemaEditor,
	table: Pick<TableDescriptor, "schema" | "indexes">,
): Promise<readonly IndexDescriptor[]> {
	const moved: IndexDescriptor[] = [];
	for (const index of table.indexes) moved.push(await movedIndex(editor, table, index));
	return moved;
}

/** The primary index of a table without a primary key: no columns, hidden row ids. */
export const rowidIndex = (
	editor: SchemaEditor,
	schema: string,
	table: string,
): Promise<IndexDescriptor> =>
	newIndex(
		editor,
		{ schema, name: `${table}_rowid` },
		{ columns: [] },
		{
			unique: true,
			constraint: false,
			state: "public",
		},
	);

/** The given name, if it is free, or one that PostgreSQL would choose. */
export function constraintName(
	editor: SchemaEditor,
	schema: string,
	given: string | undefined,
	parts: readonly string[],
	taken: Set<string>,
): string {
	if (given !== undefined) {
		if (taken.has(given) || editor.isTaken(schema, given)) throw alreadyExists(given);
		taken.add(given);
		return given;
	}
	const name = editor.freeName(schema, parts, taken);
	taken.add(name);
	return name;
}

/** Throws 42710. */
export function refuseTaken(
	{ name }: TableDescriptor,
	constraints: readonly { readonly name: string }[],
	given: string | undefined,
): void {
	if (!constraints.some((one) => one.name === given)) return;
	throw new DatabaseError("42710", `constraint "${given}" for relation "${name}" already exists`);
}

/** Where its condition is of one column, it is called after that. */
export async function newCheck(
	editor: SchemaEditor,
	table: TableDescriptor,
	{ name: given, condition, noInherit }: CheckClause & { readonly name: string | undefined },
): Promise<CheckDescriptor> {
	const text = checkText(editor, table, condition);
	const keys = namedIndexes(table).filter(({ constraintOid }) => constraintOid !== undefined);
	const constraints = [...table.checks, ...table.foreignKeys, ...keys];
	refuseTaken(table, constraints, given);
	const names = [...columnsIn(condition)];
	const taken = new Set(constraints.map((one) => one.name));
	const parts = [table.name, ...(names.length === 1 ? names : []), "check"];
	let name = given ?? shortened(parts, "");
	for (let n = 1; given === undefined && taken.has(name); n++) name = shortened(parts, String(n));
	return {
		oid: await editor.newId(),
		name,
		text,
		...(noInherit === undefined ? {} : { noInherit }),
	};
}

/** Throws what binding the condition throws. */
export function checkText(
	editor: SchemaEditor,
	table: TableDescriptor,
	condition: Expression,
): string {
	const bind = (node: Expression): Bound => bindCheck(binderIn(editor), table, node).bound;
	return storedText(editor, condition, bind, columnTexts(table));
}

type KeyConstraint = Extract<TableConstraint, { kind: "primary-key" | "unique" }>;

/** UNIQUE and PRIMARY KEY of a table whose columns are known. */
export async function keyIndex(
	editor: SchemaEditor,
	table: Pick<TableDescriptor, "schema" | "name" | "columns">,
	constraint: KeyConstraint,
	state: IndexState,
	taken: Set<string>,
): Promise<IndexDescriptor> {
	const parts =
		constraint.kind === "primary-key" ? [table.name, "pkey"] : keyNameParts(table.name, constraint);
	refuseRepeated(constraint);
	const form = keyForm(table.columns, constraint);
	const name = constraintName(editor, table.schema, constraint.name, parts, taken);
	const { schema } = table;
	const options = { unique: true, constraint: true, state, deferrable: deferrableOf(constraint) };
	return newIndex(editor, { schema, name }, form, options);
}

/** Throws 42701. */
export function refuseRepeated({ kind, columns, at }: KeyConstraint): void {
	const repeated = columns.find((one, i) => columns.indexOf(one) !== i);
	if (repeated === undefined) return;
	const what = kind === "unique" ? "unique" : "primary key";
	throw new DatabaseError("42701", `column "${repeated}" appears twice in ${what} constraint`, {
		position: at + 1,
	});
}

/** Throws 42703. */
export function optionsOf(
	columns: readonly ColumnDescriptor[],
	{ include, nullsNotDistinct }: IndexOptions,
	unknown = (name: string) => new DatabaseError("42703", `column "${name}" does not exist`),
): Pick<IndexForm, "included" | "nullsNotDistinct"> {
	const attnumOf = (name: string): number => {
		const found = columns.find((one) => one.name === name && !one.dropped);
		if (found === undefined) throw unknown(name);
		return found.attnum;
	};
	return {
		...(include === undefined ? {} : { included: include.map(attnumOf) }),
		...(nullsNotDistinct === undefined ? {} : { nullsNotDistinct }),
	};
}

/** Of which the name of a UNIQUE constraint is made. */
export const keyNameParts = (
	table: string,
	{ columns, include = [] }: Pick<KeyConstraint, "columns" | "include">,
): readonly string[] => [table, ...columns, ...include, "key"];

/** Throws 42703. */
export const keyForm = (
	columns: readonly ColumnDescriptor[],
	constraint: KeyConstraint,
): IndexForm => ({
	columns: constraint.columns.map((name) => keyColumn(columns, name, constraint.at)),
	...optionsOf(columns, constraint, (name) => unknownKeyColumn(name, constraint.at)),
});

/** Undefined: it is looked at with each row. */
export const deferrableOf = ({
	kind,
	deferrable,
	initiallyDeferred,
}: Pick<KeyConstraint, "kind" | keyof ConstraintTimes>): IndexDescriptor["deferrable"] =>
	deferrable === true
		? { initiallyDeferred: initiallyDeferred === true, primaryKey: kind === "primary-key" }
		: undefined;

/** With NOT NULL on the columns of its primary key. */
export function withKeyNotNull(
	columns: readonly ColumnDescriptor[],
	key: readonly IndexColumnDescriptor[],
): readonly ColumnDescriptor[] {
	const attnums = new Set(key.map((one) => one.attnum));
	return columns.map((column) =>
		attnums.has(column.attnum) && !column.notNull ? { ...column, notNull: true } : column,
	);
}

export const columnNamed = (
	table: Pick<TableDescriptor, "name" | "columns">,
	name: string,
): ColumnDescriptor => {
	const column = table.columns.find((one) => !one.dropped && one.name === name);
	if (column !== undefined) return column;
	throw new DatabaseError("42703", `column "${name}" of relation "${table.name}" does not exist`);
};

export const replaceColumn = (
	table: TableDescriptor,
	column: ColumnDescriptor,
	changed: ColumnDescriptor,
): TableDescriptor => ({
	...table,
	columns: table.columns.map((one) => (one === column ? changed : one)),
});
