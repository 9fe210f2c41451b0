/**
 * A constraint on a table that has many rows (S3, as for an index). One commit makes it known: from then on all writers keep it, and
 * whoever has planned without it cannot commit any more. So every violation that there will ever be is in any snapshot after that commit,
 * and the rows are read in snapshots, a stretch in each: no row is locked, no read has to hold, no writer waits or fails. When
 * all rows were found to be right, one more schema change says so; where one is not, it takes back what the first one added.
 */

import { liveColumns, type TableDescriptor, type Validation } from "../catalog/descriptor.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { Env } from "../execute/env.ts";
import { Reference } from "../execute/references/reference.ts";
import { ReferenceChecks } from "../execute/references/reference-checks.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { compileCheck, referencedTable } from "../plan/bind-table.ts";
import { Binder } from "../plan/binder.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import { type Builder, type FillBatch, gone } from "./fill.ts";
import { containsNull, violatedBySome } from "./row-errors.ts";
import type { StoredRow } from "./table-rows.ts";

type RowTest = (rows: readonly StoredRow[], env: Env) => Promise<void>;

export const validationOf = (table: TableDescriptor, id: number): Validation | undefined =>
	table.validating?.find((one) => one.id === id);

/** Throws 23514, 23503, 23502 where a row is not as it should be. */
export function validator(state: Builder, id: number): FillBatch {
	let known: { readonly table: TableDescriptor; readonly test: RowTest } | undefined;
	return async (table, rows, env, _blind, catalog) => {
		if (known?.table !== table) known = { table, test: testOf(state, table, id, catalog) };
		await known.test(rows, env);
	};
}

function testOf(
	state: Builder,
	table: TableDescriptor,
	id: number,
	catalog: CatalogSnapshot,
): RowTest {
	const validation = validationOf(table, id);
	if (validation === undefined) throw gone();
	if (validation.kind === "SET NOT NULL") return notNullTest(table, validation.of);
	const check = table.checks.find(({ oid }) => oid === validation.of);
	if (check !== undefined) return checkTest(state, table, check, catalog);
	return referenceTest(table, validation.of, catalog);
}

function notNullTest(table: TableDescriptor, attnum: number): RowTest {
	const slot = liveColumns(table).findIndex((column) => column.attnum === attnum);
	const { name } = liveColumns(table)[slot]!;
	return async (rows) => {
		if (rows.some(({ row }) => row[slot] === null)) throw containsNull(table, name);
	};
}

function checkTest(
	{ services, context }: Builder,
	table: TableDescriptor,
	check: TableDescriptor["checks"][number],
	catalog: CatalogSnapshot,
): RowTest {
	const { virtualTable } = services;
	const { searchPath } = context;
	const binder = new Binder({ catalog, virtualTable, searchPath, context }, [], []);
	const scope = CompileScope.root(new Planner(catalog));
	const { condition } = compileCheck(binder, table, check, scope);
	return async (rows, env) => {
		for (const { row } of rows) {
			const value = condition.evaluate(row, env);
			if ((value instanceof Promise ? await value : value) === false) {
				throw violatedBySome(table, check.name);
			}
		}
	};
}

function referenceTest(table: TableDescriptor, oid: number, catalog: CatalogSnapshot): RowTest {
	const key = table.foreignKeys.find((one) => one.oid === oid);
	if (key === undefined) throw gone();
	// Whatever is deferred: the rows have been there for long.
	const reference = new Reference(
		{ ...key, deferrable: false },
		table,
		referencedTable(catalog, key),
	);
	const { width } = tableCodec(table).row;
	return async (rows, env) => {
		const checks = new ReferenceChecks(env.execution);
		for (const { row, key: at } of rows) {
			checks.written({ own: [reference], referrers: [] }, row.slice(0, width), at);
		}
		await checks.run();
	};
}
