/**
 * One run of pgbench: rate, and latencies of single transactions out of its log. Clients that are spread over several
 * ports are one pgbench process a port.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, runProgram } from "./programs.ts";
import type { Target } from "./target.ts";

export interface Workload {
	readonly name: string;
	/** `-S`, or a script's text. Neither: TPC-B. */
	readonly selectOnly?: boolean;
	readonly script?: string;
	/** The share of transactions whose latency is logged: the log costs the client more than a point read. */
	readonly samplingRate: number;
	/** The longest wait matters, too, beside the median one. */
	readonly fairness?: boolean;
}

export type QueryMode = "simple" | "prepared";
/** All clients on the first port, or dealt out over all. */
export type Placement = "one" | "spread";

export interface PgbenchRun {
	readonly workload: Workload;
	readonly mode: QueryMode;
	readonly clients: number;
	readonly placement: Placement;
	readonly seconds: number;
}

export interface Sample {
	readonly tps: number;
	/** Of the sampled transactions, with the time of their retries. */
	readonly latenciesUs: Float64Array;
	/** When each of them ended, in milliseconds since 1970. */
	readonly endsMs: Float64Array;
	/** Transactions that were given up, and those that were run again. */
	readonly failed: number;
	readonly retried: number;
}

const scriptFile = "script.sql";
/** A client of a serializable database runs a conflict again; at the default isolation PostgreSQL has none. */
const triesMax = 100;

export async function loadPgbench(target: Target, scale: number): Promise<void> {
	await pgbench(target, target.ports()[0]!, ["-i", "-q", "-s", String(scale)]);
}

export async function runPgbench(target: Target, run: PgbenchRun): Promise<Sample> {
	const directory = mkdtempSync(join(tmpdir(), "quorate-pgbench-"));
	try {
		if (run.workload.script !== undefined) {
			writeFileSync(join(directory, scriptFile), run.workload.script);
		}
		const shares = shareOut(target.ports(), run);
		const outputs = await Promise.all(
			shares.map(({ port, clients }) =>
				pgbench(target, port, flagsOf(run, clients, port), directory),
			),
		);
		return {
			tps: sum(outputs.map((text) => numberIn(text, /tps = ([\d.]+) \(without/))),
			failed: sum(outputs.map((text) => numberIn(text, /failed transactions: (\d+)/))),
			retried: sum(outputs.map((text) => numberIn(text, /transactions retried: (\d+)/))),
			...readLogs(directory),
		};
	} finally {
		rmSync(directory, { recursive: true });
	}
}

function shareOut(
	ports: readonly number[],
	{ clients, placement }: PgbenchRun,
): readonly { port: number; clients: number }[] {
	const used = placement === "one" ? ports.slice(0, 1) : ports;
	return used
		.map((port, index) => ({
			port,
			clients: Math.floor((clients + used.length - 1 - index) / used.length),
		}))
		.filter((share) => share.clients > 0);
}

function flagsOf(run: PgbenchRun, clients: number, port: number): string[] {
	const { workload, mode, seconds } = run;
	const flags = [
		"-n",
		"--max-tries",
		String(triesMax),
		"-M",
		mode,
		"-c",
		String(clients),
		"-j",
		"1",
		"-T",
		String(seconds),
	];
	flags.push("-l", "--log-prefix", `log-${port}`);
	if (workload.samplingRate < 1) {
		flags.push("--sampling-rate", String(workload.samplingRate));
	}
	if (workload.script !== undefined) {
		flags.push("-f", scriptFile);
	} else if (workload.selectOnly === true) {
		flags.push("-S");
	}
	return flags;
}

async function pgbench(
	target: Target,
	port: number,
	flags: readonly string[],
	cwd?: string,
): Promise<string> {
	const program = findProgram("pgbench");
	if (program === undefined) {
		throw new Error("pgbench is not installed");
	}
	const address = ["-h", "127.0.0.1", "-p", String(port), "-U", target.user];
	const all = [...address, ...flags, target.database];
	return await runProgram(program, all, cwd === undefined ? {} : { cwd });
}

/** A line of the log: client, number, latency in us, script, seconds, us [, retries]. */
function readLogs(directory: string): Pick<Sample, "latenciesUs" | "endsMs"> {
	const latencies: number[] = [];
	const ends: number[] = [];
	for (const name of readdirSync(directory).filter((file) => file !== scriptFile)) {
		for (const line of readFileSync(join(directory, name), "utf8").split("\n")) {
			const [, , latency, , seconds, us] = line.split(" ", 6).map(Number);
			if (latency !== undefined && latency > 0) {
				latencies.push(latency);
				ends.push(seconds! * 1000 + us! / 1000);
			}
		}
	}
	return { latenciesUs: Float64Array.from(latencies), endsMs: Float64Array.from(ends) };
}

function numberIn(text: string, pattern: RegExp): number {
	return Number(pattern.exec(text)?.[1] ?? 0);
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
