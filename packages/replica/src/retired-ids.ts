/**
 * Replica ids that this node has done with. Raft rests on replicas that remember what they have promised: one whose log and votes
 * were thrown away must never answer under its id again, whoever calls it and whatever that one believes of the membership.
 *
 * A node's ids in one range rise from one membership to the next (`membership.ts` sees to it), so one number a range says it all:
 * no id up to it is made here any more. It is raised, durably, before the log of a replica goes, and before a replica is
 * made at somebody's call: what was here under a lower id may have left no other trace.
 *
 * It is kept for good, some thirty bytes for each range that the node has left: nobody knows whether some old member, cut off since,
 * has still to hear of it.
 */
import { assert } from "@quorate/keys/assert";
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import { decodeBody, encodeBody } from "@quorate/rpc/body";
import type { EngineBatch, EngineReader } from "@quorate/storage/engine";
import { metaKey } from "@quorate/storage/engine-keys";

const retiredFormat = 1;

/** 0: none. */
export function retiredUpTo(engine: EngineReader, rangeId: RangeId): ReplicaId {
	const bytes = engine.get(metaKey(rangeId, "retired"));
	if (bytes === undefined) {
		return 0 as ReplicaId;
	}
	const [format, upTo] = decodeBody(bytes) as [number, ReplicaId];
	assert(format === retiredFormat, () => `retired replica ids of unknown format ${format}`);
	return upTo;
}

/** Durable with the engine's next sync. `upTo` is at or above what was retired before. */
export function retire(batch: EngineBatch, rangeId: RangeId, upTo: ReplicaId): void {
	batch.put(metaKey(rangeId, "retired"), encodeBody([retiredFormat, upTo]));
}
