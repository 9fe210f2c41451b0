/** Processes that die, stand still, or are started anew. */
import type { NodeProcess } from "../harness/node-process.ts";
import type { RunCluster } from "../run/run-cluster.ts";
import type { SeededRandom } from "../workload/random.ts";
import type { Nemesis } from "./nemesis.ts";

/** One of them, a minority, a majority, all, or the one with the most leases: among them is the leader of the oracle or of data. */
export async function victims(
	cluster: RunCluster,
	random: SeededRandom,
): Promise<readonly NodeProcess[]> {
	const members = shuffled(random, cluster.membersNow());
	const kind = random.between(1, 6);
	if (kind <= 2) return [await withMostLeases(members)];
	const minority = Math.max(1, Math.ceil(members.length / 2) - 1);
	const count = kind === 3 ? minority : kind === 4 ? minority + 1 : kind === 5 ? members.length : 1;
	return members.slice(0, Math.min(count, members.length));
}

async function withMostLeases(nodes: readonly NodeProcess[]): Promise<NodeProcess> {
	const counts = await Promise.all(
		nodes.map((node) => (node.running ? node.metric("quorate_leases").catch(() => -1) : -1)),
	);
	return nodes[counts.indexOf(Math.max(...counts))]!;
}

export function shuffled<T>(random: SeededRandom, items: readonly T[]): readonly T[] {
	const out = [...items];
	for (let i = out.length - 1; i > 0; i--) {
		const j = random.between(0, i);
		[out[i], out[j]] = [out[j]!, out[i]!];
	}
	return out;
}

const names = (nodes: readonly NodeProcess[]): readonly string[] => nodes.map(({ name }) => name);

export async function startAgain(nodes: readonly NodeProcess[]): Promise<void> {
	for (const node of nodes) if (!node.running) node.start();
	await Promise.all(nodes.map((node) => node.untilServes()));
}

export const kill: Nemesis = {
	name: "kill",
	about: "kill -9 of one node, some, or all at once",
	begin: async ({ cluster, random }) => {
		const nodes = await victims(cluster, random);
		await Promise.all(nodes.map((node) => node.kill()));
		return { kind: "kill", what: names(nodes), end: () => startAgain(nodes) };
	},
};

export const pause: Nemesis = {
	name: "pause",
	about: "SIGSTOP and SIGCONT of one node, some, or all",
	begin: async ({ cluster, random }) => {
		const nodes = await victims(cluster, random);
		for (const node of nodes) node.pause();
		return {
			kind: "pause",
			what: names(nodes),
			end: async () => {
				for (const node of nodes) node.resumeIfRunning();
			},
		};
	},
};

/** One after the other, as an upgrade does it: SIGTERM, wait, start, wait. */
export const rolling: Nemesis = {
	name: "rolling",
	about: "all nodes are stopped with SIGTERM and started again, one after the other",
	begin: async ({ cluster, random }) => {
		const nodes = shuffled(random, cluster.membersNow());
		const roll = async (): Promise<void> => {
			for (const node of nodes) {
				const code = await node.terminate();
				if (code !== 0) throw new Error(`${node.name} ended with ${code} after SIGTERM`);
				await startAgain([node]);
			}
		};
		const rolling = roll();
		// Looked at in `end`.
		rolling.catch(() => undefined);
		return { kind: "rolling-restart", what: names(nodes), end: () => rolling };
	},
};
