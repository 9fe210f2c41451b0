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
import { DatabaseError } from "@quorate/keys/database-error";
import type { NodeId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import { ChangeFeed } from "./change-feed.ts";
import type { Gateway } from "./gateway.ts";
import { throwErrors } from "./router.ts";
import { GatewayTransaction } from "./transaction.ts";
import type {
	FeedFollower,
	FollowedFeed,
	RangeStatus,
	Transaction,
	TransactionCoordinator,
	TransactionOptions,
} from "./types.ts";

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

	async splitAt(keys: readonly Key[]): Promise<void> {
		const { router } = this.#gateway;
		for (const k of keys) {
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
				}
				break;
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
		for (const { descriptor } of ranges) {
			const candidates = descriptor.replicas
				.filter((r) => r.role === "voter" && live.has(r.nodeId))
				.map((r) => r.nodeId)
				.sort((a, b) => a - b);
			if (candidates.length > 0) {
				await this.moveLease(descriptor.start, candidates[turn++ % candidates.length]!);
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
