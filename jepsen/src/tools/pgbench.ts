/** pgbench, and what it says at the end. */
import type { NodeProcess } from "../harness/node-process.ts";
import { runProgram } from "./run-program.ts";

export type QueryMode = "simple" | "extended" | "prepared";
export const queryModes: readonly QueryMode[] = ["simple", "extended", "prepared"];

export interface PgbenchResult {
	readonly processed: number;
	/** Undefined where the run had a length in seconds instead of a count. */
	readonly asked: number | undefined;
	readonly failed: number;
	readonly tps: number;
	readonly latencyMs: number;
}

/** Loads the tables; `steps` as of `pgbench --init-steps`. Rejects with what pgbench wrote if it fails. */
export async function initPgbench(node: NodeProcess, scale: number, steps: string): Promise<void> {
	await pgbench(node, ["--initialize", "--scale", String(scale), "--init-steps", steps, "--quiet"]);
}

/** The transactions that pgbench comes with; `--no-vacuum` is always given. */
export async function runPgbench(
	node: NodeProcess,
	args: readonly string[],
): Promise<PgbenchResult> {
	const report = await pgbench(node, ["--no-vacuum", ...args]);
	return parseReport(report);
}

async function pgbench(node: NodeProcess, args: readonly string[]): Promise<string> {
	const { status, out, err } = await runProgram("pgbench", args, node);
	if (status !== 0) {
		throw new Error(`pgbench ${args.join(" ")} ended with ${status}:\n${err}${out}`);
	}
	return out;
}

export function parseReport(report: string): PgbenchResult {
	const number = (pattern: RegExp): number | undefined => {
		const match = pattern.exec(report);
		return match?.[1] === undefined ? undefined : Number(match[1]);
	};
	const processed = number(/^number of transactions actually processed: (\d+)/m);
	const failed = number(/^number of failed transactions: (\d+)/m);
	const tps = number(/^tps = ([\d.]+)/m);
	const latencyMs = number(/^latency average = ([\d.]+) ms/m);
	if (
		processed === undefined ||
		failed === undefined ||
		tps === undefined ||
		latencyMs === undefined
	) {
		throw new Error(`this is not a report of pgbench:\n${report}`);
	}
	const asked = number(/^number of transactions actually processed: \d+\/(\d+)/m);
	return { processed, asked, failed, tps, latencyMs };
}
