/** A replica by itself: what it applies is given to it, and nothing is proposed. */
import type { BootId, NodeId, RangeId, ReplicaId } from "@quorate/keys/ids";
import { type Key, keyMax } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Runtime } from "@quorate/runtime/runtime";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { type Command, encodeCommand } from "../commands.ts";
import type { ReplicaContext } from "../context.ts";
import type { CommittedEntry } from "../host-types.ts";
import { LockOwners } from "../lock-owners.ts";
import { Pace } from "../pace.ts";
import { birthIndex, newRangeState } from "../range-state.ts";
import { Replica } from "../replica.ts";

/** `seen`: the highest issued timestamp that its node knows. */
export function loneReplica(seen: () => number = () => 10 ** 15): {
	readonly replica: Replica;
	readonly engine: MemoryEngine;
} {
	const engine = new MemoryEngine();
	const runtime = {
		clock: { monotonicMs: () => 0 },
		scheduler: { yield: () => Promise.resolve() },
	} as Runtime;
	const context = {
		engine,
		nodeId: 1,
		bootId: "b",
		listening: { ms: 0 },
		lockOwners: new LockOwners(runtime.scheduler),
		pulseOf: () => undefined,
		pace: new Pace(runtime),
		runtime,
		timestamps: { seen },
		report: () => {},
	} as unknown as ReplicaContext;
	const state = newRangeState({
		rangeId: 1 as RangeId,
		start: "" as Key,
		end: keyMax,
		epoch: { version: 1, conf: 1 },
		replicas: [{ nodeId: 1 as NodeId, replicaId: 1 as ReplicaId, role: "voter" }],
	});
	return { replica: new Replica(context, 1 as ReplicaId, state), engine };
}

/** It leads its group: what it may serve is up to its lease. */
export const lead = (replica: Replica): void =>
	replica.leadershipChanged({ isLeader: true, term: 6, leader: 1 as ReplicaId });

/** The entries of its log, one after the other; the first gives it the lease. */
export class LoneLog {
	#index = birthIndex;
	#number = 0;

	lease(expiry: Timestamp): CommittedEntry {
		const lease = { nodeId: 1 as NodeId, bootId: "b" as BootId, start: 1 as Timestamp, expiry };
		return this.#next({ sequence: 0, number: 0 }, { kind: "lease", replaces: 0, ...lease });
	}

	entry(command: Command): CommittedEntry {
		return this.#next({ sequence: 1, number: ++this.#number }, command);
	}

	#next(of: { readonly sequence: number; readonly number: number }, command: Command) {
		const bytes = encodeCommand({ ...of, version: 1, command });
		return {
			index: ++this.#index,
			term: 6,
			command: bytes,
			change: undefined,
			configuration: undefined,
		};
	}
}

/** How many parts its node's pace has been asked for since. */
export function partsOf({ context: { pace } }: Replica): () => number {
	let parts = 0;
	const part = pace.part.bind(pace);
	pace.part = (work, weight) => {
		parts++;
		return part(work, weight);
	};
	return () => parts;
}
