/**
 * Small values as bytes, for what is kept or replicated: range states, commands, records, snapshot chunks. MessagePack as in
 * `codec.ts`, but the byte arrays of a decoded value are its own, so that a few bytes do not keep a large buffer alive.
 * Strings must be binary strings or ASCII (see `keys/key.ts`).
 */
import { slabBytes } from "@quorate/runtime/slab";
import { Packr } from "msgpackr";

const settings = {
	useRecords: false,
	moreTypes: false,
	int64AsType: "number",
	encodeUndefinedAsNil: true,
} as const;
const packr = new Packr({ ...settings, copyBuffers: true });
const viewer = new Packr(settings);
packr.useBuffer(Buffer.allocUnsafeSlow(slabBytes));

export function encodeBody(body: unknown): Uint8Array {
	return packr.pack(body);
}

/** Throws on bytes that are no whole value. */
export function decodeBody(bytes: Uint8Array): unknown {
	return packr.unpack(bytes);
}

/** The same, but byte arrays are views of `bytes`: for what is looked at and let go of. */
export function decodeBodyInPlace(bytes: Uint8Array): unknown {
	return viewer.unpack(bytes);
}
