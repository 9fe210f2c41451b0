/** Validation at a commit timestamp (design, section 6, step 3): what was read would read the same at c. */
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { isOlder } from "@quorate/keys/transaction-id";
import { type Change, changeBetween, readAt } from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { gcError, waitFailed } from "./errors.ts";
import { waitForWrite, writeWaiter } from "./lock-waits.ts";
import { lastChangeIn } from "./recent-changes.ts";
import type { RangeAnswer, ValidateItem } from "./requests.ts";

/** A span may hold millions of intents: so many are looked at together, and no more waited for before the next look. */
const intentsPerLook = 2_000;
const waitingMax = 2_000;

const valid: RangeAnswer = { kind: "done" };

type Verdict = RangeAnswer | { readonly kind: "wait"; readonly for: readonly Blocker[] };

/**
 * One look. `own`: the transaction's own intents are left out; it has something pending, so it does not wait for an older
 * one that is committing (T6). The caller has checked that the lease covers `c` (L1).
 */
function look(
	r: ReplicaCore,
	own: TransactionId | null,
	items: readonly ValidateItem[],
	c: Timestamp,
): Verdict {
	r.context.observer?.looks(r, c);
	const waiting: Blocker[] = [];
	for (const item of items) {
		if (item.since < r.state.gcThreshold) {
			return gcError(item.since, r.state.gcThreshold);
		}
		const change = item.since < c ? changeOf(r, item, c) : undefined;
		if (change !== undefined && !isPresent(r, item, c)) {
			const other = `the transaction committed at ${change.ts}`;
			return conflict("a row that the transaction read has changed", change.key, other);
		}
		const { start, end } = item.span;
		for (let from = start; from < end && waiting.length < waitingMax; ) {
			const part = r.blockers.inSpan({ start: from, end }, own, c, intentsPerLook);
			for (const b of part.found) {
				const why = conflictWith(r, own, item, c, b, waiting);
				if (why !== undefined) {
					return conflict(why, b.key, `transaction ${b.transaction}`);
				}
			}
			from = part.covered.end;
		}
	}
	if (waiting.length > 0) {
		return { kind: "wait", for: waiting };
	}
	r.context.observer?.validated(items, c, own);
	return valid;
}

/** Why the item cannot be valid. What must be waited for is added to `waiting`. */
function conflictWith(
	r: ReplicaCore,
	own: TransactionId | null,
	item: ValidateItem,
	c: Timestamp,
	b: Blocker,
	waiting: Blocker[],
): string | undefined {
	const decision = r.blockers.decision(b.transaction);
	if (decision !== undefined && decision !== "unknown") {
		// One decided at or below `since` was seen by the read, though its intent may still stand.
		const counts = item.present !== true || !writesValue(r, b);
		const changed = counts && decision.c > item.since && decision.c <= c;
		return changed ? "a row that the transaction read has changed" : undefined;
	}
	if (r.blockers.isAbove(b.transaction, c)) {
		return undefined;
	}
	if (own !== null && isOlder(b.transaction, own)) {
		return "an older transaction is changing a row that was read";
	}
	waiting.push(b);
	return undefined;
}

function changeOf(r: ReplicaCore, item: ValidateItem, c: Timestamp): Change | undefined {
	// Where nothing of it changed since, no look at the span is needed.
	const last = lastChangeIn(r, item.span, item.since);
	return last <= item.since
		? undefined
		: changeBetween(r.context.engine, item.span, item.since, c, last);
}

/** Whether it need only be there, and is. */
function isPresent(r: ReplicaCore, item: ValidateItem, c: Timestamp): boolean {
	return item.present === true && readAt(r.context.engine, item.span.start, c) !== undefined;
}

/** A write that leaves the key with a value. */
function writesValue(r: ReplicaCore, b: Blocker): boolean {
	const intent = r.blockers.intent(r.context.engine, b.key);
	if (intent?.transaction === b.transaction) {
		return intent.mark || intent.value !== undefined;
	}
	const pending = r.pending.on(b.key).find((x) => x.group.transaction === b.transaction);
	return pending === undefined || pending.write.mark || pending.write.value !== null;
}

function conflict(reason: string, key: Key, other: string): RangeAnswer {
	return { kind: "conflict", reason, key, other };
}

/** Synchronous when nothing must be waited for. */
export function validateItems(
	r: ReplicaCore,
	own: TransactionId | null,
	items: readonly ValidateItem[],
	c: Timestamp,
	owner: LockOwner | null,
): RangeAnswer | Promise<RangeAnswer> {
	if (r.context.mutations?.withoutValidation === true) {
		return valid;
	}
	const covered = r.covers(c);
	if (covered === true) {
		const verdict = look(r, own, items, c);
		return verdict.kind === "wait" ? validateSlowly(r, own, items, c, owner, verdict.for) : verdict;
	}
	return validateSlowly(r, own, items, c, owner, []);
}

async function validateSlowly(
	r: ReplicaCore,
	own: TransactionId | null,
	items: readonly ValidateItem[],
	c: Timestamp,
	owner: LockOwner | null,
	first: readonly Blocker[],
): Promise<RangeAnswer> {
	const waiter = writeWaiter(r, owner, own);
	let waiting = first;
	for (;;) {
		for (const b of waiting) {
			const stands = r.owns(b.key) && r.blockers.stands(b, c);
			const end = stands ? await waitForWrite(r, b, waiter, c) : "changed";
			if (end !== "changed") {
				return waitFailed(b.key, end);
			}
		}
		// L2: it may have stopped serving in the same turn, while this was woken.
		if (!(await r.covers(c)) || !r.holding()) {
			return r.notLeaseholder();
		}
		if (!items.every((item) => r.ownsSpan(item.span))) {
			return r.stale();
		}
		const verdict = look(r, own, items, c);
		if (verdict.kind !== "wait") {
			return verdict;
		}
		waiting = verdict.for;
	}
}
