/**
 * Where small entries of logs lie: one after the other in slabs that hold nothing else, each mapped alone (`runtime/slab.ts`). An array
 * of its own costs the allocator 160 bytes more, and a view of the frame that an entry came in keeps the whole frame. Entries that came
 * together go together, when their groups rest or compact their logs; what each had of its own would leave holes in the allocator's heap
 * instead, of which nothing is given back.
 */
import { slabBytes } from "@quorate/runtime/slab";

/** Larger ones are left to themselves. */
const smallBytesMax = slabBytes >> 3;

let slab = new Uint8Array(0);
let usedBytes = 0;

/** To be filled by the caller. */
export function roomForEntry(length: number): Uint8Array {
	if (length > smallBytesMax) return new Uint8Array(length);
	if (usedBytes + length > slab.length) {
		slab = new Uint8Array(slabBytes);
		usedBytes = 0;
	}
	const room = slab.subarray(usedBytes, usedBytes + length);
	usedBytes += length;
	return room;
}

/** A large one stays where it is. */
export function entryFrom(bytes: Uint8Array): Uint8Array {
	if (bytes.length > smallBytesMax) return bytes;
	const room = roomForEntry(bytes.length);
	room.set(bytes);
	return room;
}
