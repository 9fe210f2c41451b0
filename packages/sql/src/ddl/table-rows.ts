/** All rows of a table, as a schema change reads them: to check them, to fill an index, to write them anew. */
import type { Key, Span } from "@quorate/keys/key";
import type { ScanOptions, Transaction } from "@quorate/txn/types";
import type { TableDescriptor } from "../catalog/descriptor.ts";
import { indexSpan } from "../catalog/keys.ts";
import { tableCodec } from "../execute/table-codec.ts";
import type { Datum } from "../types/datum.ts";

export interface StoredRow {
	readonly key: Key;
	readonly row: readonly Datum[];
}

export async function* tableRows(
	transaction: Transaction,
	table: TableDescriptor,
	options: ScanOptions = {},
	span: Span = indexSpan(table.primary.indexId),
): AsyncIterable<readonly StoredRow[]> {
	const codec = tableCodec(table);
	for await (const page of transaction.scan(span, options)) {
		yield page.map(({ key, value }): StoredRow => {
			const row: Datum[] = new Array(codec.row.width);
			codec.row.decode(value, row, 0, undefined);
			return { key, row };
		});
	}
}

/** Whether the table has more than `max` rows; reads no more than it needs. */
export async function hasMoreThan(
	transaction: Transaction,
	table: TableDescriptor,
	max: number,
): Promise<boolean> {
	let count = 0;
	for await (const page of transaction.scan(indexSpan(table.primary.indexId), { limit: max + 1 })) {
		count += page.length;
		if (count > max) return true;
	}
	return false;
}
