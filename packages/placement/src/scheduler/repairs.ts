/**
 * Ranges whose replicas are not where they must be: on a node that is dead or leaves, or where the rule for the range does not
 * want it; too few or too many; or half moved by a leader of the placement group that is gone. What has been copied already is kept where that is as good.
 */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import { formatLocality } from "@quorate/keys/locality";
import { formatConstraints, type PlacementRule } from "@quorate/keys/placement-rule";
import type { RangeInfo, ReplicaDescriptor } from "@quorate/keys/range";
import { rendezvousWeight } from "./rendezvous.ts";
import type { NodeTally, Tally } from "./tally.ts";
import type { ClusterView, Obstacle } from "./view.ts";

/** `waiting`: something will be done when others have ended. */
export type RepairState = "whole" | "planned" | "waiting" | Obstacle;

export function planRepair(view: ClusterView, tally: Tally, range: RangeInfo): RepairState {
	const { replicas, rangeId } = range.descriptor;
	const rule = tally.ruleOf(range);
	if (isWholeAtOnce(tally, rule, replicas)) {
		return "whole";
	}
	const voters = replicas.filter((r) => r.role === "voter");
	const up = voters.filter((r) => tally.isUp(r.nodeId)).length;
	const wanted = wantedCount(tally, rule, voters);
	const { kept, added, strays } = seats(tally, range, rule, wanted);
	const short = wanted - kept.length - added.length - strays.length;
	const staying = [...kept, ...strays];
	if (short === 0 && isAt(replicas, staying, wanted)) {
		return (strays.length > 0 ? strayed(tally, rule, strays) : tooFew(tally, rule, wanted))(
			rangeId,
		);
	}
	if (up * 2 <= voters.length) {
		const reason = `${up} of its ${voters.length} voting replicas run: there is no majority to change its members`;
		return { rangeId, reason };
	}
	if (short > 0) {
		const taking = tally.nodes.filter(({ node }) => node.standing === "live").length;
		const reason = `it is to have ${wanted} replicas${where(rule)}, and ${staying.length} can stay where they are; of ${taking} nodes that take replicas, ${added.length} have none of it${where(rule, " and are")}`;
		return { rangeId, reason };
	}
	if (view.isResting(range)) {
		return "waiting";
	}
	const isFree = added.every((candidate) => tally.mayReceive(candidate));
	if (!isFree || (added.length > 0 && !tally.maySend(range))) {
		return "waiting";
	}
	const nodes = [...staying, ...added.map((candidate) => candidate.node.nodeId)];
	tally.place(range, nodes, reasonOf(tally, rule, replicas, nodes, wanted));
	return "planned";
}

/** Nearly all are, nearly always. */
const isWholeAtOnce = (
	tally: Tally,
	rule: PlacementRule,
	replicas: readonly ReplicaDescriptor[],
): boolean =>
	replicas.length === rule.replicas &&
	replicas.every(
		(r) =>
			r.role === "voter" &&
			tally.standing(r.nodeId) !== "leaving" &&
			tally.isAllowed(rule, r.nodeId),
	) &&
	new Set(replicas.map((r) => r.nodeId)).size === replicas.length;

const isAt = (
	replicas: readonly ReplicaDescriptor[],
	nodes: readonly NodeId[],
	wanted: number,
): boolean =>
	nodes.length === wanted &&
	replicas.length === wanted &&
	replicas.every((r) => r.role === "voter" && nodes.includes(r.nodeId));

/** As many as are wanted, where there are so many nodes; else what there is now: an even number or a smaller one helps nobody. */
function wantedCount(
	tally: Tally,
	rule: PlacementRule,
	voters: readonly ReplicaDescriptor[],
): number {
	const { replicas } = rule;
	const nodes = tally.staying.filter(({ node }) => tally.isAllowed(rule, node.nodeId)).length;
	const odd = (count: number): number => (count % 2 === 0 ? count - 1 : count);
	const possible = nodes >= replicas ? replicas : odd(Math.max(1, nodes));
	return Math.max(possible, Math.min(replicas, odd(Math.max(1, voters.length))));
}

/**
 * Where replicas are to be: those that are on nodes that do not leave stay; what is missing is added; those that the rule does not want
 * where they are (`strays`) stay as long as nobody can take their place.
 */
function seats(
	tally: Tally,
	{ descriptor }: RangeInfo,
	rule: PlacementRule,
	wanted: number,
): {
	readonly kept: readonly NodeId[];
	readonly added: readonly NodeTally[];
	readonly strays: readonly NodeId[];
} {
	const { replicas, rangeId } = descriptor;
	const staying = new Set(
		replicas.flatMap(({ nodeId, role }) => {
			const standing = tally.standing(nodeId);
			const stays = standing !== "leaving" && (role === "voter" || standing === "live");
			return stays ? [nodeId] : [];
		}),
	);
	const allowed = [...staying].filter((id) => tally.isAllowed(rule, id));
	const kept = withoutWorst(tally, rule, allowed, wanted);
	const added = candidates(tally, rule, rangeId, kept, wanted - kept.length);
	const strays = [...staying].filter((id) => !tally.isAllowed(rule, id));
	return {
		kept,
		added,
		strays: withoutWorst(tally, rule, strays, wanted - kept.length - added.length),
	};
}

/** So many of the nodes: of too many, those go that crowd most, and among these the fullest. */
function withoutWorst(
	tally: Tally,
	rule: PlacementRule,
	nodes: readonly NodeId[],
	count: number,
): readonly NodeId[] {
	let left = nodes;
	// One that is silent has to be replaced soon, perhaps.
	const fullness = (id: NodeId): number => tally.of(id)?.replicas ?? 0;
	while (left.length > count) {
		const silent = left.filter((id) => !tally.isUp(id));
		let worst: { readonly id: NodeId; readonly crowding: number } | undefined;
		for (const id of silent.length > 0 ? silent : left) {
			const rest = left.filter((other) => other !== id);
			const crowding = tally.crowding(rule, rest);
			const isWorse =
				worst === undefined ||
				crowding < worst.crowding ||
				(crowding === worst.crowding && fullness(id) >= fullness(worst.id));
			if (isWorse) worst = { id, crowding };
		}
		left = left.filter((id) => id !== worst?.id);
	}
	return left;
}

/** At most so many nodes that take replicas and are to have one: each time the one that crowds least, then the emptiest. */
function candidates(
	tally: Tally,
	rule: PlacementRule,
	rangeId: RangeId,
	kept: readonly NodeId[],
	count: number,
): NodeTally[] {
	const chosen: NodeTally[] = [];
	while (chosen.length < count) {
		const nodes = [...kept, ...chosen.map(({ node }) => node.nodeId)];
		const best = bestSeat(tally, rule, rangeId, nodes);
		if (best === undefined) break;
		chosen.push(best);
	}
	return chosen;
}

/**
 * The best node to have a replica beside those on `nodes`, among those that take any and are none of `taken`: one that crowds least; of
 * several one that can take a copy now, the emptiest.
 */
export function bestSeat(
	tally: Tally,
	rule: PlacementRule,
	rangeId: RangeId,
	taken: readonly NodeId[],
	nodes: readonly NodeId[] = taken,
): NodeTally | undefined {
	let best: NodeTally | undefined;
	let bestCrowding = 0;
	for (const candidate of tally.nodes) {
		const { nodeId, standing } = candidate.node;
		if (standing !== "live" || taken.includes(nodeId) || !tally.isAllowed(rule, nodeId)) continue;
		const crowding = tally.crowding(rule, [...nodes, nodeId]);
		const order =
			best === undefined
				? -1
				: crowding - bestCrowding ||
					Number(tally.mayReceive(best)) - Number(tally.mayReceive(candidate)) ||
					candidate.replicas - best.replicas ||
					rendezvousWeight(rangeId, best.node.nodeId) - rendezvousWeight(rangeId, nodeId);
		if (order < 0) {
			best = candidate;
			bestCrowding = crowding;
		}
	}
	return best;
}

/** What the rule asks of a place, as text. */
const where = ({ constraints }: PlacementRule, before = ""): string =>
	constraints.length === 0 ? "" : `${before} where ${formatConstraints(constraints)} holds`;

const strayed =
	(tally: Tally, rule: PlacementRule, strays: readonly NodeId[]) =>
	(rangeId: RangeId): Obstacle => {
		const places = strays.map((id) => {
			const locality = formatLocality(tally.of(id)?.node.locality ?? []);
			return locality === "" ? `node ${id}` : `node ${id} (${locality})`;
		});
		const reason = `it has replicas on ${places.join(", ")} and is to have ${rule.replicas}${where(rule)}; no other node there takes one`;
		return { rangeId, reason };
	};

/** Said only where somebody has asked for more: a cluster of one node is none that lacks something. */
const tooFew =
	(tally: Tally, rule: PlacementRule, wanted: number) =>
	(rangeId: RangeId): Obstacle | "whole" => {
		if (wanted === rule.replicas || !rule.isConfigured) return "whole";
		const nodes = tally.staying.filter(({ node }) => tally.isAllowed(rule, node.nodeId)).length;
		const reason = `${rule.replicas} replicas are configured${where(rule)}, and it has ${wanted}: there are ${nodes} nodes for them`;
		return { rangeId, reason };
	};

function reasonOf(
	tally: Tally,
	rule: PlacementRule,
	replicas: readonly ReplicaDescriptor[],
	nodes: readonly NodeId[],
	wanted: number,
): string {
	const leaving = replicas.filter((r) => tally.standing(r.nodeId) === "leaving");
	if (leaving.length > 0) {
		return `node ${leaving.map((r) => r.nodeId).join(", ")} is dead or leaves`;
	}
	const misplaced = replicas.filter((r) => !tally.isAllowed(rule, r.nodeId));
	if (misplaced.some((r) => !nodes.includes(r.nodeId))) {
		return `node ${misplaced.map((r) => r.nodeId).join(", ")} is not where ${formatConstraints(rule.constraints)} holds`;
	}
	if (replicas.length < wanted) {
		return `${replicas.length} of ${wanted} replicas`;
	}
	const learners = replicas.filter((r) => r.role === "learner");
	if (learners.length > 0) {
		const isFinished = learners.some((r) => nodes.includes(r.nodeId));
		return isFinished ? "a move that was begun is finished" : "a move that was begun is undone";
	}
	return `${replicas.length} replicas, ${wanted} wanted`;
}
