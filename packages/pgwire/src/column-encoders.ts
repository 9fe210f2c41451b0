/**
 * How the rows of a result become DataRow messages. What depends on the columns alone (the RowDescription,
 * which encoder each column needs) is worked out once for a plan and kept with its column list, so that a
 * row costs one call a field.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { ResultColumn } from "@quorate/sql/session/types";
import type { Datum } from "@quorate/sql/types/datum";
import { type TypeContext, type TypeDefinition, typeByOid } from "@quorate/sql/types/registry";
import { MessageWriter } from "./message-writer.ts";
import { backend } from "./messages.ts";
import { ProtocolViolation } from "./protocol-violation.ts";
import { oids, stringOids } from "./type-oids.ts";

type FieldEncoder = (writer: MessageWriter, value: Datum, context: TypeContext) => void;

export interface CompiledColumns {
	/** The whole RowDescription message. */
	readonly description: Uint8Array;
	readonly encoders: readonly FieldEncoder[];
}

/** 0 text, 1 binary; as in Bind: none (all text), one for all, or one a column. */
export type FormatCodes = readonly number[];

const allText: FormatCodes = [];
const allBinary: FormatCodes = [1];
const textCache = new WeakMap<readonly ResultColumn[], CompiledColumns>();
const binaryCache = new WeakMap<readonly ResultColumn[], CompiledColumns>();

export function compileColumns(
	columns: readonly ResultColumn[],
	formats: FormatCodes = allText,
): CompiledColumns {
	if (formats.length > 1 && formats.length !== columns.length) {
		throw new DatabaseError(
			"08P01",
			`bind message has ${formats.length} result formats but query has ${columns.length} columns`,
		);
	}
	if (formats.length > 1) {
		return compile(columns, (index) => formats[index]!);
	}
	const format = formats[0] ?? 0;
	const cache = format === 0 ? textCache : binaryCache;
	let compiled = cache.get(columns);
	if (compiled === undefined) {
		compiled = compile(columns, () => format);
		cache.set(columns, compiled);
	}
	return compiled;
}

export function checkFormat(code: number): number {
	if (code !== 0 && code !== 1) {
		throw new DatabaseError("22023", `unsupported format code: ${code}`);
	}
	return code;
}

function compile(
	columns: readonly ResultColumn[],
	formatOf: (index: number) => number,
): CompiledColumns {
	const writer = new MessageWriter();
	writer.begin(backend.rowDescription);
	writer.int16(columns.length);
	for (const [index, column] of columns.entries()) {
		writer.string(column.name);
		writer.int32(column.tableOid);
		writer.int16(column.attribute);
		writer.int32(column.type.oid);
		writer.int16(typeByOid(column.type.oid)?.length ?? -1);
		writer.int32(column.type.modifier);
		writer.int16(formatOf(index));
	}
	writer.end();
	const description = writer.take();
	assert(description !== undefined, "a RowDescription is never empty");
	const encoders = columns.map((column, index) =>
		formatOf(index) === 0 ? textEncoder(column.type.oid) : binaryEncoder(column.type.oid),
	);
	return { description, encoders };
}

/** Appends one DataRow. On an error nothing of the row stays behind. */
export function writeDataRow(
	writer: MessageWriter,
	encoders: readonly FieldEncoder[],
	row: readonly Datum[],
	context: TypeContext,
): void {
	assert(row.length === encoders.length, () => `a row of ${row.length} for ${encoders.length}`);
	writer.begin(backend.dataRow);
	try {
		writer.int16(encoders.length);
		for (let index = 0; index < encoders.length; index++) {
			const value = row[index]!;
			if (value === null) {
				writer.int32(-1);
			} else {
				encoders[index]!(writer, value, context);
			}
		}
		writer.end();
	} catch (error) {
		writer.abandon();
		throw error;
	}
}

const encodeString: FieldEncoder = (writer, value) => writer.textField(value as string);
const encodeInteger: FieldEncoder = (writer, value) => writer.integerField(value as number);
const encodeBigint: FieldEncoder = (writer, value) => writer.textField(String(value));
const encodeBoolean: FieldEncoder = (writer, value) => writer.textField(value === true ? "t" : "f");

function textEncoder(oid: number): FieldEncoder {
	if (stringOids.has(oid)) {
		return encodeString;
	}
	switch (oid) {
		case oids.bool:
			return encodeBoolean;
		case oids.int2:
		case oids.int4:
		case oids.oid:
			return encodeInteger;
		case oids.int8:
			return encodeBigint;
		default: {
			const type = typeOf(oid);
			return (writer, value, context) => writer.textField(type.format(value, context));
		}
	}
}

const encodeBinaryBoolean: FieldEncoder = (writer, value) => {
	writer.int32(1);
	writer.uint8(value === true ? 1 : 0);
};
const encodeBinaryInt2: FieldEncoder = (writer, value) => {
	writer.int32(2);
	writer.int16(value as number);
};
const encodeBinaryInt4: FieldEncoder = (writer, value) => {
	writer.int32(4);
	writer.int32(value as number);
};
const encodeBinaryInt8: FieldEncoder = (writer, value) => {
	writer.int32(8);
	writer.int64(value as bigint);
};
const encodeBinaryFloat4: FieldEncoder = (writer, value) => {
	writer.int32(4);
	writer.float32(value as number);
};
const encodeBinaryFloat8: FieldEncoder = (writer, value) => {
	writer.int32(8);
	writer.float64(value as number);
};

function binaryEncoder(oid: number): FieldEncoder {
	if (stringOids.has(oid)) {
		return encodeString;
	}
	switch (oid) {
		case oids.bool:
			return encodeBinaryBoolean;
		case oids.int2:
			return encodeBinaryInt2;
		case oids.int4:
		case oids.oid:
			return encodeBinaryInt4;
		case oids.int8:
			return encodeBinaryInt8;
		case oids.float4:
			return encodeBinaryFloat4;
		case oids.float8:
			return encodeBinaryFloat8;
		default: {
			const type = typeOf(oid);
			return (writer, value, context) => writer.bytesField(type.encodeBinary(value, context));
		}
	}
}

function typeOf(oid: number): TypeDefinition {
	const type = typeByOid(oid);
	if (type === undefined) {
		throw new DatabaseError("42883", `no output function available for type ${oid}`);
	}
	return type;
}

/** Format codes of Bind: a count, then as many. */
export function readFormatCodes(body: { remaining: number; uint16(): number }): FormatCodes {
	const count = body.uint16();
	if (count === 0) {
		return allText;
	}
	if (body.remaining < count * 2) {
		throw new ProtocolViolation("insufficient data left in message");
	}
	const first = checkFormat(body.uint16());
	if (count === 1) {
		return first === 0 ? allText : allBinary;
	}
	const codes = [first];
	while (codes.length < count) {
		codes.push(checkFormat(body.uint16()));
	}
	return codes;
}
