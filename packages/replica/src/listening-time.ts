/**
 * How long this process has been able to hear others. Who judges that somebody is silent counts this time and no clock's: a process
 * that was stopped, or whose event loop stood still, finds its timers overdue before it has read what came meanwhile, and would
 * take its own pause for the silence of all others.
 *
 * It goes on with ticks that were really made, however late they are, and by the length of one; and only after the turn of the event loop
 * in which one was due, so that what waits on the sockets has been read. On a machine with too much to do it is slow, as those are who
 * should be heard.
 */
import type { Scheduler } from "@quorate/runtime/runtime";

export class ListeningTime {
	readonly #scheduler: Scheduler;
	readonly #tickMs: number;
	#ms = 0;

	/** `tickMs`: how often `tick` is called. */
	constructor(scheduler: Scheduler, tickMs: number) {
		this.#scheduler = scheduler;
		this.#tickMs = tickMs;
	}

	/** Milliseconds since the start. */
	get ms(): number {
		return this.#ms;
	}

	tick(): void {
		this.#scheduler.defer(() => {
			this.#ms += this.#tickMs;
		});
	}
}
