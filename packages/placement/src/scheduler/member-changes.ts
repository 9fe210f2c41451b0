/**
 * Brings the placement group to the members that `members.ts` wants, a step a call: a learner is invited and added, one at a time;
 * when all have caught up, one joint change makes them voters and removes those that go. Each step follows from the group's
 * configuration alone, so any leader goes on where the one before stopped.
 */
import type { NodeId, ReplicaId } from "@quorate/keys/ids";
import { isJoint, members } from "@quorate/raft/configuration";
import type { ConfigurationChange } from "@quorate/raft/types";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import { placementNode, placementReplica } from "../genesis.ts";
import type { PlacementMachine } from "../group-machine.ts";
import { methods } from "../messages.ts";
import { wantedMembers } from "./members.ts";
import type { NodeView } from "./view.ts";

const inviteMs = 3_000;
/** A learner that has not caught up by then goes, and another is invited. */
const learnMsMax = 30_000;

export interface MemberChangesOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly machine: PlacementMachine;
	/** Something was decided. */
	record(from: readonly NodeId[], to: readonly NodeId[], reason: string): void;
}

export class MemberChanges {
	readonly #options: MemberChangesOptions;
	#isInviting = false;
	/** Since when learners are known. */
	readonly #learning = new Map<ReplicaId, number>();

	constructor(options: MemberChangesOptions) {
		this.#options = options;
	}

	reset(): void {
		this.#learning.clear();
	}

	/** Whether the members are those wanted. */
	step(nodes: readonly NodeView[]): boolean {
		const { machine } = this.#options;
		const { configuration } = machine.applied;
		const { voters, learners } = configuration;
		const present = [...new Set(voters.map(placementNode))];
		const isRenewing = learners.some((l) => present.includes(placementNode(l)));
		if (isJoint(configuration) || isRenewing || this.#isInviting) {
			return false;
		}
		const wanted = wantedMembers(nodes, present);
		const stray = learners.find((l) => this.#isStray(l, wanted, nodes));
		if (stray !== undefined) {
			machine.reform([{ kind: "remove", replica: stray }]);
			return false;
		}
		const known = new Set(members(configuration).map(placementNode));
		const missing = wanted.find((node) => !known.has(node));
		if (missing !== undefined) {
			this.#isInviting = true;
			void this.#invite(missing).finally(() => {
				this.#isInviting = false;
			});
			return false;
		}
		return this.#settle(voters, learners, wanted);
	}

	#settle(
		voters: readonly ReplicaId[],
		learners: readonly ReplicaId[],
		wanted: readonly NodeId[],
	): boolean {
		const { machine, record } = this.#options;
		const leaving = voters.filter((v) => !wanted.includes(placementNode(v)));
		if (learners.length === 0 && leaving.length === 0) {
			return true;
		}
		if (!learners.every((l) => machine.hasCaughtUp(l))) {
			return false;
		}
		if (machine.replicaId !== undefined && leaving.includes(machine.replicaId)) {
			machine.resign(wanted);
			return false;
		}
		const changes: ConfigurationChange["changes"] = [
			...learners.map((replica) => ({ kind: "add-voter" as const, replica })),
			...leaving.map((replica) => ({ kind: "remove" as const, replica })),
		];
		if (machine.reform(changes)) {
			record(
				leaving.map(placementNode),
				learners.map(placementNode),
				`the placement group is to be on nodes ${wanted.join(", ")}`,
			);
		}
		return false;
	}

	/** Nobody wants it any more, or it does not get on. */
	#isStray(learner: ReplicaId, wanted: readonly NodeId[], nodes: readonly NodeView[]): boolean {
		const node = placementNode(learner);
		const nowMs = this.#options.runtime.clock.monotonicMs();
		const sinceMs = this.#learning.get(learner) ?? nowMs;
		this.#learning.set(learner, sinceMs);
		const isUp = nodes.some((n) => n.nodeId === node && n.isUp);
		return !wanted.includes(node) || !isUp || nowMs - sinceMs > learnMsMax;
	}

	/** The node makes its replica first: what is sent to it finds it there. */
	async #invite(node: NodeId): Promise<void> {
		const { machine, rpc, runtime } = this.#options;
		const { index } = machine.configured;
		const drawn = await machine.propose({ kind: "allocate", id: "replica", count: 1 });
		if (typeof drawn !== "object" || drawn.kind !== "allocated") {
			return;
		}
		const replica = placementReplica(node, drawn.first);
		try {
			const limits = { timeoutMs: inviteMs };
			const isThere = await rpc.call(node, methods.becomeMember, replica, limits);
			// Nobody has changed the members meanwhile.
			if (isThere === true && machine.isServing && machine.configured.index === index) {
				machine.reform([{ kind: "add-learner", replica }]);
			}
		} catch (error) {
			runtime.logger.log("debug", `node ${node} did not become a member`, {
				error: String(error),
			});
		}
	}
}
