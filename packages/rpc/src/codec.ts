/**
 * Messages as bytes: MessagePack, by msgpackr. Objects are plain maps (records save bytes on arrays of like objects, but
 * cost a third more on the small messages that dominate, and build code from a peer's bytes).
 *
 * What survives exactly: null, undefined, booleans, strings of whole code points, integers up to 2^53, floats (but the
 * sign of -0), bigints, Uint8Array, arrays, plain objects (but a key `__proto__`). Decoded byte arrays are views of the
 * frame that they came in: to keep a few bytes of a large frame for long, copy them.
 *
 * The native part of msgpackr is a prebuilt optional dependency. Without it msgpackr drops a byte order mark at the head of a
 * string of over 64 bytes, so then `plain-decoder.ts` reads.
 */
import { slabBytes } from "@quorate/runtime/slab";
import { isNativeAccelerationEnabled, Packr, RESERVE_START_SPACE } from "msgpackr";
import { decodePlain } from "./plain-decoder.ts";

/** A message, without its length, is never larger. */
export const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Every message starts with its length in this many bytes, big-endian, itself not counted. */
export const LENGTH_BYTES = 4;

const packr = new Packr({ useRecords: false, useBigIntExtension: true });
packr.useBuffer(Buffer.allocUnsafeSlow(slabBytes));

/** Length and message. The caller may change the value afterwards. */
export function encodeMessage(message: readonly unknown[]): Uint8Array {
	const bytes = packr.pack(message, RESERVE_START_SPACE + LENGTH_BYTES);
	bytes.writeUInt32BE(bytes.length - LENGTH_BYTES, 0);
	return bytes;
}

/** Throws on bytes that are not one whole value. `bytes` must not change afterwards. */
export function decodeMessage(bytes: Uint8Array): unknown {
	if (!isNativeAccelerationEnabled) return decodePlain(bytes);
	// A plain view, so that the byte arrays in the result are no Buffers, whose `slice` means something else.
	return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
}
