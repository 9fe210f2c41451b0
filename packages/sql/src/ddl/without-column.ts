/** A table without one of its columns: what goes with that of the table itself. */
import type { ColumnDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { indexedColumns } from "../catalog/indexed-columns.ts";
import { storedExpression } from "../plan/bind-table.ts";
import { columnsIn } from "./deparse.ts";
import { replaceColumn } from "./table-parts.ts";

/** It stays in the list, as nothing but a number that is taken. */
export function droppedColumn(column: ColumnDescriptor): ColumnDescriptor {
	const { generatedText: _before, ...rest } = column;
	return { ...rest, dropped: true, notNull: false, defaultText: undefined, identity: undefined };
}

export const withoutColumn = (
	table: TableDescriptor,
	column: ColumnDescriptor,
): TableDescriptor => ({
	...replaceColumn(table, column, droppedColumn(column)),
	indexes: table.indexes.filter((index) => !indexedColumns(table, index).has(column.attnum)),
	checks: table.checks.filter((check) => !columnsIn(storedExpression(check.text)).has(column.name)),
	foreignKeys: table.foreignKeys.filter(({ columns }) => !columns.includes(column.attnum)),
});
