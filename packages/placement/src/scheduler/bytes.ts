/**
 * Bytes evenly over nodes, where the numbers of replicas are: while some node holds more than a tenth above the mean, or less than a tenth
 * below it, a range goes from the fuller to the emptier one, or two change places where the numbers would leave their band. Each such
 * step brings the two nearer to each other by no more than three quarters of what lies between them, so it is never taken back; and what
 * would copy much to even out little is left. Where nothing of that kind is left to do, it stays as it is.
 */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { RangeInfo } from "@quorate/keys/range";
import { heldBy } from "./balance.ts";
import { type Band, type NodeTally, Tally } from "./tally.ts";
import type { ClusterView } from "./view.ts";

/** Less is not worth a copy, whatever the mean. */
const differenceMin = 32 << 20;
const tolerance = 0.1;
const overshootMost = 0.75;
/** Of what two nodes hold more and less, at least so much has to come of a step. */
const gainMin = 4 << 20;
/** Of what is copied. */
const gainShare = 0.25;

interface Step {
	readonly from: NodeTally;
	readonly to: NodeTally;
	readonly range: RangeInfo;
	/** Goes the other way. */
	readonly back: RangeInfo | undefined;
}

/** Whether there is something to do, be it that it must wait. */
export function planBytes(view: ClusterView, tally: Tally): boolean {
	const nodes = tally.staying;
	const total = nodes.reduce((sum, { bytes }) => sum + bytes, 0);
	const mean = nodes.length === 0 ? 0 : total / nodes.length;
	const difference = Math.max(differenceMin, mean * tolerance);
	const isEven = ({ bytes }: NodeTally): boolean => Math.abs(bytes - mean) <= difference;
	if (nodes.every(isEven)) {
		return false;
	}
	const search = new Search(view, tally);
	let hasPlanned = false;
	for (;;) {
		const step = search.next(nodes, (a, b) => !isEven(a) || !isEven(b), mean);
		if (step === undefined) {
			return hasPlanned || search.mustWait;
		}
		hasPlanned = true;
		const { from, to, range, back } = step;
		const reason = `node ${from.node.nodeId} holds ${megabytes(from)}, node ${to.node.nodeId} holds ${megabytes(to)}`;
		exchange(tally, range, from, to, reason);
		if (back !== undefined) exchange(tally, back, to, from, reason);
	}
}

const megabytes = ({ bytes }: NodeTally): string => `${Math.round(bytes / (1 << 20))} MB`;

function exchange(
	tally: Tally,
	range: RangeInfo,
	from: NodeTally,
	to: NodeTally,
	reason: string,
): void {
	const kept = tally.holders(range).filter((id) => id !== from.node.nodeId);
	tally.place(range, [...kept, to.node.nodeId], reason);
}

class Search {
	readonly #view: ClusterView;
	readonly #tally: Tally;
	/** Of each node, the largest first. */
	readonly #held = new Map<NodeId, readonly RangeInfo[]>();
	readonly #planned = new Set<RangeId>();
	readonly #band: Band;
	/** Something could be done if nothing else were under way. */
	mustWait = false;

	constructor(view: ClusterView, tally: Tally) {
		this.#view = view;
		this.#tally = tally;
		for (const [node, ranges] of heldBy(view, tally)) {
			const bySize = ranges
				.map((range) => ({ range, bytes: tally.bytesOf(range) }))
				.sort((a, b) => b.bytes - a.bytes);
			this.#held.set(
				node,
				bySize.map(({ range }) => range),
			);
		}
		const replicas = tally.staying.reduce((sum, node) => sum + node.replicas, 0);
		this.#band = Tally.band(replicas, tally.staying.length);
	}

	next(
		nodes: readonly NodeTally[],
		isUneven: (from: NodeTally, to: NodeTally) => boolean,
		mean: number,
	): Step | undefined {
		const fullest = nodes.filter((n) => n.bytes > mean).sort((a, b) => b.bytes - a.bytes);
		const emptiest = nodes
			.filter((n) => n.bytes < mean && n.node.standing === "live")
			.sort((a, b) => a.bytes - b.bytes);
		for (const from of fullest) {
			for (const to of emptiest) {
				if (!isUneven(from, to)) break;
				const step = this.#between(from, to);
				if (step !== undefined) {
					this.#planned.add(step.range.descriptor.rangeId);
					if (step.back !== undefined) this.#planned.add(step.back.descriptor.rangeId);
					return step;
				}
			}
		}
		return undefined;
	}

	#between(from: NodeTally, to: NodeTally): Step | undefined {
		const most = (from.bytes - to.bytes) * overshootMost;
		const { low, high } = this.#band;
		if (from.replicas > low && to.replicas < high) {
			const range = this.#first(from, to, 0, (bytes) => bytes <= most && bytes >= gainMin);
			if (range !== undefined) return { from, to, range, back: undefined };
		}
		const back = this.#smallest(to, from);
		if (back === undefined || from.node.standing !== "live") {
			return undefined;
		}
		const small = this.#tally.bytesOf(back);
		const isWorthIt = (bytes: number): boolean => {
			const gain = bytes - small;
			return gain <= most && gain >= gainMin && gain >= (bytes + small) * gainShare;
		};
		const range = this.#first(from, to, small, isWorthIt);
		return range === undefined ? undefined : { from, to, range, back };
	}

	/** The largest of the ranges on `from` that may go to `to`. */
	#first(
		from: NodeTally,
		to: NodeTally,
		least: number,
		isFit: (bytes: number) => boolean,
	): RangeInfo | undefined {
		for (const range of this.#held.get(from.node.nodeId) ?? []) {
			const bytes = this.#tally.bytesOf(range);
			if (bytes <= least) return undefined;
			if (isFit(bytes) && this.#mayGo(range, from, to)) return range;
		}
		return undefined;
	}

	#smallest(from: NodeTally, to: NodeTally): RangeInfo | undefined {
		return this.#held.get(from.node.nodeId)?.findLast((range) => this.#mayGo(range, from, to));
	}

	#mayGo(range: RangeInfo, from: NodeTally, to: NodeTally): boolean {
		const tally = this.#tally;
		const isThere = tally.holders(range).includes(to.node.nodeId);
		if (isThere || this.#planned.has(range.descriptor.rangeId)) {
			return false;
		}
		if (!tally.mayReplace(range, from.node.nodeId, to.node.nodeId)) {
			return false;
		}
		const isFree = tally.mayReceive(to) && tally.maySend(range) && !this.#view.isResting(range);
		this.mustWait ||= !isFree;
		return isFree;
	}
}
