/** `EngineReader.scan` on top of an iterator, for readers that have nothing faster. */
import type { Key, Span } from "@quorate/keys/key";
import type { EngineReader, EngineRows, EngineScanLimits } from "./engine.ts";

export function scanByIterator(
	reader: Pick<EngineReader, "iterate">,
	span: Span,
	limits: EngineScanLimits,
): EngineRows {
	const keys: Key[] = [];
	const values: Uint8Array[] = [];
	const { keyOffset } = limits;
	const it = reader.iterate(span, { reverse: limits.reverse });
	try {
		for (let bytes = 0; it.key !== undefined; it.next()) {
			if (keys.length >= limits.rowsMax || bytes > limits.bytesMax) {
				return { keys, values, more: true };
			}
			keys.push((keyOffset === 0 ? it.key : it.key.slice(keyOffset)) as Key);
			values.push(it.value);
			bytes += it.key.length + it.value.length;
		}
		return { keys, values, more: false };
	} finally {
		it.close();
	}
}
