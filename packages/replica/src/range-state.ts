/**
 * What a range's replicas agree on besides keys and values: descriptor, lease, numbers and thresholds. Kept in memory,
 * written with every applied batch, and equal on all replicas at equal applied index.
 */

import { assert } from "@quorate/keys/assert";
import type { BootId, NodeId, RangeId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import {
	compactDescriptor,
	type Lease,
	type RangeDescriptor,
	type ReplicaDescriptor,
} from "@quorate/keys/range";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import { compactConfiguration } from "@quorate/raft/configuration";
import type { Configuration, LogIndex, Term } from "@quorate/raft/types";
import { decodeBody, encodeBody } from "@quorate/rpc/body";

export interface RangeState {
	descriptor: RangeDescriptor;
	/** Raft's configuration as of `appliedIndex`. */
	configuration: Configuration;
	lease: Lease;
	/** The highest command number applied within the lease (L3). */
	lastNumber: number;
	appliedIndex: LogIndex;
	appliedTerm: Term;
	/** The highest commit timestamp applied, also of a Resolve that put nothing. */
	lastCommit: Timestamp;
	/** Reads and validations below it fail. */
	gcThreshold: Timestamp;
	/** X of T4: the highest begin timestamp among removed records and tombstones. */
	horizon: Timestamp;
	/** F1: whatever is not here as an intent commits above it. 0: nothing was closed yet. */
	closed: Timestamp;
	/** The schema version as of `closed`. */
	closedVersion: number;
	/** A merge with the range to the right that has begun and has not ended (`merges.ts`). */
	merging: Merging | undefined;
	/** It is to become part of the range to the left: nobody serves it, and nothing changes. */
	frozen: Frozen | undefined;
	/** It begins where somebody wanted it to (SPLIT AT): only somebody takes that back (MERGE AT). */
	byHand: boolean;
}

/** On the left side. */
export interface Merging {
	readonly right: RangeId;
	/** Where the right side begins, and its version: what it is frozen under. */
	readonly at: Key;
	readonly version: number;
	/** It will not come to be. What is left is to thaw the right side. */
	readonly isRefused: boolean;
}

/** On the right side. */
export interface Frozen {
	readonly into: RangeId;
	/** Of the left side, which keeps it until it has taken this one over, or this one has thawed. */
	readonly intoVersion: number;
	/** Drawn after its last leaseholder had stopped serving: above all that was ever read here. */
	readonly t: Timestamp;
}

/** The index and term at which every range is born: its log begins after them. */
export const birthIndex = 10;
export const birthTerm = 5;

/** 3: with what merges and manual borders need. 2: with what is closed. */
const stateFormat = 3;
/** Engines of versions before may hold it. */
const oldestFormat = 1;

/** Of the processes that hold leases, or have held them: few. */
const boots = new Map<BootId, BootId>();

/** The same in little memory: a word that was decoded may be a part of all that it was decoded from. */
export function compactLease({ sequence, nodeId, bootId, start, expiry }: Lease): Lease {
	let boot = boots.get(bootId);
	if (boot === undefined) {
		boot = Buffer.from(bootId).toString() as BootId;
		boots.set(boot, boot);
	}
	return { sequence, nodeId, bootId: boot, start, expiry };
}

export const noLease: Lease = {
	sequence: 0,
	nodeId: 0 as NodeId,
	bootId: "" as BootId,
	start: timestampZero,
	expiry: timestampZero,
};

export function newRangeState(descriptor: RangeDescriptor): RangeState {
	return {
		descriptor,
		configuration: configurationOf(descriptor),
		lease: noLease,
		lastNumber: 0,
		appliedIndex: birthIndex,
		appliedTerm: birthTerm,
		lastCommit: timestampZero,
		gcThreshold: timestampZero,
		horizon: timestampZero,
		closed: timestampZero,
		closedVersion: 0,
		merging: undefined,
		frozen: undefined,
		byHand: false,
	};
}

export function configurationOf(descriptor: RangeDescriptor): Configuration {
	const ids = (role: "voter" | "learner") =>
		descriptor.replicas.filter((r) => r.role === role).map((r) => r.replicaId);
	return compactConfiguration({
		voters: ids("voter"),
		outgoing: [],
		learners: ids("learner"),
		learnersNext: [],
	});
}

/** What rarely changes of a state, encoded: the head of an array of fifteen, as far as `byHand`. */
interface Head {
	readonly descriptor: RangeDescriptor;
	readonly configuration: Configuration;
	readonly lease: Lease;
	readonly merging: Merging | undefined;
	readonly frozen: Frozen | undefined;
	readonly byHand: boolean;
	/**
	 * Bytes as a binary string: it lies in JavaScript's heap, which is tidied up. As an array of its own each would take 500 bytes of the
	 * allocator, and what thousands of ranges leave there when they rest stays with the process.
	 */
	readonly encoded: string;
}

/** What follows the head: each 0 of them is one byte. */
const numberCount = 8;

const heads = new WeakMap<RangeState, Head>();

/** It is not written at the moment. */
export function forgetEncoded(s: RangeState): void {
	heads.delete(s);
}

function headOf(s: RangeState): string {
	const { descriptor, configuration, lease, merging, frozen, byHand } = s;
	const known = heads.get(s);
	if (
		known?.descriptor === descriptor &&
		known.configuration === configuration &&
		known.lease === lease &&
		known.merging === merging &&
		known.frozen === frozen &&
		known.byHand === byHand
	) {
		return known.encoded;
	}
	const zeros = new Array<number>(numberCount).fill(0);
	const rare = [merging ?? null, frozen ?? null, byHand];
	const bytes = encodeBody([stateFormat, descriptor, configuration, lease, ...rare, ...zeros]);
	const { buffer, byteOffset, length } = bytes;
	const encoded = Buffer.from(buffer, byteOffset, length - numberCount).toString("latin1");
	heads.set(s, { descriptor, configuration, lease, merging, frozen, byHand, encoded });
	return encoded;
}

/** It is written with every batch of entries: what has not changed is not encoded again. */
export function encodeRangeState(s: RangeState): Uint8Array {
	const head = headOf(s);
	const { lastNumber, appliedIndex, appliedTerm, lastCommit, gcThreshold, horizon } = s;
	const { closed, closedVersion } = s;
	const numbers = encodeBody([
		lastNumber,
		appliedIndex,
		appliedTerm,
		lastCommit,
		gcThreshold,
		horizon,
		closed,
		closedVersion,
	]);
	// MessagePack is its parts one after the other; a short array begins with one byte.
	const out = Buffer.allocUnsafe(head.length + numbers.length - 1);
	out.write(head, 0, "latin1");
	out.set(numbers.subarray(1), head.length);
	return out;
}

export function decodeRangeState(bytes: Uint8Array): RangeState {
	const fields = decodeBody(bytes) as unknown[];
	const format = fields[0] as number;
	assert(
		format >= oldestFormat && format <= stateFormat,
		() => `range state of format ${format}: this version knows ${stateFormat}; upgrade this node`,
	);
	const [merging, frozen, byHand] = format < 3 ? [] : fields.slice(4, 7);
	const numbers = fields.slice(format < 3 ? 4 : 7);
	return {
		descriptor: compactDescriptor(fields[1] as RangeDescriptor),
		configuration: compactConfiguration(fields[2] as Configuration),
		lease: fields[3] as Lease,
		lastNumber: numbers[0] as number,
		appliedIndex: numbers[1] as LogIndex,
		appliedTerm: numbers[2] as Term,
		lastCommit: numbers[3] as Timestamp,
		gcThreshold: numbers[4] as Timestamp,
		horizon: numbers[5] as Timestamp,
		closed: (numbers[6] ?? timestampZero) as Timestamp,
		closedVersion: (numbers[7] ?? 0) as number,
		merging: (merging ?? undefined) as Merging | undefined,
		frozen: (frozen ?? undefined) as Frozen | undefined,
		byHand: byHand === true,
	};
}

/** The one that was added last, while the one that it replaces leaves. */
export function replicaOn(d: RangeDescriptor, node: NodeId): ReplicaDescriptor | undefined {
	let newest: ReplicaDescriptor | undefined;
	for (const replica of d.replicas) {
		if (replica.nodeId === node && (newest === undefined || replica.replicaId > newest.replicaId)) {
			newest = replica;
		}
	}
	return newest;
}

export const describeRange = (d: RangeDescriptor): string =>
	`range ${d.rangeId} (version ${d.epoch.version}, conf ${d.epoch.conf})`;

export type { RangeId };
