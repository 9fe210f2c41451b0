/**
 * List-append transactions through every node while nodes are killed and paused; the history must be strictly serializable. Ends with
 * a read of every list, or lost appends at their ends would stay unseen.
 */
import type { Transaction } from "@quorate/checker/history";
import { checkListAppend } from "@quorate/checker/list-append";
import { until } from "../harness/poll.ts";
import { ListAppendClient, ListAppendCounters, listTable } from "../workload/list-append-client.ts";
import { SeededRandom } from "../workload/random.ts";
import type { ScenarioContext, Violations } from "./scenario.ts";

export interface ListAppendOptions extends ScenarioContext {
	readonly clientsPerNode: number;
	readonly keyCount: number;
	/** How many kills and pauses, one after the other. */
	readonly faults: number;
	/** Committed transactions between two steps. */
	readonly pace: number;
	readonly seed: number;
}

/** Codes that end a transaction without anything being wrong: conflicts, deadlocks, an unknown outcome, a node that is gone. */
const explained = new Set(["40001", "40P01", "40003", "lost", "57P01"]);

export async function listAppend(options: ListAppendOptions): Promise<Violations> {
	await createLists(options);
	const run = new ListAppendRun(options);
	const random = new SeededRandom(options.seed);
	for (let fault = 0; fault < options.faults; fault++) {
		await run.more();
		await run.fault(random);
	}
	await run.more();
	return run.finish();
}

async function createLists({ cluster, keyCount }: ListAppendOptions): Promise<void> {
	const client = await cluster.node(1).connect();
	const keys = Array.from({ length: keyCount }, (_, index) => index + 1);
	await client.query(listTable);
	await client.query(`INSERT INTO lists VALUES ${keys.map((key) => `(${key}, '')`).join(", ")}`);
	const third = Math.floor(keyCount / 3);
	await client.query(`ALTER TABLE lists SPLIT AT VALUES (${third + 1}), (${2 * third + 1})`);
	await client.end();
}

class ListAppendRun {
	readonly #options: ListAppendOptions;
	readonly #counters = new ListAppendCounters();
	readonly #history: Transaction[] = [];
	readonly #codes = new Map<string, number>();
	readonly #clients: readonly ListAppendClient[];
	readonly #running: Promise<unknown>;
	#committed = 0;

	constructor(options: ListAppendOptions) {
		this.#options = options;
		const { cluster, clientsPerNode, keyCount, seed } = options;
		this.#clients = cluster.nodes.flatMap((node, nodeIndex) =>
			Array.from({ length: clientsPerNode }, (_, index) => {
				const process = nodeIndex * clientsPerNode + index;
				return new ListAppendClient({
					process,
					node,
					keyCount,
					seed: seed * 1000 + process,
					counters: this.#counters,
					done: (transaction, _node, code) => this.#done(transaction, code),
				});
			}),
		);
		this.#running = Promise.all(this.#clients.map((client) => client.run()));
		// Looked at in `finish`; until then a failure of a client must not end the process.
		this.#running.catch(() => undefined);
	}

	async more(): Promise<void> {
		const goal = this.#committed + this.#options.pace;
		await until(`${this.#options.pace} more transactions`, () => {
			this.#options.cluster.throwIfEnded();
			return this.#committed >= goal;
		});
	}

	async fault(random: SeededRandom): Promise<void> {
		const { cluster } = this.#options;
		const node = cluster.node(random.between(1, cluster.nodes.length));
		const kind = random.between(1, 5);
		if (kind === 1) {
			await cluster.killAll();
			await cluster.startAll();
		} else if (kind <= 3) {
			await node.kill();
			await this.more();
			node.start();
			await node.untilServes();
		} else {
			node.pause();
			await this.more();
			node.resume();
		}
	}

	async finish(): Promise<Violations> {
		for (const client of this.#clients) {
			client.stop();
		}
		await this.#running;
		this.#options.cluster.throwIfEnded();
		await this.#readAll();
		const { valid, ok, anomalies } = checkListAppend(this.#history);
		const codes = [...this.#codes].map(([code, count]) => `${code} ${count}`).sort();
		this.#options.log(`${ok} committed${codes.map((code) => `, ${code}`).join("")}`);
		const found = anomalies.map(
			({ kind, explanation }) => `${kind}:\n  ${explanation.join("\n  ")}`,
		);
		if (!valid && found.length === 0) {
			found.push("nothing was committed");
		}
		const strange = [...this.#codes.keys()].filter((code) => !explained.has(code));
		return [...found, ...strange.map((code) => `a transaction ended with ${code}`)];
	}

	async #readAll(): Promise<void> {
		const { cluster } = this.#options;
		for (const node of cluster.nodes) {
			const client = await node.connect();
			const invoked = this.#counters.position();
			const [result] = await client.query("SELECT k, v FROM lists ORDER BY k");
			const ops = (result?.rows ?? []).map(
				([key, list]) => ["r", Number(key), list!.split(" ").filter(Boolean).map(Number)] as const,
			);
			const completed = this.#counters.position();
			const id = this.#counters.transaction();
			this.#history.push({ id, process: -1, status: "ok", ops, invoked, completed });
			await client.end();
		}
	}

	#done(transaction: Transaction, code: string): void {
		this.#history.push(transaction);
		if (transaction.status === "ok") {
			this.#committed++;
		} else {
			this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
		}
	}
}
