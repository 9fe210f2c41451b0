/**
 * Nodes that are killed or paused while clients on every node run transactions.
 *
 * 1. Every acknowledged transaction is there, once and whole; none that failed is.
 * 2. A client sees an error only where its own node died (connection lost) or stood still (57P03: it finds its requests
 *    expired), where its outcome is unknown (40003), or where a leaseholder with its lock was lost (40001). Nodes that stop in order
 *    take no locks with them and leave nothing unknown: only their own clients see it.
 * 3. The others go on meanwhile, and a node that comes back is soon as good as the others: a quorum with it serves.
 */
import type { NodeProcess } from "../harness/node-process.ts";
import { type Attempt, longestGapMs, summary } from "../workload/outcome.ts";
import { readState, violations } from "../workload/tpcb-check.ts";
import { TpcbLoad } from "../workload/tpcb-load.ts";
import { accountsPerBranch, createTpcb, splitAccounts } from "../workload/tpcb-schema.ts";
import { type ScenarioContext, seconds, type Violations } from "./scenario.ts";

export interface CrashTables {
	readonly cluster: ScenarioContext["cluster"];
	readonly scale: number;
	/** Ranges that the accounts are cut into: more than one make commits two-phase. */
	readonly ranges: number;
}

export interface CrashOptions extends ScenarioContext {
	readonly scale: number;
	readonly clientsPerNode: number;
	/** How many transactions to wait for between two steps. */
	readonly pace: number;
	/** A different one for each scenario on the same tables. */
	readonly seed: number;
	/** Transactions of earlier scenarios on the same tables; those of this one are added. */
	readonly sent: Attempt[];
}

/** Tables for one scenario, or for several that follow each other on one cluster. */
export async function prepareCrash(tables: CrashTables): Promise<void> {
	const client = await tables.cluster.node(1).connect();
	await createTpcb(client, tables.scale);
	await client.end();
	if (tables.ranges > 1) await splitTables(tables);
}

export async function splitTables({ cluster, scale, ranges }: CrashTables): Promise<void> {
	const client = await cluster.node(1).connect();
	await splitAccounts(client, scale * accountsPerBranch, ranges);
	await client.end();
}

/** One node after the other: the second dies when the first has come back, so that the rest needs what it has caught up. */
export async function killOneAfterTheOther(options: CrashOptions): Promise<Violations> {
	const run = new CrashRun(options);
	const { cluster, pace } = options;
	await run.load.more(pace);
	await run.kill(cluster.node(1));
	await run.load.more(pace, [2, 3]);
	await restart(cluster.node(1));
	await run.load.more(pace, [1]);
	await run.kill(cluster.node(2));
	await run.load.more(pace, [1, 3]);
	await restart(cluster.node(2));
	await run.load.more(pace, [1, 2, 3]);
	return run.finish();
}

/** As for a new build: each node in turn, in order, with clients on all of them that connect again. */
export async function restartEach(options: CrashOptions): Promise<Violations> {
	const run = new CrashRun(options);
	const { cluster, pace } = options;
	const all = cluster.nodes.map((_, index) => index + 1);
	await run.load.more(pace, all);
	for (const node of cluster.nodes) {
		await run.stop(node);
		await run.load.more(
			pace,
			all.filter((number) => cluster.node(number) !== node),
		);
		await restart(node);
		await run.load.more(pace, all);
	}
	return run.finish();
}

export async function killAllAtOnce(options: CrashOptions): Promise<Violations> {
	const run = new CrashRun(options);
	const { cluster, pace } = options;
	await run.load.more(pace);
	await run.kill(...cluster.nodes);
	await cluster.startAll();
	await run.load.more(pace, [1, 2, 3]);
	return run.finish();
}

/** A node that stands still for longer than its lease, and then goes on as if nothing had been. */
export async function pauseEach(options: CrashOptions): Promise<Violations> {
	const run = new CrashRun(options);
	const { cluster, pace } = options;
	for (const paused of [1, 2, 3]) {
		await run.load.more(pace, [1, 2, 3]);
		await run.pause(cluster.node(paused), async () => {
			await run.load.more(
				pace,
				[1, 2, 3].filter((number) => number !== paused),
			);
		});
	}
	await run.load.more(pace, [1, 2, 3]);
	return run.finish();
}

async function restart(node: NodeProcess): Promise<void> {
	node.start();
	await node.untilServes();
}

interface Fault {
	readonly kind: "kill" | "pause" | "stop";
	/** 1-based. */
	readonly node: number;
	readonly fromMs: number;
	readonly toMs: number;
}

class CrashRun {
	readonly load: TpcbLoad;
	readonly #options: CrashOptions;
	readonly #faults: Fault[] = [];

	constructor(options: CrashOptions) {
		this.#options = options;
		this.load = new TpcbLoad(options);
	}

	async kill(...nodes: readonly NodeProcess[]): Promise<void> {
		const fromMs = performance.now();
		await Promise.all(nodes.map((node) => node.kill()));
		for (const node of nodes) {
			this.#record("kill", node, fromMs);
		}
	}

	async stop(node: NodeProcess): Promise<void> {
		const fromMs = performance.now();
		const code = await node.terminate();
		if (code !== 0) {
			throw new Error(`${node.name} ended with ${code}`);
		}
		this.#record("stop", node, fromMs);
	}

	async pause(node: NodeProcess, meanwhile: () => Promise<void>): Promise<void> {
		const fromMs = performance.now();
		node.pause();
		await meanwhile();
		node.resume();
		this.#record("pause", node, fromMs);
	}

	#record(kind: Fault["kind"], node: NodeProcess, fromMs: number): void {
		const number = this.#options.cluster.nodes.indexOf(node) + 1;
		this.#faults.push({ kind, node: number, fromMs, toMs: performance.now() });
	}

	async finish(): Promise<Violations> {
		const { cluster, log, sent } = this.#options;
		const attempts = await this.load.stop();
		cluster.throwIfEnded();
		sent.push(...attempts);
		log(`${summary(attempts)}; longest gap ${seconds(longestGapMs(attempts))}`);
		const found: string[] = [];
		for (const node of cluster.nodes) {
			const client = await node.connect();
			const state = await readState(client);
			await client.end();
			found.push(...violations(sent, state).map((line) => `seen by ${node.name}: ${line}`));
		}
		return [...found, ...unexpectedErrors(attempts, this.#faults)];
	}
}

/** Errors that no fault explains. */
export function unexpectedErrors(
	attempts: readonly Attempt[],
	faults: readonly Fault[],
): Violations {
	const isViolent = faults.some(({ kind }) => kind !== "stop");
	return attempts.flatMap(({ id, node, outcome, startedMs, endedMs }) => {
		if (outcome.kind === "ok") return [];
		if (isViolent && (outcome.code === "40001" || outcome.code === "40003")) return [];
		const own = faults.filter(
			(fault) => fault.node === node && startedMs <= fault.toMs && fault.fromMs <= endedMs,
		);
		const explained =
			(outcome.code === "lost" && own.some(({ kind }) => kind === "kill")) ||
			(/^(lost|57P01)$/.test(outcome.code) && own.some(({ kind }) => kind === "stop")) ||
			(outcome.code === "57P03" && own.some(({ kind }) => kind === "pause"));
		return explained
			? []
			: [
					`transaction ${id} on node ${node} ended ${outcome.kind} with ${outcome.code}${outcome.detail ? `: ${outcome.detail}` : ""}`,
				];
	});
}

/** A row that a transaction of a dead node has locked can be changed through another node, without the dead one coming back. */
export async function locksOfTheDead(context: ScenarioContext): Promise<Violations> {
	const { cluster, log } = context;
	const leases = await Promise.all(cluster.nodes.map((node) => node.metric("quorate_leases")));
	// One that leads no range: the locks of one that does go with it.
	const victim = cluster.nodes[leases.indexOf(Math.min(...leases))]!;
	const other = cluster.nodes.find((node) => node !== victim)!;
	const locker = await victim.connect();
	await locker.query("CREATE TABLE locked (id int PRIMARY KEY, v int)");
	await locker.query("INSERT INTO locked VALUES (1, 0)");
	await locker.query("BEGIN; UPDATE locked SET v = 1 WHERE id = 1");
	await victim.kill();
	const client = await other.connect();
	const startedMs = performance.now();
	await client.query("SET lock_timeout = '60s'");
	await client.query("UPDATE locked SET v = v + 2 WHERE id = 1");
	log(`a lock of a dead node was given back after ${seconds(performance.now() - startedMs)}`);
	const [result] = await client.query("SELECT v FROM locked");
	await client.query("DROP TABLE locked");
	await client.end();
	await restart(victim);
	return result?.rows[0]?.[0] === "2" ? [] : [`the row is ${result?.rows}, not 2`];
}
