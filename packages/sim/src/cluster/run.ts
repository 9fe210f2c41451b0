/** One run from one seed: a cluster, clients, faults, and what must hold at the end. */
import { checkListAppend } from "@quorate/checker/list-append";
import { type Key, key } from "@quorate/keys/key";
import type { Mutations } from "@quorate/keys/mutations";
import { BankClients } from "./bank-clients.ts";
import { ListAppendClients } from "./list-append-clients.ts";
import { type FaultMenu, Nemesis } from "./nemesis.ts";
import { checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";

export interface RunOptions {
	readonly nodes?: number;
	/** Of the workload, in virtual milliseconds. */
	readonly durationMs?: number;
	/** Default "anything". */
	readonly faults?: FaultMenu | "none";
	readonly mutations?: Mutations;
	readonly onEvent?: (line: string) => void;
	/** Called at the end, with the cluster as it stands. */
	readonly inspect?: (cluster: SimCluster) => void;
	/** Clients of each kind. */
	readonly clients?: number;
}

export interface RunReport {
	readonly seed: number;
	readonly nodes: number;
	/** Empty: everything held. */
	readonly problems: readonly string[];
	/** Those of them that the history of list transactions shows. */
	readonly anomalies: readonly string[];
	readonly committed: number;
	readonly outcomes: ReadonlyMap<string, number>;
	readonly transfers: number;
	readonly totals: number;
	/** Faults by kind. */
	readonly counts: ReadonlyMap<string, number>;
	readonly events: readonly string[];
	readonly traceHash: string;
	readonly virtualMs: number;
}

const keyCount = 24;
const accountCount = 8;
const setUpMs = 120_000;
const tearDownMs = 400_000;
const splitKeys: readonly Key[] = ["b03", "b06", "l00", "l08", "l16"].map(key);

/** Seeds divide the work: every third has five nodes with three replicas a range. */
export const nodesOf = (seed: number): number => (seed % 3 === 0 ? 5 : 3);

export async function simulate(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const nodes = options.nodes ?? nodesOf(seed);
	const durationMs = options.durationMs ?? 20_000;
	const cluster = new SimCluster(seed, {
		nodes,
		...(options.mutations === undefined ? {} : { mutations: options.mutations }),
		...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
	});
	const lists = new ListAppendClients(cluster, { keyCount, thinkMsMean: 120 });
	const bank = new BankClients(cluster, accountCount);
	try {
		await cluster.start();
		await cluster.run(setUp(cluster, bank, nodes > 3), setUpMs);
		await cluster.run(load(cluster, lists, bank, options, durationMs), durationMs + tearDownMs);
		await cluster.run(conclude(cluster, lists), tearDownMs);
	} catch (error) {
		cluster.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	options.inspect?.(cluster);
	const checked = checkListAppend(lists.history);
	const anomalies = checked.anomalies.map((a) => `${a.kind}: ${a.explanation.join("; ")}`);
	cluster.problems.push(...anomalies);
	if (checked.ok === 0) cluster.problems.push("nothing was committed");
	return {
		seed,
		nodes,
		problems: cluster.problems,
		anomalies,
		committed: checked.ok,
		outcomes: lists.outcomes,
		transfers: bank.transfers,
		totals: bank.totals,
		counts: cluster.world.counts,
		events: cluster.events,
		traceHash: cluster.world.traceHash(),
		virtualMs: cluster.world.nowMs,
	};
}

async function setUp(cluster: SimCluster, bank: BankClients, relocates: boolean): Promise<void> {
	await bank.fill();
	await cluster.splitAt(splitKeys);
	if (!relocates) return;
	const ids = cluster.serving().map((n) => n.nodeId);
	for (const [i, k] of splitKeys.entries()) {
		const nodes = [0, 1, 2].map((n) => ids[(i + n) % ids.length]!);
		await cluster.administer("relocation", (node) => node.coordinator.relocate(k, nodes), 3);
	}
}

async function load(
	cluster: SimCluster,
	lists: ListAppendClients,
	bank: BankClients,
	options: RunOptions,
	durationMs: number,
): Promise<void> {
	const endMs = cluster.world.nowMs + durationMs;
	const goesOn = () => cluster.world.nowMs < endMs && cluster.problems.length === 0;
	const clients = options.clients ?? 6;
	const work: Promise<void>[] = [];
	for (let id = 0; id < clients; id++) work.push(lists.run(id, goesOn));
	for (let id = 0; id < Math.ceil(clients / 3); id++) work.push(bank.run(id, 300, goesOn));
	for (const [i, node] of cluster.nodes.entries()) work.push(lists.observe(100 + i, node, goesOn));
	const menu = options.faults ?? "anything";
	if (menu !== "none") {
		const nemesis = new Nemesis(cluster, {
			keys: [...lists.keys, ...bank.accounts],
			menu,
			pauseMsMean: 1_500,
			relocateTo: cluster.nodes.length > 3 ? 3 : 0,
		});
		work.push(nemesis.run(goesOn));
	}
	await Promise.all(work);
}

/** Faults end; everything is read once more; then nothing may be left over. */
async function conclude(cluster: SimCluster, lists: ListAppendClients): Promise<void> {
	await cluster.heal();
	let reads = 0;
	await cluster.until("every list can be read", 60_000, async () => {
		const gateway = cluster.nodes[reads++ % cluster.nodes.length]!;
		return lists.readAll(1_000 + reads, gateway);
	});
	await checkReplicas(cluster);
}
