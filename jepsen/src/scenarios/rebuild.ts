/**
 * A node of three whose files are damaged: it refuses to start and names the file; `quorate node rebuild` discards what it holds; the
 * others copy it again. Then another node is lost for good measure, so that every quorum needs the one that was rebuilt.
 *
 * 1. Every acknowledged transaction is there, once and whole; none that failed is.
 * 2. The refusal names the damaged file and the command; the command refuses while the node runs, and where it could lose data.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeProcess } from "../harness/node-process.ts";
import { until } from "../harness/poll.ts";
import { type ProgramResult, runProgram } from "../tools/run-program.ts";
import type { Attempt } from "../workload/outcome.ts";
import { readState, violations } from "../workload/tpcb-check.ts";
import { TpcbLoad } from "../workload/tpcb-load.ts";
import type { ScenarioContext, Violations } from "./scenario.ts";

export interface RebuildOptions extends ScenarioContext {
	readonly scale: number;
	readonly clientsPerNode: number;
	/** How many transactions to wait for between two steps. */
	readonly pace: number;
	readonly seed: number;
	/** Transactions of earlier scenarios on the same tables; those of this one are added. */
	readonly sent: Attempt[];
	readonly victim: number;
	readonly damage: "wal" | "identity" | "engine";
}

export async function rebuildNode(options: RebuildOptions): Promise<Violations> {
	const { cluster, log, pace, victim: number } = options;
	const victim = cluster.node(number);
	const others = [1, 2, 3].filter((n) => n !== number);
	const found: string[] = [];
	const expect = (what: string, holds: boolean, result: ProgramResult): void => {
		if (!holds) {
			found.push(`${what}: it ended with ${result.status}, ${result.out}${result.err}`);
		}
	};

	const during = new TpcbLoad({ ...options, seed: 2 * options.seed, nodes: others });
	await during.more(pace, others);
	const early = await rebuild(victim);
	expect("a rebuild of a running node is refused", refuses(early, /a node runs on/), early);
	await victim.kill();
	const damaged = damageFiles(victim.description.data, options.damage);
	log(`${victim.name}: damaged ${damaged}`);
	const start = await startInVain(victim);
	const names = new RegExp(`${damaged.replaceAll(".", "\\.")}[\\s\\S]*quorate node rebuild`);
	expect(`the start names ${damaged}`, refuses(start, names), start);
	const done = await rebuild(victim, flagsOf(victim, options));
	expect("the node is rebuilt", done.status === 0, done);
	await during.more(pace, others);
	victim.start();
	await victim.untilServes();
	await untilRenewed(victim);
	log(`${victim.name}: rebuilt after ${during.acknowledged()} transactions of the others`);
	const attempts = [...(await during.stop())];

	const lost = cluster.node(others[0] as number);
	await lost.kill();
	log(`${lost.name}: killed, the rebuilt node is needed now`);
	const left = [1, 2, 3].filter((n) => cluster.node(n) !== lost);
	const after = new TpcbLoad({ ...options, seed: 2 * options.seed + 1, nodes: left });
	await after.more(pace, left);
	const unsafe = await rebuild(lost);
	expect("a rebuild that loses nothing is done", unsafe.status === 0, unsafe);
	lost.start();
	await lost.untilServes();
	await untilRenewed(lost);
	attempts.push(...(await after.stop()));
	cluster.throwIfEnded();
	options.sent.push(...attempts);
	for (const node of cluster.nodes) {
		const client = await node.connect();
		const state = await readState(client);
		await client.end();
		found.push(...violations(options.sent, state).map((line) => `seen by ${node.name}: ${line}`));
	}
	return found;
}

/** Where two of three nodes are down nobody can say that the third one's copies are not the last. */
export async function unsafeRebuildIsRefused(context: ScenarioContext): Promise<Violations> {
	const [first, second] = context.cluster.nodes as [NodeProcess, NodeProcess];
	await Promise.all([first.kill(), second.kill()]);
	const result = await rebuild(first);
	await context.cluster.startAll();
	return refuses(result, /no majority without this node[\s\S]*--force/)
		? []
		: [`a rebuild of the last copy but one: ${result.status}, ${result.out}${result.err}`];
}

const refuses = (result: ProgramResult, why: RegExp): boolean =>
	result.status !== 0 && why.test(result.err);

function rebuild(node: NodeProcess, flags: readonly string[] = []): Promise<ProgramResult> {
	const { program, data } = node.description;
	const [first, ...rest] = program;
	return runProgram(first!, [...rest, "node", "rebuild", "--data", data, ...flags], node);
}

/** Who lost its identity must be told who it was. */
function flagsOf(node: NodeProcess, { damage }: RebuildOptions): readonly string[] {
	const { join: peers, peerPort } = node.description;
	return damage === "identity" ? ["--join", peers, "--listen", `127.0.0.1:${peerPort}`] : [];
}

/** The start of a node that must refuse it. */
function startInVain(node: NodeProcess): Promise<ProgramResult> {
	const { program, join: peers, data, sqlPort, peerPort, adminPort } = node.description;
	const [first, ...rest] = program;
	const flags = {
		"--join": peers,
		"--data": data,
		"--listen": `127.0.0.1:${peerPort}`,
		"--sql": `127.0.0.1:${sqlPort}`,
		"--admin": `127.0.0.1:${adminPort}`,
	};
	return runProgram(first!, [...rest, "start", ...Object.entries(flags).flat()], node);
}

async function untilRenewed(node: NodeProcess): Promise<void> {
	await until(`${node.name} has all its replicas again`, async () => {
		node.throwIfEnded();
		const response = await fetch(`http://127.0.0.1:${node.description.adminPort}/health`);
		const { renewing, member } = (await response.json()) as { renewing?: number; member?: boolean };
		return renewing === 0 && member === true;
	});
}

/** Returns the file that was damaged, as messages name it. */
function damageFiles(data: string, what: RebuildOptions["damage"]): string {
	if (what === "identity") {
		writeFileSync(join(data, "identity.json"), "{}");
		return "identity.json";
	}
	if (what === "engine") {
		rmSync(join(data, "engine", "CURRENT"));
		return "CURRENT";
	}
	const name = readdirSync(join(data, "wal")).find((file) => file.endsWith(".log")) as string;
	const path = join(data, "wal", name);
	const bytes = readFileSync(path);
	const at = bytes.length >> 1;
	bytes[at] = bytes[at]! ^ 0x10;
	writeFileSync(path, bytes);
	return name;
}
