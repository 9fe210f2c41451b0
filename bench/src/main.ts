/**
 * `make bench`: this cluster against PostgreSQL on the same machine, in one go.
 *
 * Three nodes of Quorate, PostgreSQL alone, and PostgreSQL with two streaming standbys that acknowledge from their disks;
 * fsync is on everywhere. All of them run all the time, and one after the other gets the load, round after round.
 *
 * 1. A ratio is only ever taken between runs that alternated: the machine is not equally fast all the time.
 * 2. No setting is tuned for a benchmark, on either side.
 * 3. What is not installed is skipped and named; what fails is an error, not a missing line.
 *
 * Flags: see --help.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "./bench.ts";
import { measureCheckers } from "./checkers.ts";
import { measureConnections } from "./connections.ts";
import { measureIdleRanges } from "./idle-ranges.ts";
import { measureJoining } from "./joining.ts";
import { loadPgbench } from "./pgbench.ts";
import { postgresMissing, startPostgres } from "./postgres.ts";
import { findProgram } from "./programs.ts";
import { type QuorateTarget, startQuorate } from "./quorate-cluster.ts";
import { Report } from "./report.ts";
import type { Target } from "./target.ts";

const { values } = parseArgs({
	options: {
		seconds: { type: "string", default: "8" },
		rounds: { type: "string", default: "3" },
		scale: { type: "string", default: "10" },
		port: { type: "string", default: "7461" },
		only: { type: "string", default: "" },
		without: { type: "string", default: "" },
		"node-flags": { type: "string", default: "" },
		ranges: { type: "string", default: "10000" },
		help: { type: "boolean", short: "h", default: false },
	},
});
if (values.help) {
	console.log(`Usage: make bench [BENCH_FLAGS="..."]

Three nodes of Quorate, PostgreSQL alone and PostgreSQL with two synchronous standbys, on this machine, in turn.

  --seconds N         of a run (default 8), after 10 s of warming up
  --rounds N          runs of each, alternating (default 3)
  --scale N           of pgbench's tables (default 10)
  --only WORDS        of: tpcb, select, clients, hot, sysbench, scan, stall, memory; only if named: ranges (ten minutes), join (five), connections (one), checkers (one)
  --without WORDS     of: postgres, replicated, quorate, simple, prepared, split
  --ranges N          idle ranges of the part "ranges" (default 10000)
  --port N            the first of the ports that are used (default 7461)
  --node-flags FLAGS  for the nodes, with commas: --node-flags=--cpu-prof,--cpu-prof-dir=DIR`);
	process.exit(0);
}
const words = (text: string): string[] => text.split(",").filter((word) => word !== "");
const without = new Set(words(values.without));
const scale = Number(values.scale);
const firstPort = Number(values.port);
const directory = mkdtempSync(join(tmpdir(), "quorate-bench-"));
// The servers may run as another user.
chmodSync(directory, 0o711);
const report = new Report((line) => console.log(line));
const targets: Target[] = [];

function subdirectory(name: string): string {
	const path = join(directory, name);
	mkdirSync(path, { mode: 0o711, recursive: true });
	return path;
}

async function startPeers(): Promise<void> {
	const missing = await postgresMissing();
	if (missing !== undefined) {
		report.remark(`without PostgreSQL: ${missing}`);
		return;
	}
	const start = async (name: string, port: number, standbys: number) => {
		targets.push(
			await startPostgres({ name, directory: subdirectory(name), firstPort: port, standbys }),
		);
	};
	if (!without.has("postgres")) {
		await start("pg", firstPort + 20, 0);
	}
	if (!without.has("replicated")) {
		await start("pg+2", firstPort + 30, 2);
	}
}

async function startCluster(): Promise<QuorateTarget | undefined> {
	return without.has("quorate") ? undefined : startOne("quorate", 0);
}

async function startOne(name: string, portOffset: number, nodes?: number): Promise<QuorateTarget> {
	const cluster = await startQuorate({
		name,
		nodes,
		directory: subdirectory(name),
		firstPort: firstPort + portOffset,
		nodeFlags: words(values["node-flags"]),
	});
	targets.push(cluster);
	return cluster;
}

async function run(): Promise<void> {
	if (findProgram("pgbench") === undefined) {
		throw new Error("pgbench is not installed (Debian: postgresql-15)");
	}
	const only = new Set(words(values.only));
	const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
	const apart = new Map<string, () => Promise<void>>([
		["checkers", async () => measureCheckers(report)],
		["connections", () => measureConnections({ report, start: startOne, seconds })],
		["join", () => measureJoining({ report, start: startOne, scale, seconds, rounds })],
		[
			"ranges",
			() => {
				const ranges = Number(values.ranges);
				return measureIdleRanges({ report, start: startOne, ranges, scale, seconds, rounds });
			},
		],
	]);
	const named = [...apart].filter(([name]) => only.delete(name));
	for (const [, measure] of named) await measure();
	if (named.length > 0 && only.size === 0) {
		report.finish();
		return;
	}
	await startPeers();
	const peers = [...targets];
	const cluster = await startCluster();
	const bench = new Bench({
		report,
		peers,
		cluster,
		scale,
		seconds,
		rounds,
		only,
		without,
	});
	await bench.memoryFresh();
	for (const target of targets) {
		const start = performance.now();
		await loadPgbench(target, scale);
		report.remark(
			`${target.name}: pgbench -i -s ${scale} in ${((performance.now() - start) / 1000).toFixed(1)} s`,
		);
	}
	await bench.run();
	report.finish();
}

async function stopAll(): Promise<void> {
	for (const target of targets.splice(0)) {
		await target.stop().catch((error: unknown) => console.error(error));
	}
	rmSync(directory, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
	process.once(signal, () => {
		void stopAll().then(() => process.exit(1));
	});
}
try {
	await run();
} catch (error) {
	console.error(error);
	process.exitCode = 1;
} finally {
	await stopAll();
}
