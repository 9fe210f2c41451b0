/**
 * One run, from one seed, of all that an operator does to a cluster that works, and that its clients must not notice: each node in turn is
 * stopped in order and started again, while leases move, ranges split and merge, and nodes stand still for moments, as on a busy machine.
 */
import type { SeededRandom } from "../runtime/seeded-random.ts";
import { rowKeys } from "./lab.ts";
import { Nemesis } from "./nemesis.ts";
import { type Profile, profile } from "./profile.ts";
import { checkReplicas } from "./replica-checks.ts";
import { RestartClients, schema } from "./restart-clients.ts";
import { clusterOf, type RunOptions, type RunReport, reportOf, workOf } from "./run.ts";
import type { SimCluster } from "./sim-cluster.ts";

const clientMachine = 100;
const clientsEach = 3;
const setUpMs = 120_000;
const tearDownMs = 400_000;
const servesMs = 60_000;

/** Every other seed has nodes that are far from each other, and slow disks. */
const profileOf = (seed: number, options: RunOptions): Profile => ({
	...profile(options.profile ?? "plain"),
	menu: "upheaval",
	pauseMsMean: 150,
	durationMs: 12_000,
	...(seed % 2 === 0 ? { network: { latencyMsMin: 1, latencyMsMean: 3 } } : {}),
	...options.change,
});

export async function simulateRestarts(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const p = profileOf(seed, options);
	const cluster = clusterOf(seed, p, options);
	const { world } = cluster;
	const clients = new RestartClients(cluster, world.addMachine(clientMachine).boot());
	try {
		await cluster.start();
		await cluster.run(setUp(cluster, clients), setUpMs);
		await cluster.run(load(cluster, clients, p), p.durationMs + tearDownMs);
		await cluster.run(conclude(cluster, clients), tearDownMs);
		await cluster.run(checkReplicas(cluster), tearDownMs);
	} catch (error) {
		cluster.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	options.inspect?.(cluster);
	if (clients.committed === 0) cluster.problems.push("nothing was committed");
	return {
		...reportOf(cluster, seed, "restarts"),
		anomalies: [],
		committed: clients.committed,
		outcomes: clients.outcomes,
		work: { transactions: clients.committed, ...workOf(cluster) },
	};
}

async function setUp(cluster: SimCluster, clients: RestartClients): Promise<void> {
	const connection = await clients.connect(cluster.nodes[0]!);
	for (const text of schema) await connection!.query(text);
	connection!.close();
}

async function conclude(cluster: SimCluster, clients: RestartClients): Promise<void> {
	const connection = await clients.connect(cluster.nodes[1]!);
	await clients.check(connection!);
	connection!.close();
}

async function load(cluster: SimCluster, clients: RestartClients, p: Profile): Promise<void> {
	const { world, nodes } = cluster;
	const endMs = world.nowMs + p.durationMs;
	let isOver = false;
	const goesOn = () => !isOver && cluster.problems.length === 0;
	const working = nodes.flatMap((node, at) =>
		Array.from({ length: clientsEach }, (_, i) => clients.run(at * clientsEach + i, node, goesOn)),
	);
	const { menu, pauseMsMean } = p;
	if (menu !== "none") {
		const nemesis = new Nemesis(cluster, { keys: rowKeys({ cluster }), menu, pauseMsMean });
		working.push(nemesis.run(goesOn));
	}
	const random = world.random("restarts");
	for (let turn = 0; world.nowMs < endMs && goesOn(); turn++) {
		await world.sleep(random.between(100, 1_500));
		await restart(cluster, clients, turn % nodes.length, random);
	}
	await world.sleep(random.between(0, 1_000));
	isOver = true;
	await Promise.all(working);
}

async function restart(
	cluster: SimCluster,
	{ restarting }: RestartClients,
	at: number,
	random: SeededRandom,
): Promise<void> {
	const { world } = cluster;
	const node = cluster.nodes[at]!;
	cluster.event(`${node} is stopped`);
	world.count("graceful-restart");
	restarting.add(node);
	await node.stop();
	cluster.event(`${node} is down`);
	await world.sleep(random.between(50, 1_500));
	node.start();
	await cluster.until("it serves again", servesMs, () => node.keyValue !== undefined);
	cluster.event(`${node} serves again`);
	restarting.delete(node);
}
