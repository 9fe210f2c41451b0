/** What a driver remembers while something goes on with its group. Most groups rest, folded (`raft/folding.ts`): those have none of it. */
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import { SparseMap } from "@quorate/keys/sparse-map";
import type { LogIndex, Message } from "@quorate/raft/types";
import type { Timer } from "@quorate/runtime/runtime";
import type { GroupDriver } from "./group-driver.ts";
import type { ReadWaits } from "./read-waits.ts";
import type { WriteGate } from "./write-gate.ts";

/** A write of a pass, until it is synced. */
export interface SyncItem {
	readonly driver: GroupDriver;
	readonly sequence: number;
	messages: readonly Message[];
}

export class GroupWork {
	/** It had entries to apply when the last pass had no time left. */
	waitsToApply = false;
	/** The log does not have the group durably yet: nothing is applied until this resolves. */
	beginning: Promise<void> | undefined;
	/** The last write that is not yet synced: what waits for a sync waits for this one. */
	lastSync: SyncItem | undefined;
	/** Applied since the log was last considered for compaction. */
	appliedCount = 0;
	appliedBytes = 0;
	/** Index that each snapshot under way to a follower is of. */
	readonly snapshotsUnderWay = new SparseMap<ReplicaId, LogIndex>();
	reads: ReadWaits | undefined;
	gate: WriteGate | undefined;
	/** Where messages came from, for peers that the machine does not know (yet, or any more). */
	readonly heardFrom = new SparseMap<ReplicaId, NodeId>();
	idleTicks = 0;
	birthTimer: Timer | undefined;
	/** While reads wait for a round. */
	readTimer: Timer | undefined;

	/** Of a group that is folded: none of it is missed. */
	get mayGo(): boolean {
		return (
			!this.waitsToApply &&
			this.beginning === undefined &&
			this.lastSync === undefined &&
			this.snapshotsUnderWay.size === 0 &&
			this.reads?.isIdle !== false &&
			this.gate?.isEmpty !== false &&
			this.birthTimer === undefined &&
			this.readTimer === undefined
		);
	}
}
