/**
 * A table's rows as stored: a version byte, then header and payload of each column that is not NULL. A column that was
 * added later with a default writes its NULLs too, since absence means that default. Rows in memory are arrays of the
 * live columns, in attnum order.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { type ColumnDescriptor, liveColumns, type TableDescriptor } from "../catalog/descriptor.ts";
import type { Datum } from "../types/datum.ts";
import { storedType } from "../types/registry.ts";
import { charLength } from "../types/text-types.ts";
import {
	type ColumnCodec,
	columnCodec,
	Reader,
	storageContext,
	unpaddedCodec,
	Writer,
	wireBytes,
	wireNull,
} from "./column-codec.ts";

const rowFormat = 1;

interface StoredColumn {
	readonly attnum: number;
	readonly codec: ColumnCodec;
	readonly missing: Datum;
	readonly writesNull: boolean;
}

function codecOf({ unpadded }: TableDescriptor, { type }: ColumnDescriptor): ColumnCodec {
	const length = unpadded ? charLength(type) : undefined;
	return length === undefined ? columnCodec(type.oid) : unpaddedCodec(length);
}

const writer = new Writer();
const reader = new Reader();

export class RowCodec {
	readonly width: number;
	readonly #columns: readonly StoredColumn[];
	/** By attnum: the slot, or -1. */
	readonly #slots: Int16Array;
	readonly #hasMissing: boolean;

	constructor(table: TableDescriptor) {
		const live = liveColumns(table);
		this.width = live.length;
		this.#slots = new Int16Array(table.nextAttnum).fill(-1);
		this.#columns = live.map((column, slot) => {
			this.#slots[column.attnum] = slot;
			const missing =
				column.missingText === undefined
					? null
					: storedType(column.type.oid)!.parse(
							column.missingText,
							column.type.modifier,
							storageContext,
						);
			return {
				attnum: column.attnum,
				codec: codecOf(table, column),
				missing,
				writesNull: column.missingText !== undefined,
			};
		});
		this.#hasMissing = this.#columns.some((column) => column.writesNull);
	}

	/** `owner`: bytes kept beside the columns, under attnum 0, which no reader of rows looks at. */
	encode(row: readonly Datum[], owner?: string): Uint8Array {
		writer.reset();
		writer.varint(rowFormat);
		const columns = this.#columns;
		for (let slot = 0; slot < columns.length; slot++) {
			const value = row[slot]!;
			const column = columns[slot]!;
			if (value !== null) column.codec.write(writer, column.attnum, value);
			else if (column.writesNull) writer.varint(column.attnum * 4 + wireNull);
		}
		if (owner !== undefined) {
			writer.varint(wireBytes);
			writer.bytes(Buffer.from(owner, "latin1"));
		}
		return writer.take();
	}

	/** What `encode` was given as owner. */
	ownerOf(bytes: Uint8Array): string | undefined {
		reader.open(bytes);
		reader.byte();
		while (reader.at < reader.end) {
			const head = reader.varint();
			if (head === wireBytes) return Buffer.from(reader.bytes()).toString("latin1");
			reader.skip(head & 3);
		}
		return undefined;
	}

	/**
	 * Fills `out[base + slot]` for every slot that `wanted` marks (all, if undefined). Slots that are not wanted stay NULL.
	 */
	decode(
		bytes: Uint8Array,
		out: Datum[],
		base: number,
		wanted: readonly boolean[] | undefined,
	): void {
		const columns = this.#columns;
		if (this.#hasMissing) {
			for (let slot = 0; slot < columns.length; slot++) out[base + slot] = columns[slot]!.missing;
		} else {
			for (let slot = 0; slot < columns.length; slot++) out[base + slot] = null;
		}
		reader.open(bytes);
		const format = reader.byte();
		if (format !== rowFormat) {
			throw new DatabaseError("0A000", `row has format ${format}, this node knows ${rowFormat}`, {
				hint: "Upgrade this node.",
			});
		}
		const slots = this.#slots;
		while (reader.at < reader.end) {
			const head = reader.varint();
			const wire = head & 3;
			const slot = slots[head >>> 2] ?? -1;
			if (slot < 0 || (wanted !== undefined && wanted[slot] !== true)) {
				reader.skip(wire);
			} else if (wire === wireNull) {
				out[base + slot] = null;
			} else {
				out[base + slot] = columns[slot]!.codec.read(reader, wire);
			}
		}
	}
}
