/** The one native batch of an engine, used again for every write: a new one each time would grow the process. */
import { assert } from "@quorate/keys/assert";
import type { Key, Span } from "@quorate/keys/key";
import type { EngineBatch } from "./engine.ts";
import type { NativeBatch, NativeBinding } from "./rocks-binding.ts";
import { nativeKey } from "./rocks-iterator.ts";

/** A native batch that held more is thrown away: clearing it keeps its memory. */
const retainedBatchBytesMax = 1 << 20;

export class RocksBatch implements EngineBatch {
	readonly #binding: NativeBinding;
	readonly #keysOf: (span: Span) => Iterable<Key>;
	#native: NativeBatch;
	#bytes = 0;
	/** For `deleteSpan`. */
	readonly #puts: Key[] = [];

	constructor(binding: NativeBinding, keysOf: (span: Span) => Iterable<Key>) {
		this.#binding = binding;
		this.#keysOf = keysOf;
		this.#native = binding.batch_init();
	}

	get native(): NativeBatch {
		return this.#native;
	}

	put(k: Key, value: Uint8Array): void {
		assert(k.length > 0, "the empty key cannot be stored");
		this.#binding.batch_put(this.#native, nativeKey(k), value, undefined);
		this.#bytes += k.length + value.length;
		this.#puts.push(k);
	}

	delete(k: Key): void {
		this.#binding.batch_del(this.#native, nativeKey(k), undefined);
		this.#bytes += k.length;
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
	}
}
