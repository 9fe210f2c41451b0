/**
 * Small values as bytes, for what is kept or replicated: range states, commands, records, snapshot chunks. MessagePack as in
 * `codec.ts`, but the byte arrays of a decoded value are its own, so that a few bytes do not keep a large buffer alive.
 * Strings must be binary strings or ASCII (see `keys/key.ts`).
 */
import { slabBytes } from "@quorate/runtime/slab";
import { Packr } from "msgpackr";

const packr = new Packr({
	useRecords: false,
	moreTypes: false,
	int64AsType: "number",
	encodeUndefinedAsNil: true,
	copyBuffers: true,
});
packr.useBuffer(Buffer.allocUnsafeSlow(slabBytes));

export function encodeBody(body: unknown): Uint8Array {
	return packr.pack(body);
}

/** Throws on bytes that are no whole value. */
export function decodeBody(bytes: Uint8Array): unknown {
	return packr.unpack(bytes);
}
