/**
 * Raft for one group, after Ongaro's thesis: a state machine without network, disk, clock or randomness of its own.
 *
 * A driver feeds it messages (`step`), time (`tick`) and proposals, then takes from it what there is to do (`ready`): a
 * write for the log on disk, messages, entries to apply. The driver may take the next `ready` before the last write is
 * synced; it reports each sync (`synced`) and what it has applied (`applied`). Writes are made in the order in which they
 * were taken.
 *
 * 1. At most one leader in a term: a vote is durable before it is sent, the candidate's own before it is counted.
 * 2. A leader only appends; a follower replaces entries only where its log contradicts its leader's, and never a committed
 *    one.
 * 3. Two logs that hold an entry of the same index and term are the same up to there: an append names the entry before it.
 * 4. A leader commits an entry of its own term once a quorum has it on disk; entries before it go with it. Its own disk is
 *    one of the quorum, so it need not be the first: appends leave before the leader's own sync.
 * 5. A committed entry is in the log of every later leader: who votes has compared the ends of the logs.
 * 6. A configuration counts from when it is applied, changes come one at a time (`membership.ts`), several at once go
 *    through a joint configuration that needs both majorities.
 * 7. A read index is given only when a quorum has answered a round that began after the request (`read-index.ts`); no clock
 *    is trusted. Leases (pre-vote, check-quorum) serve quiet, never safety.
 *
 *
 * What a group keeps is bounded: a leader sends no more than a window ahead of a follower's acknowledgements, a follower with
 * much to apply holds these back, `backlogBytes` tells the driver when to hold back proposals, and at a bound they are refused.
 *
 * Left out: snapshots travel outside of messages.
 * Followers refuse proposals instead of forwarding them: who was refused knows that nothing was appended.
 *
 * What holds it to that: the scenarios of `testdata/raft`, random walks, and `testing/model`, which explores every interleaving of
 * bounded cases.
 *
 * May import: `keys/assert`, `keys/sparse-map`, ids and mutations. Compiles without any library but the language's own.
 *
 * Read on: `types.ts`, `step.ts`, `election.ts`, `leader.ts`, `follower.ts`, `log.ts`, `folding.ts`.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import type { Mutations } from "@quorate/keys/mutations";
import { RaftCore } from "./core.ts";
import { campaign, leaderLost, selfVoteSynced } from "./election.ts";
import { type FoldedCore, fold, unfold } from "./folding.ts";
import { payOwed } from "./follower.ts";
import {
	acknowledge,
	advanceCommit,
	append,
	backlogBytes,
	beginReadRound,
	canRead,
	ownBacklogBytes,
	retryReads,
	tickLeader,
	transferLeadership,
} from "./leader.ts";
import { applyConfiguration, finishChange, proposeConfiguration } from "./membership.ts";
import { greet, quiesce, wake } from "./quiescence.ts";
import { replicate, tellCommit } from "./replication.ts";
import { step } from "./step.ts";
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

/** Bytes of committed entries that one `ready` hands out (the last may go over it): bounds how long the driver applies in one go. */
const committedBytesMax = 128 << 10;

/** The same for all groups of a node. */
export interface RaftOptions {
	/** Ticks without a leader before a pre-vote; randomised to [n, 2n). */
	readonly electionTicks: number;
	readonly heartbeatTicks: number;
	/** Bytes of entries in one append message. */
	readonly appendBytesMax: number;
	/** Append messages in flight to one follower. */
	readonly inflightMax: number;
	/** Bytes of entries in flight to one follower; the last message may go over it. */
	readonly inflightBytesMax: number;
	/** A leader that has so much in its log and not on its disk, or not applied, takes no more: without it, a quorum that is slow would be one that is drowned. */
	readonly backlogBytesMax: number;
	/** A follower with more committed bytes to apply acknowledges no append before it has fewer. */
	readonly unappliedBytesMax: number;
	/** In [0, 1): the only randomness. */
	readonly random: () => number;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
}

export interface RestoredState {
	readonly hardState: HardState;
	/**
	 * The state machine's snapshot that the log starts after: what the group was born with, or index 0 and no members for a
	 * replica that waits for its first snapshot.
	 */
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

export class RaftGroup {
	/** Undefined: it is folded. */
	#unfolded: RaftCore | undefined;
	#folded: FoldedCore | undefined;
	/** Last one handed out to be written. */
	#hardState: HardState;
	#sequence = 0;

	constructor(self: ReplicaId, options: RaftOptions, restored: RestoredState) {
		this.#unfolded = new RaftCore(self, options, restored);
		this.#hardState = restored.hardState;
	}

	get #core(): RaftCore {
		if (this.#unfolded === undefined) {
			this.#unfolded = unfold(this.#folded!, this.#hardState);
			this.#folded = undefined;
		}
		return this.#unfolded;
	}

	/** If it rests and its log is empty, little of it is kept (`folding.ts`): until it is used again, it is the same as before. */
	fold(): void {
		if (this.#unfolded === undefined || this.hasReady()) return;
		this.#folded = fold(this.#unfolded);
		if (this.#folded !== undefined) this.#unfolded = undefined;
	}

	get isFolded(): boolean {
		return this.#folded !== undefined;
	}

	get role(): Role {
		return (this.#folded ?? this.#core).role;
	}

	get term(): Term {
		return this.#folded === undefined ? this.#core.term : this.#hardState.term;
	}

	/** 0: unknown. */
	get leader(): ReplicaId {
		return (this.#folded ?? this.#core).leader;
	}

	get configuration(): Configuration {
		return (this.#folded ?? this.#core).configuration;
	}

	get isQuiesced(): boolean {
		return this.#folded !== undefined || this.#core.quiesced;
	}

	get commit(): LogIndex {
		return this.#folded?.index ?? this.#core.log.commit;
	}

	get applied(): LogIndex {
		return this.#folded?.index ?? this.#core.log.applied;
	}

	/**
	 * One unit of time: elections, heartbeats, check-quorum. Does nothing while quiesced. Not `mayStand`: a replica that has not heard of
	 * a leader for long enough only believes in none any more, and stands when the driver says so (`stand`). `isLate`: a heartbeat was due before, for
	 * the driver had no turn; nobody else's silence counts for more than one.
	 */
	tick(mayStand = true, isLate = false): void {
		if (this.isQuiesced) return;
		const core = this.#core;
		if (core.role === "leader") {
			tickLeader(core, isLate);
			return;
		}
		core.electionElapsed++;
		if (core.hasteTicks > 0) core.hasteTicks--;
		if (core.electionElapsed < core.electionTimeout) return;
		if (mayStand && core.isPromotable) {
			this.stand();
			return;
		}
		// It does not stand now, or ever, but must not believe for ever in a leader that may have removed it.
		core.leader = 0 as ReplicaId;
	}

	/** It has not heard of a leader for so long that it would stand for election. */
	get isDue(): boolean {
		if (this.isQuiesced) return false;
		const { role, electionElapsed, electionTimeout, isPromotable } = this.#core;
		const isOver = role !== "leader" && electionElapsed >= electionTimeout;
		return isOver && isPromotable;
	}

	/** Stands for election, if it is due. */
	stand(): void {
		if (!this.isDue) return;
		this.#core.electionElapsed = 0;
		campaign(this.#core, "pre-vote", false);
	}

	step(message: Message): void {
		step(this.#core, message);
	}

	/** Leader only. Undefined: not leader, leadership is being transferred, or the log is too far ahead: nothing was appended. */
	propose(data: Uint8Array): { readonly index: LogIndex; readonly term: Term } | undefined {
		if (!this.#core.takesProposals) return undefined;
		if (ownBacklogBytes(this.#core) >= this.#core.options.backlogBytesMax) return undefined;
		wake(this.#core);
		return append(this.#core, { kind: "command", data });
	}

	/** Undefined also while another change is not yet applied here, or where the change makes no sense. */
	proposeConfiguration(
		change: ConfigurationChange,
	): { readonly index: LogIndex; readonly term: Term } | undefined {
		wake(this.#core);
		return proposeConfiguration(this.#core, change);
	}

	/** Leader only; confirmed through `Ready.reads` by a heartbeat round that begins after this call. False: refused. */
	readIndex(requestId: number): boolean {
		if (this.#core.role !== "leader") return false;
		wake(this.#core);
		this.#core.reads.add(requestId);
		return true;
	}

	transferLeadership(to: ReplicaId): void {
		wake(this.#core);
		transferLeadership(this.#core, to);
	}

	/** Starts a pre-vote at once (a new group). It ignores the leases of followers that still believe in a leader. */
	campaign(): void {
		wake(this.#core);
		campaign(this.#core, "pre-vote", true);
	}

	/** The connection to the leader's node was lost: if nothing is heard from it soon, this replica stands for election. */
	leaderLost(): void {
		leaderLost(this.#core);
	}

	/**
	 * Leader: if all members match but those that are gone, and nothing is in flight: tells the followers to stop their timers and stops
	 * its own. To be woken when one of those is heard of again.
	 */
	quiesce(isGone: (member: ReplicaId) => boolean = () => false): boolean {
		return quiesce(this.#core, isGone);
	}

	/** Leader at rest: a follower has lost sight of it, and may rest again. */
	greet(to: ReplicaId): void {
		greet(this.#core, to);
	}

	/** Ends quiescence; proposals, messages and `campaign` do so too. */
	wake(): void {
		wake(this.#core);
	}

	/** Leader: asks all followers for the answers that a read round still waits for. The driver's to call: a tick is long. */
	retryReads(): void {
		retryReads(this.#core);
	}

	/** Leader: tells the followers of what is committed now, instead of with the next append or tick. */
	announceCommit(): void {
		if (this.#core.role === "leader") tellCommit(this.#core);
	}

	/** Leader: how far it, and the followers that are getting on, are behind its log, in bytes. See `backlogBytes`. */
	get backlogBytes(): number {
		return this.#core.role === "leader" ? backlogBytes(this.#core) : 0;
	}

	/** Committed and not applied. */
	get unappliedBytes(): number {
		return this.isFolded ? 0 : this.#core.log.unappliedBytes;
	}

	/** Entries in memory. */
	get entryCount(): number {
		return this.isFolded ? 0 : this.#core.log.lastIndex + 1 - this.#core.log.firstIndex;
	}

	hasReady(): boolean {
		return this.hasCommitted || this.hasReadyBesideCommitted();
	}

	/** Entries are committed that nobody has taken. */
	get hasCommitted(): boolean {
		return !this.isFolded && this.#core.log.hasCommitted;
	}

	/** For a driver that applies nothing at the moment. */
	hasReadyBesideCommitted(): boolean {
		if (this.isFolded) return false;
		const core = this.#core;
		return (
			core.hasOutput ||
			core.log.hasUnhanded ||
			core.replicationDue ||
			core.term !== this.#hardState.term ||
			core.vote !== this.#hardState.vote ||
			(core.role === "leader" && core.reads.hasWaiting && canRead(core))
		);
	}

	/**
	 * Takes what there is to do. May be called again before an earlier one is synced (pipelining). Without committed entries
	 * where their turn comes later (`takeCommitted`).
	 */
	ready(takesCommitted = true): Ready {
		const core = this.#core;
		if (core.role === "leader") {
			beginReadRound(core);
			replicate(core);
		}
		const sequence = ++this.#sequence;
		const entries = core.log.hasUnhanded ? core.log.takeUnhanded(sequence) : [];
		const hardState = this.#takeHardState(entries.length > 0);
		if (hardState !== undefined && core.selfVoteOpen && core.selfVoteSequence === 0) {
			core.selfVoteSequence = sequence;
		}
		const outbox = core.takeOutbox();
		return {
			sequence,
			hardState,
			entries,
			mustSync: hardState !== undefined || entries.length > 0,
			committed: takesCommitted ? core.log.takeCommitted(committedBytesMax) : [],
			...outbox,
		};
	}

	/** The next committed entries, which `ready` was told not to take. */
	takeCommitted(): readonly Entry[] {
		return this.#core.log.takeCommitted(committedBytesMax);
	}

	/**
	 * The commit index goes to disk only beside something else: on its own it is not worth a write. Beside entries it must
	 * (`membership.ts`).
	 */
	#takeHardState(besideEntries: boolean): HardState | undefined {
		const { term, vote, log } = this.#core;
		const old = this.#hardState;
		assert(term >= old.term && log.commit >= 0, "terms rise");
		const changed = term !== old.term || vote !== old.vote;
		if (!changed && !(besideEntries && log.commit !== old.commit)) return undefined;
		this.#hardState = { term, vote, commit: log.commit };
		return this.#hardState;
	}

	/** The write of the `ready` of that sequence, and all before it, are synced: its entries count for the quorum. */
	synced(sequence: number): void {
		const core = this.#core;
		assert(sequence <= this.#sequence, "only what was handed out is synced");
		core.log.synced(sequence);
		if (core.selfVoteSequence !== 0 && core.selfVoteSequence <= sequence) selfVoteSynced(core);
		if (core.role === "leader") advanceCommit(core);
	}

	/**
	 * `committed` up to here was applied. A configuration entry is reported with the result of `applyConfiguration`.
	 * `handsBack`: what else was handed out was not, and is to be handed out again.
	 */
	reportApplied(index: LogIndex, handsBack = false): void {
		const core = this.#core;
		core.log.appliedTo(index, handsBack);
		finishChange(core);
		payOwed(core);
		if (core.standsOnceApplied && !core.log.hasCommitted) {
			core.standsOnceApplied = false;
			campaign(core, "vote", true);
		}
	}

	/** To be called when a configuration entry of `committed` is applied; returns the new configuration. */
	applyConfiguration(change: ConfigurationChange): Configuration {
		return applyConfiguration(this.#core, change);
	}

	/**
	 * The state machine now is this snapshot, received and durable; the log starts after it. Entries that follow it stay if
	 * the log holds its last entry. Followed by stepping the message. Must not be called with an index below `applied`.
	 */
	restore(metadata: SnapshotMetadata): void {
		const core = this.#core;
		assert(
			core.role !== "leader" || core.log.term(metadata.index) === metadata.term,
			"a leader has it all",
		);
		core.log.restore(metadata);
		core.configuration = metadata.configuration;
	}

	/** Ends `snapshot` progress of a follower: it holds `index` durably, or, `ok` false, wants another after a while. */
	snapshotSent(to: ReplicaId, ok: boolean, index: LogIndex): void {
		const progress = this.#core.progress.get(to);
		if (progress === undefined || progress.state !== "snapshot") return;
		if (ok) acknowledge(this.#core, progress, index);
		if (progress.state === "snapshot") progress.pauseProbing();
	}

	/** The peer's connection was lost: back to probing. Of what is folded nothing was on its way. */
	unreachable(to: ReplicaId): void {
		if (this.isFolded) return;
		const progress = this.#core.progress.get(to);
		if (progress?.state === "replicate") progress.pauseProbing();
	}

	/** Forgets entries up to `index`, which must be applied. Followers behind it will want a snapshot. */
	compact(index: LogIndex): void {
		this.#core.log.compact(index);
	}

	/** For the driver's bookkeeping. */
	entry(index: LogIndex): Entry | undefined {
		return this.#core.log.entry(index);
	}

	/** Also of the entry before the first; undefined where neither is here. */
	termOf(index: LogIndex): Term | undefined {
		return this.#core.log.term(index);
	}

	/**
	 * All that decides what this group does next, once all its writes are synced, as plain data: two groups with equal dumps
	 * behave alike. For whoever explores states.
	 */
	dump(): unknown {
		const { options, log, reads, progress, departing, votes, ...rest } = this.#core;
		return {
			...rest,
			outbox: this.#core.outbox,
			hardState: this.#hardState,
			votes: [...votes].sort(([a], [b]) => a - b),
			progress: [...progress.values()].map((p) => p.dump()),
			departing: departing.map((d) => ({ ...d, progress: d.progress.dump() })),
			log: log.dump(),
			reads: reads.dump(),
		};
	}

	status(): RaftStatus {
		// To be looked at is no use.
		const core = this.#folded ? unfold(this.#folded, this.#hardState) : this.#core;
		return {
			role: core.role,
			term: core.term,
			leader: core.leader,
			commit: core.log.commit,
			applied: core.log.applied,
			firstIndex: core.log.firstIndex,
			lastIndex: core.log.lastIndex,
			configuration: core.configuration,
			quiesced: core.quiesced,
			progress: [...core.progress.values()].map(({ replica, match, state, recentlyActive }) => ({
				replica,
				match,
				state,
				recentlyActive,
			})),
		};
	}
}
