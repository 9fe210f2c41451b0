/**
 * Clusters of real processes for tests: what runs is the `quorate` program of this checkout, on loopback, with real disks.
 *
 * 1. Only processes that the test has started are ever signalled, by pid, and none outlives the test (`owned-processes.ts`).
 * 2. Ports are free ones, data goes to a temporary directory that is removed with the cluster.
 * 3. A node that ends without having been told to fails the test, with the end of its log.
 *
 * May import: the command line's client, the checker.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeProgram } from "quorate/node-program";
import { freePortBase } from "quorate/testing/free-ports";
import { NodeProcess } from "./node-process.ts";

export interface ProcessClusterOptions {
	/** Three where nothing is said. */
	readonly nodeCount?: number;
	readonly program?: readonly string[];
	/** Where node n keeps its data; below the temporary directory where nothing is said. */
	readonly dataDirectories?: readonly string[];
}

export const quorateProgram: readonly string[] = nodeProgram();

export class ProcessCluster {
	readonly nodes: readonly NodeProcess[];
	readonly #directory: string;

	private constructor(directory: string, nodes: readonly NodeProcess[]) {
		this.#directory = directory;
		this.nodes = nodes;
	}

	/** Resolves when every node serves. */
	static async start(options: ProcessClusterOptions = {}): Promise<ProcessCluster> {
		const { nodeCount = 3, program = quorateProgram, dataDirectories } = options;
		const directory = mkdtempSync(join(tmpdir(), "quorate-jepsen-"));
		const base = await freePortBase(3 * nodeCount);
		const numbers = Array.from({ length: nodeCount }, (_, index) => index + 1);
		const peers = numbers.map((number) => `127.0.0.1:${base + nodeCount + number}`).join(",");
		const nodes = numbers.map((number) => {
			const data = dataDirectories?.[number - 1] ?? join(directory, `n${number}`);
			mkdirSync(data, { recursive: true });
			return new NodeProcess({
				name: `n${number}`,
				program,
				join: peers,
				data,
				log: join(directory, `n${number}.log`),
				sqlPort: base + number,
				peerPort: base + nodeCount + number,
				adminPort: base + 2 * nodeCount + number,
			});
		});
		const cluster = new ProcessCluster(directory, nodes);
		try {
			await cluster.startAll();
		} catch (error) {
			await cluster.close();
			throw error;
		}
		return cluster;
	}

	node(number: number): NodeProcess {
		const node = this.nodes[number - 1];
		if (node === undefined) {
			throw new Error(`there is no node ${number}`);
		}
		return node;
	}

	/** Starts every node that does not run, and waits until all serve. */
	async startAll(program?: readonly string[]): Promise<void> {
		for (const node of this.nodes.filter(({ running }) => !running)) {
			node.start(program);
		}
		await Promise.all(this.nodes.map((node) => node.untilServes()));
	}

	/** All at once: every kill is sent before the first is waited for. */
	async killAll(): Promise<void> {
		await Promise.all(this.nodes.filter(({ running }) => running).map((node) => node.kill()));
	}

	throwIfEnded(): void {
		for (const node of this.nodes) {
			node.throwIfEnded();
		}
	}

	/** Ends the processes and removes what they wrote. Never rejects. */
	async close(): Promise<void> {
		await this.killAll();
		rmSync(this.#directory, { recursive: true, force: true, maxRetries: 3 });
	}
}
