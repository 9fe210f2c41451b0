/** Where ranges split and merge by themselves: once nobody asks for anything they become few, and stay what they are. */
import type { SimCluster } from "./sim-cluster.ts";

/** For so long nothing has been decided. */
const calmMs = 20_000;
const calmMsMax = 240_000;
/** Splits that may still come, for what was written last. */
const splitsMost = 4;

/** Splits and merges that the cluster has decided itself. */
function decisions(cluster: SimCluster): number {
	const { splitsBySize, splitsByLoad, mergesBySize } = cluster.work().counts;
	return splitsBySize + splitsByLoad + mergesBySize;
}

export async function checkCalm(cluster: SimCluster): Promise<void> {
	const overview = await cluster.serving()[0]?.placement.overview();
	const ranges = overview?.ranges.length ?? 0;
	const before = decisions(cluster);
	let [last, lastMs] = [before, cluster.world.nowMs];
	const isCalm = await cluster.until("ranges stay what they are", calmMsMax, () => {
		const now = decisions(cluster);
		if (now !== last) [last, lastMs] = [now, cluster.world.nowMs];
		return cluster.world.nowMs - lastMs >= calmMs;
	});
	const since = last - before;
	cluster.event(`of ${ranges} ranges, ${since} splits and merges since nobody asks`);
	// Each split may be taken back once, and each range merged once.
	if (isCalm && since > ranges + 2 * splitsMost) {
		cluster.problems.push(`${since} splits and merges of ${ranges} ranges that nobody asks for`);
	}
}
