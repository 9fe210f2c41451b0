/**
 * Timers and the tick. All that is deferred in one event-loop turn shares one `setImmediate` callback: that is
 * what lets a layer gather the work of a turn (one frame a peer, one oracle call) for the price of an array push.
 */
import type { Scheduler, Timer } from "./runtime.ts";

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

export class RealScheduler implements Scheduler {
	#tasks: (() => void)[] = [];
	#scheduled = false;
	readonly #drain = (): void => this.#run();

	setTimer(delayMs: number, task: () => void): Timer {
		return new RealTimer(delayMs, task);
	}

	defer(task: () => void): void {
		this.#tasks.push(task);
		if (!this.#scheduled) {
			this.#scheduled = true;
			setImmediate(this.#drain);
		}
	}

	yield(): Promise<void> {
		return new Promise((resolve) => this.defer(resolve));
	}

	/** A task deferred by a task belongs to the next turn. */
	#run(): void {
		const tasks = this.#tasks;
		this.#tasks = [];
		this.#scheduled = false;
		let done = 0;
		try {
			while (done < tasks.length) tasks[done++]!();
		} finally {
			// Only after a throw: where the process survives that, the rest still runs, and first.
			if (done < tasks.length) {
				this.#tasks = tasks.slice(done).concat(this.#tasks);
				if (!this.#scheduled) {
					this.#scheduled = true;
					setImmediate(this.#drain);
				}
			}
		}
	}
}
