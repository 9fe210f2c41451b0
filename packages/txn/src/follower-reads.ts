/**
 * Reads of the past at this node's own replicas (design, section 6; F1 and F2 in `packages/replica/src/closing.ts`).
 *
 * A transaction that takes the past for good reads at a timestamp that the replica here of the first range it touches has applied
 * as closed. What this node has no replica of, or one that has not closed that timestamp, is read from the leaseholder, at the
 * same timestamp: where it is read never changes what is seen.
 *
 * Nothing is closed for nobody. Whoever reads has the range's leaseholder close a fresh timestamp, beside the read, when the
 * last is a while old; a read waits for that only where there is nothing closed yet, nothing as new as it must be, or where
 * nobody has asked for some seconds. A leaseholder that does not answer is not waited for again for as long.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { RangeAnswer } from "@quorate/replica/requests";
import type { IssuedTimestamp } from "@quorate/replica/timestamp-source";
import type { Runtime } from "@quorate/runtime/runtime";
import { type RangeRouter, throwErrors } from "./router.ts";

/** After so long the next read has a fresh timestamp closed, for those that come after it. */
const refreshMs = 200;
/** After so long without any attempt, a read waits for it. */
const staleMs = 3_000;
/** How long it waits for a leaseholder. */
const patienceMs = 1_000;
const rangesMax = 10_000;

interface Attempt {
	/** Undefined when it has ended. */
	running: Promise<IssuedTimestamp> | undefined;
	readonly beganMs: number;
	endedMs: number;
}

export class FollowerReads {
	readonly #runtime: Runtime;
	readonly #router: RangeRouter;
	readonly #attempts = new Map<RangeId, Attempt>();

	constructor(runtime: Runtime, router: RangeRouter) {
		this.#runtime = runtime;
		this.#router = router;
	}

	/**
	 * A closed timestamp at or above `least` for a transaction that begins with the range of `k`. Undefined: this node has no replica
	 * of it that follows. Rejects with 57P03 where nothing so new is closed and the leaseholder does not answer.
	 */
	async timestampNear(k: Key, least: Timestamp): Promise<IssuedTimestamp | undefined> {
		const known = await this.#router.replicaHere(k, { kind: "closed" });
		const rangeId = this.#router.cachedRangeOf(k)?.descriptor.rangeId;
		if (known?.kind !== "closed" || rangeId === undefined) {
			return undefined;
		}
		const attempt = this.#refresh(rangeId, k);
		const isUsable = known.timestamp > 0 && known.timestamp >= least;
		if (isUsable && this.#runtime.clock.monotonicMs() - attempt.endedMs < staleMs) {
			return known;
		}
		const running = attempt.running ?? this.#close(k);
		if (isUsable) {
			const closed = await this.#patiently(running);
			attempt.endedMs = this.#runtime.clock.monotonicMs();
			return closed !== undefined && closed.timestamp >= least ? closed : known;
		}
		const closed = await running;
		// One that was under way already may have been drawn too early.
		return closed.timestamp >= least ? closed : this.#close(k);
	}

	/** Undefined: it failed, or takes too long. */
	#patiently(running: Promise<IssuedTimestamp>): Promise<IssuedTimestamp | undefined> {
		return new Promise((resolve, reject) => {
			const timer = this.#runtime.scheduler.setTimer(patienceMs, () => resolve(undefined));
			const failed = (error: unknown) =>
				error instanceof DatabaseError ? resolve(undefined) : reject(error);
			running.then(resolve, failed).finally(() => timer.cancel());
		});
	}

	/** The last attempt for the range, or a new one if that began a while ago. */
	#refresh(rangeId: RangeId, k: Key): Attempt {
		const nowMs = this.#runtime.clock.monotonicMs();
		const last = this.#attempts.get(rangeId);
		if (last !== undefined && (last.running !== undefined || nowMs - last.beganMs < refreshMs)) {
			return last;
		}
		if (this.#attempts.size >= rangesMax) {
			this.#attempts.clear();
		}
		const running = this.#close(k);
		const endedMs = last?.endedMs ?? Number.NEGATIVE_INFINITY;
		const attempt: Attempt = { running, beganMs: nowMs, endedMs };
		this.#attempts.set(rangeId, attempt);
		const end = () => {
			attempt.running = undefined;
			attempt.endedMs = this.#runtime.clock.monotonicMs();
		};
		running.then(end, end);
		return attempt;
	}

	async #close(k: Key): Promise<IssuedTimestamp> {
		const options = { idempotent: true, attemptMs: patienceMs, totalMs: patienceMs };
		for (;;) {
			const answer: RangeAnswer = await this.#router.request(k, { kind: "close" }, options);
			if (answer.kind === "closed") {
				return answer;
			}
			throwErrors(answer);
		}
	}
}
