/**
 * What leaseholders do about transactions whose gateway does not finish them: the anchor answers inquiries and aborts the silent
 * (T3), finishes the resolves of what it has committed (step 5), and removes old records and tombstones (T4).
 */
import { local } from "./apply.ts";
import { inquire } from "./claims.ts";
import { acquire, extend, holds, propose, transfer } from "./lease.ts";
import { type Message, send } from "./messages.ts";
import { askOracle } from "./oracle.ts";
import {
	aborted,
	keysPerRange,
	type Replica,
	rangeOf,
	type TransactionRecord,
	ticksPerMs,
	transactionCount,
	undecided,
	unknown,
	type World,
} from "./state.ts";

type Of<K extends Message["kind"]> = Extract<Message, { kind: K }>;

/** A replica of the anchor is asked. A record or tombstone that it has applied is a fact, whoever holds the lease. */
export function inquired(w: World, m: Of<"inquiry">): void {
	const r = w.ranges[rangeOf(m.anchor)]!.replicas[m.node]!;
	const { transaction, begin, anchor, s } = m;
	const record = r.records[transaction];
	if (record !== undefined) {
		tell(w, m, record.c, 0);
		return;
	}
	if (r.tombstones[transaction] !== 0) {
		tell(w, m, aborted, 0);
		return;
	}
	const isHere = r.intents[local(anchor)]?.transaction === transaction;
	if (!isHere && begin <= r.horizon) {
		tell(w, m, w.without === "T4.unknown" ? aborted : unknown, 0);
		return;
	}
	if (!holds(w, r)) return;
	if (s > 0 && isOpen(w, r, transaction) && (s <= r.lease.expiry || w.without === "large.expiry")) {
		w.counts.passedOpen++;
		tell(w, m, undecided, s);
		return;
	}
	if (isSilent(w, transaction)) propose(w, r, { kind: "abort", transaction, begin, anchor });
}

function tell(w: World, m: Of<"inquiry">, decision: number, above: number): void {
	const { from: to, boot, transaction, key } = m;
	send(w, { kind: "outcome", to, boot, transaction, key, decision, above });
}

/** c is not drawn yet, and cannot be before the word that it closes, which only this lease or a later one gives. */
function isOpen(w: World, r: Replica, transaction: number): boolean {
	const opened = r.opened[transaction]!;
	if (opened === r.lease.sequence) return true;
	return w.without === "large.lease" && opened > 0;
}

/** Heartbeats are left out: the coordinator of a living transaction is found silent at random. */
function isSilent(w: World, transaction: number): boolean {
	const t = w.transactions[transaction - 1]!;
	if (t.isOver) return w.random.oneIn(2);
	return w.isStormy && w.random.permille(w.weather.silences);
}

export function learned(w: World, m: Of<"outcome">): void {
	const { to: r, transaction, key, decision, above } = m;
	if (r.boot !== m.boot) return;
	if (decision === undecided) {
		r.above[transaction] = Math.max(r.above[transaction]!, above);
		return;
	}
	r.decisions[transaction] = decision;
	w.trace?.push(
		`${w.step}: range ${r.range}, node ${r.node}: learns that transaction ${transaction} ${outcomeName(decision)}`,
	);
	proposeResolve(w, r, transaction, key);
}

function outcomeName(decision: number): string {
	if (decision === unknown) return "cannot be told";
	return decision === aborted ? "aborted" : `committed at ${decision}`;
}

/** What cannot be told drops the intent: every resolve of a committed one has applied before its record went. */
function proposeResolve(w: World, r: Replica, transaction: number, key: number): void {
	if (!holds(w, r) || w.without === "step5.finish") return;
	const c = Math.max(0, r.decisions[transaction]!);
	propose(w, r, { kind: "resolve", transaction, key, c });
}

export function resolve(w: World, m: Of<"resolve">): void {
	const { node, transaction, key, c, from, boot } = m;
	const r = w.ranges[rangeOf(key)]!.replicas[node]!;
	if (!holds(w, r)) return;
	propose(w, r, { kind: "resolve", transaction, key, c }, (result) => {
		if (from === undefined || result.kind !== "done") return;
		send(w, { kind: "resolved", to: from, boot, transaction, key });
	});
}

export function resolved(m: Of<"resolved">): void {
	if (m.to.boot === m.boot) m.to.resolved[m.transaction]! |= 1 << m.key;
}

// ---- from time to time

export function lookAround(w: World, r: Replica): void {
	const { random, weather } = w;
	if (r.waits.length > 0 && random.oneIn(2)) askOracle(w, r);
	if (w.without === "L2.resume" && random.oneIn(4)) r.stopped = 0;
	if (!holds(w, r)) {
		// On its own it hardly tries while the lease seems to last.
		const isLapsed = r.seen > r.lease.expiry || random.oneIn(6);
		if (!w.isStormy || (isLapsed && random.permille(weather.acquisitions))) acquire(w, r);
		return;
	}
	if (!w.isStormy) {
		finishIntents(w, r);
		removeOld(w, r);
		return;
	}
	if (random.permille(weather.transfers)) {
		transfer(w, r);
		return;
	}
	if (w.without === "L4.time") r.pending = r.pending.filter(() => random.oneIn(2));
	switch (random.below(3)) {
		case 0:
			// From half-life on, while it is in use.
			if (r.seen + (weather.leaseMs * ticksPerMs) / 2 > r.lease.expiry) extend(w, r, 0);
			return;
		case 1:
			finishIntents(w, r);
			return;
		default:
			removeOld(w, r);
			return;
	}
}

function finishIntents(w: World, r: Replica): void {
	if (w.without === "step5.finish") return;
	for (let i = 0; i < keysPerRange; i++) {
		const intent = r.intents[i];
		if (intent === undefined || (w.isStormy && !w.random.oneIn(4))) continue;
		if (r.decisions[intent.transaction] === undecided) inquire(w, r, intent, 0);
		else if (w.random.oneIn(2)) proposeResolve(w, r, intent.transaction, intent.key);
	}
}

function removeOld(w: World, r: Replica): void {
	const { random, weather } = w;
	for (let transaction = 1; transaction <= transactionCount; transaction++) {
		const record = r.records[transaction];
		if (record !== undefined) {
			if (!finishResolves(w, r, record)) continue;
		} else if (r.tombstones[transaction] === 0) {
			continue;
		}
		if (w.isStormy && random.permille(weather.removals)) {
			propose(w, r, { kind: "remove", transaction });
		}
	}
}

/** T4: true when every resolve has applied. */
function finishResolves(w: World, r: Replica, record: TransactionRecord): boolean {
	if (record.onePhase || w.without === "T4.resolves") return true;
	let isDone = true;
	for (const key of record.keys) {
		const { transaction, c } = record;
		const isHere = rangeOf(key) === r.range;
		if (isHere ? r.intents[local(key)]?.transaction !== transaction : isResolved(r, record, key)) {
			continue;
		}
		isDone = false;
		if (w.without === "step5.finish") continue;
		const node = w.random.below(2);
		send(w, { kind: "resolve", node, transaction, key, c, from: r, boot: r.boot });
	}
	return isDone;
}

const isResolved = (r: Replica, { transaction }: TransactionRecord, key: number): boolean =>
	(r.resolved[transaction]! & (1 << key)) !== 0;
