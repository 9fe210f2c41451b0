/** One run: a cluster, a workload, a nemesis; what it found goes to its store. */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeEdn } from "@quorate/checker/edn";
import { until } from "../harness/poll.ts";
import { nemeses } from "../nemesis/all.ts";
import type { Nemesis } from "../nemesis/nemesis.ts";
import type { Network } from "../net/network.ts";
import { page } from "../report/page.ts";
import { SeededRandom } from "../workload/random.ts";
import { workloads } from "../workloads/all.ts";
import type { Workload } from "../workloads/workload.ts";
import { type FaultsDone, runFaults } from "./faults.ts";
import { type Judgement, judge } from "./judge.ts";
import { Load } from "./load.ts";
import type { RunOptions } from "./options.ts";
import { Recorder } from "./recorder.ts";
import { RunCluster } from "./run-cluster.ts";
import { Stalls } from "./stalls.ts";

export interface RunResult {
	readonly test: string;
	readonly nemesis: string;
	readonly judgement: Judgement;
	readonly faults: Readonly<Record<string, number>>;
	readonly directory: string;
	readonly seconds: number;
	/** Of the machine, with all that runs on it: the average of its last five minutes at the end. */
	readonly load: number;
}

/** After all is healed: so many operations succeed, within so long, or the cluster is not available. */
const recoveryOperations = 10;
const recoveryMs = 60_000;
/** Where a run goes by operations: how many faults it is cut into. */
const faultsPerRun = 4;

interface Made {
	readonly cluster: RunCluster;
	readonly workload: Workload;
	readonly nemesis: Nemesis;
	readonly recorder: Recorder;
	readonly options: RunOptions;
	readonly log: (line: string) => void;
}

export async function runOne(options: RunOptions, network: Network): Promise<RunResult> {
	const { test, nodes } = options;
	const workload = workloads.get(test)!();
	const nemesis = nemeses.get(options.nemesis)!();
	const directory = storeOf(options);
	const begun = performance.now();
	const log = (line: string): void => {
		const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(6);
		console.log(`${seconds} s  ${line}`);
	};
	log(
		`${test} with ${nemesis.name}: ${nodes} nodes, ${options.concurrency} clients, ${network.kind}, seed ${options.seed}`,
	);
	const { mutation } = options;
	const cluster = new RunCluster({
		network,
		nodeCount: nodes,
		disk: nemesis.disk ?? "plain",
		hooks: mutation !== undefined ? { mutation } : nemesis.needsHooks === true ? {} : undefined,
		fakesClocks: nemesis.fakesClocks === true,
		logs: directory,
	});
	const stalls = new Stalls();
	const recorder = new Recorder(join(directory, "history.jsonl"));
	try {
		const made: Made = { cluster, workload, nemesis, recorder, options, log };
		const { load: clients, faults, problems } = await operate(made);
		await recorder.close();
		const { history } = recorder;
		const verdict = workload.check(history);
		const judgement = judge({
			...{ history, verdict, problems },
			codes: clients?.codes ?? new Map(),
			moreCodes: nemesis.codes ?? [],
			faults: faults.counts,
			isQuiet: nemesis.name === "none",
			stalledSeconds: stalls.totalMs / 1000,
			isTimed: options.operations === undefined,
		});
		const seconds = (performance.now() - begun) / 1000;
		const codes = Object.fromEntries(clients?.codes ?? []);
		const load = loadavg()[1]!;
		const results = {
			...{ test, nemesis: nemesis.name, valid: judgement.valid, seconds, network: network.kind },
			...{ counts: judgement.counts, faults: faults.counts, notPossible: faults.failures },
			...{ machineStalledSeconds: stalls.totalMs / 1000, load },
			...{ codes, workload: verdict.counts, longestGapSeconds: judgement.longestGapSeconds },
			...{ latencySeconds: judgement.availability.latency, findings: judgement.findings, options },
		};
		writeFileSync(join(directory, "results.json"), `${JSON.stringify(results, undefined, "\t")}\n`);
		writeFileSync(join(directory, "history.edn"), writeEdn(history));
		writeFileSync(join(directory, "index.html"), page({ workload, results, judgement, history }));
		report({ judgement, directory, log, counts: verdict.counts, codes });
		return {
			...{
				test,
				nemesis: nemesis.name,
				judgement,
				faults: faults.counts,
				directory,
				seconds,
				load,
			},
		};
	} finally {
		stalls.close();
		await cluster.close();
	}
}

interface Operated {
	readonly load: Load | undefined;
	readonly faults: FaultsDone;
	readonly problems: readonly string[];
}

/** Never rejects: what went wrong is a problem of the run, and what was written down by then is judged all the same. */
async function operate(made: Made): Promise<Operated> {
	const { cluster, workload, recorder, options, log } = made;
	let load: Load | undefined;
	const faults: FaultsDone = { counts: {}, failures: [] };
	const problems: string[] = [];
	try {
		await cluster.start();
		const session = await cluster.session(new SeededRandom(options.seed), "setup");
		for (const statement of workload.schema) await session.query(statement);
		await session.close();
		log("the cluster serves, the tables are there");
		const { concurrency, seed, operations } = options;
		load = new Load({ cluster, workload, recorder, concurrency, seed, operations });
		await withFaults(made, load, faults);
		await recovered(recorder, load);
	} catch (error) {
		problems.push((error as Error).message);
		log(`problem: ${(error as Error).message}`);
	}
	await load?.stop().catch((error: unknown) => {
		const problem = error instanceof Error ? error.message : String(error);
		if (!problems.includes(problem)) problems.push(problem);
	});
	if (problems.length === 0) problems.push(...((await load?.readAll()) ?? []));
	return { load, faults, problems };
}

async function withFaults(made: Made, load: Load, done: FaultsDone): Promise<void> {
	const { nemesis, options } = made;
	const { timeMs, operations, seed, faultMs } = options;
	const deadline = performance.now() + timeMs;
	const isOver = (): boolean =>
		load.isOver || (operations === undefined && performance.now() >= deadline);
	if (nemesis.name === "none") {
		while (!isOver()) await sleep(50);
		return;
	}
	const pace = operations === undefined ? undefined : Math.floor(operations / (2 * faultsPerRun));
	await runFaults({ ...made, pace, faultMs, isOver, random: new SeededRandom(seed) }, done);
}

/** Only where the load goes on: one that goes by operations has had its number. */
async function recovered(recorder: Recorder, load: Load): Promise<void> {
	if (load.isOver) return;
	const from = recorder.history.length;
	const ok = () => recorder.history.slice(from).filter(({ type }) => type === "ok").length;
	await until(
		"operations succeed after all is healed",
		() => ok() >= recoveryOperations,
		recoveryMs,
	);
}

function storeOf({ store, test, nemesis, mutation }: RunOptions): string {
	const name = [test, nemesis, ...(mutation === undefined ? [] : [`without-${mutation}`])].join(
		"_",
	);
	const time = new Date().toISOString().replaceAll(/[-:]|\..*/g, "");
	const directory = join(store, name, time);
	mkdirSync(directory, { recursive: true });
	return directory;
}

interface Reported {
	readonly judgement: Judgement;
	readonly directory: string;
	readonly counts: Readonly<Record<string, number>>;
	readonly codes: Readonly<Record<string, number>>;
	log(line: string): void;
}

function report({ judgement, directory, log, counts, codes }: Reported): void {
	const { ok, fail, info } = judgement.counts;
	const show = (numbers: Readonly<Record<string, number>>) =>
		Object.entries(numbers)
			.map(([name, count]) => `${name} ${count}`)
			.join(", ");
	log(`${ok} ok, ${fail} failed, ${info} unknown (${show(codes)})`);
	log(`${show(counts)}; longest gap ${judgement.longestGapSeconds.toFixed(1)} s`);
	for (const { kind, explanation } of judgement.findings.slice(0, 10)) {
		log(`FOUND ${kind}`);
		for (const line of explanation) log(`  ${line}`);
	}
	log(`${judgement.valid ? "passed" : "NOT PASSED"}: ${directory}`);
}
