/**
 * TO BE REPLACED by the implementation: the signatures below are the contract with the driver in `packages/replica`.
 */
import type { ReplicaId } from "@quorate/keys/ids";
import type {
	Configuration,
	ConfigurationChange,
	Entry,
	HardState,
	LogIndex,
	Message,
	Ready,
	Role,
	SnapshotMetadata,
	Term,
} from "./types.ts";

export interface RaftOptions {
	readonly self: ReplicaId;
	/** Ticks without a leader before a pre-vote; randomised to [n, 2n). */
	readonly electionTicks: number;
	readonly heartbeatTicks: number;
	/** Bytes of entries in one append message. */
	readonly appendBytesMax: number;
	/** Append messages in flight to one follower. */
	readonly inflightMax: number;
	/** In [0, 1): the only randomness. */
	readonly random: () => number;
}

export interface RestoredState {
	readonly hardState: HardState;
	/** The state machine's snapshot that the log starts after; index 0 for a new group, with its first configuration. */
	readonly snapshot: SnapshotMetadata;
	/** Contiguous, from snapshot.index + 1. */
	readonly entries: readonly Entry[];
	/** The state machine has applied up to here: `committed` continues after it. */
	readonly applied: LogIndex;
	/** Configuration as of `applied`. Entries above it that change it are applied through `committed`. */
	readonly configuration: Configuration;
}

export interface RaftStatus {
	readonly role: Role;
	readonly term: Term;
	/** 0: unknown. */
	readonly leader: ReplicaId;
	readonly commit: LogIndex;
	readonly applied: LogIndex;
	readonly firstIndex: LogIndex;
	readonly lastIndex: LogIndex;
	readonly configuration: Configuration;
	readonly quiesced: boolean;
	/** On a leader: what each other member has. */
	readonly progress: readonly {
		readonly replica: ReplicaId;
		readonly match: LogIndex;
		readonly state: "probe" | "replicate" | "snapshot";
		readonly recentlyActive: boolean;
	}[];
}

export declare class RaftGroup {
	constructor(options: RaftOptions, restored: RestoredState);
	/** One unit of time: elections, heartbeats, check-quorum. Does nothing while quiesced. */
	tick(): void;
	step(message: Message): void;
	/** Leader only. Undefined: not leader, or leadership is being transferred: nothing was appended. */
	propose(data: Uint8Array): { readonly index: LogIndex; readonly term: Term } | undefined;
	proposeConfiguration(
		change: ConfigurationChange,
	): { readonly index: LogIndex; readonly term: Term } | undefined;
	/** Leader only; confirmed through `Ready.reads` by a heartbeat round that begins after this call. False: refused. */
	readIndex(requestId: number): boolean;
	transferLeadership(to: ReplicaId): void;
	/** Starts a pre-vote at once (a new single-member group, or a quiesced follower whose leader's node died). */
	campaign(): void;
	/** Leader: if all members match, nothing is in flight: tells the followers to stop their timers and stops its own. */
	quiesce(): boolean;
	/** Ends quiescence; proposals, messages and `campaign` do so too. */
	wake(): void;
	hasReady(): boolean;
	/** Takes what there is to do. May be called again before an earlier one is synced (pipelining). */
	ready(): Ready;
	/** Everything up to `index` of `term` that `ready` gave is synced: it counts for the quorum. */
	synced(index: LogIndex, term: Term): void;
	/** `committed` up to here was applied. A configuration entry is reported with the result of `applyConfiguration`. */
	applied(index: LogIndex): void;
	/** To be called when a configuration entry of `committed` is applied; returns the new configuration. */
	applyConfiguration(change: ConfigurationChange): Configuration;
	/** The state machine now is this snapshot (received and durable); the log starts after it. Followed by stepping the message. */
	restore(metadata: SnapshotMetadata): void;
	/** Ends `snapshot` progress of a follower: `ok` false probes and wants another. */
	snapshotSent(to: ReplicaId, ok: boolean): void;
	/** The peer's connection was lost: back to probing. */
	unreachable(to: ReplicaId): void;
	/** Forgets entries up to `index`, which must be applied. Followers behind it will want a snapshot. */
	compact(index: LogIndex): void;
	/** Entries in [from, to), for the driver's bookkeeping. */
	entry(index: LogIndex): Entry | undefined;
	status(): RaftStatus;
}
