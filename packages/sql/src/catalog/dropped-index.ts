/** What is stored of a physical index that was dropped, until its rows are removed (S4): under its id, in `droppedIndexSpan`. */

import type { TableDescriptor } from "./descriptor.ts";
import type { CatalogSnapshot } from "./snapshot.ts";

export interface DroppedIndex {
	/** 1: nothing but this. */
	readonly format: 1 | 2;
	/** Of the table that it was of, as it was called then; null where that is not known. */
	readonly table: string | null;
}

export const encodeDropped = (table: string | null): Uint8Array => {
	const dropped: DroppedIndex = { format: 2, table };
	return Buffer.from(JSON.stringify(dropped), "utf8");
};

export function decodeDropped(bytes: Uint8Array): DroppedIndex {
	const { format, table } = JSON.parse(Buffer.from(bytes).toString("utf8")) as DroppedIndex;
	return { format, table: table ?? null };
}

export const allIndexIds = (table: TableDescriptor): readonly number[] => {
	const rewrite =
		table.rewrite === undefined ? [] : [table.rewrite.primary, ...table.rewrite.indexes];
	return [table.primary, ...table.indexes, ...rewrite].map((index) => index.indexId);
};

/** The name of the table that has the index; null: none. */
export function tableWith(catalog: CatalogSnapshot, indexId: number): string | null {
	const found = catalog
		.relations()
		.find((one) => one.kind === "table" && allIndexIds(one).includes(indexId));
	return found?.name ?? null;
}
