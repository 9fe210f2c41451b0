/**
 * List-append over SQL: a row holds a list as text, an UPDATE appends to it, a SELECT reads it. Some transactions are one statement
 * without BEGIN, some are optimistic, some read the whole table: the paths that the server takes for them differ.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MicroOp, Transaction } from "@quorate/checker/history";
import { type PgClient, ServerError } from "quorate/client/pg-client";
import type { NodeProcess } from "../harness/node-process.ts";
import { SeededRandom } from "./random.ts";

export interface ListAppendClientOptions {
	readonly process: number;
	readonly node: NodeProcess;
	readonly keyCount: number;
	readonly seed: number;
	/** Positions in real time and values to append, of all clients together. */
	readonly counters: ListAppendCounters;
	done(transaction: Transaction, node: NodeProcess, code: string): void;
}

/** One order of events: the test is one process, and takes a number right before it sends and right after it has received. */
export class ListAppendCounters {
	#position = 0;
	#value = 0;
	#transaction = 0;

	position(): number {
		return this.#position++;
	}

	value(): number {
		return ++this.#value;
	}

	transaction(): number {
		return this.#transaction++;
	}
}

type Step =
	| { readonly kind: "append"; readonly key: number; readonly value: number }
	| { readonly kind: "read"; readonly key: number }
	| { readonly kind: "readAll" };

const reconnectMs = 50;
const stepsMax = 4;

export const listTable = "CREATE TABLE lists (k int PRIMARY KEY, v text NOT NULL)";

export class ListAppendClient {
	readonly #options: ListAppendClientOptions;
	readonly #random: SeededRandom;
	#client: PgClient | undefined;
	#stopping = false;

	constructor(options: ListAppendClientOptions) {
		this.#options = options;
		this.#random = new SeededRandom(options.seed);
	}

	async run(): Promise<void> {
		while (!this.#stopping) {
			this.#client ??= await this.#options.node.connect("list-append").catch(() => undefined);
			if (this.#client === undefined) {
				await sleep(reconnectMs);
				continue;
			}
			await this.#one(this.#client, this.#plan());
			if (!this.#client.connected) {
				this.#client = undefined;
			}
		}
		await this.#client?.end();
	}

	stop(): void {
		this.#stopping = true;
	}

	#plan(): readonly Step[] {
		const { keyCount, counters } = this.#options;
		if (this.#random.between(1, 12) === 1) {
			return [{ kind: "readAll" }];
		}
		return Array.from({ length: this.#random.between(1, stepsMax) }, () => {
			const key = this.#random.between(1, keyCount);
			return this.#random.between(1, 2) === 1
				? { kind: "read", key }
				: { kind: "append", key, value: counters.value() };
		});
	}

	async #one(client: PgClient, steps: readonly Step[]): Promise<void> {
		const { counters, process, node } = this.#options;
		const id = counters.transaction();
		const inBlock = steps.length > 1 || this.#random.between(1, 2) === 1;
		const mode = this.#random.between(1, 3) === 1 ? "optimistic" : "pessimistic";
		const invoked = counters.position();
		const run = inBlock ? runBlock(client, steps, mode) : runAlone(client, steps[0]!);
		const { status, ops, code } = await run;
		const completed = status === "info" ? Number.POSITIVE_INFINITY : counters.position();
		this.#options.done({ id, process, status, ops, invoked, completed }, node, code);
	}
}

interface Ended {
	readonly status: Transaction["status"];
	readonly ops: readonly MicroOp[];
	/** "" where it committed. */
	readonly code: string;
}

async function runBlock(client: PgClient, steps: readonly Step[], mode: string): Promise<Ended> {
	const ops: MicroOp[] = [];
	try {
		await client.query(`BEGIN; SET LOCAL transaction_mode = ${mode}`);
		for (const step of steps) {
			ops.push(...(await runStep(client, step)));
		}
	} catch (error) {
		await rollBack(client);
		// COMMIT was not sent, so nothing of it can have happened.
		return { status: "fail", ops: unknownOps(steps), code: codeOf(client, error) };
	}
	return finish(client, steps, async () => {
		await client.query("COMMIT");
		return ops;
	});
}

const runAlone = (client: PgClient, step: Step): Promise<Ended> =>
	finish(client, [step], () => runStep(client, step));

/** The statement that commits: its failure may leave the outcome open. */
async function finish(
	client: PgClient,
	steps: readonly Step[],
	last: () => Promise<readonly MicroOp[]>,
): Promise<Ended> {
	try {
		return { status: "ok", ops: await last(), code: "" };
	} catch (error) {
		const certain =
			error instanceof ServerError && error.severity === "ERROR" && error.code !== "40003";
		await rollBack(client);
		return {
			status: certain ? "fail" : "info",
			ops: unknownOps(steps),
			code: codeOf(client, error),
		};
	}
}

async function runStep(client: PgClient, step: Step): Promise<readonly MicroOp[]> {
	if (step.kind === "append") {
		const { key, value } = step;
		const [result] = await client.query(`UPDATE lists SET v = v || ' ${value}' WHERE k = ${key}`);
		if (result?.tag !== "UPDATE 1") {
			throw new Error(`an append to list ${key} was answered with ${result?.tag}`);
		}
		return [["append", key, value]];
	}
	const where = step.kind === "read" ? `WHERE k = ${step.key}` : "ORDER BY k";
	const [result] = await client.query(`SELECT k, v FROM lists ${where}`);
	return (result?.rows ?? []).map(([key, list]) => ["r", Number(key), decodeList(list!)]);
}

const decodeList = (text: string | null): readonly number[] =>
	(text ?? "").split(" ").filter(Boolean).map(Number);

/** What is known of it when the answer was lost: the appends, but no reads. */
function unknownOps(steps: readonly Step[]): readonly MicroOp[] {
	return steps.flatMap((step): MicroOp[] => {
		if (step.kind === "readAll") {
			return [];
		}
		return [step.kind === "append" ? ["append", step.key, step.value] : ["r", step.key, null]];
	});
}

async function rollBack(client: PgClient): Promise<void> {
	if (client.connected && client.transactionStatus !== "I") {
		await client.query("ROLLBACK").catch(() => undefined);
	}
}

function codeOf(client: PgClient, error: unknown): string {
	if (error instanceof ServerError) {
		return error.code;
	}
	return client.connected ? (error as Error).message : "lost";
}
