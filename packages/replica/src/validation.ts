/**
 * Validation at a commit timestamp (design, section 6, step 3): what was read would read the same at c.
 *
 * What was read may be millions of rows, with as many intents: it is looked at in parts, and others get their turn between. That is as good as one
 * look at all. c was drawn before: whatever may commit at or below it was pending by then, and each look finds it, as a pending write, an intent or a
 * version. A lease that covers c is what each of them needs.
 */
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { isOlder } from "@quorate/keys/transaction-id";
import { type ChangeLook, changeBetween, readAt } from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import { gcError, waitFailed } from "./errors.ts";
import { type WriteWaiter, waitForWrite, writeWaiter } from "./lock-waits.ts";
import { lastChangeIn } from "./recent-changes.ts";
import type { RangeAnswer, ValidateItem } from "./requests.ts";

/** Items, and beside them intents and rows, that are looked at together. */
const lookMax = 2_000;

const valid: RangeAnswer = { kind: "done" };

/** What is to be looked at next. */
interface Place {
	readonly index: number;
	/** Within the item; undefined: from its beginning. */
	readonly from: Key | undefined;
}

const beginning: Place = { index: 0, from: undefined };

type Verdict =
	| RangeAnswer
	/** Then the same look again. */
	| { readonly kind: "wait"; readonly for: readonly Blocker[] }
	| { readonly kind: "more"; readonly place: Place };

/**
 * One look, at what follows `place`. `own`: the transaction's own intents are left out; it has something pending, so it does not wait for an
 * older one that is committing (T6). The caller has checked that the lease covers `c` (L1).
 */
function look(
	r: ReplicaCore,
	own: TransactionId | null,
	items: readonly ValidateItem[],
	c: Timestamp,
	place: Place,
): Verdict {
	r.context.observer?.looks(r, c);
	const waiting: Blocker[] = [];
	let { index, from } = place;
	for (let left = lookMax; index < items.length && left > 0; ) {
		const item = items[index]!;
		if (!r.ownsSpan(item.span)) {
			return r.stale();
		}
		if (item.since < r.state.gcThreshold) {
			return gcError(item.since, r.state.gcThreshold);
		}
		const part = lookAt(
			r,
			own,
			item,
			c,
			{ start: from ?? item.span.start, end: item.span.end },
			left,
		);
		if (part.change !== undefined && !isPresent(r, item, c)) {
			const other = `the transaction committed at ${part.change.ts}`;
			return conflict("a row that the transaction read has changed", part.change.key, other);
		}
		for (const b of part.found) {
			const why = conflictWith(r, own, item, c, b, waiting);
			if (why !== undefined) {
				return conflict(why, b.key, `transaction ${b.transaction}`);
			}
		}
		left -= part.count;
		from = part.end < item.span.end ? part.end : undefined;
		index += from === undefined ? 1 : 0;
	}
	if (waiting.length > 0) {
		return { kind: "wait", for: waiting };
	}
	if (index < items.length) {
		return { kind: "more", place: { index, from } };
	}
	r.context.observer?.validated(items, c, own);
	return valid;
}

interface Part {
	readonly change: ChangeLook["change"];
	readonly found: readonly Blocker[];
	/** Looked at. */
	readonly count: number;
	/** Where to go on. */
	readonly end: Key;
}

/** What has changed in the first part of the span, and what may; about `max` rows and intents of it. */
function lookAt(
	r: ReplicaCore,
	own: TransactionId | null,
	{ since }: ValidateItem,
	c: Timestamp,
	span: Span,
	max: number,
): Part {
	const found: Blocker[] = [];
	let [end, count] = [span.end, 1];
	if (end === keySuccessor(span.start)) {
		r.blockers.onKey(span.start, own, c, found);
	} else if (span.start < end) {
		const look = r.blockers.inSpan(span, own, c, max);
		found.push(...look.found);
		end = look.covered.end;
		count += look.count;
	}
	const change = since < c ? changeOf(r, { start: span.start, end }, since, c, max) : undefined;
	return {
		change: change?.change,
		found,
		count: count + (change?.rows ?? 0),
		end: change?.end ?? end,
	};
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

function changeOf(
	r: ReplicaCore,
	span: Span,
	since: Timestamp,
	c: Timestamp,
	max: number,
): ChangeLook | undefined {
	// Where nothing of it changed since, no look at the span is needed.
	const last = lastChangeIn(r, span, since);
	return last <= since ? undefined : changeBetween(r.context.engine, span, since, c, last, max);
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

/** Synchronous when nothing must be waited for, and it is not much. */
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
	const verdict = r.covers(c) === true ? look(r, own, items, c, beginning) : undefined;
	return verdict === undefined || verdict.kind === "wait" || verdict.kind === "more"
		? validateSlowly(r, own, items, c, owner, verdict)
		: verdict;
}

async function validateSlowly(
	r: ReplicaCore,
	own: TransactionId | null,
	items: readonly ValidateItem[],
	c: Timestamp,
	owner: LockOwner | null,
	first: Verdict | undefined,
): Promise<RangeAnswer> {
	const waiter = writeWaiter(r, owner, own);
	let place = beginning;
	for (let verdict = first; ; ) {
		if (verdict?.kind === "more") {
			place = verdict.place;
			await r.context.runtime.scheduler.yield();
		} else if (verdict?.kind === "wait") {
			const failed = await changedAll(r, verdict.for, c, waiter);
			if (failed !== undefined) {
				return failed;
			}
		} else if (verdict !== undefined) {
			return verdict;
		}
		// L2: it may have stopped serving in the same turn, while this was woken.
		if (!(await r.covers(c)) || !r.holding()) {
			return r.notLeaseholder();
		}
		verdict = look(r, own, items, c, place);
	}
}

/** Waits for each of them that stands until something about it changes. The answer where the wait fails. */
async function changedAll(
	r: ReplicaCore,
	waiting: readonly Blocker[],
	c: Timestamp,
	waiter: WriteWaiter | undefined,
): Promise<RangeAnswer | undefined> {
	for (const b of waiting) {
		const stands = r.owns(b.key) && r.blockers.stands(b, c);
		const end = stands ? await waitForWrite(r, b, waiter, c) : "changed";
		if (end !== "changed") {
			return waitFailed(b.key, end);
		}
	}
	return undefined;
}
