/** Parameters of Bind: from bytes in either format to values. Plain integers and strings take a short way. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Datum } from "@quorate/sql/types/datum";
import { type TypeContext, typeByOid } from "@quorate/sql/types/registry";
import { oids, plainTextOids } from "./type-oids.ts";
import { decodeText } from "./utf8.ts";

/** `index` is 0-based. The bytes lie in `buffer` from `start` to `end`. */
export function decodeParameter(
	oid: number,
	format: number,
	buffer: Buffer,
	start: number,
	end: number,
	index: number,
	context: TypeContext,
): Datum {
	if (plainTextOids.has(oid)) {
		return decodeText(buffer, start, end);
	}
	return format === 0
		? decodeTextual(oid, buffer, start, end, context)
		: decodeBinary(oid, buffer, start, end, index, context);
}

function decodeTextual(
	oid: number,
	buffer: Buffer,
	start: number,
	end: number,
	context: TypeContext,
): Datum {
	if (oid === oids.int4) {
		const value = plainInteger(buffer, start, end);
		if (value !== undefined) {
			return value;
		}
	}
	return typeOf(oid).parse(decodeText(buffer, start, end), -1, context);
}

/** Up to nine digits with an optional minus: always an int4. Anything else is left to the type's own parser. */
function plainInteger(buffer: Buffer, start: number, end: number): number | undefined {
	const negative = buffer[start] === 45;
	let at = negative ? start + 1 : start;
	if (at >= end || end - at > 9) {
		return undefined;
	}
	let value = 0;
	for (; at < end; at++) {
		const digit = buffer[at]! - 48;
		if (digit < 0 || digit > 9) {
			return undefined;
		}
		value = value * 10 + digit;
	}
	// Not -0: it would be another value than 0 to a Map or to Object.is.
	return negative && value !== 0 ? -value : value;
}

function decodeBinary(
	oid: number,
	buffer: Buffer,
	start: number,
	end: number,
	index: number,
	context: TypeContext,
): Datum {
	const width = fixedWidths.get(oid);
	if (width === undefined) {
		return typeOf(oid).decodeBinary(buffer.subarray(start, end), -1, context);
	}
	if (end - start < width) {
		throw new DatabaseError("08P01", "insufficient data left in message");
	}
	if (end - start > width) {
		throw new DatabaseError("22P03", `incorrect binary data format in bind parameter ${index + 1}`);
	}
	switch (oid) {
		case oids.bool:
			return buffer[start] !== 0;
		case oids.int2:
			return buffer.readInt16BE(start);
		case oids.int4:
			return buffer.readInt32BE(start);
		case oids.oid:
			return buffer.readUInt32BE(start);
		case oids.int8:
			return buffer.readBigInt64BE(start);
		case oids.float4:
			return buffer.readFloatBE(start);
		default:
			return buffer.readDoubleBE(start);
	}
}

const fixedWidths: ReadonlyMap<number, number> = new Map([
	[oids.bool, 1],
	[oids.int2, 2],
	[oids.int4, 4],
	[oids.oid, 4],
	[oids.int8, 8],
	[oids.float4, 4],
	[oids.float8, 8],
]);

function typeOf(oid: number) {
	const type = typeByOid(oid);
	if (type === undefined) {
		throw new DatabaseError("42883", `no input function available for type ${oid}`);
	}
	return type;
}
