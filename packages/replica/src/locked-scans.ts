/** Newest-reads of a span, page by page, each row locked. */
import type { TransactionId } from "@quorate/keys/ids";
import { coveredPart, type Key, type Span, spanContains } from "@quorate/keys/key";
import { timestampMax } from "@quorate/keys/timestamp";
import { scanAt } from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { waitFailed } from "./errors.ts";
import { elsewhere, LockWaiting } from "./locked-reads.ts";
import { intentsPerPage, newestSince, resumeAfter } from "./reads.ts";
import type { PageRow, RangeAnswer, RangeRequestBody } from "./requests.ts";
import { resolveLeftOver } from "./writes.ts";

type LockScan = Extract<RangeRequestBody, { kind: "lock-scan" }>;

/** Rounds of waiting after which a scan that never finds its span quiet gives up with a conflict. */
const roundsMax = 100;

/**
 * A page of the newest rows of a span, each locked. The page is the answer only if, in one tick, all its rows are locked and
 * nothing foreign is pending in the part of the span that it covers; else it waits and looks again.
 */
export async function lockScan(r: ReplicaCore, q: LockScan): Promise<RangeAnswer> {
	const own = q.transaction ?? null;
	const waiting = new LockWaiting(r, q.lock, own);
	const sequence = r.state.lease.sequence;
	try {
		for (let round = 0; round < roundsMax; round++) {
			const moved = elsewhere(r, sequence, r.ownsSpan(q.span));
			if (moved !== undefined) {
				return moved;
			}
			const page = newestPage(r, q, own);
			// Locks come first: whoever holds them while it waits for a write has its turn next.
			const outcome = await lockRows(r, q, page, waiting);
			if (outcome === "again") {
				continue;
			}
			const blocker = q.lock.wait === "block" ? page.found[0] : undefined;
			if (outcome.kind !== "locked-rows") {
				return elsewhere(r, sequence, r.ownsSpan(q.span)) ?? outcome;
			}
			if (blocker === undefined) {
				return outcome;
			}
			const end = await waiting.write(blocker);
			if (end !== "changed") {
				return elsewhere(r, sequence, r.ownsSpan(q.span)) ?? waitFailed(blocker.key, end);
			}
			await resolveLeftOver(r, blocker, page.found);
		}
		return { kind: "conflict", reason: "rows of the span kept changing", key: q.span.start };
	} finally {
		waiting.end();
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
	const { reverse } = q.limits;
	const part = coveredPart(q.span, page.resume, reverse);
	const { found, covered } = r.blockers.inSpan(part, own, timestampMax, intentsPerPage, reverse);
	const resume = resumeAfter(part, covered, reverse) ?? page.resume;
	let rows: PageRow[] = page.rows.filter((row) => spanContains(covered, row.key));
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
			if (reverse) {
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
	waiting: LockWaiting,
): Promise<RangeAnswer | "again"> {
	let waited = false;
	const rows: PageRow[] = [];
	for (const row of page.rows) {
		if (r.locks.tryAcquire(row.key, q.lock.owner, q.lock.strength)) {
			const isBusy = q.lock.wait !== "block" && page.found.some((b) => b.key === row.key);
			if (!isBusy) {
				rows.push(row);
				continue;
			}
		}
		if (q.lock.wait === "skip locked") {
			continue;
		}
		waited = true;
		const got = await waiting.acquire(row.key);
		if (got !== "granted" && got !== "skipped") {
			return waitFailed(row.key, got);
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
		since: newestSince(r, r.state.lastCommit),
	};
}
