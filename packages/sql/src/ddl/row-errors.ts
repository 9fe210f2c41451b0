/** What ALTER TABLE says of rows that are there already and do not go with the table as it is to be. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import type { Env } from "../execute/env.ts";
import type { IndexCodec } from "../execute/index-codec.ts";
import type { TableWriter } from "../execute/table-writer.ts";
import type { StoredRow } from "./table-rows.ts";

export const containsNull = (
	table: TableDescriptor,
	column: string,
	fields: DatabaseError["fields"] = { schema: table.schema, table: table.name, column },
): DatabaseError =>
	new DatabaseError(
		"23502",
		`column "${column}" of relation "${table.name}" contains null values`,
		fields,
	);

export const usedByView = (view: string, column: string): DatabaseError =>
	new DatabaseError("0A000", "cannot alter type of a column used by a view or rule", {
		detail: `rule _RETURN on view ${view} depends on column "${column}"`,
	});

export const violatedBySome = (
	table: TableDescriptor,
	check: string,
	fields: DatabaseError["fields"] = { schema: table.schema, table: table.name, constraint: check },
): DatabaseError =>
	new DatabaseError(
		"23514",
		`check constraint "${check}" of relation "${table.name}" is violated by some row`,
		fields,
	);

/** What a row of a statement that writes it is told of a row that is there. */
export function asAlterError(error: unknown, table: TableDescriptor): unknown {
	if (!(error instanceof DatabaseError) || error.fields.dataType !== undefined) return error;
	const { detail: _detail, ...fields } = error.fields;
	if (error.code === "23502") return containsNull(table, String(fields.column), fields);
	if (error.code !== "23514") return error;
	return violatedBySome(table, String(fields.constraint), fields);
}

/** Throws 23502. */
export function checkKeyColumns({ table, columns }: IndexCodec, rows: readonly StoredRow[]): void {
	for (const { row } of rows) {
		const missing = columns.find((column) => row[column.slot] === null);
		if (missing === undefined) continue;
		throw containsNull(table, table.columns[missing.attnum - 1]!.name);
	}
}

/** A key that exists twice, told as the failure to build the index that it is. */
export function asBuildError(error: unknown): unknown {
	if (!(error instanceof DatabaseError) || error.code !== "23505") return error;
	const { constraint, detail, ...rest } = error.fields;
	return new DatabaseError("23505", `could not create unique index "${constraint}"`, {
		...rest,
		...(constraint === undefined ? {} : { constraint }),
		...(detail === undefined ? {} : { detail: detail.replace("already exists", "is duplicated") }),
	});
}

/** Rows under their new keys, with their entries. Throws 23505 if one is taken. */
export async function insertMoved(
	writer: TableWriter,
	rows: readonly StoredRow[],
	env: Env,
): Promise<void> {
	try {
		await writer.check(
			rows.flatMap(({ row, key }) => writer.claims(row, key)),
			env,
		);
	} catch (error) {
		throw asBuildError(error);
	}
	for (const { row, key } of rows) writer.insert(row, key, env);
}
