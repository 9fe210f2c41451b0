/**
 * Keys of a physical index. Primary: prefix + key columns (never NULL), or prefix + row id. Secondary: prefix + columns,
 * each behind a byte that says whether it is NULL (\x01 value; \x02 NULL, \x00 where NULLs are first; inverted with the column when
 * it descends); an entry that need not be unique, or that holds a NULL (where those are distinct), has the primary key's bytes after it. The entry's
 * value is the primary key's bytes in either case, so that no key is ever taken apart. A column may be an expression over the row
 * (`plan/index-expression.ts`), and of a row that does not meet the predicate of a partial index there is no entry.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key } from "@quorate/keys/key";
import type { IndexDescriptor, TableDescriptor } from "../catalog/descriptor.ts";
import { hasNullsFirst, indexColumnType, indexTexts, liveColumns } from "../catalog/descriptor.ts";
import { encodeId, indexPrefix, indexPrefixLength } from "../catalog/keys.ts";
import { IndexExpressions, type IndexTerm } from "../plan/index-expression.ts";
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
			{ hint: "Index an expression of it that has an order." },
		);
	}
	return (value) => codec.encode(value);
}

export interface IndexKeyColumn {
	/** Position in a row of the table's live columns; below 0: of an expression, the same for the same in all indexes of the table. */
	readonly slot: number;
	/** 0: an expression. */
	readonly attnum: number;
	readonly typeOid: number;
	readonly descending: boolean;
	readonly nullsFirst: boolean;
	readonly expression: IndexTerm | undefined;
	/** Bytes of a value as part of this index's key, its NULL marker included. */
	readonly encode: Encode;
}

function columnEncoder(
	typeOid: number,
	primary: boolean,
	descending: boolean,
	nullsFirst: boolean,
): Encode {
	const encode = keyEncoder(typeOid);
	if (primary) return descending ? (value) => invertBytes(encode(value)) : encode;
	if (descending) {
		const nullMark = nullsFirst ? "\xfd" : "\xff";
		return (value) => (value === null ? nullMark : `\xfe${invertBytes(encode(value))}`);
	}
	const nullMark = nullsFirst ? "\x00" : "\x02";
	return (value) => (value === null ? nullMark : `\x01${encode(value)}`);
}

/** By text, those of all indexes of a table. */
const expressionsOf = ({ indexes }: TableDescriptor): readonly string[] => [
	...new Set(
		indexes.flatMap(({ columns }) =>
			columns.flatMap(({ expression }) => (expression === undefined ? [] : [expression.text])),
		),
	),
];

export class IndexCodec {
	readonly table: TableDescriptor;
	readonly index: IndexDescriptor;
	readonly prefix: Key;
	readonly columns: readonly IndexKeyColumn[];
	readonly isPrimary: boolean;
	/** Of a partial index. */
	readonly predicate: IndexTerm | undefined;
	/** Positions of all columns that an entry is made of, or depends on. */
	readonly slots: ReadonlySet<number>;

	constructor(table: TableDescriptor, index: IndexDescriptor) {
		this.table = table;
		this.index = index;
		this.prefix = indexPrefix(index.indexId);
		this.isPrimary = index.indexId === table.primary.indexId;
		const texts = indexTexts(index);
		const { predicate } = index;
		const terms =
			texts.length === 0 ? undefined : new IndexExpressions(table, texts, index.labels ?? []);
		const slots = new Map(liveColumns(table).map((column, slot) => [column.attnum, slot]));
		this.columns = index.columns.map((column): IndexKeyColumn => {
			const { attnum, descending, expression } = column;
			const typeOid = indexColumnType(table, column).oid;
			const nullsFirst = hasNullsFirst(column);
			return {
				slot: expression ? -1 - expressionsOf(table).indexOf(expression.text) : slots.get(attnum)!,
				attnum,
				typeOid,
				descending,
				nullsFirst,
				expression: expression && terms!.term(expression.text, "index expressions"),
				encode: columnEncoder(typeOid, this.isPrimary, descending, nullsFirst),
			};
		});
		this.predicate =
			predicate === undefined ? undefined : terms!.term(predicate, "index predicates");
		this.slots = new Set([
			...this.columns.flatMap(({ slot, expression }) => expression?.slots ?? [slot]),
			...(this.predicate?.slots ?? []),
		]);
	}

	/** Whether a row has an entry. Throws what the predicate does. */
	#includes(row: readonly Datum[]): boolean {
		return this.predicate === undefined || this.predicate.evaluate(row) === true;
	}

	/** What a row has in one of the columns. Throws what an expression does. */
	valueOf({ slot, expression }: IndexKeyColumn, row: readonly Datum[]): Datum {
		return expression === undefined ? row[slot]! : expression.evaluate(row);
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

	/** Of a row that keeps the key that it had in another primary index. */
	movedKey(before: Key): Key {
		return key(this.prefix + before.slice(indexPrefixLength));
	}

	rowidKey(rowid: number): Key {
		return key(this.prefix + encodeId(rowid));
	}

	/**
	 * Key of a row's entry in a secondary index; undefined: it has none. `primaryKey`: the row's key in the primary index. Throws what
	 * expressions do.
	 */
	entryKey(row: readonly Datum[], primaryKey: Key): Key | undefined {
		if (!this.#includes(row)) return undefined;
		let bytes: string = this.prefix;
		let hasNull = false;
		for (const column of this.columns) {
			const value = this.valueOf(column, row);
			if (value === null) hasNull = this.index.nullsNotDistinct !== true;
			bytes += column.encode(value);
		}
		if (hasNull || !this.index.unique) bytes += primaryKey.slice(indexPrefixLength);
		return this.#checked(bytes);
	}

	/** The same of a row that is there already: where an expression fails for it, it has not got an entry yet, and will not get one. */
	heldKey(row: readonly Datum[], primaryKey: Key): Key | undefined {
		if (this.predicate === undefined && this.columns.every((one) => one.expression === undefined)) {
			return this.entryKey(row, primaryKey);
		}
		try {
			return this.entryKey(row, primaryKey);
		} catch (error) {
			if (error instanceof DatabaseError) return undefined;
			throw error;
		}
	}

	/** Of a constraint that is deferrable: what the entries of all rows begin with that have its key. Undefined: none is shared. */
	sharedKey(row: readonly Datum[]): Key | undefined {
		if (this.index.deferrable === undefined) return undefined;
		let bytes: string = this.prefix;
		for (const column of this.columns) {
			const value = row[column.slot]!;
			if (value === null && this.index.nullsNotDistinct !== true) return undefined;
			bytes += column.encode(value);
		}
		return key(bytes);
	}

	/** Whether another row with the same columns would violate the index. */
	isUniqueFor(row: readonly Datum[]): boolean {
		if (!this.index.unique) return false;
		if (!this.#includes(row)) return false;
		if (this.index.nullsNotDistinct === true) return true;
		return this.columns.every((column) => this.valueOf(column, row) !== null);
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
export const indexKeyOf = (index: IndexCodec, row: readonly Datum[]): Key => {
	if (index.isPrimary) return index.primaryKey(row);
	const entry = index.entryKey(row, noKey);
	assert(entry !== undefined, () => `index ${index.index.oid} is of all rows`);
	return entry;
};

const noKey = key("");
