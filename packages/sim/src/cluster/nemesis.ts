/**
 * Faults, drawn from the seed: one begins every second or so, each lasts for a while, several may overlap. Between bursts the
 * cluster is left alone long enough to get work done.
 */
import { formatKey, type Key, key } from "@quorate/keys/key";
import type { Machine } from "../runtime/machine.ts";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimNode } from "./sim-node.ts";

export interface NemesisOptions {
	/** Keys that splits and lease moves are drawn from. */
	readonly keys: readonly Key[];
	/** Between the beginnings of two faults. */
	readonly pauseMsMean: number;
	/** Replicas that a relocation gives a range; 0: ranges stay where they are. */
	readonly relocateTo: number;
	readonly menu: FaultMenu;
}

export type FaultMenu = "anything" | "outdatedLeaders";

type Fault = (nemesis: Nemesis) => Promise<void>;

export class Nemesis {
	readonly cluster: SimCluster;
	readonly random: SeededRandom;
	readonly options: NemesisOptions;
	#underWay = 0;

	constructor(cluster: SimCluster, options: NemesisOptions) {
		this.cluster = cluster;
		this.random = cluster.world.random("nemesis");
		this.options = options;
	}

	/** Injects faults until `goesOn` says no; resolves when the last has ended. */
	async run(goesOn: () => boolean): Promise<void> {
		const { world } = this.cluster;
		while (goesOn()) {
			await world.sleep(this.random.exponential(this.options.pauseMsMean));
			if (!goesOn()) break;
			if (this.#underWay < atOnce[this.options.menu]) this.#begin(this.#draw());
		}
		while (this.#underWay > 0) await world.sleep(50);
	}

	#begin(fault: Fault): void {
		this.#underWay++;
		void fault(this).finally(() => {
			this.#underWay--;
		});
	}

	#draw(): Fault {
		const faults = menus[this.options.menu];
		const weight = faults.reduce((sum, [w]) => sum + w, 0);
		let at = this.random.below(weight);
		for (const [w, fault] of faults) {
			at -= w;
			if (at < 0) return fault;
		}
		throw new Error("weights are positive");
	}

	node(): SimNode {
		return this.random.pick(this.cluster.nodes);
	}

	/** Nodes that lead something. */
	leaders(): readonly SimNode[] {
		return this.cluster.nodes.filter((n) => (n.keyValue?.host.statistics().leaders ?? 0) > 0);
	}

	leader(): SimNode {
		const leaders = this.leaders();
		return this.random.pick(leaders.length > 0 ? leaders : this.cluster.nodes);
	}

	/** The node that leads the placement group, as far as known. */
	controller(): SimNode {
		const leader = this.cluster.serving()[0]?.placement.calls.leader;
		const node = this.cluster.nodes.find((n) => n.keyValue?.nodeId === leader);
		return node ?? this.node();
	}

	sleep(leastMs: number, mostMs: number): Promise<void> {
		return this.cluster.world.sleep(this.random.between(leastMs, mostMs));
	}

	say(what: string): void {
		this.cluster.event(`fault: ${what}`);
	}
}

const name = (node: SimNode): string => `machine ${node.machine.id}`;

async function crashOne(n: Nemesis): Promise<void> {
	const node = n.random.chance(0.5) ? n.leader() : n.node();
	const kind = n.random.chance(0.5) ? "power" : "process";
	n.say(`${kind} crash of ${name(node)}`);
	node.crash(kind);
	await n.sleep(50, 5_000);
	if (!node.isUp) node.start();
	n.say(`${name(node)} is back`);
}

async function crashAll(n: Nemesis): Promise<void> {
	const kind = n.random.chance(0.7) ? "power" : "process";
	n.say(`${kind} crash of all`);
	for (const node of n.cluster.nodes) node.crash(kind);
	for (const node of n.random.shuffled(n.cluster.nodes)) {
		await n.sleep(0, 1_500);
		if (!node.isUp) node.start();
	}
	n.say("all are back");
}

async function restartGracefully(n: Nemesis): Promise<void> {
	const node = n.node();
	n.say(`${name(node)} is stopped`);
	await Promise.race([node.stop(), node.ended]);
	await n.sleep(50, 2_000);
	if (!node.isUp) node.start();
}

const machinesBut = (n: Nemesis, node: SimNode) =>
	n.cluster.nodes.filter((other) => other !== node).map((other) => other.machine);

async function isolate(n: Nemesis): Promise<void> {
	const { network } = n.cluster.world;
	const node = n.random.chance(0.7) ? n.leader() : n.node();
	n.say(`${name(node)} is cut off`);
	network.partition([node.machine], machinesBut(n, node));
	await n.sleep(200, 7_000);
	unblock(n, node);
	n.say(`${name(node)} is connected again`);
}

function unblock(n: Nemesis, node: SimNode): void {
	const { network } = n.cluster.world;
	for (const other of machinesBut(n, node)) {
		network.link(node.machine, other).setBlocked(false);
		network.link(other, node.machine).setBlocked(false);
	}
}

/** Part of the links of a node, in one direction or both. */
async function cutLinks(n: Nemesis): Promise<void> {
	const { network } = n.cluster.world;
	const node = n.random.chance(0.7) ? n.leader() : n.node();
	const others = n.random.shuffled(machinesBut(n, node));
	const cut = others.slice(0, 1 + n.random.below(Math.max(1, others.length - 1)));
	const form = n.random.pick(["both", "to", "from"] as const);
	n.say(`${name(node)} loses ${form} its links with ${cut.map((m) => m.id).join(", ")}`);
	for (const machine of cut) {
		if (form !== "from") network.block(node.machine, machine);
		if (form !== "to") network.block(machine, node.machine);
	}
	await n.sleep(200, 7_000);
	unblock(n, node);
	n.say(`${name(node)} has its links again`);
}

/**
 * The leader of the control plane, cut off from everyone and with a clock that tells it that little time has passed. It holds
 * leases, too: only O1 keeps it from drawing old timestamps and answering with what was true at them.
 */
async function slowOracleCutOff(n: Nemesis): Promise<void> {
	const node = n.controller();
	await gatherLeases(n, node);
	await slowAndCutOff(n, node, machinesBut(n, node));
}

/**
 * Likewise a leaseholder, cut off from the other replicas of a range but not from the control plane (where there are more
 * nodes than replicas): only L1 keeps it from answering at new timestamps with what was true before its successor came.
 */
async function slowLeaseholderCutOff(n: Nemesis): Promise<void> {
	const controller = n.controller();
	const leaders = n.leaders().filter((x) => x !== controller);
	const node = n.random.pick(leaders.length > 0 ? leaders : n.cluster.nodes);
	await slowAndCutOff(n, node, peersOfOneRange(n, node));
}

async function slowAndCutOff(n: Nemesis, node: SimNode, from: readonly Machine[]): Promise<void> {
	n.say(`${name(node)} runs slow and is cut off from ${from.map((m) => m.id).join(", ")}`);
	node.machine.setClockRate(n.random.between(0.02, 0.15));
	n.cluster.world.network.partition([node.machine], from);
	await n.sleep(3_000, 11_000);
	unblock(n, node);
	n.say(`${name(node)} is connected again`);
	await n.sleep(0, 1_000);
	node.machine.setClockRate(1);
}

async function gatherLeases(n: Nemesis, node: SimNode): Promise<void> {
	const to = node.keyValue?.nodeId;
	if (to === undefined) return;
	n.say(`leases move to ${name(node)}`);
	for (const k of n.options.keys) {
		n.cluster.world.count("lease-move");
		await n.cluster.administer("lease move", (x) => x.coordinator.moveLease(k, to), 1);
	}
}

/** The machines with the other replicas of some range that the node leads. */
function peersOfOneRange(n: Nemesis, node: SimNode): Machine[] {
	const led = (node.keyValue?.store.statuses() ?? []).filter((s) => s.leaseholder);
	if (led.length === 0) return machinesBut(n, node);
	const { replicas } = n.random.pick(led).descriptor;
	return n.cluster.nodes
		.filter((x) => x !== node && replicas.some((r) => r.nodeId === x.keyValue?.nodeId))
		.map((x) => x.machine);
}

async function pause(n: Nemesis): Promise<void> {
	const node = n.random.chance(0.5) ? n.leader() : n.node();
	const ms = n.random.between(50, 5_000);
	n.say(`${name(node)} stands still for ${ms.toFixed(0)} ms`);
	node.machine.pause(ms);
	await n.cluster.world.sleep(ms);
}

async function wrongClock(n: Nemesis): Promise<void> {
	const node = n.node();
	const rate = n.random.chance(0.5) ? n.random.between(0.05, 1) : n.random.between(1, 5);
	const jumpMs = n.random.between(-1, 1) * 86_400_000;
	n.say(`the clock of ${name(node)} runs at ${rate.toFixed(2)} and jumps ${jumpMs.toFixed(0)} ms`);
	node.machine.setClockRate(rate);
	node.machine.jumpWall(jumpMs);
	await n.sleep(500, 6_000);
	node.machine.setClockRate(1);
}

async function slowDisk(n: Nemesis): Promise<void> {
	const node = n.node();
	const { faults: disk } = node.machine.disk;
	n.say(`the disk of ${name(node)} is slow`);
	disk.slowSyncRate = n.random.between(0.1, 1);
	disk.slowSyncMs = n.random.between(20, 600);
	node.engineDisk.slowness = 50;
	await n.sleep(500, 5_000);
	disk.slowSyncRate = 0;
	node.engineDisk.slowness = 1;
}

async function badNetwork(n: Nemesis): Promise<void> {
	const { network } = n.cluster.world;
	n.say("the network is slow and lossy");
	const { nodes } = n.cluster;
	for (const a of nodes) {
		for (const b of nodes) {
			const link = network.link(a.machine, b.machine);
			link.latencyMsMean = n.random.between(1, 40);
			link.lossRate = n.random.between(0, 0.05);
		}
	}
	await n.sleep(500, 4_000);
	for (const a of nodes) {
		for (const b of nodes) {
			const link = network.link(a.machine, b.machine);
			link.latencyMsMean = undefined;
			link.lossRate = undefined;
		}
	}
}

async function resets(n: Nemesis): Promise<void> {
	const [a, b] = n.random.shuffled(n.cluster.nodes);
	n.say(`connections between ${name(a!)} and ${name(b!)} break`);
	for (let i = 1 + n.random.below(4); i > 0; i--) {
		n.cluster.world.network.reset(a!.machine, b!.machine);
		await n.sleep(1, 300);
	}
}

async function moveLeases(n: Nemesis): Promise<void> {
	for (let i = 1 + n.random.below(4); i > 0; i--) {
		const k = n.random.pick(n.options.keys);
		const to = n.random.pick(n.cluster.serving())?.nodeId;
		if (to === undefined) return;
		n.say(`the lease of ${formatKey(k)} moves to node ${to}`);
		n.cluster.world.count("lease-move");
		await n.cluster.administer("lease move", (node) => node.coordinator.moveLease(k, to), 1);
		await n.sleep(0, 300);
	}
}

async function split(n: Nemesis): Promise<void> {
	const at = key(n.random.pick(n.options.keys) + n.random.pick(["", "x"]));
	n.say(`split at ${formatKey(at)}`);
	n.cluster.world.count("split");
	await n.cluster.administer("split", (node) => node.coordinator.splitAt([at]), 3);
}

async function relocate(n: Nemesis): Promise<void> {
	const { relocateTo } = n.options;
	const serving = n.cluster.serving();
	if (relocateTo === 0 || serving.length < relocateTo) return;
	const nodes = n.random
		.shuffled(serving)
		.slice(0, relocateTo)
		.map((x) => x.nodeId);
	const k = n.random.pick(n.options.keys);
	n.say(`the range of ${formatKey(k)} moves to nodes ${nodes.join(", ")}`);
	n.cluster.world.count("relocation");
	await n.cluster.administer("relocation", (node) => node.coordinator.relocate(k, nodes), 1);
}

type Menu = readonly (readonly [number, Fault])[];

/** Faults with their weights. */
const anything: Menu = [
	[4, crashOne],
	[1, crashAll],
	[1, restartGracefully],
	[3, isolate],
	[3, cutLinks],
	[2, slowOracleCutOff],
	[2, slowLeaseholderCutOff],
	[2, pause],
	[1, wrongClock],
	[2, slowDisk],
	[1, badNetwork],
	[2, resets],
	[4, moveLeases],
	[2, split],
	[2, relocate],
];

/** What an outdated leader must not answer. */
const outdatedLeaders: Menu = [
	[1, slowOracleCutOff],
	[1, slowLeaseholderCutOff],
];

const menus = { anything, outdatedLeaders } as const;
const atOnce = { anything: 3, outdatedLeaders: 1 } as const;
