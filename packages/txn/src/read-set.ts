/** What a transaction has read and must find unchanged at its commit timestamp: spans, each with its `since`. */
import { type Key, pointSpan, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ValidateItem } from "@quorate/replica/requests";

export class ReadSet {
	/** Points, with the lowest `since` of several reads. */
	readonly #points = new Map<Key, Timestamp>();
	#spans: ValidateItem[] = [];
	/** Rows that have only to be there still: locked FOR KEY SHARE. */
	readonly #kept = new Map<Key, Timestamp>();
	/** The same of keys of which nothing else was read: for these it is enough at every level. */
	readonly #present = new Map<Key, Timestamp>();

	addPresent(k: Key, since: Timestamp): void {
		if (!this.#present.has(k)) {
			this.#present.set(k, since);
		}
	}

	/** A row that somebody else may change, but not delete. Who writes as if it had read all at one time has read it, too. */
	addKept(k: Key, since: Timestamp): void {
		if (!this.#kept.has(k)) {
			this.#kept.set(k, since);
		}
	}

	addPoint(k: Key, since: Timestamp): void {
		const known = this.#points.get(k);
		if (known === undefined || since < known) {
			this.#points.set(k, since);
		}
	}

	addSpan(span: Span, since: Timestamp): void {
		const last = this.#spans[this.#spans.length - 1];
		if (last !== undefined && last.since === since) {
			if (last.span.end === span.start) {
				this.#spans[this.#spans.length - 1] = {
					span: { start: last.span.start, end: span.end },
					since,
				};
				return;
			}
			if (span.end === last.span.start) {
				this.#spans[this.#spans.length - 1] = {
					span: { start: span.start, end: last.span.end },
					since,
				};
				return;
			}
			if (last.span.start <= span.start && span.end <= last.span.end) {
				return;
			}
		}
		this.#spans.push({ span, since });
	}

	/** Since when a written key must be unchanged; undefined: it was not read by itself. */
	sinceOf(k: Key): Timestamp | undefined {
		return this.#points.get(k) ?? this.#kept.get(k) ?? this.#present.get(k);
	}

	get size(): number {
		return this.#points.size + this.#spans.length + this.#kept.size + this.#present.size;
	}

	/**
	 * Everything, except points that `written` says are judged when their write is accepted. `strictly`: what has only to be there
	 * must be unchanged, too.
	 */
	*items(written: (k: Key) => boolean, strictly: boolean): Generator<ValidateItem> {
		yield* this.#spans;
		for (const [k, since] of this.#points) {
			if (!written(k)) {
				yield { span: pointSpan(k), since };
			}
		}
		for (const [k, since] of this.#kept) {
			if (!written(k) && !this.#points.has(k)) {
				yield { span: pointSpan(k), since, ...(strictly ? {} : { present: true }) };
			}
		}
		for (const [k, since] of this.#present) {
			if (!written(k) && !this.#points.has(k) && !this.#kept.has(k)) {
				yield { span: pointSpan(k), since, present: true };
			}
		}
	}

	/** After everything was validated at `r`: it is as if read there. */
	raise(r: Timestamp): void {
		for (const [k, since] of this.#points) {
			if (since < r) {
				this.#points.set(k, r);
			}
		}
		for (const [k, since] of this.#kept) {
			if (since < r) {
				this.#kept.set(k, r);
			}
		}
		for (const [k, since] of this.#present) {
			if (since < r) {
				this.#present.set(k, r);
			}
		}
		this.#spans = this.#spans.map((item) => (item.since < r ? { ...item, since: r } : item));
	}

	clear(): void {
		this.#points.clear();
		this.#kept.clear();
		this.#present.clear();
		this.#spans = [];
	}
}
