/** Three nodes of this checkout, each a process, with their data in a directory of the benchmark's own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "quorate/local-cluster";
import { nodeProgram } from "quorate/node-program";
import { runSql, type Target } from "./target.ts";

const nodeCount = 3;

export interface QuorateTarget extends Target {
	/** Cuts the accounts into ranges of equal size, and waits until all nodes hold leases. */
	splitAccounts(scale: number, ranges: number): Promise<void>;
	/** Of the nodes. */
	pids(): readonly number[];
	/** Stops the first node and starts it again; how long that took from the start until `use` of its port came to its end. */
	restartFirst(use: (port: number) => Promise<void>): Promise<number>;
	/** Of each node. */
	leases(): Promise<readonly number[]>;
	/** Asks the nodes who holds most leases, which puts that node's port first. */
	findLeaseholder(): Promise<void>;
}

export interface QuorateOptions {
	readonly name: string;
	readonly directory: string;
	readonly firstPort: number;
	/** Flags of Node.js for the nodes, for example --cpu-prof. */
	readonly nodeFlags: readonly string[];
}

export async function startQuorate(options: QuorateOptions): Promise<QuorateTarget> {
	const { name, directory, firstPort } = options;
	const adminPort = firstPort + 2 * nodeCount;
	const cluster = new LocalCluster({
		directory,
		program: nodeProgram(options.nodeFlags),
		nodeCount,
		// Node n uses a base plus n, counted from 1.
		sqlPortBase: firstPort - 1,
		peerPortBase: firstPort + nodeCount - 1,
		adminPortBase: adminPort - 1,
		startMs: 60_000,
		stopMs: 20_000,
		print: () => undefined,
	});
	await cluster.start();
	const pids = (): number[] =>
		Array.from({ length: nodeCount }, (_, n) => pidIn(join(directory, `n${n + 1}.pid`)));
	let first = 0;
	const leases = async (): Promise<number[]> =>
		Promise.all(Array.from({ length: nodeCount }, (_, n) => leasesOf(adminPort + n)));
	const target: QuorateTarget = {
		name,
		ports: () => Array.from({ length: nodeCount }, (_, n) => firstPort + ((first + n) % nodeCount)),
		user: "quorate",
		database: "quorate",
		memoryBytes: () => pids().map(residentBytes),
		pids,
		restartFirst: async (use) => {
			const pid = pids()[0]!;
			process.kill(pid, "SIGTERM");
			await until(() => Promise.resolve(!existsSync(`/proc/${pid}`)), stopMsMax);
			const began = performance.now();
			const used = until(() => use(firstPort).then(() => true), restartMsMax).then(
				() => performance.now() - began,
			);
			const [tookMs] = await Promise.all([used, cluster.start()]);
			return tookMs;
		},
		leases,
		stop: () => cluster.stop(),
		findLeaseholder: async () => {
			const held = await leases();
			first = held.indexOf(Math.max(...held));
		},
		splitAccounts: async (scale, ranges) => {
			const step = Math.floor((scale * 100_000) / ranges);
			const keys = Array.from({ length: ranges - 1 }, (_, n) => `(${(n + 1) * step + 1})`);
			await runSql(target, [`ALTER TABLE pgbench_accounts SPLIT AT VALUES ${keys.join(", ")}`]);
			await untilSpread(leases);
		},
	};
	try {
		// What is compared as unsplit stays so, and what is split stays as it was split.
		await runSql(target, [
			"ALTER SYSTEM SET range_max_bytes = '16GB'",
			"ALTER SYSTEM SET range_max_load = 1000000000",
		]);
		await target.findLeaseholder();
	} catch (error) {
		await cluster.stop();
		throw error;
	}
	return target;
}

/** Leases move in the background after a split. */
async function untilSpread(leases: () => Promise<number[]>): Promise<void> {
	for (let attempt = 0; attempt < 600; attempt++) {
		const held = await leases();
		if (held.every((count) => count >= 2)) {
			return;
		}
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`the leases did not spread over the nodes: ${(await leases()).join(", ")}`);
}

async function leasesOf(adminPort: number): Promise<number> {
	const response = await fetch(`http://127.0.0.1:${adminPort}/health`);
	const health = (await response.json()) as { readonly leases: number };
	return health.leases;
}

const stopMsMax = 60_000;
const restartMsMax = 120_000;

/** Until it says yes: that it fails means no. */
async function until(isSo: () => Promise<boolean>, msMax: number): Promise<void> {
	const end = performance.now() + msMax;
	while (!(await isSo().catch(() => false))) {
		if (performance.now() > end) {
			throw new Error(`not so after ${msMax / 1000} s`);
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

const pidIn = (pidFile: string): number => Number(readFileSync(pidFile, "utf8").trim());

/** From /proc, so on Linux only: elsewhere 0. */
function residentBytes(pid: number): number {
	const status = `/proc/${pid}/status`;
	if (!existsSync(status)) {
		return 0;
	}
	return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(status, "utf8"))?.[1] ?? 0) * 1024;
}
