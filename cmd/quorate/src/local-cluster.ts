/**
 * `make cluster`: three nodes as processes of this machine, on loopback, with their data under data/local.
 *
 * 1. Nothing is changed before everything that can be checked is: Node's version, foreign data, taken ports.
 * 2. A process is only ever signalled after its command line has shown that it is a node of this directory.
 * 3. `start` returns success only after a SELECT 1 was answered through each node.
 */
import { type ChildProcess, spawn } from "node:child_process";
import {
	closeSync,
	existsSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connectionOptions } from "./client/connection-options.ts";
import { PgClient } from "./client/pg-client.ts";
import { nodeProgram } from "./node-program.ts";
import { checkDataDirectory, checkFree, checkNodeVersion } from "./preflight.ts";
import { isRunning, processRuns } from "./process-identity.ts";
import { urlOf } from "./run-node.ts";
import { errorLine, UserError } from "./user-error.ts";

export interface LocalClusterOptions {
	readonly directory: string;
	/** The program of a node and its first arguments; the flags of `quorate start` follow. */
	readonly program: readonly string[];
	readonly nodeCount: number;
	/** Node n uses these plus n. */
	readonly sqlPortBase: number;
	readonly peerPortBase: number;
	readonly adminPortBase: number;
	/** How long all nodes together may take to serve, and one to stop. */
	readonly startMs: number;
	readonly stopMs: number;
	print(line: string): void;
}

interface LocalNode {
	readonly name: string;
	readonly data: string;
	readonly log: string;
	readonly pidFile: string;
	readonly sql: string;
	readonly peer: string;
	readonly admin: string;
}

const pollMs = 100;

export class LocalCluster {
	readonly #options: LocalClusterOptions;
	readonly #nodes: readonly LocalNode[];

	constructor(options: LocalClusterOptions) {
		this.#options = options;
		this.#nodes = Array.from({ length: options.nodeCount }, (_, index) =>
			describeNode(options, index + 1),
		);
	}

	/** Starts the nodes that do not run. Throws a `UserError` with one line where it cannot. */
	async start(): Promise<void> {
		const missing = this.#nodes.filter((node) => this.#pidOf(node) === undefined);
		if (missing.length === 0) {
			await this.#untilAllServe([]);
			this.#options.print("The cluster is running already.");
			this.#explain();
			return;
		}
		checkNodeVersion(process.versions.node);
		for (const node of this.#nodes) {
			checkDataDirectory(node.data);
		}
		for (const node of missing) {
			await checkFree(node.sql, `SQL of ${node.name}`);
			await checkFree(node.peer, `node-to-node of ${node.name}`);
			await checkFree(node.admin, `admin of ${node.name}`);
		}
		mkdirSync(this.#options.directory, { recursive: true });
		const began = missing.map((node) => ({ node, child: this.#spawn(node) }));
		try {
			await this.#untilAllServe(began);
		} catch (error) {
			await this.#stop(missing);
			throw error;
		}
		for (const { child } of began) {
			child.unref();
		}
		this.#explain();
	}

	/** Stops the nodes that run, and keeps their data. */
	async stop(): Promise<void> {
		const running = this.#nodes.filter((node) => this.#pidOf(node) !== undefined);
		await this.#stop(this.#nodes);
		const { print, directory } = this.#options;
		if (running.length === 0) {
			print("The cluster is not running.");
		} else {
			print(`Stopped ${running.length} nodes. Their data is kept in ${directory}.`);
		}
	}

	/** Stops the nodes and removes their data: only what this program made. */
	async clean(): Promise<void> {
		await this.#stop(this.#nodes);
		for (const node of this.#nodes) {
			checkDataDirectory(node.data);
		}
		for (const node of this.#nodes) {
			for (const path of [node.data, node.log, node.pidFile]) {
				rmSync(path, { recursive: true, force: true });
			}
		}
		const { print, directory } = this.#options;
		if (existsSync(directory) && readdirSync(directory).length === 0) {
			rmdirSync(directory);
		}
		print(`Removed the data of the local cluster in ${directory}.`);
	}

	#spawn(node: LocalNode): ChildProcess {
		const [program, ...first] = this.#options.program;
		const flags = {
			"--join": this.#nodes.map(({ peer }) => peer).join(","),
			"--data": node.data,
			"--listen": node.peer,
			"--sql": node.sql,
			"--admin": node.admin,
		};
		const log = openSync(node.log, "a");
		const child = spawn(program!, [...first, "start", ...Object.entries(flags).flat()], {
			detached: true,
			stdio: ["ignore", log, log],
		});
		closeSync(log);
		writeFileSync(node.pidFile, `${child.pid}\n`);
		return child;
	}

	async #untilAllServe(began: readonly { node: LocalNode; child: ChildProcess }[]): Promise<void> {
		const deadline = Date.now() + this.#options.startMs;
		const waiting = new Set(this.#nodes);
		while (waiting.size > 0) {
			for (const { node, child } of began) {
				if (child.exitCode !== null || child.signalCode !== null) {
					throw new UserError(`${node.name} ended: ${lastLine(node.log)} (see ${node.log})`);
				}
			}
			for (const node of waiting) {
				if (await serves(node)) {
					waiting.delete(node);
				}
			}
			if (waiting.size > 0 && Date.now() > deadline) {
				const [node] = waiting;
				throw new UserError(
					`${node!.name} did not serve SQL within ${this.#options.startMs / 1000} s; its log is ${node!.log}`,
				);
			}
			if (waiting.size > 0) {
				await sleep(pollMs);
			}
		}
	}

	async #stop(nodes: readonly LocalNode[]): Promise<void> {
		const pids = nodes.map((node) => this.#pidOf(node)).filter((pid) => pid !== undefined);
		for (const pid of pids) {
			signal(pid, "SIGTERM");
		}
		const deadline = Date.now() + this.#options.stopMs;
		while (pids.some(isRunning) && Date.now() < deadline) {
			await sleep(pollMs / 4);
		}
		for (const pid of pids.filter(isRunning)) {
			this.#options.print(`Process ${pid} did not stop on SIGTERM, killing it.`);
			signal(pid, "SIGKILL");
		}
		for (const node of nodes) {
			rmSync(node.pidFile, { force: true });
		}
	}

	/** The process of a node, if the one that its pid file names is really that node. */
	#pidOf(node: LocalNode): number | undefined {
		if (!existsSync(node.pidFile)) {
			return undefined;
		}
		const pid = Number(readFileSync(node.pidFile, "utf8"));
		return processRuns(pid, ["start", "--data", node.data]) ? pid : undefined;
	}

	#explain(): void {
		const { print, directory } = this.#options;
		print(`${this.#nodes.length} nodes serve SQL; connect to any of them:`);
		for (const node of this.#nodes) {
			print(`  psql "${urlOf(node.sql)}"`);
		}
		print("Without psql: npx quorate sql");
		print(
			`Logs: ${join(directory, "n*.log")}. Stop: make cluster-stop. Remove: make cluster-clean.`,
		);
	}
}

function describeNode(options: LocalClusterOptions, number: number): LocalNode {
	const name = `n${number}`;
	return {
		name,
		data: join(options.directory, name),
		log: join(options.directory, `${name}.log`),
		pidFile: join(options.directory, `${name}.pid`),
		sql: `127.0.0.1:${options.sqlPortBase + number}`,
		peer: `127.0.0.1:${options.peerPortBase + number}`,
		admin: `127.0.0.1:${options.adminPortBase + number}`,
	};
}

async function serves(node: LocalNode): Promise<boolean> {
	try {
		const client = await PgClient.connect({
			...connectionOptions(urlOf(node.sql), {}),
			connectTimeoutMs: 2000,
		});
		const answers = await client.query("SELECT 1").finally(() => client.end());
		return answers[0]?.rows.length === 1;
	} catch {
		return false;
	}
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
	try {
		process.kill(pid, name);
	} catch {
		// Gone in between.
	}
}

function lastLine(file: string): string {
	const lines = readFileSync(file, "utf8").trimEnd().split("\n");
	return lines.at(-1) || "without a word";
}

const root = fileURLToPath(new URL("../../..", import.meta.url));

async function main(action: string | undefined): Promise<void> {
	const cluster = new LocalCluster({
		directory: resolve(root, "data/local"),
		program: nodeProgram(),
		nodeCount: 3,
		sqlPortBase: 7430,
		peerPortBase: 7440,
		adminPortBase: 7450,
		startMs: 60_000,
		stopMs: 20_000,
		print: (line) => console.log(line),
	});
	switch (action) {
		case "start":
			return cluster.start();
		case "stop":
			return cluster.stop();
		case "clean":
			return cluster.clean();
		default:
			throw new UserError("usage: local-cluster.js start|stop|clean");
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	try {
		await main(process.argv[2]);
	} catch (error) {
		console.error(errorLine(error));
		process.exitCode = 1;
	}
}
