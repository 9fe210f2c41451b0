/**
 * Leases: away from nodes that leave or stop, to where the rule for the range wants them, and evenly over the others that may have them. One moves only where that evens two nodes out by more
 * than it shifts, so nothing goes to and fro; who holds the range's replicas limits what can be had. Those of ranges that are asked for
 * something come to a node in steps, few at first (`Tally.isUsedTo`): a process is slow at what it has hardly done yet, and others wait for it.
 */
import type { NodeId } from "@quorate/keys/ids";
import { formatLocality } from "@quorate/keys/locality";
import type { RangeInfo } from "@quorate/keys/range";
import { rendezvousWeight } from "./rendezvous.ts";
import { type NodeTally, Tally } from "./tally.ts";
import type { ClusterView } from "./view.ts";

/** Whether there is something to do, be it that it must wait. `isFilling`: replicas are being moved to nodes that have too few. */
export function planLeases(view: ClusterView, tally: Tally, isFilling: boolean): boolean {
	const { held, hasResting } = leasesOf(view, tally);
	const hasToGo = leaveNodes(tally, held);
	const isElsewhere = followRules(tally, held);
	return evenOut(tally, held, isFilling) || hasToGo || isElsewhere || hasResting;
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

/**
 * First to those who have too few. As long as they may get more, be it later or after a copy that is on its way, nobody else does: what goes
 * to a third meanwhile goes twice.
 */
function evenOut(
	tally: Tally,
	held: ReadonlyMap<NodeId, Set<RangeInfo>>,
	isFilling: boolean,
): boolean {
	const nodes = tally.nodes.filter(({ node }) => node.standing === "live");
	const total = nodes.reduce((sum, { leases }) => sum + leases, 0);
	const { low, high } = Tally.band(total, nodes.length);
	const toNeedy: Bound = (from) => Math.min(from.leases - 2, low - 1);
	const fromFull: Bound = (from) => (from.leases > high ? from.leases - 2 : -1);
	const offers = new Offers(held);
	let hasPlanned = false;
	for (const bound of isFilling ? [toNeedy] : [toNeedy, fromFull]) {
		for (;;) {
			const found = bestHandOver(tally, nodes, offers, bound, free(tally));
			if (found === undefined) break;
			const { range, from, to } = found;
			held.get(from.node.nodeId)?.delete(range);
			const reason = `node ${from.node.nodeId} holds ${from.leases} leases, node ${to.node.nodeId} holds ${to.leases}`;
			tally.handOver(range, from, to, reason);
			hasPlanned = true;
		}
		if (bestHandOver(tally, nodes, offers, bound, anybody) !== undefined) return true;
	}
	return hasPlanned;
}

/** Who gets a lease from `from` has at most so many. */
type Bound = (from: NodeTally) => number;

interface Freedom {
	mayGive(from: NodeTally): boolean;
	/** False: none at all. */
	mayTakeAny(to: NodeTally): boolean;
	mayTake(to: NodeTally, range: RangeInfo): boolean;
}

const free = (tally: Tally): Freedom => ({
	mayGive: (from) => tally.mayHandOver(from),
	mayTakeAny: (to) => tally.mayHandOver(to),
	mayTake: (to, range) => tally.mayHandOver(to) && tally.isUsedTo(to, range),
});
const anybody: Freedom = { mayGive: () => true, mayTakeAny: () => true, mayTake: () => true };

/** Of the leases that a node holds those that another could take, as the other has a replica. */
class Offers {
	readonly #held: ReadonlyMap<NodeId, ReadonlySet<RangeInfo>>;
	/** By holder and taker; also what was given away meanwhile. */
	readonly #byTaker = new Map<NodeId, Map<NodeId, RangeInfo[]>>();

	constructor(held: ReadonlyMap<NodeId, ReadonlySet<RangeInfo>>) {
		this.#held = held;
	}

	*between(from: NodeTally, to: NodeTally): Generator<RangeInfo> {
		const held = this.#held.get(from.node.nodeId);
		if (held === undefined) return;
		for (const range of this.#offersOf(from.node.nodeId, held).get(to.node.nodeId) ?? []) {
			if (held.has(range)) yield range;
		}
	}

	#offersOf(from: NodeId, held: ReadonlySet<RangeInfo>): ReadonlyMap<NodeId, RangeInfo[]> {
		const known = this.#byTaker.get(from);
		if (known !== undefined) return known;
		const offers = new Map<NodeId, RangeInfo[]>();
		for (const range of held) {
			for (const { nodeId } of range.descriptor.replicas) {
				const list = offers.get(nodeId);
				if (list === undefined) offers.set(nodeId, [range]);
				else list.push(range);
			}
		}
		this.#byTaker.set(from, offers);
		return offers;
	}
}

/** From the fullest that can give something to the emptiest that can take it; rather none that is asked for so much that it makes the taker the busier one. */
function bestHandOver(
	tally: Tally,
	nodes: readonly NodeTally[],
	offers: Offers,
	bound: Bound,
	{ mayGive, mayTakeAny, mayTake }: Freedom,
): { readonly range: RangeInfo; readonly from: NodeTally; readonly to: NodeTally } | undefined {
	const takers = nodes.filter(mayTakeAny).sort((a, b) => a.leases - b.leases);
	for (const from of [...nodes].sort((a, b) => b.leases - a.leases)) {
		if (!mayGive(from)) continue;
		const most = bound(from);
		let best:
			| { readonly range: RangeInfo; readonly to: NodeTally; readonly cost: number }
			| undefined;
		for (const taker of takers) {
			// Whoever has as many as the best costs no less.
			if (taker.leases > most || (best !== undefined && taker.leases >= best.cost)) break;
			for (const range of offers.between(from, taker)) {
				const to = leastLoaded(tally, range, taker.leases, mayTake);
				if (to === undefined) continue;
				const isTooMuch = 2 * tally.rateOf(range) > Math.max(0, from.rate - to.rate);
				const cost = to.leases + (isTooMuch ? 0.5 : 0);
				if (best === undefined || cost < best.cost) best = { range, to, cost };
				if (best.cost === taker.leases) break;
			}
		}
		if (best !== undefined) return { range: best.range, from, to: best.to };
	}
	return undefined;
}

/** A voter of the range on a node that takes leases, with at most `most` of them; one where the rule wants it, if there is one. */
function leastLoaded(
	tally: Tally,
	range: RangeInfo,
	most: number,
	isFree: (node: NodeTally, range: RangeInfo) => boolean,
): NodeTally | undefined {
	const { rangeId, replicas } = range.descriptor;
	/** Asked for once somebody could take it: of all ranges, most have nobody. */
	let isWanted: ((node: NodeId) => boolean) | undefined;
	let best: NodeTally | undefined;
	for (const { nodeId, role } of replicas) {
		const to = tally.of(nodeId);
		const mayTake = role === "voter" && to?.node.standing === "live" && to.leases <= most;
		if (!mayTake || nodeId === range.leaseholder || !isFree(to, range)) continue;
		isWanted ??= wantedTakers(tally, range);
		if (!isWanted(nodeId)) continue;
		const isBetter =
			best === undefined ||
			to.leases < best.leases ||
			(to.leases === best.leases &&
				rendezvousWeight(rangeId, nodeId) > rendezvousWeight(rangeId, best.node.nodeId));
		if (isBetter) best = to;
	}
	return best;
}

const anyNode = (): boolean => true;

/** Whom the rule prefers, where one of them can have the lease; else all are equal. */
export function wantedTakers(tally: Tally, range: RangeInfo): (node: NodeId) => boolean {
	const rule = tally.ruleOf(range);
	if (rule.leasePreference.length === 0) return anyNode;
	const isWanted = (node: NodeId): boolean => tally.isPreferred(rule, node);
	const isThere = range.descriptor.replicas.some(
		({ nodeId, role }) => role === "voter" && tally.standing(nodeId) === "live" && isWanted(nodeId),
	);
	return isThere ? isWanted : anyNode;
}
