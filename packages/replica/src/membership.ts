/** Changes of a range's replicas: what an applied change does to the descriptor, and the steps that move a range to other nodes. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import type { RangeDescriptor, ReplicaDescriptor } from "@quorate/keys/range";
import type { ConfigurationChange, Term } from "@quorate/raft/types";
import { decodeBody, encodeBody } from "@quorate/rpc/body";
import type { CommittedEntry, RaftGroupHandle } from "./host-types.ts";
import type { Replica } from "./replica.ts";
import type { RangeAnswer } from "./requests.ts";

const contextFormat = 1;

/** The context of a change: node and replica id of every member that it names or keeps. */
export function encodeContext(members: readonly Member[]): Uint8Array {
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
 *
 * Every change is proposed only to the membership that it was thought out for. So of two relocations at once one gives up, no node
 * gets two replicas of a range, and no id is added after a later one: a node makes no replica whose id is below one that it
 * had (`retired-ids.ts`).
 */
export async function relocate(
	replica: Replica,
	group: RaftGroupHandle,
	nodes: readonly NodeId[],
): Promise<RangeAnswer> {
	assertNotMerging(replica);
	const changes = new MembershipChanges(replica, group);
	await changes.until("an earlier membership change to end", () => changes.isSettled);
	const present = replica.state.descriptor.replicas;
	changes.follow(replica.state.descriptor.epoch.conf);
	const missing = nodes.filter((n) => !present.some((r) => r.nodeId === n));
	const self = replica.context.nodeId;
	const leaving = present.filter((r) => !nodes.includes(r.nodeId) && r.nodeId !== self);
	// Left by a relocation that did not end. One that stays has no vote until it is given one.
	const learning = present.filter((r) => r.role === "learner" && nodes.includes(r.nodeId));
	if (missing.length > 0 || leaving.length > 0 || learning.length > 0) {
		const added = await newReplicas(replica, missing);
		const all = [...present, ...added];
		for (const { replicaId } of added) {
			await changes.make(all, [{ kind: "add-learner", replica: replicaId }]);
		}
		const promoted = [...learning, ...added];
		const { rangeId } = replica.state.descriptor;
		await changes.until(`learners of range ${rangeId} catch up`, () => isLevel(group, promoted));
		await changes.make(all, [
			...promoted.map((a) => ({ kind: "add-voter" as const, replica: a.replicaId })),
			...leaving.map((l) => ({ kind: "remove" as const, replica: l.replicaId })),
		]);
	}
	return nodes.includes(self) ? { kind: "done" } : giveAway(replica, nodes);
}

interface Member {
	readonly nodeId: NodeId;
	readonly replicaId: ReplicaId;
}

async function newReplicas({ context }: Replica, nodes: readonly NodeId[]): Promise<Member[]> {
	if (nodes.length === 0) {
		return [];
	}
	const first = await context.allocate("replica", nodes.length);
	return nodes.map((nodeId, i) => ({ nodeId, replicaId: (first + i) as ReplicaId }));
}

/** They have, or nearly, what the leader has. */
function isLevel(group: RaftGroupHandle, replicas: readonly Member[]): boolean {
	const { progress, commit } = group.status();
	return replicas.every(({ replicaId }) =>
		progress.some((p) => p.replica === replicaId && p.match > 0 && p.match + 100 > commit),
	);
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

/** Changes that follow each other, within one term and with nobody else's between. */
class MembershipChanges {
	readonly #replica: Replica;
	readonly #group: RaftGroupHandle;
	readonly #term: Term;
	/** Of the membership that the next change is meant for. */
	#conf = 0;

	constructor(replica: Replica, group: RaftGroupHandle) {
		this.#replica = replica;
		this.#group = group;
		this.#term = group.status().term;
	}

	get #confNow(): number {
		return this.#replica.state.descriptor.epoch.conf;
	}

	/** No change is half done. */
	get isSettled(): boolean {
		return this.#group.status().configuration.outgoing.length === 0;
	}

	follow(conf: number): void {
		this.#conf = conf;
	}

	async make(members: readonly Member[], changes: ConfigurationChange["changes"]): Promise<void> {
		const change = { changes, context: encodeContext(members) };
		await this.until("an earlier membership change to apply", () => {
			if (this.#confNow !== this.#conf) {
				throw new DatabaseError("55000", `the members of ${this.#replica} have changed meanwhile`, {
					hint: "Try again.",
				});
			}
			assertNotMerging(this.#replica);
			return this.#group.proposeConfiguration(change) !== undefined;
		});
		// Within a term, what is applied next of all changes is this one; several at once end with another entry.
		this.#conf += changes.length > 1 ? 2 : 1;
		await this.until("the membership change to apply", () => this.#confNow >= this.#conf);
	}

	/** Polls a condition of the Raft group; gives up with an error when the replica leads no more. */
	async until(what: string, condition: () => boolean): Promise<void> {
		for (let i = 0; i < attemptsMax; i++) {
			if (!this.#replica.leads() || this.#group.status().term !== this.#term) {
				break;
			}
			if (condition()) {
				return;
			}
			await sleep(this.#replica);
		}
		throw new DatabaseError("55000", `gave up waiting for ${what}`, {
			hint: "Try again when all nodes of the range are up.",
		});
	}
}

/** M2: from before its first entry until its last a merge relies on the members. */
export function assertNotMerging(replica: Replica): void {
	if (replica.isMerging) {
		throw new DatabaseError("55000", `${replica} is being merged`, { hint: "Try again." });
	}
}

function sleep(replica: Replica): Promise<void> {
	return new Promise((resolve) => {
		replica.context.runtime.scheduler.setTimer(pollMs, resolve);
	});
}
