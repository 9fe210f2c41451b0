/** Who holds what, with the moves counted in that are under way or planned; and how much each node has to do with them. */
import { assert } from "@quorate/keys/assert";
import type { NodeId } from "@quorate/keys/ids";
import { isAllowed, isPreferred, type PlacementRule } from "@quorate/keys/placement-rule";
import type { RangeInfo } from "@quorate/keys/range";
import { Nearness } from "./nearness.ts";
import type { ClusterView, Move, NodeView } from "./view.ts";

export interface NodeTally {
	readonly node: NodeView;
	replicas: number;
	leases: number;
	/** Of its replicas, as far as known. */
	bytes: number;
	/** Requests a second of the ranges whose leases it has. */
	rate: number;
	/** Copies of ranges on their way to it, and from it. */
	receiving: number;
	sending: number;
	/** Leases on their way to or from it. */
	handingOver: number;
	/** Of those on their way to it, the ones of ranges that are asked for something. */
	taking: number;
}

/** Within a tenth of the mean, as whole numbers; always wide enough to be reached. */
export interface Band {
	readonly low: number;
	readonly high: number;
}

const tolerance = 0.1;
/** Requests a second. */
const busyFrom = 1;

export class Tally {
	readonly moves: Move[] = [];
	readonly #view: ClusterView;
	readonly nodes: readonly NodeTally[];
	/** Nodes that do not leave. */
	readonly staying: readonly NodeTally[];
	readonly #nodes = new Map<NodeId, NodeTally>();
	/** Where replicas are, the moves counted in. */
	readonly #holders = new Map<RangeInfo, readonly NodeId[]>();
	readonly #nearness: Nearness;

	constructor(view: ClusterView) {
		this.#view = view;
		for (const node of view.nodes) {
			const counts = { replicas: 0, leases: 0, receiving: 0, sending: 0 };
			const sums = { bytes: 0, rate: 0, handingOver: 0, taking: 0 };
			this.#nodes.set(node.nodeId, { node, ...counts, ...sums });
		}
		this.nodes = [...this.#nodes.values()];
		this.#nearness = new Nearness(view.nodes);
		this.staying = this.nodes.filter(({ node }) => node.standing !== "leaving");
		for (const range of view.ranges) {
			const { rangeId } = range.descriptor;
			const move = view.underWay.get(rangeId);
			this.#count(range, move);
			if (move?.range.rangeId === rangeId) {
				this.#engage(move);
			}
		}
	}

	#count(range: RangeInfo, move: Move | undefined): void {
		const now = range.descriptor.replicas.map((r) => r.nodeId);
		const isGoing = move?.kind === "merge" && move.right.rangeId === range.descriptor.rangeId;
		const holders = isGoing ? [] : move === undefined || move.kind === "lease" ? now : move.nodes;
		this.#holders.set(range, holders);
		const bytes = this.bytesOf(range);
		for (const id of holders) {
			const tally = this.#nodes.get(id);
			if (tally !== undefined) {
				tally.replicas++;
				tally.bytes += bytes;
			}
		}
		const holder = isGoing ? undefined : move?.kind === "lease" ? move.to : range.leaseholder;
		const tally = holder === undefined ? undefined : this.#nodes.get(holder);
		if (tally !== undefined) {
			tally.leases++;
			tally.rate += this.rateOf(range);
		}
	}

	/** Of one replica; 0 where it is not known. */
	bytesOf({ descriptor }: RangeInfo): number {
		return this.#view.loads?.of(descriptor)?.sizeBytes ?? 0;
	}

	/** Requests a second. */
	rateOf({ descriptor }: RangeInfo): number {
		return this.#view.loads?.of(descriptor)?.requestsPerSecond ?? 0;
	}

	/** What a node does for a move while it lasts. */
	#engage(move: Move): void {
		if (move.kind === "lease") {
			for (const id of [move.from, move.to]) {
				const tally = this.#nodes.get(id);
				if (tally !== undefined) tally.handingOver++;
			}
			const to = this.#nodes.get(move.to);
			if (to !== undefined && move.isBusy) to.taking++;
			return;
		}
		for (const id of move.added) {
			const tally = this.#nodes.get(id);
			if (tally !== undefined) tally.receiving++;
		}
		const sender = move.sender === undefined ? undefined : this.#nodes.get(move.sender);
		if (sender !== undefined) sender.sending += move.added.length;
	}

	of(node: NodeId): NodeTally | undefined {
		return this.#nodes.get(node);
	}

	standing(node: NodeId): NodeView["standing"] {
		return this.#nodes.get(node)?.node.standing ?? "leaving";
	}

	isUp(node: NodeId): boolean {
		return this.#nodes.get(node)?.node.isUp ?? false;
	}

	holders(range: RangeInfo): readonly NodeId[] {
		return this.#holders.get(range) ?? [];
	}

	ruleOf({ descriptor }: RangeInfo): PlacementRule {
		return this.#view.rules.at(descriptor.start);
	}

	/** Whether replicas under that rule may be on the node. */
	isAllowed(rule: PlacementRule, node: NodeId): boolean {
		if (rule.constraints.length === 0) return true;
		const tally = this.#nodes.get(node);
		return tally !== undefined && isAllowed(rule, tally.node.locality);
	}

	isPreferred(rule: PlacementRule, node: NodeId): boolean {
		const tally = this.#nodes.get(node);
		return tally !== undefined && isPreferred(rule, tally.node.locality);
	}

	/** Of replicas on these nodes: the less, the better they are spread (`nearness.ts`); above all one is where the lease is to be. */
	crowding(rule: PlacementRule, nodes: readonly NodeId[]): number {
		const crowding = this.#nearness.ofAll(nodes);
		const isMissed =
			rule.leasePreference.length > 0 && !nodes.some((id) => this.isPreferred(rule, id));
		return isMissed ? crowding + this.#nearness.most : crowding;
	}

	/** Whether a replica may go from one node to another without being worse there. */
	mayReplace(range: RangeInfo, from: NodeId, to: NodeId): boolean {
		if (!this.hasPlaces) return true;
		const rule = this.ruleOf(range);
		if (!this.isAllowed(rule, to)) return false;
		const now = this.holders(range);
		const then = now.map((id) => (id === from ? to : id));
		return this.crowding(rule, then) <= this.crowding(rule, now);
	}

	/** Some nodes are nearer to each other than others are. */
	get hasPlaces(): boolean {
		return this.#nearness.hasPlaces;
	}

	mayReceive({ node, receiving }: NodeTally): boolean {
		return node.standing === "live" && receiving < this.#view.limits.copiesPerNode;
	}

	/** Whoever holds the lease sends the copy. */
	maySend({ leaseholder }: RangeInfo): boolean {
		const tally = leaseholder === undefined ? undefined : this.#nodes.get(leaseholder);
		return tally === undefined || tally.sending < this.#view.limits.copiesPerNode;
	}

	mayHandOver({ handingOver }: NodeTally): boolean {
		return handingOver < this.#view.limits.leasesPerNode;
	}

	/** A step is a quarter of what the node has, or one; then it has some time for them. What nobody asks for does not count. */
	isUsedTo({ node, leases, taking }: NodeTally, range: RangeInfo): boolean {
		const atOnce = Math.max(1, Math.floor((leases - taking) / 4));
		const hasTime = this.#view.isWarmingUp?.(node.nodeId) !== true;
		return this.rateOf(range) < busyFrom || (hasTime && taking < atOnce);
	}

	/** Plans that the range shall be on `nodes`. */
	place(range: RangeInfo, nodes: readonly NodeId[], reason: string): void {
		const before = this.holders(range);
		const added = nodes.filter((id) => !before.includes(id));
		const removed = before.filter((id) => !nodes.includes(id));
		const { descriptor, leaseholder: sender } = range;
		const move: Move = {
			kind: "replicas",
			range: descriptor,
			nodes,
			added,
			removed,
			sender,
			reason,
		};
		const bytes = this.bytesOf(range);
		for (const id of added) {
			const tally = this.#nodes.get(id);
			assert(tally?.node.standing === "live", () => `node ${id} is given a replica`);
			tally.replicas++;
			tally.bytes += bytes;
		}
		for (const id of removed) {
			const tally = this.#nodes.get(id);
			if (tally !== undefined) {
				tally.replicas--;
				tally.bytes -= bytes;
			}
		}
		this.#holders.set(range, nodes);
		this.#engage(move);
		this.moves.push(move);
	}

	/** Plans that the lease goes to `to`. */
	handOver(range: RangeInfo, from: NodeTally, to: NodeTally, reason: string): void {
		const rate = this.rateOf(range);
		from.leases--;
		from.rate -= rate;
		to.leases++;
		to.rate += rate;
		const move: Move = {
			kind: "lease",
			range: range.descriptor,
			from: from.node.nodeId,
			to: to.node.nodeId,
			isBusy: rate >= busyFrom,
			reason,
		};
		this.#engage(move);
		this.moves.push(move);
	}

	/** Of counts that are to be spread over so many nodes. */
	static band(total: number, nodes: number): Band {
		const mean = nodes === 0 ? 0 : total / nodes;
		// Sums of tenths are not exact.
		const high = Math.max(Math.floor(mean * (1 + tolerance) + 1e-9), Math.ceil(mean));
		const low = Math.min(Math.ceil(mean * (1 - tolerance) - 1e-9), Math.floor(mean));
		return { low, high };
	}
}
