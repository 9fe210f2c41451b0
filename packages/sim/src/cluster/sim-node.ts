/** One node of a simulated cluster: a machine, the disk of its storage engine, and the boots that run on it one after the other. */
import { assert } from "@quorate/keys/assert";
import type { NodeId } from "@quorate/keys/ids";
import type { Mutations } from "@quorate/keys/mutations";
import { type RunningNode, startNode } from "@quorate/server/node";
import type { CrashKind, Machine } from "../runtime/machine.ts";
import type { World } from "../runtime/world.ts";
import { EngineDisk } from "./engine-disk.ts";

export const nodePort = 7000;
export const sqlPort = 5432;

export interface SimNodeOptions {
	readonly world: World;
	readonly machine: Machine;
	readonly join: readonly string[];
	readonly mutations: Mutations | undefined;
	/** Something that must never happen: a node stopped itself, or could not start. */
	readonly problem: (what: string) => void;
}

/** One boot. */
interface Boot {
	node: RunningNode | undefined;
	/** Resolves when the process is gone. */
	readonly ended: Promise<undefined>;
	readonly end: () => void;
}

export class SimNode {
	readonly machine: Machine;
	readonly engineDisk: EngineDisk;
	readonly #options: SimNodeOptions;
	#boot: Boot | undefined;
	#nodeId: NodeId | undefined;

	constructor(options: SimNodeOptions) {
		this.#options = options;
		this.machine = options.machine;
		this.engineDisk = new EngineDisk(options.world, options.machine.id);
	}

	/** host:port for clients. */
	get sqlAddress(): string {
		return `${this.machine.host}:${sqlPort}`;
	}

	/** Its process runs; it may be starting still. */
	get isUp(): boolean {
		return this.#boot !== undefined;
	}

	/** Undefined while it does not serve. */
	get keyValue(): RunningNode | undefined {
		return this.#boot?.node;
	}

	/** Known from its first start on. */
	get nodeId(): NodeId {
		assert(this.#nodeId !== undefined, "the node has never served");
		return this.#nodeId;
	}

	/** Settles, with undefined, when the present boot ends. */
	get ended(): Promise<undefined> {
		return this.#boot?.ended ?? Promise.resolve(undefined);
	}

	start(): void {
		assert(this.#boot === undefined, `machine ${this.machine.id} runs a node already`);
		const { machine } = this;
		const { join, mutations, problem } = this.#options;
		let end: () => void = () => undefined;
		const ended = new Promise<undefined>((resolve) => {
			end = () => resolve(undefined);
		});
		const boot: Boot = { node: undefined, ended, end };
		this.#boot = boot;
		const simulated = machine.boot();
		const runtime = {
			...simulated,
			fatal: (reason: string): never => {
				if (this.#boot === boot) {
					problem(`node on machine ${machine.id} stopped itself: ${reason}`);
					this.#over("process");
				}
				return simulated.fatal(reason);
			},
		};
		startNode({
			runtime,
			join,
			listen: `${machine.host}:${nodePort}`,
			sql: this.sqlAddress,
			admin: undefined,
			locality: "",
			openEngine: () => Promise.resolve(this.engineDisk.open(runtime)),
			...(mutations === undefined ? {} : { mutations }),
		}).then(
			(node) => {
				boot.node = node;
				this.#nodeId = node.nodeId;
				void node.failed.then((reason) => {
					if (this.#boot === boot) problem(`the node on machine ${machine.id} failed: ${reason}`);
				});
			},
			(error: Error) => {
				problem(`machine ${machine.id} could not start its node: ${error.stack ?? error.message}`);
			},
		);
	}

	crash(kind: CrashKind): void {
		this.machine.crash(kind);
		this.#over(kind);
	}

	/** As by SIGTERM. */
	async stop(): Promise<void> {
		const boot = this.#boot;
		if (boot === undefined) return;
		await boot.node?.stop();
		if (this.#boot === boot) this.crash("process");
	}

	#over(kind: CrashKind): void {
		const boot = this.#boot;
		this.#boot = undefined;
		this.engineDisk.crashed(kind);
		boot?.end();
	}
}
