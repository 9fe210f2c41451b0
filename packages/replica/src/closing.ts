/**
 * Closed timestamps (design, section 6, "Read timestamps in the past"): what lets any replica read the past by itself.
 *
 * A leaseholder closes an issued timestamp C by an entry of the log, so the log index that goes with C is the entry's own, and
 * lease changes, splits and snapshots carry C like everything else that is replicated.
 *
 * F1. When `close C` is applied, every write that still commits at or below C in this range is there as an intent. It was pending
 *     when C was closed, or not. If it was, with p below C, then it was proposed before the entry, so it is applied before it or
 *     never (L3); with p at or above C it commits above p. If it was not, its c is drawn later than C was issued, so c > C, and
 *     its p is not below C either: apply asserts that.
 * F2. A follower reads at s only if s is at or below what it has applied as closed, and waits for intents with p below s as a
 *     leaseholder does. Of what its engine holds nothing else decides: not who leads, nor whether anybody does.
 *
 * Nobody closes anything unless a follower is read: a gateway asks for it then (`packages/txn`), and an idle range stays idle.
 */
import type { ReplicaCore } from "./core.ts";
import type { RangeAnswer, RangeRequestBody } from "./requests.ts";

/** At the leaseholder: draws a timestamp and closes it; answered when that is applied here. */
export async function closeTimestamp(r: ReplicaCore): Promise<RangeAnswer> {
	const { timestamp, schemaVersion } = await r.context.timestamps.issue();
	for (;;) {
		const covered = r.covers(timestamp);
		if (covered !== true && !(await covered)) {
			return r.notLeaseholder();
		}
		const isEarly = r.context.mutations?.closedTooEarly === true;
		if (isEarly || !r.pending.hasUnproposedBelow(timestamp)) {
			break;
		}
		await r.pending.nextProposal();
	}
	// F1: between the last look and this there is no turn in which another write could become pending.
	const { version } = r.state.descriptor.epoch;
	const result = await r.propose({ kind: "close", timestamp, schemaVersion }, version);
	return result?.kind === "done"
		? { kind: "closed", timestamp, schemaVersion }
		: r.notLeaseholder();
}

/** What any replica may be asked for. */
export function isForReplica(b: RangeRequestBody): boolean {
	return b.kind === "closed" || ((b.kind === "read" || b.kind === "scan") && b.follower === true);
}

/** F2. The lowest timestamp that may be asked for is the GC threshold, as for everybody. */
export function isClosed(r: ReplicaCore, b: RangeRequestBody): boolean {
	if (b.kind !== "read" && b.kind !== "scan") {
		return true;
	}
	return b.s !== null && (b.s <= r.state.closed || r.context.mutations?.followersUnclosed === true);
}
