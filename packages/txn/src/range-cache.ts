/** Descriptors by start key; newer ones push out what they overlap. */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import { isSameDescriptor, type RangeInfo, rangeSpan } from "@quorate/keys/range";
import btree from "sorted-btree";

/** Byte order of binary strings is the order of `<`. */
const compareKeys = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);

export class RangeCache {
	readonly #byStart = new btree.default<Key, RangeInfo>(undefined, compareKeys);
	/** What a look-up finds, to be looked at at once: there are several for each statement. */
	readonly #pair = [] as unknown as [Key, RangeInfo];
	/** Where each of them starts: there may be thousands, and every refusal asks for one by its id. */
	readonly #starts = new Map<RangeId, Key>();

	find(k: Key): RangeInfo | undefined {
		const info = this.#byStart.getPairOrNextLower(k, this.#pair)?.[1];
		return info !== undefined && k < info.descriptor.end ? info : undefined;
	}

	findBefore(end: Key): RangeInfo | undefined {
		const info = this.#byStart.nextLowerPair(end)?.[1];
		return info !== undefined && end <= info.descriptor.end ? info : undefined;
	}

	put(info: RangeInfo): void {
		const { rangeId, start, epoch } = info.descriptor;
		const overlapped = this.#overlapping(rangeSpan(info.descriptor));
		// Splits and merges raise the version of what they make above that of what they replace.
		if (overlapped.some((old) => old.descriptor.epoch.version > epoch.version)) {
			return;
		}
		for (const old of overlapped) {
			this.forget(old.descriptor.rangeId);
		}
		this.forget(rangeId);
		this.#byStart.set(start, info);
		this.#starts.set(rangeId, start);
	}

	/** Those that are there do not overlap each other. */
	#overlapping({ start, end }: Span): RangeInfo[] {
		const found: RangeInfo[] = [];
		const before = this.#byStart.nextLowerPair(start)?.[1];
		if (before !== undefined && start < before.descriptor.end) {
			found.push(before);
		}
		this.#byStart.forRange(start, end, false, (_, info) => {
			found.push(info);
		});
		return found;
	}

	#of(rangeId: RangeId): RangeInfo | undefined {
		const start = this.#starts.get(rangeId);
		return start === undefined ? undefined : this.#byStart.get(start);
	}

	forget(rangeId: RangeId): void {
		const start = this.#starts.get(rangeId);
		if (start !== undefined) {
			this.#byStart.delete(start);
			this.#starts.delete(rangeId);
		}
	}

	/** Of what is known here already it keeps these objects. */
	share(info: RangeInfo): void {
		const { descriptor } = info;
		const known = this.#of(descriptor.rangeId);
		if (known !== undefined && isSameDescriptor(known.descriptor, descriptor)) {
			const { leaseholder } = known;
			const isSame = leaseholder === info.leaseholder;
			this.#byStart.set(descriptor.start, isSame ? info : { descriptor, leaseholder });
		}
	}

	/** Where `from` was believed to hold the lease, `to` does. */
	moveLease(rangeId: RangeId, from: NodeId, to: NodeId): void {
		const info = this.#of(rangeId);
		if (info?.leaseholder === from) {
			this.#byStart.set(info.descriptor.start, { descriptor: info.descriptor, leaseholder: to });
		}
	}

	forgetLeaseholder(rangeId: RangeId): void {
		const info = this.#of(rangeId);
		if (info !== undefined) {
			const { descriptor } = info;
			this.#byStart.set(descriptor.start, { descriptor, leaseholder: undefined });
		}
	}
}
