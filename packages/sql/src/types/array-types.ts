/** Array types, made from their element types; int2vector and oidvector. */
import { DatabaseError } from "@quorate/keys/database-error";
import { formatArray, parseArray } from "./array-text.ts";
import {
	arrayOf,
	compareArrays,
	type Dimension,
	dimensionsMax,
	dimensionsOf,
	flatten,
	mapArray,
	shape,
} from "./array-values.ts";
import { type BuiltinType, defineType } from "./builtin-type.ts";
import type { ArrayValue, Datum } from "./datum.ts";
import { binaryLength } from "./errors.ts";
import { decodeBytes, encodeBytes, type KeyCodec } from "./key-codecs.ts";
import { OID } from "./oids.ts";
import type { TypeContext } from "./registry.ts";

export function arrayTypeOf(element: BuiltinType): BuiltinType {
	const { modify } = element;
	return defineType({
		oid: element.arrayOid,
		name: `_${element.name}`,
		sqlName: `${element.sqlName}[]`,
		length: -1,
		category: element.oid === OID.record ? "P" : "A",
		arrayOid: 0,
		elementOid: element.oid,
		parse: (text, context) => parseArray(text, (item) => element.parse(item, -1, context)),
		format: (value, context) =>
			formatArray(value as ArrayValue, (item) => element.format(item, context)),
		encodeBinary: (value, context) => encodeArray(value as ArrayValue, element, context),
		decodeBinary: (bytes, context) => decodeArray(bytes, element, context),
		compare: (a, b) => compareArrays(a as ArrayValue, b as ArrayValue, element.compare),
		comparable: element.comparable,
		keyCodec: element.keyCodec === undefined ? undefined : arrayKey(element.keyCodec),
		...(modify === undefined
			? {}
			: {
					modify: (value: Datum, modifier: number, explicit: boolean) =>
						mapArray(value as ArrayValue, (item) =>
							item === null ? null : modify(item, modifier, explicit),
						),
				}),
		...(element.describe === undefined
			? {}
			: { describe: (modifier: number) => `${element.describe?.(modifier)}[]` }),
		...(element.packModifier === undefined ? {} : { packModifier: element.packModifier }),
	});
}

function encodeArray(array: ArrayValue, element: BuiltinType, context: TypeContext): Uint8Array {
	const dimensions = dimensionsOf(array);
	const items = flatten(array);
	const header = Buffer.alloc(12 + dimensions.length * 8);
	header.writeInt32BE(dimensions.length, 0);
	header.writeInt32BE(items.includes(null) ? 1 : 0, 4);
	header.writeUInt32BE(element.oid, 8);
	dimensions.forEach((d, i) => {
		header.writeInt32BE(d.size, 12 + i * 8);
		header.writeInt32BE(d.lower, 16 + i * 8);
	});
	const parts: Uint8Array[] = [header];
	for (const item of items) {
		const size = Buffer.alloc(4);
		const bytes = item === null ? undefined : element.encodeBinary(item, context);
		size.writeInt32BE(bytes?.length ?? -1, 0);
		parts.push(size);
		if (bytes !== undefined) {
			parts.push(bytes);
		}
	}
	return Buffer.concat(parts);
}

function decodeArray(bytes: Uint8Array, element: BuiltinType, context: TypeContext): ArrayValue {
	const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const need = (end: number): void => {
		if (end > view.length) {
			throw binaryLength(bytes, end);
		}
	};
	need(12);
	const count = view.readInt32BE(0);
	const flags = view.readInt32BE(4);
	const elementOid = view.readUInt32BE(8);
	if (count < 0 || count > dimensionsMax || (flags !== 0 && flags !== 1)) {
		throw new DatabaseError("22P03", "invalid array flags");
	}
	if (elementOid !== element.oid) {
		throw new DatabaseError(
			"42804",
			`binary data has array element type ${elementOid} (unknown) instead of expected ${element.oid} (${element.sqlName})`,
		);
	}
	let at = 12 + count * 8;
	need(at);
	const dimensions: Dimension[] = [];
	let total = count === 0 ? 0 : 1;
	for (let i = 0; i < count; i++) {
		const size = view.readInt32BE(12 + i * 8);
		total *= size;
		dimensions.push({ size, lower: view.readInt32BE(16 + i * 8) });
	}
	// Every element takes four bytes at least: a hostile size ends here, before anything is allocated.
	need(at + Math.abs(total) * 4);
	const items: Datum[] = [];
	for (let i = 0; i < total; i++) {
		need(at + 4);
		const size = view.readInt32BE(at);
		at += 4;
		if (size === -1) {
			items.push(null);
			continue;
		}
		need(at + Math.max(size, 0));
		items.push(element.decodeBinary(view.subarray(at, at + size), -1, context));
		at += size;
	}
	if (at !== view.length) {
		throw binaryLength(bytes, at);
	}
	return shape(items, dimensions);
}

const endOfArray = "\0";
const elementMark = "\x01";
const nullMark = "\x02";

/** Elements, each with a mark, then the shape (as bytes that a string's escape makes self-delimiting). */
function arrayKey(element: KeyCodec): KeyCodec {
	return {
		encode(value) {
			const array = value as ArrayValue;
			let out = "";
			for (const item of flatten(array)) {
				out += item === null ? nullMark : elementMark + element.encode(item);
			}
			const dimensions = dimensionsOf(array);
			const sizes = dimensions.map((d) => d.size);
			const lowers = dimensions.map((d) => d.lower + 0x8000_0000);
			return out + endOfArray + encodeBytes(pack([dimensions.length, ...sizes, ...lowers]));
		},
		decode(bytes, offset) {
			const items: Datum[] = [];
			let at = offset;
			while (bytes[at] !== endOfArray) {
				if (bytes[at] === nullMark) {
					items.push(null);
					at++;
				} else {
					const { value, next } = element.decode(bytes, at + 1);
					items.push(value);
					at = next;
				}
			}
			const { raw, next } = decodeBytes(bytes, at + 1);
			return { value: shape(items, unpackShape(raw)), next };
		},
		lossy: element.lossy,
	};
}

function pack(numbers: readonly number[]): string {
	const out = Buffer.alloc(numbers.length * 4);
	numbers.forEach((n, i) => {
		out.writeUInt32BE(n, i * 4);
	});
	return out.toString("latin1");
}

function unpackShape(raw: string): Dimension[] {
	const view = Buffer.from(raw, "latin1");
	const count = view.readUInt32BE(0);
	return Array.from({ length: count }, (_, i) => ({
		size: view.readUInt32BE(4 + i * 4),
		lower: view.readUInt32BE(4 + (count + i) * 4) - 0x8000_0000,
	}));
}

/** int2vector, oidvector: numbers with blanks between, subscripts from 0. */
export function vectorType(
	oid: number,
	name: string,
	arrayOid: number,
	element: BuiltinType,
): BuiltinType {
	const array = arrayTypeOf(element);
	return defineType({
		oid,
		name,
		length: -1,
		category: "A",
		arrayOid,
		elementOid: element.oid,
		parse: (text, context) =>
			arrayOf(
				(text.match(/\S+/g) ?? []).map((item) => element.parse(item, -1, context)),
				0,
			),
		format: (value, context) =>
			(value as ArrayValue).elements.map((item) => element.format(item, context)).join(" "),
		encodeBinary: array.encodeBinary,
		decodeBinary: (bytes, context) =>
			arrayOf((array.decodeBinary(bytes, -1, context) as ArrayValue).elements, 0),
		compare: array.compare,
		keyCodec: array.keyCodec,
	});
}

export const vectorOids: ReadonlySet<number> = new Set([OID.int2vector, OID.oidvector]);
