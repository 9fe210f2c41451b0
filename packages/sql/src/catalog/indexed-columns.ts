/** The columns that a condition depends on, and an index: as they are, in its expressions or in its predicate. */
import { columnsIn } from "../ddl/deparse.ts";
import { storedExpression } from "../plan/bind-table.ts";
import {
	attributesOf,
	type CheckDescriptor,
	type IndexDescriptor,
	indexTexts,
	liveColumns,
	type TableDescriptor,
} from "./descriptor.ts";

/** attnums of those that a condition names, in its order. */
export function checkedColumns(
	table: TableDescriptor,
	{ text }: Pick<CheckDescriptor, "text">,
): readonly number[] {
	const columns = liveColumns(table);
	return [...columnsIn(storedExpression(text))].flatMap(
		(name) => columns.find((column) => column.name === name)?.attnum ?? [],
	);
}

/** attnums: those of its own columns first. */
export function indexedColumns(
	table: TableDescriptor,
	index: IndexDescriptor,
): ReadonlySet<number> {
	const attnums = new Set(
		attributesOf(index)
			.map(({ attnum }) => attnum)
			.filter((one) => one > 0),
	);
	for (const text of indexTexts(index)) {
		const names = columnsIn(storedExpression(text));
		for (const { name, attnum } of liveColumns(table)) if (names.has(name)) attnums.add(attnum);
	}
	return attnums;
}
