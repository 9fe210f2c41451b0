/**
 * Newest-reads under locks (pessimistic statements that will write, SELECT FOR UPDATE). They wait for the lock, then for every
 * foreign pending write and intent on the key, whatever its p; lock, value and `since` are of one tick.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import { type Timestamp, timestampMax } from "@quorate/keys/timestamp";
import type { Timer } from "@quorate/runtime/runtime";
import { scanAt } from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { deadlockDetected, lockNotAvailable } from "./errors.ts";
import { newestOf } from "./reads.ts";
import type {
	LockDemand,
	LockedValue,
	PageRow,
	RangeAnswer,
	RangeRequestBody,
} from "./requests.ts";

type LockRead = Extract<RangeRequestBody, { kind: "lock-read" }>;
type LockScan = Extract<RangeRequestBody, { kind: "lock-scan" }>;

/** Rounds of waiting after which a scan that never finds its span quiet gives up with a conflict. */
const roundsMax = 100;

export function lockRead(r: ReplicaCore, q: LockRead): RangeAnswer | Promise<RangeAnswer> {
	// The common case, one key and nobody in the way, stays within the tick.
	if (q.keys.length === 1) {
		const k = q.keys[0]!;
		if (r.locks.tryAcquire(k, q.lock.owner, q.lock.strength)) {
			const found: Blocker[] = [];
			r.blockers.onKey(k, q.transaction ?? null, timestampMax, found);
			if (found.length === 0) {
				return { kind: "locked", values: [lockedValue(r, k, q.transaction ?? null)] };
			}
		}
	}
	return lockReadSlow(r, q);
}

function lockedValue(r: ReplicaCore, k: Key, own: TransactionId | null): LockedValue {
	return { key: k, ...newestOf(r, k, own) };
}

async function lockReadSlow(r: ReplicaCore, q: LockRead): Promise<RangeAnswer> {
	const deadline = new Deadline(r, q.lock.timeoutMs);
	const sequence = r.state.lease.sequence;
	const own = q.transaction ?? null;
	const skipped = new Set<Key>();
	try {
		for (const k of q.keys) {
			const got = await acquire(r, k, q.lock, own, deadline);
			if (got === "skipped") {
				skipped.add(k);
			} else if (got !== "granted") {
				return lost(r, sequence) ?? refusal(k, got, deadline);
			}
		}
		for (;;) {
			if (!r.holding() || r.state.lease.sequence !== sequence) {
				return r.notLeaseholder();
			}
			if (!q.keys.every((k) => r.owns(k))) {
				return r.stale();
			}
			const found: Blocker[] = [];
			for (const k of q.keys) {
				if (!skipped.has(k)) {
					r.blockers.onKey(k, own, timestampMax, found);
				}
			}
			if (found.length === 0) {
				break;
			}
			if (!(await deadline.race(r, found[0]!))) {
				return lockNotAvailable(found[0]!.key, true);
			}
		}
	} finally {
		deadline.end();
	}
	const values = q.keys.map((k) =>
		skipped.has(k)
			? { key: k, value: null, ts: 0 as Timestamp, since: 0 as Timestamp, skipped: true }
			: lockedValue(r, k, own),
	);
	return { kind: "locked", values };
}

/** Waiters get nothing when the lease moves: then the request is routed again. */
function lost(r: ReplicaCore, sequence: number): RangeAnswer | undefined {
	return r.holding() && r.state.lease.sequence === sequence ? undefined : r.notLeaseholder();
}

type Unavailable = "unavailable" | { readonly deadlock: string };

function refusal(k: Key, why: Unavailable, deadline: Deadline): RangeAnswer {
	return why === "unavailable"
		? lockNotAvailable(k, deadline.passed)
		: deadlockDetected(why.deadlock);
}

/** One lock. With NOWAIT and SKIP LOCKED a foreign write in the way counts as a lock, too. */
async function acquire(
	r: ReplicaCore,
	k: Key,
	lock: LockDemand,
	own: TransactionId | null,
	deadline: Deadline,
): Promise<"granted" | "skipped" | Unavailable> {
	if (lock.wait !== "block") {
		const found: Blocker[] = [];
		r.blockers.onKey(k, own, timestampMax, found);
		if (found.length > 0 || !r.locks.tryAcquire(k, lock.owner, lock.strength)) {
			return lock.wait === "nowait" ? "unavailable" : "skipped";
		}
		return "granted";
	}
	if (r.locks.tryAcquire(k, lock.owner, lock.strength)) {
		return "granted";
	}
	return new Promise<"granted" | Unavailable>((resolve) => {
		const { clock } = r.context.runtime;
		const leave = r.locks.enqueue(k, lock.owner, lock.strength, clock.monotonicMs(), (outcome) =>
			resolve(outcome === "ended" ? "unavailable" : outcome),
		);
		deadline.onPassed(() => {
			leave();
			resolve("unavailable");
		});
	});
}

/** A lock timeout over several waits. */
class Deadline {
	passed = false;
	readonly #timer: Timer | undefined;
	#listener: (() => void) | undefined;

	/** `timeoutMs` 0: none. */
	constructor(r: ReplicaCore, timeoutMs: number) {
		this.#timer =
			timeoutMs > 0
				? r.context.runtime.scheduler.setTimer(timeoutMs, () => {
						this.passed = true;
						this.#listener?.();
					})
				: undefined;
	}

	onPassed(listener: () => void): void {
		this.#listener = listener;
		if (this.passed) {
			listener();
		}
	}

	/** Waits until something about the blocker changes; false if the time is over. */
	async race(r: ReplicaCore, b: Blocker): Promise<boolean> {
		await new Promise<void>((resolve) => {
			const leave = r.blockers.watch(b, resolve);
			this.onPassed(() => {
				leave();
				resolve();
			});
		});
		return !this.passed;
	}

	end(): void {
		this.#timer?.cancel();
		this.#listener = undefined;
	}
}

/**
 * A page of the newest rows of a span, each locked. The page is the answer only if, in one tick, all its rows are locked and
 * nothing foreign is pending in the part of the span that it covers; else it waits and looks again.
 */
export async function lockScan(r: ReplicaCore, q: LockScan): Promise<RangeAnswer> {
	const deadline = new Deadline(r, q.lock.timeoutMs);
	const sequence = r.state.lease.sequence;
	const own = q.transaction ?? null;
	try {
		for (let round = 0; round < roundsMax; round++) {
			if (!r.holding() || r.state.lease.sequence !== sequence) {
				return r.notLeaseholder();
			}
			if (!r.ownsSpan(q.span)) {
				return r.stale();
			}
			const page = newestPage(r, q, own);
			if (page.found.length > 0 && q.lock.wait === "block") {
				if (!(await deadline.race(r, page.found[0]!))) {
					return lockNotAvailable(page.found[0]!.key, true);
				}
				continue;
			}
			const outcome = await lockRows(r, q, page, own, deadline);
			if (outcome !== "again") {
				return outcome.kind === "error" ? (lost(r, sequence) ?? outcome) : outcome;
			}
		}
		return { kind: "conflict", reason: "rows of the span kept changing", key: q.span.start };
	} finally {
		deadline.end();
	}
}

interface NewestPage {
	readonly rows: PageRow[];
	readonly covered: Span;
	readonly resume: Key | null;
	readonly found: readonly Blocker[];
}

function newestPage(r: ReplicaCore, q: LockScan, own: TransactionId | null): NewestPage {
	const page = scanAt(r.context.engine, q.span, timestampMax, r.state.lastCommit, q.limits);
	const { resume } = page;
	const covered =
		resume === undefined
			? q.span
			: q.limits.reverse
				? { start: resume, end: q.span.end }
				: { start: q.span.start, end: resume };
	const { found } = r.blockers.inSpan(covered, own, timestampMax, Number.MAX_SAFE_INTEGER);
	let rows: PageRow[] = [...page.rows];
	if (own !== null) {
		const mine = r.blockers
			.intentsIn(covered)
			.filter(({ intent }) => intent.transaction === own && !intent.mark);
		if (mine.length > 0) {
			const byKey = new Map(rows.map((row) => [row.key, row]));
			for (const { key, intent } of mine) {
				if (intent.value === undefined) {
					byKey.delete(key);
				} else {
					byKey.set(key, { key, value: intent.value });
				}
			}
			rows = [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
			if (q.limits.reverse) {
				rows.reverse();
			}
		}
	}
	return { rows, covered, resume: resume ?? null, found };
}

async function lockRows(
	r: ReplicaCore,
	q: LockScan,
	page: NewestPage,
	own: TransactionId | null,
	deadline: Deadline,
): Promise<RangeAnswer | "again"> {
	let waited = false;
	const rows: PageRow[] = [];
	for (const row of page.rows) {
		if (r.locks.tryAcquire(row.key, q.lock.owner, q.lock.strength)) {
			const busy = page.found.some((b) => b.key === row.key);
			if (!busy) {
				rows.push(row);
				continue;
			}
		}
		if (q.lock.wait === "skip locked") {
			continue;
		}
		waited = true;
		const got = await acquire(r, row.key, q.lock, own, deadline);
		if (got !== "granted" && got !== "skipped") {
			return refusal(row.key, got, deadline);
		}
	}
	if (waited) {
		return "again";
	}
	return {
		kind: "locked-rows",
		rows,
		resume: page.resume,
		// Later commits in the span come from prepares accepted after this tick, so above the range's last commit.
		ts: r.state.lastCommit,
		since: Math.max(r.state.lastCommit, r.state.gcThreshold) as Timestamp,
	};
}
