/** What is stored of a physical index that was dropped, until its rows are removed (S4): under its id, in `droppedIndexSpan`. */

import type { TableDescriptor, TableRewrite } from "./descriptor.ts";
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
	const { primary, indexes, rewrite } = table;
	const own = [primary, ...indexes].map((index) => index.indexId);
	return rewrite === undefined ? own : [...own, ...rewriteIndexIds(rewrite)];
};

/** Of the second set, with what leads to its rows. */
export const rewriteIndexIds = ({ primary, indexes, change }: TableRewrite): readonly number[] => [
	...[primary, ...indexes].map((index) => index.indexId),
	...(change?.places === undefined ? [] : [change.places]),
];

/** The name of the table that has the index; null: none. */
export function tableWith(catalog: CatalogSnapshot, indexId: number): string | null {
	const found = catalog
		.relations()
		.find((one) => one.kind === "table" && allIndexIds(one).includes(indexId));
	return found?.name ?? null;
}
