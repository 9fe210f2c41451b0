/** What the parts of a replica share; implemented by `Replica`. */
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ApplyResult } from "./apply.ts";
import type { Blockers } from "./blockers.ts";
import type { Command } from "./commands.ts";
import type { ReplicaContext } from "./context.ts";
import type { Inquiries } from "./inquiries.ts";
import type { LockTable } from "./lock-table.ts";
import type { PendingGroup, PendingWrites } from "./pending-writes.ts";
import type { RangeState } from "./range-state.ts";
import type { RecentChanges } from "./recent-changes.ts";
import type { RangeAnswer } from "./requests.ts";

/** What became of a proposal: applied with a result, or `lost`: not known here (a snapshot ended it). */
export type ProposalResult = ApplyResult | { readonly kind: "lost" };

export interface ReplicaCore {
	readonly context: ReplicaContext;
	readonly state: RangeState;
	readonly pending: PendingWrites;
	readonly blockers: Blockers;
	readonly locks: LockTable;
	readonly inquiries: Inquiries;
	/** What was applied of late, and where. */
	readonly recent: RecentChanges;
	/** This replica may serve as leaseholder now: Raft leader, own term applied, the lease is this boot's and not being given away. */
	holding(): boolean;
	/** The highest issued timestamp known on this node. */
	seen(): Timestamp;
	/** L1: resolves to true once the lease covers `s`, extending it as needed. Synchronous where it does already. */
	covers(s: Timestamp): boolean | Promise<boolean>;
	owns(k: Key): boolean;
	ownsSpan(span: Span): boolean;
	/**
	 * Proposes under the current lease; `group` is what becomes proposed with it. Undefined if this replica cannot propose: then nothing
	 * was proposed and nothing will be.
	 */
	propose(
		command: Command,
		version: number,
		group?: PendingGroup,
	): Promise<ProposalResult> | undefined;
	/** L4: the fate of a proposal may be unknown; a later entry settles it. */
	settle(): void;
	notLeaseholder(): Extract<RangeAnswer, { kind: "not-leaseholder" }>;
	stale(): RangeAnswer;
}
