/** One node of the cluster: its ports and disk, and the boots that run on them one after the other. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { keyMin } from "@quorate/keys/key";
import type { Disk, Runtime } from "@quorate/runtime/runtime";
import { type RunningNode, startNode } from "@quorate/server/node";
import type { Engine } from "@quorate/storage/engine";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { openRocksEngine } from "@quorate/storage/rocks-engine";
import { ClusterError } from "./cluster-error.ts";
import { type Loopback, nodeName } from "./loopback.ts";
import type { NodePort } from "./node-port.ts";
import { NodeStoppedError, ProcessScope } from "./process-scope.ts";
import { ScopedDisk } from "./scoped-disk.ts";
import { ScopedEngine } from "./scoped-engine.ts";
import { ScopedScheduler } from "./scoped-scheduler.ts";
import type { SqlPort } from "./sql-port.ts";

/** A node alone waits for a majority, which somebody has to start. */
const startTimeoutMs = 60_000;

export interface EmbeddedNodeOptions {
	/** From 0. */
	readonly position: number;
	/** Of the program; its disk is the node's. */
	readonly runtime: Runtime;
	readonly loopback: Loopback;
	readonly rpcPort: NodePort;
	readonly sqlPort: SqlPort;
	/** Names of all nodes. */
	readonly join: readonly string[];
	/** In memory the engine is part of what the node's disk is for: it outlives a boot. */
	readonly engine: "memory" | "rocksdb";
}

interface Boot {
	readonly scope: ProcessScope;
	/** Settles when it is over. */
	readonly over: Promise<undefined>;
	node: RunningNode | undefined;
}

export class EmbeddedNode {
	readonly #options: EmbeddedNodeOptions;
	readonly #memory = new MemoryEngine();
	#boot: Boot | undefined;
	#starting: Promise<void> | undefined;
	#kills = 0;
	/** The end of the boot before. */
	#ended: Promise<void> = Promise.resolve();

	constructor(options: EmbeddedNodeOptions) {
		this.#options = options;
	}

	get id(): number {
		return this.#options.position + 1;
	}

	get connectionString(): string {
		return `postgresql://quorate@${this.#options.sqlPort.fixedAddress}/quorate`;
	}

	/** Undefined while it does not serve. */
	get running(): RunningNode | undefined {
		return this.#boot?.node;
	}

	/** Resolves when it serves. One that is on its way is joined. */
	start(): Promise<void> {
		this.#starting ??= this.#start().finally(() => {
			this.#starting = undefined;
		});
		return this.#starting;
	}

	/** Rejects if it is killed meanwhile. */
	async restart(): Promise<void> {
		const ended = this.kill();
		const kills = this.#kills;
		await ended;
		await this.#starting?.catch(() => undefined);
		if (this.#kills !== kills) throw this.#stoppedEarly();
		await this.start();
	}

	async #start(): Promise<void> {
		assert(this.#boot === undefined, `node ${this.id} runs already`);
		const { runtime, rpcPort, sqlPort } = this.#options;
		const scope = new ProcessScope(runtime.scheduler);
		const over = new Promise<undefined>((resolve) => {
			scope.cutAtEnd(() => resolve(undefined));
		});
		const boot: Boot = { scope, over, node: undefined };
		this.#boot = boot;
		await this.#ended;
		const late = runtime.scheduler.setTimer(startTimeoutMs, () => void this.#kill(boot));
		try {
			for (const port of [rpcPort, sqlPort]) {
				await port.open();
				scope.cutAtEnd(() => void port.close());
			}
			const node = await Promise.race([this.#run(scope), over]);
			if (node !== undefined) await Promise.race([firstTransaction(node), over]);
			boot.node = node;
		} catch (error) {
			await this.#kill(boot);
			throw error;
		} finally {
			late.cancel();
		}
		if (!scope.alive) throw this.#stoppedEarly();
	}

	#stoppedEarly(): ClusterError {
		return new ClusterError(
			`node ${this.id} was stopped before it served, or found no majority of the nodes within ${startTimeoutMs / 1000} s: start them together`,
		);
	}

	/** Undefined where the node is killed before it is done. */
	async unlessKilled<T>(task: (node: RunningNode) => Promise<T>): Promise<T | undefined> {
		const boot = this.#boot;
		if (boot?.node === undefined) return undefined;
		return Promise.race([task(boot.node), boot.over]);
	}

	/** As SIGKILL does. Resolves when its ports and files are free. */
	kill(): Promise<void> {
		this.#kills++;
		if (this.#boot !== undefined) void this.#kill(this.#boot);
		return this.#ended;
	}

	/** On disk in order, so that the next start has nothing to recover, but without waiting for clients. */
	async stop(): Promise<void> {
		const boot = this.#boot;
		if (boot?.node !== undefined && this.#options.engine === "rocksdb") {
			this.#options.sqlPort.dropConnections();
			await Promise.race([boot.node.stop(), boot.over]);
		}
		await this.kill();
	}

	#kill(boot: Boot): Promise<void> {
		if (this.#boot === boot) this.#boot = undefined;
		this.#ended = boot.scope.end();
		return this.#ended;
	}

	#run(scope: ProcessScope): Promise<RunningNode> {
		const { position, runtime, loopback, sqlPort, join } = this.#options;
		const scheduler = new ScopedScheduler(runtime.scheduler, scope);
		const logger = runtime.logger.child({ node: this.id });
		const inner: Runtime = {
			clock: runtime.clock,
			random: runtime.random,
			scheduler,
			network: loopback.networkOf({ position, sqlPort, scope, scheduler }),
			disk: new ScopedDisk(runtime.disk, scope),
			files: new ScopedDisk(runtime.files, scope),
			logger,
			fatal: (reason) => {
				if (scope.alive) {
					logger.log("error", "stopping: it is not safe to go on", { reason });
					void this.kill();
				}
				throw new NodeStoppedError(`node ${this.id} stopped itself: ${reason}`);
			},
		};
		return startNode({
			runtime: inner,
			join,
			listen: nodeName(position),
			sql: sqlPort.fixedAddress,
			admin: undefined,
			locality: "",
			openEngine: () => scope.guard(() => this.#openEngine(runtime.disk, inner, scope)),
		});
	}

	async #openEngine(disk: Disk, node: Runtime, scope: ProcessScope): Promise<Engine> {
		if (this.#options.engine === "memory") {
			return new ScopedEngine(this.#memory, scope, async () => undefined);
		}
		const engine = await openRocksEngine(disk, "engine", { node });
		return new ScopedEngine(engine, scope, () => engine.close());
	}
}

/** Then the first range has a leaseholder, and this node knows it. A slow machine may need several elections. */
async function firstTransaction(node: RunningNode): Promise<void> {
	for (;;) {
		const transaction = node.coordinator.begin({
			isolation: "repeatable read",
			mode: "optimistic",
			readOnly: true,
			lockTimeoutMs: 0,
			schemaVersion: 0,
		});
		try {
			await transaction.get([keyMin]);
			return;
		} catch (error) {
			if (!(error instanceof DatabaseError && error.code === "57P03")) throw error;
		} finally {
			await transaction.rollback();
		}
	}
}
