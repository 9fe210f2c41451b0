/**
 * Ranges whose replicas are not where they must be: on a node that is dead or leaves, too few or too many, or half moved by a
 * leader of the placement group that is gone. What has been copied already is kept where that is as good.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { RangeInfo, ReplicaDescriptor } from "@quorate/keys/range";
import { rendezvousWeight } from "./rendezvous.ts";
import type { NodeTally, Tally } from "./tally.ts";
import type { ClusterView, Obstacle } from "./view.ts";

/** `waiting`: something will be done when others have ended. */
export type RepairState = "whole" | "planned" | "waiting" | Obstacle;

export function planRepair(view: ClusterView, tally: Tally, range: RangeInfo): RepairState {
	const { replicas, rangeId } = range.descriptor;
	if (isWholeAtOnce(view, tally, replicas)) {
		return "whole";
	}
	const voters = replicas.filter((r) => r.role === "voter");
	const up = voters.filter((r) => tally.isUp(r.nodeId)).length;
	const wanted = wantedCount(view, tally, voters);
	const kept = keptReplicas(tally, replicas, wanted);
	if (isWhole(replicas, kept, wanted)) {
		return "whole";
	}
	if (up * 2 <= voters.length) {
		const reason = `${up} of its ${voters.length} voting replicas run: there is no majority to change its members`;
		return { rangeId, reason };
	}
	const missing = wanted - kept.length;
	const added = missing > 0 ? candidates(tally, range, kept) : [];
	if (added.length < missing) {
		const taking = tally.nodes.filter(({ node }) => node.standing === "live").length;
		const reason = `it is to have ${wanted} replicas, and ${kept.length} can stay where they are; of ${taking} nodes that take replicas, ${added.length} have none of it`;
		return { rangeId, reason };
	}
	if (view.isResting(range)) {
		return "waiting";
	}
	const free = added
		.filter((candidate) => tally.mayReceive(candidate))
		.slice(0, Math.max(0, missing));
	if (free.length < missing || (missing > 0 && !tally.maySend(range))) {
		return "waiting";
	}
	const nodes = [...kept, ...free.map((candidate) => candidate.node.nodeId)];
	tally.place(range, nodes, reasonOf(tally, replicas, nodes, wanted));
	return "planned";
}

/** Nearly all are, nearly always. */
const isWholeAtOnce = (
	{ limits }: ClusterView,
	tally: Tally,
	replicas: readonly ReplicaDescriptor[],
): boolean =>
	replicas.length === limits.replicas &&
	replicas.every((r) => r.role === "voter" && tally.standing(r.nodeId) !== "leaving") &&
	new Set(replicas.map((r) => r.nodeId)).size === replicas.length;

const isWhole = (
	replicas: readonly ReplicaDescriptor[],
	kept: readonly NodeId[],
	wanted: number,
): boolean =>
	kept.length === wanted &&
	replicas.length === wanted &&
	replicas.every((r) => r.role === "voter" && kept.includes(r.nodeId));

/** As many as are wanted, where there are so many nodes; else what there is now: an even number or a smaller one helps nobody. */
function wantedCount(
	view: ClusterView,
	tally: Tally,
	voters: readonly ReplicaDescriptor[],
): number {
	const { replicas } = view.limits;
	const nodes = tally.staying.length;
	const odd = (count: number): number => (count % 2 === 0 ? count - 1 : count);
	const possible = nodes >= replicas ? replicas : odd(Math.max(1, nodes));
	return Math.max(possible, Math.min(replicas, odd(Math.max(1, voters.length))));
}

/** Where replicas stay: on nodes that do not leave; of too many, those on the fullest nodes go. */
function keptReplicas(
	tally: Tally,
	replicas: readonly ReplicaDescriptor[],
	wanted: number,
): NodeId[] {
	const staying = replicas.filter(({ nodeId, role }) => {
		const standing = tally.standing(nodeId);
		return standing !== "leaving" && (role === "voter" || standing === "live");
	});
	const nodes = [...new Set(staying.map((r) => r.nodeId))];
	const fullness = (id: NodeId): number =>
		// One that is silent has to be replaced soon, perhaps.
		tally.isUp(id) ? (tally.of(id)?.replicas ?? 0) : Number.POSITIVE_INFINITY;
	return nodes
		.map((id, at) => ({ id, at, fullness: fullness(id) }))
		.sort((a, b) => (a.fullness === b.fullness ? a.at - b.at : a.fullness - b.fullness))
		.slice(0, wanted)
		.sort((a, b) => a.at - b.at)
		.map(({ id }) => id);
}

/** Nodes that take replicas and have none of the range, the emptiest first. */
export function candidates(
	tally: Tally,
	{ descriptor }: RangeInfo,
	kept: readonly NodeId[],
): NodeTally[] {
	const { rangeId } = descriptor;
	return tally.nodes
		.filter(({ node }) => node.standing === "live" && !kept.includes(node.nodeId))
		.map((candidate) => ({ candidate, weight: rendezvousWeight(rangeId, candidate.node.nodeId) }))
		.sort((a, b) => a.candidate.replicas - b.candidate.replicas || b.weight - a.weight)
		.map(({ candidate }) => candidate);
}

function reasonOf(
	tally: Tally,
	replicas: readonly ReplicaDescriptor[],
	nodes: readonly NodeId[],
	wanted: number,
): string {
	const leaving = replicas.filter((r) => tally.standing(r.nodeId) === "leaving");
	if (leaving.length > 0) {
		return `node ${leaving.map((r) => r.nodeId).join(", ")} is dead or leaves`;
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
