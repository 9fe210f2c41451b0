/** What a follower does with its leader's messages. Acknowledgements leave only when what they promise is durable. */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { noReplica, type RaftCore } from "./core.ts";
import type { LogIndex, Message, Term } from "./types.ts";

/** Any message of the current term's leader: whoever stood against it gives up. */
export function followLeader(core: RaftCore, message: Message): void {
	assert(
		core.role !== "leader",
		() => `election safety: ${message.from} leads term ${core.term} as well`,
	);
	if (core.role !== "follower") core.becomeFollower(core.term, message.from);
	assert(
		core.leader === noReplica || core.leader === message.from,
		() => `election safety: ${core.leader} and ${message.from} lead term ${core.term}`,
	);
	core.leader = message.from;
	core.electionElapsed = 0;
	core.calmDown();
}

export function handleAppend(core: RaftCore, message: Message & { kind: "append" }): void {
	const { log } = core;
	const { previousIndex, previousTerm, entries } = message;
	if (previousIndex < log.commit) {
		// Old news: what is committed here is in the leader's log too. The answer moves it on.
		accept(core, message, log.commit);
		return;
	}
	if (!matches(core, previousIndex, previousTerm) || core.awaitsSnapshot) {
		// Nothing below the commit index can differ, so the search need not go there.
		const hintIndex = Math.max(log.commit, log.lastAtOrBelowTerm(previousIndex, previousTerm));
		core.send({
			kind: "append-response",
			from: core.self,
			to: message.from,
			term: core.term,
			index: previousIndex,
			rejected: true,
			hintIndex,
			hintTerm: log.term(hintIndex)!,
		});
		return;
	}
	log.appendFromLeader(entries);
	const lastNew = previousIndex + entries.length;
	// Beyond the last entry of this message our log may differ from the leader's.
	log.commitTo(Math.min(message.commit, lastNew));
	accept(core, message, lastNew);
}

/** Log matching (Raft paper, section 5.3): what follows an entry is taken only if that is the leader's. */
function matches(core: RaftCore, previousIndex: LogIndex, previousTerm: Term): boolean {
	if (core.log.term(previousIndex) === previousTerm) return true;
	const { mutations } = core.options;
	return mutations?.withoutAppendMatch === true && core.log.term(previousIndex) !== undefined;
}

/**
 * Acknowledges that all up to `index` is here, unless there is much to apply: then the leader hears so when there is less. It sends no
 * more than its window before, which bounds what a slow follower has to keep. Only what is committed counts, since that
 * will be applied whatever this replica says; it answers heartbeats and elections all the same.
 */
function accept(core: RaftCore, message: { readonly from: ReplicaId }, index: LogIndex): void {
	if (core.log.unappliedBytes > core.options.unappliedBytesMax) {
		core.owed = { from: message.from, index: Math.max(index, core.owed?.index ?? 0) };
		return;
	}
	acknowledge(core, message, index);
}

/** Something was applied: an acknowledgement that was held back may be due. */
export function payOwed(core: RaftCore): void {
	const { owed } = core;
	if (owed === undefined || core.log.unappliedBytes > core.options.unappliedBytesMax) return;
	core.owed = undefined;
	acknowledge(core, owed, owed.index);
}

function acknowledge(core: RaftCore, message: { readonly from: ReplicaId }, index: LogIndex): void {
	assert(index <= core.log.lastIndex, "only what is here is acknowledged");
	const response: Message = {
		kind: "append-response",
		from: core.self,
		to: message.from,
		term: core.term,
		index,
		rejected: false,
		hintIndex: 0,
		hintTerm: 0,
	};
	if (index <= core.log.durable) {
		core.send(response);
		return;
	}
	// One answer for all appends of a pass.
	const waiting = core.outbox.messagesAfterSync;
	const last = waiting.at(-1);
	if (last?.kind === "append-response" && last.to === message.from && last.term === core.term) {
		if (last.index < index) waiting[waiting.length - 1] = response;
		return;
	}
	core.sendAfterSync(response);
}

export function handleHeartbeat(core: RaftCore, message: Message & { kind: "heartbeat" }): void {
	const { log } = core;
	log.commitTo(message.commit);
	if (message.quiesce && log.commit === log.lastIndex && log.durable === log.lastIndex) {
		core.quiesced = true;
		return;
	}
	if (message.context === 0) return;
	core.send({
		kind: "heartbeat-response",
		from: core.self,
		to: message.from,
		term: core.term,
		context: message.context,
	});
}

/** The driver has received the snapshot and called `restore`, or knows that it came too late to be of use. */
export function handleSnapshot(core: RaftCore, message: Message & { kind: "snapshot" }): void {
	assert(
		core.log.commit >= message.metadata.index,
		"a snapshot is restored before its message is stepped",
	);
	accept(core, message, core.log.commit);
}
