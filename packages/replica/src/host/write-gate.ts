/**
 * Where large commands of one group wait while the group is behind: this replica's machine, or a follower that is getting on.
 * First come, first served. Nobody waits for long: a write is delayed, never refused, and a follower that is slower than this
 * lets through falls out of the log and is brought back by a snapshot.
 */
import { SparseSet } from "@quorate/keys/sparse-map";
import type { Scheduler, Timer } from "@quorate/runtime/runtime";

/** Bytes that the group may be behind before large commands wait. */
export const backlogBytesMax = 4 << 20;
/** Well below what a gateway waits for an answer. */
const waitMs = 5_000;

interface Waiter {
	readonly bytes: number;
	readonly resolve: () => void;
	readonly timer: Timer;
}

export class WriteGate {
	readonly #scheduler: Scheduler;
	readonly #waiters = new SparseSet<Waiter>();

	constructor(scheduler: Scheduler) {
		this.#scheduler = scheduler;
	}

	get isEmpty(): boolean {
		return this.#waiters.size === 0;
	}

	/** Undefined: go on. */
	enter(bytes: number, backlogBytes: number): Promise<void> | undefined {
		if (this.isEmpty && backlogBytes < backlogBytesMax) return undefined;
		return new Promise((resolve) => {
			const waiter = {
				bytes,
				resolve,
				timer: this.#scheduler.setTimer(waitMs, () => this.#release(waiter)),
			};
			this.#waiters.add(waiter);
		});
	}

	/** What is let in counts before it is proposed. */
	letIn(backlogBytes: number): void {
		let behind = backlogBytes;
		for (const waiter of this.#waiters) {
			if (behind >= backlogBytesMax) return;
			behind += waiter.bytes;
			this.#release(waiter);
		}
	}

	/** There is nothing to wait for any more. */
	open(): void {
		for (const waiter of this.#waiters) this.#release(waiter);
	}

	#release(waiter: Waiter): void {
		waiter.timer.cancel();
		this.#waiters.delete(waiter);
		waiter.resolve();
	}
}
