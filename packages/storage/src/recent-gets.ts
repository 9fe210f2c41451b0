/**
 * What was got of late, absence included: most keys are asked for several times within milliseconds (locked, read, judged, applied),
 * and a get of the engine costs ten times as much as one here. Two generations of a bounded map: what is not asked for again goes.
 */
import type { Key } from "@quorate/keys/key";

/** Of each generation. */
const keysMax = 1_024;
/** Larger values are not kept. */
const valueBytesMax = 1_024;

export class RecentGets {
	#young = new Map<Key, Uint8Array | undefined>();
	#old = new Map<Key, Uint8Array | undefined>();
	/** Got at this moment by another thread, and not written since it began. */
	#expected: Set<Key> | undefined;

	/** `missing` where it is not known. */
	get<T>(k: Key, missing: T): Uint8Array | undefined | T {
		const value = this.#young.get(k);
		if (value !== undefined || this.#young.has(k)) {
			return value;
		}
		if (this.#old.has(k)) {
			const found = this.#old.get(k);
			this.put(k, found);
			return found;
		}
		return missing;
	}

	put(k: Key, value: Uint8Array | undefined): void {
		if (value !== undefined && value.length > valueBytesMax) {
			return;
		}
		if (this.#young.size >= keysMax) {
			this.#old = this.#young;
			this.#young = new Map();
		}
		this.#young.set(k, value);
	}

	knows(k: Key): boolean {
		return this.#young.has(k) || this.#old.has(k);
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
		const wasYoung = this.#young.delete(k);
		const wasOld = this.#old.delete(k);
		return this.#expected?.delete(k) === true || wasOld || wasYoung;
	}

	clear(): void {
		this.#young.clear();
		this.#old.clear();
		this.#expected = undefined;
	}
}
