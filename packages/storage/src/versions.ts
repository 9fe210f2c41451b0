/**
 * TO BE IMPLEMENTED here and beside: versions of keys on top of an engine (design, section 5). Contract with `packages/replica`.
 *
 * Kinds (first byte of an engine key): `d` data: key -> {ts, value}; `h` history: escaped key + end ts -> {start ts, value};
 * `i` intent: key -> intent; `m` meta by range id; `t` transaction records and tombstones by anchor key.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { EngineBatch, EngineReader } from "./engine.ts";

export interface Version {
	readonly ts: Timestamp;
	readonly value: Uint8Array;
}

export interface Intent {
	readonly transaction: TransactionId;
	/** The prepare timestamp: the commit timestamp will be above it. */
	readonly p: Timestamp;
	/** Where the transaction is decided. */
	readonly anchor: Key;
	/** Undefined: a deletion. */
	readonly value: Uint8Array | undefined;
	/** Number of the chunk that wrote it, from 1. */
	readonly chunk: number;
	/** A key taken back (savepoint): resolves to nothing. */
	readonly mark: boolean;
}

export interface KeyValue {
	readonly key: Key;
	/** The version's timestamp. */
	readonly ts: Timestamp;
	readonly value: Uint8Array;
}

export interface ScanResult {
	readonly rows: readonly KeyValue[];
	/** Where to go on: undefined when the span is done, else the bound of the rest (start if forward, end if reverse). */
	readonly resume: Key | undefined;
}

export interface ScanLimits {
	readonly rowsMax: number;
	readonly bytesMax: number;
	readonly reverse: boolean;
}

/** Reads. All take the reader, so that they work on a snapshot as well. */
export interface VersionReads {
	/** The newest version, or undefined if absent or deleted. */
	newest(reader: EngineReader, k: Key): Version | undefined;
	/** Timestamp of the newest change of the key, its deletion included; 0 if it never changed (or that was collected). */
	newestChange(reader: EngineReader, k: Key): Timestamp;
	/** What a read at `s` sees. */
	readAt(reader: EngineReader, k: Key, s: Timestamp): Version | undefined;
	/** `lastCommit` <= s lets it skip `history`. */
	scanAt(
		reader: EngineReader,
		span: Span,
		s: Timestamp,
		lastCommit: Timestamp,
		limits: ScanLimits,
	): ScanResult;
	/** True if any key of the span changed (put or deleted) in (after, upTo]. */
	changedBetween(
		reader: EngineReader,
		span: Span,
		after: Timestamp,
		upTo: Timestamp,
		lastCommit: Timestamp,
	): boolean;
	intent(reader: EngineReader, k: Key): Intent | undefined;
	/** In key order. */
	intents(
		reader: EngineReader,
		span: Span,
		max: number,
	): readonly { readonly key: Key; readonly intent: Intent }[];
}

/** Writes into a batch. `reader` must see everything applied before this batch entry group. */
export interface VersionWrites {
	/** Makes {ts, value} the newest version (undefined: deletes), moving the old one to `history`. `ts` must be above the newest change. */
	put(
		reader: EngineReader,
		batch: EngineBatch,
		k: Key,
		ts: Timestamp,
		value: Uint8Array | undefined,
	): void;
	putIntent(batch: EngineBatch, k: Key, intent: Intent): void;
	removeIntent(batch: EngineBatch, k: Key): void;
	/** Removes history that ended at or before `threshold`; returns how many. */
	collect(
		reader: EngineReader,
		batch: EngineBatch,
		span: Span,
		threshold: Timestamp,
		max: number,
	): { readonly removed: number; readonly resume: Key | undefined };
}
