/**
 * Transactions of one node (a gateway), on the layers below: routing by `router.ts`, one transaction in `transaction.ts`, the
 * commit protocol in `commit.ts`, what goes on after it in `resolver.ts` and `heartbeats.ts`.
 *
 * 1. A transaction commits only if everything it read would read the same at its commit timestamp (validation is safety).
 * 2. Locks live at the leaseholders, in memory, for scheduling only.
 * 3. Writes are buffered here until commit, or until there are over 16 MB of them: then numbered chunks are prepared meanwhile.
 *
 * 4. The past is read at a timestamp that the oracle has passed, from this node's own replicas where they may (`follower-reads.ts`).
 *
 * May import: runtime, keys, rpc, storage, replica, placement.
 */

import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId, RangeId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import type { Decision } from "@quorate/replica/decision";
import PQueue from "p-queue";
import { ChangeFeed } from "./change-feed.ts";
import { abortedMeanwhile, settle } from "./commit.ts";
import type { Gateway } from "./gateway.ts";
import { readAlone } from "./lone-read.ts";
import { throwErrors } from "./router.ts";
import { GatewayTransaction } from "./transaction.ts";
import type {
	CancelSignal,
	ChangesPage,
	ChangesQuery,
	FeedFollower,
	FollowedFeed,
	LoneValue,
	Once,
	RangeStatus,
	Transaction,
	TransactionCoordinator,
	TransactionOptions,
} from "./types.ts";

/** Splits, and moves of leases, that one statement has under way at most. */
const adminCallsMax = 16;
/** How long a lease may take to move to a replica that is made right now, and how often that is tried. */
const catchUpMs = 10_000;
const catchUpPauseMs = 100;
/** A range that is moved, or follows slowly, is waited for so long. */
const mergeMs = 20_000;
/** For one page: a backup rather waits for an election than fails. */
const changesMs = 60_000;

const nodesOf = ({ replicas }: RangeDescriptor): readonly NodeId[] =>
	replicas.map((r) => r.nodeId).sort((a, b) => a - b);

export class GatewayCoordinator implements TransactionCoordinator {
	readonly #gateway: Gateway;
	readonly #placement: PlacementClient;

	constructor(gateway: Gateway) {
		this.#gateway = gateway;
		this.#placement = gateway.placement;
	}

	begin(options: TransactionOptions): Transaction {
		return new GatewayTransaction(this.#gateway, options);
	}

	readAlone(key: Key, cancel: CancelSignal): Promise<LoneValue | undefined> | undefined {
		return readAlone(this.#gateway, key, cancel);
	}

	leadElsewhere(key: Key): NodeId | undefined {
		const leaseholder = this.#gateway.router.cachedRangeOf(key)?.leaseholder;
		return leaseholder === 0 || leaseholder === this.#gateway.nodeId ? undefined : leaseholder;
	}

	leadsHere(key: Key): boolean {
		return this.#gateway.router.cachedRangeOf(key)?.leaseholder === this.#gateway.nodeId;
	}

	doesNotLead(key: Key, node: NodeId): void {
		this.#gateway.router.doesNotLead(key, node);
	}

	async once(anchor: Key): Promise<Once> {
		this.#gateway.statistics.sentElsewhere++;
		return { id: await this.#gateway.newTransactionId(), anchor };
	}

	async settle({ id, anchor }: Once): Promise<Timestamp> {
		const c = await settle(this.#gateway, id, anchor);
		if (c === undefined) {
			throw abortedMeanwhile();
		}
		return c;
	}

	/** First in the middle, so that the halves can go on side by side. Rejects when all that had begun is done. */
	async splitAt(keys: readonly Key[], why?: string): Promise<void> {
		const sorted = [...new Set(keys)].sort();
		const done = this.#adminEvent("split", sorted.length, why);
		const queue = new PQueue({ concurrency: adminCallsMax });
		const between = async (from: number, to: number): Promise<void> => {
			if (from >= to) {
				return;
			}
			const middle = (from + to) >> 1;
			await queue.add(() => this.#splitAt(sorted[middle]!).then(done.count));
			await Promise.all([between(from, middle), between(middle + 1, to)]);
		};
		try {
			await between(0, sorted.length);
		} finally {
			await queue.onIdle();
			await done.tell();
		}
	}

	/** Of a statement that may divide or merge hundreds of ranges one event tells, which names the first of them. */
	#adminEvent(kind: Decision["kind"], of: number, why: string | undefined) {
		const { clock } = this.#gateway.runtime;
		const beganMs = clock.monotonicMs();
		let rangeId: RangeId | undefined;
		let count = 0;
		return {
			/** Undefined: there was nothing to do. */
			count: (range: RangeId | undefined): void => {
				rangeId ??= range;
				count += range === undefined ? 0 : 1;
			},
			/** Whoever did it is not told that nobody can be told of it. */
			tell: async (): Promise<void> => {
				if (why === undefined || rangeId === undefined) return;
				const tookMs = Math.round(clock.monotonicMs() - beganMs);
				const reason = of === 1 ? why : `${why}: ${count} of ${of} borders`;
				await this.#placement.decided({ kind, rangeId, reason, tookMs }).catch(() => undefined);
			},
		};
	}

	/** The range that was split; undefined where one began there already. */
	async #splitAt(k: Key): Promise<RangeId | undefined> {
		const { router } = this.#gateway;
		for (;;) {
			const answer = await router.request(k, { kind: "split", at: k }, { idempotent: true });
			if (answer.kind === "stale") {
				continue;
			}
			throwErrors(answer);
			if (answer.kind === "split") {
				await this.#placement.report([
					{ descriptor: answer.left, leaseholder: undefined },
					{ descriptor: answer.right, leaseholder: undefined },
				]);
				return answer.left.rangeId;
			}
			return undefined;
		}
	}

	/** One after the other: each takes its right neighbour. */
	async mergeAt(keys: readonly Key[], why?: string): Promise<void> {
		const sorted = [...new Set(keys)].sort();
		const done = this.#adminEvent("merge", sorted.length, why);
		try {
			for (const k of sorted) {
				done.count(await this.#mergeAt(k));
			}
		} finally {
			await done.tell();
		}
	}

	/**
	 * Brings the right side to where the left one is, and asks that to take it over. What moves meanwhile is brought again. The range that
	 * has taken it over; undefined where none began there.
	 */
	async #mergeAt(at: Key, bySize = false): Promise<RangeId | undefined> {
		const { clock, scheduler } = this.#gateway.runtime;
		const deadline = clock.monotonicMs() + mergeMs;
		for (;;) {
			try {
				const merged = await this.#mergeOnce(at, bySize);
				if (merged !== "changed") {
					return merged;
				}
			} catch (error) {
				const isBusy = error instanceof DatabaseError && error.code === "55000";
				if (!isBusy || clock.monotonicMs() >= deadline) {
					throw error;
				}
			}
			await new Promise<void>((resolve) => scheduler.setTimer(catchUpPauseMs, resolve));
		}
	}

	/**
	 * Because both sides are small and cold: brings both onto these nodes and makes one of them. What has been split by hand stays.
	 */
	async mergeOn(at: Key, nodes: readonly NodeId[]): Promise<void> {
		const wanted = [...nodes].sort((a, b) => a - b).join();
		const { descriptor: before } = await this.#gateway.router.rangeBefore(at);
		for (const k of [before.start, at]) {
			const { descriptor } = await this.#statusOf(k);
			if (nodesOf(descriptor).join() !== wanted) {
				await this.relocate(k, nodes);
			}
		}
		await this.#mergeAt(at, true);
	}

	/** `changed`: the ranges have meanwhile. */
	async #mergeOnce(at: Key, bySize: boolean): Promise<RangeId | "changed" | undefined> {
		const { router } = this.#gateway;
		const right = await this.#statusOf(at);
		if (right.descriptor.start !== at) {
			return undefined;
		}
		const { descriptor } = await router.rangeBefore(at);
		const left = await this.#statusOf(descriptor.start);
		if (left.descriptor.end !== at) {
			return "changed";
		}
		const nodes = nodesOf(left.descriptor);
		if (nodes.join() !== nodesOf(right.descriptor).join()) {
			await this.relocate(at, nodes);
		}
		if (left.leaseholder !== undefined) {
			await this.#moveLeaseSoon(at, left.leaseholder);
		}
		const { start } = left.descriptor;
		const body = { kind: "merge" as const, at, ...(bySize ? { bySize } : {}) };
		const answer = await router.request(start, body, { idempotent: true });
		throwErrors(answer);
		if (answer.kind !== "merged") {
			return "changed";
		}
		await this.#placement.report([{ descriptor: answer.descriptor, leaseholder: undefined }]);
		return answer.descriptor.rangeId;
	}

	async #statusOf(k: Key): Promise<RangeStatus> {
		for (;;) {
			const { router } = this.#gateway;
			const answer = await router.request(k, { kind: "status" }, { idempotent: true });
			throwErrors(answer);
			if (answer.kind === "status") {
				return answer;
			}
		}
	}

	async spreadLeases(span: Span): Promise<void> {
		const { router } = this.#gateway;
		const ranges = await router.rangesOf(span);
		const live = new Set(
			(await this.#placement.nodes()).filter((n) => n.state === "live").map((n) => n.nodeId),
		);
		let turn = 0;
		const moves = ranges.flatMap(({ descriptor, leaseholder }) => {
			const candidates = descriptor.replicas
				.filter((r) => r.role === "voter" && live.has(r.nodeId))
				.map((r) => r.nodeId)
				.sort((a, b) => a - b);
			const to = candidates.length === 0 ? leaseholder : candidates[turn++ % candidates.length];
			return to === leaseholder || to === undefined ? [] : [{ start: descriptor.start, to }];
		});
		const queue = new PQueue({ concurrency: adminCallsMax });
		try {
			await Promise.all(
				moves.map(({ start, to }) => queue.add(() => this.#moveLeaseSoon(start, to))),
			);
		} finally {
			await queue.onIdle();
		}
	}

	/** A replica that a split has just made may not be up to date yet. */
	async #moveLeaseSoon(k: Key, to: NodeId): Promise<void> {
		const { clock, scheduler } = this.#gateway.runtime;
		const deadline = clock.monotonicMs() + catchUpMs;
		for (;;) {
			try {
				await this.moveLease(k, to);
				return;
			} catch (error) {
				const isBehind = error instanceof DatabaseError && error.code === "55000";
				if (!isBehind || clock.monotonicMs() >= deadline) {
					throw error;
				}
				await new Promise<void>((resolve) => scheduler.setTimer(catchUpPauseMs, resolve));
			}
		}
	}

	/** Moves the lease of the range that holds `k`. */
	async moveLease(k: Key, to: NodeId): Promise<void> {
		const { router } = this.#gateway;
		for (;;) {
			const body = { kind: "transfer-lease" as const, to };
			const answer = await router.request(k, body, { idempotent: true });
			if (answer.kind !== "stale") {
				throwErrors(answer);
				return;
			}
		}
	}

	/** Puts the range that holds `k` on exactly these nodes. */
	async relocate(k: Key, nodes: readonly NodeId[]): Promise<void> {
		const { router } = this.#gateway;
		for (;;) {
			const body = { kind: "relocate" as const, nodes };
			const options = { idempotent: true, attemptMs: 120_000 };
			const answer = await router.request(k, body, options);
			if (answer.kind !== "stale") {
				throwErrors(answer);
				return;
			}
		}
	}

	follow(span: Span, after: Timestamp, follower: FeedFollower): FollowedFeed {
		const { runtime, router } = this.#gateway;
		return new ChangeFeed({ runtime, router, span, follower }, after);
	}

	async *changes(query: ChangesQuery): AsyncIterable<ChangesPage> {
		const { router } = this.#gateway;
		const { end } = query.span;
		const rest = { base: query.base, after: query.after, upTo: query.upTo };
		let { start } = query.span;
		let { above } = query;
		while (start < end) {
			const { descriptor } = await router.rangeOf(start);
			const span = { start, end: descriptor.end < end ? descriptor.end : end };
			const body = { kind: "export" as const, span, above, ...rest };
			const answer = await router.request(start, body, { idempotent: true, totalMs: changesMs });
			if (answer.kind === "stale") {
				continue;
			}
			throwErrors(answer);
			assert(answer.kind === "exported", "an export is answered with changes");
			const { rows } = answer;
			start = answer.resume?.key ?? span.end;
			above = answer.resume?.above ?? null;
			yield { rows, resume: start < end ? { key: start, above } : null };
		}
	}

	async clear(span: Span, dropped: Timestamp): Promise<boolean> {
		const { router } = this.#gateway;
		let { start } = span;
		let isDone = true;
		while (start < span.end && isDone) {
			const { descriptor } = await router.rangeOf(start);
			const end = descriptor.end < span.end ? descriptor.end : span.end;
			const body = { kind: "clear" as const, span: { start, end }, at: dropped };
			const answer = await router.request(start, body, { idempotent: true });
			if (answer.kind === "stale") {
				continue;
			}
			throwErrors(answer);
			assert(answer.kind === "cleared", "what was dropped is cleared");
			isDone = answer.isDone;
			start = answer.resume ?? end;
		}
		return isDone;
	}

	async ranges(span: Span): Promise<readonly RangeStatus[]> {
		const { router } = this.#gateway;
		const ranges = await router.rangesOf(span);
		return Promise.all(
			ranges.map(async (info): Promise<RangeStatus> => {
				try {
					const { start } = info.descriptor;
					const answer = await router.request(
						start,
						{ kind: "status" },
						{ idempotent: true, totalMs: 3_000 },
					);
					if (answer.kind === "status") {
						return answer;
					}
				} catch (error) {
					if (!(error instanceof DatabaseError)) {
						throw error;
					}
				}
				const { descriptor } = info;
				return { descriptor, leaseholder: undefined, sizeBytes: 0, requestsPerSecond: 0 };
			}),
		);
	}
}
