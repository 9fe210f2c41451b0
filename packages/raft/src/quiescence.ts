/**
 * Quiescence: a group in which nothing is left to do stops its timers and costs nothing. The leader asks for it when everyone has
 * everything, so not while somebody has not answered since the connection to it was lost; its last heartbeat says so,
 * and a follower that agrees stops too. Whom the driver says to be gone is not waited for, where the others are a quorum: the driver
 * wakes the leader when it hears of that one again, who then gets what it has missed. Safety does not rest on it: a message, a proposal or the driver wakes a replica up, and one
 * that missed the last heartbeat wakes the others with its pre-vote, finds the lease in force, and is brought back by the leader's
 * next heartbeat.
 */
import type { ReplicaId } from "@quorate/keys/ids";
import { isJoint } from "./configuration.ts";
import { noReplica, type RaftCore } from "./core.ts";
import { canRead } from "./leader.ts";
import { quorumValue } from "./quorum.ts";
import { sendHeartbeat } from "./replication.ts";
import type { Message } from "./types.ts";

/** `isGone`: the node of a member is out of sight. */
export function quiesce(core: RaftCore, isGone: (member: ReplicaId) => boolean): boolean {
	if (core.quiesced) return true;
	const { log } = core;
	if (core.role !== "leader" || core.transferee !== noReplica || isJoint(core.configuration)) {
		return false;
	}
	if (core.isRetired || core.sealIndex !== 0) return false;
	if (!canRead(core) || !core.reads.isIdle) return false;
	if (log.applied !== log.lastIndex || log.durable !== log.lastIndex) return false;
	const present = [...core.progress.values()].filter(({ replica }) => !isGone(replica));
	if (present.length < core.progress.size && !isQuorumBut(core, isGone)) return false;
	for (const progress of present) {
		if (progress.match !== log.lastIndex || !progress.recentlyActive) return false;
		// Nothing is sent to it at the moment: it would rest on, and not hear of its own removal.
		if (progress.paused) return false;
	}
	for (const progress of present) {
		sendHeartbeat(core, progress, core.reads.context, true);
	}
	core.quiesced = true;
	return true;
}

/** Without a quorum its leader would not notice that it leads nobody any more. */
function isQuorumBut({ configuration, self }: RaftCore, isGone: (r: ReplicaId) => boolean) {
	return quorumValue(configuration, (r) => (r === self || !isGone(r) ? 1 : 0)) === 1;
}

/**
 * A follower has lost sight of a leader at rest: it is told what it was told when all began to rest. It has had everything since; one that
 * has not was gone then, and gets it now.
 */
export function greet(core: RaftCore, to: ReplicaId): void {
	const progress = core.progress.get(to);
	if (!core.quiesced || progress === undefined) return;
	if (progress.match === core.log.lastIndex) sendHeartbeat(core, progress, 0, true);
	else wake(core);
}

export function wake(core: RaftCore): void {
	if (!core.quiesced) return;
	core.quiesced = false;
	core.electionElapsed = 0;
	if (core.role !== "leader") return;
	// The next tick asks who is there. Nobody's silence counts before a whole period has passed, but it rests again only with all.
	core.heartbeatElapsed = core.options.heartbeatTicks;
	for (const progress of core.progress.values()) progress.recentlyActive = false;
}

/** Whether a message is reason to wake up: a late answer to what was settled before is not. */
export function wakes(core: RaftCore, message: Message): boolean {
	if (message.term !== core.term) return true;
	switch (message.kind) {
		case "heartbeat-response":
			return false;
		case "append-response":
			return message.rejected || (core.progress.get(message.from)?.match ?? 0) < message.index;
		case "heartbeat":
			return !message.quiesce;
		default:
			return true;
	}
}
