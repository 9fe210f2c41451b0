/** One run of clients that read the past, from one seed: beside large transactions and everything that goes wrong. */
import { type Key, key } from "@quorate/keys/key";
import { HistoryClients } from "./history-clients.ts";
import { Nemesis } from "./nemesis.ts";
import { type Profile, profile, profileOf } from "./profile.ts";
import { repair } from "./repair.ts";
import { checkReplicas } from "./replica-checks.ts";
import { clusterOf, type RunOptions, type RunReport, reportOf, spread, workOf } from "./run.ts";
import type { SimCluster } from "./sim-cluster.ts";

const setUpMs = 120_000;
const tearDownMs = 400_000;
const splitKeys: readonly Key[] = ["p3", "q00", "q20"].map(key);
const think = { appendMs: 150, largeMs: 200, readMs: 60 };
const readers = 5;
const appenders = 3;
/** A large transaction has several times that. */
const bufferBytes = 1_500;

export async function simulateHistory(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const name = options.profile ?? profileOf(seed);
	const p: Profile = { ...profile(name), ...options.change };
	const cluster = clusterOf(seed, { ...p, limits: { bufferBytes, ...p.limits } }, options);
	const clients = new HistoryClients(cluster, p.limits.historyLifeMs);
	try {
		await cluster.start();
		await cluster.run(cluster.splitAt(splitKeys), setUpMs);
		await cluster.run(spread(cluster, splitKeys), setUpMs);
		await cluster.run(load(cluster, clients, p), p.durationMs + tearDownMs);
		await cluster.run(cluster.heal(), tearDownMs);
		await cluster.run(repair(cluster, cluster.world.random("repair")), tearDownMs);
		await cluster.run(checkReplicas(cluster), tearDownMs);
	} catch (error) {
		cluster.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	options.inspect?.(cluster);
	const before = cluster.problems.length;
	clients.check();
	const { counts, readsMeanwhile, followerReads } = clients;
	if (counts.appends === 0) cluster.problems.push("nothing was committed");
	return {
		...reportOf(cluster, seed, name),
		anomalies: cluster.problems.slice(before),
		committed: counts.appends + counts.large,
		outcomes: clients.outcomes,
		work: {
			transactions: counts.appends + counts.large,
			...counts,
			readsMeanwhile,
			followerReads,
			...workOf(cluster),
		},
	};
}

async function load(cluster: SimCluster, clients: HistoryClients, p: Profile): Promise<void> {
	const endMs = cluster.world.nowMs + p.durationMs;
	const goesOn = () => cluster.world.nowMs < endMs && cluster.problems.length === 0;
	const work: Promise<void>[] = [clients.replaceAll(think.largeMs, goesOn)];
	for (let id = 0; id < appenders; id++) work.push(clients.append(id, think.appendMs, goesOn));
	for (let id = 0; id < readers; id++) work.push(clients.read(id, think.readMs, goesOn));
	if (p.menu !== "none") {
		const keys = [...clients.lists, ...clients.rows];
		const nemesis = new Nemesis(cluster, { keys, menu: p.menu, pauseMsMean: p.pauseMsMean });
		work.push(nemesis.run(goesOn));
	}
	await Promise.all(work);
}
