/** What a message does, first by its term, then by its kind. */
import { assert } from "@quorate/keys/assert";
import { noReplica, type RaftCore } from "./core.ts";
import {
	answerPreVote,
	campaign,
	handlePreVote,
	handleVote,
	handleVoteResponse,
	learnCommit,
} from "./election.ts";
import { followLeader, handleAppend, handleHeartbeat, handleSnapshot } from "./follower.ts";
import { handleAppendResponse, handleHeartbeatResponse } from "./leader.ts";
import { wake, wakes } from "./quiescence.ts";
import type { Message } from "./types.ts";

export function step(core: RaftCore, message: Message): void {
	assert(message.to === core.self, () => `a message for ${message.to} came to ${core.self}`);
	if (core.quiesced && wakes(core, message)) wake(core);
	if (message.kind === "pre-vote" || message.kind === "pre-vote-response") {
		learnCommit(core, message.commit, message.commitTerm);
	}
	if (message.term > core.term && !enterTerm(core, message)) return;
	if (message.term < core.term) {
		answerOutdated(core, message);
		return;
	}
	dispatch(core, message);
}

/** A message from a higher term. Returns false if it is to be ignored. */
function enterTerm(core: RaftCore, message: Message): boolean {
	switch (message.kind) {
		case "pre-vote":
			// Asks about a term that nobody is in yet.
			return message.force || !core.isInLease;
		case "pre-vote-response":
			if (message.granted) return true;
			core.becomeFollower(message.term, noReplica);
			return true;
		case "vote":
			// Who hears from a leader helps nobody to depose it: a removed or returning replica disturbs no one.
			if (!message.force && core.isInLease) return false;
			core.becomeFollower(message.term, noReplica);
			return true;
		case "append":
		case "heartbeat":
		case "snapshot":
			core.becomeFollower(message.term, message.from);
			return true;
		default:
			core.becomeFollower(message.term, noReplica);
			return true;
	}
}

/** Whoever is behind learns our term: a leader that was deposed steps down, a candidate stands in a term that can win. */
function answerOutdated(core: RaftCore, message: Message): void {
	const base = { from: core.self, to: message.from, term: core.term };
	switch (message.kind) {
		case "append":
		case "heartbeat":
		case "snapshot":
			core.send({ ...base, kind: "heartbeat-response", context: 0 });
			return;
		case "pre-vote":
			answerPreVote(core, message.from, false, core.term);
			return;
		case "vote":
			core.send({ ...base, kind: "vote-response", granted: false });
			return;
		default:
			return;
	}
}

function dispatch(core: RaftCore, message: Message): void {
	switch (message.kind) {
		case "pre-vote":
			handlePreVote(core, message);
			return;
		case "pre-vote-response":
			// A grant of an earlier attempt, for a term that was entered since, is for nothing.
			if (message.granted && message.term !== core.term + 1) return;
			handleVoteResponse(core, message.from, "pre-candidate", message.granted);
			return;
		case "vote":
			handleVote(core, message);
			return;
		case "vote-response":
			handleVoteResponse(core, message.from, "candidate", message.granted);
			return;
		case "append":
			followLeader(core, message);
			handleAppend(core, message);
			return;
		case "heartbeat":
			followLeader(core, message);
			handleHeartbeat(core, message);
			return;
		case "snapshot":
			followLeader(core, message);
			handleSnapshot(core, message);
			return;
		case "append-response":
			if (core.role === "leader") handleAppendResponse(core, message);
			return;
		case "heartbeat-response":
			if (core.role === "leader") handleHeartbeatResponse(core, message);
			return;
		case "timeout-now":
			if (core.role !== "leader") campaign(core, "vote", true);
			return;
	}
}
