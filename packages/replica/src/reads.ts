/**
 * Reads at a leaseholder (design, section 5 and T1): at a timestamp, or of the newest versions under a lock. A read takes its
 * first look in one tick: lease, pending writes, intents and data; it waits only for what that look found.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import {
	type KeyValue,
	newestChange,
	newestState,
	readAllAt,
	readAt,
	type ScanLimits,
	scanAt,
} from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { gcError } from "./errors.ts";
import type { PageRow, RangeAnswer, RangeRequestBody } from "./requests.ts";

type Asked = Extract<RangeRequestBody, { kind: "read" }>;
type Read = Asked & { readonly s: Timestamp };
type Scan = Extract<RangeRequestBody, { kind: "scan" }>;

/** Intents that one page of a scan looks at. */
const intentsPerPage = 2_000;

export function read(r: ReplicaCore, q: Asked): RangeAnswer | Promise<RangeAnswer> {
	return q.s === null ? readNow(r, q) : readAtTimestamp(r, { ...q, s: q.s });
}

/** At a timestamp drawn here, after the request came: as good as one that the reader had drawn. */
async function readNow(r: ReplicaCore, q: Asked): Promise<RangeAnswer> {
	const drawn = await r.context.timestamps.issue();
	if (!q.keys.every((k) => r.owns(k))) {
		return r.stale();
	}
	const read = readAtTimestamp(r, { ...q, s: drawn.timestamp });
	const answer = read instanceof Promise ? await read : read;
	return answer.kind === "values" ? { ...answer, drawn } : answer;
}

function readAtTimestamp(r: ReplicaCore, q: Read): RangeAnswer | Promise<RangeAnswer> {
	const covered = r.covers(q.s);
	return covered === true ? readCovered(r, q) : readLater(r, q, covered);
}

async function readLater(
	r: ReplicaCore,
	q: Read,
	covered: false | Promise<boolean>,
): Promise<RangeAnswer> {
	return (await covered) && q.keys.every((k) => r.owns(k)) ? readCovered(r, q) : r.notLeaseholder();
}

function readCovered(r: ReplicaCore, q: Read): RangeAnswer | Promise<RangeAnswer> {
	if (q.s < r.state.gcThreshold) {
		return gcError(q.s, r.state.gcThreshold);
	}
	const own = q.transaction ?? null;
	const found: Blocker[] = [];
	for (const k of q.keys) {
		r.blockers.onKey(k, own, q.s, found);
	}
	const values =
		own === null
			? readAllAt(r.context.engine, q.keys, q.s).map((version) => version?.value ?? null)
			: q.keys.map((k) => valueAt(r, k, q.s, own, none));
	return found.length === 0 ? { kind: "values", values } : readBlocked(r, q, values, found);
}

async function readBlocked(
	r: ReplicaCore,
	q: Read,
	values: (Uint8Array | null)[],
	found: readonly Blocker[],
): Promise<RangeAnswer> {
	await settled(r, found);
	if (!q.keys.every((k) => r.owns(k))) {
		return r.stale();
	}
	if (q.s < r.state.gcThreshold) {
		return gcError(q.s, r.state.gcThreshold);
	}
	// A key that it had to wait for is read again; the others stay as the first look saw them.
	q.keys.forEach((k, i) => {
		const here = found.filter((b) => b.key === k);
		if (here.length > 0) {
			values[i] = valueAt(r, k, q.s, q.transaction ?? null, here);
		}
	});
	return { kind: "values", values };
}

const none: readonly Blocker[] = [];

/** Waits until none of the blockers stands (each is gone, or decided). */
export async function settled(r: ReplicaCore, found: readonly Blocker[]): Promise<void> {
	for (const b of found) {
		while (r.blockers.stands(b)) {
			await new Promise<void>((wake) => r.blockers.watch(b, wake));
		}
	}
}

/** What a read at `s` sees of a key: versions, its own intents, and decided writes that are still intents or pending. */
function valueAt(
	r: ReplicaCore,
	k: Key,
	s: Timestamp,
	own: TransactionId | null,
	decided: readonly Blocker[],
): Uint8Array | null {
	const engine = r.context.engine;
	if (own !== null) {
		const intent = r.blockers.intent(engine, k);
		if (intent?.transaction === own && !intent.mark) {
			return intent.value ?? null;
		}
	}
	for (const b of decided) {
		const value = decidedValue(r, b, s);
		if (value !== undefined) {
			return value;
		}
	}
	return readAt(engine, k, s)?.value ?? null;
}

/** By the rule of Resolve: undefined where the decided write does not show at `s` or is gone already. */
function decidedValue(r: ReplicaCore, b: Blocker, s: Timestamp): Uint8Array | null | undefined {
	const decision = r.blockers.decision(b.transaction);
	if (decision === undefined || decision === "unknown" || decision.c === 0 || decision.c > s) {
		return undefined;
	}
	const { engine } = r.context;
	const intent = r.blockers.intent(engine, b.key);
	if (intent?.transaction === b.transaction) {
		const shows = !intent.mark && decision.c > intent.p && newestChange(engine, b.key) < decision.c;
		return shows ? (intent.value ?? null) : undefined;
	}
	const pending = r.pending.on(b.key).find((x) => x.group.transaction === b.transaction);
	if (pending === undefined || pending.write.mark || decision.c <= pending.group.p) {
		return undefined;
	}
	return newestChange(engine, b.key) < decision.c ? pending.write.value : undefined;
}

export function scan(r: ReplicaCore, q: Scan): RangeAnswer | Promise<RangeAnswer> {
	const covered = r.covers(q.s);
	return covered === true ? scanCovered(r, q) : scanLater(r, q, covered);
}

async function scanLater(
	r: ReplicaCore,
	q: Scan,
	covered: false | Promise<boolean>,
): Promise<RangeAnswer> {
	return (await covered) && r.ownsSpan(q.span) ? scanCovered(r, q) : r.notLeaseholder();
}

function scanCovered(r: ReplicaCore, q: Scan): RangeAnswer | Promise<RangeAnswer> {
	if (q.s < r.state.gcThreshold) {
		return gcError(q.s, r.state.gcThreshold);
	}
	const own = q.transaction ?? null;
	const page = scanAt(r.context.engine, q.span, q.s, r.state.lastCommit, q.limits);
	if (r.blockers.intentCount === 0 && r.pending.groups === 0) {
		return { kind: "rows", rows: page.rows, resume: page.resume ?? null };
	}
	const look = firstLook(r, q.span, page.resume, q.limits.reverse, own, q.s);
	const mine = own === null ? [] : ownIntents(r, look.covered, own);
	if (look.found.length === 0 && mine.length === 0) {
		return answerPage(page.rows, look);
	}
	return scanBlocked(r, q, look.covered, look.resume, look.found);
}

/** The part of the span that the page covers, and what must be waited for in it. */
function firstLook(
	r: ReplicaCore,
	span: Span,
	resume: Key | undefined,
	reverse: boolean,
	own: TransactionId | null,
	s: Timestamp,
): { covered: Span; resume: Key | undefined; found: Blocker[] } {
	if (reverse) {
		const covered = resume === undefined ? span : { start: resume, end: span.end };
		const look = r.blockers.inSpan(covered, own, s, Number.MAX_SAFE_INTEGER);
		return { covered, resume, found: look.found };
	}
	const end = resume ?? span.end;
	const look = r.blockers.inSpan({ start: span.start, end }, own, s, intentsPerPage);
	const cut = look.end < end;
	return {
		covered: { start: span.start, end: cut ? look.end : end },
		resume: cut ? look.end : resume,
		found: look.found,
	};
}

function ownIntents(
	r: ReplicaCore,
	span: Span,
	own: TransactionId,
): { readonly key: Key; readonly value: Uint8Array | null }[] {
	const out: { key: Key; value: Uint8Array | null }[] = [];
	for (const { key, intent } of r.blockers.intentsIn(span)) {
		if (intent.transaction === own && !intent.mark) {
			out.push({ key, value: intent.value ?? null });
		}
	}
	return out;
}

async function scanBlocked(
	r: ReplicaCore,
	q: Scan,
	covered: Span,
	resume: Key | undefined,
	found: readonly Blocker[],
): Promise<RangeAnswer> {
	await settled(r, found);
	if (!r.ownsSpan(q.span)) {
		return r.stale();
	}
	if (q.s < r.state.gcThreshold) {
		return gcError(q.s, r.state.gcThreshold);
	}
	// Everything of the covered part: rows that the waited-for writes made may exceed the page by as many.
	const rows = new Map<Key, PageRow>();
	const limits: ScanLimits = {
		rowsMax: Number.MAX_SAFE_INTEGER,
		bytesMax: Number.MAX_SAFE_INTEGER,
		reverse: false,
	};
	for (const row of scanAt(r.context.engine, covered, q.s, r.state.lastCommit, limits).rows) {
		rows.set(row.key, row);
	}
	const overlay = (key: Key, value: Uint8Array | null) => {
		if (value === null) {
			rows.delete(key);
		} else {
			rows.set(key, { key, value });
		}
	};
	for (const b of found) {
		const value = decidedValue(r, b, q.s);
		if (value !== undefined) {
			overlay(b.key, value);
		}
	}
	if (q.transaction != null) {
		for (const { key, value } of ownIntents(r, covered, q.transaction)) {
			overlay(key, value);
		}
	}
	const sorted = [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
	return {
		kind: "rows",
		rows: q.limits.reverse ? sorted.reverse() : sorted,
		resume: resume ?? null,
	};
}

/** Drops rows beyond the part whose intents were looked at. */
function answerPage(
	rows: readonly KeyValue[],
	look: { readonly covered: Span; readonly resume: Key | undefined },
): RangeAnswer {
	const inside = rows.every((row) => row.key < look.covered.end)
		? rows
		: rows.filter((row) => row.key < look.covered.end);
	return { kind: "rows", rows: inside, resume: look.resume ?? null };
}

/** The newest version of a key that nobody foreign is writing: for newest-reads, after their waits. */
export function newestOf(
	r: ReplicaCore,
	k: Key,
	own: TransactionId | null,
): { readonly value: Uint8Array | null; readonly ts: Timestamp; readonly since: Timestamp } {
	const { engine } = r.context;
	const { ts, value } = newestState(engine, k);
	const since = Math.max(ts, r.state.gcThreshold) as Timestamp;
	if (own !== null) {
		const intent = r.blockers.intent(engine, k);
		if (intent?.transaction === own && !intent.mark) {
			return { value: intent.value ?? null, ts, since };
		}
	}
	return { value: value ?? null, ts, since };
}
