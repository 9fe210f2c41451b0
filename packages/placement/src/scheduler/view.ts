/** What the scheduler decides from, and what it decides. */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Locality } from "@quorate/keys/locality";
import type { PlacementRules } from "@quorate/keys/placement-rule";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import type { RangeLoads } from "./range-loads.ts";

export interface NodeView {
	readonly nodeId: NodeId;
	/**
	 * `live`: takes replicas and leases. `stopping`: will be gone for a moment, gives its leases away and keeps its replicas.
	 * `silent`: keeps what it has, and takes nothing. `leaving` (dead, draining or removed): gives up everything.
	 */
	readonly standing: "live" | "stopping" | "silent" | "leaving";
	/** It answers: what it holds counts towards a quorum now. */
	readonly isUp: boolean;
	readonly locality: Locality;
}

export interface ClusterView {
	/** In the order of their ids. A replica on a node that is not here counts as on one that leaves. */
	readonly nodes: readonly NodeView[];
	readonly ranges: readonly RangeInfo[];
	/** Under way, by range, a merge by both: counted as if done, and the range is left alone. */
	readonly underWay: ReadonlyMap<RangeId, Move>;
	/** Ranges that are not to be touched now: a move of theirs has just failed, or somebody else is changing their members. */
	isResting(range: RangeInfo): boolean;
	/** Where replicas of which keys are to be. */
	readonly rules: PlacementRules;
	readonly limits: PlanLimits;
	/** What is known of ranges; absent: nothing. */
	readonly loads?: Pick<RangeLoads, "of">;
	/** It was given leases of ranges that are asked for something a moment ago, and gets no more of that kind now just to be even. */
	isWarmingUp?(node: NodeId): boolean;
	/** Leases may be moved for the sake of load: nothing of that kind has been done for a while, so that what is known shows it. */
	readonly evensLoad?: boolean;
}

export interface PlanLimits {
	/** Copies at once that a node sends, and that it receives. */
	readonly copiesPerNode: number;
	/** Leases at once that a node gives, and that it takes. */
	readonly leasesPerNode: number;
}

export type Move =
	/** `nodes` and no others shall hold the range: learners first, then one joint change. */
	| {
			readonly kind: "replicas";
			readonly range: RangeDescriptor;
			readonly nodes: readonly NodeId[];
			readonly added: readonly NodeId[];
			readonly removed: readonly NodeId[];
			/** Whose copy it is, as far as known. */
			readonly sender: NodeId | undefined;
			readonly reason: string;
	  }
	/** `range` takes over its neighbour `right`, once both are on `nodes`: one of them may have to be copied there. */
	| {
			readonly kind: "merge";
			readonly range: RangeDescriptor;
			readonly right: RangeDescriptor;
			readonly nodes: readonly NodeId[];
			readonly added: readonly NodeId[];
			readonly removed: readonly NodeId[];
			readonly sender: NodeId | undefined;
			/** To be copied. */
			readonly bytes: number;
			readonly reason: string;
	  }
	| {
			readonly kind: "lease";
			readonly range: RangeDescriptor;
			readonly from: NodeId;
			readonly to: NodeId;
			/** The range is asked for something. */
			readonly isBusy: boolean;
			readonly reason: string;
	  };

/** Something should be done about the range, and cannot. */
export interface Obstacle {
	readonly rangeId: RangeId;
	readonly reason: string;
}

export interface Plan {
	readonly moves: readonly Move[];
	readonly obstacles: readonly Obstacle[];
	/** Leases are moved for the sake of load. */
	readonly hasEvenedLoad: boolean;
	/** Nothing is left to do, now or when what is under way has ended. */
	readonly isSettled: boolean;
}
