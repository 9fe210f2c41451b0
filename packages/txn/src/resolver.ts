/**
 * Finishes decided transactions in the background: turns their intents into versions, or drops them. Where too many wait, since a
 * range does not answer, a transaction is left to whoever meets its intents, who asks its anchor.
 */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { WrittenSpan } from "@quorate/replica/commands";
import type { Runtime } from "@quorate/runtime/runtime";
import type { RangeRouter } from "./router.ts";

/** Resolves that run beside the hot path at once. */
const concurrency = 32;
/** Of one transaction: a large one has millions of intents in dozens of ranges, and what is done for it is done beside everything else. */
const rangesAtOnce = 2;
const options = { idempotent: true, attemptMs: 60_000 };
/** Transactions that wait for their turn; what is named of one takes some hundred bytes, or 10 KB at most. */
const waitingMax = 10_000;
/** Rounds after which it is left to whoever meets the intents. */
const attemptsMax = 20;

interface Decided {
	readonly transaction: TransactionId;
	/** 0: aborted. */
	readonly c: Timestamp;
	readonly written: readonly WrittenSpan[];
}

export class Resolver {
	readonly #router: RangeRouter;
	readonly #runtime: Runtime;
	readonly #waiting: Decided[] = [];
	#running = 0;
	#leftOver = 0;

	constructor(runtime: Runtime, router: RangeRouter) {
		this.#runtime = runtime;
		this.#router = router;
	}

	get waiting(): number {
		return this.#waiting.length + this.#running;
	}

	/** Transactions that were left to others. */
	get leftOver(): number {
		return this.#leftOver;
	}

	/** c 0: aborted. Never rejects. */
	resolve(transaction: TransactionId, c: Timestamp, written: readonly WrittenSpan[]): void {
		if (this.#waiting.length >= waitingMax) {
			this.#leftOver++;
			return;
		}
		this.#waiting.push({ transaction, c, written });
		if (this.#running < concurrency) {
			this.#running++;
			void this.#resolveWaiting();
		}
	}

	/** One after the other, as long as there are any. */
	async #resolveWaiting(): Promise<void> {
		for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
			await this.resolveAll(next.transaction, next.c, next.written);
		}
		this.#running--;
	}

	/** True once every intent of the spans is known to be gone. */
	async resolveAll(
		transaction: TransactionId,
		c: Timestamp,
		written: readonly WrittenSpan[],
	): Promise<boolean> {
		let left: readonly WrittenSpan[] = written;
		for (let attempt = 0; attempt < attemptsMax && left.length > 0; attempt++) {
			try {
				left = await this.#round(transaction, c, left);
			} catch (error) {
				this.#runtime.logger.log("debug", "a resolve failed", {
					transaction,
					error: String(error),
				});
			}
			if (left.length > 0) {
				await new Promise<void>((wake) =>
					this.#runtime.scheduler.setTimer(Math.min(1_000, 20 * 2 ** attempt), wake),
				);
			}
		}
		return left.length === 0;
	}

	/** Sends each range its part; gives back what has to be tried again. */
	async #round(
		transaction: TransactionId,
		c: Timestamp,
		written: readonly WrittenSpan[],
	): Promise<WrittenSpan[]> {
		const parts = await this.#router.spansByRange(written);
		const left: WrittenSpan[] = [];
		let next = 0;
		const some = async (): Promise<void> => {
			for (let part = parts[next++]; part !== undefined; part = parts[next++]) {
				const { key, spans } = part;
				const body = { kind: "resolve" as const, transaction, c, spans };
				const answer = await this.#router.request(key, body, options).catch(() => undefined);
				if (answer?.kind !== "done") {
					left.push(...spans);
				}
			}
		};
		await (parts.length > 1 ? Promise.all(Array.from({ length: rangesAtOnce }, some)) : some());
		return left;
	}
}

/** Spans for a record: each key by itself while they are few, else one span a range. */
export function writtenSpans(keysByRange: readonly (readonly Key[])[]): WrittenSpan[] {
	const count = keysByRange.reduce((n, keys) => n + keys.length, 0);
	if (count <= pointsMax) {
		return keysByRange.flatMap((keys) => keys.map((k) => ({ start: k, end: keySuccessor(k) })));
	}
	return keysByRange.map((keys) => {
		let [low, high] = [keys[0]!, keys[0]!];
		for (const k of keys) {
			low = k < low ? k : low;
			high = k > high ? k : high;
		}
		return { start: low, end: keySuccessor(high) };
	});
}

/** Keys that a record names one by one. */
const pointsMax = 256;
