/** One run of sessions that lock, listen and notify, from one seed. */
import { type Key, key } from "@quorate/keys/key";
import { Nemesis } from "./nemesis.ts";
import { type Profile, profile } from "./profile.ts";
import { repair } from "./repair.ts";
import { checkReplicas } from "./replica-checks.ts";
import { clusterOf, type RunOptions, type RunReport, reportOf } from "./run.ts";
import { rangeStarts } from "./run-sql.ts";
import { SessionWorkload, schema } from "./session-workload.ts";
import type { SimCluster } from "./sim-cluster.ts";
import { SqlSession } from "./sql-session.ts";

const clientMachine = 100;
const setUpMs = 120_000;
const tearDownMs = 400_000;

/** Every other seed has nodes that are taken for dead, the others anything. */
const profileOf = (seed: number, options: RunOptions): Profile => ({
	...profile(options.profile ?? (seed % 4 === 0 ? "tight" : "plain")),
	...(seed % 2 === 0 ? {} : { menu: "silences" as const, pauseMsMean: 2_500 }),
	durationMs: 20_000,
	...options.change,
});

export async function simulateSessions(seed: number, options: RunOptions = {}): Promise<RunReport> {
	const p = profileOf(seed, options);
	const cluster = clusterOf(seed, p, options);
	const { world } = cluster;
	const runtime = world.addMachine(clientMachine).boot();
	const workload = new SessionWorkload(cluster, runtime);
	/** Of locks, of notifications, of tables: what leases move and split by. */
	const keys = [key("\x01a"), key("\x01q")];
	const session = new SqlSession(cluster, runtime, world.random("sessions"));
	try {
		await cluster.start();
		await cluster.run(session.insist(...schema), setUpMs);
		await cluster.run(
			rangeStarts(cluster).then((found) => keys.push(...found)),
			setUpMs,
		);
		const ended = load(cluster, workload, p, keys);
		await cluster.run(ended.faults, p.durationMs + tearDownMs);
		await cluster.run(cluster.heal(), tearDownMs);
		await cluster.run(repair(cluster, world.random("repair")), tearDownMs);
		workload.settled();
		await cluster.run(ended.clients, tearDownMs);
		await cluster.run(conclude(session, workload), tearDownMs);
		await cluster.run(checkReplicas(cluster), tearDownMs);
	} catch (error) {
		cluster.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
	}
	options.inspect?.(cluster);
	const { sections, tickets, told, lostLocks } = workload.counts;
	if (sections + tickets === 0) cluster.problems.push("nothing was done");
	return {
		...reportOf(cluster, seed, `sessions, ${p.menu}`),
		anomalies: [],
		committed: sections + tickets,
		outcomes: new Map(),
		work: { transactions: sections + tickets, sections, tickets, told, lostLocks },
	};
}

interface Load {
	/** Nobody locks or sends any more, and no fault is under way. */
	readonly faults: Promise<unknown>;
	/** Those who listen have heard the last. */
	readonly clients: Promise<unknown>;
}

function load(
	cluster: SimCluster,
	workload: SessionWorkload,
	p: Profile,
	keys: readonly Key[],
): Load {
	const { world } = cluster;
	const endMs = world.nowMs + p.durationMs;
	const goesOn = () => world.nowMs < endMs && cluster.problems.length === 0;
	const busy: Promise<void>[] = [];
	for (let id = 0; id < 6; id++) {
		busy.push(workload.mutexClient(world.random(`mutex ${id}`), goesOn));
	}
	for (let id = 0; id < 3; id++) {
		busy.push(workload.sender(world.random(`sender ${id}`), goesOn));
	}
	const listeners = Array.from({ length: 3 }, (_, id) =>
		workload.listener(`listener ${id}`, world.random(`listener ${id}`), goesOn),
	);
	const { menu, pauseMsMean } = p;
	if (menu !== "none") {
		const clients = [world.machine(clientMachine)];
		busy.push(new Nemesis(cluster, { keys, menu, pauseMsMean, clients }).run(goesOn));
	}
	return { faults: Promise.all(busy), clients: Promise.all(listeners) };
}

async function conclude(session: SqlSession, workload: SessionWorkload): Promise<void> {
	const guarded = await session.insist("SELECT id, v FROM guarded ORDER BY id");
	const [ticket] = await session.insist("SELECT n FROM tickets WHERE id = 1");
	workload.conclude(guarded, Number(ticket![0]));
}
