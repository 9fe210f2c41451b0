/** What the transactions of one node share. */
import type { BootId, LockOwner, NodeId, TransactionId } from "@quorate/keys/ids";
import type { Limits } from "@quorate/keys/limits";
import { makeLockOwner } from "@quorate/keys/lock-owner";
import type { Mutations } from "@quorate/keys/mutations";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import { makeTransactionId } from "@quorate/keys/transaction-id";
import type { PlacementClient } from "@quorate/placement/types";
import { endedOwnersMethod } from "@quorate/replica/lock-service";
import type { Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import { FollowerReads } from "./follower-reads.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { LockPlaces } from "./lock-places.ts";
import { ReadSpread } from "./read-spread.ts";
import type { Resolver } from "./resolver.ts";
import type { RangeRouter } from "./router.ts";

const bufferBytesMax = 16 << 20;

export interface GatewayStatistics {
	onePhaseCommits: number;
	twoPhaseCommits: number;
	readOnlyCommits: number;
	aborts: number;
	conflicts: number;
	/** Statements that the node was asked to run which leads the row's range. */
	sentElsewhere: number;
	/** Requests that a replica of this node answered without leading its range. */
	followerReads: number;
}

export interface NodeLocks {
	/** The owner's transaction has ended. */
	unlock(owner: LockOwner): void;
	cancelWaits(owner: LockOwner): void;
}

export interface GatewayOptions {
	readonly runtime: Runtime;
	readonly nodeId: NodeId;
	readonly bootId: BootId;
	readonly rpc: Rpc;
	readonly placement: PlacementClient;
	readonly router: RangeRouter;
	readonly resolver: Resolver;
	readonly heartbeats: Heartbeats;
	/** Of this node's replicas. */
	readonly locks: NodeLocks;
	/** Tests only. */
	readonly limits?: Limits | undefined;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
}

export class Gateway {
	readonly runtime: Runtime;
	readonly nodeId: NodeId;
	readonly placement: PlacementClient;
	readonly router: RangeRouter;
	readonly resolver: Resolver;
	readonly heartbeats: Heartbeats;
	readonly mutations: Mutations | undefined;
	readonly followerReads: FollowerReads;
	/** Of reads that are transactions by themselves. */
	readonly readSpread = new ReadSpread();
	/** Above it, chunks of a transaction's writes are prepared while its statement runs. */
	readonly bufferBytesMax: number;
	readonly statistics: GatewayStatistics = {
		onePhaseCommits: 0,
		twoPhaseCommits: 0,
		readOnlyCommits: 0,
		aborts: 0,
		conflicts: 0,
		sentElsewhere: 0,
		followerReads: 0,
	};
	readonly #bootId: BootId;
	readonly #rpc: Rpc;
	readonly #locks: NodeLocks;
	/** Owners that may hold locks; leaseholders ask for them. */
	readonly #lockers = new Map<LockOwner, LockPlaces>();
	#counter = 0;

	constructor(options: GatewayOptions) {
		this.runtime = options.runtime;
		this.nodeId = options.nodeId;
		this.placement = options.placement;
		this.router = options.router;
		this.resolver = options.resolver;
		this.heartbeats = options.heartbeats;
		this.mutations = options.mutations;
		this.followerReads = new FollowerReads(options.runtime, options.router);
		this.bufferBytesMax = options.limits?.bufferBytes ?? bufferBytesMax;
		this.#bootId = options.bootId;
		this.#rpc = options.rpc;
		this.#locks = options.locks;
		options.rpc.handle(endedOwnersMethod, (body, from) =>
			(body as readonly LockOwner[]).filter((owner) => {
				const places = this.#lockers.get(owner);
				places?.add(from?.nodeId ?? this.nodeId);
				return places === undefined;
			}),
		);
	}

	/** A request to lock goes out for it. */
	locks(owner: LockOwner, places: LockPlaces): void {
		this.#lockers.set(owner, places);
	}

	/** It holds no locks, or is to hold none. */
	locksNoMore(owner: LockOwner): void {
		this.#lockers.delete(owner);
	}

	/** `process`: of the client's session, 0 for none. */
	newOwner(process: number): LockOwner {
		this.#counter++;
		return makeLockOwner(this.#bootId, this.#counter, process, this.placement.seen());
	}

	/** A fresh id for one attempt to commit; its begin timestamp is the highest issued one known here (T4). */
	newTransactionId(begin?: Timestamp): TransactionId | Promise<TransactionId> {
		const seen = this.placement.seen();
		if (seen === timestampZero) {
			return this.placement.issue().then(() => this.newTransactionId(begin));
		}
		this.#counter++;
		return makeTransactionId(begin ?? seen, this.#bootId, this.#counter);
	}

	/**
	 * Releases an owner's locks on a node: of this one at once, as its next request comes at once, too; of another in the background, ahead
	 * of what is sent there later.
	 */
	unlock(node: NodeId, owner: LockOwner): void {
		if (node === this.nodeId) this.#locks.unlock(owner);
		else this.#rpc.send(node, "unlock", owner);
	}

	/** What the owner's statement waits for on a node, it waits for no more. */
	cancelWaits(node: NodeId, owner: LockOwner): void {
		if (node === this.nodeId) this.#locks.cancelWaits(owner);
		else this.#rpc.send(node, "lock-cancel", owner);
	}
}
