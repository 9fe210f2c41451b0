/**
 * Somebody fills the disk of the nodes to the last byte while clients write.
 *
 * 1. Writes fail with 53100, on every node; reads go on, on every node, for longer than any lease lasts.
 * 2. No node stops, and one can be started. When there is space again they write again, without a restart.
 * 3. Every acknowledged transaction is there, once and whole; none that failed is.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerError } from "quorate/client/pg-client";
import type { NodeProcess } from "../harness/node-process.ts";
import { until } from "../harness/poll.ts";
import { ProcessCluster } from "../harness/process-cluster.ts";
import { SmallDisk } from "../soak/small-disk.ts";
import type { Attempt } from "../workload/outcome.ts";
import { summary } from "../workload/outcome.ts";
import { readState, violations } from "../workload/tpcb-check.ts";
import { TpcbLoad } from "../workload/tpcb-load.ts";
import { prepareCrash } from "./crash.ts";
import type { ScenarioContext, Violations } from "./scenario.ts";

interface FullDiskOptions extends ScenarioContext {
	readonly disk: SmallDisk;
	readonly scale: number;
	readonly clientsPerNode: number;
	/** How many transactions to wait for between two steps. */
	readonly pace: number;
	readonly seed: number;
	/** How often the disk is filled. */
	readonly rounds: number;
	readonly sent: Attempt[];
}

/** Reads on each node while the disk is full, and the pause between two: together longer than a lease lasts. */
const reads = 40;
const readPauseMs = 50;

/** Three nodes whose data are on one small disk. */
export async function fullDiskOf(options: {
	readonly sizeMiB: number;
	readonly rounds: number;
	readonly pace: number;
	log(line: string): void;
}): Promise<Violations> {
	const { log, sizeMiB, rounds, pace } = options;
	const disk = new SmallDisk(sizeMiB);
	let cluster: ProcessCluster | undefined;
	try {
		const dataDirectories = [1, 2, 3].map((number) => join(disk.directory, `n${number}`));
		cluster = await ProcessCluster.start({ dataDirectories });
		const base = { cluster, disk, log, scale: 2, clientsPerNode: 2, rounds, pace, sent: [] };
		await prepareCrash({ ...base, ranges: 3 });
		return await fullDisk({ ...base, seed: 1 });
	} finally {
		await cluster?.close();
		disk.remove();
	}
}

async function fullDisk(options: FullDiskOptions): Promise<Violations> {
	const { cluster, disk, log, pace, rounds } = options;
	const found: string[] = [];
	const load = new TpcbLoad(options);
	const numbers = cluster.nodes.map((_, index) => index + 1);
	try {
		for (let round = 1; round <= rounds; round++) {
			await load.more(pace, numbers);
			disk.fill();
			log(`round ${round} of ${rounds}: full after ${load.acknowledged()} transactions`);
			await untilRefused(load, numbers);
			for (const node of cluster.nodes) {
				found.push(...(await readsWork(node)));
				cluster.throwIfEnded();
			}
			const last = cluster.node(numbers.length);
			await last.terminate();
			last.start();
			await last.untilServes();
			log(`${last.name} was started again on the full disk`);
			found.push(...(await readsWork(last)));
			disk.empty();
			await load.more(pace, numbers);
		}
	} finally {
		disk.empty();
	}
	const attempts = await load.stop();
	cluster.throwIfEnded();
	options.sent.push(...attempts);
	log(summary(attempts));
	const reader = await cluster.node(1).connect();
	found.push(...violations(options.sent, await readState(reader)));
	await reader.end();
	return [...found, ...unexpected(attempts)];
}

/** The newest transaction of each node has been refused for want of space. */
async function untilRefused(load: TpcbLoad, numbers: readonly number[]): Promise<void> {
	await until("every node refuses writes with 53100", () =>
		numbers.every((number) => {
			const last = load.attempts.findLast(({ node }) => node === number);
			return last !== undefined && last.outcome.kind === "failed" && last.outcome.code === "53100";
		}),
	);
}

async function readsWork(node: NodeProcess): Promise<Violations> {
	const client = await node.connect();
	try {
		for (let n = 0; n < reads; n++) {
			await client.query("SELECT count(*), sum(bbalance) FROM pgbench_branches");
			await sleep(readPauseMs);
		}
		return [];
	} catch (error) {
		const code = error instanceof ServerError ? error.code : String(error);
		return [`a read on ${node.name} failed with ${code} while the disk was full`];
	} finally {
		await client.end();
	}
}

function unexpected(attempts: readonly Attempt[]): Violations {
	const expected = new Set(["53100", "40001", "40003", "lost", "57P01"]);
	return attempts.flatMap(({ id, outcome }) =>
		outcome.kind === "ok" || expected.has(outcome.code)
			? []
			: [`transaction ${id} ended ${outcome.kind} with ${outcome.code}`],
	);
}
