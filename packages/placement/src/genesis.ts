/**
 * What exists at the birth of a cluster. Every founder computes it from its identity alone, so all
 * begin equal without a message.
 */
import { bootId, type NodeId, type ReplicaId, rangeId, replicaId } from "@quorate/keys/ids";
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

const nodeIdEnd = 65_536;

/**
 * A founder's replica of the placement group has the number of its node. After its data were discarded (`renewal.ts`) it is another
 * one, with a number that was never used.
 */
export const placementReplica = (node: NodeId, replicasFrom = 0): ReplicaId =>
	replicaId(replicasFrom * nodeIdEnd + node);

export const placementNode = (replica: ReplicaId): NodeId => (replica % nodeIdEnd) as NodeId;

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
