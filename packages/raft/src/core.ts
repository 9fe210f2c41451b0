/**
 * The state of one group, shared by the files that implement its roles (`election.ts`, `leader.ts`, `follower.ts` ...).
 * Internal to this package: `group.ts` is what a driver sees.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { SparseMap } from "@quorate/keys/sparse-map";
import { isVoter, members } from "./configuration.ts";
import type { RaftOptions, RestoredState } from "./group.ts";
import { RaftLog } from "./log.ts";
import type { Progress } from "./progress.ts";
import { ReadRounds } from "./read-index.ts";
import type { Configuration, LogIndex, Message, Role, Term } from "./types.ts";

export const noReplica = 0 as ReplicaId;

/** What collects between two calls of `ready`. */
export interface Outbox {
	messages: Message[];
	messagesAfterSync: Message[];
	snapshotsWanted: { readonly to: ReplicaId }[];
	reads: { requestId: number; index: LogIndex }[];
	readsFailed: number[];
}

/** A leader was removed by a change that it inherited: its successors must know it first. */
export interface HiddenCommit {
	/** What is committed, the removal among it. */
	commit: LogIndex;
	/** Whoever has this entry durably knows so durably. */
	readonly sealIndex: LogIndex;
	/** Members after the change. */
	readonly stay: readonly ReplicaId[];
}

export class RaftCore {
	readonly options: RaftOptions;
	readonly self: ReplicaId;
	readonly log: RaftLog;
	readonly reads: ReadRounds;

	term: Term;
	vote: ReplicaId;
	role: Role = "follower";
	/** Leader of `term`, as far as known. */
	leader: ReplicaId = noReplica;
	configuration: Configuration;

	/** Ticks since the leader was heard from (follower), the attempt began (candidate), the quorum was checked (leader). */
	electionElapsed = 0;
	/** In [electionTicks, 2 * electionTicks), or a third of that in haste; drawn anew at every change of role. */
	electionTimeout = 0;
	heartbeatElapsed = 0;
	quiesced = false;
	/** For so many ticks still elections are in a hurry: the leader has probably died (`leaderLost`), or votes were split. */
	hasteTicks = 0;

	/** Since a leader was heard. */
	#wasInHaste = false;

	/** Answers to the election that this replica stands in. */
	readonly votes = new SparseMap<ReplicaId, boolean>();
	/** The election ignores leader leases: a transfer, or somebody knows that the leader's node died. */
	forced = false;
	/** The own vote of this candidacy is not yet durable, and so not yet counted. */
	selfVoteOpen = false;
	/** The write that makes it durable; 0 before it was handed out. */
	selfVoteSequence = 0;

	/** On a leader: all other members, by ascending id. */
	readonly progress = new SparseMap<ReplicaId, Progress>();
	/** On a leader: followers may be owed appends. */
	replicationDue = false;
	/** Index of the last configuration entry in a leader's log, at most; the next waits until it is applied. */
	pendingConfigurationIndex: LogIndex = 0;
	/** On a leader: first configuration entry that is not applied here; Infinity for none. See `membership.ts`. */
	unappliedChangeIndex: LogIndex = Number.POSITIVE_INFINITY;
	/** On a leader: who was removed and does not know it, and the index of the entry that did it. */
	departing: { readonly progress: Progress; readonly since: LogIndex }[] = [];
	/** The entry that must be committed before they may; 0 for none. */
	sealIndex: LogIndex = 0;
	/** On a leader whose own removal is committed: what it does not yet tell itself. See `membership.ts`. */
	hidden: HiddenCommit | undefined;
	/** On a follower: the acknowledgement that its leader gets once there is less to apply. See `follower.ts`. */
	owed: { readonly from: ReplicaId; readonly index: LogIndex } | undefined;
	/** Told to stand for election while a committed change of the configuration was not applied: stands when it is. */
	standsOnceApplied = false;
	/** To whom leadership is being transferred; proposals are refused meanwhile. */
	transferee: ReplicaId = noReplica;
	transferElapsed = 0;

	/** Undefined: nothing. */
	#outbox: Outbox | undefined;

	constructor(
		self: ReplicaId,
		options: RaftOptions,
		restored: RestoredState,
		reads = new ReadRounds(),
	) {
		const { hardState, snapshot, entries } = restored;
		this.reads = reads;
		this.options = options;
		this.self = self;
		this.term = hardState.term;
		this.vote = hardState.vote;
		this.log = new RaftLog(snapshot, entries, restored.applied, hardState.commit);
		this.configuration = restored.configuration;
		assert(
			this.log.lastTerm <= this.term,
			() => `the log's last term ${this.log.lastTerm} is above the current ${this.term}`,
		);
		this.#drawTimeout();
	}

	/** Whether this replica may stand in elections. */
	get isPromotable(): boolean {
		return isVoter(this.configuration, this.self);
	}

	/** It holds nothing, not even what the group was born with, which no entry tells. */
	get awaitsSnapshot(): boolean {
		return this.log.commit === 0 && members(this.configuration).length === 0;
	}

	/** A leader that was removed leads on until its successors can do without it. */
	get isRetired(): boolean {
		return this.role === "leader" && !this.isPromotable;
	}

	get takesProposals(): boolean {
		const isFree = this.transferee === noReplica && this.hidden === undefined;
		return this.role === "leader" && isFree && !this.isRetired;
	}

	/** The commit index as a follower may know it. */
	commitToTell(replica: ReplicaId): LogIndex {
		if (this.hidden?.stay.includes(replica)) return this.hidden.commit;
		return Math.min(this.log.commit, this.unappliedChangeIndex - 1);
	}

	/** A follower that hears from its leader, or a leader: elections are not its business (thesis, section 4.2.3). */
	get isInLease(): boolean {
		return this.leader !== noReplica && this.electionElapsed < this.options.electionTicks;
	}

	get outbox(): Outbox {
		this.#outbox ??= emptyOutbox();
		return this.#outbox;
	}

	takeOutbox(): Outbox {
		const taken = this.#outbox;
		this.#outbox = undefined;
		return taken ?? emptyOutbox();
	}

	get hasOutput(): boolean {
		const outbox = this.#outbox;
		return (
			outbox !== undefined &&
			(outbox.messages.length > 0 ||
				outbox.messagesAfterSync.length > 0 ||
				outbox.reads.length > 0 ||
				outbox.readsFailed.length > 0 ||
				outbox.snapshotsWanted.length > 0)
		);
	}

	send(message: Message): void {
		this.outbox.messages.push(message);
	}

	sendAfterSync(message: Message): void {
		this.outbox.messagesAfterSync.push(message);
	}

	becomeFollower(term: Term, leader: ReplicaId): void {
		if (leader !== noReplica) {
			this.hasteTicks = 0;
			this.#wasInHaste = false;
		}
		this.#reset(term);
		this.role = "follower";
		this.leader = leader;
	}

	becomePreCandidate(): void {
		assert(this.role !== "leader", "a leader does not stand for election");
		this.#reset(this.term);
		this.role = "pre-candidate";
	}

	becomeCandidate(): void {
		assert(this.role !== "leader", "a leader does not stand for election");
		// A majority has heard of no leader for long enough. Should their votes be split, nobody needs to wait for so long again. Once only: where
		// answers take long, haste elects nobody.
		if (!this.#wasInHaste) this.hasteTicks = 2 * this.options.electionTicks;
		this.#wasInHaste = true;
		this.#reset(this.term + 1);
		this.role = "candidate";
		this.vote = this.self;
		this.selfVoteOpen = true;
	}

	becomeLeader(): void {
		assert(this.role === "candidate", "only a candidate becomes leader");
		assert(this.vote === this.self, "a leader has its own vote");
		this.hasteTicks = 0;
		this.#reset(this.term);
		this.role = "leader";
		this.leader = this.self;
		this.#wasInHaste = false;
	}

	#reset(term: Term): void {
		assert(term >= this.term, () => `terms rise: ${term} after ${this.term}`);
		if (term !== this.term) {
			this.term = term;
			this.vote = noReplica;
		}
		this.leader = noReplica;
		this.electionElapsed = 0;
		this.heartbeatElapsed = 0;
		this.#drawTimeout();
		this.quiesced = false;
		this.votes.clear();
		this.selfVoteOpen = false;
		this.selfVoteSequence = 0;
		this.progress.clear();
		this.replicationDue = false;
		this.transferee = noReplica;
		this.unappliedChangeIndex = Number.POSITIVE_INFINITY;
		this.departing = [];
		this.sealIndex = 0;
		this.hidden = undefined;
		this.standsOnceApplied = false;
		this.owed = undefined;
		if (!this.reads.isIdle) this.reads.fail(this.outbox.readsFailed);
	}

	/** Elections are in a hurry for a while, until a leader is heard. */
	hasten(): void {
		this.hasteTicks = 2 * this.options.electionTicks;
		this.#wasInHaste = true;
		this.electionElapsed = 0;
		this.#drawTimeout();
	}

	/** A leader is heard: there is no hurry. */
	calmDown(): void {
		this.#wasInHaste = false;
		if (this.hasteTicks === 0) return;
		this.hasteTicks = 0;
		this.#drawTimeout();
	}

	#drawTimeout(): void {
		const { electionTicks } = this.options;
		const ticks = this.hasteTicks > 0 ? Math.ceil(electionTicks / 3) : electionTicks;
		this.electionTimeout = ticks + Math.floor(this.options.random() * ticks);
	}
}

export const emptyOutbox = (): Outbox => ({
	messages: [],
	messagesAfterSync: [],
	snapshotsWanted: [],
	reads: [],
	readsFailed: [],
});
