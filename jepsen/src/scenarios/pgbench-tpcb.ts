/** pgbench as it is installed: no transaction fails, and the four sums are equal afterwards. */
import {
	initPgbench,
	type PgbenchResult,
	type QueryMode,
	queryModes,
	runPgbench,
} from "../tools/pgbench.ts";
import { readSums, unequalSums } from "../workload/tpcb-check.ts";
import { splitAccounts } from "../workload/tpcb-schema.ts";
import type { ScenarioContext, Violations } from "./scenario.ts";

export interface PgbenchOptions extends ScenarioContext {
	readonly scale: number;
	/** Of one pgbench process. */
	readonly clients: number;
	/** How long a run is: ["--transactions", "20"] or ["--time", "30"]. */
	readonly length: readonly [string, string];
}

const accountsPerScale = 100_000;

/** Drop, create, load, vacuum, primary keys: what `pgbench -i` does, on the client's side or the server's ("G"). */
export async function initialize(options: PgbenchOptions, steps: string): Promise<Violations> {
	const { cluster, scale, log } = options;
	const startedMs = performance.now();
	await initPgbench(cluster.node(1), scale, steps);
	log(`-i -s ${scale} -I ${steps}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
	const client = await cluster.node(2).connect();
	const [result] = await client.query(
		"SELECT count(*), min(aid), max(aid), count(DISTINCT bid) FROM pgbench_accounts",
	);
	await client.end();
	const accounts = scale * accountsPerScale;
	const found = (result?.rows[0] ?? []).join(" ");
	const expected = `${accounts} 1 ${accounts} ${scale}`;
	return found === expected ? [] : [`accounts after -I ${steps}: ${found}, not ${expected}`];
}

/** Each query mode, by one pgbench on one node and by three on three nodes at the same time. */
export function runAllModes(options: PgbenchOptions): Promise<Violations> {
	const each = (mode: QueryMode): Run[] => [
		{ mode, nodes: [1] },
		{ mode, nodes: [1, 2, 3] },
	];
	return runInTurn(options, queryModes.flatMap(each));
}

export async function splitPgbenchAccounts(options: PgbenchOptions, parts: number): Promise<void> {
	const client = await options.cluster.node(1).connect();
	await splitAccounts(client, options.scale * accountsPerScale, parts);
	await client.end();
}

/** A pgbench on each of the nodes. */
export interface Run {
	readonly mode: QueryMode;
	readonly nodes: readonly number[];
}

/** One after the other. Whoever made the sums unequal, they are so at the end. */
export async function runInTurn(
	options: PgbenchOptions,
	runs: readonly Run[],
): Promise<Violations> {
	const found: string[] = [];
	for (const run of runs) {
		found.push(...(await runOne(options, run)));
	}
	return [...found, ...(await checkSums(options))];
}

async function runOne(options: PgbenchOptions, { mode, nodes }: Run): Promise<Violations> {
	const { cluster, clients, length, log } = options;
	const each = Math.max(1, Math.floor(clients / nodes.length));
	const args = ["--protocol", mode, "--client", String(each), "--jobs", "1", ...length];
	const results = await Promise.all(nodes.map((node) => runPgbench(cluster.node(node), args)));
	cluster.throwIfEnded();
	const tps = results.reduce((sum, result) => sum + result.tps, 0);
	const worst = Math.max(...results.map(({ latencyMs }) => latencyMs));
	const what = `-M ${mode} -c ${each} on node ${nodes.join(", ")}`;
	log(`TPC-B ${what}: ${tps.toFixed(0)} tps, ${worst.toFixed(1)} ms`);
	return results.flatMap((result) => resultViolations(what, result));
}

function resultViolations(what: string, { processed, asked, failed }: PgbenchResult): Violations {
	const found: string[] = [];
	if (failed > 0) {
		found.push(`${what}: ${failed} failed transactions`);
	}
	if (processed === 0 || (asked !== undefined && asked !== processed)) {
		found.push(`${what}: ${processed} of ${asked ?? "any"} transactions processed`);
	}
	return found;
}

export async function checkSums({ cluster }: ScenarioContext): Promise<Violations> {
	const client = await cluster.node(3).connect();
	await client.query("BEGIN");
	const sums = await readSums(client);
	await client.query("COMMIT");
	await client.end();
	return unequalSums(sums);
}
