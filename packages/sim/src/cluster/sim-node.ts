/** One node of a simulated cluster: a machine, the disk of its storage engine, and the boots that run on it one after the other. */
import { assert } from "@quorate/keys/assert";
import type { VersionSpan } from "@quorate/keys/cluster-version";
import type { NodeId } from "@quorate/keys/ids";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import { readIdentity } from "@quorate/placement/identity-file";
import { type RunningNode, startNode } from "@quorate/server/node";
import { discard } from "@quorate/server/rebuild";
import type { CrashKind, Machine } from "../runtime/machine.ts";
import type { World } from "../runtime/world.ts";
import { EngineDisk } from "./engine-disk.ts";
import type { Monitor } from "./monitor/monitor.ts";
import { WorkCounts } from "./work-counts.ts";

export const nodePort = 7000;
export const sqlPort = 5432;

export interface SimNodeOptions {
	readonly world: World;
	readonly machine: Machine;
	readonly join: readonly string[];
	readonly locality: string;
	readonly limits: Limits | undefined;
	readonly mutations: Mutations | undefined;
	/** Something that must never happen: a node stopped itself, or could not start. */
	readonly problem: (what: string) => void;
	readonly monitor: Monitor;
}

/** One boot. */
interface Boot {
	node: RunningNode | undefined;
	/** Its disk has failed, or may have. */
	mayStop: boolean;
	/** Resolves when the process is gone. */
	readonly ended: Promise<undefined>;
	readonly end: () => void;
}

export class SimNode {
	readonly machine: Machine;
	readonly engineDisk: EngineDisk;
	/** Over all boots that have ended. */
	readonly #work = new WorkCounts();
	readonly #options: SimNodeOptions;
	#boot: Boot | undefined;
	#nodeId: NodeId | undefined;
	#mayStop = false;
	/** Of the build that its next boots run; undefined: as they are. */
	versions: VersionSpan | undefined;
	/** Why the last boot stopped itself or did not start, where it was allowed to. */
	refusal = "";

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

	/** Undefined before it has served. */
	get knownId(): NodeId | undefined {
		return this.#nodeId;
	}

	/** Settles, with undefined, when the present boot ends. */
	get ended(): Promise<undefined> {
		return this.#boot?.ended ?? Promise.resolve(undefined);
	}

	/** Its disk fails: the present boot, and those that begin before this is false again, may stop themselves or not start. */
	set mayStop(may: boolean) {
		this.#mayStop = may;
		if (may && this.#boot !== undefined) this.#boot.mayStop = true;
	}

	/** What it did in all its boots. */
	get work(): WorkCounts {
		const sum = new WorkCounts();
		sum.add(this.#work);
		if (this.#boot?.node !== undefined) sum.addBoot(this.#boot.node);
		return sum;
	}

	start(): void {
		assert(this.#boot === undefined, `${this} runs a node already`);
		const { machine } = this;
		const { join, limits, mutations, monitor } = this.#options;
		let end: () => void = () => undefined;
		const ended = new Promise<undefined>((resolve) => {
			end = () => resolve(undefined);
		});
		const boot: Boot = { node: undefined, mayStop: this.#mayStop, ended, end };
		this.#boot = boot;
		const simulated = machine.boot();
		const runtime = {
			...simulated,
			fatal: (reason: string): never => {
				if (this.#boot === boot) {
					this.#stopped(boot, `node on ${this} stopped itself: ${reason}`);
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
			locality: this.#options.locality,
			openEngine: () => Promise.resolve(this.engineDisk.open(runtime)),
			observer: monitor.observer(`${this}`, () => this.engineDisk.digest),
			...(limits === undefined ? {} : { limits }),
			...(this.versions === undefined ? {} : { versions: this.versions }),
			...(mutations === undefined ? {} : { mutations }),
		}).then(
			(node) => {
				boot.node = node;
				this.#nodeId = node.nodeId;
				void node.failed.then((reason) => {
					if (this.#boot === boot) this.#stopped(boot, `the node on ${this} failed: ${reason}`);
				});
			},
			(error: Error) => {
				if (this.#boot !== boot) return;
				this.#stopped(boot, `${this} could not start its node: ${error.stack ?? error.message}`);
				if (boot.mayStop) this.crash("process");
			},
		);
	}

	#stopped(boot: Boot, what: string): void {
		if (boot.mayStop) {
			this.refusal = what.split("\n")[0]!;
			this.#options.world.count("fail-stop");
		} else this.#options.problem(what);
	}

	crash(kind: CrashKind): void {
		this.machine.crash(kind);
		this.#over(kind);
	}

	/** As by SIGTERM. */
	async stop(): Promise<void> {
		const boot = this.#boot;
		if (boot === undefined) return;
		await boot.node?.drain();
		await boot.node?.stop();
		if (this.#boot === boot) this.crash("process");
	}

	/** It has lost all that it ever wrote, and is another node when it comes back. */
	erase(): void {
		assert(this.#boot === undefined, `${this} loses its disk while a node runs on it`);
		this.machine.disk.erase();
		this.engineDisk.erase();
		this.#nodeId = undefined;
	}

	/** What `quorate node rebuild` does to a node that is down: it comes back as itself, and with nothing. */
	async rebuild(): Promise<void> {
		assert(this.#boot === undefined, `${this} is rebuilt while a node runs on it`);
		const { disk } = this.machine.boot();
		const identity = await readIdentity(disk);
		assert(identity?.phase === "formed", `${this} is in no cluster`);
		const { clusterId, nodeId, founders, members } = identity;
		await discard(disk, { clusterId, nodeId, founders, members, replicasFrom: 0 });
		this.machine.crash("process");
		this.engineDisk.erase();
	}

	/** The disk and the engine's disk do again what they are asked to. */
	disksWork(): void {
		const { faults } = this.machine.disk;
		faults.writeErrorRate = 0;
		faults.syncErrorRate = 0;
		faults.readErrorRate = 0;
		faults.slowSyncRate = 0;
		faults.capacityBytes = Number.POSITIVE_INFINITY;
		this.machine.disk.onOperation = undefined;
		this.engineDisk.slowness = 1;
		this.engineDisk.syncErrorRate = 0;
	}

	#over(kind: CrashKind): void {
		const boot = this.#boot;
		this.#boot = undefined;
		this.engineDisk.crashed(kind);
		if (boot?.node !== undefined) this.#work.addBoot(boot.node);
		boot?.end();
	}

	toString(): string {
		return `machine ${this.machine.id}`;
	}
}
