/**
 * Who should be in the placement group: one node, three or five, as many as there are nodes for. Members stay as long as they can; a
 * member that is dead or leaves is replaced. The group gets smaller only from five to three: of three, two must answer for
 * anything to change, and one alone would be less than that.
 */
import type { NodeId } from "@quorate/keys/ids";
import { rendezvousWeight } from "./rendezvous.ts";
import type { NodeView } from "./view.ts";

export function wantedMembers(
	nodes: readonly NodeView[],
	present: readonly NodeId[],
): readonly NodeId[] {
	const isPresent = (node: NodeView): boolean => present.includes(node.nodeId);
	const staying = nodes.filter((node) => isPresent(node) && node.standing !== "leaving");
	const others = nodes.filter((node) => !isPresent(node) && node.standing === "live");
	const usable = staying.length + others.length;
	const size = usable >= 5 ? 5 : usable >= 3 ? 3 : 0;
	if (size < Math.min(present.length, 3)) {
		return present;
	}
	const weight = (node: NodeView): number => rendezvousWeight(0, node.nodeId);
	const byWeight = (a: NodeView, b: NodeView): number => weight(b) - weight(a);
	const kept = staying.sort((a, b) => Number(b.isUp) - Number(a.isUp) || byWeight(a, b));
	const chosen = [...kept, ...others.sort(byWeight)].slice(0, Math.max(size, 1));
	return chosen.map((node) => node.nodeId).sort((a, b) => a - b);
}
