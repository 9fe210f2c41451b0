/** Links that carry nothing, little, late, or in disorder. */
import type { Nemesis } from "../nemesis.ts";
import { RaftDisorder } from "./raft-disorder.ts";

export async function isolate(n: Nemesis): Promise<void> {
	const node = n.victim();
	n.say(`${node} is cut off`);
	n.cluster.world.network.partition([node.machine], n.machinesBut(node));
	await n.sleep(200, 7_000);
	n.unblock(node);
	n.say(`${node} is connected again`);
}

/** Part of the links of a node, in one direction or both: only some reach it. */
export async function cutLinks(n: Nemesis): Promise<void> {
	const { network } = n.cluster.world;
	const node = n.victim();
	const others = n.random.shuffled(n.machinesBut(node));
	const cut = others.slice(0, 1 + n.random.below(Math.max(1, others.length - 1)));
	const form = n.random.pick(["both", "to", "from"] as const);
	n.say(`${node} loses ${form} its links with ${cut.map((m) => m.id).join(", ")}`);
	n.cluster.world.count("partly-reachable");
	for (const machine of cut) {
		if (form !== "from") network.block(node.machine, machine);
		if (form !== "to") network.block(machine, node.machine);
	}
	await n.sleep(200, 7_000);
	n.unblock(node);
	n.say(`${node} has its links again`);
}

/** Everything is late and lossy. */
export async function badNetwork(n: Nemesis): Promise<void> {
	n.say("the network is slow and lossy");
	n.cluster.world.count("bad-network");
	const { nodes } = n.cluster;
	const { network } = n.cluster.world;
	const links = nodes.flatMap((a) => nodes.map((b) => network.link(a.machine, b.machine)));
	for (const link of links) {
		link.latencyMsMean = n.random.between(1, 40);
		link.lossRate = n.random.between(0, 0.05);
	}
	await n.sleep(500, 4_000);
	for (const link of links) {
		link.latencyMsMean = undefined;
		link.lossRate = undefined;
	}
}

/** A thin and long wire in one direction. */
export async function oneSlowLink(n: Nemesis): Promise<void> {
	const [a, b] = n.random.shuffled(n.cluster.nodes);
	const link = n.cluster.world.network.link(a!.machine, b!.machine);
	link.bytesPerMs = n.random.between(10, 200);
	link.latencyMsMin = n.random.between(0, 60);
	n.say(`the link from ${a} to ${b} is slow`);
	n.cluster.world.count("slow-link");
	await n.sleep(500, 5_000);
	link.bytesPerMs = undefined;
	link.latencyMsMin = undefined;
}

export async function resets(n: Nemesis): Promise<void> {
	const [a, b] = n.random.shuffled(n.cluster.nodes);
	n.say(`connections between ${a} and ${b} break`);
	for (let i = 1 + n.random.below(4); i > 0; i--) {
		n.cluster.world.network.reset(a!.machine, b!.machine);
		await n.sleep(1, 300);
	}
}

/**
 * Part of the connections between two nodes break for one of them only, which connects anew; what it had sent before comes to the
 * other one after that, by the old connection.
 */
export async function lateConnections(n: Nemesis): Promise<void> {
	const [a, b] = n.random.shuffled(n.cluster.nodes);
	n.say(`connections with ${b} break for ${a}, what it had sent comes late`);
	const { network } = n.cluster.world;
	for (let i = 1 + n.random.below(4); i > 0; i--) {
		// Something should be under way, for longer than it takes to connect.
		network.link(a!.machine, b!.machine).latencyMsMean = n.random.between(20, 200);
		await n.sleep(10, 100);
		network.resetOneSide(a!.machine, b!.machine, n.random.between(20, 1_500));
		network.link(a!.machine, b!.machine).latencyMsMean = undefined;
		await n.sleep(100, 1_500);
	}
}

/** Messages of Raft arrive twice and out of order. */
export async function disorder(n: Nemesis): Promise<void> {
	const { network } = n.cluster.world;
	const nodes = n.random.shuffled(n.cluster.nodes).slice(0, 2 + n.random.below(2));
	n.say(`Raft's messages between ${nodes.join(", ")} come twice and out of order`);
	n.cluster.world.count("disorder");
	const links = nodes.flatMap((a) =>
		nodes.filter((b) => b !== a).map((b) => network.link(a.machine, b.machine)),
	);
	const mix = new RaftDisorder(n.random, {
		copied: n.random.between(0.05, 0.5),
		heldBack: n.random.between(0.05, 0.3),
		delayMsMean: n.random.pick([2, 30, 400]),
	});
	for (const link of links) link.disorder = (bytes) => mix.of(bytes);
	await n.sleep(500, 5_000);
	for (const link of links) link.disorder = undefined;
}
