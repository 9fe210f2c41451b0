/**
 * What a node does in the background, part after part, leaves it the rest of its time: after each part comes a pause that is so many times
 * as long as the part was. All that is paced on a node shares one pace. On a machine that is busy parts take longer, and so do pauses.
 */
import type { Runtime } from "@quorate/runtime/runtime";

/** A fifth of the time is work. */
const pausePerWork = 4;
/** Where a part takes long because others do, it is to end all the same. */
const pauseMsMax = 20;

export class Pace {
	readonly #runtime: Pick<Runtime, "clock" | "scheduler">;
	/** Monotonic milliseconds from which on there is time for the next part. */
	#freeAtMs = 0;

	constructor(runtime: Pick<Runtime, "clock" | "scheduler">) {
		this.#runtime = runtime;
	}

	/** Does a part, and then gives way. `weight`: with what follows from it elsewhere on the node, it takes so many times as long. */
	async part<T>(work: () => T, weight = 1): Promise<T> {
		const { clock, scheduler } = this.#runtime;
		const beganMs = clock.monotonicMs();
		const result = work();
		const nowMs = clock.monotonicMs();
		const pauseMs = Math.min(pauseMsMax, weight * pausePerWork * (nowMs - beganMs));
		this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + pauseMs;
		const waitMs = this.#freeAtMs - nowMs;
		if (waitMs >= 1) await new Promise<void>((done) => scheduler.setTimer(waitMs, done));
		else await scheduler.yield();
		return result;
	}
}
