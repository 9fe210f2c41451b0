/**
 * Keys of a physical index. Primary: prefix + key columns (never NULL), or prefix + row id. Secondary: prefix + columns,
 * each behind a byte that says whether it is NULL (\x01 value, \x02 NULL: NULLS LAST, and inverted with the column when it
 * descends); an entry that need not be unique, or that holds a NULL, has the primary key's bytes after it. The entry's
 * value is the primary key's bytes in either case, so that no key is ever taken apart.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key } from "@quorate/keys/key";
import type { IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { columnByAttnum, liveColumns } from "../catalog/descriptor.ts";
import { encodeId, indexPrefix, indexPrefixLength } from "../catalog/keys.ts";
import type { Datum } from "../types/datum.ts";
import { formatType, typeByOid } from "../types/registry.ts";

type Encode = (value: Datum) => string;

/** No key above this: it would not fit a page of anything. As PostgreSQL's limit of a btree row, about. */
const keySizeMax = 8191;

export function invertBytes(bytes: string): string {
	let out = "";
	for (let i = 0; i < bytes.length; i++) out += String.fromCharCode(255 - bytes.charCodeAt(i));
	return out;
}

/** Throws 0A000 where the type cannot be a key. */
export function keyEncoder(typeOid: number): Encode {
	const codec = typeByOid(typeOid)?.keyCodec;
	if (codec === undefined) {
		throw new DatabaseError(
			"0A000",
			`type ${formatType({ oid: typeOid, modifier: -1 })} cannot be part of an index key`,
		);
	}
	return (value) => codec.encode(value);
}

export interface IndexKeyColumn {
	/** Position in a row of the table's live columns. */
	readonly slot: number;
	readonly attnum: number;
	readonly typeOid: number;
	readonly descending: boolean;
	/** Bytes of a value as part of this index's key, its NULL marker included. */
	readonly encode: Encode;
}

const nullMark = "\x02";

function columnEncoder(typeOid: number, primary: boolean, descending: boolean): Encode {
	const encode = keyEncoder(typeOid);
	if (primary) return descending ? (value) => invertBytes(encode(value)) : encode;
	return descending
		? (value) => (value === null ? "\xfd" : `\xfe${invertBytes(encode(value))}`)
		: (value) => (value === null ? nullMark : `\x01${encode(value)}`);
}

export class IndexCodec {
	readonly table: TableDescriptor;
	readonly index: IndexDescriptor;
	readonly prefix: Key;
	readonly columns: readonly IndexKeyColumn[];
	readonly isPrimary: boolean;

	constructor(table: TableDescriptor, index: IndexDescriptor) {
		this.table = table;
		this.index = index;
		this.prefix = indexPrefix(index.indexId);
		this.isPrimary = index.indexId === table.primary.indexId;
		const live = liveColumns(table);
		this.columns = index.columns.map(({ attnum, descending }) => {
			const column = columnByAttnum(table, attnum);
			return {
				slot: live.indexOf(column),
				attnum,
				typeOid: column.type.oid,
				descending,
				encode: columnEncoder(column.type.oid, this.isPrimary, descending),
			};
		});
	}

	/** Key of a row in a primary index with key columns. */
	primaryKey(row: readonly Datum[]): Key {
		assert(this.isPrimary && this.columns.length > 0, "a primary key");
		const columns = this.columns;
		if (columns.length === 1) {
			return this.#checked(this.prefix + columns[0]!.encode(row[columns[0]!.slot]!));
		}
		let bytes: string = this.prefix;
		for (const column of columns) bytes += column.encode(row[column.slot]!);
		return this.#checked(bytes);
	}

	rowidKey(rowid: number): Key {
		return key(this.prefix + encodeId(rowid));
	}

	/** Key of a row's entry in a secondary index. `primaryKey`: the row's key in the primary index. */
	entryKey(row: readonly Datum[], primaryKey: Key): Key {
		let bytes: string = this.prefix;
		let hasNull = false;
		for (const column of this.columns) {
			const value = row[column.slot]!;
			if (value === null) hasNull = true;
			bytes += column.encode(value);
		}
		if (hasNull || !this.index.unique) bytes += primaryKey.slice(indexPrefixLength);
		return this.#checked(bytes);
	}

	/** Of a constraint that is deferrable: what the entries of all rows begin with that have its key. Undefined: none is shared. */
	sharedKey(row: readonly Datum[]): Key | undefined {
		if (this.index.deferrable === undefined) return undefined;
		let bytes: string = this.prefix;
		for (const column of this.columns) {
			const value = row[column.slot]!;
			if (value === null) return undefined;
			bytes += column.encode(value);
		}
		return key(bytes);
	}

	/** Whether another row with the same columns would violate the index. */
	isUniqueFor(row: readonly Datum[]): boolean {
		if (!this.index.unique) return false;
		for (const column of this.columns) if (row[column.slot] === null) return false;
		return true;
	}

	#checked(bytes: string): Key {
		if (bytes.length > keySizeMax) {
			throw new DatabaseError(
				"54000",
				`index row size ${bytes.length} exceeds maximum ${keySizeMax} for index "${this.index.name}"`,
				{ hint: "Values larger than this cannot be indexed." },
			);
		}
		return key(bytes);
	}
}

/** Value of a secondary entry: the primary key without its prefix. */
export const entryValue = (primaryKey: Key): Uint8Array =>
	Buffer.from(primaryKey.slice(indexPrefixLength), "latin1");

/** The row's key in the primary index, from an entry's value. */
export function entryTarget(primaryPrefix: Key, value: Uint8Array): Key {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	return key(primaryPrefix + bytes.toString("latin1"));
}

/** Key of an entry that there is at most one of: all columns have values. */
export const indexKeyOf = (index: IndexCodec, row: readonly Datum[]): Key =>
	index.isPrimary ? index.primaryKey(row) : index.entryKey(row, noKey);

const noKey = key("");
