/** A machine: a disk and clocks that outlive the processes which run on it one after the other. */
import { assert } from "@quorate/keys/assert";
import type { Runtime } from "@quorate/runtime/runtime";
import { LogRing } from "./ring-logger.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SimClock } from "./sim-clock.ts";
import { SimDisk } from "./sim-disk.ts";
import { ProcessCrashedError, SimProcess } from "./sim-process.ts";
import { SimScheduler } from "./sim-scheduler.ts";
import type { World } from "./world.ts";

const LOG_LINES_KEPT = 1000;

/**
 * `process`: the program is gone, the kernel lives: written data is kept, peers are told by a reset.
 * `power`: the machine is gone: what was not synced is at risk, peers hear nothing.
 */
export type CrashKind = "process" | "power";

export class Machine {
	readonly id: number;
	/** A loopback address, as node-to-node traffic demands one. */
	readonly host: string;
	readonly clock: SimClock;
	readonly disk: SimDisk;
	readonly log: LogRing;
	/** Why processes stopped themselves. */
	readonly fatalReasons: string[] = [];
	readonly #world: World;
	readonly #random: SeededRandom;
	#process: SimProcess | undefined;
	#powered = true;

	constructor(world: World, id: number) {
		assert(Number.isInteger(id) && id > 0 && id < 65536, "a machine's id fits its address");
		this.#world = world;
		this.id = id;
		this.host = `127.1.${id >> 8}.${id & 255}`;
		this.#random = world.random(`machine ${id}`);
		this.clock = new SimClock(() => world.nowUs, this.#random.below(1_000_000));
		this.disk = new SimDisk(world, id);
		this.log = new LogRing(
			world.options.logLevel ?? "info",
			LOG_LINES_KEPT,
			() => world.nowMs,
			this.clock,
		);
	}

	/** The running process, if there is one. */
	get process(): SimProcess | undefined {
		return this.#process;
	}

	get powered(): boolean {
		return this.#powered;
	}

	/** Starts a process. What it does is up to the caller, who gets its runtime. */
	boot(): Runtime {
		assert(this.#process === undefined, `machine ${this.id} runs a process already`);
		const process = new SimProcess(this);
		this.#process = process;
		process.runtime = this.#makeRuntime(process);
		if (!this.#powered) {
			this.#powered = true;
			this.#world.network.machineUp(this);
		}
		return process.runtime;
	}

	/** Every timer, message and disk operation of the process is forgotten; its promises never settle. */
	crash(kind: CrashKind): void {
		const process = this.#process;
		if (kind === "process" && process === undefined) return;
		this.#world.count(`crash-${kind}`);
		this.#process = undefined;
		if (process !== undefined) process.alive = false;
		this.#powered = kind === "process" && this.#powered;
		if (process !== undefined) this.#world.network.processEnded(process, kind);
		this.disk.processEnded(process, kind);
	}

	/** The process does nothing for a while, then goes on as if no time had passed. */
	pause(durationMs: number): void {
		if (this.#process === undefined) return;
		this.#world.count("pause");
		this.#process.resumeAtUs = Math.max(
			this.#process.resumeAtUs,
			this.#world.nowUs + Math.ceil(durationMs * 1000),
		);
	}

	/** The wall clock jumps. */
	jumpWall(deltaMs: number): void {
		this.#world.count("wall-jump");
		this.clock.jumpWall(deltaMs);
	}

	/** Both clocks run `rate` times as fast as time from now on. */
	setClockRate(rate: number): void {
		assert(rate > 0, "a clock goes forward");
		this.#world.count("clock-rate");
		this.clock.setRate(rate);
		this.#world.retimeMachine(this);
	}

	#makeRuntime(process: SimProcess): Runtime {
		const world = this.#world;
		return {
			clock: this.clock,
			scheduler: new SimScheduler(world, process, this.#random),
			random: this.#random,
			network: world.network.forProcess(process),
			disk: this.disk.forProcess(process),
			files: this.disk.forProcess(process, "machine"),
			logger: this.log.logger({}),
			fatal: (reason) => {
				if (process.alive) {
					world.count("fatal");
					this.fatalReasons.push(reason);
					this.log.logger({}).log("error", "stopping: it is not safe to go on", { reason });
					this.crash("process");
				}
				throw new ProcessCrashedError(reason);
			},
		};
	}
}
