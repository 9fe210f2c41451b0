/** What an engine will hold once a batch is written: the engine as it is, under the batch's own writes. */
import { assert } from "@quorate/keys/assert";
import { type Key, type Span, spanContains } from "@quorate/keys/key";
import type {
	EngineBatch,
	EngineIterator,
	EngineReader,
	EngineRows,
	EngineScanLimits,
} from "./engine.ts";
import { scanByIterator } from "./scan.ts";

const noValue = new Uint8Array();
/** What a write counts beside its key and value. */
const writeBytes = 64;
const anyRow: EngineScanLimits = { rowsMax: 1, bytesMax: 0, reverse: false, keyOffset: 0 };
/** Every key that is asked for is compared with all of them. */
const emptySpansMax = 4;

/** Takes writes as a batch does, hands them on to one, and reads them back. It must not outlive the batch. */
export class OverlayReader implements EngineReader, EngineBatch {
	readonly #base: EngineReader;
	readonly #batch: EngineBatch;
	/** Undefined: deleted or absent. Also remembers what `get` found below: the engine does not change meanwhile. */
	readonly #known = new Map<Key, Uint8Array | undefined>();
	/** Keys and values that were put and deleted, and what each costs beside them: how long the batch takes to write. */
	#writtenBytes = 0;
	/** What lies in them below is gone. */
	readonly #deletedSpans: Span[] = [];
	/** Nothing lies in them below, the newest last. */
	readonly #emptySpans: Span[] = [];

	constructor(base: EngineReader, batch: EngineBatch) {
		this.#base = base;
		this.#batch = batch;
	}

	get(k: Key): Uint8Array | undefined {
		const known = this.#known.get(k);
		if (known !== undefined || this.#known.has(k)) {
			return known;
		}
		const value = this.#isDeleted(k) || this.#isEmpty(k) ? undefined : this.#base.get(k);
		this.#known.set(k, value);
		return value;
	}

	/** One look at a span of which many keys are going to be asked for: if there is nothing, none of them costs a look of its own. */
	expect(span: Span): void {
		if (this.#base.scan(span, anyRow).keys.length === 0) {
			this.#emptySpans.push(span);
			if (this.#emptySpans.length > emptySpansMax) {
				this.#emptySpans.shift();
			}
		}
	}

	get writtenBytes(): number {
		return this.#writtenBytes;
	}

	put(k: Key, value: Uint8Array): void {
		this.#batch.put(k, value);
		this.#writtenBytes += k.length + value.length + writeBytes;
		this.#known.set(k, value);
	}

	delete(k: Key): void {
		this.#batch.delete(k);
		this.#writtenBytes += k.length + writeBytes;
		this.#known.set(k, undefined);
	}

	deleteSpan(span: Span): void {
		this.#batch.deleteSpan(span);
		for (const k of this.#known.keys()) {
			if (spanContains(span, k)) {
				this.#known.set(k, undefined);
			}
		}
		this.#deletedSpans.push(span);
	}

	/** Sees what was written before it was made. */
	iterate(span: Span, options: { readonly reverse?: boolean } = {}): EngineIterator {
		const reverse = options.reverse === true;
		const known: [Key, Uint8Array | undefined][] = [];
		for (const pair of this.#known) {
			if (spanContains(span, pair[0])) {
				known.push(pair);
			}
		}
		const base = this.#base.iterate(span, options);
		if (known.length === 0 && this.#deletedSpans.length === 0) {
			return base;
		}
		known.sort(([a], [b]) => (a < b === reverse ? 1 : -1));
		const deletedSpans = this.#deletedSpans.slice();
		return new OverlayIterator(base, known, reverse, (k) => isInAny(deletedSpans, k));
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		return this.#isUntouched(span)
			? this.#base.scan(span, limits)
			: scanByIterator(this, span, limits);
	}

	#isUntouched(span: Span): boolean {
		if (this.#deletedSpans.length > 0) {
			return false;
		}
		for (const k of this.#known.keys()) {
			if (spanContains(span, k)) {
				return false;
			}
		}
		return true;
	}

	#isEmpty(k: Key): boolean {
		return this.#emptySpans.length > 0 && isInAny(this.#emptySpans, k);
	}

	#isDeleted(k: Key): boolean {
		return this.#deletedSpans.length > 0 && isInAny(this.#deletedSpans, k);
	}
}

const isInAny = (spans: readonly Span[], k: Key): boolean =>
	spans.some((span) => spanContains(span, k));

class OverlayIterator implements EngineIterator {
	key: Key | undefined;
	value: Uint8Array = noValue;
	readonly #base: EngineIterator;
	/** In the iterator's direction. */
	readonly #known: readonly (readonly [Key, Uint8Array | undefined])[];
	readonly #reverse: boolean;
	readonly #isDeleted: (k: Key) => boolean;
	#at = 0;

	constructor(
		base: EngineIterator,
		known: readonly (readonly [Key, Uint8Array | undefined])[],
		reverse: boolean,
		isDeleted: (k: Key) => boolean,
	) {
		this.#base = base;
		this.#known = known;
		this.#reverse = reverse;
		this.#isDeleted = isDeleted;
		this.next();
	}

	seek(k: Key): void {
		this.#base.seek(k);
		this.#at = this.#known.findIndex(([known]) => (this.#reverse ? known <= k : known >= k));
		if (this.#at < 0) {
			this.#at = this.#known.length;
		}
		this.next();
	}

	/** Takes whichever comes first; what is known hides what lies below it. */
	next(): void {
		for (;;) {
			const below = this.#base.key;
			const known = this.#known[this.#at];
			if (below === undefined && known === undefined) {
				this.key = undefined;
				return;
			}
			const fromKnown =
				known !== undefined &&
				(below === undefined || known[0] === below || known[0] < below !== this.#reverse);
			if (fromKnown) {
				this.#at++;
				if (known[0] === below) {
					this.#base.next();
				}
				if (known[1] !== undefined) {
					[this.key, this.value] = known as readonly [Key, Uint8Array];
					return;
				}
			} else {
				assert(below !== undefined, "one of the two has a key");
				const value = this.#base.value;
				this.#base.next();
				if (!this.#isDeleted(below)) {
					this.key = below;
					this.value = value;
					return;
				}
			}
		}
	}

	close(): void {
		this.key = undefined;
		this.#base.close();
	}
}
