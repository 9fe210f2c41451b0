/** sysbench's oltp_read_write, where it is installed: what it says about rate and latency, in its own words. */
import { findProgram, runProgram } from "./programs.ts";
import type { Target } from "./target.ts";

export interface SysbenchResult {
	readonly tps: number;
	readonly p95Ms: number;
}

const tables = 4;
const tableSize = 10_000;

export const sysbenchMissing = (): boolean => findProgram("sysbench") === undefined;

export async function prepareSysbench(target: Target): Promise<void> {
	await sysbench(target, 1, 0, "prepare");
}

export async function runSysbench(
	target: Target,
	clients: number,
	seconds: number,
): Promise<SysbenchResult> {
	const output = await sysbench(target, clients, seconds, "run");
	const read = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? 0);
	return {
		tps: read(/transactions:\s+\d+\s+\(([\d.]+) per sec/),
		p95Ms: read(/95th percentile:\s+([\d.]+)/),
	};
}

async function sysbench(
	target: Target,
	clients: number,
	seconds: number,
	command: string,
): Promise<string> {
	return await runProgram(findProgram("sysbench")!, [
		"oltp_read_write",
		"--db-driver=pgsql",
		"--pgsql-host=127.0.0.1",
		`--pgsql-port=${target.ports()[0]}`,
		`--pgsql-user=${target.user}`,
		`--pgsql-db=${target.database}`,
		`--tables=${tables}`,
		`--table-size=${tableSize}`,
		`--threads=${clients}`,
		`--time=${seconds}`,
		command,
	]);
}
