/** The one native batch of an engine, used again for every write: a new one each time would grow the process. */
import { assert } from "@quorate/keys/assert";
import type { Key, Span } from "@quorate/keys/key";
import type { EngineBatch } from "./engine.ts";
import type { RecentGets } from "./recent-gets.ts";
import type { NativeBatch, NativeBinding } from "./rocks-binding.ts";
import { passingKey } from "./rocks-iterator.ts";

/** A native batch that held more is thrown away: clearing it keeps its memory. */
const retainedBatchBytesMax = 1 << 20;

export class RocksBatch implements EngineBatch {
	readonly #binding: NativeBinding;
	readonly #keysOf: (span: Span) => Iterable<Key>;
	#native: NativeBatch;
	#bytes = 0;
	/** For `deleteSpan`. */
	readonly #puts: Key[] = [];
	readonly #recent: RecentGets;
	/** What was known of late, or was got for this batch, as it will be. */
	readonly #renewed = new Map<Key, Uint8Array | undefined>();

	constructor(binding: NativeBinding, keysOf: (span: Span) => Iterable<Key>, recent: RecentGets) {
		this.#binding = binding;
		this.#keysOf = keysOf;
		this.#recent = recent;
		this.#native = binding.batch_init();
	}

	get native(): NativeBatch {
		return this.#native;
	}

	/** Of what was put and deleted. */
	get sizeBytes(): number {
		return this.#bytes;
	}

	put(k: Key, value: Uint8Array): void {
		assert(k.length > 0, "the empty key cannot be stored");
		this.#binding.batch_put(this.#native, passingKey(k), value, undefined);
		this.#bytes += k.length + value.length;
		this.#puts.push(k);
		this.#renew(k, value);
	}

	delete(k: Key): void {
		this.#binding.batch_del(this.#native, passingKey(k), undefined);
		this.#bytes += k.length;
		this.#renew(k, undefined);
	}

	#renew(k: Key, value: Uint8Array | undefined): void {
		if (this.#recent.forget(k) || this.#renewed.has(k)) {
			this.#renewed.set(k, value);
		}
	}

	/** While the batch is filled, of what is there before: a key of a hot row is changed by the next batch as well. */
	got(k: Key, value: Uint8Array | undefined): void {
		if (!this.#renewed.has(k)) {
			this.#renewed.set(k, value);
		}
	}

	/** The batch is in the database. */
	written(): void {
		for (const [k, value] of this.#renewed) {
			this.#recent.put(k, value);
		}
	}

	deleteSpan(span: Span): void {
		for (const k of this.#puts) {
			if (span.start <= k && k < span.end) {
				this.delete(k);
			}
		}
		for (const k of this.#keysOf(span)) {
			this.delete(k);
		}
	}

	clear(): void {
		this.#binding.batch_clear(this.#native);
		if (this.#bytes > retainedBatchBytesMax) {
			this.#native = this.#binding.batch_init();
		}
		this.#bytes = 0;
		this.#puts.length = 0;
		this.#renewed.clear();
	}
}
