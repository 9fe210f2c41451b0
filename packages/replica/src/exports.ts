/**
 * What a span held and how it changed between two timestamps, for backups: versions with their timestamps, deletions among them, page
 * by page in the order of keys.
 *
 * X1. An answer for (after, upTo] holds, of every key of the part of the span that it covers, each change with after < ts <= upTo, and
 *     where it is asked for the version that a read at `after` sees. No other change ever appears there: what may commit at or
 *     below upTo is pending or an intent by then (T1, and F1 of `feed.ts`), and is waited for; nobody waits for the reader.
 * X2. What history may have lost is not passed over in silence: from below the GC threshold it is an error.
 * X3. An answer looks at a bounded part of the engine, also where one key has many versions: it then ends within that key.
 */
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { EngineIterator, EngineReader } from "@quorate/storage/engine";
import {
	dataSpan,
	historyEnd,
	historyKeyOf,
	historyPrefixEnd,
	historyPrefixOf,
	historySpan,
	historyUserKey,
	userKey,
} from "@quorate/storage/engine-keys";
import { readTimestamp, versionValue, wasDeleted } from "@quorate/storage/version-codec";
import type { ReplicaCore } from "./core.ts";
import { gcError } from "./errors.ts";
import type { ExportedChange, ExportPlace, RangeAnswer, RangeRequestBody } from "./requests.ts";
import { resolveLeftOver } from "./writes.ts";

type Export = Extract<RangeRequestBody, { kind: "export" }>;

/** Keys and values of one answer; the change that goes over it is still there. */
const pageBytesMax = 256 << 10;
/** Intents that one answer looks at: of a large transaction there may be millions. */
const intentsPerPage = 2_000;
/** Entries of the engine that one answer looks at. */
const pageStepsMax = 4_000;

export async function exportChanges(r: ReplicaCore, q: Export): Promise<RangeAnswer> {
	for (;;) {
		if (!(await r.covers(q.upTo))) {
			return r.notLeaseholder();
		}
		if (!r.ownsSpan(q.span)) {
			return r.stale();
		}
		if (q.after < r.state.gcThreshold) {
			return gcError(q.after, r.state.gcThreshold);
		}
		const page = new Page(r.context.engine, q).read();
		const span = coveredBy(q.span, page.resume);
		const { found, covered } = r.blockers.inSpan(span, null, q.upTo, intentsPerPage);
		// What is decided is waited for as well: until it is applied.
		const blocker = found.find((b) => !r.blockers.isAbove(b.transaction, q.upTo));
		if (blocker === undefined) {
			return { kind: "exported", ...(covered.end < span.end ? cutAt(page, covered.end) : page) };
		}
		await new Promise<void>((wake) => r.blockers.watch(blocker, wake, q.upTo));
		await resolveLeftOver(r, blocker, found);
		if (!r.holding()) {
			return r.notLeaseholder();
		}
	}
}

function coveredBy({ start, end }: Span, resume: ExportPlace | null): Span {
	if (resume === null) {
		return { start, end };
	}
	return { start, end: resume.above === null ? resume.key : keySuccessor(resume.key) };
}

/** Of a page some of whose intents were not looked at. */
function cutAt({ rows }: Exported, end: Key): Exported {
	return { rows: rows.filter(({ key }) => key < end), resume: { key: end, above: null } };
}

interface Exported {
	readonly rows: readonly ExportedChange[];
	readonly resume: ExportPlace | null;
}

/** Reads the newest versions and history side by side, in one tick. */
class Page {
	readonly #q: Export;
	readonly #data: EngineIterator;
	readonly #history: EngineIterator;
	readonly #rows: ExportedChange[] = [];
	#bytes = 0;
	#steps = 0;

	constructor(reader: EngineReader, q: Export) {
		this.#q = q;
		this.#data = reader.iterate(dataSpan(q.span));
		this.#history = reader.iterate(historySpan(q.span));
	}

	read(): Exported {
		try {
			return { rows: this.#rows, resume: this.#all() };
		} finally {
			this.#data.close();
			this.#history.close();
		}
	}

	get #isFull(): boolean {
		return this.#bytes >= pageBytesMax || this.#steps >= pageStepsMax;
	}

	#all(): ExportPlace | null {
		for (;;) {
			const current = this.#data.key === undefined ? undefined : userKey(this.#data.key);
			const prefix = this.#history.key && historyPrefixOf(this.#history.key);
			const past = prefix && historyUserKey(prefix);
			const key = past === undefined || (current !== undefined && current < past) ? current : past;
			if (key === undefined) {
				return null;
			}
			if (this.#isFull) {
				return { key, above: null };
			}
			const { span, above } = this.#q;
			const isGoneOn = above !== null && key === span.start;
			const floor = isGoneOn ? above : this.#q.after;
			const takesBase = this.#q.base && !isGoneOn;
			if (prefix !== undefined && key === past) {
				const cut = this.#past(key, prefix, floor, takesBase);
				if (cut !== undefined) {
					return { key, above: cut };
				}
			}
			if (key === current) {
				this.#newest(key, floor, takesBase);
			}
		}
	}

	/** The entries of one key, by rising end. The timestamp up to which they were told, where the page ends within the key. */
	#past(key: Key, prefix: Key, floor: Timestamp, takesBase: boolean): Timestamp | undefined {
		const it = this.#history;
		it.seek(historyKeyOf(prefix, (floor + 1) as Timestamp));
		let told = floor;
		while (it.key?.startsWith(prefix) === true && it.key.length === prefix.length + 8) {
			const ts = readTimestamp(it.value);
			if (ts > this.#q.upTo) {
				break;
			}
			if (this.#isFull) {
				return told;
			}
			this.#steps++;
			if (ts > floor || takesBase) {
				this.#put(key, ts, versionValue(it.value));
			}
			const end = historyEnd(it.key);
			if (wasDeleted(it.value) && end <= this.#q.upTo) {
				this.#put(key, end, null);
				told = end;
			} else {
				told = Math.max(told, ts) as Timestamp;
			}
			it.next();
		}
		it.seek(historyPrefixEnd(prefix));
		this.#steps++;
		return undefined;
	}

	#newest(key: Key, floor: Timestamp, takesBase: boolean): void {
		const ts = readTimestamp(this.#data.value);
		if (ts <= this.#q.upTo && (ts > floor || takesBase)) {
			this.#put(key, ts, versionValue(this.#data.value));
		}
		this.#data.next();
		this.#steps++;
	}

	#put(key: Key, ts: Timestamp, value: Uint8Array | null): void {
		this.#rows.push({ key, ts, value });
		this.#bytes += key.length + (value?.length ?? 0) + 16;
	}
}
