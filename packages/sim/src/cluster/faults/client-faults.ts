/** Clients that do not reach every node. */
import type { Nemesis } from "../nemesis.ts";

/** A client's machine loses some nodes, in one direction or both; what was under way is answered late, or never. */
export async function clientsCutOff(n: Nemesis): Promise<void> {
	const { clients = [] } = n.options;
	if (clients.length === 0) return;
	const { network } = n.cluster.world;
	const client = n.random.pick(clients);
	const nodes = n.random.shuffled(n.cluster.nodes);
	const cut = nodes.slice(0, 1 + n.random.below(nodes.length)).map((node) => node.machine);
	const form = n.random.pick(["both", "to", "from"] as const);
	n.say(`clients on machine ${client.id} lose ${form} ${cut.map((m) => m.id).join(", ")}`);
	n.cluster.world.count("client-partition");
	for (const machine of cut) {
		if (form !== "from") network.block(client, machine);
		if (form !== "to") network.block(machine, client);
	}
	await n.sleep(200, 4_000);
	for (const machine of cut) {
		network.link(client, machine).setBlocked(false);
		network.link(machine, client).setBlocked(false);
	}
}
