/** The shapes that go in and out of a Raft group. Plain data: they are encoded by the layer that sends them. */
import type { ReplicaId } from "@quorate/keys/ids";

/** 1-based position in the log; 0 is before the first entry. */
export type LogIndex = number;
/** Election term; 0 before the first. */
export type Term = number;

/** A joint configuration while `outgoing` is not empty: both majorities are needed. */
export interface Configuration {
	readonly voters: readonly ReplicaId[];
	readonly outgoing: readonly ReplicaId[];
	readonly learners: readonly ReplicaId[];
	/** Voters of `outgoing` that become learners when the joint phase ends. */
	readonly learnersNext: readonly ReplicaId[];
}

export interface ConfigurationChange {
	readonly changes: readonly {
		readonly kind: "add-voter" | "add-learner" | "remove";
		readonly replica: ReplicaId;
	}[];
	/** Set on the entry that leaves a joint configuration; `changes` is empty then. */
	readonly leave?: boolean;
	/** Opaque to Raft: what the state machine needs to apply the change (addresses, descriptor). */
	readonly context: Uint8Array;
}

export type EntryPayload =
	/** The first entry of a new leader's term. */
	| { readonly kind: "empty" }
	| { readonly kind: "command"; readonly data: Uint8Array }
	| { readonly kind: "configuration"; readonly change: ConfigurationChange };

export interface Entry {
	readonly index: LogIndex;
	readonly term: Term;
	readonly payload: EntryPayload;
}

/** Must be durable before any message that depends on it is sent. */
export interface HardState {
	readonly term: Term;
	/** 0: none in this term. */
	readonly vote: ReplicaId;
	/** Only a hint: may lag. */
	readonly commit: LogIndex;
}

export interface SnapshotMetadata {
	readonly index: LogIndex;
	readonly term: Term;
	readonly configuration: Configuration;
}

interface MessageBase {
	readonly from: ReplicaId;
	readonly to: ReplicaId;
	readonly term: Term;
}

export type Message = MessageBase &
	(
		| {
				readonly kind: "pre-vote";
				readonly lastIndex: LogIndex;
				readonly lastTerm: Term;
				readonly force: boolean;
				/** A committed entry: lets whoever holds it learn of a change of the configuration that it missed. */
				readonly commit: LogIndex;
				readonly commitTerm: Term;
		  }
		| {
				readonly kind: "pre-vote-response";
				readonly granted: boolean;
				/** As in the request. */
				readonly commit: LogIndex;
				readonly commitTerm: Term;
		  }
		/** `force`: leadership transfer, ignores the leader lease of check-quorum. */
		| {
				readonly kind: "vote";
				readonly lastIndex: LogIndex;
				readonly lastTerm: Term;
				readonly force: boolean;
		  }
		| { readonly kind: "vote-response"; readonly granted: boolean }
		| {
				readonly kind: "append";
				readonly previousIndex: LogIndex;
				readonly previousTerm: Term;
				readonly entries: readonly Entry[];
				readonly commit: LogIndex;
		  }
		| {
				readonly kind: "append-response";
				/** Accepted: the last index that is durable and matches. Rejected: the previousIndex that was refused. */
				readonly index: LogIndex;
				readonly rejected: boolean;
				/** Where the leader should look next after a rejection (term-skipping hint). */
				readonly hintIndex: LogIndex;
				readonly hintTerm: Term;
		  }
		/** `context` rises; a quorum of equal or higher contexts answers a read-index. `quiesce`: the follower may stop its timer. */
		| {
				readonly kind: "heartbeat";
				readonly commit: LogIndex;
				readonly context: number;
				readonly quiesce: boolean;
		  }
		| { readonly kind: "heartbeat-response"; readonly context: number }
		/** The data travels outside Raft in chunks; the receiver steps this when all of it has arrived and is durable. */
		| { readonly kind: "snapshot"; readonly metadata: SnapshotMetadata }
		| { readonly kind: "timeout-now" }
	);

export type Role = "follower" | "pre-candidate" | "candidate" | "leader";

/** What the driver must do, in this order; see `RaftGroup.ready`. */
export interface Ready {
	/** Names this write; to be passed to `synced`. Rises. */
	readonly sequence: number;
	/** Write and sync before sending `messagesAfterSync`. Undefined: nothing that must be kept has changed. */
	readonly hardState: HardState | undefined;
	/** Append and sync; entries at or above the first one's index that are in the log already are replaced. */
	readonly entries: readonly Entry[];
	/** False: there is nothing to write. */
	readonly mustSync: boolean;
	/** May be sent at once, before the sync (a leader's appends: its own fsync runs beside the followers'). */
	readonly messages: readonly Message[];
	/**
	 * To be sent only after the sync (votes, acknowledgements): of this write, and where there is none, of the last before
	 * it, which may still be under way.
	 */
	readonly messagesAfterSync: readonly Message[];
	/** To apply, in order. Committed; on a leader possibly before its own sync has ended. */
	readonly committed: readonly Entry[];
	/** Followers that need a snapshot: send it outside of Raft, then call `snapshotSent`. */
	readonly snapshotsWanted: readonly { readonly to: ReplicaId }[];
	/** Read-index requests that a quorum has confirmed: serve once `index` is applied. */
	readonly reads: readonly { readonly requestId: number; readonly index: LogIndex }[];
	/** Read-index requests that will not be answered here (leadership was lost). */
	readonly readsFailed: readonly number[];
}
