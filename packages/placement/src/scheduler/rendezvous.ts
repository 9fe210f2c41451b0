/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): each pair of range and node has a weight of its own. Where nothing else tells
 * nodes apart the heaviest is taken, so the choice is the same whoever makes it, and a node more or less changes it for few ranges.
 */
import type { NodeId, RangeId } from "@quorate/keys/ids";

/** Of the pair, spread over 32 bits. */
export function rendezvousWeight(range: RangeId | 0, node: NodeId): number {
	// The last steps of MurmurHash3, after each of the two numbers.
	let h = mix((range >>> 0) ^ Math.imul(Math.floor(range / 2 ** 32), 0x9e3779b1));
	h = mix(h ^ Math.imul(node, 0x85ebca6b));
	return h >>> 0;
}

function mix(value: number): number {
	let h = value;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return h ^ (h >>> 16);
}
