/**
 * Change feeds: what was written in a span, in the order of commits, for whoever follows it from a timestamp on. The leaseholder answers
 * a question for what came after one timestamp with everything up to another that it draws, and waits a while if there is nothing.
 *
 * F1. An answer {rows, upTo} to `after` holds every version of the span with after < ts <= upTo, also those deleted since, in the order of
 *     their timestamps; and no other ever appears there. (upTo is drawn here; what may commit at or below it is pending by then, by
 *     T1, and is waited for until it is applied.)
 * F2. What history may have lost is not passed over in silence: a question from below the GC threshold is answered with an error.
 *
 * So a follower that asks from where the last answer ended misses nothing and gets nothing twice, whoever answers: leases may move.
 * Recent changes are kept in memory while somebody asks for them; without them the span and its history are looked through.
 */
import type { Key, Span } from "@quorate/keys/key";
import { keySuccessor, spanContains } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Scheduler } from "@quorate/runtime/runtime";
import {
	dataSpan,
	historyEnd,
	historyPrefixOf,
	historySpan,
	historyUserKey,
} from "@quorate/storage/engine-keys";
import type { VersionObserver } from "@quorate/storage/version-batch";
import { readTimestamp, versionValue } from "@quorate/storage/version-codec";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { gcError } from "./errors.ts";
import type { RangeAnswer, RangeRequestBody } from "./requests.ts";
import { resolveLeftOver } from "./writes.ts";

export interface Change {
	readonly key: Key;
	readonly ts: Timestamp;
	readonly value: Uint8Array;
}

/** Bytes of an answer, but for changes of one transaction, which stay together. */
const answerBytesMax = 1 << 20;
/** Of recent changes kept in memory. */
const keptBytesMax = 4 << 20;
/** Rows of one look at the engine; others get their turn in between. */
const sliceRows = 1_000;
/** A feed that nobody has asked for so long is forgotten. */
const forgottenMs = 30_000;

const bytesOf = (c: Change): number => c.key.length + c.value.length + 48;

export class Feed {
	readonly span: Span;
	/** All changes above it that were applied here are in `#changes`. */
	#from: Timestamp;
	#changes: Change[] = [];
	#bytes = 0;
	#askedMs: number;
	/** Rises with everything that may have made a change, or will. */
	serial = 0;
	readonly #waiting = new Set<() => void>();

	constructor(span: Span, from: Timestamp, nowMs: number) {
		this.span = span;
		this.#from = from;
		this.#askedMs = nowMs;
	}

	asked(nowMs: number): void {
		this.#askedMs = nowMs;
	}

	isForgotten(nowMs: number): boolean {
		return nowMs - this.#askedMs > forgottenMs;
	}

	/** A version was applied, or a write prepared. */
	touched(): void {
		this.serial++;
	}

	/** By timestamp, then key. Mostly the newest of all. */
	put(change: Change): void {
		this.touched();
		if (change.ts <= this.#from) {
			return;
		}
		let at = this.#changes.length;
		while (at > 0 && isBefore(change, this.#changes[at - 1]!)) {
			at--;
		}
		this.#changes.splice(at, 0, change);
		this.#bytes += bytesOf(change);
		if (this.#bytes > keptBytesMax) {
			this.#shorten();
		}
	}

	/** The older half goes; changes of one timestamp go together. */
	#shorten(): void {
		let at = 0;
		for (let bytes = 0; bytes < keptBytesMax / 2; at++) {
			bytes += bytesOf(this.#changes[at]!);
		}
		this.#from = this.#changes[at - 1]!.ts;
		this.#changes = this.#changes.filter((c) => c.ts > this.#from);
		this.#bytes = this.#changes.reduce((sum, c) => sum + bytesOf(c), 0);
	}

	/** Undefined: not all of them are here. */
	between(after: Timestamp, upTo: Timestamp): readonly Change[] | undefined {
		if (after < this.#from) {
			return undefined;
		}
		return this.#changes.filter((c) => c.ts > after && c.ts <= upTo);
	}

	/** Those who wait look again. */
	wake(): void {
		for (const one of [...this.#waiting]) {
			one();
		}
	}

	/** Resolves with the next wake, or after so long. */
	nextWake(scheduler: Scheduler, ms: number): Promise<void> {
		return new Promise((resolve) => {
			const end = (): void => {
				timer.cancel();
				this.#waiting.delete(end);
				resolve();
			};
			const timer = scheduler.setTimer(ms, end);
			this.#waiting.add(end);
		});
	}
}

const isBefore = (a: Change, b: Change): boolean => a.ts < b.ts || (a.ts === b.ts && a.key < b.key);

export interface FeedCore extends ReplicaCore {
	/** The one for the span, begun if there is none. */
	feedOf(span: Span): Feed;
}

type Changes = Extract<RangeRequestBody, { kind: "changes" }>;

export async function changes(r: FeedCore, q: Changes): Promise<RangeAnswer> {
	const { clock } = r.context.runtime;
	const deadlineMs = clock.monotonicMs() + q.waitMs;
	for (;;) {
		const feed = r.feedOf(q.span);
		const { serial } = feed;
		const { timestamp: upTo } = await r.context.timestamps.issue();
		const answer = await changesUpTo(r, q, upTo);
		const isEmpty = answer.kind === "changes" && answer.rows.length === 0;
		const leftMs = deadlineMs - clock.monotonicMs();
		if (!isEmpty || leftMs <= 0) {
			return answer;
		}
		if (serial === feed.serial) {
			await feed.nextWake(r.context.runtime.scheduler, leftMs);
		}
	}
}

async function changesUpTo(r: FeedCore, q: Changes, upTo: Timestamp): Promise<RangeAnswer> {
	const { sequence } = r.state.lease;
	if (!(await r.covers(upTo))) {
		return r.notLeaseholder();
	}
	if (!r.ownsSpan(q.span)) {
		return r.stale();
	}
	const failed = await allApplied(r, q.span, upTo, sequence);
	if (failed !== undefined) {
		return failed;
	}
	// A snapshot may have put another feed in the place of the one that there was.
	const recent = r.feedOf(q.span).between(q.after, upTo);
	const rows = recent ?? (await lookThrough(r, q.span, q.after, upTo));
	if (r.state.lease.sequence !== sequence) {
		return r.notLeaseholder();
	}
	if (q.after < r.state.gcThreshold) {
		return gcError(q.after, r.state.gcThreshold);
	}
	return page(rows, upTo);
}

/** Waits, part by part, for all that may still commit at or below `upTo`: it was pending before that was drawn (T1). */
async function allApplied(
	r: FeedCore,
	span: Span,
	upTo: Timestamp,
	sequence: number,
): Promise<RangeAnswer | undefined> {
	const moved = (): RangeAnswer | undefined => {
		if (r.state.lease.sequence !== sequence || !r.holding()) {
			return r.notLeaseholder();
		}
		return r.ownsSpan(span) ? undefined : r.stale();
	};
	for (let from = span.start; from < span.end; ) {
		const rest = { start: from, end: span.end };
		const { found, covered } = r.blockers.inSpan(rest, null, upTo, sliceRows);
		for (const b of r.context.mutations?.feedWithoutWaiting === true ? [] : found) {
			while (r.blockers.isThere(b) && !r.blockers.isAbove(b.transaction, upTo)) {
				await changeOf(r, b, upTo);
				await resolveLeftOver(r, b, found);
				const failed = moved();
				if (failed !== undefined) {
					return failed;
				}
			}
		}
		from = covered.end;
		if (from < span.end) {
			await r.context.runtime.scheduler.yield();
			const failed = moved();
			if (failed !== undefined) {
				return failed;
			}
		}
	}
	return undefined;
}

const changeOf = (r: FeedCore, b: Blocker, s: Timestamp): Promise<void> =>
	new Promise((wake) => r.blockers.watch(b, wake, s));

/** Cut where it is too long, between two transactions. */
function page(rows: readonly Change[], upTo: Timestamp): RangeAnswer {
	let bytes = 0;
	for (const [i, row] of rows.entries()) {
		const before = rows[i - 1];
		if (before !== undefined && before.ts < row.ts && bytes > answerBytesMax) {
			return { kind: "changes", rows: rows.slice(0, i), upTo: before.ts };
		}
		bytes += bytesOf(row);
	}
	return { kind: "changes", rows, upTo };
}

/**
 * In the engine. What is deleted meanwhile moves from the newest versions, looked at first, to history, which is looked at
 * afterwards: so it is found, if twice.
 */
async function lookThrough(
	r: FeedCore,
	span: Span,
	after: Timestamp,
	upTo: Timestamp,
): Promise<readonly Change[]> {
	const found = new Map<string, Change>();
	const note = (key: Key, bytes: Uint8Array): void => {
		const ts = readTimestamp(bytes);
		if (ts > after && ts <= upTo) {
			found.set(`${ts} ${key}`, { key, ts, value: versionValue(bytes) });
		}
	};
	const { engine, runtime } = r.context;
	const data = dataSpan(span);
	for (let from: Key | undefined = data.start; from !== undefined; ) {
		const limits = { rowsMax: sliceRows, bytesMax: answerBytesMax, reverse: false, keyOffset: 0 };
		const { keys, values, more } = engine.scan({ start: from, end: data.end }, limits);
		keys.forEach((k, i) => {
			note(k.slice(1) as Key, values[i]!);
		});
		from = more ? keySuccessor(keys[keys.length - 1]!) : undefined;
		await runtime.scheduler.yield();
	}
	const history = historySpan(span);
	for (let from: Key | undefined = history.start; from !== undefined; ) {
		const it = engine.iterate({ start: from, end: history.end });
		try {
			for (let n = 0; n < sliceRows && it.key !== undefined; n++, it.next()) {
				if (historyEnd(it.key) > after) {
					note(historyUserKey(historyPrefixOf(it.key)), it.value);
				}
			}
			from = it.key;
		} finally {
			it.close();
		}
		await runtime.scheduler.yield();
	}
	return [...found.values()].sort((a, b) => (isBefore(a, b) ? -1 : 1));
}

/** Tells the feed, if there is one, of what `recent` is told. */
export function observerOf(feed: Feed | undefined, recent: VersionObserver): VersionObserver {
	if (feed === undefined) {
		return recent;
	}
	return {
		put: (key, ts, value) => {
			recent.put(key, ts, value);
			if (value !== undefined && spanContains(feed.span, key)) {
				feed.put({ key, ts, value: new Uint8Array(value) });
			}
		},
		prepared: (key) => {
			if (spanContains(feed.span, key)) {
				feed.touched();
			}
		},
	};
}
