/**
 * Merging a range with the one to its right, at the left one's leaseholder: by hand or because both are small and cold, it is the same.
 * Before it begins, somebody else has brought both sides onto the same nodes and both leases onto one.
 *
 * Left side, "merge-begin": from now on its keys and its members stay what they are, whoever leads it.
 * Right side, "freeze": its leaseholder stops serving, draws t, and proposes that nobody serves the range any more, and nothing changes in it.
 * Every member of both sides says that it has applied the freeze, and that this is durable.
 * Left side, "merge": takes over bounds, intents, records, thresholds. The replicas of the right side are gone with it, on each node.
 * If anything goes wrong before that, "merge-refuse" on the left side, "thaw" on the right, "merge-end" on the left.
 *
 * M1. What is applied after the freeze is refused, but for the thaw. So the right side is the same on all its replicas, for good.
 * M2. No replica of the left side meets the merge before the replica of the right side beside it has applied the freeze, durably: it
 *     is proposed only when all have said so, and members cannot change meanwhile. A replica that comes later comes by a snapshot of all.
 * M3. What was read on the right side was read at or below t; what the merged range commits, it commits above. Its leaseholder has
 *     seen t, and its lease's expiry is at or above t, so that the next lease begins above it. It takes the higher of each: last
 *     commit, closed timestamp, GC threshold (which is below every intent of both), X.
 * M4. The left side's log alone decides. The right side thaws only after a refusal that the left side has applied, and the left side does
 *     not forget the refusal before the right side has a version that a late freeze does not name. So wherever a crash comes, there
 *     are two ranges or one: a leaseholder of the left side that finds a merge under way that is not its own refuses it.
 * M5. A merge fails no transaction: as with a split (V1 to V3) what is not proposed waits, and is routed again; locks and what is known of
 *     coordinators go along, since both leases are on one node.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Engine } from "@quorate/storage/engine";
import type { MergedRange } from "./commands.ts";
import type { Replica } from "./replica.ts";
import type { RangeAnswer } from "./requests.ts";

export type MergeReason = "hand" | "size";

export interface MergesOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly engine: Engine;
	readonly nodeId: NodeId;
	readonly replicas: ReadonlyMap<RangeId, Replica>;
	/** Those of them that do not rest: a merge keeps its sides from that. */
	readonly awake: Iterable<Replica>;
	/** Only a test takes the wait for the members out. */
	readonly waits: boolean;
	/** Thaws the range that begins at `at`, if it has that version still. True: it has a later one. */
	thaw(at: Key, version: number): Promise<boolean>;
	/** Somebody should lead the range that ends at `at`, and look what became of its merge. */
	wakeBefore(at: Key): void;
}

/** How long all members together may take to apply the freeze and make it durable: nobody can use the right side meanwhile. */
const frozenMs = 2_000;
/** How long they may take to say that they are there. */
const readyMs = 500;
const pollMs = 5;
/** A range that was frozen so long ago has probably lost who froze it. */
const forsakenMs = 1_000;

export class Merges {
	readonly #options: MergesOptions;
	/** Left sides whose merge is under way here, or being undone. */
	readonly #busy = new Set<Replica>();
	/** Since when they are seen frozen, in monotonic milliseconds. */
	readonly #frozen = new WeakMap<Replica, number>();
	#isClosed = false;
	readonly #done: Record<MergeReason, number> = { hand: 0, size: 0 };
	#refused = 0;

	constructor(options: MergesOptions) {
		this.#options = options;
		options.rpc.handle("range-frozen", (body) => {
			const [rangeId, t] = body as [RangeId, Timestamp];
			return this.#isFrozenHere(rangeId, t);
		});
		options.rpc.handle("range-merge-ready", (body) => this.#isReadyHere(body as RangeId[]));
	}

	/** Merges done by this node's leaseholders. */
	get done(): Readonly<Record<MergeReason, number>> {
		return this.#done;
	}

	/** Merges that had begun and did not come to be. */
	get refused(): number {
		return this.#refused;
	}

	close(): void {
		this.#isClosed = true;
	}

	/** With the range that begins at `at`, where `left` ends. */
	async merge(left: Replica, at: Key, reason: MergeReason): Promise<RangeAnswer> {
		const { descriptor } = left.state;
		if (at < descriptor.end) {
			return { kind: "done" };
		}
		assert(at === descriptor.end, "a range is merged with its neighbour");
		const right = await this.#rightOf(left, at);
		if (reason === "size" && right.state.byHand) {
			throw new DatabaseError("42501", "the range to the right begins where somebody wanted it to");
		}
		if (!(await this.#areReady(left, right))) {
			throw notNow("not all nodes of the two ranges are up to date");
		}
		if (this.#busy.has(left) || left.isMerging || right.isMerging || !left.holding()) {
			throw notNow("one of the two ranges is being merged or moved");
		}
		this.#busy.add(left);
		left.isBusy = true;
		right.isBusy = true;
		try {
			const merged = await this.#mergeBoth(left, right);
			if (merged !== undefined) {
				this.#done[reason]++;
				this.#log(left, right, reason);
				return { kind: "merged", descriptor: merged };
			}
		} finally {
			right.isBusy = false;
			left.isBusy = false;
			this.#busy.delete(left);
		}
		this.look();
		throw notNow("a merge was given up, since not all replicas followed in time");
	}

	/** The replica of the right side on this node, which must hold its lease: locks go from one memory to the other. */
	async #rightOf(left: Replica, at: Key): Promise<Replica> {
		const right = [...this.#options.replicas.values()].find((r) => r.state.descriptor.start === at);
		await right?.ensureLease();
		if (right === undefined || !right.holding()) {
			throw notNow("this node does not hold the leases of both ranges");
		}
		const [here, there] = [left, right].map(votersOf);
		if (here === undefined || here !== there) {
			throw notNow("the two ranges are not on the same nodes");
		}
		return right;
	}

	/** Both sides on every member's node are up and have, or nearly, what their leaders have: a range is not frozen in vain. */
	async #areReady(left: Replica, right: Replica): Promise<boolean> {
		const { rpc, nodeId } = this.#options;
		const ids = [left, right].map((r) => r.state.descriptor.rangeId);
		if (!left.areMembersLevel() || !right.areMembersLevel() || !this.#isReadyHere(ids)) {
			return false;
		}
		const others = left.state.descriptor.replicas.filter((r) => r.nodeId !== nodeId);
		const options = { timeoutMs: readyMs };
		return Promise.all(
			others.map((r) => rpc.call(r.nodeId, "range-merge-ready", ids, options)),
		).then(
			(all) => all.every((isReady) => isReady === true),
			() => false,
		);
	}

	#isReadyHere(ids: readonly RangeId[]): boolean {
		const { replicas } = this.#options;
		return ids.every((id) => replicas.get(id)?.isInstalling === false);
	}

	async #mergeBoth(left: Replica, right: Replica): Promise<RangeDescriptor | undefined> {
		const { descriptor } = left.state;
		const { epoch, start, rangeId } = right.state.descriptor;
		const begin = { kind: "merge-begin" as const, right: rangeId, at: start };
		const { version, conf } = descriptor.epoch;
		const begun = await left.propose({ ...begin, version: epoch.version, conf }, version);
		if (begun?.kind !== "done") {
			return undefined;
		}
		const frozen = await right.freeze(descriptor.rangeId, version, epoch.version);
		if (frozen === undefined || !(await this.#areFrozen(right.state.descriptor, frozen.t))) {
			return undefined;
		}
		return left.takeOver(frozen, right);
	}

	/** M2. */
	async #areFrozen({ replicas, rangeId }: RangeDescriptor, t: Timestamp): Promise<boolean> {
		if (!this.#options.waits) {
			return true;
		}
		const { rpc, nodeId } = this.#options;
		const answers = replicas.map(async (r): Promise<boolean> => {
			if (r.nodeId === nodeId) {
				return this.#isFrozenHere(rangeId, t);
			}
			const options = { timeoutMs: frozenMs };
			return (await rpc.call(r.nodeId, "range-frozen", [rangeId, t], options)) === true;
		});
		return Promise.all(answers).then(
			(all) => all.every((isFrozen) => isFrozen),
			() => false,
		);
	}

	/** Waits for a while until the replica here has applied the freeze; then makes it durable. */
	async #isFrozenHere(rangeId: RangeId, t: Timestamp): Promise<boolean> {
		const { replicas, engine, runtime } = this.#options;
		for (let waitedMs = 0; waitedMs < frozenMs && !this.#isClosed; waitedMs += pollMs) {
			const replica = replicas.get(rangeId);
			if (replica?.state.frozen?.t === t && !replica.isInstalling) {
				await engine
					.sync()
					.catch((error: unknown) => runtime.fatal(`engine sync failed: ${String(error)}`));
				return true;
			}
			await new Promise<void>((resolve) => runtime.scheduler.setTimer(pollMs, resolve));
		}
		return false;
	}

	/** Called now and then: merges that others have begun, or that were given up, are undone (M4). */
	look(): void {
		const nowMs = this.#options.runtime.clock.monotonicMs();
		for (const replica of this.#options.awake) {
			const { merging, frozen } = replica.state;
			if (merging !== undefined && !this.#busy.has(replica)) {
				replica.takeLease();
				if (replica.holding()) {
					void this.#undo(replica);
				}
			}
			if (frozen !== undefined && replica.leads()) {
				const since = this.#frozen.get(replica) ?? nowMs;
				this.#frozen.set(replica, since);
				if (nowMs - since >= forsakenMs) {
					this.#options.wakeBefore(replica.state.descriptor.start);
				}
			} else if (frozen === undefined) {
				this.#frozen.delete(replica);
			}
		}
	}

	/** Each step says whether the next may be taken; what is not done now is done at a later look. */
	async #undo(left: Replica): Promise<void> {
		this.#busy.add(left);
		try {
			const { merging, descriptor } = left.state;
			const { version } = descriptor.epoch;
			if (merging === undefined) {
				return;
			}
			if (!merging.isRefused) {
				const result = await left.propose({ kind: "merge-refuse" }, version);
				this.#refused += result?.kind === "done" ? 1 : 0;
			}
			const isRefused = left.state.merging?.isRefused === true;
			if (isRefused && (await this.#options.thaw(merging.at, merging.version))) {
				await left.propose({ kind: "merge-end" }, version);
			}
		} catch (error) {
			const { logger } = this.#options.runtime;
			logger.log("info", "a merge is not undone yet", { error: String(error) });
		} finally {
			this.#busy.delete(left);
		}
	}

	#log(left: Replica, right: Replica, reason: MergeReason): void {
		const { rangeId } = left.state.descriptor;
		this.#options.runtime.logger.log("info", "two ranges were merged", {
			rangeId,
			right: right.state.descriptor.rangeId,
			reason,
			bytes: Math.round(left.sizeBytes()),
		});
	}
}

/** Undefined where not all of them vote. */
function votersOf({ state }: Replica): string | undefined {
	const { replicas } = state.descriptor;
	const isSettled = replicas.every((r) => r.role === "voter");
	const nodes = replicas.map((r) => r.nodeId).sort((a, b) => a - b);
	return isSettled ? nodes.join() : undefined;
}

const notNow = (message: string): DatabaseError =>
	new DatabaseError("55000", message, { hint: "Try again." });

export const mergedRange = ({ state }: Replica, t: Timestamp): MergedRange => ({
	rangeId: state.descriptor.rangeId,
	version: state.descriptor.epoch.version,
	end: state.descriptor.end,
	t,
	lastCommit: state.lastCommit,
	gcThreshold: state.gcThreshold,
	horizon: state.horizon,
	closed: state.closed,
	closedVersion: state.closedVersion,
});
