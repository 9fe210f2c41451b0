/**
 * Reads at a leaseholder (design, section 5 and T1): at a timestamp, or of the newest versions under a lock. A read takes its
 * first look in one tick: lease, pending writes, intents and data; it waits only for what that look found.
 */
import { assert } from "@quorate/keys/assert";
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import { coveredPart, type Key, type Span, spanContains } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import {
	hadNothing,
	holdsNothing,
	type KeyValue,
	newestChange,
	newestState,
	prefetch,
	readAllAt,
	readAt,
	type ScanLimits,
	scanAt,
} from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { gcError, waitFailed } from "./errors.ts";
import { waitForWrite, writeWaiter } from "./lock-waits.ts";
import { lastChangeIn } from "./recent-changes.ts";
import type { LockedValue, PageRow, RangeAnswer, RangeRequestBody } from "./requests.ts";
import type { IssuedTimestamp } from "./timestamp-source.ts";

type Asked = Extract<RangeRequestBody, { kind: "read" }>;
type Read = Asked & { readonly s: Timestamp };
type Scan = Extract<RangeRequestBody, { kind: "scan" }>;

/** Intents that one page of a scan looks at. */
export const intentsPerPage = 2_000;

export function read(r: ReplicaCore, q: Asked): RangeAnswer | Promise<RangeAnswer> {
	return q.s === null ? readNow(r, q) : readAtTimestamp(r, { ...q, s: q.s });
}

/**
 * At a timestamp drawn here, after the request came: as good as one that the reader had drawn. Waits for its rows as well, if another
 * thread gets them: looked for here before they came, they would be looked for twice.
 */
function readNow(r: ReplicaCore, q: Asked): Promise<RangeAnswer> {
	const rows = prefetch(r.context.engine, q.keys);
	const issued = r.context.timestamps.issue();
	return rows === undefined
		? issued.then((drawn) => readAsOf(r, q, drawn))
		: issued.then((drawn) => rows.then(() => readAsOf(r, q, drawn)));
}

function readAsOf(
	r: ReplicaCore,
	q: Asked,
	drawn: IssuedTimestamp,
): RangeAnswer | Promise<RangeAnswer> {
	if (!q.keys.every((k) => r.owns(k))) {
		return r.stale();
	}
	const answer = readAtTimestamp(r, { ...q, s: drawn.timestamp });
	return answer instanceof Promise
		? answer.then((later) => withTimestamp(later, drawn))
		: withTimestamp(answer, drawn);
}

const withTimestamp = (answer: RangeAnswer, drawn: IssuedTimestamp): RangeAnswer =>
	answer.kind === "values" ? { kind: "values", values: answer.values, drawn } : answer;

function readAtTimestamp(r: ReplicaCore, q: Read): RangeAnswer | Promise<RangeAnswer> {
	const covered = r.covers(q.s);
	return covered === true ? readCovered(r, q) : readLater(r, q, covered);
}

async function readLater(
	r: ReplicaCore,
	q: Read,
	covered: false | Promise<boolean>,
): Promise<RangeAnswer> {
	// L2: it may have stopped serving in the same turn, while this was woken.
	const serves = (await covered) && r.holding() && q.keys.every((k) => r.owns(k));
	return serves ? readCovered(r, q) : r.notLeaseholder();
}

/** Versions that a read at `s` needs may be gone. */
function isCollected(r: ReplicaCore, s: Timestamp): boolean {
	return s < r.state.gcThreshold && r.context.mutations?.pastWithoutThreshold !== true;
}

function readCovered(r: ReplicaCore, q: Read): RangeAnswer | Promise<RangeAnswer> {
	// A follower has no lease to hold it to.
	if (q.follower !== true) {
		r.context.observer?.looks(r, q.s);
	}
	if (isCollected(r, q.s)) {
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
	return found.length === 0 ? answerValues(r, q, values) : readBlocked(r, q, values, found);
}

function answerValues(
	r: ReplicaCore,
	q: Read,
	values: readonly (Uint8Array | null)[],
): RangeAnswer {
	r.context.observer?.read(q, values);
	return { kind: "values", values };
}

async function readBlocked(
	r: ReplicaCore,
	q: Read,
	values: (Uint8Array | null)[],
	found: readonly Blocker[],
): Promise<RangeAnswer> {
	const failed = await settled(r, found, q);
	if (failed !== undefined) {
		return failed;
	}
	if (!q.keys.every((k) => r.owns(k))) {
		return r.stale();
	}
	if (isCollected(r, q.s)) {
		return gcError(q.s, r.state.gcThreshold);
	}
	// A key that it had to wait for is read again; the others stay as the first look saw them.
	q.keys.forEach((k, i) => {
		const here = found.filter((b) => b.key === k);
		if (here.length > 0) {
			values[i] = valueAt(r, k, q.s, q.transaction ?? null, here);
		}
	});
	return answerValues(r, q, values);
}

const none: readonly Blocker[] = [];

/**
 * Waits until none of the blockers is in the way of a read at `q.s`: each is gone, decided, or known to commit above it; or until the
 * keys are this replica's no longer: what is pending on one that has left its range ends never. The answer where the wait fails: its
 * reader is the victim of a deadlock, or does not listen any more.
 */
async function settled(
	r: ReplicaCore,
	found: readonly Blocker[],
	q: {
		readonly s: Timestamp;
		readonly owner?: LockOwner | null;
		readonly transaction?: TransactionId | null;
	},
): Promise<RangeAnswer | undefined> {
	const waiter = writeWaiter(r, q.owner, q.transaction);
	for (const b of found) {
		while (r.owns(b.key) && r.blockers.stands(b, q.s)) {
			const end = await waitForWrite(r, b, waiter, q.s);
			if (end !== "changed") {
				return waitFailed(b.key, end);
			}
		}
	}
	return undefined;
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
	const newest = newestDecided(r, decided, s);
	return newest === undefined ? (readAt(engine, k, s)?.value ?? null) : newest.value;
}

interface DecidedValue {
	readonly c: Timestamp;
	readonly value: Uint8Array | null;
}

/** Of several decided writes of a key, the last one that shows at `s`. */
function newestDecided(
	r: ReplicaCore,
	decided: readonly Blocker[],
	s: Timestamp,
): DecidedValue | undefined {
	let newest: DecidedValue | undefined;
	for (const b of decided) {
		const one = decidedValue(r, b, s);
		if (one !== undefined && (newest === undefined || one.c > newest.c)) {
			newest = one;
		}
	}
	return newest;
}

/** By the rule of Resolve: undefined where the decided write does not show at `s` or is gone already. */
function decidedValue(r: ReplicaCore, b: Blocker, s: Timestamp): DecidedValue | undefined {
	const decision = r.blockers.decision(b.transaction);
	if (decision === undefined || decision === "unknown" || decision.c === 0 || decision.c > s) {
		return undefined;
	}
	const { c } = decision;
	const { engine } = r.context;
	const intent = r.blockers.intent(engine, b.key);
	if (intent?.transaction === b.transaction) {
		const shows = !intent.mark && c > intent.p && newestChange(engine, b.key) < c;
		return shows ? { c, value: intent.value ?? null } : undefined;
	}
	const pending = r.pending.on(b.key).find((x) => x.group.transaction === b.transaction);
	if (pending === undefined || pending.write.mark || c <= pending.group.p) {
		return undefined;
	}
	return newestChange(engine, b.key) < c ? { c, value: pending.write.value } : undefined;
}

/** By a replica that has closed `s` (F2): as a leaseholder whose lease covers it. */
export function readClosed(r: ReplicaCore, q: Asked | Scan): RangeAnswer | Promise<RangeAnswer> {
	if (q.kind === "scan") {
		return scanCovered(r, q);
	}
	assert(q.s !== null, "a follower is told at which timestamp to read");
	return readCovered(r, { ...q, s: q.s });
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
	const serves = (await covered) && r.holding() && r.ownsSpan(q.span);
	return serves ? scanCovered(r, q) : r.notLeaseholder();
}

function scanCovered(r: ReplicaCore, q: Scan): RangeAnswer | Promise<RangeAnswer> {
	// A follower has no lease to hold it to.
	if (q.follower !== true) {
		r.context.observer?.looks(r, q.s);
	}
	if (isCollected(r, q.s)) {
		return gcError(q.s, r.state.gcThreshold);
	}
	const own = q.transaction ?? null;
	const last = lastChangeIn(r, q.span, q.s);
	const page = scanAt(r.context.engine, q.span, q.s, last, q.limits);
	if (r.blockers.intentCount === 0 && r.pending.groups === 0) {
		return answerRows(r, q, coveredPart(q.span, page.resume, q.limits.reverse), page);
	}
	const look = firstLook(r, q.span, page.resume, q.limits.reverse, own, q.s);
	const mine = own === null ? [] : ownIntents(r, look.covered, own);
	if (look.found.length === 0 && mine.length === 0) {
		return answerPage(r, q, page.rows, look);
	}
	if (mine.length === 0 && !look.found.some((b) => b.pending || r.blockers.stands(b, q.s))) {
		return scanDecided(r, q, page.rows, look);
	}
	return scanBlocked(r, q, look.covered, look.resume, look.found);
}

interface FirstLook {
	readonly covered: Span;
	readonly resume: Key | undefined;
	readonly found: Blocker[];
}

/**
 * All that stands in the way is decided, or known to commit later: of a large transaction that may take a while. What it wrote
 * shows as it was looked at in this same tick, and where nothing lies below it no key has to be asked for.
 */
function scanDecided(
	r: ReplicaCore,
	q: Scan,
	page: readonly PageRow[],
	look: FirstLook,
): RangeAnswer {
	const { engine } = r.context;
	const { covered, found } = look;
	const rows = page.filter((row) => spanContains(covered, row.key));
	const isNew = rows.length === 0 && holdsNothing(engine, covered) && hadNothing(engine, covered);
	const written: PageRow[] = [];
	const changed = new Set<Key>();
	for (const { key, transaction, intent } of found) {
		const decision = r.blockers.decision(transaction);
		assert(intent !== undefined, "what is decided was looked at");
		// None: it is known to commit above `q.s`.
		if (decision === undefined || decision === "unknown" || decision.c === 0 || decision.c > q.s) {
			continue;
		}
		const isLate = intent.mark || decision.c <= intent.p;
		if (isLate || (!isNew && newestChange(engine, key) >= decision.c)) {
			continue;
		}
		changed.add(key);
		if (intent.value !== undefined) {
			written.push({ key, value: intent.value });
		}
	}
	const kept = rows.filter((row) => !changed.has(row.key));
	const all = [...kept, ...written];
	if (kept.length > 0 || q.limits.reverse) {
		all.sort((a, b) => (a.key < b.key !== q.limits.reverse ? -1 : 1));
	}
	return answerRows(r, q, covered, { rows: all, resume: look.resume });
}

/** The part of the span that the page covers, and what must be waited for in it. */
function firstLook(
	r: ReplicaCore,
	span: Span,
	resume: Key | undefined,
	reverse: boolean,
	own: TransactionId | null,
	s: Timestamp,
): FirstLook {
	const page = coveredPart(span, resume, reverse);
	const { found, covered } = r.blockers.inSpan(page, own, s, intentsPerPage, reverse);
	return { covered, resume: resumeAfter(page, covered, reverse) ?? resume, found };
}

/** Where to go on if not all of the page was covered. */
export function resumeAfter(page: Span, covered: Span, reverse: boolean): Key | undefined {
	if (reverse) {
		return covered.start > page.start ? covered.start : undefined;
	}
	return covered.end < page.end ? covered.end : undefined;
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
	const failed = await settled(r, found, q);
	if (failed !== undefined) {
		return failed;
	}
	if (!r.ownsSpan(q.span)) {
		return r.stale();
	}
	if (isCollected(r, q.s)) {
		return gcError(q.s, r.state.gcThreshold);
	}
	// Everything of the covered part: rows that the waited-for writes made may exceed the page by as many.
	const rows = new Map<Key, PageRow>();
	const limits: ScanLimits = {
		rowsMax: Number.MAX_SAFE_INTEGER,
		bytesMax: Number.MAX_SAFE_INTEGER,
		reverse: false,
	};
	const last = lastChangeIn(r, covered, q.s);
	for (const row of scanAt(r.context.engine, covered, q.s, last, limits).rows) {
		rows.set(row.key, row);
	}
	const overlay = (key: Key, value: Uint8Array | null) => {
		if (value === null) {
			rows.delete(key);
		} else {
			rows.set(key, { key, value });
		}
	};
	const byKey = new Map<Key, Blocker[]>();
	for (const b of found) {
		const here = byKey.get(b.key);
		if (here === undefined) {
			byKey.set(b.key, [b]);
		} else {
			here.push(b);
		}
	}
	for (const [k, here] of byKey) {
		const newest = newestDecided(r, here, q.s);
		if (newest !== undefined) {
			overlay(k, newest.value);
		}
	}
	if (q.transaction != null) {
		for (const { key, value } of ownIntents(r, covered, q.transaction)) {
			overlay(key, value);
		}
	}
	const sorted = [...rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
	return answerRows(r, q, covered, { rows: q.limits.reverse ? sorted.reverse() : sorted, resume });
}

/** Drops rows beyond the part whose intents were looked at. */
function answerPage(
	r: ReplicaCore,
	q: Scan,
	rows: readonly KeyValue[],
	look: { readonly covered: Span; readonly resume: Key | undefined },
): RangeAnswer {
	const isInside = (row: KeyValue): boolean => spanContains(look.covered, row.key);
	const inside = rows.every(isInside) ? rows : rows.filter(isInside);
	return answerRows(r, q, look.covered, { rows: inside, resume: look.resume });
}

function answerRows(
	r: ReplicaCore,
	q: Scan,
	covered: Span,
	page: { readonly rows: readonly PageRow[]; readonly resume: Key | undefined },
): RangeAnswer {
	r.context.observer?.scanned(covered, q.s, page.rows, q.transaction ?? null);
	return { kind: "rows", rows: page.rows, resume: page.resume ?? null };
}

/**
 * From where on a newest-read of this tick is validated, whose newest change is of `ts`: as if it had been made at the highest timestamp that
 * was issued by now, as far as the lease reaches. All up to there has been seen: what becomes pending later draws its c later, and what a
 * later lease accepts is above this one's expiry (L1, L2). From `ts` on would be as right, but history is collected
 * meanwhile, and with it what a validation from so far back would have to look at.
 */
export function newestSince(r: ReplicaCore, ts: Timestamp): Timestamp {
	const { gcThreshold, lease } = r.state;
	return Math.max(ts, gcThreshold, Math.min(r.seen(), lease.expiry)) as Timestamp;
}

/** The newest version of a key that nobody foreign is writing: for newest-reads, after their waits. */
export function newestOf(r: ReplicaCore, k: Key, own: TransactionId | null): LockedValue {
	const { engine } = r.context;
	const { ts, value } = newestState(engine, k);
	const since = newestSince(r, ts);
	if (own !== null) {
		const intent = r.blockers.intent(engine, k);
		if (intent?.transaction === own && !intent.mark) {
			return { key: k, value: intent.value ?? null, ts, since };
		}
	}
	return { key: k, value: value ?? null, ts, since };
}
