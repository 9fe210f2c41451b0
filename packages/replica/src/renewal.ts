/**
 * A replica whose data were discarded is replaced by another one on the same node. The old one counts among the voters, and is
 * silent for good; so nothing is lost by removing it first. In one joint change it goes and the new one comes as a learner: the
 * range never forgets that the node is to hold a replica, whoever leads it next. When the learner has caught up it gets a vote.
 *
 * Each call takes one step from the state that it finds, so that it does not matter who asks, how often, and which leaseholder.
 */
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import type { ReplicaDescriptor } from "@quorate/keys/range";
import type { RaftGroupHandle } from "./host-types.ts";
import { encodeContext } from "./membership.ts";
import type { Replica } from "./replica.ts";
import type { RangeAnswer } from "./requests.ts";

export async function renew(
	replica: Replica,
	group: RaftGroupHandle,
	node: NodeId,
	replicasFrom: number,
): Promise<RangeAnswer> {
	const present = replica.state.descriptor.replicas.filter((r) => r.nodeId === node);
	const discarded = present.filter((r) => r.replicaId < replicasFrom);
	const renewed = present.find((r) => r.replicaId >= replicasFrom);
	if (group.status().configuration.outgoing.length > 0 || replica.isMerging) {
		return { kind: "renewing" };
	}
	if (discarded.length > 0) {
		await replaceDiscarded(replica, group, discarded);
		return { kind: "renewing" };
	}
	if (renewed === undefined || renewed.role === "voter") {
		return { kind: "done" };
	}
	if (hasCaughtUp(group, renewed.replicaId)) {
		const changes = [{ kind: "add-voter" as const, replica: renewed.replicaId }];
		const context = encodeContext(replica.state.descriptor.replicas);
		group.proposeConfiguration({ changes, context });
	}
	return { kind: "renewing" };
}

async function replaceDiscarded(
	replica: Replica,
	group: RaftGroupHandle,
	discarded: readonly ReplicaDescriptor[],
): Promise<void> {
	const { epoch, replicas } = replica.state.descriptor;
	const { term } = group.status();
	const replicaId = (await replica.context.allocate("replica", 1)) as ReplicaId;
	const { nodeId } = discarded[0] as ReplicaDescriptor;
	const isAsBefore =
		replica.state.descriptor.epoch.conf === epoch.conf && group.status().term === term;
	if (isAsBefore && replica.leads() && !replica.isMerging) {
		const leaving = discarded.map((r) => ({ kind: "remove" as const, replica: r.replicaId }));
		group.proposeConfiguration({
			changes: [{ kind: "add-learner", replica: replicaId }, ...leaving],
			context: encodeContext([...replicas, { nodeId, replicaId }]),
		});
	}
}

function hasCaughtUp(group: RaftGroupHandle, replicaId: ReplicaId): boolean {
	const { progress, commit } = group.status();
	return progress.some((p) => p.replica === replicaId && p.match > 0 && p.match + 100 > commit);
}
