/**
 * Versions of keys on top of an engine: what Quorate reads and writes of a row's past, and what a transaction means to write.
 *
 * The newest version of a key is at its data key, and current rows lie side by side. When a version is overwritten or deleted
 * it moves to history, under the timestamp at which that happened.
 *
 *  1. A version {start, value} in history under `end` was what the key held at every s with start <= s < end. The newest one,
 *     at the data key, holds from its ts on. These intervals of a key never overlap; where they leave a gap the key was absent.
 *  2. Versions of a key are put in the order of their timestamps. A change is the start of a version, or the end of one that a
 *     deletion ended.
 *  3. A deletion key says when its key was deleted last. It is an index of what history knows: a history entry with that end
 *     exists. So it costs one point-get, not an iterator, to learn that a key never was, or when it went. A key that was put
 *     again keeps it; it then says nothing, since the newest version is newer.
 *  4. All kinds of a key are found from the key alone (`engine-keys.ts`), so they split, merge, travel and go together.
 *
 * Reads are functions over a reader: the engine, a snapshot, or a batch being filled (`version-batch.ts`, which writes).
 *
 * May import: `keys`, and the engine's interface.
 */
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { Engine, EngineReader } from "./engine.ts";
import {
	dataKey,
	dataSpan,
	deletionKey,
	deletionSpan,
	historyPrefix,
	intentKey,
	intentSpan,
} from "./engine-keys.ts";
import { readHistory } from "./history.ts";
import { decodeIntent, decodeVersion, readTimestamp } from "./version-codec.ts";
import { type ChangeLook, changeBetween, changedBetween, scanAt } from "./version-scan.ts";

export { type ChangeLook, changeBetween, changedBetween, scanAt };

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

export interface KeyIntent {
	readonly key: Key;
	readonly intent: Intent;
	/** As it is stored, without its key. */
	readonly bytes: number;
}

export interface KeyValue {
	readonly key: Key;
	/** The version's timestamp. */
	readonly ts: Timestamp;
	readonly value: Uint8Array;
}

export interface ScanResult {
	readonly rows: readonly KeyValue[];
	/**
	 * Where to go on: undefined when the span is done, else the bound of the rest (start if forward, end if reverse). A scan that
	 * stepped over much that is not visible may go on after few rows, or none.
	 */
	readonly resume: Key | undefined;
}

export interface ScanLimits {
	readonly rowsMax: number;
	/** Of keys and values; the row that goes over it is still there. */
	readonly bytesMax: number;
	readonly reverse: boolean;
}

/** From so many keys on, it pays to look first whether anything lies between the first and the last. */
export const manyKeys = 16;
const anyRow = { rowsMax: 1, bytesMax: 0, reverse: false, keyOffset: 0 };

/** Writes, as `VersionBatch` does them: into a batch, each seeing those before it. */
export interface VersionWrites {
	/**
	 * Makes {ts, value} the newest version (undefined: deletes; nothing happens if the key is absent), moving the old one to
	 * history. `ts` must be above the newest change.
	 */
	put(k: Key, ts: Timestamp, value: Uint8Array | undefined): void;
	putIntent(k: Key, intent: Intent): void;
	/** Of a key that has one. `bytes`: what `intents` said of it; whoever has asked for the key alone need not say. */
	removeIntent(k: Key, bytes?: number): void;
	/** Removes history that ended at or before `threshold`: at most `max` entries. `resume`: the start of the rest. */
	collect(
		span: Span,
		threshold: Timestamp,
		max: number,
	): { readonly removed: number; readonly resume: Key | undefined };
}

/** The newest version, or undefined if the key is absent or deleted. */
export function newest(reader: EngineReader, k: Key): Version | undefined {
	const bytes = reader.get(dataKey(k));
	return bytes === undefined ? undefined : decodeVersion(bytes);
}

/** Timestamp of the newest change of the key, its deletion included; 0 if it never changed, or that was collected. */
export function newestChange(reader: EngineReader, k: Key): Timestamp {
	const bytes = reader.get(dataKey(k)) ?? reader.get(deletionKey(k));
	return bytes === undefined ? timestampZero : readTimestamp(bytes);
}

/** `newestChange` and what the key has held since: undefined where that change was a deletion, or there was none. */
export function newestState(
	reader: EngineReader,
	k: Key,
): { readonly ts: Timestamp; readonly value: Uint8Array | undefined } {
	const bytes = reader.get(dataKey(k));
	return bytes === undefined
		? { ts: newestChange(reader, k), value: undefined }
		: decodeVersion(bytes);
}

/** See `Engine.prefetch`. */
export function prefetch(engine: Engine, keys: readonly Key[]): Promise<void> | undefined {
	return engine.prefetch(keys.map(dataKey));
}

/** What a read at `s` sees. */
export function readAt(reader: EngineReader, k: Key, s: Timestamp): Version | undefined {
	const bytes = reader.get(dataKey(k));
	if (bytes !== undefined) {
		if (readTimestamp(bytes) <= s) {
			return decodeVersion(bytes);
		}
	} else {
		const deletion = reader.get(deletionKey(k));
		if (deletion === undefined || readTimestamp(deletion) <= s) {
			return undefined;
		}
	}
	return readHistory(reader, historyPrefix(k), s);
}

/** `readAt` of many keys. */
export function readAllAt(
	reader: EngineReader,
	keys: readonly Key[],
	s: Timestamp,
): (Version | undefined)[] {
	const span = keys.length < manyKeys ? undefined : spanOf(keys);
	if (span !== undefined && holdsNothing(reader, span) && hadNothing(reader, span)) {
		return new Array(keys.length).fill(undefined);
	}
	return keys.map((k) => readAt(reader, k, s));
}

/** True if no key of the span has a newest version. */
export const holdsNothing = (reader: EngineReader, span: Span): boolean =>
	reader.scan(dataSpan(span), anyRow).keys.length === 0;

/** True if no key of the span was ever deleted, as far as is remembered. With `holdsNothing`: none of them ever changed. */
export const hadNothing = (reader: EngineReader, span: Span): boolean =>
	reader.scan(deletionSpan(span), anyRow).keys.length === 0;

/** The span from the lowest to the highest of some keys. */
export function spanOf(keys: readonly Key[]): Span {
	let [low, high] = [keys[0] as Key, keys[0] as Key];
	for (const k of keys) {
		low = k < low ? k : low;
		high = k > high ? k : high;
	}
	return { start: low, end: keySuccessor(high) };
}

export function readIntent(reader: EngineReader, k: Key): Intent | undefined {
	const bytes = reader.get(intentKey(k));
	return bytes === undefined ? undefined : decodeIntent(bytes);
}

/** At most `max`, in key order or against it, or as many as first go over `bytesMax`. */
export function readIntents(
	reader: EngineReader,
	span: Span,
	max: number,
	bytesMax = Number.MAX_SAFE_INTEGER,
	reverse = false,
): KeyIntent[] {
	const limits = { rowsMax: max, bytesMax, reverse, keyOffset: 1 };
	const { keys, values } = reader.scan(intentSpan(span), limits);
	return keys.map((key, n) => {
		const value = values[n] as Uint8Array;
		return { key, intent: decodeIntent(value), bytes: value.length };
	});
}
