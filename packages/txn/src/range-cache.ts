/** Descriptors by start key; newer ones push out what they overlap. */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import { type Key, spansOverlap } from "@quorate/keys/key";
import { type RangeInfo, rangeSpan } from "@quorate/keys/range";
import btree from "sorted-btree";

/** Byte order of binary strings is the order of `<`. */
const compareKeys = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);

export class RangeCache {
	readonly #byStart = new btree.default<Key, RangeInfo>(undefined, compareKeys);

	find(k: Key): RangeInfo | undefined {
		const info = this.#byStart.getPairOrNextLower(k)?.[1];
		return info !== undefined && k < info.descriptor.end ? info : undefined;
	}

	findBefore(end: Key): RangeInfo | undefined {
		const info = this.#byStart.nextLowerPair(end)?.[1];
		return info !== undefined && end <= info.descriptor.end ? info : undefined;
	}

	put(info: RangeInfo): void {
		const span = rangeSpan(info.descriptor);
		const overlapped = [...this.#byStart.values()].filter((x) =>
			spansOverlap(rangeSpan(x.descriptor), span),
		);
		// Splits and merges raise the version of what they make above that of what they replace.
		const { version } = info.descriptor.epoch;
		if (overlapped.some((old) => old.descriptor.epoch.version > version)) {
			return;
		}
		for (const old of overlapped) {
			this.#byStart.delete(old.descriptor.start);
		}
		this.#byStart.set(info.descriptor.start, info);
	}

	forget(rangeId: RangeId): void {
		for (const [start, info] of [...this.#byStart.entries()]) {
			if (info.descriptor.rangeId === rangeId) {
				this.#byStart.delete(start);
			}
		}
	}

	/** Where `from` was believed to hold the lease, `to` does. */
	moveLease(rangeId: RangeId, from: NodeId, to: NodeId): void {
		for (const [start, { descriptor, leaseholder }] of [...this.#byStart.entries()]) {
			if (descriptor.rangeId === rangeId && leaseholder === from) {
				this.#byStart.set(start, { descriptor, leaseholder: to });
			}
		}
	}

	forgetLeaseholder(rangeId: RangeId): void {
		for (const [start, info] of [...this.#byStart.entries()]) {
			if (info.descriptor.rangeId === rangeId) {
				this.#byStart.set(start, { descriptor: info.descriptor, leaseholder: undefined });
			}
		}
	}
}
