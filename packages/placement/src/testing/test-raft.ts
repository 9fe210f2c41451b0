/**
 * One Raft group as its users see it, without the protocol: a list of entries that live members
 * apply at their own pace. A replaced leader learns of it late; what it proposed in between is
 * lost.
 */
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Configuration, LogIndex, Term } from "@quorate/raft/types";
import type {
	CommittedEntry,
	GroupMachine,
	GroupOptions,
	RaftGroupHandle,
	RaftHost,
} from "@quorate/replica/host-types";
import type { TestProcess, TestWorld } from "./test-world.ts";

interface Member {
	readonly process: TestProcess;
	readonly replicaId: ReplicaId;
	readonly machine: GroupMachine;
	applied: LogIndex;
	/** The term in which it believes to lead; 0: it does not. */
	leads: Term;
}

export class TestGroup {
	readonly #world: TestWorld;
	readonly #configuration: Configuration;
	readonly #log: CommittedEntry[] = [];
	readonly #members = new Map<ReplicaId, Member>();
	#term: Term = 0;
	#leader: ReplicaId | undefined;

	constructor(world: TestWorld, configuration: Configuration) {
		this.#world = world;
		this.#configuration = configuration;
		this.#watch();
	}

	get leader(): ReplicaId | undefined {
		return this.#leader;
	}

	get entries(): number {
		return this.#log.length;
	}

	add(process: TestProcess, options: GroupOptions): RaftGroupHandle {
		const { replicaId, machine } = options;
		const member: Member = {
			process,
			replicaId,
			machine,
			applied: options.applied.index,
			leads: 0,
		};
		this.#members.set(replicaId, member);
		// With it there may be a majority again, which has what was proposed without.
		for (const one of this.#members.values()) this.#pump(one);
		return this.#handle(member, options.rangeId);
	}

	/** Of the member in that process. */
	async checkpoint(process: TestProcess): Promise<void> {
		const members = [...this.#members.values()];
		await members.find((member) => member.process === process)?.machine.checkpoint?.();
	}

	/** Moves the lead to a living member; the old leader hears of it later. */
	elect(replicaId: ReplicaId): void {
		this.#term++;
		this.#leader = replicaId;
		const term = this.#term;
		this.#append(undefined, term);
		for (const member of this.#members.values()) {
			const isLeader = member.replicaId === replicaId;
			const delayMs = isLeader ? 0 : 20 + this.#world.random() * 500;
			this.#world.at(this.#world.nowMs + delayMs, member.process, () => {
				if (term === this.#term) {
					member.leads = isLeader ? term : 0;
					member.machine.leadershipChanged({ isLeader, term, leader: replicaId });
					this.#pump(member);
				}
			});
		}
	}

	#watch(): void {
		this.#world.at(this.#world.nowMs + 200, undefined, () => {
			const leader = this.#leader === undefined ? undefined : this.#members.get(this.#leader);
			const next = [...this.#members.values()].find(isUp);
			if (this.#hasMajority() && next !== undefined && (leader === undefined || !isUp(leader))) {
				this.elect(next.replicaId);
			}
			this.#watch();
		});
	}

	#hasMajority(): boolean {
		const up = [...this.#members.values()].filter(isUp).length;
		return up * 2 > this.#configuration.voters.length;
	}

	#append(command: Uint8Array | undefined, term: Term): LogIndex {
		const index = this.#log.length + 1;
		this.#log.push({ index, term, command, change: undefined, configuration: undefined });
		for (const member of this.#members.values()) {
			this.#pump(member);
		}
		return index;
	}

	/**
	 * A leader's own entries wait for its term to be known to it, as entries follow elections in
	 * Raft.
	 */
	#pump(member: Member): void {
		this.#world.at(this.#world.nowMs + this.#world.delayMs(), member.process, () => {
			const isTold = this.#leader !== member.replicaId || member.leads === this.#term;
			if (isTold && this.#hasMajority()) {
				const entries = this.#log.slice(member.applied);
				member.applied = this.#log.length;
				member.machine.apply(entries);
			}
		});
	}

	#isLeading(member: Member, term: Term): boolean {
		return member.leads === term && this.#term === term && this.#hasMajority();
	}

	#handle(member: Member, rangeId: RangeId): RaftGroupHandle {
		const { replicaId } = member;
		const handle: Partial<RaftGroupHandle> = {
			rangeId,
			replicaId,
			propose: (command) => {
				const term = member.leads;
				if (term === 0) {
					return undefined;
				}
				if (this.#term !== term) {
					return { index: this.#log.length + 1000, term };
				}
				return { index: this.#append(command, term), term };
			},
			readIndex: () => this.#readIndex(member),
			wake: () => undefined,
		};
		return handle as RaftGroupHandle;
	}

	#readIndex(member: Member): Promise<LogIndex> {
		const term = member.leads;
		const index = this.#log.length;
		const { nowMs } = this.#world;
		return new Promise((resolve, reject) => {
			const wait = () => {
				this.#world.at(this.#world.nowMs + this.#world.delayMs(), member.process, () => {
					if (member.leads !== term || this.#world.nowMs - nowMs > 2000) {
						reject(new Error("not the leader"));
					} else if (this.#isLeading(member, term) && member.applied >= index) {
						resolve(index);
					} else {
						wait();
					}
				});
			};
			wait();
		});
	}
}

const isUp = (member: Member): boolean =>
	!member.process.isDead && member.process.asleepUntilMs <= member.process.world.nowMs;

/** The host of one process, for that one group. */
export function testHost(group: TestGroup, process: TestProcess): RaftHost {
	const host: Partial<RaftHost> = {
		addGroup: (options) => group.add(process, options),
		discard: () => Promise.resolve(),
	};
	return host as RaftHost;
}
