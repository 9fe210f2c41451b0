/** The write-ahead log shared by all Raft groups of a node: what its users see. */
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Entry, HardState, LogIndex, SnapshotMetadata } from "@quorate/raft/types";

/** What one group asks to make durable. Applied to the group's log in the order of the calls. */
export interface WalWrite {
	readonly rangeId: RangeId;
	readonly replicaId: ReplicaId;
	readonly hardState?: HardState;
	/** Entries at or above the first one's index that are in the log already are replaced. */
	readonly entries?: readonly Entry[];
	/** The group's log now starts after this snapshot: entries up to its index are forgotten, and those above it if `reset`. */
	readonly snapshot?: SnapshotMetadata & { readonly reset: boolean };
	/** The replica is gone from this node; everything of it is forgotten. */
	readonly removed?: boolean;
}

/** What recovery found for one group. */
export interface RecoveredGroup {
	readonly rangeId: RangeId;
	readonly replicaId: ReplicaId;
	readonly hardState: HardState;
	readonly snapshot: SnapshotMetadata | undefined;
	/** Contiguous. */
	readonly entries: readonly Entry[];
}

export interface WalStatistics {
	readonly segments: number;
	readonly sizeBytes: number;
	readonly syncs: number;
	readonly writes: number;
}

export interface Wal {
	/**
	 * Resolves when all of `writes` is durable. Calls made while a sync runs share the next one (group commit).
	 * A failed write or sync is fatal to the node (the page cache cannot be trusted): it calls `runtime.fatal`.
	 */
	append(writes: readonly WalWrite[]): Promise<void>;
	/**
	 * Entries up to `index` of a group are no longer needed, because the engine holds their effect durably.
	 * Segments in which nothing is needed are deleted; live entries of mostly dead segments are carried forward.
	 */
	compact(rangeId: RangeId, index: LogIndex): void;
	statistics(): WalStatistics;
	close(): Promise<void>;
}
