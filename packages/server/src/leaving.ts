/**
 * A node that is about to stop gives away what others would have to wait for: its leases, each to a replica that is up to date. Where
 * nobody can take one, nothing is gained by waiting: the others find out by themselves when it is gone.
 */
import type { NodeId } from "@quorate/keys/ids";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { PlacementClient } from "@quorate/placement/types";
import type { RangeStore } from "@quorate/replica/store";
import type { Runtime } from "@quorate/runtime/runtime";

const roundMs = 50;
/** Of one hand-over: a range without a quorum never answers. */
const attemptMs = 1_000;
/** Until the new leaseholder leads. */
const followMs = 500;
const lookMs = 5;
/** Rounds in a row that moved nothing. */
const vainRoundsMax = 4;

export interface LeavingOptions {
	readonly runtime: Runtime;
	readonly nodeId: NodeId;
	readonly placement: PlacementClient;
	readonly store: RangeStore;
}

/** Resolves when no lease is left that could be given away, or after `withinMs`. */
export async function giveUpLeases(options: LeavingOptions, withinMs: number): Promise<void> {
	const { clock } = options.runtime;
	const deadlineMs = clock.monotonicMs() + withinMs;
	let vainRounds = 0;
	while (clock.monotonicMs() < deadlineMs && vainRounds < vainRoundsMax) {
		const held = options.store.statuses().filter((s) => s.leaseholder);
		const given = await Promise.all(held.map((s) => giveUp(options, s.descriptor)));
		if (!given.includes("kept")) {
			return;
		}
		vainRounds = given.includes("given") ? 0 : vainRounds + 1;
		await sleep(options.runtime, roundMs);
	}
}

/** `none`: nobody could take it. */
async function giveUp(
	{ runtime, nodeId, placement, store }: LeavingOptions,
	{ rangeId, replicas }: RangeDescriptor,
): Promise<"given" | "kept" | "none"> {
	const live = new Set(
		placement
			.nodesCached()
			.filter((n) => n.state === "live" && n.nodeId !== nodeId)
			.map((n) => n.nodeId),
	);
	const takers = replicas.filter((r) => r.role === "voter" && live.has(r.nodeId));
	const replica = store.replica(rangeId);
	if (takers.length === 0 || replica === undefined) {
		return "none";
	}
	// Not all to the same one.
	for (let i = 0; i < takers.length; i++) {
		const { nodeId: to } = takers[(rangeId + i) % takers.length]!;
		const moving = replica.transferLease(to).catch(() => false);
		if (await Promise.race([moving, sleep(runtime, attemptMs).then(() => false)])) {
			// If another than the new leaseholder were elected after this node is gone, it would have to wait for the lease's end.
			for (let waitedMs = 0; replica.leads() && waitedMs < followMs; waitedMs += lookMs) {
				await sleep(runtime, lookMs);
			}
			return "given";
		}
	}
	return "kept";
}

const sleep = (runtime: Runtime, ms: number): Promise<void> =>
	new Promise((resolve) => {
		runtime.scheduler.setTimer(ms, resolve);
	});
