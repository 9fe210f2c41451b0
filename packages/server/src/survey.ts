/**
 * What the running nodes can say about one that is down: whether all that it held is also elsewhere. Asked before its data are
 * discarded (`rebuild.ts`).
 *
 * It is, if every Raft group that counts it can commit something without it: then a majority of each group runs, and what was
 * ever committed is on a part of them that no leader can be elected without. So the oracle is asked for a timestamp, which takes
 * a round of the placement group, and the leaseholder of each of its ranges to commit an entry.
 */
import type { NodeId, RangeId } from "@quorate/keys/ids";
import { keyMax, keyMin } from "@quorate/keys/key";
import type { ConnectedPlacementClient } from "@quorate/placement/client";
import type { NodeIdentity, PlacementClient } from "@quorate/placement/types";
import type { Rpc } from "@quorate/rpc/types";
import type { RangeRouter } from "@quorate/txn/router";

export const surveyMethod = "rebuild.survey";
export const surveyTimeoutMs = 30_000;
const roundMs = 5_000;

/** Of the node with this id; of the one that is registered at the address, where the id is lost. */
export interface SurveyRequest {
	readonly nodeId: NodeId | 0;
	readonly address: string;
}

export interface SurveyAnswer {
	readonly clusterId: NodeIdentity["clusterId"];
	readonly founders: NodeIdentity["founders"];
	/** Of the placement group now. */
	readonly members?: NodeIdentity["members"];
	/** 0: nobody is registered there. */
	readonly nodeId: NodeId | 0;
	/** How many ranges count on the node. */
	readonly ranges: number;
	/** Those that could not commit anything without it. */
	readonly stuck: readonly RangeId[];
	/** The placement group could not: then nothing more is known. */
	readonly placementStuck: boolean;
}

export function handleSurveys(options: {
	readonly rpc: Rpc;
	readonly identity: NodeIdentity;
	readonly placement: ConnectedPlacementClient;
	readonly router: RangeRouter;
}): void {
	const { rpc, identity, placement, router } = options;
	const { clusterId, founders } = identity;
	rpc.handle(surveyMethod, async (body): Promise<SurveyAnswer> => {
		const request = body as SurveyRequest;
		const members = placement
			.nodesCached()
			.filter((n) => placement.calls.members.includes(n.nodeId));
		const known = members.map(({ nodeId, address }) => ({ nodeId, address }));
		const nothing = { clusterId, founders, members: known, ranges: 0, stuck: [] };
		try {
			await placement.issue(roundMs);
		} catch {
			return { ...nothing, nodeId: request.nodeId, placementStuck: true };
		}
		const node = request.nodeId || (await nodeAt(placement, request.address));
		const all = await placement.lookup(keyMin, keyMax, Number.MAX_SAFE_INTEGER);
		const counting = all
			.map((info) => info.descriptor)
			.filter((d) => d.replicas.some((r) => r.nodeId === node));
		const stuck: RangeId[] = [];
		for (const { start, rangeId } of counting) {
			const status = { kind: "status" as const, confirmed: true };
			const answer = await router
				.request(start, status, { idempotent: true, totalMs: roundMs })
				.catch(() => undefined);
			if (answer?.kind !== "status") {
				stuck.push(rangeId);
			}
		}
		return { ...nothing, nodeId: node, ranges: counting.length, stuck, placementStuck: false };
	});
}

async function nodeAt(placement: PlacementClient, address: string): Promise<NodeId | 0> {
	const nodes = await placement.nodes();
	return nodes.find((node) => node.address === address)?.nodeId ?? 0;
}
