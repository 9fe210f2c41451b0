/**
 * Timers and the tick. All that is deferred in one event-loop turn shares one `setImmediate` callback for each part of the tick: that is
 * what lets a layer gather the work of a turn (one frame a peer, one oracle call) for the price of an array push. Callbacks of their own, since
 * promise jobs run between two of them: what a part has caused belongs to the next.
 */
import { type Scheduler, type TickPart, type Timer, tickParts } from "./runtime.ts";

/** Node fires a longer timer at once; one of this length is re-armed instead. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

class RealTimer implements Timer {
	#handle: NodeJS.Timeout;

	constructor(delayMs: number, task: () => void) {
		this.#handle = this.#arm(delayMs, task);
	}

	cancel(): void {
		clearTimeout(this.#handle);
	}

	#arm(delayMs: number, task: () => void): NodeJS.Timeout {
		if (delayMs <= TIMER_DELAY_MS_MAX) {
			return setTimeout(task, delayMs);
		}
		return setTimeout(() => {
			this.#handle = this.#arm(delayMs - TIMER_DELAY_MS_MAX, task);
		}, TIMER_DELAY_MS_MAX);
	}
}

/** What is deferred to one part. */
class Part {
	tasks: (() => void)[] = [];

	/** What they defer to this part is not for now. After a throw, where the process survives that, the rest is still to be done, and first. */
	run(): void {
		if (this.tasks.length === 0) return;
		const { tasks } = this;
		this.tasks = [];
		let done = 0;
		try {
			while (done < tasks.length) tasks[done++]!();
		} finally {
			if (done < tasks.length) this.tasks = tasks.slice(done).concat(this.tasks);
		}
	}
}

export class RealScheduler implements Scheduler {
	readonly #parts = { work: new Part(), gather: new Part(), send: new Part() };
	readonly #drains = tickParts.map((name) => (): void => this.#run(name));
	#scheduled = false;

	setTimer(delayMs: number, task: () => void): Timer {
		return new RealTimer(delayMs, task);
	}

	defer(task: () => void, part: TickPart = "work"): void {
		this.#parts[part].tasks.push(task);
		this.#schedule();
	}

	yield(): Promise<void> {
		return new Promise((resolve) => this.defer(resolve));
	}

	#schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		for (const drain of this.#drains) setImmediate(drain);
	}

	#run(name: TickPart): void {
		try {
			this.#parts[name].run();
		} finally {
			if (name === "send") {
				this.#scheduled = false;
				if (tickParts.some((part) => this.#parts[part].tasks.length > 0)) this.#schedule();
			}
		}
	}
}
