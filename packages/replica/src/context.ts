/** What a replica needs from its node, passed in by the wiring. */
import type { Feature } from "@quorate/keys/cluster-version";
import type { BootId, LockOwner, NodeId, RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import type { RangeDescriptor, RangeInfo } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Pulse } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Engine } from "@quorate/storage/engine";
import type { WrittenSpan } from "./commands.ts";
import type { ListeningTime } from "./listening-time.ts";
import type { LockOwners } from "./lock-owners.ts";
import type { WriteWaits } from "./lock-waits.ts";
import type { MergeReason } from "./merges.ts";
import type { ReplicaObserver } from "./observer.ts";
import type { Pace } from "./pace.ts";
import type { RangeState } from "./range-state.ts";
import type { Replica } from "./replica.ts";
import type { RangeAnswer, ValidateItem } from "./requests.ts";
import type { Inheritance, SplitReason } from "./splits.ts";
import type { TimestampSource } from "./timestamp-source.ts";

export interface ReplicaContext {
	readonly runtime: Runtime;
	readonly engine: Engine;
	readonly nodeId: NodeId;
	readonly bootId: BootId;
	readonly timestamps: TimestampSource;
	/** What silence is measured in. */
	readonly listening: Pick<ListeningTime, "ms">;
	/** Of all lock tables here. */
	readonly lockOwners: LockOwners;
	/** Who waits here for writes of others. */
	readonly writeWaits: WriteWaits;
	/** Locks of these owners came with a lease: their gateways are asked who has ended, and learn who has the others' locks. */
	locksCame(owners: ReadonlySet<LockOwner>): void;
	/** Whether all nodes can read it. */
	isActive(feature: Feature): boolean;
	/** Of snapshots that come in. */
	readonly pace: Pace;
	readonly limits?: Limits | undefined;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
	/** Simulation only. */
	readonly observer?: ReplicaObserver | undefined;
	/** Signs of life of another node's boot; undefined where it has no connection to this node. */
	pulseOf(boot: BootId): Pulse | undefined;
	/** The boot that runs on a node now, as far as known: a lease is transferred to a boot. */
	bootOf(node: NodeId): BootId | undefined;
	/** It has said that it is about to stop: it is given no lease any more. */
	isLeaving(boot: BootId): boolean;
	/** Nothing new may be written to a range of these replicas: the disk here is full, or those of so many that no quorum is left. */
	isDiskFull(replicas: RangeDescriptor["replicas"]): boolean;
	/**
	 * Asks the leaseholder of the range that holds the anchor what became of a transaction. `s`: it also helps to know that its c
	 * will be above it; 0: that does not help.
	 */
	inquire(transaction: TransactionId, anchor: Key, s: Timestamp): Promise<RangeAnswer>;
	/** Resolves a committed transaction's intents wherever they are; true once all of it has applied. */
	resolveAll(
		transaction: TransactionId,
		c: Timestamp,
		written: readonly WrittenSpan[],
	): Promise<boolean>;
	/** Validates at `c` what a transaction, which has writes pending here, has read in other ranges. */
	validateElsewhere(
		transaction: TransactionId,
		items: readonly ValidateItem[],
		c: Timestamp,
		owner: LockOwner,
	): Promise<RangeAnswer>;
	/** How long history is kept, in milliseconds; undefined while it cannot be learned: then nothing is removed. */
	historyLifeMs(): Promise<number | undefined>;
	/** The same descriptor, as others of this node keep it. */
	kept(descriptor: RangeDescriptor): RangeDescriptor;
	/** First of `count` consecutive fresh ids. */
	allocate(kind: "range" | "replica", count: number): Promise<number>;
	/** Tells the directory (in the background). */
	report(ranges: readonly RangeInfo[]): void;
	/** A split was applied here: the right side's replica comes to life. */
	splitApplied(left: Replica, right: RangeState, inheritance: Inheritance): void;
	/** A split that was asked for here is done. */
	splitDone(left: RangeId, right: RangeDescriptor, reason: SplitReason): void;
	/** Merges the range with its right neighbour. */
	merge(left: Replica, at: Key, reason: MergeReason): Promise<RangeAnswer>;
	/** A merge was applied here: the replica of the right side, which is nobody's any more. */
	mergeApplied(right: RangeState): Replica | undefined;
	/** A snapshot is put in place for `by`: what it covers of other ranges has become part of its range. */
	subsume(state: RangeState, by: Replica): void;
	/** Why a snapshot of that state must be refused here: it overlaps another replica (not split yet). */
	overlaps(state: RangeState): string | undefined;
	/** Something goes on with it again (`awake.ts`). */
	awake(replica: Replica): void;
	/** The replica was removed from its group, and that was applied here. */
	removed(rangeId: RangeState["descriptor"]["rangeId"]): void;
}

/** Lengths of time, in milliseconds. */
export const leaseMs = 2_000;
/** How long a waiter lets the coordinator finish before it asks the anchor. */
export const inquireAfterMs = 100;
/** A coordinator that is silent for so long has its transaction aborted by the anchor. Of the time in which that listens. */
export const silentAfterMs = 1_500;
/** The same from the start of a new lease: one that lives and is connected here is protected by its pings, too. */
export const silentSinceLeaseMs = 1_200;
/** Likewise by the pings of its node, where that can be heard: a heartbeat may be on its way still, behind other things. */
export const silentPings = 4;
/** Records and tombstones live at least so long (T4). */
export const recordLifeMs = 600_000;
