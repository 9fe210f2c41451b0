/**
 * A model of the commit protocol alone: `make model`. Nothing of the product runs here; the rules are written down once more, as
 * short as they can be, and walked through at random, millions of times. What it finds is wrong with the protocol, not with
 * the code; what it does not find without a rule shows where it is too weak.
 *
 * In a walk five transactions (reads, ordinary ones, large ones in chunks, hot rows) run on two ranges of two keys, each on two
 * replicas, behind two gateways and an oracle of two members. A range's Raft log is one list that its replicas apply at
 * their own pace, and to which a proposal comes late, twice or never, in any order: worse than Raft. Time is what the
 * oracle's clock says. Messages are lost, doubled and late; replicas lag and crash, gateways crash, the oracle's leader
 * changes without the old one's knowledge (`weather.ts`: each walk draws how rough it is). Then all is calm: what is
 * under way arrives, everything must end, no intent may be left. `checker.ts` judges:
 *
 * 1. Some order of the committed transactions, in which nobody comes before one that was acknowledged before it began, explains
 *    every value read and the final ones. All orders are tried.
 * 2. What was acknowledged is there, all of it, once; what was reported as failed is not there; nothing is half there.
 * 3. T1: a value served at s, also to who failed later, is the key's at s in the final history.
 * 4. Everything ends once the faults stop.
 *
 * The files: `state.ts`, `messages.ts` and `transaction.ts` are what there is. `oracle.ts` (O1 to O4). A range: `lease.ts` (L1, L2),
 * `apply.ts` (the entries of its log; L3, L4, T3, T4), `leaseholder.ts` and behind it `reads.ts`, `prepare.ts`, `validation.ts`,
 * `one-phase.ts` (with hot rows), `claims.ts` (what readers wait for). A gateway: `gateway.ts`, `commit.ts` (T2, T5), `calls.ts`.
 * `recovery.ts`: what leaseholders do about transactions that nobody finishes. `mutations.ts`: the rules that can be dropped.
 *
 * Left out: Raft itself, membership, snapshots, splits and merges (so L3's range version), garbage collection, follower reads,
 * schema changes, spans, deletions, locks, deadlocks other than T6's, weaker isolation, the directory, heartbeats (a living
 * coordinator is found silent at random). Beyond the code of today: hot rows, and large transactions that are open.
 */
import { Worker } from "node:worker_threads";
import { isMutationName, type MutationName, mutationNames, mutations } from "./mutations.ts";
import { newCounts } from "./state.ts";
import { walk } from "./walk.ts";
import type { Block, BlockResult, WorkerOptions } from "./worker.ts";

const help = `The commit protocol alone, in random walks.

  make model                        five million walks; exit code 1 if one of them fails
  make model WALKS=20000 SEED=7     fewer, and others: one seed always gives the same walks
  make model WITHOUT=L1.read        drops a rule: shows the first walk that goes wrong without it
  make model WALK=1234 TRACE=1      walk 1234 of the seed, event by event (WITHOUT as above)
  make model HELP=1                 this text

In each walk five transactions run on two ranges of two keys, each on two replicas, while messages get lost, late and
doubled, leases move, machines crash and the oracle changes its leader. Then all is calm until everything has ended, and the
histories are checked: every order of the transactions is tried until one explains what the clients saw.

How to read a trace: the number in front is the step. Timestamps are what the oracle counts, 4,096 a millisecond. At the end
stands what became of each transaction, and all versions of each key.

Rules that WITHOUT takes:
${mutationNames.map((name) => `  ${name.padEnd(16)} ${mutations[name].does}`).join("\n")}
`;

interface Options extends WorkerOptions {
	readonly walks: number;
	/** Only this one. */
	readonly only: number | undefined;
	readonly trace: boolean;
}

const threadCount = 2;
const blockSize = 5_000;

function usage(message: string): never {
	console.error(`model: ${message}; make model HELP=1 says more`);
	process.exit(2);
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
	if (text === undefined || text === "") return undefined;
	if (!/^\d{1,15}$/.test(text)) usage(`${name} is a whole number, not ${text}`);
	return Number(text);
}

function readOptions(): Options | undefined {
	const { env } = process;
	const [flag] = process.argv.slice(2);
	if (flag === "--help" || flag === "-h" || env["HELP"] === "1") return undefined;
	if (flag !== undefined) usage(`takes no ${flag}, but WALKS, SEED, WITHOUT, WALK and TRACE`);
	const { WITHOUT: without } = env;
	if (without !== undefined && without !== "" && !isMutationName(without)) {
		usage(`there is no rule ${without}`);
	}
	return {
		walks: wholeNumber("WALKS", env["WALKS"]) ?? 5_000_000,
		seed: wholeNumber("SEED", env["SEED"]) ?? 1,
		only: wholeNumber("WALK", env["WALK"]),
		without: (without || undefined) as MutationName | undefined,
		trace: env["TRACE"] === "1",
	};
}

/** The whole of one walk. Returns false if it failed. */
function show({ seed, without }: Options, number: number, prints: boolean): boolean {
	const trace: string[] = [];
	const failure = walk({ seed, walk: number, without, counts: newCounts(), trace });
	if (prints || failure !== undefined) console.log(trace.join("\n"));
	const what = failure === undefined ? "nothing is wrong" : `${failure.kind}: ${failure.what}`;
	console.log(`walk ${number} of seed ${seed}: ${what}`);
	return failure === undefined;
}

interface Total {
	walked: number;
	failed: number | undefined;
	readonly counts: Record<string, number>;
}

/** Blocks are given out in order, so the lowest walk that fails is found, whoever finds one first. */
function walkAll(options: Options, onProgress: (walked: number) => void): Promise<Total> {
	const { walks, seed, without } = options;
	const total: Total = { walked: 0, failed: undefined, counts: {} };
	let next = 0;
	let working = 0;
	return new Promise((resolve, reject) => {
		const give = (worker: Worker): void => {
			if (next >= walks || total.failed !== undefined) {
				void worker.terminate();
				working--;
				if (working === 0) resolve(total);
				return;
			}
			const block: Block = { first: next, end: Math.min(walks, next + blockSize) };
			next = block.end;
			worker.postMessage(block);
		};
		for (let i = 0; i < threadCount; i++) {
			const workerData: WorkerOptions = { seed, without };
			const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData });
			working++;
			worker.on("error", reject);
			worker.on("message", (result: BlockResult) => {
				add(total, result);
				onProgress(total.walked);
				give(worker);
			});
			give(worker);
		}
	});
}

function add(total: Total, { block, failed, counts }: BlockResult): void {
	total.walked += block.end - block.first;
	for (const [name, count] of Object.entries(counts)) {
		total.counts[name] = (total.counts[name] ?? 0) + count;
	}
	if (failed !== undefined && !(total.failed !== undefined && total.failed < failed.walk)) {
		total.failed = failed.walk;
	}
}

/** A bar on a terminal, a line a tenth elsewhere. */
function progress(walks: number, startedMs: number): (walked: number) => void {
	let tenths = 0;
	return (walked) => {
		const seconds = (Date.now() - startedMs) / 1_000;
		const rate = `${Math.round(walked / Math.max(seconds, 0.001))} walks/s`;
		if (process.stderr.isTTY) {
			const bar = "#".repeat(Math.round((walked / walks) * 40)).padEnd(40);
			process.stderr.write(`\r[${bar}] ${walked} of ${walks}, ${rate} `);
			if (walked === walks) process.stderr.write("\n");
		} else if (Math.floor((walked / walks) * 10) > tenths) {
			tenths = Math.floor((walked / walks) * 10);
			console.error(`${walked} of ${walks} walks, ${rate}`);
		}
	};
}

async function main(): Promise<number> {
	const options = readOptions();
	if (options === undefined) {
		console.log(help);
		return 0;
	}
	const { walks, seed, only, without, trace } = options;
	if (only !== undefined) return show(options, only, trace) ? 0 : 1;
	const startedMs = Date.now();
	const total = await walkAll(options, progress(walks, startedMs));
	const again = `make model SEED=${seed}${without === undefined ? "" : ` WITHOUT=${without}`}`;
	if (total.failed !== undefined) {
		show(options, total.failed, true);
		console.log(`again: ${again} WALK=${total.failed} TRACE=1`);
		return 1;
	}
	const counts = Object.entries(total.counts).map(([name, count]) => `${name} ${count}`);
	console.log(`what happened in them: ${counts.join(", ")}`);
	const seconds = Math.round((Date.now() - startedMs) / 1_000);
	console.log(`${total.walked} walks of seed ${seed} in ${seconds} s, no violation`);
	return 0;
}

process.exitCode = await main();
