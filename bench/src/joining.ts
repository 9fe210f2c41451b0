/**
 * What it costs a running TPC-B that a fourth node joins: it fills with replicas and leases until nobody has more than a tenth more or
 * less than the mean. In each round the same cluster of three is measured alone, beside a node that is idle (a cluster of its own: what
 * one more process costs this machine), while the fourth joins, and when it has its share; then that one leaves again. A round is its
 * own yardstick: the machine is not equally fast all the time.
 *
 * The clients are on the first three nodes all the time. Where the kernel lets us, each node has a part of the CPU of its own
 * (`machines.ts`): a node that joins brings its machine along, and what is measured is what filling it costs the others.
 */
import { quantile } from "./comparison.ts";
import { Machines } from "./machines.ts";
import { loadPgbench, type PgbenchRun, runPgbench, type Sample } from "./pgbench.ts";
import type { JoinedNode, NodeShare, QuorateTarget } from "./quorate-cluster.ts";
import type { Report } from "./report.ts";
import { runSql } from "./target.ts";
import { tpcB } from "./workloads.ts";

export interface JoiningOptions {
	readonly report: Report;
	/** A cluster with its own ports and data. */
	start(name: string, portOffset: number, nodes?: number): Promise<QuorateTarget>;
	readonly scale: number;
	readonly seconds: number;
	readonly rounds: number;
}

const founders = 3;
const ranges = 24;
const clients = 16;
const warmSeconds = 10;
const lostPercentMost = 30;
const lookMs = 500;
const rateMs = 5_000;
/** Of the mean; of bytes, what is less than so many is not worth a copy to the scheduler. */
const tolerance = 0.1;
const bytesMin = 32 << 20;
const fillMsMax = 300_000;
const mebibyte = 1 << 20;

interface Round {
	readonly alone: number;
	readonly besideIdle: number;
	readonly filling: number;
	readonly after: number;
}

export async function measureJoining(options: JoiningOptions): Promise<void> {
	const { report, scale, rounds } = options;
	report.heading(
		`== A fourth node joins, TPC-B -s ${scale} in ${ranges} ranges, ${clients} clients`,
	);
	const target = await options.start("join", 40);
	const machines = new Machines(founders + 1);
	try {
		await loadPgbench(target, scale);
		await target.splitAccounts(scale, ranges);
		const limited = machines.add(target.pids());
		report.remark(
			limited
				? `each node has ${machines.share.toFixed(2)} of a core`
				: "all nodes share the CPU: control groups need Linux and root",
		);
		await runPgbench(target, runOf(warmSeconds));
		const all: Round[] = [];
		for (let n = 1; n <= rounds; n++) {
			const round = await measureRound(options, target, machines);
			all.push(round);
			const told = Object.entries(round).map(([name, tps]) => `${name} ${tps.toFixed(0)}`);
			report.remark(`round ${n}, transactions a second: ${told.join(", ")}`);
		}
		const ratio = (of: keyof Round, to: keyof Round): number =>
			median(all.map((round) => round[of] / round[to]));
		report.remark(`beside an idle node: ${ratio("besideIdle", "alone").toFixed(2)} of alone`);
		report.remark(`while one fills: ${ratio("filling", "besideIdle").toFixed(2)} of that`);
		report.remark(`with its share: ${ratio("after", "alone").toFixed(2)} of alone`);
		const lost = 100 * (1 - ratio("filling", "alone"));
		report.bound("throughput lost while it fills", lost, lostPercentMost, "%");
	} finally {
		await target.stop();
		machines.close();
	}
}

const runOf = (seconds: number): PgbenchRun => ({
	workload: tpcB,
	mode: "prepared",
	clients,
	placement: "spread",
	seconds,
});

async function measureRound(
	options: JoiningOptions,
	target: QuorateTarget,
	machines: Machines,
): Promise<Round> {
	const { seconds } = options;
	const alone = await runPgbench(target, runOf(seconds));
	const idle = await options.start("idle", 60, 1);
	const besideIdle = await runPgbench(target, runOf(seconds)).finally(() => idle.stop());
	const { node, tps: filling } = await fill(options, target, machines);
	const after = await runPgbench(target, runOf(seconds));
	await node.leave();
	return { alone: alone.tps, besideIdle: besideIdle.tps, filling, after: after.tps };
}

/** From the start of its process until it has its share; what ran then, and only then. */
async function fill(
	{ report, seconds }: JoiningOptions,
	target: QuorateTarget,
	machines: Machines,
): Promise<{ readonly node: JoinedNode; readonly tps: number }> {
	const [[last] = []] = await rowsOf(
		target,
		"SELECT coalesce(max(event_id), 0) FROM quorate_events",
	);
	const beganMs = Date.now();
	let evenMs: number | undefined;
	const filled = target.join().then(async (node) => {
		machines.add([node.pid]);
		report.remark(`it serves after ${since(beganMs)} s`);
		await untilEven(report, target, node, beganMs).finally(() => {
			evenMs = Date.now();
		});
		return node;
	});
	filled.catch(() => {
		evenMs = Date.now();
	});
	const samples: Sample[] = [];
	while (evenMs === undefined) samples.push(await runPgbench(target, runOf(seconds)));
	const node = await filled;
	await reportMoves(report, target, Number(last));
	const tps = rateUntil(samples, evenMs);
	const latencies = samples.flatMap((sample) => [...sample.latenciesUs]).sort((a, b) => a - b);
	const at = (share: number): string => (quantile(latencies, share) / 1000).toFixed(1);
	const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
	const retried = samples.reduce((sum, sample) => sum + sample.retried, 0);
	report.remark(`transactions a second, each five seconds: ${ratesOf(samples, evenMs).join(", ")}`);
	report.remark(
		`meanwhile p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms; ${retried} retried, ${failed} failed`,
	);
	return { node, tps };
}

/** Of logged transactions; a run's ends are not full. */
function ratesOf(samples: readonly Sample[], endMs: number): readonly number[] {
	const all = samples.flatMap((sample) => [...sample.endsMs]).filter((ms) => ms <= endMs);
	const beganMs = all.reduce((a, b) => Math.min(a, b), endMs);
	const counts: number[] = [];
	for (const ms of all) {
		const n = Math.floor((ms - beganMs) / rateMs);
		counts[n] = (counts[n] ?? 0) + 1;
	}
	return Array.from(counts, (count) => Math.round((1000 * (count ?? 0)) / rateMs));
}

/** Runs follow each other: what ended before the end, by the time in which something ended. */
function rateUntil(samples: readonly Sample[], endMs: number): number {
	let count = 0;
	let spentMs = 0;
	for (const { endsMs } of samples) {
		const sorted = endsMs.toSorted();
		const within = sorted.filter((ms) => ms <= endMs);
		if (within.length < 2) continue;
		count += within.length;
		spentMs += Math.min(endMs, sorted.at(-1)!) - sorted[0]!;
	}
	return (1000 * count) / spentMs;
}

async function untilEven(
	report: Report,
	target: QuorateTarget,
	{ nodeId }: JoinedNode,
	beganMs: number,
): Promise<void> {
	const waiting = new Map<string, (share: NodeShare) => number>([
		["replicas", (share) => share.replicas],
		["leases", (share) => share.leases],
		["bytes", (share) => share.bytes],
	]);
	for (;;) {
		const shares = await target.shares();
		for (const [name, of] of waiting) {
			const values = shares.map(of);
			const least = name === "bytes" ? bytesMin : 0;
			if (shares.some((share) => share.nodeId === nodeId) && isEven(values, least)) {
				waiting.delete(name);
				report.remark(`${name} within a tenth after ${since(beganMs)} s: ${shown(name, values)}`);
			}
		}
		if (waiting.size === 0 || Date.now() - beganMs > fillMsMax) {
			for (const [name, of] of waiting) {
				report.remark(`${name} not within a tenth: ${shown(name, shares.map(of))}`);
			}
			report.remark(
				`requests a second of the nodes: ${shares.map((s) => s.requestsPerSecond.toFixed(0)).join(", ")}`,
			);
			return;
		}
		await new Promise((resolve) => setTimeout(resolve, lookMs));
	}
}

/** Within a tenth of the mean, or `least` beside it, or what is next to it of whole numbers. */
function isEven(values: readonly number[], least: number): boolean {
	const mean = values.reduce((a, b) => a + b, 0) / values.length;
	const slack = Math.max(mean * tolerance, least);
	const low = Math.min(Math.ceil(mean - slack), Math.floor(mean));
	const high = Math.max(Math.floor(mean + slack), Math.ceil(mean));
	return values.every((value) => value >= low && value <= high);
}

const shown = (name: string, values: readonly number[]): string =>
	name === "bytes"
		? `${values.map((bytes) => (bytes / mebibyte).toFixed(0)).join(", ")} MiB`
		: values.join(", ");

async function reportMoves(report: Report, target: QuorateTarget, last: number): Promise<void> {
	const moves = await rowsOf(
		target,
		`SELECT kind, outcome = 'done', count(*), coalesce(sum(bytes), 0), coalesce(max(took_ms), 0)
		   FROM quorate_events WHERE event_id > ${last} GROUP BY 1, 2 ORDER BY 1, 2`,
	);
	for (const [kind, isDone, count, bytes, tookMs] of moves) {
		const mib = (Number(bytes) / mebibyte).toFixed(0);
		const what = isDone === "t" ? "done" : "failed or under way";
		report.remark(`moves of ${kind}: ${count} ${what}, ${mib} MiB, the longest took ${tookMs} ms`);
	}
}

const rowsOf = async (target: QuorateTarget, text: string) =>
	(await runSql(target, [text]))[0]?.rows ?? [];

const since = (beganMs: number): string => ((Date.now() - beganMs) / 1000).toFixed(1);

const median = (values: readonly number[]): number =>
	quantile(
		[...values].sort((a, b) => a - b),
		0.5,
	);
