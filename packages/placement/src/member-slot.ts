/**
 * This node's place in the placement group: empty, or a replica of it with the service on it.
 *
 * M1. A replica is made only when the group's leader asks for it, under an id that was drawn for it and never used, and before the
 *     leader proposes it. Its first state comes as a snapshot.
 * M2. What goes is written down before its log goes, and no id up to it is taken again: it has forgotten its votes.
 * M3. A member that was removed while it did not listen finds out by asking, when it has known no leader for a while; the leader
 *     answers after a round. One that has never had any state waits: it may be about to be proposed.
 *
 * A node without a replica answers what the group is asked for with whom it believes to lead.
 */
import { assert } from "@quorate/keys/assert";
import type { ReplicaId } from "@quorate/keys/ids";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { ConnectedPlacementClient } from "./client.ts";
import { placementNode, placementRangeId, placementReplica } from "./genesis.ts";
import { PlacementMachine } from "./group-machine.ts";
import { PlacementLeader } from "./leader.ts";
import { type MemberRecord, readMemberRecord, writeMemberRecord } from "./member-file.ts";
import { type LeaderAnswer, leaderMethods, methods, readCount } from "./messages.ts";
import type { StartPlacementOptions } from "./placement.ts";
import type { MoveExecutor } from "./scheduler/scheduler.ts";

const directory = "placement";
const statePath = `${directory}/state`;
const recordPath = `${directory}/member`;
const lookMs = 2_000;
const askMs = 2_000;

interface Member {
	readonly replicaId: ReplicaId;
	readonly machine: PlacementMachine;
	readonly leader: PlacementLeader;
	readonly remove: (recorded: Promise<void>) => Promise<void>;
}

export class MemberSlot {
	readonly #options: StartPlacementOptions;
	readonly #runtime: Runtime;
	#current: Member | undefined;
	#retired = 0;
	#client: ConnectedPlacementClient | undefined;
	#executor: MoveExecutor | undefined;
	/** Changes of the slot, one after the other. */
	#last: Promise<unknown> = Promise.resolve();
	#timer: Timer | undefined;
	#isLeaderless = false;
	#isClosed = false;

	private constructor(options: StartPlacementOptions) {
		this.#options = options;
		this.#runtime = options.runtime;
	}

	static async open(options: StartPlacementOptions): Promise<MemberSlot> {
		const slot = new MemberSlot(options);
		const { runtime, host, identity } = options;
		await runtime.disk.makeDirectory(directory);
		const record = await readMemberRecord(runtime.disk, recordPath);
		const { nodeId, founders, replicasFrom } = identity;
		const isFounder = founders.some((founder) => founder.nodeId === nodeId);
		const born = isFounder ? placementReplica(nodeId, replicasFrom) : 0;
		const replica = (record?.replica ?? born) as ReplicaId;
		slot.#retired = record?.retired ?? 0;
		slot.#listen();
		if (replica === 0) {
			await host.discard(placementRangeId);
		} else {
			await slot.#start(replica, record === undefined);
		}
		return slot;
	}

	/** Undefined: this node is no member. */
	get leader(): PlacementLeader | undefined {
		return this.#current?.leader;
	}

	get machine(): PlacementMachine | undefined {
		return this.#current?.machine;
	}

	attach(client: ConnectedPlacementClient): void {
		this.#client = client;
		this.#look();
	}

	schedule(executor: MoveExecutor): void {
		this.#executor = executor;
		this.#current?.leader.schedule(executor, this.#options.limits);
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
		this.#current?.leader.close();
	}

	#listen(): void {
		const { rpc, identity } = this.#options;
		for (const method of leaderMethods) {
			rpc.handle(method, (body, from): Promise<LeaderAnswer> | LeaderAnswer => {
				const believed = this.#client?.calls.leader ?? 0;
				// Whoever is sent back to where it asked would ask there for ever.
				const hint = believed === identity.nodeId ? 0 : believed;
				return this.#current?.leader.handle(method, body, from?.nodeId) ?? [false, hint];
			});
		}
		rpc.handle(methods.becomeMember, (body) =>
			this.#become(readCount(body, 1, Number.MAX_SAFE_INTEGER, "replica id") as ReplicaId),
		);
	}

	/** `isBorn`: with the state of the cluster's birth, where there is no other. */
	async #start(replicaId: ReplicaId, isBorn: boolean): Promise<void> {
		const { runtime, rpc, host, identity, mutations } = this.#options;
		let leader: PlacementLeader | undefined;
		const machine = await PlacementMachine.open({
			runtime,
			identity,
			path: statePath,
			isBorn,
			mutations,
			onLeadership: () => leader?.leadershipChanged(),
			onRemoved: () => void this.#step(() => this.#retire(replicaId)),
		});
		leader = new PlacementLeader({ runtime, rpc, machine, self: identity.nodeId });
		const handle = host.addGroup({
			rangeId: placementRangeId,
			replicaId,
			machine,
			applied: machine.applied,
			campaignAtStart: true,
			standsFirst: true,
			bornAt: 0,
			statePath,
		});
		machine.attach(handle);
		const remove = (recorded: Promise<void>) => handle.remove(recorded);
		this.#current = { replicaId, machine, leader, remove };
		if (this.#executor !== undefined) {
			leader.schedule(this.#executor, this.#options.limits);
		}
	}

	/** True once the replica is here (M1). */
	#become(replica: ReplicaId): Promise<boolean> {
		return this.#step(async () => {
			const present = this.#current;
			if (present?.replicaId === replica) {
				return true;
			}
			const isOurs = placementNode(replica) === this.#options.identity.nodeId;
			if (!isOurs || replica <= this.#retired || (present && present.replicaId > replica)) {
				return false;
			}
			if (present !== undefined) {
				await this.#retire(present.replicaId);
			}
			await this.#forgetState();
			await this.#record({ replica, retired: replica - 1 });
			await this.#start(replica, false);
			return true;
		});
	}

	/** M2. */
	async #retire(replica: ReplicaId): Promise<void> {
		const member = this.#current;
		if (member?.replicaId !== replica) {
			return;
		}
		this.#runtime.logger.log("info", "this node is no member of the placement group any more");
		this.#current = undefined;
		member.leader.close();
		member.machine.close();
		await member.remove(this.#record({ replica: 0, retired: replica }));
		await this.#forgetState();
	}

	/** Durably: a replica that is made later must not find the state of the one before, whose name a loss of power had brought back. */
	async #forgetState(): Promise<void> {
		const { disk } = this.#runtime;
		await disk.remove(statePath).catch(() => undefined);
		try {
			await disk.syncDirectory(directory);
		} catch (error) {
			this.#runtime.fatal(`${directory} could not be synced: ${String(error)}`);
		}
	}

	async #record(record: MemberRecord): Promise<void> {
		assert(record.retired >= this.#retired, "M2: what is retired stays so");
		this.#retired = record.retired;
		try {
			await writeMemberRecord(this.#runtime.disk, recordPath, record);
		} catch (error) {
			this.#runtime.fatal(`${recordPath} could not be written: ${String(error)}`);
		}
	}

	/** M3. */
	#look(): void {
		this.#timer = this.#runtime.scheduler.setTimer(lookMs, () => {
			if (this.#isClosed) {
				return;
			}
			const member = this.#current;
			const isLeaderless =
				member !== undefined && member.machine.leader === 0 && member.machine.applied.index > 0;
			if (isLeaderless && this.#isLeaderless) {
				void this.#askWhether(member);
			}
			this.#isLeaderless = isLeaderless;
			this.#look();
		});
	}

	async #askWhether(member: Member): Promise<void> {
		try {
			const isMember = await this.#client?.calls.call(methods.isMember, member.replicaId, askMs);
			if (isMember === false) {
				await this.#step(() => this.#retire(member.replicaId));
			}
		} catch (error) {
			this.#runtime.logger.log("debug", "nobody leads the placement group", {
				error: String(error),
			});
		}
	}

	#step<T>(task: () => Promise<T>): Promise<T> {
		const result = this.#last.then(task);
		this.#last = result.catch(() => undefined);
		return result;
	}
}
