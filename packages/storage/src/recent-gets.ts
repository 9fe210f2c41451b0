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

	/** Its value changes. True if it was known. */
	forget(k: Key): boolean {
		const wasYoung = this.#young.delete(k);
		return this.#old.delete(k) || wasYoung;
	}

	clear(): void {
		this.#young.clear();
		this.#old.clear();
	}
}
