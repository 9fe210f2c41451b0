/**
 * The commands of a range's Raft log. An entry is one command in an envelope that names the lease and the range version
 * under which it became pending and a number that rises within the lease (L3). Encoded with a format version in front.
 */

import { assert } from "@quorate/keys/assert";
import type { BootId, NodeId, RangeId, ReplicaId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { decodeBodyInPlace, encodeBody } from "@quorate/rpc/body";
import { commandFromArray, commandToArray } from "./command-codec.ts";
import { roomForEntry } from "./entry-slabs.ts";
import type { HeldLock } from "./lock-table.ts";

/** A write of a transaction to one key. */
export interface Write {
	readonly key: Key;
	/** null: a deletion. */
	readonly value: Uint8Array | null;
	/** A key taken back (savepoint) after a chunk had written it: resolves to nothing. */
	readonly mark?: boolean;
}

export interface WrittenSpan {
	readonly start: Key;
	readonly end: Key;
}

/** A value that a one-phase commit read while it was pending: its entry applies only if it came to be. */
export interface PendingRead {
	readonly key: Key;
	readonly c: Timestamp;
}

export type Command =
	/** Not judged by L3 but by L2: it must name the sequence it replaces and start above the old expiry. */
	| {
			readonly kind: "lease";
			readonly replaces: number;
			readonly nodeId: NodeId;
			readonly bootId: BootId;
			readonly start: Timestamp;
			readonly expiry: Timestamp;
	  }
	| { readonly kind: "extend"; readonly expiry: Timestamp }
	/** Lowers the expiry to `t`; the new lease covers timestamps above it. */
	| {
			readonly kind: "transfer";
			readonly nodeId: NodeId;
			readonly bootId: BootId;
			readonly t: Timestamp;
			readonly expiry: Timestamp;
			/** Held at the old leaseholder. They are no part of the state: only the new one, while it runs, remembers them. */
			readonly locks?: readonly HeldLock[];
	  }
	| {
			readonly kind: "prepare";
			readonly transaction: TransactionId;
			/** Commit timestamps will be above it. */
			readonly p: Timestamp;
			readonly anchor: Key;
			readonly chunk: number;
			readonly writes: readonly Write[];
	  }
	| {
			readonly kind: "commit";
			readonly transaction: TransactionId;
			readonly c: Timestamp;
			readonly anchor: Key;
			/** All that the transaction wrote, for the record: whoever finishes the resolves needs it. */
			readonly written: readonly WrittenSpan[];
	  }
	/** Decides abort, unless there is a record. Leaves a tombstone. */
	| {
			readonly kind: "abort";
			readonly transaction: TransactionId;
			readonly anchor: Key;
			/** The highest issued timestamp known when it was proposed: its age. */
			readonly at: Timestamp;
	  }
	/** Turns the transaction's intents in the spans into versions at `c`, or drops them (c 0). Never refuses. */
	| {
			readonly kind: "resolve";
			readonly transaction: TransactionId;
			readonly c: Timestamp;
			readonly spans: readonly WrittenSpan[];
	  }
	| {
			readonly kind: "one-phase";
			readonly transaction: TransactionId;
			readonly p: Timestamp;
			readonly c: Timestamp;
			readonly anchor: Key;
			readonly writes: readonly Write[];
			readonly reads: readonly PendingRead[];
			/** What the transaction has prepared in other ranges, for the record: this decides for all of it. */
			readonly written: readonly WrittenSpan[];
	  }
	/** Removes records and tombstones and raises the horizon X (T4). */
	| {
			readonly kind: "forget";
			readonly transactions: readonly { readonly id: TransactionId; readonly anchor: Key }[];
	  }
	/** F1: whatever commits at or below the timestamp is there as an intent, or was applied, before this. */
	| { readonly kind: "close"; readonly timestamp: Timestamp; readonly schemaVersion: number }
	/** Raises the GC threshold and removes what ended at or below it in a span, which its proposer chose short. */
	| { readonly kind: "collect"; readonly threshold: Timestamp; readonly span: WrittenSpan }
	/** Removes all versions in a span of what was dropped at `dropped`, which the GC threshold has passed (`clears.ts`). */
	| {
			readonly kind: "clear";
			readonly threshold: Timestamp;
			readonly dropped: Timestamp;
			readonly span: WrittenSpan;
	  }
	| {
			readonly kind: "split";
			readonly at: Key;
			readonly rangeId: RangeId;
			/** Replica ids of the right side, in the order of the descriptor's replicas. */
			readonly replicaIds: readonly ReplicaId[];
			/** Somebody asked for it: the right side is not merged by itself. */
			readonly byHand?: boolean;
	  }
	/** Left side: a merge begins. Until it has ended, keys and members stay what they are. */
	| {
			readonly kind: "merge-begin";
			readonly right: RangeId;
			readonly at: Key;
			/** Of the right side. */
			readonly version: number;
			/** The membership that it was thought out for. */
			readonly conf: number;
	  }
	/** Right side: it gives its lease up at `t` and changes no more. */
	| {
			readonly kind: "freeze";
			readonly into: RangeId;
			/** Of the left side. */
			readonly intoVersion: number;
			readonly t: Timestamp;
			/** The membership that it was thought out for. */
			readonly conf: number;
	  }
	/** Left side: takes the frozen right side over. */
	| { readonly kind: "merge"; readonly right: MergedRange; readonly conf: number }
	/** Left side: the merge will not come to be. */
	| { readonly kind: "merge-refuse" }
	/** Left side: the right side has thawed, or can never be frozen for this merge. */
	| { readonly kind: "merge-end" }
	/** Right side. Not judged by number, since nobody holds its lease, but by its version, which it raises. */
	| { readonly kind: "thaw" };

/** What a frozen range leaves: all its replicas have exactly this. */
export interface MergedRange {
	readonly rangeId: RangeId;
	readonly version: number;
	readonly end: Key;
	readonly t: Timestamp;
	readonly lastCommit: Timestamp;
	readonly gcThreshold: Timestamp;
	readonly horizon: Timestamp;
	readonly closed: Timestamp;
	readonly closedVersion: number;
}

export interface Envelope {
	/** Lease sequence under which the command became pending. */
	readonly sequence: number;
	/** Rises within the lease. */
	readonly number: number;
	/** Range version under which it became pending. */
	readonly version: number;
	readonly command: Command;
}

/** First byte of an encoded command. 6: a one-phase commit may decide for other ranges. 5: clears. 4: merges. 3: it may name pending values that it read. */
const commandFormat = 6;
const clearFormat = 5;
/** Of all that was there before clears: a node of a version before them reads it. */
const usualFormat = 4;
/** Logs of versions before may hold it. */
const oldestFormat = 2;
/** No Raft entry is larger (design, section 6). */
export const entryBytesMax = 1 << 20;

export function encodeCommand(envelope: Envelope): Uint8Array {
	const { sequence, number, version, command } = envelope;
	const body = encodeBody([sequence, number, version, commandToArray(command)]);
	const out = roomForEntry(body.length + 1);
	out[0] = formatOf(command);
	out.set(body, 1);
	return out;
}

function formatOf(command: Command): number {
	if (command.kind === "clear") return clearFormat;
	return command.kind === "one-phase" && command.written.length > 0 ? commandFormat : usualFormat;
}

/** Values in it are views of `bytes`, which others share: whoever keeps one copies it. */
export function decodeCommand(bytes: Uint8Array): Envelope {
	const format = bytes[0] ?? 0;
	assert(
		format >= oldestFormat && format <= commandFormat,
		() => `command of format ${bytes[0]}: this version knows ${commandFormat}; upgrade this node`,
	);
	const [sequence, number, version, command] = decodeBodyInPlace(bytes.subarray(1)) as [
		number,
		number,
		number,
		readonly unknown[],
	];
	return { sequence, number, version, command: commandFromArray(command) };
}
