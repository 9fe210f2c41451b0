/**
 * What connections cost a node: those that are open and idle, in memory, and those that come, ask one thing and go, in time. As bars the
 * project has 20 KB for each of 2,000, and 100 connects a second.
 */
import type { QuorateTarget } from "./quorate-cluster.ts";
import type { Report } from "./report.ts";
import { connectTo, type Target } from "./target.ts";

export interface ConnectionsOptions {
	readonly report: Report;
	/** A cluster with its own ports and data. */
	start(name: string, portOffset: number): Promise<QuorateTarget>;
	readonly seconds: number;
}

const firstCount = 500;
const idleCount = 2000;
const openedAtOnce = 50;
const connectsPerSecond = 100;
/** Garbage of what has just been done is collected meanwhile. */
const settleMs = 15_000;

const bars = { bytesOfConnection: 20_000, lagMs: 1000 } as const;

export async function measureConnections(options: ConnectionsOptions): Promise<void> {
	const { report, seconds } = options;
	const target = await options.start("connections", 80);
	try {
		report.heading(`== ${idleCount} idle connections to one node`);
		// What the first ones make (code, pools, caches, room for garbage) is not what one more costs.
		const first = await openIdle(target, firstCount);
		await sleep(settleMs);
		const before = target.memoryBytes()[0]!;
		const idle = await openIdle(target, idleCount);
		await sleep(settleMs);
		const each = (target.memoryBytes()[0]! - before) / idleCount;
		report.bound("resident memory of an idle connection", each, bars.bytesOfConnection, "bytes");
		const all = [...first, ...idle];
		await Promise.all(all.map((client) => client.query("SELECT 1")));
		report.remark(`all of them answer, and the ${firstCount} that were there before`);
		await closeAll(all);

		report.heading(`== ${connectsPerSecond} connections a second, each for one statement`);
		const count = connectsPerSecond * seconds;
		const { latencies, lateMs } = await connectAtPace(target, count);
		report.bound("the last is done after its time by", lateMs, bars.lagMs, "ms");
		latencies.sort((a, b) => a - b);
		const at = (share: number): string => latencies[Math.floor(share * (count - 1))]!.toFixed(1);
		report.remark(`from connecting to the answer: median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
	} finally {
		await target.stop();
	}
}

type Client = Awaited<ReturnType<typeof connectTo>>;

async function openIdle(target: Target, count: number): Promise<Client[]> {
	const clients: Client[] = [];
	while (clients.length < count) {
		const size = Math.min(openedAtOnce, count - clients.length);
		const port = target.ports()[0]!;
		const opened = Array.from({ length: size }, () => connectTo(target, port));
		clients.push(...(await Promise.all(opened)));
	}
	return clients;
}

async function closeAll(clients: readonly Client[]): Promise<void> {
	await Promise.all(clients.map((client) => client.end()));
}

/** One begins every hundredth of a second, whether those before it are done or not. */
async function connectAtPace(target: Target, count: number) {
	const began = performance.now();
	const latencies = await Promise.all(
		Array.from({ length: count }, async (_, n) => {
			await sleep((n * 1000) / connectsPerSecond);
			const start = performance.now();
			const client = await connectTo(target, target.ports()[0]!);
			await client.query("SELECT 1");
			const took = performance.now() - start;
			await client.end();
			return took;
		}),
	);
	const lateMs = performance.now() - began - (count * 1000) / connectsPerSecond;
	return { latencies, lateMs: Math.max(lateMs, 0) };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
