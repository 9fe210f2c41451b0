/**
 * The range directory: a copy of what ranges say of themselves, which only moves to newer epochs.
 *
 * Reports arrive in any order, so for a while two entries may claim the same key: the right side of
 * a split is known, the left side not yet. Split and merge raise the version of what they make
 * above that of what they replace, so of two entries that overlap the one with the higher version
 * is right. Entries wholly covered by higher versions are dropped. A range begins where it began for good: both move its end.
 */
import { type Key, keyMax, keyMin } from "@quorate/keys/key";
import {
	compactDescriptor,
	isNewerEpoch,
	isSameDescriptor,
	type RangeDescriptor,
	type RangeInfo,
} from "@quorate/keys/range";

function compare(a: RangeInfo, b: RangeInfo): number {
	const [x, y] = [a.descriptor, b.descriptor];
	return x.start < y.start ? -1 : x.start > y.start ? 1 : x.rangeId - y.rangeId;
}

const compact = ({ descriptor, leaseholder }: RangeInfo): RangeInfo => ({
	descriptor: compactDescriptor(descriptor),
	leaseholder,
});

export class RangeDirectory {
	/** By start key, then id. */
	readonly #ordered: RangeInfo[] = [];
	/** Of each and all before it the highest end: from where on nothing reaches a key need not be looked for. */
	readonly #reach: Key[] = [];
	#changes = 0;
	/** What `current` gave after so many changes. */
	#current: { readonly changes: number; readonly ranges: readonly RangeInfo[] } = {
		changes: -1,
		ranges: [],
	};

	constructor(ranges: readonly RangeInfo[] = []) {
		for (const info of ranges.map(compact).sort(compare)) {
			this.#ordered.push(this.#sharing(info, this.#ordered.length));
		}
		this.#reachFrom(0);
	}

	/** Rises with every change, in this process. */
	get changes(): number {
		return this.#changes;
	}

	/**
	 * Returns whether anything changed. A hint about the leaseholder of the same epoch replaces the
	 * older one.
	 */
	report(info: RangeInfo): boolean {
		const { descriptor } = info;
		const known = this.#known(info);
		if (known !== undefined && !isNewerEpoch(descriptor.epoch, known.descriptor.epoch)) {
			return this.#hint(known, info);
		}
		if (known === undefined && this.#isCovered(descriptor)) {
			return false;
		}
		if (known !== undefined) {
			this.#remove(known);
		}
		this.#insert(compact(info));
		this.#dropCovered(descriptor);
		this.#changes++;
		return true;
	}

	/**
	 * At most `max` entries that cover [start, end) in order, as far as known: a gap is skipped.
	 */
	lookup(start: Key, end: Key, max: number): RangeInfo[] {
		const found: RangeInfo[] = [];
		let position = start;
		while (position < end && found.length < max) {
			const best = this.#bestAt(position);
			if (best === undefined) {
				const next = this.#nextStart(position, -1);
				if (next === undefined || next >= end) {
					break;
				}
				position = next;
				continue;
			}
			found.push(best);
			const { version } = best.descriptor.epoch;
			const newer = this.#nextStart(position, version);
			const stop = best.descriptor.end;
			position = newer !== undefined && newer < stop ? newer : stop;
		}
		return found;
	}

	/** What is known of the range, if its descriptor is the same: others on this node keep these objects, too. */
	kept(descriptor: RangeDescriptor): RangeInfo | undefined {
		const known = this.#known({ descriptor, leaseholder: undefined });
		return known !== undefined && isSameDescriptor(known.descriptor, descriptor)
			? known
			: undefined;
	}

	#known(info: RangeInfo): RangeInfo | undefined {
		const known = this.#ordered[this.#indexOf(info)];
		return known?.descriptor.rangeId === info.descriptor.rangeId ? known : undefined;
	}

	/** Those that hold keys now, in order: what is half covered by a newer one, whose other half is not known yet, is left out. */
	current(): readonly RangeInfo[] {
		if (this.#current.changes !== this.#changes) {
			const isClean = this.#ordered.every(
				({ descriptor }, i) => i === 0 || this.#reach[i - 1]! <= descriptor.start,
			);
			const ranges = isClean ? this.all() : this.lookup(keyMin, keyMax, Number.MAX_SAFE_INTEGER);
			this.#current = { changes: this.#changes, ranges };
		}
		return this.#current.ranges;
	}

	/** By start key. */
	all(): readonly RangeInfo[] {
		return [...this.#ordered];
	}

	#hint(known: RangeInfo, info: RangeInfo): boolean {
		const [a, b] = [known.descriptor.epoch, info.descriptor.epoch];
		const sameEpoch = a.version === b.version && a.conf === b.conf;
		// Whoever does not know the leaseholder makes nobody forget it: a split is told of by who asked for it, too.
		const isNews = info.leaseholder !== undefined && info.leaseholder !== known.leaseholder;
		if (!sameEpoch || !isNews) {
			return false;
		}
		const updated: RangeInfo = { descriptor: known.descriptor, leaseholder: info.leaseholder };
		this.#ordered[this.#indexOf(known)] = updated;
		this.#changes++;
		return true;
	}

	/** The entry of the highest version that holds `position`. */
	#bestAt(position: Key, aboveVersion = -1): RangeInfo | undefined {
		let best: RangeInfo | undefined;
		let bestVersion = aboveVersion;
		for (let i = this.#upperBound(position) - 1; i >= 0 && this.#reach[i]! > position; i--) {
			const info = this.#ordered[i]!;
			const { epoch, end } = info.descriptor;
			if (position < end && epoch.version > bestVersion) {
				best = info;
				bestVersion = epoch.version;
			}
		}
		return best;
	}

	/** The least start key above `position` among entries of a version above `version`. */
	#nextStart(position: Key, version: number): Key | undefined {
		for (let i = this.#upperBound(position); i < this.#ordered.length; i++) {
			const { start, epoch } = this.#ordered[i]!.descriptor;
			if (epoch.version > version) {
				return start;
			}
		}
		return undefined;
	}

	/** Whether entries of higher versions hold every key of it. */
	#isCovered(descriptor: RangeDescriptor): boolean {
		let position = descriptor.start;
		while (position < descriptor.end) {
			const above = this.#bestAt(position, descriptor.epoch.version);
			if (above === undefined) {
				return false;
			}
			position = above.descriptor.end;
		}
		return true;
	}

	#dropCovered(by: RangeDescriptor): void {
		const covered: RangeInfo[] = [];
		for (let i = this.#upperBound(by.end) - 1; i >= 0 && this.#reach[i]! > by.start; i--) {
			const info = this.#ordered[i]!;
			const { rangeId, start, end, epoch } = info.descriptor;
			const overlaps = start < by.end && by.start < end;
			const isOlder = rangeId !== by.rangeId && epoch.version < by.epoch.version;
			if (overlaps && isOlder && this.#isCovered(info.descriptor)) {
				covered.push(info);
			}
		}
		for (const info of covered) {
			this.#remove(info);
		}
	}

	#insert(info: RangeInfo): void {
		const at = this.#indexOf(info);
		this.#ordered.splice(at, 0, this.#sharing(info, at));
		this.#reachFrom(at);
	}

	/** Where one ends its neighbour begins: one string does for both. */
	#sharing({ descriptor, leaseholder }: RangeInfo, at: number): RangeInfo {
		const before = this.#ordered[at - 1]?.descriptor.end;
		const after = this.#ordered[at]?.descriptor.start;
		const start = before === descriptor.start ? before : descriptor.start;
		const end = after === descriptor.end ? after : descriptor.end;
		return { descriptor: { ...descriptor, start, end }, leaseholder };
	}

	#remove(info: RangeInfo): void {
		const at = this.#indexOf(info);
		this.#ordered.splice(at, 1);
		this.#reachFrom(at);
	}

	#reachFrom(at: number): void {
		this.#reach.length = this.#ordered.length;
		for (let i = at; i < this.#ordered.length; i++) {
			const { end } = this.#ordered[i]!.descriptor;
			const before = this.#reach[i - 1];
			this.#reach[i] = before !== undefined && before > end ? before : end;
		}
	}

	/** Where it is, or would be. */
	#indexOf(info: RangeInfo): number {
		let [low, high] = [0, this.#ordered.length];
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (compare(this.#ordered[middle]!, info) < 0) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		return low;
	}

	/** Index of the first entry that starts above `position`. */
	#upperBound(position: Key): number {
		let [low, high] = [0, this.#ordered.length];
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#ordered[middle]!.descriptor.start <= position) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}
		return low;
	}
}
