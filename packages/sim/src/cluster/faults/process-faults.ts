/** Processes that die, stop, or stand still. */
import type { Nemesis } from "../nemesis.ts";

export async function crashOne(n: Nemesis): Promise<void> {
	const node = n.victim();
	const kind = n.random.chance(0.5) ? "power" : "process";
	n.say(`${kind} crash of ${node}`);
	node.crash(kind);
	await n.sleep(50, 5_000);
	if (!node.isUp) node.start();
	n.say(`${node} is back`);
}

/** In the middle of what it does: right where it asks its disk for something. */
export async function crashAtDisk(n: Nemesis): Promise<void> {
	const node = n.victim();
	const { disk } = node.machine;
	const kind = n.random.chance(0.7) ? "power" : "process";
	let left = 1 + n.random.below(40);
	disk.onOperation = (operation, path) => {
		if (--left > 0) return;
		disk.onOperation = undefined;
		n.say(`${kind} crash of ${node} at ${operation} ${path}`);
		n.cluster.world.count("crash-at-disk");
		node.crash(kind);
	};
	await n.sleep(200, 3_000);
	disk.onOperation = undefined;
	if (!node.isUp) node.start();
}

export async function crashAll(n: Nemesis): Promise<void> {
	const kind = n.random.chance(0.7) ? "power" : "process";
	n.say(`${kind} crash of all`);
	n.cluster.world.count("crash-of-all");
	for (const node of n.cluster.nodes) node.crash(kind);
	for (const node of n.random.shuffled(n.cluster.nodes)) {
		await n.sleep(0, 1_500);
		if (!node.isUp) node.start();
	}
	n.say("all are back");
}

export async function restartGracefully(n: Nemesis): Promise<void> {
	const node = n.node();
	n.say(`${node} is stopped`);
	n.cluster.world.count("graceful-restart");
	await Promise.race([node.stop(), node.ended]);
	await n.sleep(50, 2_000);
	if (!node.isUp) node.start();
}

export async function pause(n: Nemesis): Promise<void> {
	const node = n.victim();
	const ms = n.random.between(50, 5_000);
	n.say(`${node} stands still for ${ms.toFixed(0)} ms`);
	node.machine.pause(ms);
	await n.cluster.world.sleep(ms);
}

/** As on a busy machine: too short for anybody to be taken for dead. */
export async function blink(n: Nemesis): Promise<void> {
	const node = n.node();
	const ms = n.random.between(5, 300);
	node.machine.pause(ms);
	await n.cluster.world.sleep(ms);
}
