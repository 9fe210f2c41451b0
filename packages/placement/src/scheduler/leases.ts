/**
 * Leases: away from nodes that leave or stop, to where the rule for the range wants them, and evenly over the others that may have them. One moves only where that evens two nodes out by more
 * than it shifts, so nothing goes to and fro; who holds the range's replicas limits what can be had.
 */
import type { NodeId } from "@quorate/keys/ids";
import { formatLocality } from "@quorate/keys/locality";
import type { RangeInfo } from "@quorate/keys/range";
import { rendezvousWeight } from "./rendezvous.ts";
import { type Band, type NodeTally, Tally } from "./tally.ts";
import type { ClusterView } from "./view.ts";

/** Whether there is something to do, be it that it must wait. */
export function planLeases(view: ClusterView, tally: Tally): boolean {
	const { held, hasResting } = leasesOf(view, tally);
	const hasToGo = leaveNodes(tally, held);
	const isElsewhere = followRules(tally, held);
	return evenOut(tally, held) || hasToGo || isElsewhere || hasResting;
}

/** By holder; ranges with a move before them are left alone. */
export function leasesOf(
	view: ClusterView,
	tally: Tally,
): { readonly held: Map<NodeId, Set<RangeInfo>>; readonly hasResting: boolean } {
	const moving = new Set(tally.moves.map((move) => move.range.rangeId));
	const held = new Map<NodeId, Set<RangeInfo>>();
	let hasResting = false;
	for (const range of view.ranges) {
		const { rangeId } = range.descriptor;
		const isMoving = view.underWay.has(rangeId) || moving.has(rangeId);
		if (range.leaseholder === undefined || isMoving) {
			continue;
		}
		if (view.isResting(range)) {
			hasResting = true;
		} else {
			const set = held.get(range.leaseholder) ?? new Set();
			held.set(range.leaseholder, set.add(range));
		}
	}
	return { held, hasResting };
}

function leaveNodes(tally: Tally, held: ReadonlyMap<NodeId, Set<RangeInfo>>): boolean {
	let hasMore = false;
	for (const from of tally.nodes) {
		const { standing, isUp, nodeId } = from.node;
		if (!isUp || (standing !== "leaving" && standing !== "stopping")) continue;
		for (const range of held.get(nodeId) ?? []) {
			const to = leastLoaded(tally, range, Number.POSITIVE_INFINITY, () => true);
			if (to === undefined) continue;
			hasMore = true;
			if (!tally.mayHandOver(from)) break;
			if (!tally.mayHandOver(to)) continue;
			held.get(nodeId)?.delete(range);
			tally.handOver(range, from, to, `node ${nodeId} leaves`);
		}
	}
	return hasMore;
}

/** Where the rule wants the lease somewhere, and a replica there can take it. */
function followRules(tally: Tally, held: ReadonlyMap<NodeId, Set<RangeInfo>>): boolean {
	let hasMore = false;
	for (const from of tally.nodes) {
		const { nodeId } = from.node;
		for (const range of held.get(nodeId) ?? []) {
			const rule = tally.ruleOf(range);
			if (rule.leasePreference.length === 0 || tally.isPreferred(rule, nodeId)) continue;
			const to = leastLoaded(tally, range, Number.POSITIVE_INFINITY, () => true);
			if (to === undefined || !tally.isPreferred(rule, to.node.nodeId)) continue;
			hasMore = true;
			if (!tally.mayHandOver(from)) break;
			if (!tally.mayHandOver(to)) continue;
			held.get(nodeId)?.delete(range);
			tally.handOver(
				range,
				from,
				to,
				`the lease is to be in ${formatLocality(rule.leasePreference)}`,
			);
		}
	}
	return hasMore;
}

function evenOut(tally: Tally, held: ReadonlyMap<NodeId, Set<RangeInfo>>): boolean {
	const nodes = tally.nodes.filter(({ node }) => node.standing === "live");
	const total = nodes.reduce((sum, { leases }) => sum + leases, 0);
	const band = Tally.band(total, nodes.length);
	const isFree = (node: NodeTally): boolean => tally.mayHandOver(node);
	for (let isFirst = true; ; isFirst = false) {
		const found = bestHandOver(tally, nodes, held, band, isFree);
		if (found === undefined) {
			return !isFirst || bestHandOver(tally, nodes, held, band, () => true) !== undefined;
		}
		const { range, from, to } = found;
		held.get(from.node.nodeId)?.delete(range);
		const reason = `node ${from.node.nodeId} holds ${from.leases} leases, node ${to.node.nodeId} holds ${to.leases}`;
		tally.handOver(range, from, to, reason);
	}
}

/** From the fullest that can give something to the emptiest that can take it. */
function bestHandOver(
	tally: Tally,
	nodes: readonly NodeTally[],
	held: ReadonlyMap<NodeId, ReadonlySet<RangeInfo>>,
	{ low, high }: Band,
	isFree: (node: NodeTally) => boolean,
): { readonly range: RangeInfo; readonly from: NodeTally; readonly to: NodeTally } | undefined {
	const hasNeedy = nodes.some((node) => node.leases < low && isFree(node));
	const fewest = Math.min(...nodes.filter(isFree).map(({ leases }) => leases));
	for (const from of [...nodes].sort((a, b) => b.leases - a.leases)) {
		if (from.leases <= high && !hasNeedy) return undefined;
		if (!isFree(from)) continue;
		const most = from.leases > high ? from.leases - 2 : Math.min(from.leases - 2, low - 1);
		let best: { readonly range: RangeInfo; readonly to: NodeTally } | undefined;
		for (const range of held.get(from.node.nodeId) ?? []) {
			const to = leastLoaded(tally, range, most, isFree);
			if (to !== undefined && (best === undefined || to.leases < best.to.leases)) {
				best = { range, to };
				if (to.leases < low || to.leases === fewest) break;
			}
		}
		if (best !== undefined) return { ...best, from };
	}
	return undefined;
}

/** A voter of the range on a node that takes leases, with at most `most` of them; one where the rule wants it, if there is one. */
function leastLoaded(
	tally: Tally,
	range: RangeInfo,
	most: number,
	isFree: (node: NodeTally) => boolean,
): NodeTally | undefined {
	const { rangeId, replicas } = range.descriptor;
	const isWanted = wantedTakers(tally, range);
	let best: NodeTally | undefined;
	for (const { nodeId, role } of replicas) {
		const to = tally.of(nodeId);
		const mayTake = role === "voter" && to?.node.standing === "live" && to.leases <= most;
		if (!mayTake || nodeId === range.leaseholder || !isFree(to)) continue;
		if (isWanted !== undefined && !isWanted(nodeId)) continue;
		const isBetter =
			best === undefined ||
			to.leases < best.leases ||
			(to.leases === best.leases &&
				rendezvousWeight(rangeId, nodeId) > rendezvousWeight(rangeId, best.node.nodeId));
		if (isBetter) best = to;
	}
	return best;
}

/** Whom the rule prefers, where one of them can have the lease; undefined: all are equal. */
export function wantedTakers(
	tally: Tally,
	range: RangeInfo,
): ((node: NodeId) => boolean) | undefined {
	const rule = tally.ruleOf(range);
	if (rule.leasePreference.length === 0) return undefined;
	const isWanted = (node: NodeId): boolean => tally.isPreferred(rule, node);
	const isThere = range.descriptor.replicas.some(
		({ nodeId, role }) => role === "voter" && tally.standing(nodeId) === "live" && isWanted(nodeId),
	);
	return isThere ? isWanted : undefined;
}
