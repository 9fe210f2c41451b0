/** What information_schema says of constraints (SQL standard, as PostgreSQL has it). */
import type { FunctionContext } from "../types/registry.ts";
import type { ForeignKeyDescriptor, IndexDescriptor, TableDescriptor } from "./descriptor.ts";
import { columnByAttnum, isKnownNotNull, liveColumns } from "./descriptor.ts";
import { checkedColumns } from "./indexed-columns.ts";
import { type CatalogSnapshot, namedIndexes } from "./snapshot.ts";
import { yesNo } from "./system-information-schema.ts";
import { withVisibleNames } from "./system-names.ts";
import { constraintsOf, keyType, type NamedConstraint, tablesOf } from "./system-relations.ts";
import type { SystemRow } from "./system-table.ts";

const constraintTypes = { p: "PRIMARY KEY", u: "UNIQUE" } as const;

const constraintType = (table: TableDescriptor, of: NamedConstraint["of"]): string =>
	of.kind === "key"
		? constraintTypes[keyType(table, of.index)]
		: of.kind === "check"
			? "CHECK"
			: "FOREIGN KEY";

const constraintName = (database: string, schema: string, name: string): SystemRow => ({
	constraint_catalog: database,
	constraint_schema: schema,
	constraint_name: name,
});

const tableName = (database: string, { schema, name }: TableDescriptor): SystemRow => ({
	table_catalog: database,
	table_schema: schema,
	table_name: name,
});

export function* tableConstraintRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	const database = context.currentDatabase;
	for (const { name, table, of } of constraintsOf(catalog)) {
		const type = constraintType(table, of);
		const key = of.kind === "foreign-key" ? of.key : undefined;
		const unique = of.kind === "key" ? of.index.deferrable : undefined;
		yield {
			...constraintName(database, table.schema, name),
			...tableName(database, table),
			constraint_type: type,
			is_deferrable: yesNo(key?.deferrable === true || unique !== undefined),
			initially_deferred: yesNo((key ?? unique)?.initiallyDeferred === true),
			enforced: "YES",
			nulls_distinct: type === "UNIQUE" ? "YES" : null,
		};
	}
	for (const table of tablesOf(catalog)) {
		for (const column of liveColumns(table)) {
			if (isKnownNotNull(table, column)) {
				const name = `${table.oid}_${column.attnum}_not_null`;
				yield {
					...constraintName(database, table.schema, name),
					...tableName(database, table),
					constraint_type: "CHECK",
					is_deferrable: "NO",
					initially_deferred: "NO",
					enforced: "YES",
				};
			}
		}
	}
}

export function* checkRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	for (const { name, table, of } of constraintsOf(catalog)) {
		if (of.kind === "check") {
			const row = constraintName(context.currentDatabase, table.schema, name);
			yield { ...row, check_clause: `(${withVisibleNames(catalog, context, of.check.text)})` };
		}
	}
}

/** The columns of primary keys, unique constraints and foreign keys. */
export function* keyColumnRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	const database = context.currentDatabase;
	for (const { name, table, of } of constraintsOf(catalog)) {
		if (of.kind === "check") continue;
		const attnums =
			of.kind === "key" ? of.index.columns.map(({ attnum }) => attnum) : of.key.columns;
		const positions = of.kind === "key" ? [] : positionsInKey(catalog, of.key);
		for (const [i, attnum] of attnums.entries()) {
			yield {
				...constraintName(database, table.schema, name),
				...tableName(database, table),
				column_name: columnByAttnum(table, attnum).name,
				ordinal_position: i + 1,
				position_in_unique_constraint: positions[i] ?? null,
			};
		}
	}
}

const parentOf = (catalog: CatalogSnapshot, key: ForeignKeyDescriptor): TableDescriptor =>
	catalog.relation(key.referencedTable) as TableDescriptor;

const indexOf = (parent: TableDescriptor, key: ForeignKeyDescriptor): IndexDescriptor =>
	namedIndexes(parent).find(({ oid }) => oid === key.referencedIndex)!;

function positionsInKey(catalog: CatalogSnapshot, key: ForeignKeyDescriptor): readonly number[] {
	const { columns } = indexOf(parentOf(catalog, key), key);
	return key.referencedColumns.map(
		(attnum) => columns.findIndex((column) => column.attnum === attnum) + 1,
	);
}

/** What constraints look at: of a foreign key, the columns that are referred to. */
export function* columnUsageRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	const database = context.currentDatabase;
	for (const { name, table, of } of constraintsOf(catalog)) {
		const on = of.kind === "foreign-key" ? parentOf(catalog, of.key) : table;
		const attnums =
			of.kind === "check"
				? checkedColumns(table, of.check)
				: of.kind === "key"
					? of.index.columns.map(({ attnum }) => attnum)
					: of.key.referencedColumns;
		for (const attnum of attnums) {
			yield {
				...constraintName(database, table.schema, name),
				...tableName(database, on),
				column_name: columnByAttnum(on, attnum).name,
			};
		}
	}
}

export function* referentialRows(
	catalog: CatalogSnapshot,
	context: FunctionContext,
): Iterable<SystemRow> {
	const database = context.currentDatabase;
	for (const { name, table, of } of constraintsOf(catalog)) {
		if (of.kind !== "foreign-key") continue;
		const { key } = of;
		const parent = parentOf(catalog, key);
		const index = indexOf(parent, key);
		// A unique index that no constraint stands for has no name here.
		const isNamed = index.constraintOid !== undefined;
		yield {
			...constraintName(database, table.schema, name),
			unique_constraint_catalog: isNamed ? database : null,
			unique_constraint_schema: isNamed ? parent.schema : null,
			unique_constraint_name: isNamed ? index.name : null,
			match_option: key.matchFull ? "FULL" : "NONE",
			update_rule: key.onUpdate.toUpperCase(),
			delete_rule: key.onDelete.toUpperCase(),
		};
	}
}
