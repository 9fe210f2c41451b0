/**
 * What a leader does: it appends, counts who has what, and commits. It commits by counting only entries of its own term
 * (Raft paper, section 5.4.2 and figure 8); those before are committed with them.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { members } from "./configuration.ts";
import { noReplica, type RaftCore } from "./core.ts";
import {
	breakSeal,
	departingAcknowledged,
	findUnappliedChange,
	finishChange,
	hideOwnRemoval,
} from "./membership.ts";
import { Progress } from "./progress.ts";
import { majority, quorumValue } from "./quorum.ts";
import { sendHeartbeat, sendHeartbeats, tellCommit, wantSnapshot } from "./replication.ts";
import type { Entry, EntryPayload, LogIndex, Message } from "./types.ts";

export function startLeading(core: RaftCore): void {
	core.becomeLeader();
	// Some entry that is in the log and not applied may change the configuration: the next change waits for all of them.
	core.pendingConfigurationIndex = core.log.lastIndex;
	core.unappliedChangeIndex = findUnappliedChange(core, core.log.applied);
	followMembers(core);
	append(core, { kind: "empty" });
}

/** Brings the table of followers in line with the configuration. */
export function followMembers(core: RaftCore): void {
	const before = new Map(core.progress);
	core.progress.clear();
	for (const replica of members(core.configuration)) {
		if (replica === core.self) continue;
		let progress = before.get(replica);
		if (progress === undefined) {
			progress = new Progress(replica, core.log.lastIndex + 1, core.options);
			// What it has is found out at once.
			progress.probeDue = true;
		}
		core.progress.set(replica, progress);
	}
	core.replicationDue = true;
}

/** The entry goes out, and to the disk, with the next `ready`: all that is proposed until then travels together. */
export function append(core: RaftCore, payload: EntryPayload): Entry {
	assert(core.role === "leader", "only a leader appends");
	const entry = core.log.appendOwn(core.term, payload);
	core.replicationDue = true;
	return entry;
}

/** Commits what a quorum has on disk. This replica's own disk counts like any other, no sooner. */
export function advanceCommit(core: RaftCore): void {
	const reached = (replica: ReplicaId): LogIndex =>
		replica === core.self ? core.log.durable : (core.progress.get(replica)?.match ?? 0);
	const index = mutatedQuorum(core, reached) ?? quorumValue(core.configuration, reached);
	if (index <= core.log.commit) return;
	const isOwn = core.log.term(index) === core.term;
	if (!isOwn && core.options.mutations?.withoutCommitTermCheck !== true) return;
	if (hideOwnRemoval(core, index)) return;
	core.log.commitTo(index);
	breakSeal(core);
}

/** Undefined without a mutation. */
function mutatedQuorum(
	{ self, configuration, options: { mutations } }: RaftCore,
	reached: (replica: ReplicaId) => LogIndex,
): LogIndex | undefined {
	if (mutations?.withoutQuorum === true) return reached(self);
	if (mutations?.learnersCount !== true || configuration.outgoing.length > 0) return undefined;
	const { voters, learners } = configuration;
	const values = [...voters, ...learners].map(reached).sort((a, b) => b - a);
	return values[majority(voters.length) - 1];
}

export function tickLeader(core: RaftCore, isLate: boolean): void {
	core.electionElapsed++;
	core.heartbeatElapsed++;
	if (core.transferee !== noReplica && ++core.transferElapsed >= core.options.electionTicks) {
		// It did not take over in time. Should it still win, its higher term decides.
		core.transferee = noReplica;
	}
	finishChange(core);
	for (const progress of core.progress.values()) progress.tick(core.log.lastIndex);
	if (core.electionElapsed >= core.options.electionTicks) {
		core.electionElapsed = 0;
		if (!hasActiveQuorum(core)) {
			core.becomeFollower(core.term, noReplica);
			return;
		}
		for (const progress of core.progress.values()) progress.recentlyActive = false;
	}
	if (isLate || core.heartbeatElapsed >= core.options.heartbeatTicks) {
		core.heartbeatElapsed = 0;
		sendHeartbeats(core);
	} else {
		tellCommit(core);
	}
}

/** Bytes at the end of the log that this replica has not on its disk, or has not applied. */
export function ownBacklogBytes({ log }: RaftCore): number {
	return log.bytesBetween(Math.min(log.applied, log.durable), log.lastIndex);
}

/**
 * The same, counting also what a follower has not acknowledged that is getting on. One that is away, or has acknowledged nothing
 * for as long as a leader may be silent, holds up nobody: a quorum does without it.
 */
export function backlogBytes(core: RaftCore): number {
	let index = Math.min(core.log.applied, core.log.durable);
	for (const { state, match, quietTicks } of core.progress.values()) {
		const getsOn = state === "replicate" && quietTicks < core.options.electionTicks;
		if (getsOn && match < index) index = match;
	}
	return core.log.bytesBetween(index, core.log.lastIndex);
}

/** A leader that no quorum answers steps down: its clients are better served by an error than by silence. */
function hasActiveQuorum(core: RaftCore): boolean {
	const active = (replica: ReplicaId): number =>
		replica === core.self || core.progress.get(replica)?.recentlyActive === true ? 1 : 0;
	return quorumValue(core.configuration, active) === 1;
}

export function handleAppendResponse(
	core: RaftCore,
	message: Message & { kind: "append-response" },
): void {
	const progress = core.progress.get(message.from);
	if (progress === undefined) {
		if (!message.rejected) departingAcknowledged(core, message.from, message.index);
		return;
	}
	progress.recentlyActive = true;
	core.replicationDue = true;
	if (message.rejected && message.index === 0) {
		// Every log agrees on where it begins: what is missing there is the state that the group was born with.
		if (progress.state === "probe" && progress.match === 0) wantSnapshot(core, progress);
		return;
	}
	if (message.rejected) {
		const hint = core.log.lastAtOrBelowTerm(message.hintIndex, message.hintTerm);
		progress.rejected(message.index, hint);
		return;
	}
	acknowledge(core, progress, message.index);
}

/** A follower has durably all up to `index`, as we do. */
export function acknowledge(core: RaftCore, progress: Progress, index: number): void {
	assert(
		index <= core.log.lastIndex,
		() =>
			`replica ${progress.replica} acknowledged ${index}, the log ends at ${core.log.lastIndex}`,
	);
	core.replicationDue = true;
	if (progress.accepted(index, core.log.firstIndex)) advanceCommit(core);
	if (core.transferee === progress.replica) handOver(core);
}

export function handleHeartbeatResponse(
	core: RaftCore,
	message: Message & { kind: "heartbeat-response" },
): void {
	const progress = core.progress.get(message.from);
	if (progress === undefined) return;
	progress.heard(core.log.lastIndex);
	if (progress.probeDue) core.replicationDue = true;
	if (message.context > progress.readContext) {
		progress.readContext = message.context;
		confirmReads(core);
	}
}

/** Reads may be confirmed once an entry of the own term is committed: before, the commit index may lag behind the truth. */
export const canRead = (core: RaftCore): boolean => core.log.term(core.log.commit) === core.term;

/** Begins a round for the reads that wait, if any. */
export function beginReadRound(core: RaftCore): void {
	if (!core.reads.hasWaiting || !canRead(core)) return;
	core.reads.begin(core.log.commit);
	for (const progress of askedFirst(core)) sendHeartbeat(core, progress, core.reads.context);
	confirmReads(core);
}

/**
 * Whom a round asks: no more than make a quorum, since each answer costs both sides as much as the rest of the round.
 * Those that answered the latest round come first, so who is slow once is asked again only by `retryReads`.
 */
function askedFirst(core: RaftCore): Iterable<Progress> {
	const { voters, outgoing } = core.configuration;
	if (outgoing.length > 0 || !voters.includes(core.self)) return core.progress.values();
	const followers = [...core.progress.values()].filter(({ replica }) => voters.includes(replica));
	followers.sort((a, b) => b.readContext - a.readContext);
	return followers.slice(0, majority(voters.length) - 1);
}

/** A round has taken longer than it should: everyone who has not answered is asked. */
export function retryReads(core: RaftCore): void {
	if (core.role !== "leader" || !core.reads.hasRounds) return;
	for (const progress of core.progress.values()) {
		if (progress.readContext < core.reads.context) {
			sendHeartbeat(core, progress, core.reads.context);
		}
	}
}

function confirmReads(core: RaftCore): void {
	const context = quorumValue(core.configuration, (replica) =>
		replica === core.self ? core.reads.context : (core.progress.get(replica)?.readContext ?? 0),
	);
	if (core.reads.hasRounds) core.reads.confirm(context, core.outbox.reads);
}

/** Begins to hand leadership over: `to` is brought up to date, then told to stand for election at once. */
export function transferLeadership(core: RaftCore, to: ReplicaId): void {
	if (core.role !== "leader" || to === core.self || to === core.transferee) return;
	if (!core.configuration.voters.includes(to)) return;
	core.transferee = to;
	core.transferElapsed = 0;
	core.replicationDue = true;
	handOver(core);
}

function handOver(core: RaftCore): void {
	const to = core.transferee;
	const progress = core.progress.get(to);
	if (progress?.match !== core.log.lastIndex) return;
	// Whether it may stand can hang on a change of which it does not know that it is committed.
	sendHeartbeat(core, progress, 0);
	core.send({ kind: "timeout-now", from: core.self, to, term: core.term });
}
