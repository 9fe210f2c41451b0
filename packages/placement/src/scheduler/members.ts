/**
 * Who should be in the placement group: one node, three or five, as many as there are nodes for. Members stay as long as they can; a
 * member that is dead or leaves is replaced, and so is one that is near another one while a node is there that is not. The group gets smaller only from five to three: of three, two must answer for
 * anything to change, and one alone would be less than that.
 */
import type { NodeId } from "@quorate/keys/ids";
import { Nearness } from "./nearness.ts";
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
	const nearness = new Nearness(nodes);
	const kept = staying.sort((a, b) => Number(b.isUp) - Number(a.isUp) || byWeight(a, b));
	const chosen: NodeView[] = [];
	for (const from of [kept, others.sort(byWeight)]) {
		const left = new Set(from);
		while (chosen.length < Math.max(size, 1) && left.size > 0) {
			const next = leastNear(nearness, chosen, left);
			left.delete(next);
			chosen.push(next);
		}
	}
	exchange(nearness, chosen, [...kept.filter(({ standing }) => standing === "live"), ...others]);
	return chosen.map((node) => node.nodeId).sort((a, b) => a - b);
}

/** Of equally good ones those that are up, then the first. */
function leastNear(
	nearness: Nearness,
	chosen: readonly NodeView[],
	among: Iterable<NodeView>,
): NodeView {
	const ids = chosen.map(({ nodeId }) => nodeId);
	const order = (node: NodeView): number =>
		(node.isUp ? 0 : 2 * nearness.most) + nearness.ofAll([...ids, node.nodeId]);
	return [...among].reduce((best, node) => (order(node) < order(best) ? node : best));
}

/** Members for others, one at a time, as long as that leaves them farther from each other. */
function exchange(nearness: Nearness, chosen: NodeView[], others: readonly NodeView[]): void {
	for (let hasChanged = nearness.hasPlaces; hasChanged; ) {
		hasChanged = false;
		for (const [at] of chosen.entries()) {
			const rest = chosen.toSpliced(at, 1);
			const free = others.filter((node) => !chosen.includes(node));
			if (free.length === 0) return;
			const next = leastNear(nearness, rest, free);
			const near = (nodes: readonly NodeView[]): number =>
				nearness.ofAll(nodes.map(({ nodeId }) => nodeId));
			if (near([...rest, next]) < near(chosen)) {
				chosen[at] = next;
				hasChanged = true;
			}
		}
	}
}
