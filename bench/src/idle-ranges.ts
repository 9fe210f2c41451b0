/**
 * What ranges cost that nobody asks for: two clusters of three nodes, the same but for the number of ranges of one table that lies there.
 * Memory is compared between the two, so that what both have done (start, split, load, run) counts on both sides as far as it can: where
 * the ranges were split, which counts what thousands of splits leave behind in the allocator; after both have had the same load, which
 * leaves as much behind; and of a node that has started again since.
 *
 * Needs Linux: /proc tells memory and CPU of a process.
 */
import { readdirSync, readFileSync } from "node:fs";
import { compare, type Line } from "./comparison.ts";
import { loadPgbench } from "./pgbench.ts";
import type { QuorateTarget } from "./quorate-cluster.ts";
import type { Report } from "./report.ts";
import { connectTo, runSql } from "./target.ts";
import { tpcB } from "./workloads.ts";

export interface IdleRangesOptions {
	readonly report: Report;
	/** A cluster with its own ports and data. */
	start(name: string, portOffset: number): Promise<QuorateTarget>;
	readonly ranges: number;
	readonly scale: number;
	readonly seconds: number;
	readonly rounds: number;
}

const fewRanges = 10;
const splitsAtOnce = 500;
/** A statement that splits may meet a moment without a leader; what it has split stays so. */
const splitAttempts = 5;
/** The leases of new ranges are spread over the nodes: until their numbers stand still between two looks, or for so long at most. */
const spreadMsMax = 120_000;
const spreadLookMs = 10_000;
/** A range that nobody asks for rests after a minute, 500 of them every two seconds; the heap is tidied up a little later. */
const restMs = 150_000;
const idleMs = 60_000;
const clients = 16;

const bars = { bytesOfRange: 4096, cpuPercent: 3, lostPercent: 10, restartMs: 10_000 } as const;

/** A quarter of an hour where the machine is not busy; says how far it is. */
export async function measureIdleRanges(options: IdleRangesOptions): Promise<void> {
	const { report, ranges, scale } = options;
	report.heading(`== ${ranges} idle ranges, beside ${fewRanges}`);
	const few = await options.start("few", 40);
	const many = await options.start("many", 60);
	try {
		await makeRanges(options, few, fewRanges);
		await makeRanges(options, many, ranges);
		await untilSpread(options, many);
		report.remark(`waiting ${restMs / 1000} s until they rest`);
		await sleep(restMs);
		reportMemory(options, few.memoryBytes(), many.memoryBytes(), "");
		await reportCpu(options, few, many);
		await reportLeases(options, many);
		for (const target of [few, many]) await loadPgbench(target, scale);
		await reportThroughput(options, few, many);
		report.remark(`waiting ${restMs / 1000} s until they rest`);
		await sleep(restMs);
		reportMemory(options, few.memoryBytes(), many.memoryBytes(), ", after a load of both");
		await reportRestart(options, many);
		await few.restartFirst((port) => useIdle(few, port));
		report.remark(`waiting ${restMs / 1000} s until they rest`);
		await sleep(restMs);
		const first = (target: QuorateTarget) => target.memoryBytes().slice(0, 1);
		reportMemory(options, first(few), first(many), ", started again");
	} finally {
		await few.stop();
		await many.stop();
	}
}

async function makeRanges(
	{ report }: IdleRangesOptions,
	target: QuorateTarget,
	count: number,
): Promise<void> {
	await runSql(target, ["CREATE TABLE idle (id int PRIMARY KEY)"]);
	const began = performance.now();
	// The table is one range already.
	for (let at = 1; at < count; at += splitsAtOnce) {
		const made = Math.min(at + splitsAtOnce, count);
		const keys = Array.from({ length: made - at }, (_, i) => `(${at + i})`);
		await persistently(() =>
			runSql(target, [`ALTER TABLE idle SPLIT AT VALUES ${keys.join(", ")}`]),
		);
		const seconds = ((performance.now() - began) / 1000).toFixed(1);
		report.remark(`${target.name}: ${made} ranges after ${seconds} s`);
	}
}

async function persistently<T>(task: () => Promise<T>): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await task();
		} catch (error) {
			if (attempt === splitAttempts) throw error;
			await sleep(1_000);
		}
	}
}

async function untilSpread(options: IdleRangesOptions, target: QuorateTarget): Promise<void> {
	const end = performance.now() + spreadMsMax;
	let before = "";
	for (;;) {
		const held = await reportLeases(options, target);
		if (held === before || performance.now() > end) return;
		before = held;
		await sleep(spreadLookMs);
	}
}

/** What is moved is not at rest. */
async function reportLeases({ report }: IdleRangesOptions, target: QuorateTarget): Promise<string> {
	const held = (await target.leases()).join(", ");
	report.remark(`${target.name}: leases of the nodes ${held}`);
	return held;
}

/**
 * The largest node is compared with the largest. Which node of a cluster does what else there is to do is left to chance, and costs it
 * more than a thousand ranges: after a load the three nodes of a cluster with ten ranges had 118, 113 and 109 MiB, those of another
 * 122, 106 and 109.
 */
function reportMemory(
	{ report, ranges }: IdleRangesOptions,
	less: readonly number[],
	more: readonly number[],
	when: string,
) {
	const inMiB = (all: readonly number[]) => all.map((b) => (b / (1 << 20)).toFixed(1)).join(", ");
	report.remark(`MiB of the nodes: ${inMiB(less)}; with ${ranges} ranges ${inMiB(more)}`);
	const bySize = (all: readonly number[]) => [...all].sort((a, b) => b - a);
	const smaller = bySize(less);
	for (const [index, bytes] of bySize(more).entries()) {
		const each = (bytes - smaller[index]!) / (ranges - fewRanges);
		const label = `memory of a range, node ${index + 1} by size${when}`;
		report.bound(label, each, bars.bytesOfRange, "bytes");
	}
}

async function reportCpu({ report }: IdleRangesOptions, few: QuorateTarget, many: QuorateTarget) {
	const pids = [...few.pids(), ...many.pids()];
	const before = pids.map(cpuMs);
	await sleep(idleMs);
	const percents = pids.map((pid, i) => (100 * (cpuMs(pid) - before[i]!)) / idleMs);
	const count = few.pids().length;
	for (const [i, percent] of percents.entries()) {
		const name = `idle CPU, ${i < count ? few.name : many.name}, node ${1 + (i % count)}`;
		if (i < count) report.remark(`${name}: ${percent.toFixed(1)} % of a core`);
		else report.bound(name, percent, bars.cpuPercent, "% of a core");
	}
}

async function reportThroughput(
	{ report, seconds, rounds }: IdleRangesOptions,
	few: QuorateTarget,
	many: QuorateTarget,
): Promise<void> {
	const run = { workload: tpcB, mode: "prepared", clients, placement: "spread", seconds } as const;
	const lines = await compare(
		[
			{ target: few, run },
			{ target: many, run },
		],
		rounds,
	);
	report.comparison(lines);
	const [less, more] = lines as [Line, Line];
	const lost = 100 * (1 - more.tps / less.tps);
	report.bound("throughput lost", lost, bars.lostPercent, "%");
}

/** One node goes down in good order and comes back: until it has read and written in an idle range and in one of those in use. */
async function reportRestart({ report }: IdleRangesOptions, target: QuorateTarget): Promise<void> {
	const tookMs = await target.restartFirst((port) => useIdle(target, port));
	report.bound("restart of a node until it serves", tookMs, bars.restartMs, "ms");
}

async function useIdle(target: QuorateTarget, port: number): Promise<void> {
	const client = await connectTo(target, port);
	try {
		await client.query("SELECT * FROM idle WHERE id = 7");
		await client.query("UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1");
	} finally {
		await client.end();
	}
}

/** Of all threads. */
function cpuMs(pid: number): number {
	const tasks = `/proc/${pid}/task`;
	return readdirSync(tasks).reduce((sum, task) => {
		const onCpuNs = Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
		return sum + onCpuNs / 1e6;
	}, 0);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
