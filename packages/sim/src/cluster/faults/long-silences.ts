/** Nodes that nobody hears for so long that they are taken for dead, while their clients are still there. */
import type { Nemesis } from "../nemesis.ts";

export async function longPause(n: Nemesis): Promise<void> {
	const node = n.victim();
	const ms = n.random.between(5_000, 9_000);
	n.say(`${node} stands still for ${ms.toFixed(0)} ms`);
	n.cluster.world.count("long-pause");
	node.machine.pause(ms);
	await n.cluster.world.sleep(ms);
}

export async function longIsolation(n: Nemesis): Promise<void> {
	const node = n.victim();
	n.say(`${node} is cut off for long`);
	n.cluster.world.count("long-isolation");
	n.cluster.world.network.partition([node.machine], n.machinesBut(node));
	await n.sleep(5_000, 9_000);
	n.unblock(node);
	n.say(`${node} is connected again`);
}
