/**
 * Changes of the membership. A configuration takes effect when its entry is applied, not when it is appended as in the
 * thesis. What makes that safe and keeps it live:
 *
 * 1. A leader proposes the next change only after it has applied the one before, so an append that carries a change carries
 *    a commit index at or above the change before it, both reach the disk in one write, and nobody stands for election with
 *    a committed change unapplied. So a replica that has change n in its log has applied change n - 1, and the quorums of
 *    neighbours overlap.
 * 2. A replica that was removed learns so only after a quorum of the new configuration knows it durably: it may throw away
 *    what the old configuration would still need to elect a leader. The leader seals a removal by an entry of its own;
 *    whoever has that on disk has the commit index of the removal beside it. Until the seal is committed the removed are
 *    told nothing, and until a change is applied nobody is told that it is committed.
 * 3. A leader does not remove itself: such a change goes through a joint configuration, and before that is left leadership
 *    is handed to somebody who stays. A leader that inherits the entry which removes it tells those who stay that it is
 *    committed, and itself only when a seal shows that they know it durably; then it gives way.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import { changedConfiguration, isJoint, members } from "./configuration.ts";
import { noReplica, type RaftCore } from "./core.ts";
import { advanceCommit, append, followMembers, transferLeadership } from "./leader.ts";
import type { Progress } from "./progress.ts";
import { sendHeartbeat } from "./replication.ts";
import type { Configuration, ConfigurationChange, Entry, LogIndex } from "./types.ts";

/** Undefined: refused. */
export function proposeConfiguration(
	core: RaftCore,
	change: ConfigurationChange,
): Entry | undefined {
	if (!core.takesProposals || core.pendingConfigurationIndex > core.log.applied) return undefined;
	const changed = changedConfiguration(core.configuration, change);
	if ("refused" in changed) return undefined;
	if (!changed.voters.includes(core.self) && !isJoint(changed) && change.leave !== true) {
		// Named twice, the one change becomes a joint one.
		return appendChange(core, { ...change, changes: [...change.changes, ...change.changes] });
	}
	return appendChange(core, change);
}

function appendChange(core: RaftCore, change: ConfigurationChange): Entry {
	const entry = append(core, { kind: "configuration", change });
	core.pendingConfigurationIndex = entry.index;
	core.unappliedChangeIndex = Math.min(core.unappliedChangeIndex, entry.index);
	return entry;
}

export function applyConfiguration(core: RaftCore, change: ConfigurationChange): Configuration {
	const changed = changedConfiguration(core.configuration, change);
	assert(
		!("refused" in changed),
		() => `a committed change cannot be refused: ${(changed as { refused: string }).refused}`,
	);
	core.configuration = changed;
	if (core.role === "leader") changedWhileLeading(core);
	return changed;
}

function changedWhileLeading(core: RaftCore): void {
	const before = [...core.progress];
	followMembers(core);
	// The change being applied is the first that is not.
	const since = core.unappliedChangeIndex;
	core.unappliedChangeIndex = findUnappliedChange(core, since);
	for (const [replica, progress] of before) {
		if (!core.progress.has(replica)) core.departing.push({ progress, since });
	}
	if (core.departing.length > 0 || core.isRetired) {
		core.sealIndex = append(core, { kind: "empty" }).index;
	}
	if (!core.configuration.voters.includes(core.transferee)) core.transferee = noReplica;
	// A smaller quorum may have what the larger one lacked.
	advanceCommit(core);
}

/**
 * `index` is committed by a quorum. If the leader's own removal is among it, and those who stay may not know so durably, it
 * commits no further than before its removal, and returns true.
 */
export function hideOwnRemoval(core: RaftCore, index: LogIndex): boolean {
	const removal = core.unappliedChangeIndex;
	if (index < removal || core.log.commit >= removal) return false;
	if (core.hidden === undefined) {
		const stay = membersAfter(core, removal);
		if (stay.includes(core.self)) return false;
		core.log.commitTo(removal - 1);
		const sealIndex = append(core, { kind: "empty" }).index;
		core.hidden = { commit: index, sealIndex, stay };
		return true;
	}
	core.hidden.commit = index;
	if (index < core.hidden.sealIndex) return true;
	core.hidden = undefined;
	return false;
}

function membersAfter(core: RaftCore, changeIndex: LogIndex): readonly ReplicaId[] {
	const payload = core.log.entry(changeIndex)?.payload;
	assert(payload?.kind === "configuration", "a change is a configuration entry");
	const changed = changedConfiguration(core.configuration, payload.change);
	assert(!("refused" in changed), "a committed change cannot be refused");
	return members(changed);
}

/** Entries up to the commit index are committed: if the seal is among them, those who left may know. */
export function breakSeal(core: RaftCore): void {
	if (core.sealIndex === 0 || core.log.commit < core.sealIndex) return;
	core.sealIndex = 0;
	tellDeparting(core);
	finishChange(core);
}

/** Those of the departing who have the entry that removed them learn that it is committed. */
function tellDeparting(core: RaftCore): void {
	if (core.sealIndex !== 0) return;
	core.departing = core.departing.filter(({ progress, since }) => {
		if (progress.match < since) return true;
		sendHeartbeat(core, progress, 0);
		return false;
	});
}

/** Somebody who is not a member has acknowledged something: its acknowledgement may have crossed its removal. */
export function departingAcknowledged(core: RaftCore, from: ReplicaId, index: LogIndex): void {
	const progress = core.departing.find((d) => d.progress.replica === from)?.progress;
	if (progress === undefined || index > core.log.lastIndex) return;
	progress.match = Math.max(progress.match, index);
	tellDeparting(core);
}

/** What is still to do for a change that was applied: a joint phase ends, a leader that was removed gives way. */
export function finishChange(core: RaftCore): void {
	if (core.isRetired) {
		const waits = core.sealIndex !== 0 || core.transferee !== noReplica;
		if (!waits) transferLeadership(core, successor(core));
		return;
	}
	if (core.role !== "leader" || !isJoint(core.configuration)) return;
	if (core.pendingConfigurationIndex > core.log.applied) return;
	if (!core.configuration.voters.includes(core.self)) {
		if (core.transferee === noReplica) transferLeadership(core, successor(core));
		return;
	}
	appendChange(core, { changes: [], leave: true, context: new Uint8Array(0) });
}

/** The voter that stays and has the most. */
function successor(core: RaftCore): Progress["replica"] {
	let best: Progress | undefined;
	for (const replica of core.configuration.voters) {
		const progress = core.progress.get(replica);
		if (progress === undefined) continue;
		const better =
			best === undefined ||
			(progress.recentlyActive && !best.recentlyActive) ||
			(progress.recentlyActive === best.recentlyActive && progress.match > best.match);
		if (better) best = progress;
	}
	assert(best !== undefined, "a configuration has voters");
	return best.replica;
}

/** First entry above `applied` that changes the configuration; Infinity for none. */
export function findUnappliedChange(core: RaftCore, applied: LogIndex): LogIndex {
	const { log } = core;
	for (let index = applied + 1; index <= log.lastIndex; index++) {
		if (log.entry(index)!.payload.kind === "configuration") return index;
	}
	return Number.POSITIVE_INFINITY;
}
