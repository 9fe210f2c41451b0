/**
 * All replicas of one node: starts them from the engine, finds the one that a request is for, creates and removes them, and runs
 * their housekeeping.
 */

import { assert, InvariantError } from "@quorate/keys/assert";
import { damaged } from "@quorate/keys/damage";
import { DatabaseError, errorToData } from "@quorate/keys/database-error";
import type { BootId, NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import { formatKey, type Key, spanContains, spansOverlap } from "@quorate/keys/key";
import { type RangeDescriptor, type ReplicaDescriptor, rangeSpan } from "@quorate/keys/range";
import type { Rpc } from "@quorate/rpc/types";
import type { Timer } from "@quorate/runtime/runtime";
import { allMetaSpan, metaKey, parseMetaKey } from "@quorate/storage/engine-keys";
import { AwakeReplicas } from "./awake.ts";
import type { ReplicaContext } from "./context.ts";
import { reportEveryMs } from "./deadlocks.ts";
import type { Decision } from "./decision.ts";
import { clearRange, Departures, nowhere } from "./departures.ts";
import { type DivisionRules, Divisions, type Undivided } from "./divisions.ts";
import type { RaftHost } from "./host-types.ts";
import { IntentSweeper, tidyUp } from "./housekeeping.ts";
import { ListeningTime } from "./listening-time.ts";
import { LockOwners } from "./lock-owners.ts";
import { type LockReport, LockService, type OtherWaits } from "./lock-service.ts";
import { WriteWaits } from "./lock-waits.ts";
import { type MergeReason, Merges } from "./merges.ts";
import { Pace } from "./pace.ts";
import { loadOf, type RangeLoad } from "./range-load.ts";
import {
	birthIndex,
	decodeRangeState,
	describeRange,
	encodeRangeState,
	newRangeState,
	type RangeState,
	replicaOn,
} from "./range-state.ts";
import { answerToWire, requestFromWire } from "./range-wire.ts";
import { Replica } from "./replica.ts";
import type { RangeAnswer, RangeRequest } from "./requests.ts";
import { retire, retiredUpTo } from "./retired-ids.ts";
import { finishInstall } from "./snapshots.ts";
import type { Inheritance, SplitReason } from "./splits.ts";

export type StoreOptions = Omit<
	ReplicaContext,
	| "splitApplied"
	| "splitDone"
	| "merge"
	| "mergeApplied"
	| "subsume"
	| "removed"
	| "awake"
	| "overlaps"
	| "listening"
	| "lockOwners"
	| "writeWaits"
	| "pace"
	| "pulseOf"
	| "locksCame"
> & {
	readonly host: RaftHost;
	readonly rpc: Rpc;
	/** Where the deadlock detector runs now; undefined while unknown. */
	detector(): NodeId | undefined;
	/** All nodes known. */
	nodes(): readonly NodeId[];
	/** Boots that have ended, or are silent: their locks are released. */
	bootEnded(boot: BootId): boolean;
	/** Replicas with a lower id were discarded here, with their votes: none of them may come back. */
	readonly replicasFrom?: number | undefined;
	/** Waits that are not for a lock of a range, and how one of them is ended: advisory locks are the gateways'. */
	otherWaits?: OtherWaits;
	/** When ranges are split. */
	divisionRules(): DivisionRules;
	/** A leaseholder here has decided something about its range by itself. */
	decided(decision: Decision): void;
	/** Thaws the range that begins at a key, if it has that version still. True: it has a later one. */
	thaw(at: Key, version: number): Promise<boolean>;
	/** Asks who leads the range that ends at a key for something, so that somebody does. */
	wakeBefore(at: Key): void;
	/** The descriptor of the range that begins at a key, confirmed by its members; undefined where none answers. */
	members(start: Key): Promise<RangeDescriptor | undefined>;
};

/** Until it is durable in the engine. Its keys are its own already. */
interface Birth {
	readonly descriptor: RangeDescriptor;
	readonly synced: Promise<void>;
}

const sweepMs = 2_000;
const releaseMs = 500;
const departuresMs = 5_000;
const divideMs = 1_000;
const mergesMs = 500;
/** For how long who asks for a range that was merged is told of the range that it is part of. */
const mergedToldMs = 10_000;
const collectMs = 120_000;
const descriptorTimeoutMs = 2_000;
/** What peers believe to be here is asked about. While a range is split into hundreds most of it comes by the log, a moment later. */
const askedAtOnce = 16;
/** Each looks into the engine twice, at least. */
const tidiedAtOnce = 20;
/** The engine may be asked for the size of each. */
const loadsAtOnce = 50;

export interface ReplicaStatus {
	readonly descriptor: RangeDescriptor;
	readonly leaseholder: boolean;
	readonly pendingWrites: number;
	readonly intents: number;
	readonly locks: number;
}

export interface ReplicaTotals {
	readonly replicas: number;
	readonly leases: number;
	/** In the ranges whose leases are here. */
	readonly intents: number;
	readonly locks: number;
}

/** There is no such replica here, or soon none. */
const gone: RangeAnswer = { kind: "not-leaseholder", leaseholder: 0 as NodeId, descriptor: null };

export class RangeStore {
	readonly #options: StoreOptions;
	readonly #context: ReplicaContext;
	readonly #replicas = new Map<RangeId, Replica>();
	readonly #awake: AwakeReplicas;
	/** Whose loads have been the same since `changedLoads` was asked last: they rest. */
	readonly #rested = new Set<Replica>();
	readonly #sweepers = new Map<RangeId, IntentSweeper>();
	/** What is being tidied up: that may take longer than until the next look. */
	readonly #tidied = new Set<Replica>();
	readonly #asking = new Set<RangeId>();
	/** Right sides of splits that come to life. */
	readonly #awaitingBirth = new Map<RangeId, Birth>();
	readonly #timers: (Timer | undefined)[] = [];
	readonly locks: LockService;
	readonly #listening: ListeningTime;
	readonly #departures: Departures;
	readonly #divisions: Divisions;
	readonly #merges: Merges;
	/** What ranges have become part of, for a while. */
	readonly #mergedInto = new Map<RangeId, { readonly into: Replica; readonly untilMs: number }>();
	readonly #splits: Record<SplitReason, number> = { hand: 0, size: 0, load: 0 };
	#subsumed = 0;
	#closed = false;

	constructor(options: StoreOptions) {
		this.#options = options;
		this.#awake = new AwakeReplicas(options.limits?.restMs);
		this.#listening = new ListeningTime(options.runtime.scheduler, reportEveryMs);
		this.#context = {
			runtime: options.runtime,
			engine: options.engine,
			nodeId: options.nodeId,
			bootId: options.bootId,
			timestamps: options.timestamps,
			listening: this.#listening,
			lockOwners: new LockOwners(options.runtime.scheduler),
			writeWaits: new WriteWaits(),
			pace: new Pace(options.runtime),
			pulseOf: (boot) => options.rpc.pulseOf(boot),
			limits: options.limits,
			mutations: options.mutations,
			observer: options.observer,
			bootOf: (node) => options.bootOf(node),
			isLeaving: (boot) => options.isLeaving(boot),
			isActive: (feature) => options.isActive(feature),
			locksCame: (owners) => this.locks.askAtOnce(owners),
			isDiskFull: (replicas) => options.isDiskFull(replicas),
			inquire: (transaction, anchor, s) => options.inquire(transaction, anchor, s),
			resolveAll: (transaction, c, written) => options.resolveAll(transaction, c, written),
			validateElsewhere: (transaction, items, c, owner) =>
				options.validateElsewhere(transaction, items, c, owner),
			historyLifeMs: () => options.historyLifeMs(),
			allocate: (kind, count) => options.allocate(kind, count),
			kept: (descriptor) => options.kept(descriptor),
			report: (ranges) => options.report(ranges),
			splitApplied: (left, right, inheritance) => this.#splitApplied(left, right, inheritance),
			splitDone: (left, right, reason) => this.#splitDone(left, right, reason),
			merge: (left, at, reason) => this.#merges.merge(left, at, reason),
			mergeApplied: (right) => this.#mergeApplied(right),
			subsume: (state, by) => this.#subsume(state, by),
			removed: (rangeId) => this.#removed(rangeId),
			awake: (replica) => this.#wakes(replica),
			overlaps: (state) => this.#overlaps(state),
		};
		this.locks = new LockService({
			runtime: options.runtime,
			rpc: options.rpc,
			nodeId: options.nodeId,
			replicas: this.#replicas,
			owners: this.#context.lockOwners,
			writeWaits: this.#context.writeWaits,
			otherWaits: options.otherWaits,
			detector: () => options.detector(),
			nodes: () => options.nodes(),
			bootOf: (node) => options.bootOf(node),
			bootEnded: (boot) => options.bootEnded(boot),
		});
		this.#divisions = new Divisions({
			runtime: options.runtime,
			replicas: this.#awake,
			rules: () => options.divisionRules(),
			decided: (decision) => options.decided(decision),
		});
		this.#merges = new Merges({
			runtime: options.runtime,
			rpc: options.rpc,
			engine: options.engine,
			nodeId: options.nodeId,
			replicas: this.#replicas,
			awake: this.#awake,
			waits: options.mutations?.mergedUnapplied !== true,
			thaw: (at, version) => options.thaw(at, version),
			wakeBefore: (at) => options.wakeBefore(at),
		});
		this.#departures = new Departures({
			runtime: options.runtime,
			engine: options.engine,
			nodeId: options.nodeId,
			replicas: this.#replicas,
			awake: this.#awake,
			gone: (replica) => this.#awake.delete(replica),
			isClosed: () => this.#closed,
			members: (start) => options.members(start),
		});
	}

	/** Writes the state of a range that is born with the cluster, once: the replica may have left since. Durable before the caller goes on. */
	async bootstrap(descriptor: RangeDescriptor): Promise<void> {
		const { engine } = this.#options;
		const { rangeId } = descriptor;
		const born = metaKey(rangeId, "born");
		if (engine.get(born) === undefined) {
			engine.write((batch) => {
				batch.put(born, new Uint8Array());
				batch.put(metaKey(rangeId, "state"), encodeRangeState(newRangeState(descriptor)));
			});
			await engine.sync();
		}
	}

	/** Starts every replica that the engine holds. */
	async start(): Promise<void> {
		const { engine, host, rpc, runtime, limits, mutations } = this.#options;
		// At the start nobody has to be left time.
		const inParts = async (work: () => void): Promise<void> => {
			work();
			await runtime.scheduler.yield();
		};
		// What a process that died had written may be in the page cache only, and logs are going to begin at what is there.
		await engine.sync();
		const states = new Map<RangeId, RangeState>();
		for (const [k, value] of [...this.#metaEntries()]) {
			const { rangeId, name } = parseMetaKey(k);
			if (name === "installing") {
				await finishInstall({ engine, limits, mutations, inParts }, rangeId, value);
			}
		}
		for (const [k, value] of this.#metaEntries()) {
			const { rangeId, name } = parseMetaKey(k);
			if (name === "state") {
				states.set(rangeId, decodeRangeState(value));
			}
		}
		await this.#clearDeparted(await this.#withoutMerged(states));
		rpc.handle("range", (body) => {
			const answer = this.handle(requestFromWire(body));
			return answer instanceof Promise ? answer.then(answerToWire) : answerToWire(answer);
		});
		rpc.handle("range-descriptor", (body) => this.#replicas.get(body as RangeId)?.info() ?? null);
		this.locks.start();
		host.onUnknownGroup((rangeId, to, _from, fromNode) => {
			const earlier = this.#replicas.get(rangeId);
			if (earlier !== undefined) {
				this.#departures.suspect(earlier);
			} else {
				void this.#adopt(rangeId, to, fromNode);
			}
			return false;
		});
		for (const state of states.values()) {
			const replica = this.#ownOf(state.descriptor);
			if (replica !== undefined) {
				// At the birth of a cluster, and where there is nobody else, nothing is gained by waiting for a leader.
				const { voters } = state.configuration;
				const atOnce = state.appliedIndex === birthIndex || voters.length === 1;
				this.#add(state, replica.replicaId, atOnce);
			}
		}
		const lost = host.unclaimed();
		if (lost.length > 0) {
			throw damaged(
				`the storage engine in engine has lost range ${lost.join(", ")}, which the write-ahead log in wal names`,
			);
		}
		host.findLeaders();
		this.#every(reportEveryMs, () => {
			this.#listening.tick();
			this.locks.reportWaits();
		});
		this.#every(sweepMs, () => {
			this.#sweep();
			for (const replica of this.#awake.look(this.#options.runtime.clock.monotonicMs())) {
				this.#rested.add(replica);
			}
		});
		this.#every(releaseMs, () => {
			this.locks.releaseEnded();
			this.locks.askOwners();
		});
		this.#every(this.#options.limits?.divideMs ?? divideMs, () => this.#divisions.look());
		this.#every(mergesMs, () => this.#merges.look());
		this.#every(departuresMs, () => this.#departures.look());
		this.#every(this.#options.limits?.collectMs ?? collectMs, () => void this.#collect());
	}

	/** The replica that this node is to have of the range, if it is. */
	#ownOf(descriptor: RangeDescriptor): ReplicaDescriptor | undefined {
		const own = replicaOn(descriptor, this.#options.nodeId);
		const isRetired = own !== undefined && own.replicaId <= this.#retiredUpTo(descriptor.rangeId);
		return isRetired ? undefined : own;
	}

	/** Also what was discarded with all else of the node, and what its engine has forgotten of it. */
	#retiredUpTo(rangeId: RangeId): number {
		const { engine, replicasFrom = 0 } = this.#options;
		return Math.max(retiredUpTo(engine, rangeId), replicasFrom - 1);
	}

	/**
	 * A snapshot that is put in place covers ranges that had been merged, and the process may end before their replicas are gone. Of
	 * a key's owners the one with the higher version is the later.
	 */
	async #withoutMerged(states: Map<RangeId, RangeState>): Promise<readonly RangeState[]> {
		const { engine } = this.#options;
		const all = [...states.values()];
		const held = all.filter((s) => this.#ownOf(s.descriptor) !== undefined);
		for (const state of replacedAmong(held)) {
			const gone = withoutReplicas(state);
			const { descriptor } = state;
			engine.write((batch) => {
				batch.put(metaKey(descriptor.rangeId, "state"), encodeRangeState(gone));
				retire(batch, descriptor.rangeId, this.#ownOf(descriptor)!.replicaId);
			});
			states.set(descriptor.rangeId, gone);
		}
		await engine.sync();
		return [...states.values()];
	}

	/** What replicas have left behind that were removed right before the process ended. */
	async #clearDeparted(states: readonly RangeState[]): Promise<void> {
		const { engine, host } = this.#options;
		const isHeld = ({ descriptor }: RangeState) => this.#ownOf(descriptor) !== undefined;
		const held = states.filter(isHeld).map((s) => rangeSpan(s.descriptor));
		for (const { descriptor } of states.filter((s) => !isHeld(s))) {
			await host.discard(descriptor.rangeId);
			const span = rangeSpan(descriptor);
			const isTaken = held.some((other) => spansOverlap(other, span));
			clearRange(engine, descriptor.rangeId, isTaken ? nowhere : span);
		}
	}

	*#metaEntries(): Generator<[Key, Uint8Array]> {
		const it = this.#options.engine.iterate(allMetaSpan);
		try {
			for (; it.key !== undefined; it.next()) {
				yield [it.key, it.value];
			}
		} finally {
			it.close();
		}
	}

	#every(ms: number, task: () => void): void {
		const at = this.#timers.length;
		const arm = () => {
			this.#timers[at] = this.#options.runtime.scheduler.setTimer(ms, () => {
				task();
				if (!this.#closed) {
					arm();
				}
			});
		};
		arm();
	}

	#add(
		state: RangeState,
		replicaId: ReplicaId,
		campaignAtStart: boolean,
		inheritance?: Inheritance,
	): Replica {
		const replica = new Replica(this.#context, replicaId, state, inheritance);
		this.#replicas.set(state.descriptor.rangeId, replica);
		this.#awake.add(replica);
		replica.attach(
			this.#options.host.addGroup({
				rangeId: state.descriptor.rangeId,
				replicaId,
				machine: replica,
				applied: {
					index: state.appliedIndex,
					term: state.appliedTerm,
					configuration: state.configuration,
				},
				campaignAtStart,
				bornAt: birthIndex,
				statePath: "engine",
			}),
		);
		return replica;
	}

	/** One that has left is not looked at any more. */
	#wakes(replica: Replica): void {
		if (this.#replicas.get(replica.state.descriptor.rangeId) === replica) {
			this.#awake.add(replica);
		}
	}

	/** The right side comes to life once the split is durable in the engine: then the WAL names no range that the engine lacks. */
	#splitApplied(left: Replica, right: RangeState, inheritance: Inheritance): void {
		const { rangeId } = right.descriptor;
		const self = this.#ownOf(right.descriptor);
		if (self === undefined || this.#replicas.has(rangeId)) {
			// It was called here before the left side had split, and waits for a snapshot; or it has come and gone already.
			assert(
				this.#overlapping(right.descriptor) === undefined && !this.#holds(right.descriptor),
				() => `the keys of range ${rangeId} were split off, and are another replica's here`,
			);
			clearRange(this.#options.engine, rangeId, rangeSpan(right.descriptor));
			return;
		}
		const leads = left.leads();
		const synced = this.#options.engine.sync();
		if (leads) {
			// The peers come to life as they apply the split: they should do so now, and while this one syncs.
			void this.#options.runtime.scheduler.yield().then(() => left.group.announceCommit());
			synced.then(
				() => left.group.announceCommit(),
				() => undefined,
			);
		}
		const { descriptor } = right;
		this.#awaitingBirth.set(rangeId, { descriptor, synced });
		synced.then(
			() => {
				this.#awaitingBirth.delete(rangeId);
				if (!this.#closed && !this.#replicas.has(rangeId)) {
					const replica = this.#add(right, self.replicaId, leads, inheritance);
					if (leads) {
						replica.group.campaign();
						this.#options.report([replica.info()]);
					}
				}
			},
			(error) => this.#options.runtime.fatal(`engine sync failed: ${String(error)}`),
		);
	}

	#splitDone(rangeId: RangeId, right: RangeDescriptor, reason: SplitReason): void {
		this.#splits[reason]++;
		const replica = this.#replicas.get(rangeId);
		this.#options.runtime.logger.log("info", "a range was split", {
			rangeId,
			right: right.rangeId,
			at: formatKey(right.start),
			reason,
			leftBytes: Math.round(replica?.sizeBytes() ?? 0),
			requestsPerSecond: Math.round(replica?.load.rate ?? 0),
		});
	}

	#mergeApplied(right: RangeState): Replica | undefined {
		const replica = this.#replicas.get(right.descriptor.rangeId);
		if (replica !== undefined) {
			const left = this.#leftOf(right);
			this.#forgetMerged(replica, left);
		}
		return replica;
	}

	/** It has taken over the keys by now. */
	#leftOf({ descriptor, frozen }: RangeState): Replica {
		const left = frozen && this.#replicas.get(frozen.into);
		assert(left !== undefined, () => `M2: who takes ${describeRange(descriptor)} over is not here`);
		return left;
	}

	/** Its keys are another's. Its log goes when that is durable. */
	#forgetMerged(replica: Replica, into: Replica): void {
		const { engine, runtime } = this.#options;
		const { rangeId } = replica.state.descriptor;
		this.#replicas.delete(rangeId);
		this.#awake.delete(replica);
		this.#sweepers.delete(rangeId);
		const nowMs = runtime.clock.monotonicMs();
		for (const [id, { untilMs }] of this.#mergedInto) {
			if (untilMs < nowMs) {
				this.#mergedInto.delete(id);
			}
		}
		this.#mergedInto.set(rangeId, { into, untilMs: nowMs + mergedToldMs });
		runtime.scheduler.defer(() => {
			const recorded = engine
				.sync()
				.catch((error: unknown) => runtime.fatal(`engine sync failed: ${String(error)}`));
			void replica.group.remove(recorded).then(() => {
				// Else the next start does it.
				if (!this.#closed) engine.write((batch) => batch.delete(metaKey(rangeId, "state")));
			});
		});
	}

	/** Within the steps of a snapshot's installation, right before the keys become those of `by`. */
	#subsume(state: RangeState, by: Replica): void {
		const { engine } = this.#options;
		for (const replica of [...this.#replicas.values()]) {
			if (hasReplaced(state.descriptor, replica.state.descriptor)) {
				const { rangeId } = replica.state.descriptor;
				replica.becomePartOf(by);
				engine.write((batch) => {
					batch.put(metaKey(rangeId, "state"), encodeRangeState(withoutReplicas(replica.state)));
					retire(batch, rangeId, replica.replicaId);
				});
				this.#forgetMerged(replica, by);
				this.#subsumed++;
			}
		}
	}

	/**
	 * Merges that this node's leaseholders have done, by reason; those that they have refused after they had begun; and replicas here
	 * that went with a snapshot of the range that theirs had become part of.
	 */
	get merges(): Readonly<Record<MergeReason | "refused" | "subsumed", number>> {
		return { ...this.#merges.done, refused: this.#merges.refused, subsumed: this.#subsumed };
	}

	/** Splits of this node's ranges by reason, and how often one was considered and left. */
	get splitDecisions(): Readonly<Record<SplitReason | Undivided, number>> {
		return { ...this.#splits, ...this.#divisions.undivided };
	}

	/** A message came for a replica that is not here: a peer believes that this node holds it. */
	async #adopt(rangeId: RangeId, to: ReplicaId, from: NodeId): Promise<void> {
		const isBusy = this.#asking.has(rangeId) || this.#asking.size >= askedAtOnce;
		if (isBusy || !this.#mayMake(rangeId, to)) {
			return;
		}
		this.#asking.add(rangeId);
		try {
			const answer = (await this.#options.rpc.call(from, "range-descriptor", rangeId, {
				timeoutMs: descriptorTimeoutMs,
			})) as { readonly descriptor: RangeDescriptor } | null;
			const self = answer && replicaOn(answer.descriptor, this.#options.nodeId);
			if (answer == null || self?.replicaId !== to || !this.#mayMake(rangeId, to)) {
				return;
			}
			// The neighbour here has not split yet; its own log will make this replica.
			if (this.#overlapping(answer.descriptor) !== undefined) {
				return;
			}
			await this.#retire(rangeId, (to - 1) as ReplicaId);
			const state: RangeState = {
				...newRangeState(answer.descriptor),
				descriptor: { ...answer.descriptor, ...nowhere },
			};
			if (this.#mayMake(rangeId, to) && this.#overlapping(answer.descriptor) === undefined) {
				this.#departures.awaitsSnapshot(to, answer.descriptor.start);
				this.#add(emptyState(state), to, false);
			}
		} catch (error) {
			this.#options.runtime.logger.log("debug", "could not learn of a range", {
				rangeId,
				error: String(error),
			});
		} finally {
			this.#asking.delete(rangeId);
		}
	}

	#mayMake(rangeId: RangeId, id: ReplicaId): boolean {
		const isHere = this.#replicas.has(rangeId) || this.#awaitingBirth.has(rangeId);
		return !this.#closed && !isHere && id > this.#retiredUpTo(rangeId);
	}

	/** What may have been here under a lower id, and only voted, is forgotten when the next one writes. */
	#retire(rangeId: RangeId, upTo: ReplicaId): Promise<void> {
		const { engine, runtime } = this.#options;
		engine.write((batch) => retire(batch, rangeId, upTo));
		return engine
			.sync()
			.catch((error: unknown) => runtime.fatal(`engine sync failed: ${String(error)}`));
	}

	/** Whose keys some of the range's are here: another replica's, or one's that is not born yet and would meet them in its log. */
	#overlapping(d: RangeDescriptor, isSnapshot = false): string | undefined {
		const span = rangeSpan(d);
		for (const { descriptor } of this.#awaitingBirth.values()) {
			if (descriptor.rangeId !== d.rangeId && spansOverlap(rangeSpan(descriptor), span)) {
				return describeRange(descriptor);
			}
		}
		for (const replica of this.#replicas.values()) {
			if (!replica.overlaps(span)) {
				continue;
			}
			const isOther = replica.state.descriptor.rangeId !== d.rangeId;
			// What a later range covers whole has been merged: it goes when the snapshot is put in place.
			const goes = isSnapshot && !replica.isInstalling && hasReplaced(d, replica.state.descriptor);
			if (isOther && !goes) {
				return `${replica}`;
			}
		}
		return undefined;
	}

	#holds(d: RangeDescriptor): boolean {
		return this.#replicas.get(d.rangeId)?.overlaps(rangeSpan(d)) === true;
	}

	#overlaps(state: RangeState): string | undefined {
		const other = this.#overlapping(state.descriptor, true);
		return other === undefined
			? undefined
			: `the snapshot of range ${state.descriptor.rangeId} overlaps ${other} on this node`;
	}

	#removed(rangeId: RangeId): void {
		const replica = this.#replicas.get(rangeId);
		assert(replica !== undefined, "a replica that applies is here");
		this.#departures.remove(replica);
	}

	/** Serves a request for a range: without a promise where nothing must be waited for. Never rejects, never throws. */
	handle(q: RangeRequest): RangeAnswer | Promise<RangeAnswer> {
		this.#options.timestamps.observe(q.seen);
		const replica = this.#replicas.get(q.rangeId);
		const birth = this.#awaitingBirth.get(q.rangeId);
		if (birth !== undefined && !this.#closed) {
			return birth.synced.then(
				() => this.handle(q),
				() => ({ kind: "not-leaseholder", leaseholder: 0 as NodeId, descriptor: null }),
			);
		}
		if (replica === undefined && !this.#closed) {
			return this.#mergedInto.get(q.rangeId)?.into.stale() ?? gone;
		}
		if (replica === undefined || this.#closed) {
			return gone;
		}
		try {
			const answer = replica.handle(q);
			return answer instanceof Promise
				? answer.catch((error: unknown) => this.#failed(q, error))
				: answer;
		} catch (error) {
			return this.#failed(q, error);
		}
	}

	#failed(q: RangeRequest, error: unknown): RangeAnswer {
		if (error instanceof DatabaseError) {
			return { kind: "error", error: errorToData(error) };
		}
		if (this.#closed) {
			// It waited, and the engine has gone meanwhile. A one-phase commit may have been done, and is not told otherwise; all else
			// can be asked again of whoever holds the lease next.
			return q.body.kind === "one-phase" ? { kind: "lost" } : gone;
		}
		if (error instanceof InvariantError) {
			return this.#options.runtime.fatal(`request ${q.body.kind}: ${error.stack}`);
		}
		const message = error instanceof Error ? error.message : String(error);
		this.#options.runtime.logger.log("warn", "a request failed", { kind: q.body.kind, message });
		return { kind: "error", error: { code: "57P03", message, fields: {} } };
	}

	#sweep(): void {
		for (const replica of this.#awake) {
			const { rangeId } = replica.state.descriptor;
			if (replica.blockers.intentCount === 0) {
				this.#sweepers.delete(rangeId);
				continue;
			}
			const sweeper = this.#sweepers.get(rangeId) ?? new IntentSweeper();
			this.#sweepers.set(rangeId, sweeper);
			sweeper.pass(replica);
		}
	}

	async #collect(): Promise<void> {
		for (const replica of this.#awake) {
			replica.recent.rest();
		}
		const held = [...this.#replicas.values()].filter(
			(r) => r.holding() && !r.isTidy && !this.#tidied.has(r),
		);
		if (held.length === 0) {
			return;
		}
		const lifeMs = await this.#historyLifeMs();
		for (const [n, replica] of held.entries()) {
			this.#tidied.add(replica);
			void tidyUp(replica, lifeMs).finally(() => this.#tidied.delete(replica));
			if (n % tidiedAtOnce === tidiedAtOnce - 1) {
				await this.#options.runtime.scheduler.yield();
			}
			if (this.#closed) {
				return;
			}
		}
	}

	/** Undefined: nothing is to be removed now. Time goes by for this node as well where nobody draws a timestamp. */
	async #historyLifeMs(): Promise<number | undefined> {
		try {
			await this.#options.timestamps.issue();
			return await this.#options.historyLifeMs();
		} catch (error) {
			if (error instanceof DatabaseError) {
				return undefined;
			}
			throw error;
		}
	}

	/** The local replica of a range, for status pages and tests. */
	replica(rangeId: RangeId): Replica | undefined {
		return this.#replicas.get(rangeId);
	}

	/** Replicas that something goes on with, or did a moment ago. */
	get awakeCount(): number {
		return this.#awake.size;
	}

	replicaFor(k: Key): Replica | undefined {
		return [...this.#replicas.values()].find((r) => spanContains(rangeSpan(r.state.descriptor), k));
	}

	/** Of the ranges that are led here. */
	loads(): Promise<RangeLoad[]> {
		return this.#loadsOf([...this.#replicas.values()]);
	}

	/** Of those of them that something goes on with, or did when this was asked last: of all others it is as it was then. */
	changedLoads(): Promise<RangeLoad[]> {
		const replicas = [...this.#awake, ...this.#rested];
		this.#rested.clear();
		return this.#loadsOf(replicas);
	}

	/** There may be many: others get their turn between. */
	async #loadsOf(replicas: readonly Replica[]): Promise<RangeLoad[]> {
		const { clock, scheduler } = this.#options.runtime;
		const loads: RangeLoad[] = [];
		for (const replica of replicas) {
			if (!replica.knowsLoad) {
				continue;
			}
			loads.push(loadOf(replica, clock.monotonicMs()));
			if (loads.length % loadsAtOnce === 0) {
				await scheduler.yield();
			}
			if (this.#closed) {
				return [];
			}
		}
		return loads;
	}

	/** Of all of them. */
	totals(): ReplicaTotals {
		const totals = { replicas: this.#replicas.size, leases: 0, intents: 0, locks: 0 };
		for (const replica of this.#replicas.values()) {
			const isHeld = replica.holding();
			const { intents, locks } = replica.counts;
			totals.leases += isHeld ? 1 : 0;
			totals.intents += isHeld ? intents : 0;
			totals.locks += locks;
		}
		return totals;
	}

	statuses(): ReplicaStatus[] {
		return [...this.#replicas.values()].map((r) => ({
			descriptor: r.state.descriptor,
			leaseholder: r.holding(),
			...r.counts,
		}));
	}

	/** Locks and waits at the leaseholders of this node. */
	lockReport(): LockReport {
		return this.locks.status();
	}

	/** As far as that hangs on the node: it is connected, and has not said that it leaves. */
	mayTakeLeases(node: NodeId): boolean {
		const { bootOf, isLeaving, rpc } = this.#options;
		const boot = bootOf(node);
		return boot !== undefined && !isLeaving(boot) && rpc.pulseOf(boot) !== undefined;
	}

	/** In the background, where one of `nodes` holds a voter that is up to date: someone else should serve writes. */
	giveLeasesAway(mayTake: (node: NodeId) => boolean): void {
		for (const replica of this.#replicas.values()) {
			if (!replica.holding()) {
				continue;
			}
			const { replicas } = replica.state.descriptor;
			const to = replicas.find((r) => r.role === "voter" && mayTake(r.nodeId));
			if (to !== undefined) {
				void replica.transferLease(to.nodeId).catch(() => undefined);
			}
		}
	}

	close(): void {
		this.#closed = true;
		this.#divisions.close();
		this.#merges.close();
		for (const replica of this.#awake) {
			replica.blockers.close();
		}
		for (const timer of this.#timers) {
			timer?.cancel();
		}
	}
}

/** All keys of `before` are those of `now`, which is another range and later: `before` has become part of it. */
function hasReplaced(now: RangeDescriptor, before: RangeDescriptor): boolean {
	return (
		now.rangeId !== before.rangeId &&
		now.epoch.version > before.epoch.version &&
		before.start < before.end &&
		now.start <= before.start &&
		before.end <= now.end
	);
}

/** Those that have become part of others of them. */
function replacedAmong(states: readonly RangeState[]): RangeState[] {
	// Whoever holds all keys of another comes before it.
	const sorted = [...states].sort(({ descriptor: a }, { descriptor: b }) => {
		if (a.start !== b.start) return a.start < b.start ? -1 : 1;
		if (a.end !== b.end) return a.end > b.end ? -1 : 1;
		return b.epoch.version - a.epoch.version;
	});
	let before: RangeState[] = [];
	return sorted.filter((state) => {
		before = before.filter((other) => other.descriptor.end > state.descriptor.start);
		const isReplaced = before.some((other) => hasReplaced(other.descriptor, state.descriptor));
		before.push(state);
		return isReplaced;
	});
}

const withoutReplicas = (state: RangeState): RangeState => ({
	...state,
	descriptor: { ...state.descriptor, replicas: [] },
});

/** A replica that waits for its first snapshot: no keys, no members of its own making, nothing applied. */
function emptyState(state: RangeState): RangeState {
	assert(state.descriptor.start === state.descriptor.end, "an empty replica owns no keys");
	return {
		...state,
		configuration: { voters: [], outgoing: [], learners: [], learnersNext: [] },
		appliedIndex: 0,
		appliedTerm: 0,
	};
}
