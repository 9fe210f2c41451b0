/**
 * The Raft host: all Raft groups of one node over one log and one RPC.
 *
 * Whatever happens to a group (a message, a proposal, a tick, a sync) marks it, and the first mark of an event-loop turn
 * schedules a *pass*. A pass takes what every marked group has to do and does it together: one append to the WAL, which is
 * one fdatasync for all groups; one frame a peer; then the machines apply what is committed. So the cost of a turn grows with
 * the groups that have work in it, and the latency of a group with nothing but its own work.
 *
 * 1. Writes of a group are appended in the order in which its Raft core handed them out; several may be on their way. What
 *    must wait for a sync (votes, acknowledgements) waits for the last write of its group.
 * 2. Messages that need not wait leave before the write is even begun: a leader's own disk works beside its followers'.
 * 3. A machine applies synchronously, in order, each entry once in the life of a process, and possibly before this node's
 *    own log has it: a quorum has. At a restart the machine may thus be ahead of the log, which then begins where it stands
 *    (`restored-state.ts`); it is never behind the log's beginning, because a log is compacted only after the machine's
 *    state was synced (`compactor.ts`).
 * 4. While a machine becomes a snapshot nothing is applied, and the log takes notice in the same turn as the machine.
 * 5. A machine's state moves on from its birth only when the log has the group durably. So state that is older than its birth
 *    and has no log has lost it, and its votes: the node refuses to start (`restored-state.ts`).
 * 6. A group that rests has no timer: ticks are for groups that are awake, and while none is there is no timer at all. A leader
 *    that dies is noticed by its node: the connections to it and from it end, which wakes the followers of all that it led and hastens
 *    their elections. So no follower rests on that may have missed a word of its leader, its own removal perhaps. Should a death be
 *    missed, a request that comes to a follower wakes it too (`wake`). Who wakes for nothing asks the others in a pre-vote, which
 *    wakes the leader, and rests again.
 * 7. Who has lost sight of a node, or has just started, asks it (`greetMethod`): the leaders there that rest say that they lead, all in one
 *    frame, and their followers rest again without an election. So a connection that breaks for a moment, and the start of a node, cost one
 *    message for a group.
 *    A group also rests while members are gone whose nodes are out of sight, if the others are a quorum (`missing.ts`).
 * 8. Elections of many groups are spread over time, those of groups that somebody asks for come first (`elections.ts`).
 *
 * What a group keeps in memory is bounded (`raft/group.ts`): a follower with much to apply holds its acknowledgements back, so its
 * leader sends no more than a window. The leader's side is `write-gate.ts`: large commands wait while a follower that is getting on
 * is far behind, and one that is not, or is gone, holds up nothing.
 *
 * A broken invariant, wherever it shows, ends the node (`runtime.fatal`).
 *
 * May import: `runtime`, `keys`, `rpc`, `raft`, `wal`.
 */
import { assert } from "@quorate/keys/assert";
import { type NodeId, type RangeId, type ReplicaId, rangeId } from "@quorate/keys/ids";
import type { Limits } from "@quorate/keys/limits";
import type { Mutations } from "@quorate/keys/mutations";
import { RaftGroup, type RaftOptions } from "@quorate/raft/group";
import type { Message, Ready } from "@quorate/raft/types";
import type { Body, Peer, Rpc } from "@quorate/rpc/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { RecoveredGroup, Wal, WalWrite } from "@quorate/wal/types";
import type { GroupOptions, RaftGroupHandle, RaftHost, RaftHostStatistics } from "../host-types.ts";
import { Compactor } from "./compactor.ts";
import type { HostContext } from "./context.ts";
import { Elections } from "./elections.ts";
import { GroupDriver } from "./group-driver.ts";
import type { SyncItem } from "./group-work.ts";
import { Missing } from "./missing.ts";
import { Outgoing } from "./outgoing.ts";
import { holdsSomething, startOf } from "./restored-state.ts";
import { SnapshotReceiver } from "./snapshot-receiver.ts";
import { SnapshotSender, snapshotMethod } from "./snapshot-sender.ts";
import { decodeFrame } from "./wire.ts";

/** Heartbeats every 200 ms, elections after 1 to 2 s of silence. */
const tickMs = 100;
const heartbeatTicks = 2;
const electionTicks = 10;
/** A node out of sight is asked so often while a group has a clock. */
const greetTicks = 3;
/** Who has not answered so many questions since the start is taken for lost: some two seconds. */
const greetingsMax = 7;
/** One way: a question, or that it has come. The answer itself are messages of Raft. */
const greetMethod = "raft-greet";
const heard = "heard";
const appendBytesMax = 256 << 10;
const inflightMax = 32;
/** Together they bound what a follower keeps that it has not applied; what it lags beyond that stays with its leader, or is compacted. */
const inflightBytesMax = 4 << 20;
const unappliedBytesMax = 4 << 20;
/** Of a leader that neither its disk nor a quorum keeps up with. Large commands wait long before (`write-gate.ts`). */
const backlogBytesMax = 64 << 20;

const callsReplicas: ReadonlySet<Message["kind"]> = new Set([
	"append",
	"heartbeat",
	"snapshot",
	"pre-vote",
]);

type UnknownGroupHandler = Parameters<RaftHost["onUnknownGroup"]>[0];

export interface NodeRaftHostOptions {
	readonly runtime: Runtime;
	readonly wal: Wal;
	readonly recovered: readonly RecoveredGroup[];
	readonly rpc: Rpc;
	readonly nodeId: NodeId;
	/** Makes durable what the machines have written to the engine. */
	readonly syncEngine: () => Promise<void>;
	readonly limits?: Limits | undefined;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
}

/**
 * What the groups of one pass apply together, as their machines count it, but for what the last of them does: others have their turn then.
 * Some milliseconds, which is what a message may wait for.
 */
const applyBytesMax = 48 << 10;

/** Whoever had no turn in the pass before comes first. */
function inTurn<T extends { readonly driver: GroupDriver }>(taken: readonly T[]): readonly T[] {
	const waited = taken.filter(({ driver }) => driver.work.waitsToApply);
	if (waited.length === 0 || waited.length === taken.length) return taken;
	return [...waited, ...taken.filter(({ driver }) => !driver.work.waitsToApply)];
}

export class NodeRaftHost implements RaftHost {
	readonly #runtime: Runtime;
	readonly #rpc: Rpc;
	readonly #wal: Wal;
	readonly #nodeId: NodeId;
	readonly #mutations: Mutations | undefined;
	readonly #recovered: Map<RangeId, RecoveredGroup>;
	readonly #context: HostContext;
	readonly #raftOptions: RaftOptions;
	readonly #outgoing: Outgoing;
	readonly #compactor: Compactor;
	readonly #sender: SnapshotSender;
	readonly #receiver: SnapshotReceiver;
	readonly #groups = new Map<RangeId, GroupDriver>();
	/** Groups with a clock: the others rest. */
	readonly #awake = new Set<GroupDriver>();
	readonly #elections = new Elections();
	#dirty: GroupDriver[] = [];
	#isPassDue = false;
	#timer: Timer | undefined;
	#unknownGroup: UnknownGroupHandler = () => false;
	/** Nodes whose connection was lost, or that have not answered since the start, and of whom nothing was heard since. */
	readonly #lost = new Set<NodeId>();
	readonly #missing: Missing;
	/** Since this node has started, up to when it does not wait for answers any more. */
	#greetings = 0;
	/** Nodes that are to say what they lead. */
	readonly #ungreeted = new Set<NodeId>();
	#isClosed = false;
	#ticks = 0;
	#leaderChanges = 0;
	#entriesApplied = 0;
	#writesDelayed = 0;

	constructor(options: NodeRaftHostOptions) {
		const { runtime, rpc, recovered, syncEngine } = options;
		this.#runtime = runtime;
		this.#rpc = rpc;
		this.#wal = options.wal;
		this.#nodeId = options.nodeId;
		this.#mutations = options.mutations;
		this.#recovered = new Map(recovered.map((group) => [group.rangeId, group]));
		this.#raftOptions = {
			electionTicks,
			heartbeatTicks,
			appendBytesMax,
			inflightMax,
			inflightBytesMax,
			unappliedBytesMax,
			backlogBytesMax,
			random: () => runtime.random.float(),
			mutations: options.mutations,
		};
		this.#context = {
			runtime,
			touch: (driver) => this.#touch(driver),
			append: (writes) => this.#append(writes),
			removed: (driver) => this.#removed(driver),
			asked: (driver) => this.#elections.ask(driver),
			waitsToStand: (driver) => this.#elections.has(driver),
			isLost: (node) => this.#lost.has(node),
			missesSome: (driver) => this.#missing.add(driver),
			rests: (driver) => {
				this.#missing.delete(driver);
				this.#compactor.considerResting(driver);
			},
			applied: (entries) => {
				this.#entriesApplied += entries;
			},
			leaderChanged: () => {
				this.#leaderChanges++;
			},
			writeDelayed: () => {
				this.#writesDelayed++;
			},
		};
		this.#outgoing = new Outgoing(rpc);
		this.#missing = new Missing(runtime.scheduler, {
			ask: () => {
				for (const node of this.#lost) this.#rpc.send(node, greetMethod, "who leads");
			},
			rests: (driver) => this.#compactor.considerResting(driver),
		});
		this.#compactor = new Compactor({ runtime, syncEngine, limits: options.limits });
		this.#sender = new SnapshotSender(this.#context, rpc);
		this.#receiver = new SnapshotReceiver(this.#context, (message, range, from) =>
			this.#find(rangeId(range), message, from),
		);
		rpc.handle("raft", (body, from) => this.#receive(body, from));
		rpc.handle(greetMethod, (body, from) => this.#greeted(body, from));
		rpc.handle(snapshotMethod, (body, from) =>
			from === undefined || this.#isClosed
				? "this node takes no snapshots now"
				: this.#receiver.handle(body, from),
		);
		rpc.onDisconnect((node) => this.#guard(() => this.#disconnected(node)));
	}

	/** Groups that the log names, with entries or a snapshot, and that nobody has added: their state is lost on this node. */
	unclaimed(): readonly RangeId[] {
		return [...this.#recovered.values()].filter(holdsSomething).map((group) => group.rangeId);
	}

	async discard(range: RangeId): Promise<void> {
		const recovered = this.#recovered.get(range);
		// One that holds nothing is a later replica's, which waits for its first snapshot: it keeps what it has.
		if (recovered === undefined || !holdsSomething(recovered)) return;
		this.#recovered.delete(range);
		await this.#append([{ rangeId: range, replicaId: recovered.replicaId, removed: true }]);
	}

	addGroup(options: GroupOptions): RaftGroupHandle {
		const { rangeId: range, replicaId } = options;
		assert(!this.#groups.has(range), () => `range ${range} has a replica here already`);
		const recovered = this.#recovered.get(range);
		this.#recovered.delete(range);
		const start = startOf(options, this.#remembered(recovered));
		const isKnown = recovered?.replicaId === replicaId;
		const raft = new RaftGroup(replicaId, this.#raftOptions, start.restored);
		const driver = new GroupDriver(this.#context, options, raft);
		this.#groups.set(range, driver);
		if (start.write !== undefined) {
			const written = this.#append([start.write]);
			if (!isKnown) driver.beginsWith(written);
		}
		this.#touch(driver);
		const { voters, outgoing } = options.applied.configuration;
		const isFirst = voters[0] === replicaId;
		if (isFirst && voters.length === 1 && outgoing.length === 0) driver.campaign();
		else if (isFirst && options.campaignAtStart && !isKnown) driver.campaign();
		return driver;
	}

	#remembered(known: RecoveredGroup | undefined): RecoveredGroup | undefined {
		if (known === undefined || this.#mutations?.votesForgotten !== true) return known;
		return { ...known, hardState: { ...known.hardState, vote: 0 as ReplicaId } };
	}

	group(range: RangeId): RaftGroupHandle | undefined {
		return this.#groups.get(range);
	}

	onUnknownGroup(handler: UnknownGroupHandler): void {
		this.#unknownGroup = handler;
	}

	findLeaders(): void {
		for (const driver of this.#groups.values()) {
			for (const node of driver.nodes()) {
				if (node !== this.#nodeId) this.#ungreeted.add(node);
			}
		}
		this.#greet();
	}

	#greet(): void {
		for (const node of this.#ungreeted) this.#rpc.send(node, greetMethod, "who leads");
		// Those that were down before have no connection to lose.
		if (this.#greetings <= greetingsMax && this.#greetings++ === greetingsMax) {
			for (const node of this.#ungreeted) this.#lost.add(node);
		}
	}

	#heardOf(node: NodeId): void {
		if (this.#lost.delete(node)) this.#missing.heardOf(node);
	}

	#greeted(body: Body, from: Peer | undefined): void {
		if (from === undefined || this.#isClosed) return;
		this.#guard(() => this.#heardOf(from.nodeId));
		if (body === heard) {
			this.#ungreeted.delete(from.nodeId);
			return;
		}
		// The same connection brings both, or is lost.
		this.#rpc.send(from.nodeId, greetMethod, heard);
		this.#guard(() => {
			for (const driver of this.#groups.values()) driver.greet(from.nodeId, this.#lost);
		});
	}

	statistics(): RaftHostStatistics {
		let leaders = 0;
		let folded = 0;
		let unappliedBytes = 0;
		for (const { raft, workIfAny } of this.#groups.values()) {
			if (raft.role === "leader") leaders++;
			if (raft.isFolded && workIfAny === undefined) folded++;
			unappliedBytes += raft.unappliedBytes;
		}
		return {
			groups: this.#groups.size,
			leaders,
			awake: this.#clocked,
			folded,
			snapshotsSent: this.#sender.sent,
			snapshotsReceived: this.#receiver.received,
			leaderChanges: this.#leaderChanges,
			elections: this.#elections.stood,
			entriesApplied: this.#entriesApplied,
			unappliedBytes,
			writesDelayed: this.#writesDelayed,
		};
	}

	/** The log is its owner's to close. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#timer?.cancel();
		this.#missing.close();
		this.#compactor.close();
		this.#sender.close();
		this.#receiver.close();
		for (const driver of this.#groups.values()) driver.end();
		this.#awake.clear();
		this.#dirty = [];
	}

	#touch(driver: GroupDriver): void {
		if (this.#isClosed || driver.isRemoved) return;
		if (!driver.raft.isQuiesced) {
			this.#awake.add(driver);
			this.#timer ??= this.#startTimer();
		}
		if (driver.isDirty) return;
		driver.isDirty = true;
		this.#dirty.push(driver);
		if (this.#isPassDue) return;
		this.#isPassDue = true;
		this.#runtime.scheduler.defer(() => this.#guard(() => this.#pass()), "gather");
	}

	#pass(): void {
		this.#isPassDue = false;
		if (this.#isClosed) return;
		const dirty = this.#dirty;
		this.#dirty = [];
		const writes: WalWrite[] = [];
		const items: SyncItem[] = [];
		const taken: { readonly driver: GroupDriver; readonly ready: Ready }[] = [];
		for (const driver of dirty) {
			driver.isDirty = false;
			if (driver.isRemoved) continue;
			const ready = driver.takeReady();
			if (ready === undefined) {
				driver.look();
				continue;
			}
			taken.push({ driver, ready });
			for (const message of ready.messages) this.#send(driver, message);
			this.#gatherWrite(driver, ready, writes, items);
		}
		this.#outgoing.flush();
		if (writes.length > 0) {
			void this.#append(writes).then(() => this.#guard(() => this.#synced(items)));
		}
		let room = applyBytesMax;
		for (const { driver, ready } of inTurn(taken)) {
			if (driver.isRemoved) continue;
			room -= driver.finish(ready, room > 0);
			for (const { to } of ready.snapshotsWanted) this.#sender.want(driver, to);
			this.#compactor.consider(driver);
		}
	}

	#gatherWrite(driver: GroupDriver, ready: Ready, writes: WalWrite[], items: SyncItem[]): void {
		const { sequence, hardState, entries, messagesAfterSync } = ready;
		if (ready.mustSync) {
			const { rangeId: range, replicaId } = driver;
			writes.push({
				rangeId: range,
				replicaId,
				...(hardState === undefined ? {} : { hardState }),
				...(entries.length === 0 ? {} : { entries }),
			});
			driver.work.lastSync = { driver, sequence, messages: messagesAfterSync };
			items.push(driver.work.lastSync);
		} else if (driver.work.lastSync !== undefined) {
			if (messagesAfterSync.length === 0) return;
			driver.work.lastSync.messages = [...driver.work.lastSync.messages, ...messagesAfterSync];
		} else for (const message of messagesAfterSync) this.#send(driver, message);
	}

	#synced(items: readonly SyncItem[]): void {
		for (const item of items) {
			const { driver, sequence, messages } = item;
			if (driver.work.lastSync === item) driver.work.lastSync = undefined;
			if (driver.isRemoved || this.#isClosed) continue;
			driver.raft.synced(sequence);
			for (const message of messages) this.#send(driver, message);
			if (driver.raft.hasReady()) this.#touch(driver);
		}
		this.#outgoing.flush();
	}

	#send(driver: GroupDriver, message: Message): void {
		const node = driver.nodeOf(message.to);
		if (node !== undefined && node !== this.#nodeId) {
			this.#outgoing.add(node, driver.rangeId, message);
		}
	}

	#append(writes: readonly WalWrite[]): Promise<void> {
		return this.#wal.append(writes).catch((error: unknown) => {
			this.#runtime.fatal(`the write-ahead log failed: ${String(error)}`);
		});
	}

	#receive(body: Body, from: Peer | undefined): void {
		if (from === undefined || this.#isClosed) return;
		this.#guard(() => this.#heardOf(from.nodeId));
		const messages = decodeFrame(body);
		this.#guard(() => {
			for (const { range, message } of messages) {
				this.#find(range, message, from.nodeId)?.step(message, from.nodeId);
			}
		});
	}

	/**
	 * What may call a replica into being: a leader's messages, and a pre-vote. Members that were away when their range was split off, and
	 * learned of it by a snapshot of what it was split from, may be needed to elect its first leader. They have never voted under their
	 * ids: what has, and has lost its memory, is retired. What is here under an earlier id may be in its way, and not know that it
	 * was removed.
	 */
	#find(range: RangeId, message: Message, fromNode: NodeId): GroupDriver | undefined {
		let driver = this.#groups.get(range);
		const { kind, from, to } = message;
		if (driver === undefined || driver.replicaId < to) {
			if (!callsReplicas.has(kind) || !this.#unknownGroup(range, to, from, fromNode))
				return undefined;
			driver = this.#groups.get(range);
		}
		return driver?.replicaId === to ? driver : undefined;
	}

	#disconnected(node: NodeId): void {
		if (this.#isClosed) return;
		this.#lost.add(node);
		this.#ungreeted.add(node);
		this.#receiver.disconnected(node);
		for (const driver of this.#groups.values()) driver.disconnected(node, this.#lost);
	}

	#removed(driver: GroupDriver): void {
		assert(this.#groups.get(driver.rangeId) === driver, "a group is removed once");
		this.#groups.delete(driver.rangeId);
		this.#awake.delete(driver);
		this.#missing.delete(driver);
		this.#elections.delete(driver);
	}

	/** Groups that do not rest: those that wait for their turn to stand need no tick, and are not to be forgotten. */
	get #clocked(): number {
		return this.#awake.size + this.#elections.size;
	}

	#startTimer(): Timer {
		const { clock, scheduler } = this.#runtime;
		const armedMs = clock.monotonicMs();
		return scheduler.setTimer(tickMs, () => {
			// Where turns are long, ticks are rare: those who are led are not to be kept waiting for several of them.
			const isLate = clock.monotonicMs() - armedMs >= heartbeatTicks * tickMs;
			this.#guard(() => this.#tick(isLate));
		});
	}

	#tick(isLate: boolean): void {
		this.#timer = undefined;
		if (this.#isClosed) return;
		for (const driver of this.#awake) {
			if (driver.raft.isQuiesced) {
				this.#awake.delete(driver);
				continue;
			}
			driver.tick(isLate);
			if (!driver.raft.isDue) continue;
			// Its clock has no more to say.
			this.#awake.delete(driver);
			this.#elections.add(driver);
		}
		this.#elections.tick();
		this.#ticks++;
		if (this.#ticks % greetTicks === 0) this.#greet();
		if (this.#clocked > 0) this.#timer ??= this.#startTimer();
	}

	#guard(action: () => void): void {
		try {
			action();
		} catch (error) {
			this.#runtime.fatal(
				`Raft host: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
			);
		}
	}
}
