/** Clients on every node that run TPC-B transactions until they are told to stop. */

import { Hopeless, until } from "../harness/poll.ts";
import type { ProcessCluster } from "../harness/process-cluster.ts";
import type { Attempt } from "./outcome.ts";
import { TpcbClient } from "./tpcb-client.ts";

export interface TpcbLoadOptions {
	readonly cluster: ProcessCluster;
	readonly clientsPerNode: number;
	readonly scale: number;
	/** Nodes to connect to, 1-based; all where nothing is said. */
	readonly nodes?: readonly number[];
	/** Two loads on the same tables need different ones. */
	readonly seed: number;
}

/** What faults do to transactions. Any other failure means that no more of them can be waited for. */
const transient = new Set(["40001", "40003", "53100", "57P01", "57P03", "lost"]);
/** Numbers that one client can use up. */
const idsPerClient = 1_000_000;
const clientsMax = 1000;

export class TpcbLoad {
	readonly attempts: Attempt[] = [];
	readonly #cluster: ProcessCluster;
	readonly #clients: readonly TpcbClient[];
	readonly #running: Promise<unknown>;

	constructor(options: TpcbLoadOptions) {
		const { cluster, clientsPerNode, scale, seed } = options;
		const nodes = options.nodes ?? cluster.nodes.map((_, index) => index + 1);
		this.#cluster = cluster;
		this.#clients = nodes.flatMap((nodeNumber, nodeIndex) =>
			Array.from({ length: clientsPerNode }, (_, index) => {
				const number = seed * clientsMax + nodeIndex * clientsPerNode + index;
				return new TpcbClient({
					node: cluster.node(nodeNumber),
					nodeNumber,
					firstId: number * idsPerClient + 1,
					scale,
					seed: number,
					done: (attempt) => this.attempts.push(attempt),
				});
			}),
		);
		this.#running = Promise.all(this.#clients.map((client) => client.run()));
		// Looked at in `stop`; until then a failure of a client must not end the process.
		this.#running.catch(() => undefined);
	}

	acknowledged(node?: number): number {
		return this.attempts.filter(
			(attempt) => attempt.outcome.kind === "ok" && (node === undefined || attempt.node === node),
		).length;
	}

	/** Resolves when so many more were acknowledged, over all nodes or through each of those named. */
	async more(count: number, nodes?: readonly number[]): Promise<void> {
		const each = (nodes ?? [undefined]).map((node) => ({
			node,
			goal: this.acknowledged(node) + count,
		}));
		await until(`${count} more transactions on node ${nodes ?? "any"}`, () => {
			this.#cluster.throwIfEnded();
			this.#throwIfBroken();
			return each.every(({ node, goal }) => this.acknowledged(node) >= goal);
		});
	}

	#throwIfBroken(): void {
		for (const { id, node, outcome } of this.attempts) {
			if (outcome.kind !== "ok" && !transient.has(outcome.code)) {
				throw new Hopeless(`transaction ${id} on node ${node} failed with ${outcome.code}`);
			}
		}
	}

	async stop(): Promise<readonly Attempt[]> {
		for (const client of this.#clients) {
			client.stop();
		}
		await this.#running;
		return this.attempts;
	}
}
