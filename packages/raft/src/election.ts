/**
 * Elections, in two rounds. The first, pre-vote (thesis, section 9.6), changes no state and asks who would vote: a replica
 * that was cut off cannot disturb the others with a raised term when it returns. In the second, votes are given, each
 * durable before it is sent; the candidate's own too, since it may be the only one needed.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { members } from "./configuration.ts";
import { noReplica, type RaftCore } from "./core.ts";
import { startLeading } from "./leader.ts";
import { voteResult } from "./quorum.ts";
import type { Entry, LogIndex, Message, Term } from "./types.ts";

const changesConfiguration = (entry: Entry): boolean => entry.payload.kind === "configuration";

/**
 * Stands for election, unless it may not: a committed change of the configuration that is not yet applied says who counts.
 * Together with one change at a time this makes any two electorates in use overlap.
 */
export function campaign(core: RaftCore, kind: "pre-vote" | "vote", force: boolean): void {
	if (core.role === "leader") return;
	if (core.log.hasUnapplied(changesConfiguration)) {
		// Told to by the leader: it waits for nothing else, so neither should we.
		core.standsOnceApplied = kind === "vote";
		return;
	}
	if (!core.isPromotable) return;
	if (kind === "pre-vote") {
		core.becomePreCandidate();
		core.votes.set(core.self, true);
	} else {
		core.becomeCandidate();
	}
	core.forced = force;
	askForVotes(core, kind);
	if (kind === "pre-vote") countVotes(core);
}

/**
 * The driver has lost its connection to the leader's node. If the leader lives, its next heartbeat puts this right; if not, nobody is
 * in its lease any more, and there is no need to wait for a silence that is none: the others have lost theirs too, or will.
 */
export function leaderLost(core: RaftCore): void {
	if (core.role !== "follower" || core.leader === noReplica) return;
	core.quiesced = false;
	core.leader = noReplica;
	core.hasten();
}

function askForVotes(core: RaftCore, kind: "pre-vote" | "vote"): void {
	for (const to of members(core.configuration)) {
		if (to === core.self) continue;
		const { lastIndex, lastTerm } = core.log;
		const base = { from: core.self, to, lastIndex, lastTerm, force: core.forced };
		if (kind === "pre-vote") core.send({ ...base, kind, term: core.term + 1, ...committed(core) });
		else core.sendAfterSync({ ...base, kind, term: core.term });
	}
}

const committed = (core: RaftCore): { readonly commit: LogIndex; readonly commitTerm: Term } => ({
	commit: core.log.commit,
	commitTerm: core.log.term(core.log.commit)!,
});

function countVotes(core: RaftCore): void {
	const result = voteResult(core.configuration, (replica) => core.votes.get(replica));
	if (result === "lost") core.becomeFollower(core.term, noReplica);
	if (result !== "won") return;
	if (core.role === "pre-candidate") campaign(core, "vote", core.forced);
	else startLeading(core);
}

/** The write with this candidate's own vote is durable. */
export function selfVoteSynced(core: RaftCore): void {
	assert(core.role === "candidate" && core.vote === core.self, "own votes are a candidate's");
	core.selfVoteOpen = false;
	core.selfVoteSequence = 0;
	core.votes.set(core.self, true);
	countVotes(core);
}

/** A promise only: nothing is remembered, and nobody is refused because of it. */
export function handlePreVote(core: RaftCore, message: Message & { kind: "pre-vote" }): void {
	const granted =
		message.term > core.term && core.log.isUpToDate(message.lastIndex, message.lastTerm);
	// A grant answers for the term asked about; a refusal tells the candidate where we are.
	answerPreVote(core, message.from, granted, granted ? message.term : core.term);
}

export function answerPreVote(core: RaftCore, to: ReplicaId, granted: boolean, term: Term): void {
	const from = core.self;
	core.send({ kind: "pre-vote-response", from, to, term, granted, ...committed(core) });
}

/**
 * What is committed is so in every term. It matters where somebody who holds a change of the configuration does not know that
 * it is committed: a candidate that believes to need the vote of a replica which is gone or a learner by now, or a replica
 * with the longest log that believes to be a learner still.
 */
export function learnCommit(core: RaftCore, commit: LogIndex, commitTerm: Term): void {
	if (core.role !== "leader" && core.log.term(commit) === commitTerm) core.log.commitTo(commit);
}

export function handleVote(core: RaftCore, message: Message & { kind: "vote" }): void {
	assert(message.term === core.term, "votes are given in the current term");
	const { mutations } = core.options;
	const free =
		core.vote === message.from ||
		(core.vote === noReplica && core.leader === noReplica) ||
		(mutations?.withoutVoteMemory === true && core.role === "follower");
	const upToDate =
		core.log.isUpToDate(message.lastIndex, message.lastTerm) ||
		mutations?.withoutLogComparison === true;
	const granted = free && upToDate;
	const response: Message = {
		kind: "vote-response",
		from: core.self,
		to: message.from,
		term: core.term,
		granted,
	};
	if (!granted) {
		core.send(response);
		return;
	}
	core.vote = message.from;
	core.electionElapsed = 0;
	core.sendAfterSync(response);
}

/** `term` is the term that the answer is for: of a granted pre-vote, the next one. */
export function handleVoteResponse(
	core: RaftCore,
	from: ReplicaId,
	round: "pre-candidate" | "candidate",
	granted: boolean,
): void {
	if (core.role !== round || core.votes.has(from)) return;
	core.votes.set(from, granted);
	countVotes(core);
}
