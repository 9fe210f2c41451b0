/** One run from one seed: a cluster, clients, faults, and what must hold at the end. */
import { checkListAppend } from "@quorate/checker/list-append";
import { checkRegisters } from "@quorate/checker/registers";
import { type Key, key } from "@quorate/keys/key";
import type { Mutations } from "@quorate/keys/mutations";
import type { CrashKind } from "../runtime/machine.ts";
import { BankClients } from "./bank-clients.ts";
import { checkCalm } from "./calm-check.ts";
import { ListAppendClients } from "./list-append-clients.ts";
import { checkLiveness } from "./liveness.ts";
import { Nemesis } from "./nemesis.ts";
import { checkPlacement } from "./placement-check.ts";
import { type Profile, type ProfileName, profile, profileOf } from "./profile.ts";
import { RegisterClients } from "./register-clients.ts";
import { repair, replicaCount } from "./repair.ts";
import { checkMembers, checkReplicas } from "./replica-checks.ts";
import { SimCluster } from "./sim-cluster.ts";
import type { WorkKind } from "./work-counts.ts";

export interface RunOptions {
	/** Instead of the one that the seed draws. */
	readonly profile?: ProfileName;
	/** Instead of what the profile says. */
	readonly change?: Partial<Profile>;
	readonly mutations?: Mutations;
	readonly onEvent?: (line: string) => void;
	/** Called at the end, with the cluster as it stands. */
	readonly inspect?: (cluster: SimCluster) => void;
}

export interface RunReport {
	readonly seed: number;
	readonly profile: string;
	readonly nodes: number;
	/** Empty: everything held. */
	readonly problems: readonly string[];
	/** Those of them that only say that something took too long. */
	readonly delays: readonly string[];
	/** Those that the histories show. */
	readonly anomalies: readonly string[];
	readonly committed: number;
	readonly outcomes: ReadonlyMap<string, number>;
	/** What was done, by kind. */
	readonly work: Readonly<Record<string, number>>;
	/** Faults by kind. */
	readonly counts: ReadonlyMap<string, number>;
	/** Virtual milliseconds for which the dead were in somebody's way. */
	readonly bereavedMs: Readonly<Record<CrashKind, readonly number[]>>;
	readonly events: readonly string[];
	readonly traceHash: string;
	readonly virtualMs: number;
}

const accountCount = 8;
const registerCount = 12;
const setUpMs = 120_000;
const tearDownMs = 400_000;
const splitKeys: readonly Key[] = ["b03", "b06", "l00", "l08", "l16", "r06"].map(key);

interface Workload {
	readonly lists: ListAppendClients;
	readonly registers: RegisterClients;
	readonly bank: BankClients;
}

/** What a profile and the options of a run say of its cluster. */
export const clusterOf = (seed: number, p: Profile, options: RunOptions): SimCluster =>
	new SimCluster(seed, {
		nodes: p.nodes,
		spares: p.spares,
		limits: p.limits,
		world: { network: p.network },
		...(options.mutations === undefined ? {} : { mutations: options.mutations }),
		...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
	});

export async function simulate(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const name = options.profile ?? profileOf(seed);
	const p: Profile = { ...profile(name), ...options.change };
	const cluster = clusterOf(seed, p, options);
	const workload: Workload = {
		lists: new ListAppendClients(cluster, p),
		registers: new RegisterClients(cluster, registerCount),
		bank: new BankClients(cluster, accountCount),
	};
	const { lists, registers, bank } = workload;
	try {
		await cluster.start();
		await cluster.run(setUp(cluster, bank), setUpMs);
		const loadMs = p.durationMs + (p.quietMs ?? 0);
		await cluster.run(load(cluster, workload, p), loadMs + tearDownMs);
		await cluster.run(conclude(cluster, workload), tearDownMs);
	} catch (error) {
		cluster.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	options.inspect?.(cluster);
	const checked = checkListAppend(lists.history);
	const checkedRegisters = checkRegisters(registers.history);
	const anomalies = [...checked.anomalies, ...checkedRegisters.anomalies].map(
		(a) => `${a.kind}: ${a.explanation.join("; ")}`,
	);
	cluster.problems.push(...anomalies);
	if (checked.ok === 0) cluster.problems.push("nothing was committed");
	const committed = checked.ok + checkedRegisters.ok + bank.transfers + bank.totals;
	return {
		...reportOf(cluster, seed, name),
		anomalies,
		committed,
		outcomes: lists.outcomes,
		work: {
			transactions: committed,
			lists: checked.ok,
			registers: checkedRegisters.ok,
			transfers: bank.transfers,
			totals: bank.totals,
			...workOf(cluster),
		},
	};
}

/** What is the same for every workload. */
export function reportOf(
	cluster: SimCluster,
	seed: number,
	name: string,
): Pick<
	RunReport,
	| "seed"
	| "profile"
	| "nodes"
	| "problems"
	| "delays"
	| "counts"
	| "bereavedMs"
	| "events"
	| "traceHash"
	| "virtualMs"
> {
	const { world, problems, delays, bereavedMs, events, nodes } = cluster;
	return {
		seed,
		profile: name,
		nodes: nodes.length,
		problems: [...problems, ...delays],
		delays,
		counts: world.counts,
		bereavedMs,
		events,
		traceHash: world.traceHash(),
		virtualMs: world.nowMs,
	};
}

export const workOf = (
	cluster: SimCluster,
): Readonly<Record<WorkKind | "splits" | "valuesJudged" | "replicasCompared", number>> => ({
	...cluster.work().counts,
	splits: cluster.splits,
	valuesJudged: cluster.monitor.valuesRead,
	replicasCompared: cluster.monitor.compared,
});

async function setUp(cluster: SimCluster, bank: BankClients): Promise<void> {
	await bank.fill();
	await cluster.splitAt(splitKeys);
	await spread(cluster, splitKeys);
}

/** Where there are more nodes than a range has replicas, ranges live on different ones. */
export async function spread(cluster: SimCluster, keys: readonly Key[]): Promise<void> {
	const ids = cluster.serving().map((n) => n.nodeId);
	if (ids.length <= replicaCount) return;
	for (const [i, k] of keys.entries()) {
		const nodes = [0, 1, 2].map((n) => ids[(i + n) % ids.length]!);
		await cluster.administer("relocation", (node) => node.coordinator.relocate(k, nodes), 3);
	}
}

async function load(
	cluster: SimCluster,
	{ lists, registers, bank }: Workload,
	p: Profile,
): Promise<void> {
	const endMs = cluster.world.nowMs + p.durationMs;
	const goesOn = () => cluster.world.nowMs < endMs && cluster.problems.length === 0;
	const work: Promise<void>[] = [];
	const { clients } = p;
	for (let id = 0; id < clients; id++) work.push(lists.run(id, goesOn));
	for (let id = 0; id < Math.ceil(clients / 3); id++) {
		work.push(bank.run(id, 2.5 * p.thinkMsMean, goesOn));
		work.push(registers.run(id, p.thinkMsMean, goesOn));
	}
	if (clients > 2) {
		for (const [i, node] of cluster.nodes.entries()) {
			work.push(lists.observe(100 + i, node, goesOn));
		}
	}
	const { menu, pauseMsMean, faultsAtOnce: atOnce } = p;
	if (menu !== "none") {
		const keys = [...lists.keys, ...bank.accounts, ...registers.keys];
		const nemesis = new Nemesis(cluster, { keys, menu, pauseMsMean, atOnce });
		const lastMs = endMs + (p.quietMs ?? 0);
		const strikes = () => cluster.world.nowMs < lastMs && cluster.problems.length === 0;
		work.push(nemesis.run(strikes));
	}
	await Promise.all(work);
}

/** Faults end; everything is read once more; then nothing may be left over. */
async function conclude(cluster: SimCluster, { lists, registers }: Workload): Promise<void> {
	await cluster.heal();
	await repair(cluster, cluster.world.random("repair"));
	if (cluster.isScheduled) await checkPlacement(cluster);
	if (cluster.mergesBySize) await checkCalm(cluster);
	await checkMembers(cluster);
	await checkLiveness(cluster, [...lists.keys, ...registers.keys]);
	let reads = 0;
	for (const readAll of [lists, registers]) {
		await cluster.until("everything can be read", 10_000, async () => {
			const gateway = cluster.nodes[reads++ % cluster.nodes.length]!;
			return readAll.readAll(1_000 + reads, gateway);
		});
	}
	await checkReplicas(cluster);
}
