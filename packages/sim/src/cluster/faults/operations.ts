/** What operators do, at moments that they would not choose. */
import type { NodeId } from "@quorate/keys/ids";
import { formatKey, type Key, key, keyMin } from "@quorate/keys/key";
import type { ReplicaStatus } from "@quorate/replica/store";
import type { RunningNode } from "@quorate/server/node";
import type { Nemesis } from "../nemesis.ts";
import { whyNotPlaced } from "../placement-check.ts";
import { repair, replicaCount } from "../repair.ts";
import type { SimNode } from "../sim-node.ts";

/** While other faults go on it may take long until no range counts on a node any more that is gone. */
const replacedAttemptsMax = 200;

export async function moveLeases(n: Nemesis): Promise<void> {
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

export async function split(n: Nemesis): Promise<void> {
	const at = key(n.random.pick(n.options.keys) + n.random.pick(["", "x"]));
	n.say(`split at ${formatKey(at)}`);
	n.cluster.world.count("split-asked");
	await n.cluster.splitAt([at], 3);
}

export async function merge(n: Nemesis): Promise<void> {
	const at = someBorder(n);
	if (at !== undefined) await mergeAt(n, at);
}

/** Right when a merge is under way, one of those who take part in it dies, or all of them, or one is cut off. */
export async function strikeAtMerge(n: Nemesis): Promise<void> {
	const at = someBorder(n);
	if (at === undefined) return;
	let isOver = false;
	const merging = mergeAt(n, at).finally(() => {
		isOver = true;
	});
	const struck: SimNode[] = [];
	while (!isOver && struck.length === 0) {
		const parts = n.cluster.nodes.filter((node) => takesPart(node, at));
		if (parts.length > 0) {
			await n.sleep(0, 40);
			const victims = n.random.chance(0.2) ? parts : [n.random.pick(parts)];
			struck.push(...victims);
			const kind = n.random.chance(0.6) ? "power" : "process";
			const isCut = victims.length === 1 && n.random.chance(0.3);
			n.say(`in a merge at ${formatKey(at)}: ${isCut ? "cut off" : kind} ${victims.join(", ")}`);
			n.cluster.world.count("strike-at-merge");
			for (const node of victims) {
				if (isCut) n.cluster.world.network.partition([node.machine], n.machinesBut(node));
				else if (node.isUp) node.crash(kind);
			}
			await n.sleep(50, 6_000);
			for (const node of victims) {
				if (isCut) n.unblock(node);
				if (!node.isUp) node.start();
			}
		}
		await n.cluster.world.sleep(1);
	}
	await merging;
}

/** Its replica of a side of the merge knows of it. */
function takesPart(node: SimNode, at: Key): boolean {
	const { store } = node.keyValue ?? {};
	const isPart = ({ descriptor: { rangeId, start, end } }: ReplicaStatus): boolean => {
		const { merging, frozen } = store?.replica(rangeId)?.state ?? {};
		return (end === at && merging !== undefined) || (start === at && frozen !== undefined);
	};
	return store?.statuses().some(isPart) === true;
}

/** Where a range begins now. */
function someBorder(n: Nemesis): Key | undefined {
	const borders = n.cluster
		.serving()
		.flatMap((x) => x.store.statuses().map((s) => s.descriptor.start))
		.filter((start) => start > keyMin);
	return borders.length === 0 ? undefined : n.random.pick(borders.sort());
}

async function mergeAt(n: Nemesis, at: Key): Promise<void> {
	n.say(`merge at ${formatKey(at)}`);
	n.cluster.world.count("merge-asked");
	await n.cluster.mergeAt([at], 1);
}

/** Nodes that a range could live on; with none to spare it stays where it is. */
function candidates(n: Nemesis): readonly RunningNode[] {
	const serving = n.cluster.serving();
	return serving.length > replicaCount ? serving : [];
}

export async function relocate(n: Nemesis): Promise<void> {
	const nodes = n.random
		.shuffled(candidates(n))
		.slice(0, replicaCount)
		.map((x) => x.nodeId);
	if (nodes.length === 0) return;
	await move(n, n.random.pick(n.options.keys), nodes);
}

function move(n: Nemesis, k: Key, nodes: readonly NodeId[]): Promise<boolean> {
	n.say(`the range of ${formatKey(k)} moves to nodes ${nodes.join(", ")}`);
	n.cluster.world.count("relocation");
	return n.cluster.administer("relocation", (x) => x.coordinator.relocate(k, nodes), 1);
}

/**
 * A range gets new members; while they learn, the leader and they are cut off from the other voters: what only these know is
 * not committed. Then the leader's side loses its power.
 */
export async function learnerSidesWithLeader(n: Nemesis): Promise<void> {
	const free = candidates(n);
	if (free.length === 0 || n.exclusive.has("learner")) return;
	n.exclusive.add("learner");
	const k = n.random.pick(n.options.keys);
	const holder = n.cluster.nodes.find((x) =>
		x.keyValue?.store.statuses().some((s) => s.leaseholder && covers(s.descriptor, k)),
	);
	const status = holder?.keyValue?.store
		.statuses()
		.find((s) => s.leaseholder && covers(s.descriptor, k));
	if (holder !== undefined && status !== undefined) {
		const members = status.descriptor.replicas.map((r) => r.nodeId);
		const others = members.filter((id) => id !== holder.keyValue?.nodeId);
		const added = n.random.shuffled(
			free.map((x) => x.nodeId).filter((id) => !members.includes(id)),
		);
		const wanted = [...members.filter((id) => id !== others[0]), ...added.slice(0, 1)];
		const moving = move(n, k, wanted);
		await n.sleep(5, 60);
		const machines = n.cluster.nodes
			.filter((x) => others.some((id) => id === x.keyValue?.nodeId))
			.map((x) => x.machine);
		n.say(`${holder} is cut off from the other voters, machines ${machines.map((m) => m.id)}`);
		n.cluster.world.count("learner-partition");
		n.cluster.world.network.partition([holder.machine], machines);
		await n.sleep(300, 3_500);
		if (n.random.chance(0.5)) holder.crash("power");
		await n.sleep(100, 1_500);
		n.unblock(holder);
		if (!holder.isUp) holder.start();
		await moving;
	}
	n.exclusive.delete("learner");
}

const covers = (d: { readonly start: Key; readonly end: Key }, k: Key): boolean =>
	d.start <= k && k < d.end;

/**
 * A node loses its disk for good and comes back as a new node, which gets replicas of its own; the old one's are given to
 * others. One at a time, and only one that no founder's vote is lost with.
 */
export async function replace(n: Nemesis): Promise<void> {
	const node = n.random.pick(n.cluster.spares);
	if (node?.keyValue === undefined || n.exclusive.has("replacement")) return;
	n.exclusive.add("replacement");
	n.say(`${node} loses its disk`);
	n.cluster.world.count("replacement");
	node.crash("power");
	await n.sleep(0, 1_000);
	// Another fault may have started it meanwhile.
	if (node.isUp) node.crash("power");
	node.erase();
	node.start();
	await n.cluster.until("the replaced node serves", 60_000, () => node.knownId !== undefined);
	await repair(n.cluster, n.random);
	for (let i = 0; n.cluster.isScheduled && i < replacedAttemptsMax; i++) {
		if ((await whyNotPlaced(n.cluster)) === undefined) break;
		await n.sleep(200, 400);
	}
	n.exclusive.delete("replacement");
}
