/**
 * What leaseholders do on their own, slowly: finish the resolves of committed transactions whose gateway died, ask about intents
 * that nobody came back for, forget old records and tombstones, collect history. What may be long goes part by part, at the node's
 * pace: a part a turn of the event loop would leave a statement, which takes many turns, next to nothing.
 */
import { type Key, keySuccessor, type Span } from "@quorate/keys/key";
import { rangeSpan } from "@quorate/keys/range";
import { type Timestamp, ticksPerMs, timestampZero } from "@quorate/keys/timestamp";
import type { Engine } from "@quorate/storage/engine";
import {
	historyEnd,
	historyPrefixOf,
	historySpan,
	historyUserKey,
	transactionSpan,
} from "@quorate/storage/engine-keys";
import { recordLifeMs } from "./context.ts";
import type { Replica } from "./replica.ts";
import { decodeRecord, type TransactionRecord } from "./transaction-record.ts";

const onlyAsk = (): void => {};

/** Intents looked at in one pass. */
const intentsMax = 200;
/** Of one look for the lowest p. */
const intentsPerLook = 500;
/** History entries looked at in one slice, which is what one Collect removes at most. */
const historyMax = 250;
/** Applying it, they are read again and removed. */
const collectWeight = 3;
/** Records looked at in one slice. */
const recordsMax = 500;

/** Intents that stood at the last pass already are asked about: their transactions should have ended. */
export class IntentSweeper {
	#before = new Set<string>();

	pass(replica: Replica): void {
		if (replica.blockers.intentCount === 0 || !replica.holding()) {
			this.#before.clear();
			if (replica.blockers.intentCount > 0) {
				// Its leaseholder may have died, and nobody else may come: then its successor finishes what is left.
				replica.takeLease();
			}
			return;
		}
		const now = new Set<string>();
		const span = rangeSpan(replica.state.descriptor);
		for (const { key, intent } of replica.blockers.firstIntents(span, intentsMax)) {
			now.add(intent.transaction);
			if (this.#before.has(intent.transaction)) {
				const { transaction, anchor, p } = intent;
				const blocker = { transaction, anchor, key, p, pending: false };
				replica.blockers.watch(blocker, onlyAsk, timestampZero);
			}
		}
		this.#before = now;
	}
}

/** What is left of transactions and of history. Where nothing is, nothing is looked for before something is applied. */
export async function tidyUp(replica: Replica, historyLifeMs: number | undefined): Promise<void> {
	const { appliedIndex } = replica.state;
	const hasRecords = await forgetRecords(replica);
	const hasHistory = historyLifeMs === undefined || (await collectHistory(replica, historyLifeMs));
	if (!hasRecords && !hasHistory) {
		replica.tidyAt = appliedIndex;
	}
}

/** Finishes and forgets old records of the range (T4). False: it has none. */
async function forgetRecords(replica: Replica): Promise<boolean> {
	const { engine, pace, timestamps, limits, mutations } = replica.context;
	const before = timestamps.seen() - (limits?.recordLifeMs ?? recordLifeMs) * ticksPerMs;
	const isOld = (record: TransactionRecord): boolean =>
		record.at < before || (mutations?.tombstonesGoEarly === true && record.outcome === "aborted");
	let from = transactionSpan(rangeSpan(replica.state.descriptor)).start;
	let hasSome = false;
	for (;;) {
		if (!replica.holding()) {
			return true;
		}
		const { version } = replica.state.descriptor.epoch;
		const { end } = transactionSpan(rangeSpan(replica.state.descriptor));
		const { records, next } = await pace.part(() => recordSlice(engine, { start: from, end }));
		hasSome ||= records.length > 0;
		const gone: TransactionRecord[] = [];
		for (const record of records.filter(isOld)) {
			if (await resolvesDone(replica, record)) {
				gone.push(record);
			}
		}
		if (gone.length > 0 && replica.holding()) {
			await replica.propose(
				{
					kind: "forget",
					transactions: gone.map((r) => ({ id: r.transaction, anchor: r.anchor })),
				},
				// L3: not under a later one, where some of them may have left with a split.
				version,
			);
		}
		if (next === undefined) {
			return hasSome;
		}
		from = next;
	}
}

/** A bounded part of the records, and where the next one begins. */
function recordSlice(
	engine: Engine,
	span: Span,
): { readonly records: readonly TransactionRecord[]; readonly next: Key | undefined } {
	const records: TransactionRecord[] = [];
	const it = engine.iterate(span);
	try {
		for (; it.key !== undefined; it.next()) {
			if (records.length === recordsMax) {
				return { records, next: it.key };
			}
			records.push(decodeRecord(it.value));
		}
	} finally {
		it.close();
	}
	return { records, next: undefined };
}

/** T4: a record goes only after every resolve has applied. */
async function resolvesDone(replica: Replica, record: TransactionRecord): Promise<boolean> {
	if (record.outcome === "aborted" || record.written.length === 0) {
		return true;
	}
	return replica.context.resolveAll(record.transaction, record.c, record.written);
}

/** To what the GC threshold may be raised: `lifeMs` ago, below every intent and pending write. It may be negative. */
export async function thresholdNow(replica: Replica, lifeMs: number): Promise<number> {
	let threshold = replica.context.timestamps.seen() - lifeMs * ticksPerMs;
	if (replica.isResting) {
		// Nothing is pending, and there is no intent (R1).
		return threshold;
	}
	// What is pending may become an intent where the look for them has been.
	threshold = Math.min(threshold, (replica.pending.lowestP() ?? Number.MAX_SAFE_INTEGER) - 1);
	if (replica.blockers.intents.lowestP <= threshold) {
		const bounds = rangeSpan(replica.state.descriptor);
		threshold = Math.min(threshold, (await lowestP(replica, bounds)) - 1);
	}
	return threshold;
}

/** Raises the GC threshold, and removes history slice by slice. False: there is none. */
export async function collectHistory(replica: Replica, lifeMs: number): Promise<boolean> {
	const { engine, pace } = replica.context;
	const threshold = await thresholdNow(replica, lifeMs);
	let from: Key | undefined = replica.state.descriptor.start;
	let hasSome = false;
	while (threshold > 0 && from !== undefined && replica.holding() && !replica.isMerging) {
		const { version } = replica.state.descriptor.epoch;
		const { end } = rangeSpan(replica.state.descriptor);
		const rest: Span = { start: from, end };
		const slice = await pace.part(
			() => expiredSlice(engine, rest, threshold as Timestamp),
			collectWeight,
		);
		hasSome ||= !slice.isEmpty;
		if (slice.expired) {
			const span = { start: from, end: slice.next ?? end };
			const command = { kind: "collect" as const, threshold: threshold as Timestamp, span };
			if ((await replica.propose(command, version))?.kind !== "done") {
				return true;
			}
		}
		from = slice.next;
	}
	return hasSome || from !== undefined;
}

/** The lowest p of all intents, found in parts: there may be millions. Who comes meanwhile has a p of now. */
async function lowestP(replica: Replica, { start, end }: Span): Promise<number> {
	const { blockers, context, pending } = replica;
	// What is pending may become an intent where this look has been.
	let low = Math.min(context.timestamps.seen(), pending.lowestP() ?? Number.MAX_SAFE_INTEGER);
	for (let from: Key | undefined = start; from !== undefined && from < end; ) {
		const rest: Span = { start: from, end };
		const page = await context.pace.part(() => blockers.firstIntents(rest, intentsPerLook));
		for (const { intent } of page) {
			low = Math.min(low, intent.p);
		}
		from = page.length < intentsPerLook ? undefined : keySuccessor(page.at(-1)!.key);
	}
	// It is not to be done again before that p is old as well.
	blockers.intents.raiseLowestP(low);
	return low;
}

/** Looks at a bounded part of the history: whether some of it has expired, and where the next part begins. */
function expiredSlice(
	engine: Engine,
	span: Span,
	threshold: Timestamp,
): { readonly expired: boolean; readonly isEmpty: boolean; readonly next: Key | undefined } {
	const it = engine.iterate(historySpan(span));
	const isEmpty = it.key === undefined;
	let expired = false;
	try {
		for (let n = 0; it.key !== undefined; it.next(), n++) {
			const k = historyUserKey(historyPrefixOf(it.key));
			// The versions of one key stay together.
			if (n >= historyMax && k > span.start) {
				return { expired, isEmpty, next: k };
			}
			expired ||= historyEnd(it.key) <= threshold;
		}
	} finally {
		it.close();
	}
	return { expired, isEmpty, next: undefined };
}
