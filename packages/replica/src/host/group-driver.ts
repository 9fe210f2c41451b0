/** Drives one Raft group and its state machine: what a handle offers to the layers above, and what a pass does with a group. */
import { assert } from "@quorate/keys/assert";
import type { NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import { members } from "@quorate/raft/configuration";
import type { RaftGroup, RaftStatus } from "@quorate/raft/group";
import { entryBytes } from "@quorate/raft/log";
import { quorumValue } from "@quorate/raft/quorum";
import type {
	Configuration,
	ConfigurationChange,
	Entry,
	LogIndex,
	Message,
	Ready,
	SnapshotMetadata,
	Term,
} from "@quorate/raft/types";
import type { CommittedEntry, GroupMachine, GroupOptions, RaftGroupHandle } from "../host-types.ts";
import type { HostContext } from "./context.ts";
import { GroupWork } from "./group-work.ts";
import { NotLeaderError } from "./not-leader-error.ts";
import { ReadWaits } from "./read-waits.ts";
import { WriteGate } from "./write-gate.ts";

/** No Raft entry is larger (design, section 6). */
const commandBytesMax = 1 << 20;
/** A leader that had nothing to do for so many ticks asks its group to be quiet. */
const idleTicksMax = 5;
/** The peers of a group that is being born may come to life a little later: it asks for votes again, soon and then less often. */
const birthCampaigns = 24;
const birthPauseMs = { first: 5, most: 100 };

/** A read round asks few replicas first: if it is not confirmed after this long, it asks all. */
const readRetryMs = 10;

export class GroupDriver implements RaftGroupHandle {
	readonly rangeId: RangeId;
	readonly replicaId: ReplicaId;
	readonly raft: RaftGroup;
	readonly machine: GroupMachine;
	/** The next pass looks at it. */
	isDirty = false;
	isRemoved = false;
	/** The machine is being replaced by a snapshot: nothing is applied meanwhile. */
	isInstalling = false;
	/** All others need what it decides: its elections wait for nobody's. */
	readonly standsFirst: boolean;

	readonly #context: HostContext;
	/** Undefined: its group is folded, and nothing has come since. */
	#work: GroupWork | undefined;
	/** The one that counts for the start of the log, and later ones by the index they count from. */
	#configuration: Configuration;
	#later: readonly { readonly index: LogIndex; readonly configuration: Configuration }[] = none;
	#isLeader = false;
	#term: Term = 0;
	#leader = 0 as ReplicaId;

	constructor(context: HostContext, options: GroupOptions, raft: RaftGroup) {
		this.#context = context;
		this.rangeId = options.rangeId;
		this.replicaId = options.replicaId;
		this.machine = options.machine;
		this.standsFirst = options.standsFirst === true;
		this.raft = raft;
		this.#configuration = options.applied.configuration;
	}

	get work(): GroupWork {
		this.#work ??= new GroupWork();
		return this.#work;
	}

	get workIfAny(): GroupWork | undefined {
		return this.#work;
	}

	// ---- what the layers above ask for

	propose(command: Uint8Array): { readonly index: LogIndex; readonly term: Term } | undefined {
		assert(command.length <= commandBytesMax, () => `a Raft entry of ${command.length} bytes`);
		if (this.isRemoved) return undefined;
		const proposed = this.raft.propose(command);
		if (proposed !== undefined) this.#busy();
		return proposed;
	}

	proposeConfiguration(
		change: ConfigurationChange,
	): { readonly index: LogIndex; readonly term: Term } | undefined {
		if (this.isRemoved) return undefined;
		const proposed = this.raft.proposeConfiguration(change);
		this.#busy();
		return proposed;
	}

	readIndex(): Promise<LogIndex> {
		if (this.isRemoved || this.raft.role !== "leader") return Promise.reject(notLeader(this));
		const { work } = this;
		work.reads ??= new ReadWaits();
		const { request, isNew } = work.reads.join();
		if (isNew) {
			this.raft.readIndex(request.id);
			this.#busy();
			this.#watchReads();
		}
		return request.promise;
	}

	#watchReads(): void {
		const { work } = this;
		const oldest = work.reads?.oldest;
		if (work.readTimer !== undefined || oldest === undefined) return;
		work.readTimer = this.#context.runtime.scheduler.setTimer(readRetryMs, () => {
			work.readTimer = undefined;
			if (work.reads?.oldest === oldest) {
				this.raft.retryReads();
				this.#context.touch(this);
			}
			this.#watchReads();
		});
	}

	admit(bytes: number): Promise<void> | undefined {
		if (this.isRemoved || this.raft.role !== "leader") return undefined;
		const { work } = this;
		work.gate ??= new WriteGate(this.#context.runtime.scheduler);
		const waiting = work.gate.enter(bytes, this.raft.backlogBytes);
		if (waiting !== undefined) this.#context.writeDelayed();
		return waiting;
	}

	transferLeadership(to: ReplicaId): void {
		if (this.isRemoved) return;
		this.raft.transferLeadership(to);
		this.#busy();
	}

	campaign(): void {
		this.#stand();
		this.#standAgain(birthCampaigns, birthPauseMs.first);
	}

	#stand(): void {
		if (this.isRemoved) return;
		this.raft.campaign();
		this.#busy();
	}

	#standAgain(times: number, pauseMs: number): void {
		const { work } = this;
		work.birthTimer?.cancel();
		work.birthTimer = this.#context.runtime.scheduler.setTimer(pauseMs, () => {
			work.birthTimer = undefined;
			if (this.isRemoved || this.raft.leader !== 0 || times === 0) return;
			if (this.raft.role !== "candidate") this.#stand();
			this.#standAgain(times - 1, Math.min(birthPauseMs.most, 2 * pauseMs));
		});
	}

	announceCommit(): void {
		if (this.isRemoved) return;
		this.raft.announceCommit();
		if (this.raft.hasReady()) this.#context.touch(this);
	}

	wake(): void {
		if (this.isRemoved) return;
		if (!this.raft.isQuiesced) {
			this.#context.asked(this);
			return;
		}
		this.raft.wake();
		this.#busy();
	}

	get waitsToStand(): boolean {
		return this.#context.waitsToStand(this);
	}

	get isAtRest(): boolean {
		return this.raft.isQuiesced;
	}

	get leader(): ReplicaId {
		return this.raft.leader;
	}

	rest(): void {
		if (this.isRemoved || !this.raft.isQuiesced) return;
		this.#fold();
		// Who is gone will want what it has missed.
		if (this.missesSome) this.#context.missesSome(this);
		else this.#context.rests(this);
	}

	status(): RaftStatus {
		return this.raft.status();
	}

	async remove(recorded: Promise<void>): Promise<void> {
		if (this.isRemoved) return;
		this.end();
		this.#context.removed(this);
		await recorded;
		const { rangeId, replicaId } = this;
		await this.#context.append([{ rangeId, replicaId, removed: true }]);
	}

	// ---- what the host does with it

	/** Nothing is done for the group any more. */
	end(): void {
		this.isRemoved = true;
		this.#work?.readTimer?.cancel();
		this.#work?.birthTimer?.cancel();
		this.#work?.reads?.failAll(notLeader(this));
		this.#work?.gate?.open();
	}

	step(message: Message, fromNode: NodeId): void {
		this.work.heardFrom.set(message.from, fromNode);
		this.raft.step(message);
		this.#context.touch(this);
	}

	nodeOf(replica: ReplicaId): NodeId | undefined {
		return this.machine.nodeOf(replica) ?? this.#work?.heardFrom.get(replica);
	}

	/** Its turn has come, or somebody asks for the group (`elections.ts`). */
	stand(): void {
		this.raft.stand();
		this.#context.touch(this);
	}

	tick(isLate: boolean): void {
		this.raft.tick(false, isLate);
		if (this.raft.role === "leader") {
			this.work.idleTicks++;
			if (this.work.idleTicks >= idleTicksMax) this.#quiesce();
		}
		const isAwaited = this.#hasLeadershipChanged() || this.#work?.gate?.isEmpty === false;
		if (this.raft.hasReady() || isAwaited) this.#context.touch(this);
	}

	#quiesce(): void {
		const isGone = (replica: ReplicaId): boolean => {
			const node = this.nodeOf(replica);
			return node !== undefined && this.#context.isLost(node);
		};
		if (this.raft.quiesce(isGone) && this.missesSome) this.#context.missesSome(this);
	}

	/** Members whose nodes are lost. */
	get missesSome(): boolean {
		return this.nodes().some((node) => this.#context.isLost(node));
	}

	/** A member is heard of again that it may rest without. */
	returned(): void {
		if (this.isRemoved || this.raft.role !== "leader" || !this.raft.isQuiesced) return;
		this.raft.wake();
		this.#context.touch(this);
	}

	takeReady(): Ready | undefined {
		if (!this.raft.hasReady()) return undefined;
		this.#work?.reads?.close();
		return this.raft.ready(false);
	}

	/** Something has happened to the group: whoever waits for it may go on. */
	look(): void {
		this.reportLeadership();
		if (this.raft.isQuiesced) this.#fold();
		const gate = this.#work?.gate;
		if (gate === undefined || gate.isEmpty) return;
		if (this.raft.role === "leader") gate.letIn(this.raft.backlogBytes);
		else gate.open();
	}

	#fold(): void {
		this.raft.fold();
		if (this.raft.isFolded && this.#work?.mayGo === true) this.#work = undefined;
	}

	/**
	 * After what `ready` wants written and sent is on its way. `mayApply`: the pass has time left; where not, the group comes first in
	 * the next one. Returns how much was written by applying, in bytes.
	 */
	finish(ready: Ready, mayApply: boolean): number {
		this.reportLeadership();
		const waits = !this.#holdsBack && this.raft.hasCommitted;
		this.work.waitsToApply = waits && !mayApply;
		const work = waits && mayApply ? this.#apply(this.raft.takeCommitted()) : 0;
		if (!this.isRemoved) this.#goOn(ready);
		return work;
	}

	#goOn(ready: Ready): void {
		const { reads } = this.work;
		for (const { requestId, index } of ready.reads) reads?.confirm(requestId, index);
		for (const requestId of ready.readsFailed) reads?.fail(requestId, notLeader(this));
		reads?.applied(this.raft.applied);
		// What was applied may have changed the role.
		this.look();
		const rests = this.#holdsBack ? !this.raft.hasReadyBesideCommitted() : !this.raft.hasReady();
		if (!rests) this.#context.touch(this);
	}

	get #holdsBack(): boolean {
		return this.isInstalling || this.#work?.beginning !== undefined;
	}

	/** The group is new to the log: `written` is its first record. */
	beginsWith(written: Promise<void>): void {
		const { work } = this;
		work.beginning = written.then(() => {
			work.beginning = undefined;
			this.#context.touch(this);
		});
	}

	#apply(committed: readonly Entry[]): number {
		// A configuration counts from when it is applied, so it is not handed on together with what follows.
		const change = committed.findIndex(({ payload }) => payload.kind === "configuration");
		const part = change < 0 ? committed : committed.slice(0, Math.max(1, change));
		const applied = this.machine.apply(part.map((entry) => this.#committedEntry(entry)));
		assert(applied > 0 && applied <= part.length, "a machine applies some of what it is given");
		for (let n = 0; n < applied; n++) this.work.appliedBytes += entryBytes(part[n]!);
		this.work.appliedCount += applied;
		this.#context.applied(applied);
		if (!this.isRemoved) {
			this.raft.reportApplied(part[applied - 1]!.index, applied < committed.length);
		}
		return this.machine.appliedBytes;
	}

	#committedEntry({ index, term, payload }: Entry): CommittedEntry {
		switch (payload.kind) {
			case "empty":
				return { index, term, command: undefined, change: undefined, configuration: undefined };
			case "command": {
				const command = payload.data;
				return { index, term, command, change: undefined, configuration: undefined };
			}
			case "configuration": {
				const { change } = payload;
				const configuration = this.raft.applyConfiguration(change);
				this.#later = [...this.#later, { index, configuration }];
				return { index, term, command: undefined, change, configuration };
			}
		}
	}

	reportLeadership(): void {
		if (!this.#hasLeadershipChanged()) return;
		const { role, term, leader } = this.raft;
		if (leader !== this.#leader && leader !== 0) this.#context.leaderChanged();
		this.#isLeader = role === "leader";
		this.#term = term;
		this.#leader = leader;
		this.machine.leadershipChanged({ isLeader: this.#isLeader, term, leader });
	}

	#hasLeadershipChanged(): boolean {
		const { role, term, leader } = this.raft;
		return (role === "leader") !== this.#isLeader || term !== this.#term || leader !== this.#leader;
	}

	/** The machine has become this snapshot, durably. Resolves when the log has as well. */
	async installed(message: Message & { readonly kind: "snapshot" }, from: NodeId): Promise<void> {
		const { metadata } = message;
		const keeps = this.raft.termOf(metadata.index) === metadata.term;
		this.raft.restore(metadata);
		const { rangeId, replicaId } = this;
		const write = { rangeId, replicaId, snapshot: { ...metadata, reset: !keeps } };
		const written = this.#context.append([write]);
		this.#configuration = metadata.configuration;
		this.#later = none;
		this.isInstalling = false;
		this.step(message, from);
		await written;
	}

	/** Forgets the log up to `index`, which the machine holds durably. */
	compact(index: LogIndex): void {
		const term = this.raft.termOf(index);
		assert(term !== undefined, () => `nothing is known of entry ${index}`);
		const configuration = this.#configurationAt(index);
		this.raft.compact(index);
		const snapshot: SnapshotMetadata = { index, term, configuration };
		const { rangeId, replicaId } = this;
		void this.#context.append([{ rangeId, replicaId, snapshot: { ...snapshot, reset: false } }]);
		this.#fold();
	}

	/** As of `index`, at or above which no compaction has gone; older ones are forgotten. */
	#configurationAt(index: LogIndex): Configuration {
		const last = this.#later.findLastIndex((c) => c.index <= index);
		if (last >= 0) {
			this.#configuration = this.#later[last]!.configuration;
			this.#later = last + 1 < this.#later.length ? this.#later.slice(last + 1) : none;
		}
		return this.#configuration;
	}

	/** The connection to a node is lost, as are those to the others of `lost`. */
	disconnected(node: NodeId, lost: ReadonlySet<NodeId>): void {
		const { raft } = this;
		if (raft.role === "leader") {
			for (const replica of members(raft.configuration)) {
				if (this.nodeOf(replica) === node) raft.unreachable(replica);
			}
			// One that rests would never notice that it leads nobody any more, and has been removed.
			if (raft.isQuiesced && !this.#reachesQuorum(lost)) {
				raft.wake();
				this.#context.touch(this);
			}
		} else if (this.nodeOf(raft.leader) === node) {
			raft.leaderLost();
			this.#context.touch(this);
		}
	}

	/** Of its members, as far as known. */
	nodes(): readonly NodeId[] {
		const ids = members(this.raft.configuration);
		return ids.map((id) => this.nodeOf(id)).filter((node) => node !== undefined);
	}

	/**
	 * A node does not know who leads its replicas. What rests here is said to be led, without waking anybody; unless others of its members
	 * are out of sight, who may have elected somebody else: then all of them are asked.
	 */
	greet(node: NodeId, lost: ReadonlySet<NodeId>): void {
		const { raft } = this;
		if (raft.role !== "leader" || !raft.isQuiesced) return;
		const others = members(raft.configuration).filter((r) => r !== this.replicaId);
		const to = others.find((replica) => this.nodeOf(replica) === node);
		if (to === undefined) return;
		const isOutOfSight = (replica: ReplicaId): boolean => {
			const at = this.nodeOf(replica);
			return at === undefined || lost.has(at);
		};
		if (others.some(isOutOfSight)) raft.wake();
		else raft.greet(to);
		this.#context.touch(this);
	}

	#reachesQuorum(lost: ReadonlySet<NodeId>): boolean {
		const isReached = (replica: ReplicaId): boolean => {
			const node = this.nodeOf(replica);
			return replica === this.replicaId || (node !== undefined && !lost.has(node));
		};
		return quorumValue(this.raft.configuration, (replica) => (isReached(replica) ? 1 : 0)) === 1;
	}

	#busy(): void {
		this.work.idleTicks = 0;
		this.#context.touch(this);
	}
}

const none: readonly never[] = [];

const notLeader = (driver: GroupDriver): NotLeaderError =>
	new NotLeaderError(`replica ${driver.replicaId} does not lead range ${driver.rangeId}`);
