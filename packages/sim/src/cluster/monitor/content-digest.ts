/**
 * A hash of all that an engine holds of each range, kept up to date with every batch: the sum of the hashes of its keys with
 * their values, whatever their order. Two replicas that have applied the same must have the same.
 */
import type { RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { rangeSpan } from "@quorate/keys/range";
import type { RangeState } from "@quorate/replica/range-state";
import type { EngineReader } from "@quorate/storage/engine";
import { engineSpans, parseMetaKey } from "@quorate/storage/engine-keys";
import type { EngineStep } from "../engine-disk.ts";

/** Sums are taken modulo this, so that they stay exact. */
const modulus = 2 ** 52;

interface Sum {
	/** Of the range: its keys change with a split. */
	readonly version: number;
	sum: number;
}

export class ContentDigest {
	readonly #engine: EngineReader;
	/** By engine key: what it adds to its range's sum. */
	readonly #hashes = new Map<Key, number>();
	readonly #sums = new Map<RangeId, Sum>();
	/** What the batches have changed that no sum has heard of yet: they are of the replica that asks next. */
	#change = 0;
	#stateHash = 0;

	constructor(engine: EngineReader) {
		this.#engine = engine;
	}

	/** After every batch. */
	wrote(steps: readonly EngineStep[]): void {
		for (const step of steps) {
			if ("start" in step) this.#forget();
			else this.#wrote(step[0], step[1]);
		}
	}

	/** To be asked right after the replica has written. */
	of({ descriptor }: RangeState): number {
		const { rangeId, epoch } = descriptor;
		const known = this.#sums.get(rangeId);
		let sum: number;
		if (known?.version === epoch.version) {
			sum = wrap(known.sum + this.#change);
			known.sum = sum;
		} else {
			sum = this.#sumOf(descriptor);
			this.#sums.set(rangeId, { version: epoch.version, sum });
		}
		this.#change = 0;
		return wrap(sum + this.#stateHash);
	}

	#wrote(k: Key, value: Uint8Array | undefined): void {
		const kind = k[0];
		if (kind === "s") return;
		if (kind === "m") {
			if (value !== undefined && parseMetaKey(k).name === "state")
				this.#stateHash = hashOf(k, value);
			return;
		}
		const before = this.#hashes.get(k) ?? 0;
		const after = value === undefined ? 0 : hashOf(k, value);
		if (value === undefined) this.#hashes.delete(k);
		else this.#hashes.set(k, after);
		this.#change = wrap(this.#change + after - before);
	}

	/** A snapshot, or a replica that goes: rare, and counted anew. */
	#forget(): void {
		this.#hashes.clear();
		this.#sums.clear();
	}

	#sumOf(descriptor: RangeState["descriptor"]): number {
		let sum = 0;
		for (const span of engineSpans(rangeSpan(descriptor))) {
			const it = this.#engine.iterate(span);
			for (; it.key !== undefined; it.next()) {
				const hash = hashOf(it.key, it.value);
				this.#hashes.set(it.key, hash);
				sum = wrap(sum + hash);
			}
			it.close();
		}
		return sum;
	}
}

const wrap = (n: number): number => ((n % modulus) + modulus) % modulus;

/** Two multiplicative hashes, 52 bits of them. */
function hashOf(k: Key, value: Uint8Array): number {
	let low = 0x811c9dc5 ^ value.length;
	let high = 0x9e3779b9 ^ k.length;
	for (let i = 0; i < k.length; i++) {
		const n = k.charCodeAt(i);
		low = Math.imul(low ^ n, 0x01000193);
		high = Math.imul(high ^ n, 0x85ebca6b);
		high ^= high >>> 13;
	}
	const { length } = value;
	for (let i = 0; i < length; i++) {
		const n = value[i]!;
		low = Math.imul(low ^ n, 0x01000193);
		high = Math.imul(high ^ n, 0x85ebca6b);
		high ^= high >>> 13;
	}
	return ((low ^ (low >>> 15)) >>> 12) * 2 ** 32 + (Math.imul(high, 0xc2b2ae35) >>> 0);
}
