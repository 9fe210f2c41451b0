/** All codecs of one table version, made once and kept with its immutable descriptor. */
import type { Key } from "@quorate/keys/key";
import { type IndexDescriptor, rewritten, type TableDescriptor } from "../catalog/descriptor.ts";
import { indexPrefix } from "../catalog/keys.ts";
import { IndexCodec } from "./index-codec.ts";
import { RowCodec } from "./row-codec.ts";

export interface TableCodec {
	readonly table: TableDescriptor;
	readonly row: RowCodec;
	readonly primary: IndexCodec;
	readonly primaryPrefix: Key;
	/** All secondary indexes, write-only ones included. */
	readonly secondary: readonly IndexCodec[];
	/** Of the physical indexes being filled to take over (S5). */
	readonly rewrite: TableCodec | undefined;
}

const cache = new WeakMap<TableDescriptor, TableCodec>();

export function tableCodec(table: TableDescriptor): TableCodec {
	let codec = cache.get(table);
	if (codec === undefined) {
		const shadow = rewritten(table);
		codec = {
			table,
			row: new RowCodec(table),
			primary: new IndexCodec(table, table.primary),
			primaryPrefix: indexPrefix(table.primary.indexId),
			secondary: table.indexes.map((index) => new IndexCodec(table, index)),
			rewrite: shadow === undefined ? undefined : tableCodec(shadow),
		};
		cache.set(table, codec);
	}
	return codec;
}

export function indexCodec(table: TableDescriptor, index: IndexDescriptor): IndexCodec {
	const codec = tableCodec(table);
	if (index.indexId === table.primary.indexId) return codec.primary;
	return (
		codec.secondary.find((candidate) => candidate.index.indexId === index.indexId) ??
		new IndexCodec(table, index)
	);
}
