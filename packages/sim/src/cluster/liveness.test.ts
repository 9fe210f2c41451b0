/** What the dead were writing is out of everybody's way soon, also where the oracle runs as slowly as it may. */
import { key } from "@quorate/keys/key";
import test from "ava";
import { ListAppendClients } from "./list-append-clients.ts";
import { checkLiveness } from "./liveness.ts";
import { profile } from "./profile.ts";
import { SimCluster } from "./sim-cluster.ts";

const dayMs = 86_400_000;
const deaths = 4;

for (const seed of [6, 41, 82, 88, 90, 120]) {
	test.serial(`seed ${seed}: gateways and leaseholders die while they commit`, async (t) => {
		const cluster = new SimCluster(seed, { nodes: seed === 120 ? 5 : 3 });
		await cluster.start();
		// The control plane's clock is ahead of all walls: leases last longer.
		for (const node of cluster.nodes) node.machine.jumpWall(-dayMs);
		await cluster.run(cluster.splitAt(["l04", "l08", "l12", "l16"].map(key)), 60_000);
		const lists = new ListAppendClients(cluster, profile("plain"));
		const endMs = cluster.world.nowMs + 1_500;
		const goesOn = () => cluster.world.nowMs < endMs;
		await cluster.run(Promise.all([0, 1, 2].map((id) => lists.run(id, goesOn))), 60_000);
		for (let i = 0; i < deaths; i++) {
			await cluster.world.runFor(cluster.world.random(`rest ${i}`).between(0, 4_000));
			await cluster.run(checkLiveness(cluster, lists.keys), 120_000);
		}
		const { process, power } = cluster.bereavedMs;
		t.log({ process, power });
		t.is(process.length + power.length, deaths);
		t.deepEqual([...cluster.problems, ...cluster.delays], []);
	});
}
