/**
 * A client's connection to one node, through the `pg` driver, and what it knows about what it sent.
 *
 * 1. "fail" is said only of what certainly did not happen: a transaction whose COMMIT was not sent, or whatever the server refused
 *    with an ERROR other than 40003. All else that is not "ok" is "info".
 * 2. A session whose answer did not come in time is closed: nothing is sent on it any more.
 */
import pg from "pg";
import type { NodeProcess } from "../harness/node-process.ts";

export type Isolation = "serializable" | "repeatable read" | "read committed";
export type Mode = "pessimistic" | "optimistic";
export type Rows = readonly (readonly (string | null)[])[];

export interface TransactionOptions {
	readonly isolation?: Isolation;
	readonly mode?: Mode;
}

/** Of an operation that did not end well. */
export class Failed extends Error {
	override readonly name = "Failed";
	readonly status: "fail" | "info";
	/** A SQLSTATE, "lost" (the connection), "timeout", or a workload's own word. */
	readonly code: string;

	constructor(status: "fail" | "info", code: string, message: string) {
		super(message);
		this.status = status;
		this.code = code;
	}
}

/** All values as the text that was sent. */
const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
const connectMs = 3_000;

export class Session {
	readonly node: NodeProcess;
	readonly #client: pg.Client;
	#usable = true;
	#timedOut = false;

	private constructor(node: NodeProcess, client: pg.Client) {
		this.node = node;
		this.#client = client;
		client.on("error", () => {
			this.#usable = false;
		});
		client.on("end", () => {
			this.#usable = false;
		});
	}

	/** Rejects where the node does not answer in three seconds. */
	static async open(node: NodeProcess, applicationName: string): Promise<Session> {
		const client = new pg.Client({
			connectionString: node.url,
			application_name: applicationName,
			connectionTimeoutMillis: connectMs,
			keepAlive: true,
			types,
		});
		const session = new Session(node, client);
		await client.connect();
		return session;
	}

	get usable(): boolean {
		return this.#usable;
	}

	/** Of the last statement. */
	async query(text: string): Promise<Rows> {
		const result: unknown = await this.#client.query({ text, rowMode: "array" });
		const last = (Array.isArray(result) ? result.at(-1) : result) as pg.QueryArrayResult;
		return last.rows as Rows;
	}

	/** The one value of the one row. */
	async value(text: string): Promise<string | null> {
		return (await this.query(text))[0]?.[0] ?? null;
	}

	onNotification(listener: (payload: string) => void): void {
		this.#client.on("notification", ({ payload }) => listener(payload ?? ""));
	}

	/** What a body throws before COMMIT is sent leaves nothing behind. */
	async transaction<T>(options: TransactionOptions, body: () => Promise<T>): Promise<T> {
		const { isolation = "serializable", mode } = options;
		let isCommitting = false;
		try {
			const set = mode === undefined ? "" : `; SET LOCAL transaction_mode = ${mode}`;
			await this.query(`BEGIN ISOLATION LEVEL ${isolation}${set}`);
			const result = await body();
			isCommitting = true;
			const { command } = await this.#client.query("COMMIT");
			if (command !== "COMMIT") {
				throw new Failed("fail", "rollback", `COMMIT was answered with ${command}`);
			}
			return result;
		} catch (error) {
			const failed = this.#failed(error, isCommitting);
			await this.#rollBack();
			throw failed;
		}
	}

	/** Statements that commit by themselves; the failure of the last leaves its outcome open. */
	async alone<T>(body: () => Promise<T>): Promise<T> {
		try {
			return await body();
		} catch (error) {
			throw this.#failed(error, true);
		}
	}

	/** Ends the connection if the task takes longer: it then rejects, like all that wait for an answer. */
	async within<T>(limitMs: number, task: () => Promise<T>): Promise<T> {
		const timer = setTimeout(() => {
			this.#timedOut = true;
			this.abandon();
		}, limitMs);
		try {
			return await task();
		} finally {
			clearTimeout(timer);
		}
	}

	/** Closes it without a word. */
	abandon(): void {
		this.#usable = false;
		const { connection } = this.#client as unknown as {
			connection: { stream: { destroy(): void } };
		};
		connection.stream.destroy();
	}

	async close(): Promise<void> {
		if (!this.#usable) return;
		this.#usable = false;
		// A node that stands still never says goodbye.
		const timer = setTimeout(() => this.abandon(), connectMs);
		await this.#client.end().catch(() => undefined);
		clearTimeout(timer);
	}

	async #rollBack(): Promise<void> {
		if (!this.#usable) return;
		await this.query("ROLLBACK").catch(() => undefined);
	}

	#failed(error: unknown, isCommitting: boolean): Failed {
		if (error instanceof Failed) return error;
		const status = isCommitting ? "info" : "fail";
		if (error instanceof pg.DatabaseError) {
			const code = error.code ?? "XX000";
			const isCertain = error.severity === "ERROR" && code !== "40003";
			if (error.severity !== "ERROR") this.abandon();
			return new Failed(isCertain ? "fail" : status, code, error.message);
		}
		if (this.#usable && !isConnectionError(error)) throw error;
		return new Failed(status, this.#timedOut ? "timeout" : "lost", (error as Error).message);
	}
}

/** Anything else is a mistake in a workload, and must not pass for a fault of the network. */
function isConnectionError(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	return "code" in error || /[Cc]onnection|not queryable|timeout expired/.test(error.message);
}
