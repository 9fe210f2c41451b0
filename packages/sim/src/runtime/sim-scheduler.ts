/** Timers and ticks of one simulated process. */
import type { Scheduler, Timer } from "@quorate/runtime/runtime";
import { EVENT_DEFERRED, EVENT_TIMER } from "./event-queue.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** A turn of the event loop takes time, so that code that only waits for the next turn cannot stop the clock. */
const TURN_US = 1;
/** Real timers are late, and not by the same amount each time. */
const TIMER_LATENESS_MS_MAX = 1;

export class SimScheduler implements Scheduler {
	readonly #world: World;
	readonly #process: SimProcess;
	readonly #random: SeededRandom;
	readonly #drain = (): void => this.#run();
	#tasks: (() => void)[] = [];

	constructor(world: World, process: SimProcess, random: SeededRandom) {
		this.#world = world;
		this.#process = process;
		this.#random = random;
	}

	setTimer(delayMs: number, task: () => void): Timer {
		const { clock } = this.#process.machine;
		const lateMs = this.#random.float() * TIMER_LATENESS_MS_MAX;
		const deadlineMs = clock.monotonicMs() + Math.max(delayMs, 0) + lateMs;
		const event = this.#world.push(clock.whenUs(deadlineMs), EVENT_TIMER, this.#process, task);
		event.deadlineMs = deadlineMs;
		return event;
	}

	defer(task: () => void): void {
		this.#tasks.push(task);
		if (this.#tasks.length === 1) {
			this.#world.push(this.#world.nowUs + TURN_US, EVENT_DEFERRED, this.#process, this.#drain);
		}
	}

	yield(): Promise<void> {
		return new Promise((resolve) => this.defer(resolve));
	}

	#run(): void {
		const tasks = this.#tasks;
		this.#tasks = [];
		for (const task of tasks) task();
	}
}
