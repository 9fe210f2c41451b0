/** What an operator does about nodes whose disks are gone: their replicas are given to others. */
import type { NodeId } from "@quorate/keys/ids";
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";

/** Replicas of a range. */
export const replicaCount = 3;
const attemptsMax = 200;

/** Unless the cluster does it itself: until no range counts on a node that is none of the present ones, nor has a learner. */
export async function repair(cluster: SimCluster, random: SeededRandom): Promise<void> {
	if (cluster.isScheduled) return;
	for (let attempt = 0; attempt < attemptsMax; attempt++) {
		const lame = await lameRanges(cluster);
		if (lame?.length === 0) return;
		const serving = cluster.serving().map((n) => n.nodeId);
		for (const k of lame ?? []) {
			const nodes = random.shuffled(serving).slice(0, replicaCount);
			if (nodes.length === replicaCount) {
				await cluster.administer("repair", (node) => node.coordinator.relocate(k, nodes), 1);
			}
		}
		await cluster.world.sleep(random.between(50, 300));
	}
	cluster.problems.push("ranges still count on nodes whose disks are gone");
}

/** Where they begin; undefined: nobody could say. */
async function lameRanges(cluster: SimCluster): Promise<Key[] | undefined> {
	let lame: Key[] | undefined;
	await cluster.administer(
		"ranges",
		async ({ coordinator }) => {
			const ranges = await coordinator.ranges({ start: keyMin, end: keyMax });
			const ids = new Set(cluster.nodes.map((n) => n.knownId));
			lame = ranges.filter((r) => isLame(r.descriptor, ids)).map((r) => r.descriptor.start);
		},
		1,
	);
	return lame;
}

const isLame = ({ replicas }: RangeDescriptor, ids: ReadonlySet<NodeId | undefined>): boolean =>
	replicas.some((r) => !ids.has(r.nodeId) || r.role === "learner");
