/**
 * Which neighbours become one range: both small and cold, and so for long. How it is done: `@quorate/replica/merges`.
 *
 * 1. Together they hold no more than a part of what a range is split at, and are asked no more than a part of what it is split at: a
 *    merged range has to grow by more than twice before it is divided again.
 * 2. They have been so, as the ranges that they are, at each look for `range_merge_after`. A split, a merge or a new leader of the
 *    placement group begins that anew: so a range is divided or merged once in that time at most, and nothing flaps.
 * 3. What somebody has split by hand stays (`byHand`), and so does the border between two placement rules.
 * 4. Only where nothing else is to be done, all replicas answer, and the smaller side is cheap to bring to where the larger one is.
 * 5. A few at a time. One that fails waits as long as a new one.
 * 6. Of a range that nobody leads nothing is known: after a restart, say. Such ranges are asked for something, one after the other.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import type { RangeLoad } from "@quorate/replica/range-load";
import type { RangeLoads } from "./range-loads.ts";
import type { ClusterView, Move } from "./view.ts";

export interface MergeRules {
	/** A range is split if it holds more. */
	readonly maxBytes: number;
	/** A range is split if it is asked more often than so many times a second. 0: never. */
	readonly maxLoad: number;
	/** 0: nothing is merged. */
	readonly afterMs: number;
}

/** Of what a range is split at. */
const bytesShare = 0.4;
const loadShare = 0.2;
/** Where ranges are not split by load. */
const coldAtMost = 500;
/** The smaller side has to be copied to other nodes: of what a range is split at, no more than this, with each copy counted. */
const copiedShare = 0.25;
const atOnce = 8;
/** In so long as two ranges have to be small and cold they are looked at so often. */
const looks = 10;

interface Pair {
	readonly left: RangeInfo;
	readonly right: RangeInfo;
	readonly loads: readonly [RangeLoad, RangeLoad];
}

export type Merge = Extract<Move, { kind: "merge" }>;

export class MergePlanner {
	/** By where the right side begins: as which ranges, and since when. */
	readonly #since = new Map<Key, { readonly as: string; readonly atMs: number }>();
	/** Monotonic milliseconds; 0: it is to be looked again at once. */
	#lookedMs = 0;
	/** Where the range stands that `unknown` told last. */
	#askedAt = -1;

	reset(): void {
		this.#since.clear();
	}

	/** What is to be merged now. */
	look(
		viewNow: () => ClusterView,
		loads: RangeLoads,
		rules: MergeRules,
		nowMs: number,
	): readonly Merge[] {
		if (rules.afterMs <= 0) {
			this.reset();
			return [];
		}
		if (nowMs < this.#lookedMs + rules.afterMs / looks) {
			return [];
		}
		const view = viewNow();
		loads.forgetAllBut(new Set(view.ranges.map((r) => r.descriptor.rangeId)));
		const due: Pair[] = [];
		const borders = new Set<Key>();
		for (let i = 1; i < view.ranges.length; i++) {
			const pair = pairOf(view.ranges[i - 1]!, view.ranges[i]!, loads);
			if (pair !== undefined && isSmall(pair, rules) && isAlike(view, pair) && isFree(view, pair)) {
				const at = pair.right.descriptor.start;
				borders.add(at);
				if (this.#smallForMs(pair, nowMs) >= rules.afterMs) due.push(pair);
			}
		}
		for (const at of this.#since.keys()) {
			if (!borders.has(at)) this.#since.delete(at);
		}
		const chosen = this.#choose(view, due, rules);
		// What is due and has to wait is not to wait for long.
		this.#lookedMs = chosen.length === 0 ? nowMs : 0;
		return chosen;
	}

	/** The next one that nobody has told of, though it could be led. */
	unknown(view: ClusterView, loads: RangeLoads): RangeInfo | undefined {
		const { ranges } = view;
		for (let i = 0; i < ranges.length; i++) {
			const at = (this.#askedAt + 1 + i) % ranges.length;
			const range = ranges[at]!;
			if (loads.of(range.descriptor) === undefined && isWhole(view, range)) {
				this.#askedAt = at;
				return range;
			}
		}
		return undefined;
	}

	#smallForMs({ left, right }: Pair, nowMs: number): number {
		const as = [left, right].map(({ descriptor: d }) => `${d.rangeId} ${d.epoch.version}`).join();
		const at = right.descriptor.start;
		const known = this.#since.get(at);
		if (known?.as !== as) {
			this.#since.set(at, { as, atMs: nowMs });
			return 0;
		}
		return nowMs - known.atMs;
	}

	#choose(view: ClusterView, due: readonly Pair[], rules: MergeRules): readonly Merge[] {
		const chosen: Merge[] = [];
		const underWay = [...new Set(view.underWay.values())].filter((m) => m.kind === "merge");
		for (const pair of due) {
			const isTaken = chosen.some((m) => m.right.rangeId === pair.left.descriptor.rangeId);
			const merge = isTaken ? undefined : mergeOf(pair, rules);
			if (merge !== undefined && chosen.length + underWay.length < atOnce) {
				chosen.push(merge);
				this.#since.delete(merge.right.start);
			}
		}
		return chosen;
	}
}

function pairOf(left: RangeInfo, right: RangeInfo, loads: RangeLoads): Pair | undefined {
	if (left.descriptor.end !== right.descriptor.start) {
		return undefined;
	}
	const [l, r] = [loads.of(left.descriptor), loads.of(right.descriptor)];
	return l === undefined || r === undefined || r.byHand
		? undefined
		: { left, right, loads: [l, r] };
}

function isSmall({ loads: [left, right] }: Pair, { maxBytes, maxLoad }: MergeRules): boolean {
	const bytes = left.sizeBytes + right.sizeBytes;
	const rate = left.requestsPerSecond + right.requestsPerSecond;
	const rateMost = maxLoad === 0 ? coldAtMost : maxLoad * loadShare;
	return bytes <= maxBytes * bytesShare && rate <= rateMost;
}

/** Both are whole, and nothing is done with them. */
const isFree = (view: ClusterView, { left, right }: Pair): boolean =>
	[left, right].every((range) => isWhole(view, range) && !view.isResting(range));

function isWhole({ nodes, underWay }: ClusterView, { descriptor }: RangeInfo): boolean {
	const isUp = (id: NodeId): boolean =>
		nodes.some((n) => n.nodeId === id && n.isUp && n.standing === "live");
	return (
		!underWay.has(descriptor.rangeId) &&
		descriptor.replicas.every((r) => r.role === "voter" && isUp(r.nodeId))
	);
}

/** One rule says where both are to be. */
const isAlike = ({ rules }: ClusterView, { left, right }: Pair): boolean =>
	rules.borders({ start: left.descriptor.start, end: right.descriptor.end }).length === 0;

/** Undefined where it is not worth its price. */
function mergeOf(
	{ left, right, loads }: Pair,
	{ maxBytes, afterMs }: MergeRules,
): Merge | undefined {
	const [l, r] = loads;
	const isLeftSmaller = l.sizeBytes < r.sizeBytes;
	const [small, large] = isLeftSmaller ? [left, right] : [right, left];
	const nodes = nodesOf(large.descriptor);
	const before = nodesOf(small.descriptor);
	const added = nodes.filter((id) => !before.includes(id));
	const bytes = Math.min(l.sizeBytes, r.sizeBytes) * added.length;
	if (nodes.length !== before.length || bytes > maxBytes * copiedShare) {
		return undefined;
	}
	const size = `${formatBytes(l.sizeBytes)} and ${formatBytes(r.sizeBytes)}`;
	const rate = `${l.requestsPerSecond} and ${r.requestsPerSecond} requests/s`;
	const forS = Math.round(afterMs / 1000);
	return {
		kind: "merge",
		range: left.descriptor,
		right: right.descriptor,
		nodes,
		added,
		removed: before.filter((id) => !nodes.includes(id)),
		sender: small.leaseholder,
		bytes,
		reason: `with range ${right.descriptor.rangeId}: both are small (${size}) and cold (${rate}) for ${forS} s`,
	};
}

const nodesOf = ({ replicas }: RangeDescriptor): readonly NodeId[] =>
	replicas.map((r) => r.nodeId).sort((a, b) => a - b);

const formatBytes = (bytes: number): string =>
	bytes < 10_000
		? `${bytes} B`
		: bytes < 10_000_000
			? `${Math.round(bytes / 1000)} kB`
			: `${Math.round(bytes / 1e6)} MB`;
