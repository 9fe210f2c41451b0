/**
 * The encoding of message bodies and of small persisted records: MessagePack by msgpackr. Plain objects, arrays, strings,
 * booleans, null, Uint8Array and numbers (safe integers stay exact) survive a round trip; undefined members become null.
 */
import { Packr } from "msgpackr";

const packr = new Packr({
	useRecords: false,
	moreTypes: false,
	int64AsType: "number",
	encodeUndefinedAsNil: true,
	copyBuffers: true,
});

/** The result is the caller's own. */
export function encodeBody(body: unknown): Uint8Array {
	return packr.pack(body);
}

/** Throws on bytes that are no body; binary members are copies. */
export function decodeBody(bytes: Uint8Array): unknown {
	return packr.unpack(bytes);
}
