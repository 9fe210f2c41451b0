/**
 * What a leaseholder does for committing transactions (design, section 6): accepts writes, validates, decides at the anchor,
 * resolves. Of a commit in one phase it does all of that, also for what was prepared in other ranges before. Each answer is given only after its entry was applied here.
 */
import { assert } from "@quorate/keys/assert";
import { errorToData } from "@quorate/keys/database-error";
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor, pointSpan, type Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { timestampMax, timestampZero } from "@quorate/keys/timestamp";
import { transactionBegin } from "@quorate/keys/transaction-id";
import { holdsNothing, manyKeys, newest, newestChange, spanOf } from "@quorate/storage/versions";
import type { Blocker } from "./blockers.ts";
import type { WrittenSpan } from "./commands.ts";
import type { ProposalResult, ReplicaCore } from "./core.ts";
import { diskFullError, gcError } from "./errors.ts";
import { allBelow, type Bases, findBases, pendingReads } from "./hot-rows.ts";
import { waitForWrite } from "./lock-waits.ts";
import { noBases, type PendingGroup } from "./pending-writes.ts";
import { lastChangeIn } from "./recent-changes.ts";
import type { RangeAnswer, RangeRequestBody, ReplacedWrite, RequestedWrite } from "./requests.ts";
import type { IssuedTimestamp } from "./timestamp-source.ts";
import { validateItems } from "./validation.ts";

type Prepare = Extract<RangeRequestBody, { kind: "prepare" }>;
type OnePhase = Extract<RangeRequestBody, { kind: "one-phase" }>;

/** From so many bytes of keys and values on a write waits while its group is behind. */
const largeBytes = 16 << 10;

/** Bytes of a large write; 0 for everything else. */
export function largeWriteBytes(q: RangeRequestBody): number {
	if (q.kind !== "prepare" && q.kind !== "one-phase") {
		return 0;
	}
	let bytes = 0;
	for (const { key, value } of q.writes) {
		bytes += key.length + (value?.length ?? 0);
	}
	return bytes >= largeBytes ? bytes : 0;
}

/** Of a watch that is there for its question: one function for all, so that they are one. */
const onlyAsk = (): void => {};

/**
 * Until one write that is in the way, decided and not resolved yet, is gone, which is soon: it is no conflict. Undefined: none is.
 */
export function untilResolved(r: ReplicaCore, q: RangeRequestBody): Promise<unknown> | undefined {
	if ((q.kind !== "prepare" && q.kind !== "one-phase") || r.blockers.intentCount === 0) {
		return undefined;
	}
	const found: Blocker[] = [];
	for (const { key } of q.writes) {
		r.blockers.onKey(key, q.transaction, timestampMax, found);
	}
	const decided = found.filter((b) => !b.pending && r.blockers.isDecided(b.transaction));
	return decided.length === 0 ? undefined : changedOrResolved(r, decided);
}

async function changedOrResolved(r: ReplicaCore, decided: readonly Blocker[]): Promise<void> {
	await waitForWrite(r, decided[0]!, undefined, timestampZero);
	await resolveLeftOver(r, decided[0]!, decided);
}

/**
 * For who has waited for `first` until something changed. If it is decided and there still, its transaction has so many intents that it may be
 * minutes before it is their turn: then all of `found` that are decided are resolved now.
 */
export async function resolveLeftOver(
	r: ReplicaCore,
	first: Blocker,
	found: readonly Blocker[],
): Promise<void> {
	const isLeft = ({ key, transaction, pending }: Blocker): boolean =>
		!pending &&
		r.blockers.isDecided(transaction) &&
		r.owns(key) &&
		r.blockers.intent(r.context.engine, key)?.transaction === transaction;
	if (!r.holding() || !isLeft(first)) {
		return;
	}
	const spans = new Map<TransactionId, Span[]>();
	for (const b of found.filter(isLeft)) {
		const others = spans.get(b.transaction);
		if (others === undefined) {
			spans.set(b.transaction, [pointSpan(b.key)]);
		} else {
			others.push(pointSpan(b.key));
		}
	}
	for (const [transaction, its] of spans) {
		const decision = r.blockers.decision(transaction);
		if (decision !== undefined && decision !== "unknown") {
			await resolveNow(r, transaction, decision.c, its);
		}
	}
}

/** Judges the writes in the tick of acceptance; undefined: accept them. */
function refuse(
	r: ReplicaCore,
	own: TransactionId,
	q: Pick<Prepare, "writes" | "owner"> & { readonly chunk?: number },
	bases: Bases = noBases,
): RangeAnswer | undefined {
	const { engine } = r.context;
	if (r.context.isDiskFull(r.state.descriptor.replicas)) {
		return { kind: "error", error: errorToData(diskFullError()) };
	}
	const span = q.writes.length >= manyKeys ? spanOf(q.writes.map(({ key }) => key)) : undefined;
	const isNew = span !== undefined && holdsNothing(engine, span);
	const lastChange = span === undefined ? r.state.lastCommit : lastChangeIn(r, span, timestampZero);
	const below = allBelow(bases);
	for (const w of q.writes) {
		const found: Blocker[] = [];
		r.blockers.onKey(w.key, own, timestampMax, found);
		// What comes before it in any case is in nobody's way where it has read that, or nothing.
		const mayFollow = w.after !== undefined || (w.since == null && w.absent !== true);
		const other = found.find((b) => !(mayFollow && b.pending && below.has(b.transaction)));
		if (other !== undefined) {
			// A refusal, too, goes to ask the anchor: the intent may be orphaned.
			r.blockers.watch(other, onlyAsk, timestampZero);
			const by = `transaction ${other.transaction}`;
			return conflict("another transaction is writing the row", w.key, by);
		}
		const holder = r.locks.foreignConflict(w.key, q.owner);
		if (holder !== undefined) {
			return conflict("another transaction has locked the row", w.key, `transaction ${holder}`);
		}
		if (w.since != null) {
			const changedAt = w.since < lastChange ? newestChange(engine, w.key) : w.since;
			if (changedAt > w.since) {
				const by = `the transaction committed at ${changedAt}`;
				return conflict("a row that the transaction read has changed", w.key, by);
			}
			if (w.since < r.state.gcThreshold) {
				return gcError(w.since, r.state.gcThreshold);
			}
		}
		if (w.absent === true && isThere(r, own, q.chunk ?? 1, w.key, isNew)) {
			return { kind: "exists", key: w.key };
		}
	}
	return undefined;
}

/**
 * An earlier chunk of the same transaction may have written or deleted the key; what this one has left there itself, as a copy that
 * is cut in another way finds it, does not count. `isNew`: it has no version.
 */
function isThere(
	r: ReplicaCore,
	own: TransactionId,
	chunk: number,
	key: Key,
	isNew: boolean,
): boolean {
	const { engine } = r.context;
	const intent = r.blockers.intent(engine, key);
	return intent?.transaction === own && !intent.mark
		? intent.chunk < chunk && intent.value !== undefined
		: !isNew && newest(engine, key) !== undefined;
}

function conflict(reason: string, key: Key, other?: string): RangeAnswer {
	return { kind: "conflict", reason, key, ...(other === undefined ? {} : { other }) };
}

/** p: the highest issued timestamp seen, and at least the range's last commit and what it has closed (F1). */
function preparePoint(r: ReplicaCore): Timestamp {
	return Math.max(r.seen(), r.state.lastCommit, r.state.closed) as Timestamp;
}

function accept(
	r: ReplicaCore,
	q: {
		readonly transaction: TransactionId;
		readonly anchor: Key;
		readonly writes: readonly RequestedWrite[];
	},
	more: Pick<PendingGroup, "chunk" | "p" | "onePhase" | "validates" | "builtOn">,
): PendingGroup {
	const group: PendingGroup = {
		transaction: q.transaction,
		anchor: q.anchor,
		sequence: r.state.lease.sequence,
		number: 0,
		c: 0 as Timestamp,
		writes: q.writes.map((w) => ({ key: w.key, value: w.value, mark: w.mark === true })),
		...more,
	};
	r.pending.accept(group);
	return group;
}

export async function prepare(r: ReplicaCore, q: Prepare): Promise<RangeAnswer> {
	if (r.owns(q.anchor)) {
		r.inquiries.heard(r.context, [q.transaction]);
	}
	// A copy that finds its own writes changes nothing: the RPC delivers a send once, but a gateway may ask again.
	const copy = ownWrites(r, q);
	if (copy !== undefined) {
		return copy;
	}
	const no = refuse(r, q.transaction, q);
	if (no !== undefined) {
		return no;
	}
	const tooEarly = r.context.mutations?.timestampBeforePending === true;
	const p = tooEarly ? ((transactionBegin(q.transaction) - 1) as Timestamp) : preparePoint(r);
	const replaced = q.undo === true ? { replaced: replacedBy(r, q) } : {};
	const opens = opensHere(r, q);
	const { chunk } = q;
	const group = accept(r, q, { chunk, p, onePhase: false, validates: true, builtOn: noBases });
	// Its writes guard themselves now. What it only locked stays locked to its end: others would make its validation fail.
	r.locks.releaseKeys(
		q.owner,
		q.writes.map((w) => w.key),
	);
	const result = r.propose(
		{
			kind: "prepare",
			transaction: q.transaction,
			p: group.p,
			anchor: q.anchor,
			chunk: q.chunk,
			writes: group.writes.map((w) => (w.mark ? w : { key: w.key, value: w.value })),
		},
		r.state.descriptor.epoch.version,
		group,
	);
	if (result === undefined) {
		r.pending.withdraw(group);
		return r.notLeaseholder();
	}
	if (opens) {
		r.inquiries.opened(q.transaction);
	}
	const told = answer(r, await result);
	return told.kind === "prepared" ? { ...told, ...replaced } : told;
}

/** Values of earlier chunks. Their Prepares were answered, so they are intents; what was taken back is nothing to return to. */
function replacedBy(r: ReplicaCore, q: Prepare): ReplacedWrite[] {
	const replaced: ReplacedWrite[] = [];
	for (const { key } of q.writes) {
		const intent = r.blockers.intent(r.context.engine, key);
		if (intent?.transaction === q.transaction && !intent.mark) {
			replaced.push({ key, value: intent.value ?? null, chunk: intent.chunk });
		}
	}
	return replaced;
}

/** In bounded entries. The intents stay where they are, so nobody else comes in between. */
export async function takeBack(
	r: ReplicaCore,
	q: Extract<RangeRequestBody, { kind: "take-back" }>,
): Promise<RangeAnswer> {
	let p = 0 as Timestamp;
	for (const span of q.spans) {
		let from: Key | undefined = span.start;
		while (from !== undefined && from < span.end) {
			// L3: a split may have taken some of them since they were asked for.
			if (!r.ownsSpan({ start: from, end: span.end })) {
				return r.stale();
			}
			const page = r.blockers.firstIntents({ start: from, end: span.end }, intentsPerEntry);
			const keys = page.filter(
				({ intent: i }) => i.transaction === q.transaction && i.chunk > q.above && !i.mark,
			);
			from = page.length < intentsPerEntry ? undefined : keySuccessor(page.at(-1)!.key);
			if (keys.length === 0) {
				continue;
			}
			const result = await proposeNow(r, {
				kind: "prepare",
				transaction: q.transaction,
				p: preparePoint(r),
				anchor: q.anchor,
				chunk: q.chunk,
				writes: keys.map(({ key }) => ({ key, value: null, mark: true })),
			});
			if (result?.kind !== "prepared") {
				return answer(r, result);
			}
			p = Math.max(p, result.p) as Timestamp;
			await r.context.runtime.scheduler.yield();
		}
	}
	return { kind: "prepared", p };
}

/** Its anchor's key becomes pending with this, and has not been before: this lease may say that it is open. */
function opensHere(r: ReplicaCore, q: Prepare): boolean {
	if (q.opens !== true || !q.writes.some((w) => w.key === q.anchor)) {
		return false;
	}
	const isPrepared = r.blockers.intent(r.context.engine, q.anchor)?.transaction === q.transaction;
	const isPending = r.pending.on(q.anchor).some((x) => x.group.transaction === q.transaction);
	return !isPrepared && !isPending;
}

/** All writes are there as intents of the same or a higher chunk: the first p again. Some pending: not known yet. */
function ownWrites(r: ReplicaCore, q: Prepare): RangeAnswer | undefined {
	let p = 0 as Timestamp;
	for (const w of q.writes) {
		const intent = r.blockers.intent(r.context.engine, w.key);
		if (intent?.transaction === q.transaction && intent.chunk >= q.chunk) {
			p = Math.max(p, intent.p) as Timestamp;
			continue;
		}
		const pending = r.pending
			.on(w.key)
			.some((x) => x.group.transaction === q.transaction && x.group.chunk >= q.chunk);
		if (pending) {
			// Whoever asks again has lost the answer, perhaps with the proposal.
			r.settle();
		}
		return pending ? { kind: "lost" } : undefined;
	}
	return { kind: "prepared", p };
}

export function onePhase(r: ReplicaCore, q: OnePhase): RangeAnswer | Promise<RangeAnswer> {
	if (q.written !== undefined) {
		// What it has prepared elsewhere may be asked about here.
		r.inquiries.heard(r.context, [q.transaction]);
	}
	if (
		q.writes.some((w) => r.pending.on(w.key).some((x) => x.group.transaction === q.transaction))
	) {
		return { kind: "lost" };
	}
	const built = findBases(r, q.writes);
	if ("lost" in built) {
		return conflict("a pending value that the transaction read did not come to be", built.lost);
	}
	const no = refuse(r, q.transaction, q, built.bases);
	if (no !== undefined) {
		return no;
	}
	const group = accept(r, q, {
		chunk: 1,
		p: preparePoint(r),
		onePhase: true,
		validates: isValidated(q),
		builtOn: built.bases,
	});
	return onePhaseAccepted(r, q, group);
}

const isValidated = (q: OnePhase): boolean => q.validate.length > 0 || q.elsewhere !== undefined;

/**
 * What was read here and what was read in other ranges, side by side: c is drawn, so that whoever becomes pending later commits above it.
 * Synchronous where nothing must be waited for.
 */
function validateAll(
	r: ReplicaCore,
	q: OnePhase,
	c: Timestamp,
): RangeAnswer | Promise<RangeAnswer> {
	const here = validateItems(r, q.transaction, q.validate, c, q.owner);
	if (q.elsewhere === undefined || r.context.mutations?.withoutDistantValidation === true) {
		return here;
	}
	if (!(here instanceof Promise) && here.kind !== "done") {
		return here;
	}
	return bothValid(here, r.context.validateElsewhere(q.transaction, q.elsewhere, c, q.owner));
}

async function bothValid(
	here: RangeAnswer | Promise<RangeAnswer>,
	elsewhere: Promise<RangeAnswer>,
): Promise<RangeAnswer> {
	const [one, other] = await Promise.all([here, elsewhere]);
	return one.kind === "done" ? other : one;
}

async function onePhaseAccepted(
	r: ReplicaCore,
	q: OnePhase,
	group: PendingGroup,
): Promise<RangeAnswer> {
	const { version } = r.state.descriptor.epoch;
	// The next waiter may come: it meets the pending write and waits for that. What was only locked stays so until it is validated.
	if (!isValidated(q)) {
		r.locks.release(q.owner);
	}
	const withdraw = (why: RangeAnswer): RangeAnswer => {
		if (group.sequence === r.state.lease.sequence) {
			r.pending.withdraw(group);
			r.blockers.changed(q.transaction);
		}
		return why;
	};
	let issued: IssuedTimestamp;
	try {
		issued = await r.context.timestamps.issue();
	} catch (error) {
		withdraw({ kind: "done" });
		throw error;
	}
	const c = issued.timestamp;
	const mayGoOn = () =>
		r.holding() &&
		r.state.lease.sequence === group.sequence &&
		r.state.descriptor.epoch.version === version;
	if (!mayGoOn()) {
		return withdraw(r.notLeaseholder());
	}
	if (issued.schemaVersion !== q.schemaVersion) {
		return withdraw({ kind: "schema-changed" });
	}
	// The order of the protocol: c was drawn after the writes were visible as pending.
	assert(c > group.p, () => `T1: commit timestamp ${c} is not above p ${group.p}`);
	if (isValidated(q)) {
		let verdict: RangeAnswer;
		try {
			const checked = validateAll(r, q, c);
			verdict = checked instanceof Promise ? await checked : checked;
		} catch (error) {
			withdraw({ kind: "done" });
			throw error;
		}
		r.locks.release(q.owner);
		if (verdict.kind !== "done") {
			return withdraw(verdict);
		}
		if (!mayGoOn()) {
			return withdraw(r.notLeaseholder());
		}
	}
	const reads = pendingReads(group, c);
	if (reads === undefined) {
		return withdraw(conflict("a pending value that the transaction read was withdrawn", q.anchor));
	}
	const result = r.propose(
		{
			kind: "one-phase",
			transaction: q.transaction,
			p: group.p,
			c,
			anchor: q.anchor,
			writes: group.writes.map((w) => ({ key: w.key, value: w.value })),
			reads,
			written: q.written ?? [],
		},
		version,
		group,
	);
	if (result === undefined) {
		return withdraw(r.notLeaseholder());
	}
	group.c = c;
	const told = await result;
	if (q.written !== undefined && told.kind === "committed") {
		r.blockers.decided(q.transaction, { c: told.c });
	}
	return answer(r, told);
}

export async function commit(
	r: ReplicaCore,
	q: Extract<RangeRequestBody, { kind: "commit" }>,
): Promise<RangeAnswer> {
	const result = await proposeNow(r, { ...q, kind: "commit" });
	if (result?.kind === "committed") {
		r.blockers.decided(q.transaction, { c: result.c });
	}
	return answer(r, result);
}

/** Finds the record or writes the tombstone (T3, T5). */
export async function abort(
	r: ReplicaCore,
	q: Extract<RangeRequestBody, { kind: "abort" }>,
): Promise<RangeAnswer> {
	const result = await proposeNow(r, {
		kind: "abort",
		transaction: q.transaction,
		anchor: q.anchor,
		at: r.seen(),
	});
	if (result?.kind === "aborted") {
		r.blockers.decided(q.transaction, { c: 0 as Timestamp });
	} else if (result?.kind === "committed") {
		r.blockers.decided(q.transaction, { c: result.c });
	}
	return answer(r, result);
}

/** Intents that one entry takes back at most. */
const intentsPerEntry = 100;
/**
 * Intents that one entry resolves at most, and bytes of them from which on it takes no more: what is applied in one turn. With two entries on
 * their way it is the disks that say how long all of them take, so better few large ones than many small.
 */
const resolvedPerEntry = { count: 400, bytes: 64 << 10 } as const;
/**
 * Resolve entries of one transaction on their way at once: the next part is looked for while the last is on its way to disks. No
 * more, for all of it is work that nobody waits for, and those that somebody waits for come behind it.
 */
const resolvesMax = 2;

/** Serves waiting readers at once, then goes through the log in bounded entries until no intent of the spans is left. */
export async function resolve(
	r: ReplicaCore,
	q: Extract<RangeRequestBody, { kind: "resolve" }>,
): Promise<RangeAnswer> {
	r.blockers.decided(q.transaction, { c: q.c });
	await r.blockers.linger(q.transaction);
	return resolveThroughLog(r, q);
}

/** Likewise, for somebody who waits. */
export const resolveNow = (
	r: ReplicaCore,
	transaction: TransactionId,
	c: Timestamp,
	spans: readonly WrittenSpan[],
): Promise<RangeAnswer> => resolveThroughLog(r, { kind: "resolve", transaction, c, spans });

/** T4: nobody can tell any more what became of the transaction. Nobody is served from that: it may have committed. */
export const dropIntents = (
	r: ReplicaCore,
	transaction: TransactionId,
	spans: readonly WrittenSpan[],
): Promise<RangeAnswer> => resolveNow(r, transaction, timestampZero, spans);

async function resolveThroughLog(
	r: ReplicaCore,
	q: Extract<RangeRequestBody, { kind: "resolve" }>,
): Promise<RangeAnswer> {
	let rest = q.spans;
	let isFound = false;
	const underWay: Promise<ProposalResult | undefined>[] = [];
	for (;;) {
		const failure = await firstFailure(underWay, resolvesMax - 1);
		if (failure !== undefined) {
			return answer(r, failure.result);
		}
		// L3: a split may have taken some of them since they were asked for.
		if (!q.spans.every((s) => r.ownsSpan(s))) {
			return r.stale();
		}
		const { spans, after } = nextToResolve(r, q.transaction, rest);
		// Where intents were, the engine steps over what is left of each: not to be done again for every entry.
		rest = after;
		if (spans.length > 0) {
			isFound = true;
			underWay.push(proposeNow(r, { kind: "resolve", transaction: q.transaction, c: q.c, spans }));
		} else if (rest.length === 0) {
			const last = await firstFailure(underWay, 0);
			if (last !== undefined) {
				return answer(r, last.result);
			}
			if (!isFound) {
				return { kind: "done" };
			}
			// Once more over all: a late copy of a Prepare may have come where this pass had been.
			isFound = false;
			rest = q.spans;
			continue;
		}
		await r.context.runtime.scheduler.yield();
	}
}

/** Waits until no more than `count` are under way. */
async function firstFailure(
	underWay: Promise<ProposalResult | undefined>[],
	count: number,
): Promise<{ readonly result: ProposalResult | undefined } | undefined> {
	while (underWay.length > count) {
		const result = await underWay.shift();
		if (result?.kind !== "done") {
			return { result };
		}
	}
	return undefined;
}

/**
 * What one turn looks at, for one entry: the parts in which the transaction has intents, none where all of them are others', and what
 * is left.
 */
function nextToResolve(
	r: ReplicaCore,
	transaction: TransactionId,
	spans: readonly WrittenSpan[],
): { readonly spans: WrittenSpan[]; readonly after: readonly WrittenSpan[] } {
	const parts: WrittenSpan[] = [];
	const after: WrittenSpan[] = [];
	let { count, bytes }: { count: number; bytes: number } = resolvedPerEntry;
	for (const [index, span] of spans.entries()) {
		if (count <= 0 || bytes <= 0) {
			after.push(...spans.slice(index));
			break;
		}
		const look = r.blockers.look(span, transaction, count, bytes);
		count -= look.count;
		bytes -= look.bytes;
		if (look.own !== undefined) {
			parts.push(look.own);
		}
		if (look.rest !== undefined) {
			after.push(look.rest);
		}
	}
	return { spans: parts, after };
}

function proposeNow(
	r: ReplicaCore,
	command: Parameters<ReplicaCore["propose"]>[0],
): Promise<ProposalResult | undefined> {
	return r.propose(command, r.state.descriptor.epoch.version) ?? Promise.resolve(undefined);
}

/** The answer for what became of a proposal. */
function answer(r: ReplicaCore, result: ProposalResult | undefined): RangeAnswer {
	switch (result?.kind) {
		case undefined:
		case "rejected":
			// L3: it was not applied and never will be; the sender may route again.
			return r.notLeaseholder();
		case "refused":
			return { kind: "conflict", reason: result.reason, key: null };
		case "done":
			return { kind: "done" };
		case "prepared":
		case "committed":
		case "aborted":
		case "unknown":
		case "lost":
			return result;
		case "split":
		case "merged":
			return { kind: "done" };
	}
}
