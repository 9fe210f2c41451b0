/** Three nodes of this checkout, each a process, with their data in a directory of the benchmark's own. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "quorate/local-cluster";
import { nodeProgram } from "quorate/node-program";
import { runSql, type Target } from "./target.ts";

const defaultNodeCount = 3;
/** Ports of a kind: one more node may join. */
const portsOfKind = defaultNodeCount + 1;
/** As many ranges as a page of the console has at most. */
const rangesMost = 200;

/** What a node has of all. */
export interface NodeShare {
	readonly nodeId: number;
	readonly replicas: number;
	readonly leases: number;
	/** Of its replicas. */
	readonly bytes: number;
	/** Of the ranges that it leads. */
	readonly requestsPerSecond: number;
}

/** A fourth node, with data of its own. */
export interface JoinedNode {
	readonly nodeId: number;
	readonly pid: number;
	/** Gives what it has to the others, and is no node of the cluster any more. Its data go. */
	leave(): Promise<void>;
}

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
	/** Starts one more node, which serves when this resolves, and has nothing yet. One at a time. */
	join(): Promise<JoinedNode>;
	/** Of all nodes that are there; of no more than 200 ranges. */
	shares(): Promise<readonly NodeShare[]>;
}

export interface QuorateOptions {
	readonly name: string;
	readonly directory: string;
	readonly firstPort: number;
	/** Flags of Node.js for the nodes, for example --cpu-prof. */
	readonly nodeFlags: readonly string[];
	/** Three, if not said. */
	readonly nodes?: number | undefined;
}

export async function startQuorate(options: QuorateOptions): Promise<QuorateTarget> {
	const { name, directory, firstPort, nodes: nodeCount = defaultNodeCount } = options;
	const adminPort = firstPort + 2 * portsOfKind;
	const clusterOf = (count: number): LocalCluster =>
		new LocalCluster({
			directory,
			program: nodeProgram(options.nodeFlags),
			nodeCount: count,
			// Node n uses a base plus n, counted from 1.
			sqlPortBase: firstPort - 1,
			peerPortBase: firstPort + portsOfKind - 1,
			adminPortBase: adminPort - 1,
			startMs: 60_000,
			stopMs: 20_000,
			print: () => undefined,
		});
	const founders = clusterOf(nodeCount);
	let cluster = founders;
	await cluster.start();
	const pidOf = (n: number): number => pidIn(join(directory, `n${n + 1}.pid`));
	const pids = (): number[] => Array.from({ length: nodeCount }, (_, n) => pidOf(n));
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
		shares: () => sharesOf(adminPort),
		join: async () => {
			if (cluster !== founders) throw new Error("one node has joined already");
			cluster = clusterOf(nodeCount + 1);
			await cluster.start();
			const { node: nodeId } = await healthOf(adminPort + nodeCount);
			const pid = pidOf(nodeCount);
			return {
				nodeId,
				pid,
				leave: async () => {
					await removeNode(target, nodeId);
					process.kill(pid, "SIGTERM");
					await until(() => Promise.resolve(!existsSync(`/proc/${pid}`)), stopMsMax);
					for (const end of ["", ".log", ".pid"]) {
						rmSync(join(directory, `n${nodeCount + 1}${end}`), { recursive: true, force: true });
					}
					cluster = founders;
				},
			};
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

async function fromAdmin<Answer>(adminPort: number, path: string): Promise<Answer> {
	const response = await fetch(`http://127.0.0.1:${adminPort}${path}`);
	return (await response.json()) as Answer;
}

const healthOf = (adminPort: number) =>
	fromAdmin<{ readonly node: number; readonly leases: number }>(adminPort, "/health");

const leasesOf = async (adminPort: number): Promise<number> => (await healthOf(adminPort)).leases;

interface RangeShown {
	readonly leaseholder: number | null;
	readonly replicas: readonly { readonly nodeId: number }[];
	readonly bytes: number | null;
	readonly requestsPerSecond: number | null;
}

async function sharesOf(adminPort: number): Promise<readonly NodeShare[]> {
	const path = `/api/ranges?count=${rangesMost}`;
	const { nodes, ranges } = await fromAdmin<{
		readonly nodes: readonly number[];
		readonly ranges: readonly RangeShown[];
	}>(adminPort, path);
	const sum = (of: readonly RangeShown[], what: "bytes" | "requestsPerSecond"): number =>
		of.reduce((total, range) => total + (range[what] ?? 0), 0);
	return nodes.map((nodeId) => {
		const held = ranges.filter((r) => r.replicas.some((replica) => replica.nodeId === nodeId));
		const led = ranges.filter((r) => r.leaseholder === nodeId);
		const counts = { replicas: held.length, leases: led.length };
		const requestsPerSecond = sum(led, "requestsPerSecond");
		return { nodeId, ...counts, bytes: sum(held, "bytes"), requestsPerSecond };
	});
}

/** In good order: nothing of it is missed. */
async function removeNode(target: Target, nodeId: number): Promise<void> {
	await runSql(target, [`SELECT quorate_drain_node(${nodeId})`]);
	const rest = `SELECT replicas = 0 AND NOT placement_member FROM quorate_nodes WHERE node_id = ${nodeId}`;
	await until(async () => (await runSql(target, [rest]))[0]?.rows[0]?.[0] === "t", drainMsMax);
	await runSql(target, [`SELECT quorate_remove_node(${nodeId})`]);
}

const stopMsMax = 60_000;
const restartMsMax = 120_000;
const drainMsMax = 300_000;

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
