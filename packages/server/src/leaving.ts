/**
 * A node that is about to stop gives away what others would have to wait for: its leases, each to a replica that is up to date. Where
 * nobody can take one, nothing is gained by waiting: the others find out by themselves when it is gone. All nodes are told who has
 * what now: a request that is sent where nobody listens any more may have to fail, since nobody knows what became of it. And they are told
 * first that it leaves: no lease is given to it any more, whoever wants that.
 */
import type { BootId, NodeId, RangeId } from "@quorate/keys/ids";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { PlacementClient } from "@quorate/placement/types";
import type { RangeStore } from "@quorate/replica/store";
import type { Body, Rpc } from "@quorate/rpc/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { RangeRouter } from "@quorate/txn/router";

const method = "leases-moved";
const leavingMethod = "leaving";
const tellMs = 500;
const roundMs = 50;
/** In one round: a range without a quorum never answers. */
const attemptMs = 1_000;
/** Until the new leaseholder leads: after that nothing is lost any more, for nobody else waits for its lease to end. */
const followMs = 2_000;
const lookMs = 5;

export interface LeavingOptions {
	readonly runtime: Runtime;
	readonly rpc: Rpc;
	readonly nodeId: NodeId;
	readonly placement: PlacementClient;
	readonly store: RangeStore;
	/** It runs, and does not leave itself. */
	mayTake(node: NodeId): boolean;
}

/** Resolves when no lease is left that could be given away, or after `withinMs`. */
export async function giveUpLeases(options: LeavingOptions, withinMs: number): Promise<void> {
	const { clock } = options.runtime;
	const deadlineMs = clock.monotonicMs() + withinMs;
	const others = await otherNodes(options);
	await callAll(options, others, leavingMethod, true);
	const moves: Moves = new Map();
	while (clock.monotonicMs() < deadlineMs) {
		const held = options.store
			.statuses()
			.filter((s) => s.leaseholder || moves.has(s.descriptor.rangeId));
		const given = await Promise.all(held.map((s) => giveUp(options, others, moves, s.descriptor)));
		await tell(options, others, given);
		if (!given.includes("kept")) {
			return;
		}
		await sleep(options.runtime, roundMs);
	}
}

interface Given {
	readonly rangeId: RangeId;
	readonly to: NodeId;
}

/** On their way: who has begun to give a lease away holds it no more, and must not be gone before it has arrived. */
type Moves = Map<RangeId, { readonly to: NodeId; readonly done: Promise<boolean> }>;

/** `leaving`: who has said so. */
export function handleLeavings(rpc: Rpc, router: RangeRouter, leaving: Set<BootId>): void {
	rpc.handle(leavingMethod, (_, from) => {
		if (from !== undefined) {
			leaving.add(from.bootId);
		}
		return true;
	});
	rpc.handle(method, (body, from) => {
		for (const { rangeId, to } of from === undefined ? [] : (body as unknown as Given[])) {
			router.leaseMoved(rangeId, from!.nodeId, to);
		}
		return true;
	});
}

/** Those that live. A node that has just begun may not have heard of anybody yet, and asks. */
async function otherNodes({ runtime, nodeId, placement }: LeavingOptions): Promise<NodeId[]> {
	const asked = placement.nodes().catch(() => undefined);
	const answer = await Promise.race([asked, sleep(runtime, tellMs).then(() => undefined)]);
	const nodes = answer ?? placement.nodesCached();
	return nodes.filter((n) => n.state === "live" && n.nodeId !== nodeId).map((n) => n.nodeId);
}

async function tell(
	options: LeavingOptions,
	others: readonly NodeId[],
	outcomes: readonly (Given | "kept" | "none")[],
): Promise<void> {
	const given = outcomes.filter((o) => typeof o === "object").map((o) => ({ ...o }));
	if (given.length > 0) {
		await callAll(options, others, method, given);
	}
}

/** Those that do not answer soon find out by themselves. */
async function callAll(
	{ rpc }: LeavingOptions,
	others: readonly NodeId[],
	name: string,
	body: Body,
): Promise<void> {
	await Promise.allSettled(others.map((n) => rpc.call(n, name, body, { timeoutMs: tellMs })));
}

/** `none`: nobody could take it. */
async function giveUp(
	{ runtime, store, mayTake }: LeavingOptions,
	others: readonly NodeId[],
	moves: Moves,
	{ rangeId, replicas }: RangeDescriptor,
): Promise<Given | "kept" | "none"> {
	// Who lives and only lags behind, as on a busy machine, is waited for.
	const takers = replicas.filter(
		(r) => r.role === "voter" && others.includes(r.nodeId) && mayTake(r.nodeId),
	);
	const replica = store.replica(rangeId);
	if (takers.length === 0 || replica === undefined) {
		return "none";
	}
	// Not all to the same one.
	for (let i = 0; i < takers.length; i++) {
		const { nodeId } = takers[(rangeId + i) % takers.length]!;
		const move = moves.get(rangeId) ?? {
			to: nodeId,
			done: replica.transferLease(nodeId).catch(() => false),
		};
		moves.set(rangeId, move);
		const isMoved = await Promise.race([
			move.done,
			sleep(runtime, attemptMs).then(() => undefined),
		]);
		if (isMoved === undefined) {
			return "kept";
		}
		moves.delete(rangeId);
		if (isMoved) {
			// If another than the new leaseholder were elected after this node is gone, it would have to wait for the lease's end.
			for (let waitedMs = 0; replica.leads() && waitedMs < followMs; waitedMs += lookMs) {
				replica.transferLeadership(move.to);
				await sleep(runtime, lookMs);
			}
			return { rangeId, to: move.to };
		}
	}
	return "kept";
}

const sleep = (runtime: Runtime, ms: number): Promise<void> =>
	new Promise((resolve) => {
		runtime.scheduler.setTimer(ms, resolve);
	});
