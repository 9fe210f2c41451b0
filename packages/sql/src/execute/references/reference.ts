/**
 * A foreign key as it is kept: where the columns of both tables lie in their rows, which key of the referenced table a row of
 * the other one stands for, and where the rows lie that stand for a key.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type Key, key, prefixEnd, type Span } from "@quorate/keys/key";
import {
	columnByAttnum,
	type ForeignKeyDescriptor,
	liveColumns,
	type TableDescriptor,
} from "../../catalog/descriptor.ts";
import { indexSpan } from "../../catalog/keys.ts";
import type { Compiled } from "../../plan/compile.ts";
import type { Datum } from "../../types/datum.ts";
import { type TypeContext, typeByOid } from "../../types/registry.ts";
import type { ExecRow } from "../env.ts";
import { type IndexCodec, indexKeyOf, keyEncoder } from "../index-codec.ts";
import { indexCodec, type TableCodec, tableCodec } from "../table-codec.ts";
import type { TableWriter } from "../table-writer.ts";
import { converter } from "./converter.ts";

/** How rows that refer to a key are changed with it. */
export interface ReferentialWriter {
	readonly writer: TableWriter;
	/** Of the columns of the foreign key, in its order. */
	readonly defaults: readonly Compiled[];
}

/** Where rows that refer to a key are looked for. */
export interface ReferrerSearch {
	readonly span: Span;
	/** Of the referring table; undefined: the whole of it has to be read. */
	readonly index: IndexCodec | undefined;
}

const slotsOf = (table: TableDescriptor, attnums: readonly number[]): readonly number[] => {
	const live = liveColumns(table);
	return attnums.map((attnum) => {
		const slot = live.findIndex((column) => column.attnum === attnum);
		assert(slot >= 0, () => `column ${attnum} of table ${table.oid} is in a foreign key`);
		return slot;
	});
};

const typesOf = (table: TableDescriptor, attnums: readonly number[]): readonly number[] =>
	attnums.map((attnum) => columnByAttnum(table, attnum).type.oid);

const textOf = (typeOid: number, value: Datum, context: TypeContext): string =>
	value === null ? "null" : typeByOid(typeOid)!.format(value, context);

export class Reference {
	readonly key: ForeignKeyDescriptor;
	/** The table that refers. */
	readonly child: TableCodec;
	readonly parent: TableCodec;
	/** Of the referenced table: primary, or unique. */
	readonly parentIndex: IndexCodec;
	readonly childSlots: readonly number[];
	readonly parentSlots: readonly number[];
	/** Given by whoever plans the writing of the referenced table, where an action needs it. */
	action: ReferentialWriter | undefined;
	readonly #toParent: readonly ((value: Datum) => Datum | undefined)[];
	readonly #toChild: readonly ((value: Datum) => Datum | undefined)[];
	readonly #childTypes: readonly number[];
	readonly #encoders: readonly ((value: Datum) => string)[];

	constructor(key: ForeignKeyDescriptor, child: TableDescriptor, parent: TableDescriptor) {
		const index = [parent.primary, ...parent.indexes].find(
			({ oid }) => oid === key.referencedIndex,
		);
		assert(index !== undefined, () => `foreign key ${key.oid} hangs on an index`);
		this.key = key;
		this.child = tableCodec(child);
		this.parent = tableCodec(parent);
		this.parentIndex = indexCodec(parent, index);
		this.childSlots = slotsOf(child, key.columns);
		this.parentSlots = slotsOf(parent, key.referencedColumns);
		this.#childTypes = typesOf(child, key.columns);
		const parentTypes = typesOf(parent, key.referencedColumns);
		this.#toParent = parentTypes.map((oid, i) => converter(this.#childTypes[i]!, oid)!);
		this.#toChild = parentTypes.map((oid, i) => converter(oid, this.#childTypes[i]!)!);
		this.#encoders = this.#childTypes.map(keyEncoder);
	}

	/** Whether the row refers to anything: MATCH SIMPLE asks for all columns. */
	refers(row: ExecRow): boolean {
		return this.childSlots.every((slot) => row[slot] !== null);
	}

	/** MATCH FULL does not allow some columns to be NULL and some not. */
	isMixed(row: ExecRow): boolean {
		return (
			this.key.matchFull && !this.refers(row) && this.childSlots.some((slot) => row[slot] !== null)
		);
	}

	/** The key that a row refers to; undefined: no value of the referenced column can be equal. */
	parentKeyOf(childRow: ExecRow): Key | undefined {
		const row: Datum[] = new Array(this.parent.row.width);
		for (const [i, slot] of this.parentSlots.entries()) {
			const value = this.#toParent[i]!(childRow[this.childSlots[i]!]!);
			if (value === undefined) return undefined;
			row[slot] = value;
		}
		return indexKeyOf(this.parentIndex, row);
	}

	/** The key that a row of the referenced table is referred to by; undefined: a column is NULL. */
	ownKeyOf(parentRow: ExecRow): Key | undefined {
		if (this.parentSlots.some((slot) => parentRow[slot] === null)) return undefined;
		return indexKeyOf(this.parentIndex, parentRow);
	}

	isSameReference(a: ExecRow, b: ExecRow): boolean {
		return this.childSlots.every((slot, i) => {
			const [one, other] = [a[slot]!, b[slot]!];
			if (one === null || other === null) return one === other;
			const encode = this.#encoders[i]!;
			return one === other || encode(one) === encode(other);
		});
	}

	/** The values of a row of the referenced table as the other one has them; undefined: it cannot have one of them. */
	childValues(parentRow: ExecRow): readonly Datum[] | undefined {
		const values: Datum[] = [];
		for (const [i, slot] of this.parentSlots.entries()) {
			const value = this.#toChild[i]!(parentRow[slot]!);
			if (value === undefined) return undefined;
			values.push(value);
		}
		return values;
	}

	/** ON UPDATE CASCADE. Throws 22003. */
	cascadedValues(parentRow: ExecRow): readonly Datum[] {
		const values = this.childValues(parentRow);
		if (values !== undefined) return values;
		throw new DatabaseError("22003", `value out of range for foreign key "${this.key.name}"`);
	}

	hasValues(childRow: ExecRow, values: readonly Datum[]): boolean {
		return this.childSlots.every((slot, i) => {
			const value = childRow[slot]!;
			const encode = this.#encoders[i]!;
			return value !== null && encode(value) === encode(values[i]!);
		});
	}

	/** By the index of which most leading columns are the foreign key's. */
	search(values: readonly Datum[]): ReferrerSearch {
		const { child } = this;
		let best: IndexCodec | undefined;
		let length = 0;
		for (const index of [child.primary, ...child.secondary]) {
			if (index.index.state !== "public" || index.predicate !== undefined) continue;
			const leading = this.#leading(index);
			if (leading <= length) continue;
			best = index;
			length = leading;
		}
		if (best === undefined) {
			return { span: indexSpan(child.primary.index.indexId), index: undefined };
		}
		let bytes: string = best.prefix;
		for (const column of best.columns.slice(0, length)) {
			bytes += column.encode(values[this.childSlots.indexOf(column.slot)]!);
		}
		const start = key(bytes);
		return { span: { start, end: prefixEnd(start) }, index: best };
	}

	#leading(index: IndexCodec): number {
		const other = index.columns.findIndex(({ slot }) => !this.childSlots.includes(slot));
		return other < 0 ? index.columns.length : other;
	}

	/** `(a, b)=(1, 2)`, of a row that refers. */
	describeChild(row: ExecRow, context: TypeContext): string {
		return this.#describe(this.child.table, this.key.columns, this.childSlots, row, context);
	}

	describeParent(row: ExecRow, context: TypeContext): string {
		const { table } = this.parent;
		return this.#describe(table, this.key.referencedColumns, this.parentSlots, row, context);
	}

	#describe(
		table: TableDescriptor,
		attnums: readonly number[],
		slots: readonly number[],
		row: ExecRow,
		context: TypeContext,
	): string {
		const columns = attnums.map((attnum) => columnByAttnum(table, attnum));
		const names = columns.map(({ name }) => name).join(", ");
		const texts = columns.map(({ type }, i) => textOf(type.oid, row[slots[i]!]!, context));
		return `(${names})=(${texts.join(", ")})`;
	}
}

/** The foreign keys of a table, and those that refer to it, in the order of their OIDs. */
export interface TableReferences {
	readonly own: readonly Reference[];
	readonly referrers: readonly Reference[];
}
