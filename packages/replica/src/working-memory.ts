/**
 * What a replica remembers while something goes on with it, and no log does. One that rests (`awake.ts`) has nothing to remember: it
 * has none of this, and gets it anew when something comes.
 */
import type { RangeDescriptor } from "@quorate/keys/range";
import { SparseMap } from "@quorate/keys/sparse-map";
import type { Timestamp } from "@quorate/keys/timestamp";
import { Blockers, type BlockersOwner } from "./blockers.ts";
import type { ReplicaContext } from "./context.ts";
import type { ProposalResult } from "./core.ts";
import type { Feed } from "./feed.ts";
import { Inquiries } from "./inquiries.ts";
import { LoadSamples } from "./load-samples.ts";
import { LockTable } from "./lock-table.ts";
import { PendingWrites } from "./pending-writes.ts";
import { RecentChanges } from "./recent-changes.ts";
import { type Inheritance, WriteGate } from "./splits.ts";

export interface Callback {
	readonly sequence: number;
	readonly done: (result: ProposalResult) => void;
}

export class WorkingMemory {
	readonly pending = new PendingWrites();
	readonly locks: LockTable;
	readonly blockers: Blockers;
	readonly inquiries: Inquiries;
	readonly load = new LoadSamples();
	readonly gate = new WriteGate();
	recent: RecentChanges;
	/** Of what was proposed, by number. */
	readonly callbacks = new SparseMap<number, Callback>();
	/** Right sides of splits, for a while (V4). */
	splitOff: { readonly descriptor: RangeDescriptor; readonly untilMs: number }[] = [];
	/** Who waits for what becomes of the frozen range. */
	onThaw: (() => void)[] = [];
	feed: Feed | undefined;

	/** `lastCommit`: of all that was applied; `leaseAtMs`: listening time when the present lease was. */
	constructor(
		context: ReplicaContext,
		owner: BlockersOwner,
		lastCommit: Timestamp,
		leaseAtMs: number,
		inheritance?: Inheritance,
	) {
		this.locks = inheritance?.locks ?? new LockTable(context.lockOwners);
		this.inquiries = inheritance?.inquiries ?? new Inquiries(leaseAtMs);
		this.blockers = new Blockers(context, this.pending, owner);
		this.recent = new RecentChanges(lastCommit);
	}

	/** Nothing in it is more than a saving of questions. */
	mayGo(nowMs: number): boolean {
		return (
			this.pending.groups === 0 &&
			this.locks.size === 0 &&
			this.blockers.intentCount === 0 &&
			!this.blockers.hasWaits &&
			this.callbacks.size === 0 &&
			!this.gate.isClosed &&
			this.onThaw.length === 0 &&
			this.splitOff.every(({ untilMs }) => untilMs <= nowMs) &&
			this.feed?.isForgotten(nowMs) !== false
		);
	}
}
