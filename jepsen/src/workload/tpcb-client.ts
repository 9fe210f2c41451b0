/** One client of the load: transaction after transaction on one node, and again a connection when it was lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { type PgClient, ServerError } from "quorate/client/pg-client";
import type { NodeProcess } from "../harness/node-process.ts";
import type { Attempt, Outcome } from "./outcome.ts";
import { SeededRandom } from "./random.ts";
import { accountsPerBranch, tellersPerBranch } from "./tpcb-schema.ts";

export interface TpcbClientOptions {
	readonly node: NodeProcess;
	readonly nodeNumber: number;
	/** Numbers of its transactions are `firstId`, `firstId` + 1, ... */
	readonly firstId: number;
	readonly scale: number;
	readonly seed: number;
	done(attempt: Attempt): void;
}

/** Before it tries again what cannot be done at present: to connect to a node that is down, to write to a full disk. */
const retryMs = 50;
const diskFull = "53100";
/** statement_completion_unknown: the commit may have happened. */
const outcomeUnknown = "40003";

type Planned = Omit<Attempt, "outcome" | "startedMs" | "endedMs">;

export class TpcbClient {
	readonly #options: TpcbClientOptions;
	readonly #random: SeededRandom;
	#nextId: number;
	#client: PgClient | undefined;
	#stopping = false;
	/** What the server refused a connection with, where it was not simply down: a code, once for each. */
	readonly refusals = new Set<string>();

	constructor(options: TpcbClientOptions) {
		this.#options = options;
		this.#random = new SeededRandom(options.seed);
		this.#nextId = options.firstId;
	}

	/** Resolves after `stop`, when the transaction that was running has ended. */
	async run(): Promise<void> {
		while (!this.#stopping) {
			this.#client ??= await this.#connect();
			if (this.#client === undefined) {
				await sleep(retryMs);
				continue;
			}
			const planned = this.#plan();
			const startedMs = performance.now();
			const outcome = await runTransaction(this.#client, planned);
			this.#options.done({ ...planned, outcome, startedMs, endedMs: performance.now() });
			if (!this.#client.connected) {
				this.#client = undefined;
			}
			if (outcome.kind === "failed" && outcome.code === diskFull) {
				await sleep(retryMs);
			}
		}
		await this.#client?.end();
	}

	stop(): void {
		this.#stopping = true;
	}

	async #connect(): Promise<PgClient | undefined> {
		try {
			return await this.#options.node.connect("tpcb");
		} catch (error) {
			if (error instanceof ServerError) {
				this.refusals.add(error.code);
			}
			return undefined;
		}
	}

	#plan(): Planned {
		const { scale, nodeNumber } = this.#options;
		const teller = this.#random.between(1, scale * tellersPerBranch);
		return {
			id: this.#nextId++,
			node: nodeNumber,
			account: this.#random.between(1, scale * accountsPerBranch),
			teller,
			branch: this.#random.between(1, scale),
			delta: this.#random.between(-5000, 5000),
		};
	}
}

async function runTransaction(client: PgClient, planned: Planned): Promise<Outcome> {
	const { id, account, teller, branch, delta } = planned;
	const statements = [
		"BEGIN",
		`UPDATE pgbench_accounts SET abalance = abalance + ${delta} WHERE aid = ${account}`,
		`SELECT abalance FROM pgbench_accounts WHERE aid = ${account}`,
		`UPDATE pgbench_tellers SET tbalance = tbalance + ${delta} WHERE tid = ${teller}`,
		`UPDATE pgbench_branches SET bbalance = bbalance + ${delta} WHERE bid = ${branch}`,
		`INSERT INTO pgbench_history VALUES (${teller}, ${branch}, ${account}, ${delta}, CURRENT_TIMESTAMP, '${id}')`,
		`INSERT INTO ids VALUES (${id})`,
	];
	try {
		for (const statement of statements) {
			await client.query(statement);
		}
	} catch (error) {
		await rollBack(client);
		return { kind: "failed", ...saidBy(error) };
	}
	return commit(client);
}

async function commit(client: PgClient): Promise<Outcome> {
	try {
		const [result] = await client.query("COMMIT");
		// A block that had failed ends so; it cannot have here, and would be no success.
		return result?.tag === "COMMIT" ? { kind: "ok" } : { kind: "failed", code: "rollback" };
	} catch (error) {
		const certain =
			error instanceof ServerError && error.code !== outcomeUnknown && error.severity === "ERROR";
		if (certain) {
			await rollBack(client);
		}
		return { kind: certain ? "failed" : "unknown", ...saidBy(error) };
	}
}

async function rollBack(client: PgClient): Promise<void> {
	if (client.connected && client.transactionStatus !== "I") {
		await client.query("ROLLBACK").catch(() => undefined);
	}
}

const saidBy = (error: unknown): { readonly code: string; readonly detail?: string | undefined } =>
	error instanceof ServerError ? { code: error.code, detail: error.detail } : { code: "lost" };
