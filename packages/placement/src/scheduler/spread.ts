/**
 * Replicas of a range as far from each other as localities let them: one at a time goes from where two are near each other to where none
 * is. Each such move leaves less crowding than before (`nearness.ts`), so there is an end.
 */
import type { NodeId } from "@quorate/keys/ids";
import { formatLocality } from "@quorate/keys/locality";
import type { PlacementRule } from "@quorate/keys/placement-rule";
import type { RangeInfo } from "@quorate/keys/range";
import { isMovable } from "./balance.ts";
import { bestSeat } from "./repairs.ts";
import type { NodeTally, Tally } from "./tally.ts";
import type { ClusterView } from "./view.ts";

/** Whether there is something to do, be it that it must wait. */
export function planSpread(view: ClusterView, tally: Tally): boolean {
	if (!tally.hasPlaces) return false;
	let isCrowded = false;
	for (const range of view.ranges) {
		const rule = tally.ruleOf(range);
		const nodes = tally.holders(range);
		const crowding = tally.crowding(rule, nodes);
		if (crowding === 0 || !isMovable(view, tally, range)) continue;
		const better = betterSeat(tally, range, rule, nodes, crowding);
		if (better === undefined) continue;
		isCrowded = true;
		const { from, to } = better;
		if (view.isResting(range) || !tally.mayReceive(to) || !tally.maySend(range)) continue;
		const kept = nodes.filter((id) => id !== from);
		tally.place(range, [...kept, to.node.nodeId], reasonOf(tally, from, to));
	}
	return isCrowded;
}

/** The exchange that leaves least crowding; of several, one by which the lease stays, then from the fullest node. */
function betterSeat(
	tally: Tally,
	range: RangeInfo,
	rule: PlacementRule,
	nodes: readonly NodeId[],
	crowding: number,
): { readonly from: NodeId; readonly to: NodeTally } | undefined {
	let best: { readonly from: NodeId; readonly to: NodeTally } | undefined;
	let least = crowding;
	const fullness = (id: NodeId): number => tally.of(id)?.replicas ?? 0;
	const holdsLease = (id: NodeId): number => Number(id === range.leaseholder);
	for (const from of nodes) {
		const kept = nodes.filter((id) => id !== from);
		const to = bestSeat(tally, rule, range.descriptor.rangeId, nodes, kept);
		if (to === undefined) continue;
		const left = tally.crowding(rule, [...kept, to.node.nodeId]);
		const order =
			left - least ||
			(best === undefined
				? 1
				: holdsLease(from) - holdsLease(best.from) || fullness(best.from) - fullness(from));
		if (order < 0) {
			best = { from, to };
			least = left;
		}
	}
	return best;
}

function reasonOf(tally: Tally, from: NodeId, to: NodeTally): string {
	const nameOf = (id: NodeId): string =>
		`node ${id} (${formatLocality(tally.of(id)?.node.locality ?? []) || "no locality"})`;
	return `its replicas are farther from each other with ${nameOf(to.node.nodeId)} than with ${nameOf(from)}`;
}
