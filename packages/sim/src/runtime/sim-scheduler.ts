/** Timers and ticks of one simulated process. */
import { type Scheduler, type TickPart, type Timer, tickParts } from "@quorate/runtime/runtime";
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
	readonly #tasks: Record<TickPart, (() => void)[]> = { work: [], gather: [], send: [] };
	/** A tick is due, or one of its parts. */
	#isDue = false;
	/** The first that the tick has not had. */
	#part = 0;

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

	defer(task: () => void, part: TickPart = "work"): void {
		this.#tasks[part].push(task);
		if (!this.#isDue) this.#due(TURN_US);
	}

	yield(): Promise<void> {
		return new Promise((resolve) => this.defer(resolve));
	}

	#due(delayUs: number): void {
		this.#isDue = true;
		this.#world.push(this.#world.nowUs + delayUs, EVENT_DEFERRED, this.#process, this.#drain);
	}

	/** One part is one event, so that the promise jobs that it causes come before the next. */
	#run(): void {
		const now = this.#dueFrom(this.#part)!;
		const tasks = this.#tasks[now];
		this.#tasks[now] = [];
		for (const task of tasks) task();
		this.#part = tickParts.indexOf(now) + 1;
		if (this.#dueFrom(this.#part) !== undefined) this.#due(0);
		else {
			this.#part = 0;
			this.#isDue = false;
			if (this.#dueFrom(0) !== undefined) this.#due(TURN_US);
		}
	}

	#dueFrom(first: number): TickPart | undefined {
		return tickParts.find((part, at) => at >= first && this.#tasks[part].length > 0);
	}
}
