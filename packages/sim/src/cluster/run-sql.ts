/** One run of SQL clients from one seed. */
import { checkListAppend } from "@quorate/checker/list-append";
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import { Nemesis } from "./nemesis.ts";
import { checkReplicas } from "./replica-checks.ts";
import type { RunOptions, RunReport } from "./run.ts";
import { SimCluster } from "./sim-cluster.ts";
import { SqlSession } from "./sql-session.ts";
import { lateIndex, SqlWorkload, schema } from "./sql-workload.ts";

const clientMachine = 100;
const setUpMs = 120_000;
const tearDownMs = 400_000;

export async function simulateSql(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const nodes = options.nodes ?? 3;
	const durationMs = options.durationMs ?? 12_000;
	const cluster = new SimCluster(seed, {
		nodes,
		...(options.mutations === undefined ? {} : { mutations: options.mutations }),
		...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
	});
	const { world } = cluster;
	const runtime = world.addMachine(clientMachine).boot();
	const workload = new SqlWorkload(cluster);
	const sessionOf = (id: number) =>
		new SqlSession(cluster, runtime, world.random(`sql session ${id}`));
	try {
		await cluster.start();
		await cluster.run(sessionOf(0).insist(...schema), setUpMs);
		await cluster.run(
			load(cluster, workload, sessionOf, options, durationMs),
			durationMs + tearDownMs,
		);
		await cluster.run(cluster.heal(), tearDownMs);
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
		seed,
		nodes,
		problems: cluster.problems,
		anomalies,
		committed: checked.ok,
		outcomes: workload.outcomes,
		transfers: 0,
		totals: 0,
		counts: world.counts,
		events: cluster.events,
		traceHash: world.traceHash(),
		virtualMs: world.nowMs,
	};
}

async function load(
	cluster: SimCluster,
	workload: SqlWorkload,
	sessionOf: (id: number) => SqlSession,
	options: RunOptions,
	durationMs: number,
): Promise<void> {
	const { world } = cluster;
	const endMs = world.nowMs + durationMs;
	const goesOn = () => world.nowMs < endMs && cluster.problems.length === 0;
	const work: Promise<void>[] = [];
	for (let id = 1; id <= (options.clients ?? 6); id++) {
		work.push(workload.run(id, sessionOf(id), world.random(`sql client ${id}`), goesOn));
	}
	work.push(
		world
			.sleep(durationMs / 3)
			.then(() => sessionOf(2_000).insist(lateIndex))
			.then(() => {}),
	);
	const menu = options.faults ?? "anything";
	if (menu !== "none") {
		const keys = await rangeStarts(cluster);
		const nemesis = new Nemesis(cluster, { keys, menu, pauseMsMean: 1_500, relocateTo: 0 });
		work.push(nemesis.run(goesOn));
	}
	await Promise.all(work);
}

/** Where ranges begin, and one key in each. */
async function rangeStarts(cluster: SimCluster): Promise<Key[]> {
	const keys: Key[] = [];
	await cluster.administer("ranges", async ({ coordinator }) => {
		const ranges = await coordinator.ranges({ start: keyMin, end: keyMax });
		keys.push(...ranges.map((r) => r.descriptor.start).filter((k) => k !== keyMin));
	});
	return keys;
}
