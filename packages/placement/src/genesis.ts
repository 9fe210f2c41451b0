/**
 * What exists at the birth of a cluster. Every founder computes it from its identity alone, so all
 * begin equal without a message.
 */
import { bootId, type NodeId, rangeId, replicaId } from "@quorate/keys/ids";
import { keyMax, keyMin } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Configuration } from "@quorate/raft/types";
import type { IdKind, NodeIdentity, NodeRecord } from "./types.ts";

/** The placement group's id among Raft groups. */
export const placementRangeId = rangeId(0);
export const firstRangeId = rangeId(1);

/**
 * The first id of each kind that is handed out. Objects begin where PostgreSQL's user objects do
 * (FirstNormalObjectId).
 */
export const firstIds: Readonly<Record<IdKind, number>> = {
	range: 2,
	replica: 1001,
	object: 16384,
	row: 1,
};

export const firstSchemaVersion = 1;

type Founders = NodeIdentity["founders"];

/** A founder's replica of the placement group has the number of its node. */
export const placementReplica = (node: NodeId) => replicaId(node);

export function placementConfiguration(founders: Founders): Configuration {
	const voters = founders.map((founder) => placementReplica(founder.nodeId));
	return { voters, outgoing: [], learners: [], learnersNext: [] };
}

/**
 * The range that holds every key, on all founders; their replicas have the numbers of their nodes.
 */
export function firstRange(founders: Founders): RangeDescriptor {
	return {
		rangeId: firstRangeId,
		start: keyMin,
		end: keyMax,
		epoch: { version: 1, conf: 1 },
		replicas: founders.map(({ nodeId }) => ({
			nodeId,
			replicaId: replicaId(nodeId),
			role: "voter",
		})),
	};
}

export function founderRecords(founders: Founders): NodeRecord[] {
	return founders.map(({ nodeId, address }) => ({
		nodeId,
		address,
		sqlAddress: "",
		bootId: bootId(""),
		state: "suspect",
		locality: "",
		schemaVersion: 0,
	}));
}
