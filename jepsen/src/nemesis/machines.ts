/** Clocks, disks and power. */
import { appendFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeProcess } from "../harness/node-process.ts";
import { until } from "../harness/poll.ts";
import type { HookMessage } from "../nodes/hooks.ts";
import type { RunCluster } from "../run/run-cluster.ts";
import { loopDisksImpossible } from "../soak/loop-disk.ts";
import { smallDisksImpossible } from "../soak/small-disk.ts";
import type { SeededRandom } from "../workload/random.ts";
import { pick } from "../workloads/workload.ts";
import type { Nemesis } from "./nemesis.ts";
import { shuffled, startAgain } from "./processes.ts";

const tell = (node: NodeProcess, message: HookMessage): void => node.send(message);

type SetClock = (cluster: RunCluster, node: NodeProcess, offsetMs: number, rate: number) => void;

/** Nodes disagree about the time, by up to minutes, and about how fast it goes, by up to a half. */
const wrongClocks = (set: SetClock, rest: Omit<Nemesis, "begin">): Nemesis => ({
	...rest,
	begin: async ({ cluster, random }) => {
		const nodes = shuffled(random, cluster.membersNow()).slice(0, random.between(1, 3));
		const what = nodes.map((node) => {
			const offsetMs = random.between(-1, 1) * random.between(1, 300_000);
			const rate = pick(random, [1, 1, 0.5, 0.8, 1.2, 1.5]);
			set(cluster, node, offsetMs, rate);
			return `${node.name} ${offsetMs} ms, x ${rate}`;
		});
		return {
			kind: rest.name,
			what,
			end: async () => {
				for (const node of nodes) set(cluster, node, 0, 1);
			},
		};
	},
});

export const clock = wrongClocks(
	(_cluster, node, offsetMs, rate) => tell(node, { clock: { offsetMs, rate } }),
	{
		name: "clock",
		about: "wall clocks jump by up to minutes, clocks run up to a half too fast or too slow",
		needsHooks: true,
	},
);

export const clockBelow = wrongClocks(
	(cluster, node, offsetMs, rate) => cluster.clockOf(node).set(offsetMs, rate),
	{
		name: "clock-below",
		about: "the same by libfaketime, below nodes without hooks",
		fakesClocks: true,
	},
);

/** Longer than a node takes to write again. */
const fsyncPatienceMs = 30_000;

/** After a sync that failed nothing on the disk can be trusted: the node must stop by itself, and comes back. */
export const fsync: Nemesis = {
	name: "fsync",
	about: "syncs fail: the node must stop at once, and is started again",
	needsHooks: true,
	begin: async ({ cluster, random }) => {
		const node = cluster.pickMember(random);
		node.expectEnd();
		tell(node, { failSync: true });
		return {
			kind: "fsync-error",
			what: node.name,
			end: async () => {
				await until(`${node.name} stops after a failed sync`, () => !node.running, fsyncPatienceMs);
				await startAgain([node]);
			},
		};
	},
};

export const fullDisk: Nemesis = {
	name: "disk-full",
	about: "disks of some or all nodes are full to the last byte",
	disk: "small",
	codes: ["53100"],
	begin: async ({ cluster, random }) => {
		const impossible = smallDisksImpossible();
		if (impossible !== undefined) throw new Error(impossible);
		const places = shuffled(random, [...cluster.members]);
		const chosen = places.slice(0, random.between(1, places.length));
		const disks = chosen.map((place) => cluster.smallDisks[place]!);
		for (const disk of disks) disk.fill();
		return {
			kind: "disk-full",
			what: chosen.map((place) => `n${place + 1}`),
			end: async () => {
				for (const disk of disks) disk.empty();
			},
		};
	},
};

/**
 * What a node was writing when it died is torn: after its kill the newest segment of its log gets noise, or zeros,
 * behind its end. (What was acknowledged is not cut: a log that lost that without a trace is no disk's promise.)
 */
export const tornWal: Nemesis = {
	name: "torn-wal",
	about: "kill -9, and the last write to the log is torn",
	begin: async ({ cluster, random }) => {
		const nodes = shuffled(random, cluster.membersNow()).slice(0, random.between(1, 2));
		await Promise.all(nodes.map((node) => node.kill()));
		const what = nodes.map((node) => `${node.name} +${tear(cluster.dataOf(node), random)}`);
		return { kind: "torn-wal", what, end: () => startAgain(nodes) };
	},
};

/** Bytes that were added. */
function tear(data: string, random: SeededRandom): number {
	const directory = join(data, "wal");
	const segment = readdirSync(directory)
		.filter((name) => name.startsWith("wal-"))
		.sort()
		.at(-1);
	if (segment === undefined) return 0;
	const path = join(directory, segment);
	const count = random.between(1, 400);
	const isNoise = random.between(1, 2) === 1;
	const byte = () => (isNoise ? random.between(0, 255) : 0);
	appendFileSync(path, Buffer.from(Array.from({ length: count }, byte)));
	return count;
}

const losingPower = (name: string, about: string, isForAll: boolean): Nemesis => ({
	name,
	about,
	disk: "loop",
	begin: async ({ cluster, random }) => {
		const impossible = loopDisksImpossible();
		if (impossible !== undefined) throw new Error(impossible);
		const places = shuffled(random, [...cluster.members]);
		const chosen = isForAll || random.between(1, 2) === 1 ? places : places.slice(0, 1);
		const nodes = chosen.map((place) => cluster.nodes[place]!);
		for (const node of nodes) node.expectEnd();
		for (const place of chosen) cluster.loopDisks[place]!.cutPower();
		await Promise.all(nodes.filter(({ running }) => running).map((node) => node.kill()));
		for (const place of chosen) {
			await unmounted(() => cluster.loopDisks[place]!.unmount());
			cluster.loopDisks[place]!.mount();
		}
		const what = nodes.map(({ name }) => name);
		return { kind: "power-loss", what, end: () => startAgain(nodes) };
	},
});

export const power = losingPower("power", "the power of all nodes or of one goes", false);
export const blackout = losingPower("power-all", "the power of all nodes goes at once", true);

/** Files of a process that has just ended may be open for a moment. */
async function unmounted(unmount: () => void): Promise<void> {
	for (let attempt = 0; ; attempt++) {
		try {
			return unmount();
		} catch (error) {
			if (attempt === 20) throw error;
			await sleep(100);
		}
	}
}
