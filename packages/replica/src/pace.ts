/**
 * What a node does in the background, part after part, leaves it the rest of its time: after each part comes a pause that is so many times
 * as long as the part was. All that is paced on a node shares one pace. On a machine that is busy parts take longer, and so do pauses.
 *
 * A part is not all that follows from it (what it read is sent, what it made is collected), and a node that has a part of a core only has
 * less than the clock says. So where a pause ends late, since the node has other things to do, the next one is longer for it.
 */
import type { Runtime } from "@quorate/runtime/runtime";

/** A tenth of the time is work. */
const pausePerWork = 9;
/** Where a part takes long because others do, it is to end all the same. */
const pauseMsMax = 50;
/** A timer is that late on a node that has nothing else to do. */
const timerMs = 1;

export class Pace {
	readonly #runtime: Pick<Runtime, "clock" | "scheduler">;
	/** Monotonic milliseconds from which on there is time for the next part. */
	#freeAtMs = 0;
	/** By how much the last pause was too long. */
	#lateMs = 0;

	constructor(runtime: Pick<Runtime, "clock" | "scheduler">) {
		this.#runtime = runtime;
	}

	/** Does a part, and then gives way. `weight`: with what follows from it elsewhere on the node, it takes so many times as long. */
	async part<T>(work: () => T, weight = 1): Promise<T> {
		const { clock, scheduler } = this.#runtime;
		const beganMs = clock.monotonicMs();
		const result = work();
		const nowMs = clock.monotonicMs();
		const workMs = weight * (nowMs - beganMs) + this.#lateMs;
		const freeAtMs = Math.max(this.#freeAtMs, nowMs) + Math.min(pauseMsMax, pausePerWork * workMs);
		this.#freeAtMs = freeAtMs;
		const waitMs = freeAtMs - nowMs;
		if (waitMs < 1) {
			await scheduler.yield();
			return result;
		}
		await new Promise<void>((done) => scheduler.setTimer(waitMs, done));
		this.#lateMs = Math.max(0, clock.monotonicMs() - freeAtMs - timerMs);
		return result;
	}
}
