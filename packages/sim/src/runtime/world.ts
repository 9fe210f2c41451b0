/**
 * A world: virtual time, machines, the network between them, and one seed that decides everything.
 *
 * Time is a number that moves to the next event; events with the same time run in the order in which they were
 * scheduled. After each event every promise job that it caused runs before the next event does (`pump.ts`), so code
 * under simulation may await whatever it likes, as long as all it waits for comes from its `Runtime`.
 */
import { assert } from "@quorate/keys/assert";
import type { LogLevel, Timer } from "@quorate/runtime/runtime";
import { EVENT_HARNESS, EVENT_TIMER, EventQueue, QueuedEvent } from "./event-queue.ts";
import { Machine } from "./machine.ts";
import { pump } from "./pump.ts";
import { SeededRandom } from "./seeded-random.ts";
import { DISK_DEFAULTS, type DiskOptions } from "./sim-disk.ts";
import { NETWORK_DEFAULTS, type NetworkOptions, SimNetwork } from "./sim-network.ts";
import { ProcessCrashedError, type SimProcess } from "./sim-process.ts";
import { Trace } from "./trace.ts";

export interface WorldOptions {
	readonly network?: Partial<NetworkOptions>;
	readonly disk?: Partial<DiskOptions>;
	/** What machines keep of their logs. */
	readonly logLevel?: LogLevel;
	/** Called before each event: to find where two runs of a seed part. */
	readonly observe?: (atUs: number, machineId: number, kind: number) => void;
}

/**
 * Added to the place in the order: a process that stood still runs the timers that are overdue before it looks at its sockets and
 * disks, as the event loop of Node does.
 */
const AFTER_TIMERS = 2 ** 50;

/** Something escaped from the code under simulation: an exception of an event, a rejection that nobody handled. */
export class SimulationError extends Error {
	override readonly name = "SimulationError";
}

/** The world whose step runs or ran last: rejections are reported between two turns, without saying whose they are. */
let current: World | undefined;
let running = 0;

function onUnhandledRejection(reason: unknown, promise: Promise<unknown>): void {
	// A process that crashes in `fatal` leaves the promises of its last moments to nobody.
	if (reason instanceof ProcessCrashedError) promise.catch(() => undefined);
	else current?.fail(reason, "unhandled rejection");
}

export class World {
	readonly seed: number;
	readonly network: SimNetwork;
	readonly trace = new Trace();
	readonly options: WorldOptions;
	readonly diskOptions: DiskOptions;
	readonly #queue = new EventQueue();
	readonly #machines = new Map<number, Machine>();
	readonly #counts = new Map<string, number>();
	#nowUs = 0;
	#sequence = 0;
	#eventCount = 0;
	#failure: SimulationError | undefined;
	#busy = false;

	constructor(seed: number, options: WorldOptions = {}) {
		this.seed = seed;
		this.options = options;
		this.diskOptions = { ...DISK_DEFAULTS, ...options.disk };
		this.network = new SimNetwork(this, { ...NETWORK_DEFAULTS, ...options.network });
	}

	get nowUs(): number {
		return this.#nowUs;
	}

	get nowMs(): number {
		return this.#nowUs / 1000;
	}

	/** Events that have run. */
	get eventCount(): number {
		return this.#eventCount;
	}

	/** How often each kind of fault happened. */
	get counts(): ReadonlyMap<string, number> {
		return this.#counts;
	}

	count(fault: string, times = 1): void {
		this.#counts.set(fault, (this.#counts.get(fault) ?? 0) + times);
	}

	/** A stream of its own for each label. */
	random(label: string): SeededRandom {
		return new SeededRandom(this.seed, label);
	}

	addMachine(id: number): Machine {
		assert(!this.#machines.has(id), `there is a machine ${id} already`);
		const machine = new Machine(this, id);
		this.#machines.set(id, machine);
		return machine;
	}

	machine(id: number): Machine {
		const machine = this.#machines.get(id);
		assert(machine !== undefined, `there is no machine ${id}`);
		return machine;
	}

	get machines(): readonly Machine[] {
		return [...this.#machines.values()];
	}

	/** For the harness: runs outside of every machine. */
	schedule(delayMs: number, task: () => void): Timer {
		return this.push(this.#nowUs + Math.ceil(delayMs * 1000), EVENT_HARNESS, undefined, task);
	}

	sleep(delayMs: number): Promise<void> {
		return new Promise((resolve) => this.schedule(delayMs, resolve));
	}

	/** For the parts of the world. What a process that is gone asks for does not happen. */
	push(atUs: number, kind: number, process: SimProcess | undefined, task: () => void): QueuedEvent {
		assert(atUs >= this.#nowUs, "an event lies in the future");
		const event = new QueuedEvent(atUs, this.#sequence++, kind, process, task);
		if (process === undefined || process.alive) this.#queue.push(event);
		return event;
	}

	/** Moves the timers of a machine whose clock has changed its rate. */
	retimeMachine(machine: Machine): void {
		this.#queue.reschedule((event) => {
			if (event.deadlineMs !== 0 && event.process?.machine === machine) {
				event.atUs = Math.max(this.#nowUs, machine.clock.whenUs(event.deadlineMs));
			}
		});
	}

	/** Runs until this virtual time. */
	async run(untilMs: number): Promise<void> {
		await this.#run(() => false, Math.round(untilMs * 1000));
	}

	async runFor(durationMs: number): Promise<void> {
		await this.run(this.nowMs + durationMs);
	}

	/** Answers whether the condition came true in time; it is looked at after every event. */
	async runUntil(condition: () => boolean, withinMs: number): Promise<boolean> {
		let met = false;
		await this.#run(
			() => {
				met = condition();
				return met;
			},
			Math.round(this.#nowUs + withinMs * 1000),
		);
		return met || condition();
	}

	/** Runs until the promise settles, and gives what it settles to. */
	async complete<T>(promise: Promise<T>, withinMs: number): Promise<T> {
		let settled = false;
		const settle = (): void => {
			settled = true;
		};
		promise.then(settle, settle);
		const done = await this.runUntil(() => settled, withinMs);
		if (!done) {
			throw new SimulationError(
				`seed ${this.seed}: nothing came of it within ${withinMs} virtual ms`,
			);
		}
		return promise;
	}

	traceHash(): string {
		return this.trace.digest();
	}

	/** The first failure ends the run. */
	fail(cause: unknown, what: string): void {
		if (cause instanceof ProcessCrashedError) return;
		const message = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
		this.#failure ??= new SimulationError(
			`seed ${this.seed}, ${this.nowMs} ms: ${what}: ${message}`,
			{ cause },
		);
	}

	async #run(stop: () => boolean, limitUs: number): Promise<void> {
		assert(!this.#busy, "a world runs once at a time");
		this.#busy = true;
		if (running++ === 0) process.on("unhandledRejection", onUnhandledRejection);
		try {
			await pump(() => this.#step(stop, limitUs));
			if (this.#failure !== undefined) throw this.#failure;
		} finally {
			this.#busy = false;
			if (--running === 0) process.removeListener("unhandledRejection", onUnhandledRejection);
		}
	}

	/** One event; false when there is nothing more to do. */
	#step(stop: () => boolean, limitUs: number): boolean {
		current = this;
		if (this.#failure !== undefined || stop()) return false;
		for (;;) {
			const event = this.#queue.peek();
			if (event === undefined || event.atUs > limitUs) {
				this.#nowUs = limitUs;
				return false;
			}
			this.#queue.pop();
			const { process, task } = event;
			if (task === undefined) continue;
			if (process !== undefined) {
				if (!process.alive) continue;
				if (process.resumeAtUs > event.atUs) {
					event.atUs = process.resumeAtUs;
					event.sequence = this.#sequence++ + (event.kind === EVENT_TIMER ? 0 : AFTER_TIMERS);
					this.#queue.push(event);
					continue;
				}
			}
			this.#execute(event, task);
			return true;
		}
	}

	#execute(event: QueuedEvent, task: () => void): void {
		const machineId = event.process === undefined ? 0 : event.process.machine.id;
		this.#nowUs = event.atUs;
		this.#eventCount++;
		this.trace.mixEvent(event.atUs, machineId, event.kind);
		this.options.observe?.(event.atUs, machineId, event.kind);
		event.task = undefined;
		try {
			task();
		} catch (error) {
			this.fail(error, `exception on machine ${machineId}`);
		}
	}
}
