/**
 * Finishes decided transactions in the background: turns their intents into versions, or drops them. Where too many wait, since a
 * range does not answer, a transaction is left to whoever meets its intents, who asks its anchor.
 */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, pointSpan } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { WrittenSpan } from "@quorate/replica/commands";
import type { Runtime } from "@quorate/runtime/runtime";
import type { RangeRouter } from "./router.ts";

/** Resolves that run beside the hot path at once. */
const concurrency = 32;
/** Of one transaction: a large one has millions of intents in dozens of ranges, and what is done for it is done beside everything else. */
const rangesAtOnce = 2;
const options = { idempotent: true, attemptMs: 60_000 };
/** Transactions that wait for their turn; what is named of one takes some hundred bytes, or 64 KB at most. */
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

/** Spans for a record: each key by itself while they are few, else a few spans a range. */
export function writtenSpans(keysByRange: readonly (readonly Key[])[]): WrittenSpan[] {
	const count = keysByRange.reduce((n, keys) => n + keys.length, 0);
	return keysByRange.flatMap((keys) => {
		const points = keys.map(pointSpan);
		return count <= pointsMax ? points : fewSpans(points, spansMax);
	});
}

/** Those of many chunks: the record is one entry of a log, however long the transaction. */
export function bounded(spans: readonly WrittenSpan[]): readonly WrittenSpan[] {
	let few = spans;
	for (let max = spans.length; max > 1 && bytesOf(few) > recordBytesMax; max >>= 2) {
		few = fewSpans(spans, max);
	}
	return few;
}

const bytesOf = (spans: readonly WrittenSpan[]): number =>
	spans.reduce((sum, { start, end }) => sum + start.length + end.length + 16, 0);

/**
 * Cut where neighbours have least in common: between tables, and between the catalog and rows, there may be any number of intents of
 * others, all of which are looked at by whoever looks for this transaction's. Keys of one table have most in common and stay together.
 */
function fewSpans(all: readonly WrittenSpan[], max: number): WrittenSpan[] {
	const sorted = joined(all);
	const [first, last] = [sorted[0]!, sorted[sorted.length - 1]!];
	// Of all of them, so of each pair.
	const ofAll = sharedLength(first.start, last.start, 0);
	const shared = sorted.slice(1).map(({ start }, n) => sharedLength(sorted[n]!.end, start, ofAll));
	const gaps: number[] = [];
	for (const length of shared) {
		gaps[length] = (gaps[length] ?? 0) + 1;
	}
	// All gaps of a length or none, as many as there may be.
	let most = max - 1;
	let least = 0;
	while (least < gaps.length && (gaps[least] ?? 0) <= most) {
		most -= gaps[least++] ?? 0;
	}
	const spans: WrittenSpan[] = [];
	let { start } = first;
	for (const [n, length] of shared.entries()) {
		if (length < least) {
			spans.push({ start, end: sorted[n]!.end });
			start = sorted[n + 1]!.start;
		}
	}
	return [...spans, { start, end: last.end }];
}

/** In order; those that overlap or touch are one. */
function joined(all: readonly WrittenSpan[]): WrittenSpan[] {
	const spans: WrittenSpan[] = [];
	for (const span of [...all].sort((a, b) => (a.start < b.start ? -1 : 1))) {
		const last = spans[spans.length - 1];
		if (last === undefined || last.end < span.start) {
			spans.push(span);
		} else if (last.end < span.end) {
			spans[spans.length - 1] = { start: last.start, end: span.end };
		}
	}
	return spans;
}

function sharedLength(a: Key, b: Key, known: number): number {
	let n = known;
	while (n < a.length && a.charCodeAt(n) === b.charCodeAt(n)) {
		n++;
	}
	return n;
}

/** Keys that a record names one by one. */
const pointsMax = 256;
/** Spans of the keys of one range, where they are more. */
const spansMax = 16;
/** Of all spans of a transaction. */
const recordBytesMax = 64 << 10;
