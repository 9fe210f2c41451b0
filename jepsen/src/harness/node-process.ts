/** One node: a `quorate start` process that can be killed, paused and started again on its data. */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { type ConnectionOptions, connectionOptions } from "quorate/client/connection-options";
import { PgClient } from "quorate/client/pg-client";
import { ended, signalOwned, spawnOwned } from "./owned-processes.ts";
import { Hopeless, patienceMs, until } from "./poll.ts";

export interface NodeDescription {
	readonly name: string;
	/** A program and its first arguments; the flags of `quorate start` follow. */
	readonly program: readonly string[];
	/** 127.0.0.1 where nothing is said. */
	readonly host?: string;
	/** Added to the environment. */
	readonly environment?: Readonly<Record<string, string>>;
	/** It is a program that takes messages of its parent (see `nodes/node-with-hooks.ts`). */
	readonly takesMessages?: boolean;
	readonly join: string;
	readonly data: string;
	readonly log: string;
	readonly sqlPort: number;
	readonly peerPort: number;
	readonly adminPort: number;
}

const logLinesShown = 30;
const connectTimeoutMs = 5000;

export class NodeProcess {
	readonly description: NodeDescription;
	#child: ChildProcess | undefined;
	/** Whether the test itself has ended the process. */
	#endExpected = true;

	constructor(description: NodeDescription) {
		this.description = description;
	}

	get name(): string {
		return this.description.name;
	}

	get url(): string {
		return `postgresql://quorate@${this.host}:${this.description.sqlPort}/quorate`;
	}

	get host(): string {
		return this.description.host ?? "127.0.0.1";
	}

	get running(): boolean {
		const child = this.#child;
		return child !== undefined && child.exitCode === null && child.signalCode === null;
	}

	start(program: readonly string[] = this.description.program): void {
		if (this.running) {
			throw new Error(`${this.name} runs already`);
		}
		const { join, data, log, sqlPort, peerPort, adminPort } = this.description;
		const { environment, takesMessages = false } = this.description;
		const { host } = this;
		const flags = {
			"--join": join,
			"--data": data,
			"--listen": `${host}:${peerPort}`,
			"--sql": `${host}:${sqlPort}`,
			"--admin": `${host}:${adminPort}`,
		};
		const output = openSync(log, "a");
		const [first, ...rest] = program;
		this.#child = spawnOwned(first!, [...rest, "start", ...Object.entries(flags).flat()], {
			stdio: ["ignore", output, output, ...(takesMessages ? (["ipc"] as const) : [])],
			...(environment === undefined ? {} : { env: { ...process.env, ...environment } }),
		});
		closeSync(output);
		this.#endExpected = false;
	}

	/** Resolves when a statement was answered through the node. */
	async untilServes(): Promise<void> {
		await until(`${this.name} serves SQL`, async () => {
			this.throwIfEnded();
			const client = await this.connect();
			try {
				return (await client.query("SELECT 1")).length === 1;
			} finally {
				await client.end();
			}
		}).catch((error: unknown) => {
			throw error instanceof Hopeless
				? error
				: new Error(`${(error as Error).message}\n${this.logTail()}`);
		});
	}

	/** SIGKILL: no goodbye, but what the kernel has taken is kept. */
	async kill(): Promise<void> {
		await this.#end("SIGKILL");
	}

	/** SIGTERM, as an operator stops a node. Resolves with the exit code. */
	async terminate(): Promise<number | NodeJS.Signals> {
		return this.#end("SIGTERM");
	}

	pause(): void {
		this.#signal("SIGSTOP");
	}

	resume(): void {
		this.#signal("SIGCONT");
	}

	/** Whatever state it is in. */
	resumeIfRunning(): void {
		if (this.running && this.#child !== undefined) {
			signalOwned(this.#child, "SIGCONT");
		}
	}

	connect(applicationName = "jepsen"): Promise<PgClient> {
		return PgClient.connect(this.connection(applicationName));
	}

	connection(applicationName = "jepsen"): ConnectionOptions {
		const options = connectionOptions(this.url, { PGAPPNAME: applicationName });
		return { ...options, connectTimeoutMs };
	}

	/** To a program that takes messages; nothing happens where it does not run. */
	send(message: object): void {
		const child = this.#child;
		if (this.running && child?.connected) {
			child.send(message, () => undefined);
		}
	}

	/** The value of a metric of the admin port, summed over its labels. */
	async metric(name: string): Promise<number> {
		const response = await fetch(`http://${this.host}:${this.description.adminPort}/metrics`, {
			signal: AbortSignal.timeout(patienceMs),
		});
		const lines = (await response.text()).split("\n");
		const values = lines.filter(
			(line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `),
		);
		if (values.length === 0) {
			throw new Error(`${this.name} has no metric ${name}`);
		}
		return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
	}

	/** Until it is started again it may end, because of what the test does to it. */
	expectEnd(): void {
		this.#endExpected = true;
	}

	/** A node that stops by itself has failed, whatever the clients saw. */
	throwIfEnded(): void {
		if (!this.#endExpected && !this.running) {
			const how = this.#child?.signalCode ?? `exit code ${this.#child?.exitCode}`;
			throw new Hopeless(`${this.name} ended by itself (${how}):\n${this.logTail()}`);
		}
	}

	logTail(): string {
		const lines = readFileSync(this.description.log, "utf8").trimEnd().split("\n");
		return lines.slice(-logLinesShown).join("\n");
	}

	async #end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
		this.#endExpected = true;
		const child = this.#child;
		if (child === undefined) {
			throw new Error(`${this.name} was not started`);
		}
		signalOwned(child, signal);
		return ended(child);
	}

	#signal(signal: NodeJS.Signals): void {
		if (this.#child === undefined || !signalOwned(this.#child, signal)) {
			throw new Error(`${this.name} does not run`);
		}
	}
}
