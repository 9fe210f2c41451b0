/** Range descriptors (design, section 4): known to every layer that routes. */

import type { BootId, NodeId, RangeId, ReplicaId } from "./ids.ts";
import type { Key, Span } from "./key.ts";
import type { Timestamp } from "./timestamp.ts";

export interface ReplicaDescriptor {
	readonly nodeId: NodeId;
	readonly replicaId: ReplicaId;
	readonly role: "voter" | "learner";
}

/** `version` is raised by split and merge, `conf` by membership change. */
export interface Epoch {
	readonly version: number;
	readonly conf: number;
}

export interface RangeDescriptor {
	readonly rangeId: RangeId;
	readonly start: Key;
	readonly end: Key;
	readonly epoch: Epoch;
	readonly replicas: readonly ReplicaDescriptor[];
}

export interface Lease {
	/** Rises by one with every lease of the range; commands name it (L3). */
	readonly sequence: number;
	/** 0 with boot "" before the first lease. */
	readonly nodeId: NodeId;
	readonly bootId: BootId;
	readonly start: Timestamp;
	/** The highest timestamp that it may serve (L1). */
	readonly expiry: Timestamp;
}

/** What routing caches: a descriptor and, where known, who leads. */
export interface RangeInfo {
	readonly descriptor: RangeDescriptor;
	readonly leaseholder: NodeId | undefined;
}

export const rangeSpan = (d: RangeDescriptor): Span => ({ start: d.start, end: d.end });

/** Those that were seen last: thousands of ranges that were cut from one have a few in common. */
const epochs: (Epoch | undefined)[] = new Array(256).fill(undefined);

function sharedEpoch({ version, conf }: Epoch): Epoch {
	const at = (version + 31 * conf) % epochs.length;
	const seen = epochs[at];
	if (seen?.version === version && seen.conf === conf) {
		return seen;
	}
	const epoch = { version, conf };
	epochs[at] = epoch;
	return epoch;
}

/**
 * The same in little memory, for who keeps thousands of them: what was decoded has strings of its own for words that are always the
 * same, and objects with room for more.
 */
export const compactDescriptor = (d: RangeDescriptor): RangeDescriptor => ({
	rangeId: d.rangeId,
	start: d.start,
	end: d.end,
	epoch: sharedEpoch(d.epoch),
	replicas: d.replicas.map(({ nodeId, replicaId, role }) => ({
		nodeId,
		replicaId,
		role: role === "voter" ? "voter" : "learner",
	})),
});

/** Known in this process already, perhaps: one object does for all who keep it. */
export function isSameDescriptor(a: RangeDescriptor, b: RangeDescriptor): boolean {
	return (
		a.rangeId === b.rangeId &&
		a.epoch.version === b.epoch.version &&
		a.epoch.conf === b.epoch.conf &&
		a.start === b.start &&
		a.end === b.end &&
		a.replicas.length === b.replicas.length &&
		a.replicas.every((replica, i) => isSameReplica(replica, b.replicas[i]!))
	);
}

const isSameReplica = (a: ReplicaDescriptor, b: ReplicaDescriptor): boolean =>
	a.nodeId === b.nodeId && a.replicaId === b.replicaId && a.role === b.role;

/** True if `a` is newer than `b` in either number and older in none. */
export const isNewerEpoch = (a: Epoch, b: Epoch): boolean =>
	a.version >= b.version && a.conf >= b.conf && (a.version > b.version || a.conf > b.conf);
