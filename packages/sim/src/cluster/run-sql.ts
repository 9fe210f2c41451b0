/** One run of SQL clients from one seed. */
import { checkListAppend } from "@quorate/checker/list-append";
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import { Nemesis } from "./nemesis.ts";
import { checkPlacement } from "./placement-check.ts";
import { type Profile, profile, profileOf } from "./profile.ts";
import { repair } from "./repair.ts";
import { checkReplicas } from "./replica-checks.ts";
import { clusterOf, type RunOptions, type RunReport, reportOf, spread, workOf } from "./run.ts";
import type { SimCluster } from "./sim-cluster.ts";
import { SqlSession } from "./sql-session.ts";
import { lateIndex, SqlWorkload, schema } from "./sql-workload.ts";

const clientMachine = 100;
const setUpMs = 120_000;
const tearDownMs = 400_000;

export async function simulateSql(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const name = options.profile ?? profileOf(seed);
	const p: Profile = { ...profile(name), ...options.change };
	const cluster = clusterOf(seed, p, options);
	const { world } = cluster;
	const machine = world.addMachine(clientMachine);
	const runtime = machine.boot();
	const workload = new SqlWorkload(cluster);
	const sessionOf = (id: number) =>
		new SqlSession(cluster, runtime, world.random(`sql session ${id}`));
	try {
		await cluster.start();
		await cluster.run(sessionOf(0).insist(...schema), setUpMs);
		await cluster.run(
			rangeStarts(cluster).then((keys) => spread(cluster, keys)),
			setUpMs,
		);
		await cluster.run(load(cluster, workload, sessionOf, p), p.durationMs + tearDownMs);
		await cluster.run(cluster.heal(), tearDownMs);
		await cluster.run(repair(cluster, world.random("repair")), tearDownMs);
		if (cluster.isScheduled) await cluster.run(checkPlacement(cluster), tearDownMs);
		await cluster.run(workload.conclude(sessionOf(1_000)), tearDownMs);
		await cluster.run(checkReplicas(cluster), tearDownMs);
	} catch (error) {
		cluster.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	options.inspect?.(cluster);
	const checked = checkListAppend(workload.history);
	const anomalies = checked.anomalies.map((a) => `${a.kind}: ${a.explanation.join("; ")}`);
	cluster.problems.push(...anomalies);
	if (checked.ok === 0) cluster.problems.push("nothing was committed");
	return {
		...reportOf(cluster, seed, name),
		anomalies,
		committed: workload.committed,
		outcomes: workload.outcomes,
		work: { transactions: workload.committed, lists: checked.ok, ...workOf(cluster) },
	};
}

async function load(
	cluster: SimCluster,
	workload: SqlWorkload,
	sessionOf: (id: number) => SqlSession,
	p: Profile,
): Promise<void> {
	const { world } = cluster;
	const endMs = world.nowMs + p.durationMs;
	const goesOn = () => world.nowMs < endMs && cluster.problems.length === 0;
	const work: Promise<void>[] = [];
	for (let id = 1; id <= p.clients; id++) {
		work.push(workload.run(id, sessionOf(id), world.random(`sql client ${id}`), goesOn));
	}
	work.push(
		world
			.sleep(p.durationMs / 3)
			.then(() => sessionOf(2_000).insist(lateIndex))
			.then(() => {}),
	);
	work.push(changeAside(sessionOf(2_001), world, goesOn));
	const { menu, pauseMsMean } = p;
	if (menu !== "none") {
		const keys = await rangeStarts(cluster);
		const clients = [world.machine(clientMachine)];
		const nemesis = new Nemesis(cluster, { keys, menu, pauseMsMean, clients });
		work.push(nemesis.run(goesOn));
	}
	await Promise.all(work);
}

const asideMsMean = 4_000;

/** Schema changes that concern nobody: open transactions commit in spite of them, and may get nothing wrong by it. */
async function changeAside(
	session: SqlSession,
	world: SimCluster["world"],
	goesOn: () => boolean,
): Promise<void> {
	const random = world.random("schema changes");
	for (let n = 0; goesOn(); n++) {
		await session.insist(
			`CREATE TABLE IF NOT EXISTS aside_${n} (a int PRIMARY KEY)`,
			`DROP TABLE IF EXISTS aside_${n}`,
		);
		await world.sleep(random.exponential(asideMsMean));
	}
	session.close();
}

/** Where ranges begin, and one key in each. */
export async function rangeStarts(cluster: SimCluster): Promise<Key[]> {
	const keys: Key[] = [];
	await cluster.administer("ranges", async ({ coordinator }) => {
		const ranges = await coordinator.ranges({ start: keyMin, end: keyMax });
		keys.push(...ranges.map((r) => r.descriptor.start).filter((k) => k !== keyMin));
	});
	return keys;
}
