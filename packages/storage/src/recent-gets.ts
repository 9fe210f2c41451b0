/**
 * What was got of late, absence included: most keys are asked for several times within milliseconds (locked, read, judged, applied),
 * and a get of the engine costs ten times as much as one here. Two generations of a bounded map: what is not asked for again goes.
 *
 * Values are copied, those of a generation into one block. What comes in is often a part of something larger, an entry of the log for
 * example, which would live on with it; and what is small and lives long, each in a place of its own, keeps the allocator's heap from
 * being given back after a load.
 */
import type { Key } from "@quorate/keys/key";

/** Of each generation. */
const keysMax = 1_024;
const bytesMax = 128 << 10;
/** Larger values are not kept. */
const valueBytesMax = 1_024;

class Generation {
	readonly values = new Map<Key, Uint8Array | undefined>();
	readonly #bytes = new Uint8Array(bytesMax);
	#usedBytes = 0;

	hasRoomFor(value: Uint8Array | undefined): boolean {
		return this.values.size < keysMax && this.#usedBytes + (value?.length ?? 0) <= bytesMax;
	}

	copyOf(value: Uint8Array): Uint8Array {
		const start = this.#usedBytes;
		this.#usedBytes += value.length;
		this.#bytes.set(value, start);
		return this.#bytes.subarray(start, this.#usedBytes);
	}
}

export class RecentGets {
	#young = new Generation();
	#old = new Generation();
	/** Got at this moment by another thread, and not written since it began. */
	#expected: Set<Key> | undefined;

	/** `missing` where it is not known. */
	get<T>(k: Key, missing: T): Uint8Array | undefined | T {
		const young = this.#young.values;
		const value = young.get(k);
		if (value !== undefined || young.has(k)) {
			return value;
		}
		const old = this.#old.values;
		if (old.has(k)) {
			const found = old.get(k);
			this.put(k, found);
			return found;
		}
		return missing;
	}

	put(k: Key, value: Uint8Array | undefined): void {
		if (value !== undefined && value.length > valueBytesMax) {
			return;
		}
		if (!this.#young.hasRoomFor(value)) {
			this.#old = this.#young;
			this.#young = new Generation();
		}
		this.#young.values.set(k, value && this.#young.copyOf(value));
	}

	knows(k: Key): boolean {
		return this.#young.values.has(k) || this.#old.values.has(k);
	}

	/** Another thread begins to get them, and nothing else until they come. Takes the set for its own. */
	expect(keys: Set<Key>): void {
		this.#expected = keys;
	}

	/** What that thread found; null, or nothing at all: it did not say. */
	come(keys: readonly Key[], values: readonly (Uint8Array | null | undefined)[] | undefined): void {
		const expected = this.#expected;
		this.#expected = undefined;
		if (expected === undefined || values === undefined) return;
		keys.forEach((k, i) => {
			const value = values[i];
			// Where a get knew it earlier, that is what it found as well.
			if (expected.has(k) && value !== null) this.put(k, value);
		});
	}

	/** Its value changes. True if it was known, or would have been soon. */
	forget(k: Key): boolean {
		const wasYoung = this.#young.values.delete(k);
		const wasOld = this.#old.values.delete(k);
		return this.#expected?.delete(k) === true || wasOld || wasYoung;
	}

	clear(): void {
		this.#young = new Generation();
		this.#old = new Generation();
		this.#expected = undefined;
	}
}
