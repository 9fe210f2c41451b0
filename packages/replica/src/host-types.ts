/**
 * The Raft host runs all Raft groups of one node over one WAL and one RPC: the contract with the state machines on top of
 * it (a range's replica here; the placement group in `packages/placement`).
 */
import type { NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import type { RaftStatus } from "@quorate/raft/group";
import type {
	Configuration,
	ConfigurationChange,
	LogIndex,
	SnapshotMetadata,
	Term,
} from "@quorate/raft/types";

/** A committed entry as the machine sees it. Empty entries are passed too: a new leader learns from its own that it is up to date. */
export interface CommittedEntry {
	readonly index: LogIndex;
	readonly term: Term;
	/** Undefined for an empty entry and for a configuration change. */
	readonly command: Uint8Array | undefined;
	readonly change: ConfigurationChange | undefined;
	/** The configuration after this entry, for a change. */
	readonly configuration: Configuration | undefined;
}

/** A state machine under Raft. All methods but the snapshot ones are synchronous and must not throw but for a broken invariant. */
export interface GroupMachine {
	/**
	 * Applies a group of entries, in order, and returns how many of them: one at least. It stops early where applying takes long,
	 * so that others get their turn; the rest comes again. When it returns, the effect of those and `index` of the last are
	 * visible to readers.
	 */
	apply(entries: readonly CommittedEntry[]): number;
	/** What the last `apply` wrote, in bytes: a measure of how long it took. */
	readonly appliedBytes: number;
	/** Role or known leader changed. `leader` 0: unknown. Called before entries that follow from it are applied. */
	leadershipChanged(status: {
		readonly isLeader: boolean;
		readonly term: Term;
		readonly leader: ReplicaId;
	}): void;
	/** The applied index whose effect would survive a power loss once everything written before the call is synced. A machine in memory: that of its last checkpoint. */
	appliedIndex(): LogIndex;
	/** Of a machine in memory: makes durable what it has applied, so that its log can be compacted. A failure keeps the old checkpoint. */
	checkpoint?(): Promise<void>;
	/**
	 * Streams the state as of one applied index to a member, in chunks of at most 256 KiB. `metadata` is of the same instant.
	 * The host closes it in any case.
	 */
	openSnapshot(to: ReplicaId): {
		readonly metadata: SnapshotMetadata;
		readonly chunks: AsyncIterable<Uint8Array>;
		close(): void;
	};
	/** Receives such a stream; the machine replaces its state by it atomically and durably before it resolves. Rejects to refuse it (for example it overlaps another replica); then nothing changed. */
	installSnapshot(metadata: SnapshotMetadata, chunks: AsyncIterable<Uint8Array>): Promise<void>;
	/** Which node holds a replica of this group, from the machine's own configuration. */
	nodeOf(replica: ReplicaId): NodeId | undefined;
}

export interface GroupOptions {
	readonly rangeId: RangeId;
	readonly replicaId: ReplicaId;
	readonly machine: GroupMachine;
	/** State that the machine holds durably at start: index and term applied, and the configuration there. For a new group index and term are its birth's; index 0, term 0 and no members are a replica's that waits for its first snapshot. */
	readonly applied: SnapshotMetadata;
	/** The index at which groups of this kind are born. State above it has a log: where that is gone, so are the replica's votes. */
	readonly bornAt: LogIndex;
	/** Below the data directory, what holds the machine's state: for messages about damage. */
	readonly statePath: string;
	/** Members start an election at once if it is true, they are the first voter, and the WAL knew nothing of them (birth of a group). The only voter of a group always does. */
	readonly campaignAtStart: boolean;
	/** All other groups need what this one decides: its elections wait for nobody's. */
	readonly standsFirst?: boolean;
}

export interface RaftGroupHandle {
	readonly rangeId: RangeId;
	readonly replicaId: ReplicaId;
	/** Undefined: not leader; nothing was proposed. It may still be lost: only `apply` tells. */
	propose(command: Uint8Array): { readonly index: LogIndex; readonly term: Term } | undefined;
	proposeConfiguration(
		change: ConfigurationChange,
	): { readonly index: LogIndex; readonly term: Term } | undefined;
	/** Resolves with the index to have applied, once a quorum round that began after the call has confirmed leadership. Rejects if leadership is lost. Calls of one tick share a round. */
	readIndex(): Promise<LogIndex>;
	/**
	 * Undefined: a large command may be proposed now. Else it resolves when it may: when this replica and the followers that are
	 * getting on have caught up, this replica leads no more, or it has waited long enough. `bytes`: of the command, about.
	 */
	admit(bytes: number): Promise<void> | undefined;
	transferLeadership(to: ReplicaId): void;
	/** Stands for election; while nobody leads, again for a while. */
	campaign(): void;
	/** Leader: followers are told at once what is committed, and not with the next entry. */
	announceCommit(): void;
	/**
	 * Somebody wants something of the group here: if it rests, its clock runs again, and a leader that is gone is noticed; if its turn to
	 * stand for election has not come, it does so now.
	 */
	wake(): void;
	/** It would stand for election, and has not had its turn: that it knows no leader says nothing. */
	readonly waitsToStand: boolean;
	/** It has no clock until something comes to it. */
	readonly isAtRest: boolean;
	/** 0: unknown. */
	readonly leader: ReplicaId;
	/** It has been at rest for long: its log goes, in the background, if it still rests then. */
	rest(): void;
	status(): RaftStatus;
	/**
	 * Stops the group (its replica was removed), and forgets its log once `recorded` resolves: when it is durable that the machine
	 * is no member. A replica that came back as a member without its log would have forgotten its votes.
	 */
	remove(recorded: Promise<void>): Promise<void>;
}

export interface RaftHostStatistics {
	readonly groups: number;
	readonly leaders: number;
	/** Groups that have a clock: the others rest. */
	readonly awake: number;
	/** Of those that rest, with an empty log: what is kept of them is little. */
	readonly folded: number;
	readonly snapshotsSent: number;
	readonly snapshotsReceived: number;
	readonly leaderChanges: number;
	/** In which groups of this node have stood, because they knew no leader. */
	readonly elections: number;
	readonly entriesApplied: number;
	/** Committed and not yet applied, of all groups. */
	readonly unappliedBytes: number;
	/** Large commands that had to wait for followers. */
	readonly writesDelayed: number;
}

export interface RaftHost {
	/** Restores the group from what the WAL recovered, or begins a new one. */
	addGroup(options: GroupOptions): RaftGroupHandle;
	group(rangeId: RangeId): RaftGroupHandle | undefined;
	/** Groups that the log names, with entries or a snapshot, and that nobody has added. */
	unclaimed(): readonly RangeId[];
	/** Forgets the log of a group that was being removed when the process before ended. */
	discard(rangeId: RangeId): Promise<void>;
	/**
	 * Called for messages of a leader, or of who would be one, to a replica that is not here, nor a later one of its range: the owner
	 * may create it (a new replica that will get a snapshot) and return true, or refuse. `to` is the replica id addressed.
	 */
	onUnknownGroup(
		handler: (rangeId: RangeId, to: ReplicaId, from: ReplicaId, fromNode: NodeId) => boolean,
	): void;
	/** All groups of a node that starts are here: the nodes of the others' replicas are asked which of them they lead. */
	findLeaders(): void;
	statistics(): RaftHostStatistics;
	close(): Promise<void>;
}
