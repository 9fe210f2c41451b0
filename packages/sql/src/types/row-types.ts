/**
 * Rows as values of a type: composite types, and the row types of tables and views. What is known of one here is its number alone;
 * which fields it has the catalog tells (`TypeContext.rowFields`), and is asked where text or bytes come in or go out. A value has
 * with it what its fields are *stored* as (`storedOid`), or more: that is enough for order and keys, which ask nobody, and for
 * whoever reads what was stored, under whatever numbers the types have gone on. The fields of a record say all themselves.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { Datum, RowField, RowValue } from "./datum.ts";
import { typeReference } from "./enum-types.ts";
import { binaryLength } from "./errors.ts";
import type { KeyCodec } from "./key-codecs.ts";
import { arrayOfMade, elementOfMade, isEnum, isMadeArray, isRow } from "./made-oids.ts";
import { OID } from "./oids.ts";
import type { TypeContext } from "./registry.ts";
import { splitRow } from "./row-text.ts";

type Lookup = (oid: number) => BuiltinType | undefined;

/** The type of a field of a row. */
export function fieldType(row: RowValue, index: number): number {
	return row.types?.[index] ?? guess(row.fields[index] as Datum);
}

function guess(value: Datum): number {
	switch (typeof value) {
		case "boolean":
			return OID.bool;
		case "number":
			return OID.float8;
		case "bigint":
			return OID.int8;
		case "string":
			return OID.text;
	}
	if (value === null || value instanceof Uint8Array) {
		return OID.bytea;
	}
	return {
		jsonb: OID.jsonb,
		jsonpath: OID.jsonpath,
		numeric: OID.numeric,
		interval: OID.interval,
		timetz: OID.timetz,
		array: OID.textArray,
		row: OID.record,
	}[value.kind];
}

const fieldNeedsQuotes = /^$|[\s(),"\\]/;

function formatRow(row: RowValue, lookup: Lookup, context: TypeContext): string {
	const fields = row.fields.map((field, i) => {
		if (field === null) {
			return "";
		}
		const text = lookup(fieldType(row, i))?.format(field, context) ?? "";
		return fieldNeedsQuotes.test(text) ? `"${text.replace(/["\\]/g, "$&$&")}"` : text;
	});
	return `(${fields.join(",")})`;
}

function encodeRow(row: RowValue, lookup: Lookup, context: TypeContext): Uint8Array {
	const head = Buffer.alloc(4);
	head.writeInt32BE(row.fields.length, 0);
	const parts: Uint8Array[] = [head];
	row.fields.forEach((field, i) => {
		const oid = fieldType(row, i);
		const bytes = field === null ? undefined : lookup(oid)?.encodeBinary(field, context);
		const size = Buffer.alloc(8);
		size.writeUInt32BE(oid, 0);
		size.writeInt32BE(bytes?.length ?? -1, 4);
		parts.push(size, bytes ?? Buffer.alloc(0));
	});
	return Buffer.concat(parts);
}

function compareRows(a: RowValue, b: RowValue, lookup: Lookup, isRecord: boolean): number {
	const count = Math.min(a.fields.length, b.fields.length);
	for (let i = 0; i < count; i++) {
		const oid = fieldType(a, i);
		const other = fieldType(b, i);
		// A value that was stored does not know all of its types.
		if (oid !== other && (isRecord || storedOid(oid) !== storedOid(other))) {
			throw dissimilar(oid, other, i, lookup);
		}
		const x = a.fields[i] as Datum;
		const y = b.fields[i] as Datum;
		const order =
			x === null || y === null
				? Number(x === null) - Number(y === null)
				: comparableType(oid, lookup).compare(x, y);
		if (order !== 0) {
			return order;
		}
	}
	if (a.fields.length === b.fields.length) return 0;
	throw new DatabaseError("42804", "cannot compare record types with different numbers of columns");
}

type Sortable = BuiltinType & { readonly keyCodec: KeyCodec };

/** Throws 42883. */
function comparableType(oid: number, lookup: Lookup): Sortable {
	const type = lookup(oid);
	if (type?.comparable === true && type.keyCodec !== undefined) return type as Sortable;
	throw new DatabaseError(
		"42883",
		`could not identify a comparison function for type ${type?.sqlName ?? oid}`,
	);
}

function dissimilar(left: number, right: number, i: number, lookup: Lookup): DatabaseError {
	const [a, b] = [left, right].map((oid) => lookup(oid)?.sqlName ?? "???");
	return new DatabaseError(
		"42804",
		`cannot compare dissimilar column types ${a} and ${b} at record column ${i + 1}`,
	);
}

const fieldMark = "\x01";
const nullMark = "\x02";
const endMark = "\0";

/** What a value is stored as. It depends on nothing that the catalog may change, or number anew. */
export function storedOid(oid: number): number {
	if (isEnum(oid)) return OID.text;
	if (isRow(oid)) return OID.record;
	if (!isMadeArray(oid)) return oid;
	return isEnum(elementOfMade(oid)) ? OID.textArray : OID.recordArray;
}

/** Fields, each with a mark and the number of what it is stored as: those of one column are always of the same. */
const rowKey = (lookup: Lookup): KeyCodec => ({
	encode(value) {
		const row = value as RowValue;
		let out = "";
		for (const [i, field] of row.fields.entries()) {
			const oid = storedOid(fieldType(row, i));
			const { keyCodec } = comparableType(oid, lookup);
			const digits = Buffer.alloc(4);
			digits.writeUInt32BE(oid, 0);
			const head = (field === null ? nullMark : fieldMark) + digits.toString("latin1");
			out += field === null ? head : head + keyCodec.encode(field);
		}
		return out + endMark;
	},
	decode(bytes, offset) {
		const fields: Datum[] = [];
		const types: number[] = [];
		let at = offset;
		while (bytes[at] !== endMark) {
			const oid = Buffer.from(bytes.slice(at + 1, at + 5), "latin1").readUInt32BE(0);
			types.push(oid);
			const isNull = bytes[at] === nullMark;
			at += 5;
			if (isNull) {
				fields.push(null);
				continue;
			}
			const { value, next } = lookup(oid)!.keyCodec!.decode(bytes, at);
			fields.push(value);
			at = next;
		}
		return { value: { kind: "row", fields, types }, next: at + 1 };
	},
	// Which types the fields are of is not known.
	lossy: true,
});

/** Throws what `rowFields` does not know. */
export function fieldsOf(oid: number, context: TypeContext): readonly RowField[] {
	const fields = context.rowFields?.(oid);
	assert(fields !== undefined, () => `the fields of type ${oid} need a session with a catalog`);
	return fields;
}

export function rowOf(fields: readonly RowField[], values: readonly Datum[]): RowValue {
	return {
		kind: "row",
		fields: values,
		types: fields.map(({ type }) => type.oid),
		names: fields.map(({ name }) => name),
	};
}

/** A value of the type, which says all about its fields itself. */
export const typedRow = (value: Datum, oid: number, context: TypeContext): RowValue =>
	rowOf(fieldsOf(oid, context), (value as RowValue).fields);

/** Rows as they are stored: each field under the number of what it is stored as. `lookup`: of those. */
export function storedRecord(lookup: Lookup): BuiltinType {
	const stored = (value: Datum): RowValue => {
		const row = value as RowValue;
		const types = row.fields.map((_, i) => storedOid(fieldType(row, i)));
		return { kind: "row", fields: row.fields, types };
	};
	const encodeBinary: BuiltinType["encodeBinary"] = (value, context) =>
		encodeRow(stored(value), lookup, context);
	const decodeBinary = (bytes: Uint8Array, context: TypeContext): RowValue =>
		decodeStored(bytes, lookup, context);
	return defineType({
		oid: OID.record,
		name: "record",
		length: -1,
		category: "P",
		arrayOid: OID.recordArray,
		encodeBinary,
		decodeBinary,
		format: (value, context) => Buffer.from(encodeBinary(value, context)).toString("base64"),
		parse: (text, context) => decodeBinary(Buffer.from(text, "base64"), context),
		compare: (a, b) => compareRows(a as RowValue, b as RowValue, lookup, false),
		keyCodec: rowKey(lookup),
	});
}

function decodeStored(bytes: Uint8Array, lookup: Lookup, context: TypeContext): RowValue {
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const fields: Datum[] = [];
	const types: number[] = [];
	let at = 4;
	for (let left = view.readInt32BE(0); left > 0; left--) {
		const oid = view.readUInt32BE(at);
		const size = view.readInt32BE(at + 4);
		at += 8;
		types.push(oid);
		const end = at + Math.max(size, 0);
		const type = lookup(oid);
		assert(type !== undefined, () => `a field is stored as a type ${oid} that there is`);
		fields.push(size < 0 ? null : type.decodeBinary(view.subarray(at, end), -1, context));
		at = end;
	}
	assert(at === view.length, "a row ends where its bytes do");
	return { kind: "row", fields, types };
}

function parseRow(oid: number, text: string, lookup: Lookup, context: TypeContext): RowValue {
	const fields = fieldsOf(oid, context);
	const texts = splitRow(text, fields.length);
	return rowOf(
		fields,
		fields.map(({ type }, i) => {
			const own = texts[i] ?? null;
			return own === null ? null : lookup(type.oid)!.parse(own, type.modifier, context);
		}),
	);
}

function decodeRow(oid: number, bytes: Uint8Array, lookup: Lookup, context: TypeContext): RowValue {
	const fields = fieldsOf(oid, context);
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const need = (end: number): void => {
		if (end > view.length) throw binaryLength(bytes, end);
	};
	need(4);
	const count = view.readInt32BE(0);
	if (count !== fields.length) {
		throw new DatabaseError(
			"42804",
			`wrong number of columns: ${count}, expected ${fields.length}`,
		);
	}
	let at = 4;
	const values = fields.map(({ type }, i): Datum => {
		need(at + 8);
		const given = view.readUInt32BE(at);
		const size = view.readInt32BE(at + 4);
		at += 8;
		const definition = lookup(type.oid)!;
		if (given !== type.oid) {
			throw new DatabaseError(
				"42804",
				`binary data has type ${given} (${lookup(given)?.sqlName ?? "???"}) instead of expected ${type.oid} (${definition.sqlName}) in record column ${i + 1}`,
			);
		}
		if (size === -1) return null;
		if (size < 0) throw new DatabaseError("22P03", "insufficient data left in message");
		need(at + size);
		at += size;
		return definition.decodeBinary(view.subarray(at - size, at), type.modifier, context);
	});
	if (at !== view.length) throw binaryLength(bytes, at);
	return rowOf(fields, values);
}

const anonymous = (): DatabaseError =>
	new DatabaseError("0A000", "input of anonymous composite types is not implemented");

export const recordType = (lookup: Lookup): BuiltinType =>
	defineType({
		length: -1,
		format: (value, context) => formatRow(value as RowValue, lookup, context),
		encodeBinary: (value, context) => encodeRow(value as RowValue, lookup, context),
		compare: (a, b) => compareRows(a as RowValue, b as RowValue, lookup, true),
		keyCodec: rowKey(lookup),
		oid: OID.record,
		name: "record",
		category: "P",
		arrayOid: OID.recordArray,
		parse() {
			throw anonymous();
		},
		decodeBinary() {
			throw anonymous();
		},
	});

export const rowType = (oid: number, lookup: Lookup): BuiltinType =>
	defineType({
		length: -1,
		format: (value, context) => formatRow(typedRow(value, oid, context), lookup, context),
		encodeBinary: (value, context) => encodeRow(typedRow(value, oid, context), lookup, context),
		compare: (a, b) => compareRows(a as RowValue, b as RowValue, lookup, false),
		keyCodec: rowKey(lookup),
		oid,
		name: `type:${oid}`,
		sqlName: typeReference(oid),
		category: "C",
		arrayOid: arrayOfMade(oid),
		parse: (text, context) => parseRow(oid, text, lookup, context),
		decodeBinary: (bytes, context) => decodeRow(oid, bytes, lookup, context),
	});
