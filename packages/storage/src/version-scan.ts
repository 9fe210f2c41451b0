/** Reads of spans: rows as of a timestamp, and whether anything changed. */
import { assert } from "@quorate/keys/assert";
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import { type Timestamp, timestampZero } from "@quorate/keys/timestamp";
import type { EngineReader } from "./engine.ts";
import {
	dataKey,
	dataSpan,
	deletionKey,
	historyEnd,
	historyPrefixOf,
	historySpan,
	historyUserKey,
	userKey,
} from "./engine-keys.ts";
import { HistoryCursor } from "./history.ts";
import { readTimestamp, versionValue } from "./version-codec.ts";
import type { KeyValue, ScanLimits, ScanResult } from "./versions.ts";

/** Rows that validation reads at a time. */
const chunk = { rowsMax: 1_000, bytesMax: 1 << 20, reverse: false, keyOffset: 0 };

/**
 * The rows that a read at `s` sees, in order of their keys or against it. `lastCommit`: no version above it is in the span; where
 * it is not above `s`, history has nothing to say.
 */
export function scanAt(
	reader: EngineReader,
	span: Span,
	s: Timestamp,
	lastCommit: Timestamp,
	limits: ScanLimits,
): ScanResult {
	if (span.start >= span.end) {
		return { rows: [], resume: undefined };
	}
	return lastCommit <= s
		? scanCurrent(reader, span, s, limits)
		: scanMerged(reader, span, s, limits);
}

/** The bound of what is left after a row. */
const resumeAfter = (k: Key, reverse: boolean): Key => (reverse ? k : keySuccessor(k));

function scanCurrent(
	reader: EngineReader,
	span: Span,
	s: Timestamp,
	limits: ScanLimits,
): ScanResult {
	const { reverse, rowsMax, bytesMax } = limits;
	const found = reader.scan(dataSpan(span), { rowsMax, bytesMax, reverse, keyOffset: 1 });
	const { keys, values } = found;
	const rows: KeyValue[] = new Array(keys.length);
	for (let n = 0; n < keys.length; n++) {
		const bytes = values[n] as Uint8Array;
		const ts = readTimestamp(bytes);
		assert(
			ts <= s,
			() => `a version at ${ts} is newer than the last commit that a read at ${s} was told`,
		);
		rows[n] = { key: keys[n] as Key, ts, value: versionValue(bytes) };
	}
	const last = keys.at(-1);
	const resume =
		last === undefined ? (reverse ? span.end : span.start) : resumeAfter(last, reverse);
	return { rows, resume: found.more ? resume : undefined };
}

/** Merges the rows that have not changed since `s` with those that history still has; a key is in one of them at most. */
function scanMerged(
	reader: EngineReader,
	span: Span,
	s: Timestamp,
	limits: ScanLimits,
): ScanResult {
	const { reverse, rowsMax, bytesMax } = limits;
	const rows: KeyValue[] = [];
	let bytes = 0;
	// Bounds the work of one call also where little of it is visible.
	let stepsLeft = 4 * rowsMax + 1_000;
	const data = reader.iterate(dataSpan(span), { reverse });
	const history = new HistoryCursor(reader, span, s, reverse);
	try {
		for (;;) {
			const dataAt = data.key === undefined ? undefined : userKey(data.key);
			const past = history.key;
			const current =
				past === undefined || (dataAt !== undefined && (reverse ? dataAt > past : dataAt < past));
			const key = current ? dataAt : past;
			if (key === undefined) {
				return { rows, resume: undefined };
			}
			if (rows.length >= rowsMax || bytes > bytesMax || stepsLeft <= 0) {
				return { rows, resume: reverse ? keySuccessor(key) : key };
			}
			stepsLeft--;
			if (current) {
				const ts = readTimestamp(data.value);
				if (ts <= s) {
					rows.push({ key, ts, value: versionValue(data.value) });
					bytes += key.length + data.value.length;
				}
				data.next();
			} else {
				const version = history.version;
				if (version !== undefined) {
					rows.push({ key, ...version });
					bytes += key.length + version.value.length;
					if (dataAt === past) {
						data.next(); // newer than `s`; the key is done with
					}
				}
				history.advance();
			}
		}
	} finally {
		data.close();
		history.close();
	}
}

/** A key was put or deleted. */
export interface Change {
	readonly key: Key;
	readonly ts: Timestamp;
}

/** Some change of a key of the span in (after, upTo]. */
export function changeBetween(
	reader: EngineReader,
	span: Span,
	after: Timestamp,
	upTo: Timestamp,
	lastCommit: Timestamp,
): Change | undefined {
	if (lastCommit <= after || upTo <= after || span.start >= span.end) {
		return undefined;
	}
	const within = (ts: Timestamp): Timestamp | undefined =>
		ts > after && ts <= upTo ? ts : undefined;
	if (span.end.length === span.start.length + 1 && span.end === keySuccessor(span.start)) {
		const ts = pointChange(reader, span.start);
		if (ts <= upTo) {
			return ts > after ? { key: span.start, ts } : undefined;
		}
	} else {
		const test = (_: Key, value: Uint8Array) => within(readTimestamp(value));
		const found = firstRow(reader, dataSpan(span), userKey, test);
		if (found !== undefined) {
			return found;
		}
	}
	return firstRow(
		reader,
		historySpan(span),
		(k) => historyUserKey(historyPrefixOf(k)),
		(k, value) => within(historyEnd(k)) ?? within(readTimestamp(value)),
	);
}

export function changedBetween(...what: Parameters<typeof changeBetween>): boolean {
	return changeBetween(...what) !== undefined;
}

/** The newest; those before it only history knows. */
function pointChange(reader: EngineReader, k: Key): Timestamp {
	const bytes = reader.get(dataKey(k)) ?? reader.get(deletionKey(k));
	return bytes === undefined ? timestampZero : readTimestamp(bytes);
}

/** The first row in which `test` finds a change. */
function firstRow(
	reader: EngineReader,
	span: Span,
	keyOf: (k: Key) => Key,
	test: (k: Key, value: Uint8Array) => Timestamp | undefined,
): Change | undefined {
	let start = span.start;
	for (;;) {
		const { keys, values, more } = reader.scan({ start, end: span.end }, chunk);
		for (let n = 0; n < keys.length; n++) {
			const ts = test(keys[n] as Key, values[n] as Uint8Array);
			if (ts !== undefined) {
				return { key: keyOf(keys[n] as Key), ts };
			}
		}
		if (!more) {
			return undefined;
		}
		start = keySuccessor(keys.at(-1) as Key);
	}
}
