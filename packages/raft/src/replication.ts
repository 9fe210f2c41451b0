/** What a leader sends to its followers: appends within their windows, heartbeats, the commit index. */
import { assert } from "@quorate/keys/assert";
import type { RaftCore } from "./core.ts";
import type { Progress } from "./progress.ts";

/** Sends every follower what its window takes. Called once a `ready`, so that all new entries go in one message. */
export function replicate(core: RaftCore): void {
	if (!core.replicationDue) return;
	core.replicationDue = false;
	for (const progress of core.progress.values()) {
		while (!progress.paused && (progress.next <= core.log.lastIndex || progress.probeDue)) {
			if (!sendAppend(core, progress)) break;
		}
		if (progress.isFull && progress.probeDue) sendAppend(core, progress);
	}
}

/** With entries, if the window has room for some. */
function sendAppend(core: RaftCore, progress: Progress): boolean {
	const previousIndex = progress.next - 1;
	const previousTerm = core.log.term(previousIndex);
	if (previousTerm === undefined) {
		assert(previousIndex < core.log.firstIndex, "nothing is sent from beyond the log's end");
		// Only who answers gets a snapshot: it is large, and a dead follower would be sent one after the other.
		if (!progress.recentlyActive) return false;
		wantSnapshot(core, progress);
		return false;
	}
	const entries = progress.isFull ? [] : core.log.slice(progress.next, core.options.appendBytesMax);
	const lastIndex = previousIndex + entries.length;
	core.send({
		kind: "append",
		from: core.self,
		to: progress.replica,
		term: core.term,
		previousIndex,
		previousTerm,
		entries,
		commit: core.commitToTell(progress.replica),
	});
	progress.commitTold = core.commitToTell(progress.replica);
	progress.sent(lastIndex, core.log.bytesBetween(previousIndex, lastIndex));
	return true;
}

export function wantSnapshot(core: RaftCore, progress: Progress): void {
	progress.becomeSnapshot();
	core.outbox.snapshotsWanted.push({ to: progress.replica });
}

/** `context` 0 asks for no answer. */
export function sendHeartbeat(
	core: RaftCore,
	progress: Progress,
	context: number,
	quiesce = false,
): void {
	// What a follower has is known only up to `match`: beyond, its entries may differ from the committed ones.
	const commit = Math.min(progress.match, core.commitToTell(progress.replica));
	progress.commitTold = Math.max(progress.commitTold, commit);
	core.send({
		kind: "heartbeat",
		from: core.self,
		to: progress.replica,
		term: core.term,
		commit,
		context,
		quiesce,
	});
}

export function sendHeartbeats(core: RaftCore): void {
	for (const progress of core.progress.values()) {
		sendHeartbeat(core, progress, core.reads.context);
	}
}

/**
 * Tells the followers of commits that no append has carried. A busy group's next append does that for nothing, so this
 * waits for a tick, or for a driver that knows that the followers should apply now.
 */
export function tellCommit(core: RaftCore): void {
	for (const progress of core.progress.values()) {
		const commit = core.commitToTell(progress.replica);
		if (Math.min(progress.match, commit) > progress.commitTold) {
			sendHeartbeat(core, progress, 0);
		}
	}
}
