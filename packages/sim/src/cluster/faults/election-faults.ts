/** Elections that take long, and voters that restart while they last. */
import type { Nemesis } from "../nemesis.ts";

/**
 * A leader dies; messages and syncs are slow, so that candidates overlap; the others restart again and again, in no time. Only
 * votes that are remembered keep a term from having two leaders.
 */
export async function forgetfulElection(n: Nemesis): Promise<void> {
	if (n.exclusive.has("election")) return;
	n.exclusive.add("election");
	const { world, nodes } = n.cluster;
	const leader = n.leader();
	n.say(`${leader} dies, and voters restart`);
	world.count("forgetful-election");
	const links = nodes.flatMap((a) => nodes.map((b) => world.network.link(a.machine, b.machine)));
	for (const link of links) link.latencyMsMean = n.random.between(1, 30);
	for (const node of nodes) {
		node.machine.disk.faults.slowSyncRate = 0.7;
		node.machine.disk.faults.slowSyncMs = n.random.between(5, 300);
	}
	if (n.random.chance(0.5)) leader.crash("process");
	else world.network.partition([leader.machine], n.machinesBut(leader));
	await n.sleep(300, 1_000);
	for (let i = 4 + n.random.below(30); i > 0; i--) {
		const voter = n.random.pick(nodes);
		if (voter.isUp) voter.crash("process");
		voter.start();
		await n.sleep(0, 150);
	}
	n.unblock(leader);
	for (const link of links) link.latencyMsMean = undefined;
	for (const node of nodes) node.machine.disk.faults.slowSyncRate = 0;
	if (!leader.isUp) leader.start();
	n.exclusive.delete("election");
}
