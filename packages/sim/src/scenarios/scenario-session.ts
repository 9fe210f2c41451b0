/** A session of a scenario: one connection, statements one after the other. */
import type { Runtime } from "@quorate/runtime/runtime";
import type { SimNode } from "../cluster/sim-node.ts";
import {
	ConnectionLostError,
	SqlConnection,
	SqlError,
	type SqlResult,
} from "../cluster/sql-connection.ts";

/** A statement, and what became of it. */
export interface Answered {
	readonly session: string;
	readonly label: string | undefined;
	readonly outcome: string;
}

interface Asked {
	readonly sql: string;
	readonly label: string | undefined;
}

export interface SessionOptions {
	readonly runtime: Runtime;
	readonly node: SimNode;
	readonly fullErrors: boolean;
	/** Called with the answer to each statement. */
	readonly answered: (answer: Answered) => void;
}

export class ScenarioSession {
	readonly name: string;
	readonly #connection: SqlConnection;
	readonly #runtime: Runtime;
	readonly #address: string;
	readonly #fullErrors: boolean;
	readonly #answered: (answer: Answered) => void;
	readonly #queue: Asked[] = [];
	#running = false;
	#toldOfEnd = false;

	private constructor(name: string, connection: SqlConnection, options: SessionOptions) {
		this.name = name;
		this.#connection = connection;
		this.#runtime = options.runtime;
		this.#address = options.node.sqlAddress;
		this.#fullErrors = options.fullErrors;
		this.#answered = options.answered;
	}

	static async open(name: string, options: SessionOptions): Promise<ScenarioSession> {
		const { runtime, node } = options;
		const connection = await SqlConnection.open(runtime, node.sqlAddress, node.ended);
		return new ScenarioSession(name, connection, options);
	}

	/** A statement is under way. */
	get isRunning(): boolean {
		return this.#running;
	}

	/** Of the scenario's frame: its failure is the scenario's. */
	async prepare(sql: string): Promise<void> {
		await this.#connection.query(sql);
	}

	/** Runs it, or queues it behind what has not been answered. */
	submit(asked: Asked): void {
		this.#queue.push(asked);
		if (!this.#running) void this.#next();
	}

	/** Why the server has ended the connection, once. */
	takeEnd(): string | undefined {
		if (this.#connection.isOpen || this.#toldOfEnd) return undefined;
		this.#toldOfEnd = true;
		const { end } = this.#connection;
		return end === undefined ? "connection lost" : this.#describe(end);
	}

	cancel(): Promise<void> {
		return this.#connection.cancel(this.#runtime, this.#address);
	}

	close(): void {
		this.#toldOfEnd = true;
		this.#connection.close();
	}

	async #next(): Promise<void> {
		const asked = this.#queue.shift();
		if (asked === undefined) return;
		this.#running = true;
		const outcome = await this.#connection.query(asked.sql).then(describeResults, (error) => {
			if (error instanceof ConnectionLostError) return "connection lost";
			if (!(error instanceof SqlError)) throw error;
			if (error.isFatal) this.#toldOfEnd = true;
			return this.#describe(error);
		});
		this.#running = false;
		this.#answered({ session: this.name, label: asked.label, outcome });
		void this.#next();
	}

	#describe({ code, message, detail, hint }: SqlError): string {
		if (!this.#fullErrors) return code;
		const more = [detail && `DETAIL: ${detail}`, hint && `HINT: ${hint}`].filter(Boolean);
		return masked([`${code} ${message}`, ...more].join(" "));
	}
}

/** What differs from run to run in a way that no reader cares about. */
const masked = (text: string): string =>
	text
		.replace(/\b(?:[0-9a-z]+\/)?[0-9a-f]{16}\/[0-9a-z]+(?:\/[0-9a-z]+)*\b/g, "ID")
		.replace(/\b(committed at) \d+/g, "$1 C");

function describeResults(results: readonly SqlResult[]): string {
	return results.map(describeResult).join(" ");
}

/** (1, 10) (2, 20), or the command tag of a statement that returns no rows. */
function describeResult({ rows, tag }: SqlResult): string {
	if (rows.length > 0) {
		return rows.map((row) => `(${row.map((value) => value ?? "NULL").join(", ")})`).join(" ");
	}
	return tag.startsWith("SELECT") ? "no rows" : tag;
}
