/** Changes of a range's replicas: what an applied change does to the descriptor, and the steps that move a range to other nodes. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import type { RangeDescriptor, ReplicaDescriptor } from "@quorate/keys/range";
import type { ConfigurationChange } from "@quorate/raft/types";
import { decodeBody, encodeBody } from "@quorate/rpc/body";
import type { CommittedEntry, RaftGroupHandle } from "./host-types.ts";
import type { Replica } from "./replica.ts";
import type { RangeAnswer } from "./requests.ts";

const contextFormat = 1;

/** The context of a change: node and replica id of every member that it names or keeps. */
function encodeContext(members: readonly { nodeId: NodeId; replicaId: ReplicaId }[]): Uint8Array {
	return encodeBody([contextFormat, members.map((m) => [m.nodeId, m.replicaId])]);
}

/** The descriptor after a configuration entry: who is in the configuration, in the role it gives them. */
export function descriptorAfter(d: RangeDescriptor, entry: CommittedEntry): RangeDescriptor {
	const { configuration, change } = entry;
	if (configuration === undefined || change === undefined) {
		return d;
	}
	const nodes = new Map<ReplicaId, NodeId>(d.replicas.map((r) => [r.replicaId, r.nodeId]));
	if (change.context.length > 0) {
		const [, members] = decodeBody(change.context) as [number, [NodeId, ReplicaId][]];
		for (const [node, replica] of members) {
			nodes.set(replica, node);
		}
	}
	const voters = new Set([...configuration.voters, ...configuration.outgoing]);
	const members = new Set([...voters, ...configuration.learners]);
	const replicas: ReplicaDescriptor[] = [...nodes]
		.filter(([replica]) => members.has(replica))
		.map(([replica, node]) => ({
			nodeId: node,
			replicaId: replica,
			role: voters.has(replica) ? ("voter" as const) : ("learner" as const),
		}));
	return { ...d, replicas, epoch: { version: d.epoch.version, conf: d.epoch.conf + 1 } };
}

const pollMs = 20;
const attemptsMax = 3_000;
const giveAwayAttempts = 250;

/**
 * Learners first, then one joint change; the old replicas leave with it. Run by the leaseholder; if it is to leave itself, it
 * gives its lease to one that stays, which is asked again and finishes.
 */
export async function relocate(
	replica: Replica,
	group: RaftGroupHandle,
	nodes: readonly NodeId[],
): Promise<RangeAnswer> {
	const { descriptor } = replica.state;
	const present = descriptor.replicas;
	const missing = nodes.filter((n) => !present.some((r) => r.nodeId === n));
	const self = replica.context.nodeId;
	const leaving = present.filter((r) => !nodes.includes(r.nodeId) && r.nodeId !== self);
	if (missing.length === 0 && leaving.length === 0) {
		return nodes.includes(self) ? { kind: "done" } : giveAway(replica, nodes);
	}
	const first = await replica.context.allocate("replica", Math.max(1, missing.length));
	const added = missing.map((nodeId, i) => ({ nodeId, replicaId: (first + i) as ReplicaId }));
	const all = [...present, ...added];
	for (const { replicaId } of added) {
		await change(replica, group, all, [{ kind: "add-learner", replica: replicaId }]);
	}
	await until(replica, `learners of range ${descriptor.rangeId} catch up`, () => {
		const { progress, commit } = group.status();
		return added.every(({ replicaId }) =>
			progress.some((p) => p.replica === replicaId && p.match > 0 && p.match + 100 > commit),
		);
	});
	await change(replica, group, all, [
		...added.map((a) => ({ kind: "add-voter" as const, replica: a.replicaId })),
		...leaving.map((l) => ({ kind: "remove" as const, replica: l.replicaId })),
	]);
	return nodes.includes(self) ? { kind: "done" } : giveAway(replica, nodes);
}

/** Moves the lease to a node that stays, the first that can take it; the asker finds it there. */
async function giveAway(replica: Replica, nodes: readonly NodeId[]): Promise<RangeAnswer> {
	for (let i = 0; i < giveAwayAttempts && replica.holding(); i++) {
		for (const { nodeId, role } of replica.state.descriptor.replicas) {
			if (role === "voter" && nodes.includes(nodeId) && (await replica.transferLease(nodeId))) {
				return replica.notLeaseholder();
			}
		}
		await sleep(replica);
	}
	if (replica.holding()) {
		throw new DatabaseError("55000", "could not move the lease to a node that stays");
	}
	return replica.notLeaseholder();
}

async function change(
	replica: Replica,
	group: RaftGroupHandle,
	members: readonly { nodeId: NodeId; replicaId: ReplicaId }[],
	changes: ConfigurationChange["changes"],
): Promise<void> {
	const { conf } = replica.state.descriptor.epoch;
	await until(replica, "an earlier membership change to end", () => {
		return (
			group.status().configuration.outgoing.length === 0 &&
			group.proposeConfiguration({ changes, context: encodeContext(members) }) !== undefined
		);
	});
	await until(replica, "the membership change to apply", () => {
		const { epoch } = replica.state.descriptor;
		return epoch.conf > conf && group.status().configuration.outgoing.length === 0;
	});
}

/** Polls a condition of the Raft group; gives up with an error when the replica leads no more. */
async function until(replica: Replica, what: string, condition: () => boolean): Promise<void> {
	for (let i = 0; i < attemptsMax; i++) {
		if (condition()) {
			return;
		}
		if (!replica.leads()) {
			break;
		}
		await sleep(replica);
	}
	throw new DatabaseError("55000", `gave up waiting for ${what}`, {
		hint: "Try again when all nodes of the range are up.",
	});
}

function sleep(replica: Replica): Promise<void> {
	return new Promise((resolve) => {
		replica.context.runtime.scheduler.setTimer(pollMs, resolve);
	});
}
