/**
 * Requests evenly over nodes, where the numbers of leases are: while some node serves more than a tenth above the mean, or less than a tenth
 * below it, a lease goes from the busier to the idler one, or two change places where the numbers would leave their band. A node takes
 * part in one such step at a time, which evens out at most three quarters of what lies between the two; the next comes when rates, which
 * forget half in ten seconds, show what came of the last.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { RangeInfo } from "@quorate/keys/range";
import { leasesOf, wantedTakers } from "./leases.ts";
import { type NodeTally, Tally } from "./tally.ts";
import type { ClusterView } from "./view.ts";

/** Requests a second: less is not worth a move, whatever the mean. */
const differenceMin = 100;
const tolerance = 0.1;
const overshootMost = 0.75;
/** Of what lies between two nodes, at least so much has to come of a step. */
const gainShare = 1 / 16;

interface Exchange {
	readonly range: RangeInfo;
	readonly back: RangeInfo | undefined;
	/** How far from the half of what lies between. */
	readonly miss: number;
}

/** Whether something is done. */
export function planLoad(view: ClusterView, tally: Tally): boolean {
	const nodes = tally.nodes.filter(({ node }) => node.standing === "live");
	const mean = nodes.reduce((sum, { rate }) => sum + rate, 0) / Math.max(1, nodes.length);
	const difference = Math.max(differenceMin, mean * tolerance);
	const isEven = ({ rate }: NodeTally): boolean => Math.abs(rate - mean) <= difference;
	if (nodes.every(isEven)) {
		return false;
	}
	const { held } = leasesOf(view, tally);
	const taken = new Set<NodeTally>();
	const busiest = nodes.filter((n) => n.rate > mean).sort((a, b) => b.rate - a.rate);
	const idlest = nodes.filter((n) => n.rate < mean).sort((a, b) => a.rate - b.rate);
	for (const from of busiest) {
		for (const to of idlest) {
			if (taken.has(from) || taken.has(to) || (isEven(from) && isEven(to))) continue;
			if (!tally.mayHandOver(from) || !tally.mayHandOver(to)) continue;
			const found = exchangeOf(tally, nodes, held, from, to);
			if (found === undefined) continue;
			const reason = `node ${from.node.nodeId} serves ${perSecond(from)}, node ${to.node.nodeId} serves ${perSecond(to)}`;
			tally.handOver(found.range, from, to, reason);
			if (found.back !== undefined) tally.handOver(found.back, to, from, reason);
			taken.add(from).add(to);
		}
	}
	return taken.size > 0;
}

const perSecond = ({ rate }: NodeTally): string => `${Math.round(rate)} requests/s`;

/** What comes nearest to evening the two out. */
function exchangeOf(
	tally: Tally,
	nodes: readonly NodeTally[],
	held: ReadonlyMap<NodeId, ReadonlySet<RangeInfo>>,
	from: NodeTally,
	to: NodeTally,
): Exchange | undefined {
	const gap = from.rate - to.rate;
	const leases = nodes.reduce((sum, node) => sum + node.leases, 0);
	const { low, high } = Tally.band(leases, nodes.length);
	const isFree = from.leases > low && to.leases < high;
	const backs = [...(held.get(to.node.nodeId) ?? [])].filter((r) => mayTake(tally, r, from));
	// The idlest is the best to take back.
	const back = backs.reduce<RangeInfo | undefined>(
		(best, r) => (best === undefined || tally.rateOf(r) < tally.rateOf(best) ? r : best),
		undefined,
	);
	let best: Exchange | undefined;
	const consider = (range: RangeInfo, other: RangeInfo | undefined): void => {
		const gain = tally.rateOf(range) - (other === undefined ? 0 : tally.rateOf(other));
		const miss = Math.abs(gain - gap / 2);
		const isWorthIt = gain >= gap * gainShare && gain <= gap * overshootMost;
		if (isWorthIt && (best === undefined || miss < best.miss)) best = { range, back: other, miss };
	};
	for (const range of held.get(from.node.nodeId) ?? []) {
		if (!mayTake(tally, range, to)) continue;
		if (isFree) consider(range, undefined);
		else if (back !== undefined) consider(range, back);
	}
	return best;
}

/** It has a voter, and the rule wants the lease nowhere else. */
function mayTake(tally: Tally, range: RangeInfo, { node }: NodeTally): boolean {
	const { replicas } = range.descriptor;
	const votes = replicas.some((r) => r.nodeId === node.nodeId && r.role === "voter");
	return votes && wantedTakers(tally, range)(node.nodeId);
}
