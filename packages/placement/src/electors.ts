/**
 * Who takes part in a cluster's birth, from the join list alone: every node with the same list
 * computes the same.
 */
import { type NodeId, nodeId } from "@quorate/keys/ids";
import type { NodeIdentity } from "./types.ts";

/** Members of the placement group, where the list has so many. */
const foundersMax = 3;

/** The list as all compare it: distinct, sorted. */
export function joinList(addresses: readonly string[]): string[] {
	const cleaned = addresses.map((address) => address.trim().toLowerCase());
	return [...new Set(cleaned.filter((address) => address !== ""))].sort();
}

/** Those who must all agree. The first is the convener. */
export const electorsOf = (list: readonly string[]): readonly string[] =>
	list.slice(0, foundersMax);

/**
 * Two members would be less available than one, so a list of two has one founder (and two
 * electors).
 */
export function foundersOf(list: readonly string[]): NodeIdentity["founders"] {
	const count = list.length < foundersMax ? 1 : foundersMax;
	return list.slice(0, count).map((address, i) => ({ nodeId: nodeId(i + 1), address }));
}

export function ownNodeId(founders: NodeIdentity["founders"], address: string): NodeId {
	return founders.find((founder) => founder.address === address)?.nodeId ?? nodeId(0);
}

/** `a` may be anything that a peer sent. */
export const sameList = (a: unknown, b: readonly string[]): boolean =>
	Array.isArray(a) && a.length === b.length && b.every((address, i) => address === a[i]);
