/** Where replicas and leases are, when the cluster has seen to that itself. */
import type { NodeId } from "@quorate/keys/ids";
import type { RangeInfo } from "@quorate/keys/range";
import { fromWire, type Overview } from "@quorate/placement/messages";
import { replicaCount } from "./repair.ts";
import type { SimCluster } from "./sim-cluster.ts";

/** From the end of all faults on. */
const placedMsMax = 120_000;

/** Every range has all its replicas on nodes that are there, evenly spread, and nothing moves any more; or a problem is noted. */
export async function checkPlacement(cluster: SimCluster): Promise<void> {
	const beganMs = cluster.world.nowMs;
	let reason: string | undefined;
	const isPlaced = await cluster.until(
		"replicas are where they should be",
		placedMsMax,
		async () => {
			reason = await whyNotPlaced(cluster);
			return reason === undefined;
		},
	);
	cluster.event(`placed after ${(cluster.world.nowMs - beganMs).toFixed(0)} ms`);
	if (!isPlaced) cluster.problems.push(`not placed: ${reason}`);
}

/** Undefined: everything is in its place. */
export async function whyNotPlaced(cluster: SimCluster): Promise<string | undefined> {
	const serving = cluster.serving();
	const node = cluster.nodes.find((n) => n.keyValue !== undefined);
	// One that dies meanwhile never answers.
	const asked = node?.keyValue?.placement.overview().catch(() => undefined);
	const overview = await Promise.race([asked, node?.ended]);
	if (overview === undefined) return "nobody could say";
	const [obstacle] = overview.obstacles;
	if (obstacle !== undefined) return `range ${obstacle[0]}: ${obstacle[1]}`;
	const ids = new Set(serving.map((n) => n.nodeId));
	const ranges = overview.ranges.map(fromWire);
	const lame = ranges.find((r) => !isWhole(r, ids));
	if (lame !== undefined) return `range ${lame.descriptor.rangeId} is not whole`;
	if (!overview.isSettled) return `${overview.moves.length} moves are under way`;
	return unevenness(overview, ranges, ids);
}

function isWhole({ descriptor }: RangeInfo, ids: ReadonlySet<NodeId>): boolean {
	const { replicas } = descriptor;
	const nodes = new Set(replicas.map((r) => r.nodeId));
	return (
		replicas.length === replicaCount &&
		nodes.size === replicaCount &&
		replicas.every((r) => r.role === "voter" && ids.has(r.nodeId))
	);
}

/** Within a tenth of the mean, or the whole numbers next to it. */
function unevenness(
	{ nodes }: Overview,
	ranges: readonly RangeInfo[],
	ids: ReadonlySet<NodeId>,
): string | undefined {
	const mean = (ranges.length * replicaCount) / ids.size;
	for (const { nodeId } of nodes.filter((n) => ids.has(n.nodeId))) {
		const held = ranges.filter((r) => r.descriptor.replicas.some((x) => x.nodeId === nodeId));
		const [low, high] = [
			Math.min(0.9 * mean, Math.floor(mean)),
			Math.max(1.1 * mean, Math.ceil(mean)),
		];
		if (held.length < low || held.length > high) {
			return `node ${nodeId} holds ${held.length} replicas, the mean is ${mean}`;
		}
	}
	return undefined;
}
