/**
 * The locks of one node's leaseholders as other nodes meet them: released when their transaction ends or its gateway is gone,
 * watched for deadlocks, shown to people.
 *
 * That a transaction has ended is told once, one way: a connection that breaks may lose it, and a request to lock may come after it. So the
 * gateway of a lock that somebody has waited for longer than a moment is asked whether the transaction still goes on. So it is, at
 * once, of locks that came here with a lease: where they were before may be told of the end too late, or not be there any more.
 */
import type { BootId, LockOwner, NodeId, RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { ownerBoot } from "@quorate/keys/lock-owner";
import type { Body, Peer, Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import { DeadlockDetector, reportAfterMs } from "./deadlocks.ts";
import type { LockOwners } from "./lock-owners.ts";
import type { LockStrength } from "./lock-strength.ts";
import type { WriteWaits } from "./lock-waits.ts";
import type { Replica } from "./replica.ts";
import type { Victim, WaitEdge } from "./wait-edge.ts";

/** Waits of sessions of this node that are for no lock of a range. */
export interface OtherWaits {
	edges(): readonly WaitEdge[];
	failWait(victim: Victim): void;
}

export interface LockServiceOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly nodeId: NodeId;
	readonly replicas: ReadonlyMap<RangeId, Replica>;
	/** Of all ranges here, also of right sides of splits that have no replica yet (V2). */
	readonly owners: LockOwners;
	readonly writeWaits: WriteWaits;
	readonly otherWaits?: OtherWaits | undefined;
	/** Where the deadlock detector runs now; undefined while unknown. */
	detector(): NodeId | undefined;
	/** All nodes known. */
	nodes(): readonly NodeId[];
	bootOf(node: NodeId): BootId | undefined;
	/** Boots that have ended, or are silent: their locks are released. */
	bootEnded(boot: BootId): boolean;
}

/** owners -> those of them whose transaction holds no locks any more. The others' gateway knows from then on that the asker has some. */
export const endedOwnersMethod = "lock-owners-ended";
/** A wait of that length is reason to ask. */
const askAfterMs = 1_000;
const askTimeoutMs = 2_000;

/** A lock, or a wait, at a leaseholder of this node. */
export interface LockStatus {
	readonly rangeId: RangeId;
	readonly key: Key;
	readonly owner: LockOwner;
	/** Null: a wait for a write, not for a lock. */
	readonly strength: LockStrength | null;
	/** Milliseconds since 1970 of this node's clock; null: granted. */
	readonly waitsSinceMs: number | null;
	/** Whose locks it waits for. */
	readonly blockers: readonly LockOwner[];
	/** The transaction whose write it waits for. */
	readonly write: TransactionId | null;
}

export interface LockReport {
	readonly locks: readonly LockStatus[];
	/** Granted locks that are left out: a transaction may have locked a million rows. */
	readonly leftOut: number;
}

/** Granted locks that one node tells at most. */
const grantedMax = 5_000;

export class LockService {
	readonly #options: LockServiceOptions;
	readonly #deadlocks = new DeadlockDetector();
	#reportedWaits = false;
	/** Nodes that are being asked about owners. */
	readonly #asking = new Set<NodeId>();

	constructor(options: LockServiceOptions) {
		this.#options = options;
	}

	start(): void {
		const { rpc } = this.#options;
		rpc.handle("unlock", (body) => this.unlock(body as LockOwner));
		rpc.handle("lock-cancel", (body) => this.cancelWaits(body as LockOwner));
		rpc.handle("deadlock-waits", (body, from) => this.#detect(body, from));
		rpc.handle("deadlock-victim", (body) => this.#fail(body as Victim));
	}

	/** Long waits go to the detector; also when they have ended, so that it forgets them. */
	reportWaits(): void {
		const { runtime, rpc, nodeId } = this.#options;
		const longMs = runtime.clock.monotonicMs() - reportAfterMs;
		const { otherWaits } = this.#options;
		const edges = (otherWaits?.edges() ?? []).filter(({ since }) => since <= longMs);
		for (const edge of this.#waits()) {
			if (edge.since <= longMs) {
				edges.push(edge);
			}
		}
		const detector = this.#options.detector();
		if (detector === undefined || (edges.length === 0 && !this.#reportedWaits)) {
			return;
		}
		this.#reportedWaits = edges.length > 0;
		if (detector === nodeId) {
			this.#detectAt(nodeId, edges);
		} else {
			rpc.send(detector, "deadlock-waits", edges);
		}
	}

	/** Locks and waits of gateways that are gone. */
	releaseEnded(): void {
		const ended = new Map<BootId, boolean>();
		const isGone = (owner: LockOwner): boolean => {
			const boot = ownerBoot(owner);
			const known = ended.get(boot) ?? this.#options.bootEnded(boot);
			ended.set(boot, known);
			return known;
		};
		this.#options.owners.endWhere(isGone);
		this.#options.writeWaits.endWhere(isGone);
	}

	/** Asks the gateways of the locks that are long waited for. */
	askOwners(): void {
		const longMs = this.#options.runtime.clock.monotonicMs() - askAfterMs;
		const owners = new Set<LockOwner>();
		for (const { holder, since } of this.#lockWaits()) {
			if (holder !== null && since <= longMs) {
				owners.add(holder);
			}
		}
		for (const [node, asked] of this.#byNode(owners)) {
			if (!this.#asking.has(node)) {
				this.#asking.add(node);
				// It is asked again while somebody waits.
				void this.#ask(node, asked).finally(() => this.#asking.delete(node));
			}
		}
	}

	/** Their locks came here with a lease. */
	askAtOnce(owners: ReadonlySet<LockOwner>): void {
		for (const [node, asked] of this.#byNode(owners)) {
			void this.#ask(node, asked);
		}
	}

	#byNode(owners: ReadonlySet<LockOwner>): Map<NodeId, LockOwner[]> {
		const { nodes, bootOf } = this.#options;
		const nodeOf = new Map(nodes().map((node) => [bootOf(node), node]));
		const found = new Map<NodeId, LockOwner[]>();
		for (const owner of owners) {
			const node = nodeOf.get(ownerBoot(owner));
			if (node !== undefined) {
				found.set(node, [...(found.get(node) ?? []), owner]);
			}
		}
		return found;
	}

	async #ask(node: NodeId, owners: readonly LockOwner[]): Promise<void> {
		try {
			const options = { timeoutMs: askTimeoutMs };
			const answer = await this.#options.rpc.call(node, endedOwnersMethod, owners, options);
			const ended = new Set(answer as readonly LockOwner[]);
			if (ended.size > 0) {
				this.#options.owners.endWhere((owner) => ended.has(owner));
			}
		} catch {
			// If it is gone, its boot ends.
		}
	}

	status(): LockReport {
		const { clock } = this.#options.runtime;
		const wallMs = (monotonicMs: number): number =>
			clock.wallMs() - clock.monotonicMs() + monotonicMs;
		const waits: LockStatus[] = [];
		const granted: LockStatus[] = [];
		let leftOut = 0;
		for (const [rangeId, replica] of this.#options.replicas) {
			if (replica.isResting) {
				continue;
			}
			for (const { key, owner, strength, since, blockers } of replica.locks.views()) {
				if (since === undefined && granted.length >= grantedMax) {
					leftOut++;
					continue;
				}
				const waitsSinceMs = since === undefined ? null : wallMs(since);
				const one = { rangeId, key, owner, strength, waitsSinceMs, blockers, write: null };
				(since === undefined ? granted : waits).push(one);
			}
		}
		for (const { rangeId, edge } of this.#options.writeWaits.all()) {
			const { waiter: owner, key, since, of: write } = edge;
			const waitsSinceMs = wallMs(since);
			waits.push({ rangeId, key, owner, strength: null, waitsSinceMs, blockers: [], write });
		}
		return { locks: [...waits, ...granted], leftOut };
	}

	unlock(owner: LockOwner): void {
		this.#options.owners.end(owner);
	}

	cancelWaits(owner: LockOwner): void {
		this.#options.owners.cancelWaits(owner);
		this.#options.writeWaits.endWhere((one) => one === owner);
	}

	#lockWaits(): WaitEdge[] {
		return this.#options.owners.contended().flatMap((table) => table.waits());
	}

	#waits(): WaitEdge[] {
		const { writeWaits } = this.#options;
		return [...this.#lockWaits(), ...Array.from(writeWaits.all(), ({ edge }) => edge)];
	}

	#detect(body: Body, from: Peer | undefined): void {
		if (from !== undefined) {
			this.#detectAt(from.nodeId, body as readonly WaitEdge[]);
		}
	}

	/** Every node is told of a victim: at one of them it waits. */
	#detectAt(from: NodeId, edges: readonly WaitEdge[]): void {
		const { runtime, rpc, nodeId } = this.#options;
		for (const victim of this.#deadlocks.report(from, edges, runtime.clock.monotonicMs())) {
			runtime.logger.log("info", "deadlock", { detail: victim.detail });
			this.#fail(victim);
			for (const node of this.#options.nodes()) {
				if (node !== nodeId) {
					rpc.send(node, "deadlock-victim", victim);
				}
			}
		}
	}

	#fail(victim: Victim): void {
		for (const table of this.#options.owners.contended()) {
			table.failWait(victim);
		}
		this.#options.writeWaits.failWait(victim);
		this.#options.otherWaits?.failWait(victim);
	}
}
