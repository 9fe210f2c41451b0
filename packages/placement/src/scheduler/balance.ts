/**
 * Replicas evenly over nodes. While somebody has more than a tenth above the mean, or less than a tenth below it, one goes from the
 * fullest to the emptiest; within that band nothing moves. Each move brings at least one of the two nearer to the band and none
 * away from it: so there is an end, and where ranges do not stand in the way, no smaller number of moves would do.
 */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { RangeInfo } from "@quorate/keys/range";
import { rendezvousWeight } from "./rendezvous.ts";
import { type Band, type NodeTally, Tally } from "./tally.ts";
import type { ClusterView } from "./view.ts";

type Pair = readonly [from: NodeTally, to: NodeTally];

/** Whether there is an imbalance, be it that what helps must wait. */
export function planBalance(view: ClusterView, tally: Tally): boolean {
	const nodes = tally.staying;
	const total = nodes.reduce((sum, { replicas }) => sum + replicas, 0);
	const band = Tally.band(total, nodes.length);
	if (nodes.every(({ replicas }) => replicas >= band.low && replicas <= band.high)) {
		return false;
	}
	const held = heldBy(view, tally);
	const planned = new Set<RangeId>();
	for (;;) {
		const { both, others } = pairsOf(nodes, band);
		const first = planOne(view, tally, held, planned, both);
		const outcome = first === "nothing" ? planOne(view, tally, held, planned, others) : first;
		if (outcome !== "planned") {
			return planned.size > 0 || outcome === "waiting";
		}
	}
}

function planOne(
	view: ClusterView,
	tally: Tally,
	held: ReadonlyMap<NodeId, readonly RangeInfo[]>,
	planned: Set<RangeId>,
	pairs: readonly Pair[],
): "planned" | "waiting" | "nothing" {
	let mustWait = false;
	for (const [from, to] of pairs) {
		const best = rangeToMove(view, tally, held, planned, from, to);
		if (best === "waiting") {
			mustWait = true;
		} else if (best !== undefined) {
			const kept = tally.holders(best).filter((id) => id !== from.node.nodeId);
			const reason = `node ${from.node.nodeId} holds ${from.replicas} replicas, node ${to.node.nodeId} holds ${to.replicas}`;
			planned.add(best.descriptor.rangeId);
			tally.place(best, [...kept, to.node.nodeId], reason);
			return "planned";
		}
	}
	return mustWait ? "waiting" : "nothing";
}

/**
 * From whom to whom something may go, the fullest and the emptiest first. While both sides of the band have somebody outside, each
 * move must help two: whoever is inside gives and gets nothing, unless nothing else can be done.
 */
function pairsOf(
	nodes: readonly NodeTally[],
	{ low, high }: Band,
): { readonly both: readonly Pair[]; readonly others: readonly Pair[] } {
	const from = [...nodes].sort((a, b) => b.replicas - a.replicas);
	const to = nodes
		.filter(({ node }) => node.standing === "live")
		.sort((a, b) => a.replicas - b.replicas);
	const both: Pair[] = [];
	const others: Pair[] = [];
	for (const f of from) {
		for (const t of to) {
			if (f.replicas - t.replicas < 2) break;
			const helped = Number(f.replicas > high) + Number(t.replicas < low);
			if (helped > 0) (helped === 2 ? both : others).push([f, t]);
		}
	}
	return { both, others };
}

/** By node, what may be taken from it. */
export function heldBy(view: ClusterView, tally: Tally): Map<NodeId, RangeInfo[]> {
	const held = new Map<NodeId, RangeInfo[]>();
	for (const range of view.ranges) {
		if (!isMovable(view, tally, range)) continue;
		for (const { nodeId } of range.descriptor.replicas) {
			const list = held.get(nodeId);
			if (list === undefined) held.set(nodeId, [range]);
			else list.push(range);
		}
	}
	return held;
}

/** Whole, at rest, and all of its nodes answer: a move must not make a range more fragile than it is. */
export function isMovable(view: ClusterView, tally: Tally, { descriptor }: RangeInfo): boolean {
	return (
		!view.underWay.has(descriptor.rangeId) &&
		descriptor.replicas.every((r) => r.role === "voter" && tally.isUp(r.nodeId))
	);
}

/** Rather one whose lease stays where it is; among those, by weight. */
function rangeToMove(
	view: ClusterView,
	tally: Tally,
	held: ReadonlyMap<NodeId, readonly RangeInfo[]>,
	planned: ReadonlySet<RangeId>,
	from: NodeTally,
	to: NodeTally,
): RangeInfo | "waiting" | undefined {
	const target = to.node.nodeId;
	let best: RangeInfo | undefined;
	let bestScore = -1;
	let mustWait = false;
	for (const range of held.get(from.node.nodeId) ?? []) {
		const { rangeId } = range.descriptor;
		if (planned.has(rangeId) || tally.holders(range).includes(target)) continue;
		const keepsLease = range.leaseholder !== from.node.nodeId;
		const score = rendezvousWeight(rangeId, target) + (keepsLease ? 2 ** 32 : 0);
		if (score <= bestScore) continue;
		if (!tally.mayReplace(range, from.node.nodeId, target)) continue;
		if (!tally.mayReceive(to)) return "waiting";
		if (!tally.maySend(range) || view.isResting(range)) {
			mustWait = true;
			continue;
		}
		best = range;
		bestScore = score;
	}
	return best ?? (mustWait ? "waiting" : undefined);
}
