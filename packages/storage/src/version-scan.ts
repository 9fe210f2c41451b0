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

/** Rows that validation reads at a time, at most. */
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

/** What a look for changes has come to. */
export interface ChangeLook {
	readonly change: Change | undefined;
	/** If it has found none: the keys below are done with. */
	readonly end: Key;
	/** Looked at, history among them. */
	readonly rows: number;
}

/** Some change of a key of the span in (after, upTo]. `rowsMax`: about so many rows, and as much history, are looked at. */
export function changeBetween(
	reader: EngineReader,
	span: Span,
	after: Timestamp,
	upTo: Timestamp,
	lastCommit: Timestamp,
	rowsMax = Number.MAX_SAFE_INTEGER,
): ChangeLook {
	let { end } = span;
	if (lastCommit <= after || upTo <= after || span.start >= end) {
		return { change: undefined, end, rows: 0 };
	}
	let rows = 1;
	const within = (ts: Timestamp): Timestamp | undefined =>
		ts > after && ts <= upTo ? ts : undefined;
	if (end.length === span.start.length + 1 && end === keySuccessor(span.start)) {
		const ts = pointChange(reader, span.start);
		if (ts <= upTo) {
			return { change: ts > after ? { key: span.start, ts } : undefined, end, rows };
		}
	} else {
		const found = firstRow(reader, dataSpan(span), rowsMax, {
			keyOf: userKey,
			test: (_, value) => within(readTimestamp(value)),
			doneBelow: (k) => keySuccessor(userKey(k)),
		});
		if (found.change !== undefined) {
			return { ...found, end };
		}
		end = found.end ?? end;
		rows = found.rows;
	}
	const keyOf = (k: Key): Key => historyUserKey(historyPrefixOf(k));
	const found = firstRow(reader, historySpan({ start: span.start, end }), rowsMax, {
		keyOf,
		test: (k, value) => within(historyEnd(k)) ?? within(readTimestamp(value)),
		// There may be more of that key.
		doneBelow: (k) => (keyOf(k) > span.start ? keyOf(k) : undefined),
	});
	return { change: found.change, end: found.end ?? end, rows: rows + found.rows };
}

export function changedBetween(...what: Parameters<typeof changeBetween>): boolean {
	return changeBetween(...what).change !== undefined;
}

/** The newest; those before it only history knows. */
function pointChange(reader: EngineReader, k: Key): Timestamp {
	const bytes = reader.get(dataKey(k)) ?? reader.get(deletionKey(k));
	return bytes === undefined ? timestampZero : readTimestamp(bytes);
}

interface RowTest {
	readonly keyOf: (k: Key) => Key;
	readonly test: (k: Key, value: Uint8Array) => Timestamp | undefined;
	/** Which keys are done with once that row was looked at; undefined: none. */
	readonly doneBelow: (k: Key) => Key | undefined;
}

/** The first row in which `test` finds a change, or where it has stopped to look; undefined: nowhere. */
function firstRow(
	reader: EngineReader,
	span: Span,
	rowsMax: number,
	{ keyOf, test, doneBelow }: RowTest,
): Omit<ChangeLook, "end"> & { readonly end: Key | undefined } {
	const limits = { ...chunk, rowsMax: Math.min(chunk.rowsMax, rowsMax) };
	let start = span.start;
	for (let rows = 0; ; ) {
		const { keys, values, more } = reader.scan({ start, end: span.end }, limits);
		// One that ended by its bytes is as long as one that ended by its rows.
		rows += more ? limits.rowsMax : keys.length;
		for (let n = 0; n < keys.length; n++) {
			const ts = test(keys[n] as Key, values[n] as Uint8Array);
			if (ts !== undefined) {
				return { change: { key: keyOf(keys[n] as Key), ts }, end: undefined, rows };
			}
		}
		if (!more) {
			return { change: undefined, end: undefined, rows };
		}
		const last = keys.at(-1) as Key;
		const end = rows >= rowsMax ? doneBelow(last) : undefined;
		if (end !== undefined) {
			return { change: undefined, end, rows };
		}
		start = keySuccessor(last);
	}
}
