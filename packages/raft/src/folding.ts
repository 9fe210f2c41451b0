/**
 * What is kept of a group that rests with an empty log. All of it is settled: what was appended is committed, applied and durable on all
 * members, and nothing is on its way. So its state is a few numbers, from which the rest is made again when something comes: a node has
 * thousands of such groups, and the whole state of one takes a kilobyte.
 *
 * What is not made again decides nothing: the answers to elections that have ended, how long ago the leader was heard (it rests), and
 * whether the connection to a follower was lost. That one has everything; should it not be there, the next append finds out.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { members } from "./configuration.ts";
import { noReplica, RaftCore } from "./core.ts";
import type { RaftOptions } from "./group.ts";
import { Progress } from "./progress.ts";
import { ReadRounds } from "./read-index.ts";
import type { Configuration, HardState, LogIndex, Term } from "./types.ts";

/** Term and vote are those of the hard state. */
export interface FoldedCore {
	readonly self: ReplicaId;
	readonly options: RaftOptions;
	readonly role: "leader" | "follower";
	readonly leader: ReplicaId;
	readonly configuration: Configuration;
	/** Of the last entry that there was. */
	readonly index: LogIndex;
	readonly entryTerm: Term;
	/** Of the last round of reads: contexts only rise. */
	readonly readContext: number;
}

/** Undefined: there is more to it. Nothing that it would hand out may be left. */
export function fold(core: RaftCore): FoldedCore | undefined {
	const { self, options, role, leader, configuration, log, reads } = core;
	if (!core.quiesced || !log.isSettled || !reads.isIdle) return undefined;
	if (role !== "leader" && role !== "follower") return undefined;
	const { departing, sealIndex, hidden, transferee, owed, standsOnceApplied } = core;
	const isChanging = departing.length > 0 || sealIndex !== 0 || hidden !== undefined;
	if (isChanging || transferee !== noReplica || owed !== undefined || standsOnceApplied) {
		return undefined;
	}
	const index = log.lastIndex;
	for (const { match } of core.progress.values()) if (match !== index) return undefined;
	const readContext = reads.context;
	const entryTerm = log.lastTerm;
	return { self, options, role, leader, configuration, index, entryTerm, readContext };
}

export function unfold(folded: FoldedCore, hardState: HardState): RaftCore {
	const { self, options, role, leader, configuration, index, entryTerm } = folded;
	const core = new RaftCore(
		self,
		options,
		{
			hardState: { ...hardState, commit: index },
			snapshot: { index, term: entryTerm, configuration },
			entries: [],
			applied: index,
			configuration,
		},
		new ReadRounds(folded.readContext),
	);
	assert(leader === self || role === "follower", "who leads is its own leader");
	core.role = role;
	core.leader = leader;
	core.quiesced = true;
	if (role === "leader") {
		for (const replica of members(configuration)) {
			if (replica !== self) core.progress.set(replica, Progress.level(replica, index, options));
		}
	}
	return core;
}
