/** Elections in which candidates overlap and voters restart. */
import type { Nemesis } from "../nemesis.ts";

/**
 * All restart at once, so nobody leads. Then one node is the bridge between all others, which do not reach each other and whose
 * syncs are slow, so that several of them stand in the same term; and the bridge restarts again and again, in no time. Only
 * votes that are remembered keep a term from having two leaders.
 */
export async function forgetfulElection(n: Nemesis): Promise<void> {
	if (n.exclusive.has("election")) return;
	n.exclusive.add("election");
	const { world, nodes } = n.cluster;
	const bridge = n.node();
	n.say(`all restart, ${bridge} again and again, and only it reaches the others`);
	world.count("forgetful-election");
	for (const node of nodes) {
		if (node.isUp) node.crash("process");
		node.start();
	}
	await n.sleep(300, 500);
	const others = nodes.filter((node) => node !== bridge);
	for (const [i, node] of others.entries()) {
		const rest = others.slice(i + 1).map((x) => x.machine);
		world.network.partition([node.machine], rest);
		node.machine.disk.faults.slowSyncRate = 0.8;
		node.machine.disk.faults.slowSyncMs = n.random.between(20, 400);
	}
	await n.sleep(300, 600);
	const endMs = world.nowMs + n.random.between(800, 2_500);
	while (world.nowMs < endMs) {
		if (bridge.isUp) bridge.crash("process");
		bridge.start();
		await n.sleep(30, 250);
	}
	for (const node of others) {
		n.unblock(node);
		node.machine.disk.faults.slowSyncRate = 0;
	}
	n.exclusive.delete("election");
}
