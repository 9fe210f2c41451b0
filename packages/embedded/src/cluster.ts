/// <reference lib="esnext.disposable" />
/**
 * A cluster inside of a program: the nodes of production, wired by `startNode`, on real TCP over loopback, real timers, and disks in
 * memory or below a directory. For tests of programs that use Quorate, which can kill nodes and cut links, and as an embedded database.
 *
 * Each boot of a node runs in a scope (`process-scope.ts`) that stands for its process; the nodes' code does not know. Links between
 * nodes are cut at the network of the runtime (`loopback.ts`).
 *
 * E1. A killed boot has no effect any more: no timer, no byte, no write. The next boot of the node begins after its last
 *     operation has ended.
 * E2. After `stop`, and after a `start` that was rejected, nothing is left open: no port, file, timer or connection.
 * E3. A node has one SQL port as long as the cluster is not stopped, also over restarts.
 *
 * Left out: losing what was not synced (the simulator does that), nodes that come and go for good, admin ports.
 * May import: runtime, keys, storage, server.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import { MemoryDisk } from "@quorate/runtime/memory-disk";
import { createRealRuntime } from "@quorate/runtime/real-runtime";
import type { Runtime } from "@quorate/runtime/runtime";
import { ClusterError } from "./cluster-error.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { EmbeddedNode } from "./embedded-node.ts";
import { Loopback, nodeName } from "./loopback.ts";
import { NodePort } from "./node-port.ts";
import { type CheckedOptions, checkGroups, checkOptions } from "./options.ts";
import { host, PortBlock } from "./port-block.ts";
import { SqlPort } from "./sql-port.ts";
import type { ClusterNode, ClusterOptions } from "./types.ts";

export { ClusterError } from "./cluster-error.ts";
export type { ClusterNode, ClusterOptions } from "./types.ts";

/** A cluster is born of so many nodes. */
const foundersMax = 3;

/** What is closed at the end, the last first. */
type Closing = (() => Promise<void>)[];

interface Parts {
	readonly loopback: Loopback;
	readonly nodes: readonly EmbeddedNode[];
	readonly closing: Closing;
}

export class Cluster {
	/** In the order of their ids, which begin with 1. */
	readonly nodes: readonly ClusterNode[];
	readonly #parts: Parts;
	#stopped: Promise<void> | undefined;

	private constructor(parts: Parts) {
		this.#parts = parts;
		this.nodes = parts.nodes.map((node) => this.#shown(node));
	}

	/** Resolves when every node serves. Rejects with a `ClusterError` where what it was given cannot work. */
	static async start(options: ClusterOptions = {}): Promise<Cluster> {
		const checked = checkOptions(options);
		const closing: Closing = [];
		try {
			const parts = await prepare(checked, closing);
			closing.push(async () => {
				await Promise.all(parts.nodes.map((node) => node.stop()));
			});
			await startNodes(parts.nodes);
			return new Cluster(parts);
		} catch (error) {
			await closeAll(closing);
			throw error;
		}
	}

	/** For any PostgreSQL driver: the first node that runs. */
	get connectionString(): string {
		const { nodes } = this.#parts;
		return (nodes.find((node) => node.running !== undefined) ?? nodes[0]!).connectionString;
	}

	/**
	 * Cuts the links between groups of nodes, instead of those that were cut before. A group lists nodes, or their positions in `nodes`;
	 * those that no group lists are one more group. `partition([0])` isolates the first node. Clients still reach every node.
	 */
	partition(...groups: readonly (readonly (number | ClusterNode)[])[]): void {
		this.#refuseStopped();
		this.#parts.loopback.partition(checkGroups(groups, this.nodes));
	}

	/** All nodes reach each other again. */
	heal(): void {
		this.#refuseStopped();
		this.#parts.loopback.partition(new Map());
	}

	/**
	 * An empty database, as after `start`: tables, sequences and their rows are gone for every session that is open, on every node.
	 * Connections and their settings stay. A transaction that is open somewhere is ended, and its client is told so
	 * (SQLSTATE 40000) by its next statement or COMMIT. Needs a majority of the nodes.
	 */
	async reset(): Promise<void> {
		this.#refuseStopped();
		const { nodes } = this.#parts;
		for (const node of nodes) node.running?.sessions.endTransactions(transactionEnded());
		const version = await dropEverything(nodes);
		for (const node of nodes) node.running?.sessions.endTransactions(transactionEnded(), version);
	}

	/** Ends all connections and frees everything. What is in memory is gone. */
	stop(): Promise<void> {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}

	async #stop(): Promise<void> {
		// A node that stops in order says so to the others.
		this.#parts.loopback.partition(new Map());
		await closeAll(this.#parts.closing);
	}

	#shown(node: EmbeddedNode): ClusterNode {
		return {
			id: node.id,
			connectionString: node.connectionString,
			get isRunning() {
				return node.running !== undefined;
			},
			kill: () => node.kill(),
			restart: async () => {
				this.#refuseStopped();
				await node.restart();
			},
		};
	}

	#refuseStopped(): void {
		if (this.#stopped !== undefined) {
			throw new ClusterError("the cluster is stopped: start another one with Cluster.start()");
		}
	}
}

/** The founders form the cluster; those after them join it in turn, so that ids go by position. */
async function startNodes(nodes: readonly EmbeddedNode[]): Promise<void> {
	const founders = nodes.slice(0, foundersMax);
	await Promise.all(founders.map((node) => node.start()));
	for (const node of nodes.slice(foundersMax)) await node.start();
}

const transactionEnded = (): DatabaseError =>
	new DatabaseError(
		"40000",
		"the transaction was ended: the database was reset by cluster.reset()",
		{
			hint: "End transactions before resetting, or begin them after it.",
		},
	);

/** By the node for which it is the shortest way. */
async function dropEverything(nodes: readonly EmbeddedNode[]): Promise<number> {
	const up = nodes.filter((node) => node.running !== undefined);
	const leader = up.find((node) => node.running?.placement.calls.leader === node.running?.nodeId);
	const chosen = leader ?? up[0];
	if (chosen === undefined) {
		throw new ClusterError("no node runs: restart one with cluster.nodes[0].restart()");
	}
	const version = await chosen.unlessKilled((node) => node.sessions.dropEverything());
	if (version === undefined) {
		throw new ClusterError(`node ${chosen.id} was killed during the reset: reset again`);
	}
	return version;
}

async function prepare(options: CheckedOptions, closing: Closing): Promise<Parts> {
	const { dataDirectory, logLevel, log, port } = options;
	let directory: DataDirectory | undefined;
	if (dataDirectory !== undefined) {
		directory = await openDataDirectory(dataDirectory, options.nodes);
		closing.push(directory.release);
	}
	const logging = { logLevel, ...(log === undefined ? {} : { logSink: log }) };
	const shared = createRealRuntime(logging);
	const { network, random, scheduler } = shared;
	const block = await PortBlock.take(network, random);
	closing.push(() => block.release());
	const count = directory?.nodes ?? options.nodes ?? 1;
	const positions = Array.from({ length: count }, (_, position) => position);
	const rpcPorts: NodePort[] = [];
	const sqlPorts: SqlPort[] = [];
	for (const position of positions) {
		const rpcPort = new NodePort((accept) => network.listen(`${host}:0`, accept));
		await rpcPort.open();
		closing.push(() => rpcPort.close());
		rpcPorts.push(rpcPort);
		const wanted = port === undefined ? undefined : port + position;
		const sqlPort = await SqlPort.choose(network, scheduler, block, wanted);
		closing.push(() => sqlPort.close());
		sqlPorts.push(sqlPort);
	}
	const loopback = new Loopback(network, rpcPorts);
	const nodes = positions.map((position) => {
		const runtime: Runtime =
			directory === undefined
				? { ...shared, disk: new MemoryDisk() }
				: createRealRuntime({ ...logging, dataDirectory: directory.pathOf(position) });
		return new EmbeddedNode({
			position,
			runtime,
			loopback,
			rpcPort: rpcPorts[position]!,
			sqlPort: sqlPorts[position]!,
			join: positions.map(nodeName),
			engine: directory === undefined ? "memory" : "rocksdb",
		});
	});
	return { loopback, nodes, closing };
}

async function closeAll(closing: Closing): Promise<void> {
	for (const close of closing.splice(0).reverse()) await close();
}
