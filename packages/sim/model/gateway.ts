/**
 * What a transaction does before its commit: it reads at its read timestamp, or the newest values, and buffers its writes. Each
 * is a generator that yields calls. The commit is in `commit.ts`.
 */
import { all, byRange, call, issued, resume } from "./calls.ts";
import {
	abandon,
	commit,
	commitLarge,
	commitLocked,
	sendChunk,
	settle,
	validateReads,
} from "./commit.ts";
import type { HotRow } from "./messages.ts";
import { keyCount, keysPerRange, rangeOf, transactionCount, type World } from "./state.ts";
import {
	type Doing,
	end,
	newTransaction,
	type Steps,
	type Transaction,
	type TransactionKind,
} from "./transaction.ts";

export function addTransactions(w: World): void {
	for (let id = 1; id <= transactionCount; id++) {
		const startsAt = w.random.below(w.weather.spread);
		const t = newTransaction(id, drawKind(w), w.gateways[w.random.below(2)]!, startsAt);
		w.transactions.push(t);
		w.toStart++;
	}
}

function drawKind({ random, weather }: World): TransactionKind {
	if (random.permille(weather.readOnly)) return "read-only";
	if (random.permille(weather.hot)) return "hot";
	return random.permille(weather.large) ? "large" : "ordinary";
}

export function start(w: World, t: Transaction): void {
	w.toStart--;
	t.outcome = "running";
	t.startedAt = w.step;
	t.steps = stepsOf(w, t);
	w.active.push(t);
	w.trace?.push(`${w.step}: transaction ${t.id} (${t.kind}) starts`);
	resume(w, t);
}

function stepsOf(w: World, t: Transaction): Steps {
	switch (t.kind) {
		case "read-only":
			return readOnly(w, t);
		case "ordinary":
			return ordinary(w, t);
		case "large":
			return large(w, t);
		case "hot":
			return hot(w, t);
	}
}

const drawKey = ({ random, weather }: World): number =>
	weather.keys === keyCount ? random.below(keyCount) : random.below(2) * keysPerRange;

const newValue = (w: World): number => ++w.lastValue;

function* readOnly(w: World, t: Transaction): Steps {
	const keys: number[] = [];
	for (let key = 0; key < keyCount; key++) {
		if (!w.random.oneIn(4)) keys.push(key);
	}
	const isRead = yield* readKeys(w, t, keys);
	end(t, isRead ? "committed" : "aborted", w.step);
}

function* ordinary(w: World, t: Transaction): Steps {
	const count = 1 + w.random.below(w.weather.operationsMax);
	for (let i = 0; i < count; i++) {
		if (!(yield* operate(w, t))) {
			end(t, "aborted", w.step);
			return;
		}
	}
	if (t.writes.some((value) => value > 0)) yield* commit(w, t);
	else yield* commitLocked(w, t);
}

/** Its rows are prepared in chunks while it runs; some of them are taken back. */
function* large(w: World, t: Transaction): Steps {
	const count = 2 + w.random.below(3);
	for (let i = 0; i < count; i++) {
		let goesOn = true;
		if (i > 0 && !w.random.oneIn(3)) goesOn = yield* sendChunk(w, t, w.random.oneIn(2));
		if (t.chunk > 0 && w.random.oneIn(5)) takeBack(w, t);
		if (!goesOn || !(yield* operate(w, t))) {
			yield* abandon(w, t);
			return;
		}
	}
	if (t.chunk > 0 || t.writes.some((value) => value > 0)) yield* commitLarge(w, t);
	else yield* commitLocked(w, t);
}

/** A savepoint is rolled back. */
function takeBack(w: World, t: Transaction): void {
	t.writes[w.random.below(keyCount)] = 0;
}

/** Reads a key, writes it, or both. False: it cannot go on. */
function* operate(w: World, t: Transaction): Doing<boolean> {
	const { random, weather } = w;
	const key = drawKey(w);
	const writes = random.permille(weather.writes);
	if (t.writes[key] === 0 && (!writes || random.oneIn(2))) {
		const isRead = random.permille(weather.newest)
			? yield* readNewest(w, t, key)
			: yield* readKeys(w, t, [key]);
		if (!isRead) return false;
	}
	if (writes) t.writes[key] = newValue(w);
	return true;
}

/** At the transaction's read timestamp, at the leaseholders of the keys. */
function* readKeys(w: World, t: Transaction, keys: readonly number[]): Doing<boolean> {
	if (t.readTimestamp === 0) t.readTimestamp = yield* issued(w, t);
	const s = t.readTimestamp;
	const calls = byRange(keys).map((part) => call(w, t, part[0]!, { kind: "read", keys: part, s }));
	for (const a of yield* all(calls)) {
		if (a.kind !== "values") return false;
	}
	for (const c of calls) {
		if (c.body.kind !== "read") continue;
		c.body.keys.forEach((key, i) => {
			t.reads.push({ key, value: c.answer!.values[i]!, since: s, isNewest: false });
		});
	}
	return true;
}

/** If the value is newer than the read timestamp, that moves up to a fresh one, once all reads before it hold there. */
function* readNewest(w: World, t: Transaction, key: number): Doing<boolean> {
	if (t.readTimestamp === 0) t.readTimestamp = yield* issued(w, t);
	const [a] = yield* all([call(w, t, key, { kind: "newest", key })]);
	if (a!.kind !== "values") return false;
	if (a!.ts > t.readTimestamp) {
		const moved = yield* issued(w, t);
		if (!(yield* validateReads(w, t, () => true, moved))) return false;
		for (const read of t.reads) read.since = moved;
		t.readTimestamp = moved;
	}
	t.reads.push({ key, value: a!.values[0]!, since: a!.since, isNewest: true });
	return true;
}

/** One statement that is the whole transaction, evaluated at the leaseholder. */
function* hot(w: World, t: Transaction): Steps {
	if (t.gateway.seen === 0) yield* issued(w, t);
	t.begin = t.gateway.seen;
	const first = drawKey(w);
	const rows: HotRow[] = [];
	for (let key = 0; key < keyCount; key++) {
		if (rangeOf(key) !== rangeOf(first) || (key !== first && !w.random.oneIn(3))) continue;
		const value = key === first || w.random.oneIn(2) ? newValue(w) : 0;
		rows.push({ key, value, reads: value === 0 || !w.random.oneIn(4) });
		t.writes[key] = value;
	}
	t.anchor = first;
	t.mayCommit = true;
	const c = call(w, t, first, { kind: "hot", rows, anchor: first });
	const [a] = yield* all([c]);
	const result = yield* settle(w, t, c, a!);
	if (result.kind !== "committed") return;
	w.counts.hot++;
	// What the client is told comes from the record.
	const reads = rows.filter((row) => row.reads);
	if (result.values.length === reads.length) {
		t.reads = reads.map(({ key }, i) => ({
			key,
			value: result.values[i]!,
			since: 0,
			isNewest: true,
		}));
	}
}
