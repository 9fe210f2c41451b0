/** What a job does with the rows of a table that is being rewritten (S5): each gets its place in the second set of indexes. */
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { rowFieldsIn } from "../catalog/row-fields.ts";
import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import { ShadowWriter } from "../execute/shadow-writer.ts";
import { tableCodec } from "../execute/table-codec.ts";
import { Binder } from "../plan/binder.ts";
import { CompileScope } from "../plan/compile-scope.ts";
import { Planner } from "../plan/plan-query.ts";
import {
	type ConversionCalls,
	type PlannedConversion,
	rowConversion,
} from "../plan/row-conversion.ts";
import type { Datum } from "../types/datum.ts";
import { type Builder, type FillBatch, gone } from "./fill.ts";
import { asAlterError, asBuildError, checkKeyColumns } from "./row-errors.ts";

interface Known {
	readonly table: TableDescriptor;
	readonly shadow: ShadowWriter;
	readonly conversion: PlannedConversion | undefined;
}

/** Throws 23505, 23502, 23514, and what says that a value cannot be converted. */
export function rewriter(state: Builder): FillBatch {
	let known: Known | undefined;
	return async (table, rows, env, blind, catalog) => {
		if (table.rewrite === undefined) throw gone();
		if (known?.table !== table) known = planned(state, table, catalog);
		const { shadow, conversion } = known;
		conversion?.answerWith(env, callsOf(state, catalog, rows.length));
		if (conversion === undefined) checkKeyColumns(shadow.codec.primary, rows);
		try {
			await (blind ? shadow.insertUnread(rows, env) : shadow.insertMissing(rows, env));
		} catch (error) {
			throw asAlterError(asBuildError(error), table);
		}
	};
}

function planned(
	{ services, context }: Builder,
	table: TableDescriptor,
	catalog: CatalogSnapshot,
): Known {
	const { virtualTable } = services;
	const calls = callsOf({ services, context }, catalog, 1);
	const binder = new Binder({ catalog, virtualTable, searchPath: [], context }, [], []);
	const scope = CompileScope.root(new Planner(catalog));
	const conversion = rowConversion(binder, table, scope, calls);
	return { table, conversion, shadow: new ShadowWriter(tableCodec(table), conversion) };
}

/** What a session would answer. Of a sequence, as many values are drawn at once as there are rows. */
function callsOf(
	{ services, context }: Pick<Builder, "services" | "context">,
	catalog: CatalogSnapshot,
	count: number,
): ConversionCalls {
	const drawn = new Map<number, { next: bigint; left: number; readonly increment: bigint }>();
	const draw = async (oid: number): Promise<Datum> => {
		let block = drawn.get(oid);
		if (block === undefined || block.left === 0) {
			const sequence = catalog.relation(oid);
			if (sequence?.kind !== "sequence") throw gone();
			const { first, count: left } = await services.sequences.take(sequence, count);
			block = { next: first, left, increment: BigInt(sequence.increment) };
			drawn.set(oid, block);
		}
		const value = block.next;
		block.next += block.increment;
		block.left--;
		return value;
	};
	return {
		catalogCall: (name, args) => services.catalogCall(catalog, context, name, args),
		rowFields: (oid) => rowFieldsIn(catalog, oid),
		sequenceCall: (_name, [oid]) => draw(oid as number),
	};
}
