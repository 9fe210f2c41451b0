/** record and the types that only signatures mention. */
import { DatabaseError } from "@quorate/keys/database-error";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { Datum, RowValue } from "./datum.ts";
import { OID } from "./oids.ts";
import type { TypeContext } from "./registry.ts";

function refuse(verb: string, name: string): DatabaseError {
	return new DatabaseError("0A000", `cannot ${verb} a value of type ${name}`);
}

function pseudo(oid: number, name: string, sqlName = name, length = 4): BuiltinType {
	return defineType({
		oid,
		name,
		sqlName,
		length,
		category: "P",
		arrayOid: 0,
		parse() {
			throw refuse("accept", sqlName);
		},
		format() {
			throw refuse("display", sqlName);
		},
		encodeBinary() {
			throw refuse("display", sqlName);
		},
		decodeBinary() {
			throw refuse("accept", sqlName);
		},
		compare: undefined,
		keyCodec: undefined,
	});
}

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

function formatRow(
	row: RowValue,
	lookup: (oid: number) => BuiltinType | undefined,
	context: TypeContext,
): string {
	const fields = row.fields.map((field, i) => {
		if (field === null) {
			return "";
		}
		const text = lookup(fieldType(row, i))?.format(field, context) ?? "";
		return fieldNeedsQuotes.test(text) ? `"${text.replace(/["\\]/g, "$&$&")}"` : text;
	});
	return `(${fields.join(",")})`;
}

function encodeRow(
	row: RowValue,
	lookup: (oid: number) => BuiltinType | undefined,
	context: TypeContext,
): Uint8Array {
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

function compareRows(
	a: RowValue,
	b: RowValue,
	lookup: (oid: number) => BuiltinType | undefined,
): number {
	const count = Math.min(a.fields.length, b.fields.length);
	for (let i = 0; i < count; i++) {
		const x = a.fields[i] as Datum;
		const y = b.fields[i] as Datum;
		const order =
			x === null || y === null
				? Number(x === null) - Number(y === null)
				: (lookup(fieldType(a, i))?.compare(x, y) ?? 0);
		if (order !== 0) {
			return order;
		}
	}
	return a.fields.length - b.fields.length;
}

export function pseudoTypes(lookup: (oid: number) => BuiltinType | undefined): BuiltinType[] {
	const record = defineType({
		oid: OID.record,
		name: "record",
		length: -1,
		category: "P",
		arrayOid: OID.recordArray,
		parse() {
			throw new DatabaseError("0A000", "input of anonymous composite types is not implemented");
		},
		format: (value, context) => formatRow(value as RowValue, lookup, context),
		encodeBinary: (value, context) => encodeRow(value as RowValue, lookup, context),
		decodeBinary() {
			throw new DatabaseError("0A000", "input of anonymous composite types is not implemented");
		},
		compare: (a, b) => compareRows(a as RowValue, b as RowValue, lookup),
		keyCodec: undefined,
	});
	return [
		record,
		pseudo(OID.any, "any", '"any"'),
		pseudo(OID.anyarray, "anyarray", "anyarray", -1),
		pseudo(OID.anyelement, "anyelement"),
		pseudo(OID.anynonarray, "anynonarray"),
		pseudo(OID.anyenum, "anyenum"),
		pseudo(OID.anycompatible, "anycompatible"),
		pseudo(OID.anycompatiblearray, "anycompatiblearray", "anycompatiblearray", -1),
		pseudo(OID.anycompatiblenonarray, "anycompatiblenonarray"),
		pseudo(OID.trigger, "trigger"),
		pseudo(OID.internal, "internal", "internal", 8),
	];
}
