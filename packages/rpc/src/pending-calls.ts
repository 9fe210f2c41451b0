/**
 * Calls that wait for an answer. One timer serves all of their deadlines: nearly every call is answered long before
 * its deadline, and a timer for each would cost more than the rest of the call's bookkeeping.
 */
import type { Clock, Scheduler, Timer } from "@quorate/runtime/runtime";
import type { Body } from "./types.ts";
import { RpcError } from "./types.ts";

/** Deadlines are met this late at most; it bounds how often the timer can fire. */
const DEADLINE_GRID_MS = 20;

export interface PendingCall {
	readonly method: string;
	/** Where it went, for messages. */
	readonly target: string;
	/** The link that it left by; undefined for a call to this node itself. */
	readonly link: object | undefined;
	readonly deadlineMs: number;
	readonly resolve: (body: Body) => void;
	readonly reject: (error: Error) => void;
}

export class PendingCalls {
	readonly #clock: Clock;
	readonly #scheduler: Scheduler;
	readonly #calls = new Map<number, PendingCall>();
	#lastId = 0;
	#timer: Timer | undefined;
	#timerAtMs = Number.POSITIVE_INFINITY;

	constructor(clock: Clock, scheduler: Scheduler) {
		this.#clock = clock;
		this.#scheduler = scheduler;
	}

	nextId(): number {
		return ++this.#lastId;
	}

	has(id: number): boolean {
		return this.#calls.has(id);
	}

	add(
		id: number,
		timeoutMs: number,
		call: Omit<PendingCall, "deadlineMs" | "resolve" | "reject">,
	): Promise<Body> {
		const deadlineMs =
			Math.ceil((this.#clock.monotonicMs() + timeoutMs) / DEADLINE_GRID_MS) * DEADLINE_GRID_MS;
		return new Promise((resolve, reject) => {
			this.#calls.set(id, {
				method: call.method,
				target: call.target,
				link: call.link,
				deadlineMs,
				resolve,
				reject,
			});
			if (deadlineMs < this.#timerAtMs) this.#arm(deadlineMs);
		});
	}

	/** An answer to a call that is over (timed out) is dropped. */
	settle(id: number, body: Body): void {
		const call = this.#calls.get(id);
		if (call === undefined) return;
		this.#calls.delete(id);
		call.resolve(body);
	}

	fail(id: number, error: Error): void {
		const call = this.#calls.get(id);
		if (call === undefined) return;
		this.#calls.delete(id);
		call.reject(error);
	}

	/** The link broke: whether the peer acted on these is unknown. */
	loseAllOf(link: object, reason: string): void {
		for (const [id, call] of this.#calls) {
			if (call.link !== link) continue;
			this.fail(id, new RpcError("lost", `${call.method} to ${call.target}: ${reason}`));
		}
	}

	close(reason: string): void {
		this.#timer?.cancel();
		for (const [id, call] of this.#calls) {
			this.fail(id, new RpcError("lost", `${call.method} to ${call.target}: ${reason}`));
		}
	}

	#arm(atMs: number): void {
		this.#timer?.cancel();
		this.#timerAtMs = atMs;
		const delayMs = Math.max(0, atMs - this.#clock.monotonicMs());
		this.#timer = this.#scheduler.setTimer(delayMs, () => this.#expire());
	}

	#expire(): void {
		const nowMs = this.#clock.monotonicMs();
		let nextMs = Number.POSITIVE_INFINITY;
		for (const [id, call] of this.#calls) {
			if (call.deadlineMs <= nowMs) {
				this.fail(
					id,
					new RpcError("timeout", `${call.method} to ${call.target}: no answer in time`),
				);
			} else if (call.deadlineMs < nextMs) nextMs = call.deadlineMs;
		}
		this.#timer = undefined;
		this.#timerAtMs = Number.POSITIVE_INFINITY;
		if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs);
	}
}
