/**
 * Carries out what `plan.ts` decides, on the leader of the placement group and nowhere else.
 *
 * Every move is a request to the range's leaseholder, which changes the members by the range's own log; nothing here is needed to
 * finish it, or to keep it right. So a leader may die in the middle of anything: whoever leads next finds in the directory what
 * came of it, a learner perhaps, and plans from there. Two leaders at once are harmless for the same reason: a leaseholder makes a
 * change only to the membership that it was thought out for.
 *
 * 1. Each decision is written to the group's log with its reason, and again with what came of it and what it cost.
 * 2. A range is left alone for a while after a move, since the directory hears of it a little later; for longer each time that a
 *    move of it has failed; and while somebody else changes its members.
 * 3. A move whose taker has fallen silent is given up, and planned anew.
 * 4. When nothing else is to be done, small and cold neighbours are merged (`merges.ts`).
 */
import { durationMs } from "@quorate/keys/duration";
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { defaultDeadAfterMs, type Limits } from "@quorate/keys/limits";
import { parseLocality } from "@quorate/keys/locality";
import type { PlacementRules } from "@quorate/keys/placement-rule";
import type { RangeInfo } from "@quorate/keys/range";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { PlacementCommand } from "../commands.ts";
import type { PlacementMachine } from "../group-machine.ts";
import { type Liveness, suspectAfterMs } from "../liveness.ts";
import type { NodeRecord, PlacementEvent } from "../types.ts";
import { Borders } from "./borders.ts";
import { MemberChanges } from "./member-changes.ts";
import { MergePlanner, type MergeRules } from "./merges.ts";
import { planMoves } from "./plan.ts";
import type { RangeLoads } from "./range-loads.ts";
import type { Versions } from "./versions.ts";
import type { ClusterView, Move, NodeView, Obstacle, PlanLimits } from "./view.ts";

const defaultPassMs = 1_000;
const restMs = 1_000;
const restMsMax = 30_000;
/** All ranges are looked at for a plan: it is not to take more of the time than one part in so many. */
const planPause = 100;
const eventReasonMax = 300;
/** Between two moves of leases for the sake of load: until then rates tell what came of the last. */
const evenLoadMs = 60_000;
/** Between two steps in which a node gets leases of ranges that are asked for something. */
const warmUpMs = 3_000;

/** A lease that moves costs little, and the more ranges there are the more leases may have to. */
const rangesPerLease = 500;
const limitsFor = (ranges: number): PlanLimits => ({
	copiesPerNode: 2,
	leasesPerNode: Math.max(2, Math.floor(ranges / rangesPerLease)),
});

/** What the node's upper layers do for the scheduler. */
export interface MoveExecutor {
	/** Resolves when the range that begins at `start` is on these nodes and no others; with its size in bytes, as far as known. */
	relocate(start: Key, nodes: readonly NodeId[]): Promise<number | null>;
	moveLease(start: Key, to: NodeId): Promise<void>;
	/** Ranges begin there. */
	splitAt(keys: readonly Key[]): Promise<void>;
	/** Where replicas are to be, as this node has heard of it: the same object until that changes. Undefined: not known yet. */
	rules(): PlacementRules | undefined;
	/** Somebody is to lead the range that begins at `start`, who will tell of it. Never rejects. */
	wake(start: Key): Promise<void>;
	/** Resolves when the ranges on both sides of `at` are one, on these nodes. */
	merge(at: Key, nodes: readonly NodeId[]): Promise<void>;
	/** When ranges are merged, as set now. */
	mergeRules(): MergeRules;
}

export interface SchedulerOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly machine: PlacementMachine;
	readonly liveness: Liveness;
	readonly loads: RangeLoads;
	readonly versions: Versions;
	readonly executor: MoveExecutor;
	readonly limits: Limits | undefined;
}

interface Rest {
	readonly untilMs: number;
	/** Moves in a row that have failed. */
	readonly failures: number;
}

export class Scheduler {
	readonly #options: SchedulerOptions;
	readonly #underWay = new Map<RangeId, Move>();
	readonly #resting = new Map<RangeId, Rest>();
	/** The members of ranges when they were last looked at; and since when they are those, where that is not long ago. */
	readonly #confs = new Map<RangeId, number>();
	readonly #changedMs = new Map<RangeId, number>();
	/** Nodes whose death is being written down. */
	readonly #burying = new Set<NodeId>();
	#obstacles: readonly Obstacle[] = [];
	/** What was looked at when nothing was to do. */
	#settledAt = "";
	#settledRules: PlacementRules | undefined;
	/** Monotonic milliseconds of the last look. */
	#lookedMs = 0;
	#isSettled = false;
	/** Monotonic milliseconds before which nothing is planned. */
	#planFromMs = 0;
	readonly #members: MemberChanges;
	readonly #borders: Borders;
	readonly #merges = new MergePlanner();
	/** Nodes that have just got busy leases, until when: in monotonic milliseconds. */
	readonly #warmUntilMs = new Map<NodeId, number>();
	/** Leases were moved for the sake of load, in monotonic milliseconds; or leadership began. */
	#evenedMs = 0;
	/** A range that nobody has told of is asked for something. */
	#isWaking = false;
	/** What was known when every range had been told of. */
	#allKnownAt = "";
	#timer: Timer | undefined;
	#isClosed = false;

	constructor(options: SchedulerOptions) {
		this.#options = options;
		const { runtime, rpc, machine } = options;
		this.#members = new MemberChanges({
			runtime,
			rpc,
			machine,
			record: (from, to, reason) =>
				void this.#record({ kind: "member", rangeId: 0, from, to, reason }, "done"),
		});
		this.#borders = new Borders({
			runtime,
			splitAt: (keys) => options.executor.splitAt(keys),
			record: (rangeId, reason) =>
				void this.#record({ kind: "split", rangeId, from: [], to: [], reason }, "done"),
		});
	}

	start(): void {
		const everyMs = this.#options.limits?.schedulerMs ?? defaultPassMs;
		if (everyMs > 0) {
			this.#arm(everyMs, () => this.#pass());
		} else {
			// It moves nothing, but what the nodes can is used all the same.
			this.#arm(defaultPassMs, () => void this.#options.versions.step());
		}
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
	}

	/** Leadership begins or ends: what the leader before was doing is seen in the directory. */
	reset(): void {
		this.#endAbandoned();
		this.#underWay.clear();
		this.#resting.clear();
		this.#confs.clear();
		this.#changedMs.clear();
		this.#warmUntilMs.clear();
		this.#members.reset();
		this.#merges.reset();
		this.#evenedMs = this.#nowMs;
		this.#obstacles = [];
		this.#isSettled = false;
	}

	get underWay(): readonly Move[] {
		return [...new Set(this.#underWay.values())];
	}

	get obstacles(): readonly Obstacle[] {
		return this.#obstacles;
	}

	/** The last look found nothing to do. */
	get isSettled(): boolean {
		return this.#isSettled;
	}

	#arm(everyMs: number, look: () => void): void {
		this.#timer = this.#options.runtime.scheduler.setTimer(everyMs, () => {
			if (this.#isClosed) {
				return;
			}
			if (this.#options.machine.isServing) {
				look();
			}
			this.#arm(everyMs, look);
		});
	}

	#pass(): void {
		const { machine } = this.#options;
		this.#excuseSleep();
		this.#buryTheSilent();
		this.#giveUp();
		void this.#options.versions.step();
		const nodes = machine.state.nodes().map((record) => this.#view(record));
		const areMembersSettled = this.#members.step(nodes);
		const { directory } = machine.state;
		const rules = this.#options.executor.rules();
		if (rules === undefined) {
			return;
		}
		const { loads } = this.#options;
		const evensLoad = this.#nowMs >= this.#evenedMs + evenLoadMs;
		const lookedAt = `${directory.changes} ${loads.changes} ${evensLoad} ${JSON.stringify(nodes)}`;
		const isSame = lookedAt === this.#settledAt && rules === this.#settledRules;
		const view = (): ClusterView => ({
			nodes,
			ranges: directory.current(),
			underWay: this.#underWay,
			isResting: (range) => this.#isResting(range),
			rules,
			limits: limitsFor(directory.current().length),
			loads,
			isWarmingUp: (node) => this.#nowMs < (this.#warmUntilMs.get(node) ?? 0),
			evensLoad,
		});
		const isWorth = !areMembersSettled || !this.#isSettled || !isSame;
		if (isWorth) {
			if (this.#nowMs < this.#planFromMs) {
				return;
			}
			this.#settledAt = lookedAt;
			this.#settledRules = rules;
			const beganMs = this.#nowMs;
			this.#plan(view(), areMembersSettled);
			this.#planFromMs = this.#nowMs + planPause * (this.#nowMs - beganMs);
		}
		if (this.#isSettled) {
			this.#mergeSome(view);
		}
	}

	#plan(view: ClusterView, areMembersSettled: boolean): void {
		const borders = this.#borders.step(view.ranges, view.rules);
		if (borders === "splitting") {
			this.#isSettled = false;
			return;
		}
		const plan = planMoves(view);
		this.#obstacles = plan.obstacles;
		this.#isSettled = plan.isSettled && areMembersSettled && borders === "there";
		if (plan.hasEvenedLoad) {
			this.#evenedMs = this.#nowMs;
		}
		for (const move of plan.moves) {
			void this.#make(move);
		}
		this.#forgetRests();
	}

	/** Only where nothing else is to be done: what is moved may be merged, and moved in vain. */
	#mergeSome(view: () => ClusterView): void {
		const { loads, executor, machine } = this.#options;
		const rules = executor.mergeRules();
		for (const merge of this.#merges.look(view, loads, rules, this.#nowMs)) {
			this.#isSettled = false;
			void this.#make(merge);
		}
		const known = `${loads.changes} ${machine.state.directory.changes}`;
		if (rules.afterMs > 0 && !this.#isWaking && known !== this.#allKnownAt) {
			const unknown = this.#merges.unknown(view(), loads);
			if (unknown === undefined) {
				this.#allKnownAt = known;
				return;
			}
			this.#isWaking = true;
			void executor.wake(unknown.descriptor.start).finally(() => {
				this.#isWaking = false;
			});
		}
	}

	/** Whoever was suspended for long, with all others on this machine perhaps, has heard of nobody meanwhile. */
	#excuseSleep(): void {
		if (this.#nowMs - this.#lookedMs > Math.max(suspectAfterMs, this.#deadAfterMs() / 2)) {
			this.#options.liveness.excuse();
		}
		this.#lookedMs = this.#nowMs;
	}

	get #nowMs(): number {
		return this.#options.runtime.clock.monotonicMs();
	}

	#deadAfterMs(): number {
		const { limits, machine } = this.#options;
		const set = machine.state.settings().values.get("dead_after");
		return limits?.deadAfterMs ?? (set === undefined ? defaultDeadAfterMs : durationMs(set));
	}

	/** Written down, so that the next leader need not wait for it again. It is `live` again with its next heartbeat. */
	#buryTheSilent(): void {
		const { machine, liveness } = this.#options;
		for (const record of machine.state.nodes()) {
			const isJudged = record.state === "live" || record.state === "suspect";
			const silentMs = liveness.silentForMs(record);
			if (isJudged && silentMs > this.#deadAfterMs()) {
				const { nodeId } = record;
				const reason = `silent for ${Math.round(silentMs / 1000)} s: its replicas go to others`;
				if (this.#burying.has(nodeId)) {
					continue;
				}
				this.#burying.add(nodeId);
				void machine.propose({ kind: "mark-node", nodeId, state: "dead" }).then(() => {
					this.#burying.delete(nodeId);
				});
				void this.#record({ kind: "node", rangeId: 0, from: [nodeId], to: [], reason }, "done");
			}
		}
	}

	#view(record: NodeRecord): NodeView {
		const { liveness } = this.#options;
		const { nodeId, state } = record;
		const locality = parseLocality(record.locality) ?? [];
		const isUp = state !== "removed" && liveness.silentForMs(record) <= suspectAfterMs;
		if (state === "dead" || state === "draining" || state === "removed") {
			return { nodeId, standing: "leaving", isUp, locality };
		}
		if (!isUp || state !== "live") {
			return { nodeId, standing: "silent", isUp, locality };
		}
		const standing = liveness.isStopping(record) ? "stopping" : "live";
		return { nodeId, standing, isUp, locality };
	}

	/** Who is to get a copy, or a lease, does not answer. */
	#giveUp(): void {
		const { machine } = this.#options;
		const isUp = (id: NodeId): boolean => {
			const record = machine.state.node(id);
			return record !== undefined && this.#view(record).isUp;
		};
		for (const [rangeId, move] of this.#underWay) {
			const takers = move.kind === "lease" ? [move.to] : move.added;
			if (!takers.every(isUp)) {
				this.#underWay.delete(rangeId);
				this.#rest(rangeId, true);
			}
		}
	}

	/** Decisions of the leader before, whose end nobody can tell. */
	#endAbandoned(): void {
		const { machine } = this.#options;
		const running = machine.isServing ? machine.state.events() : [];
		for (const { id } of running.filter((event) => event.outcome === "running")) {
			const outcome = "not learned: the placement group has another leader";
			void this.#propose({ kind: "event-end", id, outcome, bytes: null, tookMs: null });
		}
	}

	#isResting({ descriptor }: RangeInfo): boolean {
		const { rangeId, epoch } = descriptor;
		const nowMs = this.#nowMs;
		if (this.#confs.get(rangeId) !== epoch.conf) {
			this.#confs.set(rangeId, epoch.conf);
			this.#changedMs.set(rangeId, nowMs);
			return true;
		}
		const changedMs = this.#changedMs.get(rangeId);
		const rest = this.#resting.get(rangeId);
		return (
			(changedMs !== undefined && nowMs < changedMs + restMs) ||
			(rest !== undefined && nowMs < rest.untilMs)
		);
	}

	/** There may be thousands of ranges, and most of them have been left alone for long enough. */
	#forgetRests(): void {
		const nowMs = this.#nowMs;
		for (const [range, changedMs] of this.#changedMs) {
			if (nowMs >= changedMs + restMs) this.#changedMs.delete(range);
		}
		for (const [range, { untilMs, failures }] of this.#resting) {
			if (failures === 0 && nowMs >= untilMs) this.#resting.delete(range);
		}
	}

	#rest(rangeId: RangeId, hasFailed: boolean): void {
		const failures = hasFailed ? (this.#resting.get(rangeId)?.failures ?? 0) + 1 : 0;
		const delayMs = Math.min(restMsMax, restMs * 2 ** Math.min(failures, 10));
		this.#resting.set(rangeId, { untilMs: this.#nowMs + delayMs, failures });
	}

	async #make(move: Move): Promise<void> {
		const { executor, runtime } = this.#options;
		const { rangeId, start } = move.range;
		const beganMs = this.#nowMs;
		const rangeIds = move.kind === "merge" ? [rangeId, move.right.rangeId] : [rangeId];
		for (const id of rangeIds) this.#underWay.set(id, move);
		if (move.kind === "lease" && move.isBusy) {
			this.#warmUntilMs.set(move.to, beganMs + warmUpMs);
		}
		const recorded = this.#record(eventOf(move), "running");
		let outcome = "done";
		let bytes = move.kind === "lease" ? 0 : move.kind === "merge" ? move.bytes : null;
		try {
			if (move.kind === "lease") {
				await executor.moveLease(start, move.to);
			} else if (move.kind === "merge") {
				await executor.merge(move.right.start, move.nodes);
			} else {
				const sizeBytes = await executor.relocate(start, move.nodes);
				bytes = sizeBytes === null ? null : sizeBytes * move.added.length;
			}
		} catch (error) {
			outcome = error instanceof Error ? error.message : String(error);
			runtime.logger.log("debug", "a move failed", { rangeId, error: outcome });
		}
		const isCurrent = this.#underWay.get(rangeId) === move;
		if (isCurrent) {
			for (const id of rangeIds) {
				this.#underWay.delete(id);
				this.#rest(id, outcome !== "done");
			}
		}
		if (move.kind === "merge" && outcome === "done") {
			this.#resting.delete(move.right.rangeId);
			this.#confs.delete(move.right.rangeId);
			this.#changedMs.delete(move.right.rangeId);
		}
		const id = await recorded;
		if (id !== undefined) {
			const tookMs = Math.round(this.#nowMs - beganMs);
			const text = isCurrent || outcome === "done" ? outcome : `given up: ${outcome}`;
			await this.#propose({ kind: "event-end", id, outcome: cut(text), bytes, tookMs });
		}
	}

	/** Its id; undefined where it may not have been written. */
	async #record(
		event: {
			readonly kind: PlacementEvent["kind"];
			readonly rangeId: number;
			readonly from: readonly NodeId[];
			readonly to: readonly NodeId[];
			readonly reason: string;
		},
		outcome: string,
	): Promise<number | undefined> {
		const atMs = Math.round(this.#options.runtime.clock.wallMs());
		const tookMs = outcome === "running" ? null : 0;
		const { rangeId, from, to, kind } = event;
		const reason = cut(event.reason);
		const full = { atMs, kind, rangeId, to, from, reason, outcome, bytes: null, tookMs };
		const result = await this.#propose({ kind: "event", event: full });
		return typeof result === "object" && result.kind === "recorded" ? result.id : undefined;
	}

	#propose(command: PlacementCommand): ReturnType<PlacementMachine["propose"]> {
		return this.#isClosed ? Promise.resolve("not-leader") : this.#options.machine.propose(command);
	}
}

export function describeMove(move: Move): string {
	switch (move.kind) {
		case "lease":
			return `lease from node ${move.from} to ${move.to}`;
		case "merge":
			return `merged with range ${move.right.rangeId}`;
		case "replicas":
			return `to nodes ${move.nodes.join(", ")}`;
	}
}

const cut = (text: string): string => text.slice(0, eventReasonMax);

function eventOf(move: Move) {
	const { reason, kind, range } = move;
	const { rangeId } = range;
	return move.kind === "lease"
		? { kind, rangeId, from: [move.from], to: [move.to], reason }
		: { kind, rangeId, from: move.removed, to: move.added, reason };
}
