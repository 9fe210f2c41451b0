/** What happens next: a binary heap by virtual time, then by order of scheduling. */
import type { Timer } from "@quorate/runtime/runtime";
import type { SimProcess } from "./sim-process.ts";

/** Kinds of events, for the trace. */
export const EVENT_HARNESS = 1;
export const EVENT_TIMER = 2;
export const EVENT_DEFERRED = 3;
export const EVENT_NETWORK = 4;
export const EVENT_DISK = 5;

export class QueuedEvent implements Timer {
	/** Virtual time, whole microseconds. */
	atUs: number;
	sequence: number;
	readonly kind: number;
	/** Whose event it is: it goes with the process. Undefined for what the world itself does. */
	readonly process: SimProcess | undefined;
	/** Undefined once it was cancelled. */
	task: (() => void) | undefined;
	/** For a timer: when it is due by the monotonic clock of its machine. */
	deadlineMs = 0;

	constructor(
		atUs: number,
		sequence: number,
		kind: number,
		process: SimProcess | undefined,
		task: () => void,
	) {
		this.atUs = atUs;
		this.sequence = sequence;
		this.kind = kind;
		this.process = process;
		this.task = task;
	}

	cancel(): void {
		this.task = undefined;
	}
}

const before = (a: QueuedEvent, b: QueuedEvent): boolean =>
	a.atUs < b.atUs || (a.atUs === b.atUs && a.sequence < b.sequence);

export class EventQueue {
	#heap: QueuedEvent[] = [];

	get size(): number {
		return this.#heap.length;
	}

	peek(): QueuedEvent | undefined {
		return this.#heap[0];
	}

	push(event: QueuedEvent): void {
		const heap = this.#heap;
		let at = heap.length;
		heap.push(event);
		while (at > 0) {
			const parent = (at - 1) >> 1;
			const above = heap[parent]!;
			if (!before(event, above)) break;
			heap[at] = above;
			at = parent;
		}
		heap[at] = event;
	}

	pop(): QueuedEvent | undefined {
		const heap = this.#heap;
		const top = heap[0];
		const last = heap.pop();
		if (last !== undefined && last !== top) this.#sink(last);
		return top;
	}

	/** Changes times in place, then restores the order. */
	reschedule(change: (event: QueuedEvent) => void): void {
		const events = this.#heap;
		this.#heap = [];
		for (const event of events) {
			change(event);
			if (event.task !== undefined) this.push(event);
		}
	}

	/** Puts an event in the place of the first one. */
	#sink(event: QueuedEvent): void {
		const heap = this.#heap;
		const size = heap.length;
		let at = 0;
		for (;;) {
			let child = 2 * at + 1;
			if (child >= size) break;
			if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
			const below = heap[child]!;
			if (!before(below, event)) break;
			heap[at] = below;
			at = child;
		}
		heap[at] = event;
	}
}
