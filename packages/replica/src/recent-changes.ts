/**
 * Where a range has changed of late, in memory. A commit anywhere in the range would otherwise make a validation look through all rows
 * of its spans, and a scan at an older timestamp through history, though nothing of theirs has changed.
 *
 *  1. `lastIn` is at or above the timestamp of every change of a key of the span that this replica has applied. It may be above the
 *     last one: many keys of one commit count as one stretch, and what is forgotten counts for every key.
 *
 * Followers note what they apply as well, so a lease that moves takes nothing of it away; a snapshot begins anew, as must whatever
 * else brings keys into a range.
 */
import { type Key, pointSpan, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { VersionObserver } from "@quorate/storage/version-batch";
import type { RangeState } from "./range-state.ts";

/** The stretch from `low` to `high`, both in it. */
interface Stretch {
	readonly ts: Timestamp;
	low: Key;
	high: Key;
}

/** Remembered at most: some 100 transactions of a few keys, or as many of thousands. */
const stretchesMax = 512;
/** Of one commit in a row; its further keys widen the last one. */
const stretchesOfCommit = 8;

export class RecentChanges implements VersionObserver {
	/** Nothing is known of changes up to here. */
	#floor: Timestamp;
	/** In the order in which they were applied, from `#oldest` on, around the end. */
	#stretches: Stretch[] = [];
	#oldest = 0;
	#newest: Stretch | undefined;
	/** Of the newest one's commit. */
	#count = 0;
	/** Something was put since `rest` looked last. */
	#isUsed = false;

	/** `floor`: of what has changed before. */
	constructor(floor: Timestamp) {
		this.#floor = floor;
	}

	put(k: Key, ts: Timestamp): void {
		this.#isUsed = true;
		const newest = this.#newest;
		if (newest?.ts !== ts) {
			this.#count = 0;
		} else if (this.#count >= stretchesOfCommit) {
			newest.low = k < newest.low ? k : newest.low;
			newest.high = k > newest.high ? k : newest.high;
			return;
		}
		this.#count++;
		this.#newest = { ts, low: k, high: k };
		if (this.#stretches.length < stretchesMax) {
			this.#stretches.push(this.#newest);
			return;
		}
		this.#forgotten(this.#stretches[this.#oldest]!);
		this.#stretches[this.#oldest] = this.#newest;
		this.#oldest = (this.#oldest + 1) % stretchesMax;
	}

	prepared(): void {}

	lastIn({ start, end }: Span): Timestamp {
		let last = this.#floor;
		for (const { ts, low, high } of this.#stretches) {
			if (ts > last && high >= start && low < end) {
				last = ts;
			}
		}
		return last;
	}

	/** Called now and then. What is remembered takes memory: a range in which nothing changes needs none of it. */
	rest(): void {
		if (!this.#isUsed) {
			this.#forget();
		}
		this.#isUsed = false;
	}

	#forget(): void {
		for (const stretch of this.#stretches) {
			this.#forgotten(stretch);
		}
		this.#stretches = [];
		this.#oldest = 0;
		this.#newest = undefined;
	}

	#forgotten({ ts }: Stretch): void {
		if (ts > this.#floor) {
			this.#floor = ts;
		}
	}
}

/**
 * A timestamp above which nothing of the span has changed; `since`: it need not be told more exactly than that it is not above that.
 * A single key is cheaper asked for than looked for here.
 */
export function lastChangeIn(
	r: { readonly state: RangeState; readonly recent: RecentChanges },
	span: Span,
	since: Timestamp,
): Timestamp {
	const { lastCommit } = r.state;
	if (lastCommit <= since || span.end === pointSpan(span.start).end) {
		return lastCommit;
	}
	return Math.min(lastCommit, r.recent.lastIn(span)) as Timestamp;
}
