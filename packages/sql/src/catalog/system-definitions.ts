/** Definitions as text: CREATE INDEX, constraints. */
import { quoteIdentifier } from "../functions/quoting-functions.ts";
import type { CheckDescriptor, IndexDescriptor, TableDescriptor } from "./descriptor.ts";
import { columnByAttnum } from "./descriptor.ts";

const columnList = (table: TableDescriptor, index: IndexDescriptor): string =>
	index.columns.map(({ attnum }) => quoteIdentifier(columnByAttnum(table, attnum).name)).join(", ");

/** pg_get_indexdef(oid). `tableName` is qualified or not as the caller shows it. */
export function indexDefinition(
	table: TableDescriptor,
	index: IndexDescriptor,
	tableName: string,
): string {
	const columns = index.columns.map(({ attnum, descending }) => {
		const name = quoteIdentifier(columnByAttnum(table, attnum).name);
		return descending ? `${name} DESC` : name;
	});
	const unique = index.unique ? "UNIQUE " : "";
	const name = quoteIdentifier(index.name);
	return `CREATE ${unique}INDEX ${name} ON ${tableName} USING btree (${columns.join(", ")})`;
}

/** pg_get_indexdef(oid, column, pretty). */
export function indexColumnDefinition(
	table: TableDescriptor,
	index: IndexDescriptor,
	column: number,
): string {
	const attnum = index.columns[column - 1]?.attnum;
	return attnum === undefined ? "" : quoteIdentifier(columnByAttnum(table, attnum).name);
}

export const keyDefinition = (table: TableDescriptor, index: IndexDescriptor): string =>
	`${isPrimary(table, index) ? "PRIMARY KEY" : "UNIQUE"} (${columnList(table, index)})`;

export const checkDefinition = (check: CheckDescriptor, pretty: boolean): string =>
	pretty ? `CHECK (${check.text})` : `CHECK ((${check.text}))`;

export const isPrimary = (table: TableDescriptor, index: IndexDescriptor): boolean =>
	index.oid === table.primary.oid;
