/**
 * O3: all calls of one event-loop tick share one request to the oracle, and an answer serves only
 * calls that had begun when its request was sent: those that it was sent for. One request is under
 * way to another node; calls that come meanwhile collect for the next, so the more there are, the
 * fewer messages each costs. (A leader on this node does its own collecting.) While no leader answers, calls collect and are sent together after a pause.
 */
import { assert } from "@quorate/keys/assert";
import { type Timestamp, timestamp } from "@quorate/keys/timestamp";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import { type Attempt, type LeaderCalls, unavailable } from "./leader-calls.ts";
import { issueCountMax } from "./oracle.ts";

interface Wait {
	/** Rises with the calls. */
	readonly number: number;
	readonly deadlineMs: number;
	readonly resolve: (issued: IssuedTimestamp) => void;
	readonly reject: (error: Error) => void;
}

export interface BatcherOptions {
	readonly runtime: Runtime;
	readonly calls: LeaderCalls;
	/** One request for `count` timestamps; the answer's value is [first, schema version]. */
	readonly request: (count: number, timeoutMs: number) => Promise<Attempt>;
	/** True while the leader is on this node. */
	readonly isLocal: () => boolean;
	readonly onIssued: (last: Timestamp, schemaVersion: number) => void;
}

export class TimestampBatcher {
	readonly #options: BatcherOptions;
	#waits: Wait[] = [];
	#isFlushDeferred = false;
	#isInFlight = false;
	/** Set while a pause after failures lasts. */
	#pause: Timer | undefined;
	/** In a row. */
	#failures = 0;
	#calls = 0;

	constructor(options: BatcherOptions) {
		this.#options = options;
	}

	issue(timeoutMs: number): Promise<IssuedTimestamp> {
		return new Promise((resolve, reject) => {
			const deadlineMs = this.#options.runtime.clock.monotonicMs() + timeoutMs;
			this.#waits.push({ number: ++this.#calls, deadlineMs, resolve, reject });
			this.#deferFlush();
		});
	}

	#deferFlush(): void {
		if (this.#isFlushDeferred || this.#isInFlight || this.#pause !== undefined) {
			return;
		}
		this.#isFlushDeferred = true;
		this.#options.runtime.scheduler.defer(() => {
			this.#isFlushDeferred = false;
			this.#flush();
		});
	}

	#flush(): void {
		const nowMs = this.#options.runtime.clock.monotonicMs();
		const waits = this.#takeLiving(nowMs);
		if (waits.length === 0) {
			return;
		}
		let firstDeadlineMs = Number.POSITIVE_INFINITY;
		for (const wait of waits) {
			firstDeadlineMs = Math.min(firstDeadlineMs, wait.deadlineMs);
		}
		this.#isInFlight = !this.#options.isLocal();
		this.#options.request(waits.length, firstDeadlineMs - nowMs).then(
			(attempt) => {
				this.#isInFlight = false;
				this.#finish(waits, attempt);
				this.#flushCollected();
			},
			(error) => {
				this.#isInFlight = false;
				rejectAll(waits, error as Error);
				this.#flushCollected();
			},
		);
	}

	/** Who came during a request goes with the next. */
	#flushCollected(): void {
		if (this.#waits.length > 0) {
			this.#deferFlush();
		}
	}

	/** The waits that have time left; the others are rejected. */
	#takeLiving(nowMs: number): Wait[] {
		const living = this.#waits.filter((wait) => wait.deadlineMs > nowMs);
		const late = this.#waits.filter((wait) => wait.deadlineMs <= nowMs);
		this.#waits = living.splice(issueCountMax);
		if (this.#waits.length > 0) {
			this.#deferFlush();
		}
		if (late.length > 0) {
			rejectAll(late, unavailable());
		}
		return living;
	}

	#finish(waits: readonly Wait[], attempt: Attempt): void {
		if (attempt.kind !== "answer") {
			this.#again(waits, attempt.kind === "unsent" && attempt.retryAtOnce);
			return;
		}
		this.#failures = 0;
		const [first, schemaVersion] = attempt.value as [number, number];
		assert(first > 0 && Number.isSafeInteger(schemaVersion), "the oracle's answer is malformed");
		this.#options.onIssued(timestamp(first + waits.length - 1), schemaVersion);
		for (const [i, wait] of waits.entries()) {
			wait.resolve({ timestamp: (first + i) as Timestamp, schemaVersion });
		}
	}

	#again(waits: readonly Wait[], atOnce: boolean): void {
		// Whoever commits behind another has called after it, and needs the higher one.
		this.#waits = [...waits, ...this.#waits].sort((a, b) => a.number - b.number);
		this.#failures++;
		if (this.#pause !== undefined) {
			return;
		}
		if (atOnce && this.#failures <= 2) {
			this.#deferFlush();
			return;
		}
		const { runtime, calls } = this.#options;
		this.#pause = runtime.scheduler.setTimer(calls.backoffMs(this.#failures), () => {
			this.#pause = undefined;
			this.#flush();
		});
	}
}

function rejectAll(waits: readonly Wait[], error: Error): void {
	for (const wait of waits) {
		wait.reject(error);
	}
}
