/**
 * Changes of the membership. A configuration takes effect when its entry is applied, not when it is appended as in the
 * thesis. What makes that safe: a leader proposes the next change only after it has applied the one before, so an append
 * that carries a change carries a commit index at or above the change before it, both reach the disk together, and nobody
 * stands for election with a committed change unapplied. So a replica that has change n in its log has applied change
 * n - 1, and the quorums of neighbours overlap.
 */
import { assert } from "@quorate/keys/assert";
import { changedConfiguration, isJoint, isVoter } from "./configuration.ts";
import { noReplica, type RaftCore } from "./core.ts";
import { advanceCommit, append, followMembers } from "./leader.ts";
import { tellCommit } from "./replication.ts";
import type { Configuration, ConfigurationChange, Entry } from "./types.ts";

/** Undefined: refused. */
export function proposeConfiguration(
	core: RaftCore,
	change: ConfigurationChange,
): Entry | undefined {
	if (core.role !== "leader" || core.transferee !== noReplica) return undefined;
	if (core.pendingConfigurationIndex > core.log.applied) return undefined;
	if ("refused" in changedConfiguration(core.configuration, change)) return undefined;
	const entry = append(core, { kind: "configuration", change });
	core.pendingConfigurationIndex = entry.index;
	return entry;
}

export function applyConfiguration(core: RaftCore, change: ConfigurationChange): Configuration {
	const changed = changedConfiguration(core.configuration, change);
	assert(
		!("refused" in changed),
		() => `a committed change cannot be refused: ${(changed as { refused: string }).refused}`,
	);
	// Also to those whom it removes: they learn it from nobody else.
	if (core.role === "leader") tellCommit(core);
	core.configuration = changed;
	if (core.role === "leader") changedWhileLeading(core);
	return changed;
}

function changedWhileLeading(core: RaftCore): void {
	if (!isVoter(core.configuration, core.self)) {
		core.becomeFollower(core.term, noReplica);
		return;
	}
	followMembers(core);
	if (!core.configuration.voters.includes(core.transferee)) core.transferee = noReplica;
	// A smaller quorum may have what the larger one lacked.
	advanceCommit(core);
}

/** A leader ends a joint configuration as soon as it is in force; a new leader ends the one that it finds. */
export function leaveJoint(core: RaftCore): void {
	if (core.role !== "leader" || !isJoint(core.configuration)) return;
	if (core.pendingConfigurationIndex > core.log.applied) return;
	const change = { changes: [], leave: true, context: new Uint8Array(0) };
	core.pendingConfigurationIndex = append(core, { kind: "configuration", change }).index;
}
