/** Leaders that do not notice that they are none any more. */
import type { Machine } from "../../runtime/machine.ts";
import type { Nemesis } from "../nemesis.ts";
import type { SimNode } from "../sim-node.ts";

/**
 * The leader of the control plane, cut off from everyone and with a clock that tells it that little time has passed. It holds
 * leases, too: only O1 keeps it from drawing old timestamps and answering with what was true at them.
 */
export async function slowOracleCutOff(n: Nemesis): Promise<void> {
	const node = n.controller();
	await gatherLeases(n, node);
	await slowAndCutOff(n, node, n.machinesBut(node));
}

/**
 * Likewise a leaseholder, cut off from the other replicas of a range but not from the control plane (where there are more
 * nodes than replicas): only L1 keeps it from answering at new timestamps with what was true before its successor came.
 */
export async function slowLeaseholderCutOff(n: Nemesis): Promise<void> {
	const controller = n.controller();
	const leaders = n.leaders().filter((x) => x !== controller);
	const node = n.random.pick(leaders.length > 0 ? leaders : n.cluster.nodes);
	const peers = peersOfOneRange(n, node);
	// Successors that are in a hurry come while the old lease still covers what is read.
	const hasty = peers.filter((m) => m !== controller.machine && n.random.chance(0.7));
	for (const machine of hasty) machine.setClockRate(n.random.between(2, 8));
	await slowAndCutOff(n, node, peers);
	for (const machine of hasty) machine.setClockRate(1);
}

/**
 * A leaseholder's entries still reach the others, slowly, but nothing comes back: it steps down with writes pending that its
 * successor commits. Who waits for them at the old one must not be told that they are gone (L4).
 */
export async function acknowledgementsLost(n: Nemesis): Promise<void> {
	const node = n.leader();
	const others = n.cluster.nodes.filter((x) => x !== node);
	n.say(`${node} hears nothing of what it sends`);
	n.cluster.world.count("acknowledgements-lost");
	for (const { machine } of others) {
		machine.disk.faults.slowSyncRate = 1;
		machine.disk.faults.slowSyncMs = n.random.between(200, 900);
	}
	await n.sleep(50, 400);
	for (const { machine } of others) n.cluster.world.network.block(machine, node.machine);
	await n.sleep(1_500, 4_500);
	n.unblock(node);
	for (const { machine } of others) machine.disk.faults.slowSyncRate = 0;
}

async function slowAndCutOff(n: Nemesis, node: SimNode, from: readonly Machine[]): Promise<void> {
	n.say(`${node} runs slow and is cut off from ${from.map((m) => m.id).join(", ")}`);
	n.cluster.world.count("slow-and-cut-off");
	node.machine.setClockRate(n.random.between(0.02, 0.15));
	n.cluster.world.network.partition([node.machine], from);
	await n.sleep(3_000, 11_000);
	n.unblock(node);
	n.say(`${node} is connected again`);
	await n.sleep(0, 1_000);
	node.machine.setClockRate(1);
}

async function gatherLeases(n: Nemesis, node: SimNode): Promise<void> {
	const to = node.keyValue?.nodeId;
	if (to === undefined) return;
	n.say(`leases move to ${node}`);
	for (const k of n.options.keys) {
		n.cluster.world.count("lease-move");
		await n.cluster.administer("lease move", (x) => x.coordinator.moveLease(k, to), 1);
	}
}

/** The machines with the other replicas of some range that the node leads. */
function peersOfOneRange(n: Nemesis, node: SimNode): Machine[] {
	const led = (node.keyValue?.store.statuses() ?? []).filter((s) => s.leaseholder);
	if (led.length === 0) return n.machinesBut(node);
	const { replicas } = n.random.pick(led).descriptor;
	return n.cluster.nodes
		.filter((x) => x !== node && replicas.some((r) => r.nodeId === x.keyValue?.nodeId))
		.map((x) => x.machine);
}
