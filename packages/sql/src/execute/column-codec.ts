/**
 * How one column value is stored in a row: a header (attnum x 4 + wire) and a payload whose length the wire type gives,
 * so that a reader steps over columns that it does not know or want. `Writer` is a growing buffer shared by all rows.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "../types/datum.ts";
import { isRowType, namedOid } from "../types/made-oids.ts";
import { storedType, type TypeDefinition } from "../types/registry.ts";
import { padBlanks, trimBlanks } from "../types/text-values.ts";

/** 0: zigzag varint; 1: eight bytes; 2: length and bytes; 3: NULL, no payload. */
export const wireVarint = 0;
export const wireFixed = 1;
export const wireBytes = 2;
export const wireNull = 3;

/** Below it a zigzag number is an exact double. */
const varintLimit = 2 ** 52;

export class Writer {
	#bytes = Buffer.allocUnsafeSlow(4096);
	#at = 0;

	reset(): void {
		this.#at = 0;
	}

	/** A copy of what was written. */
	take(): Uint8Array {
		const out = Buffer.allocUnsafe(this.#at);
		this.#bytes.copy(out, 0, 0, this.#at);
		if (this.#bytes.length > 1_000_000) this.#bytes = Buffer.allocUnsafeSlow(4096);
		return out;
	}

	#room(size: number): void {
		if (this.#at + size <= this.#bytes.length) return;
		const bigger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + size));
		this.#bytes.copy(bigger, 0, 0, this.#at);
		this.#bytes = bigger;
	}

	varint(value: number): void {
		this.#room(8);
		let rest = value;
		while (rest >= 0x1000_0000) {
			this.#bytes[this.#at++] = (rest % 128) | 0x80;
			rest = Math.floor(rest / 128);
		}
		let low = rest | 0;
		while (low >= 0x80) {
			this.#bytes[this.#at++] = (low & 0x7f) | 0x80;
			low >>>= 7;
		}
		this.#bytes[this.#at++] = low;
	}

	zigzag(value: number): void {
		this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
	}

	double(value: number): void {
		this.#room(8);
		this.#at = this.#bytes.writeDoubleBE(value, this.#at);
	}

	int64(value: bigint): void {
		this.#room(8);
		this.#at = this.#bytes.writeBigInt64BE(value, this.#at);
	}

	bytes(value: Uint8Array): void {
		this.varint(value.length);
		this.#room(value.length);
		this.#bytes.set(value, this.#at);
		this.#at += value.length;
	}

	text(value: string): void {
		const length = value.length;
		if (length < 64 && this.#ascii(value, length)) return;
		const size = Buffer.byteLength(value, "utf8");
		this.varint(size);
		this.#room(size);
		this.#at += this.#bytes.write(value, this.#at, size, "utf8");
	}

	/** Short ASCII without a call into the runtime. */
	#ascii(value: string, length: number): boolean {
		this.#room(length + 1);
		const start = this.#at + 1;
		for (let i = 0; i < length; i++) {
			const code = value.charCodeAt(i);
			if (code > 127) return false;
			this.#bytes[start + i] = code;
		}
		this.#bytes[this.#at] = length;
		this.#at = start + length;
		return true;
	}
}

/** Reads what `Writer` wrote. One instance is reused: rows are decoded one at a time, without awaits in between. */
export class Reader {
	#bytes: Buffer = Buffer.alloc(0);
	at = 0;
	end = 0;

	open(bytes: Uint8Array): void {
		this.#bytes = Buffer.isBuffer(bytes)
			? bytes
			: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.at = 0;
		this.end = bytes.length;
	}

	byte(): number {
		return this.#bytes[this.at++]!;
	}

	varint(): number {
		let byte = this.#bytes[this.at++]!;
		if (byte < 0x80) return byte;
		let value = byte & 0x7f;
		let scale = 128;
		do {
			byte = this.#bytes[this.at++]!;
			value += (byte & 0x7f) * scale;
			scale *= 128;
		} while (byte >= 0x80);
		assert(this.at <= this.end, "a number ends within its row");
		return value;
	}

	zigzag(): number {
		const value = this.varint();
		return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
	}

	double(): number {
		const value = this.#bytes.readDoubleBE(this.at);
		this.at += 8;
		return value;
	}

	int64(): bigint {
		const value = this.#bytes.readBigInt64BE(this.at);
		this.at += 8;
		return value;
	}

	bytes(): Uint8Array {
		const length = this.varint();
		const start = this.at;
		this.at += length;
		assert(this.at <= this.end, "bytes end within their row");
		return Uint8Array.prototype.slice.call(this.#bytes, start, this.at);
	}

	text(): string {
		const length = this.varint();
		const start = this.at;
		this.at += length;
		assert(this.at <= this.end, "a text ends within its row");
		return this.#bytes.toString("utf8", start, this.at);
	}

	skip(wire: number): void {
		if (wire === wireVarint) this.varint();
		else if (wire === wireFixed) this.at += 8;
		else if (wire === wireBytes) {
			const length = this.varint();
			this.at += length;
		}
	}
}

export interface ColumnCodec {
	/** Writes header and payload of a value that is not null. */
	write(writer: Writer, attnum: number, value: Datum): void;
	read(reader: Reader, wire: number): Datum;
}

const header = (writer: Writer, attnum: number, wire: number): void =>
	writer.varint(attnum * 4 + wire);

const numberCodec: ColumnCodec = {
	write(writer, attnum, value) {
		const number = value as number;
		if (Number.isSafeInteger(number)) {
			header(writer, attnum, wireVarint);
			writer.zigzag(number);
		} else {
			header(writer, attnum, wireFixed);
			writer.double(number);
		}
	},
	read: (reader, wire) => (wire === wireVarint ? reader.zigzag() : reader.double()),
};

const doubleCodec: ColumnCodec = {
	write(writer, attnum, value) {
		header(writer, attnum, wireFixed);
		writer.double(value as number);
	},
	read: (reader) => reader.double(),
};

const bigintCodec: ColumnCodec = {
	write(writer, attnum, value) {
		const number = Number(value as bigint);
		if (number < varintLimit && number > -varintLimit) {
			header(writer, attnum, wireVarint);
			writer.zigzag(number);
		} else {
			header(writer, attnum, wireFixed);
			writer.int64(value as bigint);
		}
	},
	read: (reader, wire) => (wire === wireVarint ? BigInt(reader.zigzag()) : reader.int64()),
};

const booleanCodec: ColumnCodec = {
	write(writer, attnum, value) {
		header(writer, attnum, wireVarint);
		writer.varint(value === true ? 1 : 0);
	},
	read: (reader) => reader.varint() === 1,
};

const textCodec: ColumnCodec = {
	write(writer, attnum, value) {
		header(writer, attnum, wireBytes);
		writer.text(value as string);
	},
	read: (reader) => reader.text(),
};

/** char(length): readers put the blanks at its end back. */
export const unpaddedCodec = (length: number): ColumnCodec => ({
	write(writer, attnum, value) {
		header(writer, attnum, wireBytes);
		writer.text(trimBlanks(value as string));
	},
	read: (reader) => padBlanks(reader.text(), length),
});

const bytesCodec: ColumnCodec = {
	write(writer, attnum, value) {
		header(writer, attnum, wireBytes);
		writer.bytes(value as Uint8Array);
	},
	read: (reader) => reader.bytes(),
};

/** What a type's binary send depends on is nothing that a stored row may depend on. */
export const storageContext = {
	timeZone: "UTC",
	dateStyle: "ISO, MDY",
	extraFloatDigits: 1,
	byteaOutput: "hex",
	transactionStart: 0n,
} as const;

const binaryCodec = (type: TypeDefinition): ColumnCodec => ({
	write(writer, attnum, value) {
		header(writer, attnum, wireBytes);
		writer.bytes(type.encodeBinary(value, storageContext));
	},
	read: (reader) => type.decodeBinary(reader.bytes(), -1, storageContext),
});

/** numeric keeps its display scale in text. */
const formattedCodec = (type: TypeDefinition): ColumnCodec => ({
	write(writer, attnum, value) {
		header(writer, attnum, wireBytes);
		writer.text(type.format(value, storageContext));
	},
	read: (reader) => type.parse(reader.text(), -1, storageContext),
});

const byOid = new Map<number, ColumnCodec>();
// Object identifiers of all kinds are numbers: oid, regproc, xid, regclass ...
for (const oid of [21, 23, 24, 26, 28, 1082, 2202, 2203, 2204, 2205, 2206, 4089, 4096])
	byOid.set(oid, numberCodec);
for (const oid of [700, 701]) byOid.set(oid, doubleCodec);
for (const oid of [20, 1083, 1114, 1184]) byOid.set(oid, bigintCodec);
for (const oid of [18, 19, 25, 114, 705, 1042, 1043, 2950]) byOid.set(oid, textCodec);
byOid.set(16, booleanCodec);
byOid.set(17, bytesCodec);

export function columnCodec(oid: number): ColumnCodec {
	const known = byOid.get(oid);
	if (known !== undefined) return known;
	const type = storedType(oid);
	if (isRowType(namedOid(oid))) {
		throw new DatabaseError("0A000", "columns of the row type of a table are not supported", {
			hint: "Create a composite type with the same attributes.",
		});
	}
	if (type === undefined) throw new DatabaseError("42704", `type with OID ${oid} does not exist`);
	if (type.oid !== oid) return columnCodec(type.oid);
	const codec = oid === 1700 ? formattedCodec(type) : binaryCodec(type);
	byOid.set(oid, codec);
	return codec;
}
