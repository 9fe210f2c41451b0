/**
 * Which keys surely have no intent, in memory: most keys have none, and asking the engine for what is not there costs as much as
 * reading what is. A counting filter with one counter a key.
 *
 *  1. `mayHold` is never false for a key that was added and not removed. True says nothing: the engine has to be asked.
 *  2. `add` and `remove` follow the intents exactly: an intent put over another is not added again.
 *  3. While intents are counted anew, in key order and in parts, nothing is said of the keys that are still to come.
 *
 * It grows by repeating itself: each counter then stands for its keys in all copies, and removing a key lowers one of them. What is
 * left of the others are keys that look as if they might be there, until the last intent goes and all is forgotten.
 *
 * It also knows a bound below which no intent was prepared, and a span outside of which there is no intent: where many were resolved the engine keeps the marks of their deletion for
 * a while, and looks through all of them.
 */
import { assert } from "@quorate/keys/assert";
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";

const leastCounters = 1 << 10;
const none = new Uint8Array(0);
const mostCounters = 1 << 22;
/** Times as many counters as keys, and times as large when it grows. */
const spread = 16;
/** A counter that got here stays: it no longer knows how many keys it stands for. */
const stuck = 255;

export class IntentFilter {
	/** None while there is no intent: most ranges have none. */
	#counters = none;
	#count = 0;
	/** No intent lies below `#low`, or above `#high`. Of no meaning while there is none. */
	#low = "" as Key;
	#high = "" as Key;
	/** No intent has a lower prepare timestamp. */
	#lowestP = Number.POSITIVE_INFINITY;

	/** Keys from here on are not counted yet. */
	#uncountedFrom: Key | undefined;

	/** Intents now; while they are being counted, at least one. */
	get count(): number {
		return this.#uncountedFrom === undefined ? this.#count : this.#count + 1;
	}

	mayHold(k: Key): boolean {
		return this.#isUncounted(k) || (this.#count > 0 && this.#counters[this.#at(k)] !== 0);
	}

	/** All intents below `k` have been added since it was cleared, and are followed; undefined: all there are. */
	countedUpTo(k: Key | undefined): void {
		this.#uncountedFrom = k;
		this.#lowestP = k === undefined ? this.#lowestP : 0;
	}

	#isUncounted(k: Key): boolean {
		return this.#uncountedFrom !== undefined && k >= this.#uncountedFrom;
	}

	/** The part of the span that may hold intents, or undefined. */
	clip(span: Span): Span | undefined {
		if (this.#uncountedFrom !== undefined && span.end > this.#uncountedFrom) {
			return span;
		}
		if (this.#count === 0 || span.end <= this.#low || span.start > this.#high) {
			return undefined;
		}
		const end = keySuccessor(this.#high);
		return {
			start: span.start < this.#low ? this.#low : span.start,
			end: span.end < end ? span.end : end,
		};
	}

	/** A look into `span`, as `clip` gave it, has found its first intent at `k`; undefined: it holds none. */
	found(span: Span, k: Key | undefined): void {
		if (this.#uncountedFrom === undefined && this.#count > 0 && span.start <= this.#low) {
			this.#low = k ?? span.end;
		}
	}

	/** `p`: its prepare timestamp, 0 where it is not known. */
	add(k: Key, p = 0): void {
		this.#lowestP = Math.min(this.#lowestP, p);
		if (this.#isUncounted(k)) {
			return;
		}
		if (this.#count === 0) {
			this.#low = k;
			this.#high = k;
		} else if (k < this.#low) {
			this.#low = k;
		} else if (k > this.#high) {
			this.#high = k;
		}
		if (this.#count >= this.#counters.length / spread && this.#counters.length < mostCounters) {
			this.#grow();
		}
		this.#count++;
		const at = this.#at(k);
		if (this.#counters[at]! < stuck) {
			this.#counters[at]!++;
		}
	}

	remove(k: Key): void {
		if (this.#isUncounted(k)) {
			return;
		}
		const at = this.#at(k);
		assert(
			this.#count > 0 && this.#counters[at] !== 0,
			"an intent is removed that was never added",
		);
		this.#count--;
		if (this.#count === 0) {
			this.#forgetAll();
		} else if (this.#counters[at]! < stuck) {
			this.#counters[at]!--;
		}
	}

	/** An intent was put over another. */
	replace(p: number): void {
		this.#lowestP = Math.min(this.#lowestP, p);
	}

	/** At most the lowest prepare timestamp of all intents; Infinity where there are none. It rises when the last one goes, and when all were looked at. */
	get lowestP(): number {
		return this.#lowestP;
	}

	/** All intents were looked at, and none is below `p`. */
	raiseLowestP(p: number): void {
		if (this.#uncountedFrom === undefined) {
			this.#lowestP = Math.max(this.#lowestP, p);
		}
	}

	clear(): void {
		this.#uncountedFrom = undefined;
		this.#forgetAll();
	}

	#forgetAll(): void {
		this.#count = 0;
		this.#lowestP = this.#uncountedFrom === undefined ? Number.POSITIVE_INFINITY : 0;
		this.#counters = none;
	}

	#grow(): void {
		const old = this.#counters;
		if (old.length === 0) {
			this.#counters = new Uint8Array(leastCounters);
			return;
		}
		const counters = new Uint8Array(Math.min(old.length * spread, mostCounters));
		for (let at = 0; at < counters.length; at += old.length) {
			counters.set(old, at);
		}
		this.#counters = counters;
	}

	/** FNV-1a, its bits mixed once more: the low ones choose the counter. */
	#at(k: Key): number {
		let hash = 0x811c9dc5;
		for (let n = 0; n < k.length; n++) {
			hash = Math.imul(hash ^ k.charCodeAt(n), 0x01000193);
		}
		hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
		return (hash ^ (hash >>> 13)) & (this.#counters.length - 1);
	}
}
