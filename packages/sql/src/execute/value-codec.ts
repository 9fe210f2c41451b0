/** Values of known types as bytes, each written as the column of a stored row. */
import type { Datum } from "../types/datum.ts";
import { columnCodec, Reader, Writer } from "./column-codec.ts";

const writer = new Writer();
const reader = new Reader();

export function encodeValues(types: readonly number[], values: readonly Datum[]): Uint8Array {
	writer.reset();
	for (let i = 0; i < types.length; i++) {
		const value = values[i] ?? null;
		if (value !== null) columnCodec(types[i]!).write(writer, i, value);
	}
	return writer.take();
}

export function decodeValues(types: readonly number[], bytes: Uint8Array): readonly Datum[] {
	const values: Datum[] = new Array(types.length).fill(null);
	reader.open(bytes);
	while (reader.at < reader.end) {
		const head = reader.varint();
		const i = head >>> 2;
		values[i] = columnCodec(types[i]!).read(reader, head & 3);
	}
	return values;
}
