/** The commit protocol at its gateway, steps 1 to 5, and what is done when an answer does not come (T5). */
import { all, byRange, call, issued } from "./calls.ts";
import { type Answer, answer, type Item, send, type Write } from "./messages.ts";
import { rangeOf, type World } from "./state.ts";
import { type Call, type Doing, end, type Steps, type Transaction, taken } from "./transaction.ts";

/** It wrote nothing. If it read newest values it may have seen two states: then it validates. */
export function* commitLocked(w: World, t: Transaction): Steps {
	if (t.reads.some(({ isNewest }) => isNewest) && w.without !== "step3.locked") {
		t.c = yield* issued(w, t);
		if (!(yield* validateReads(w, t, () => true, t.c))) {
			end(t, "aborted", w.step);
			return;
		}
	}
	end(t, "committed", w.step);
}

export function* commit(w: World, t: Transaction): Steps {
	const keys = writtenKeys(t);
	yield* begin(w, t, keys);
	const isOneRange = keys.every((key) => rangeOf(key) === rangeOf(t.anchor));
	if (isOneRange && w.random.permille(w.weather.onePhase)) {
		const { kind } = yield* onePhase(w, t, keys, []);
		if (kind === "committed") w.counts.onePhase++;
	} else if (!isOneRange && w.random.permille(w.weather.lastAgent)) yield* throughLast(w, t, keys);
	else yield* twoPhase(w, t, keys);
}

const writtenKeys = (t: Transaction): number[] => keysWhere(t.writes, (value) => value > 0);

function keysWhere(values: readonly number[], is: (value: number) => boolean): number[] {
	const keys: number[] = [];
	values.forEach((value, key) => {
		if (is(value)) keys.push(key);
	});
	return keys;
}

/** T4: any issued timestamp that the gateway holds when the commit starts. */
function* begin(w: World, t: Transaction, keys: readonly number[]): Doing<void> {
	if (t.gateway.seen === 0) yield* issued(w, t);
	t.begin = t.gateway.seen;
	t.anchor = keys[w.random.below(keys.length)]!;
	t.mayCommit = true;
}

/** Several reads of a key count with the lowest; -1: a blind write. */
function sinceOf(t: Transaction, key: number): number {
	let since = -1;
	for (const read of t.reads) {
		if (read.key === key && (since < 0 || read.since < since)) since = read.since;
	}
	return since;
}

function writeOf(t: Transaction, key: number): Write {
	const value = t.writes[key]!;
	return { key, value, since: value > 0 ? sinceOf(t, key) : -1, mark: value === 0 };
}

/** Step 3, at the leaseholders, in parallel. */
export function* validateReads(
	w: World,
	t: Transaction,
	isWanted: (key: number) => boolean,
	c: number,
): Doing<boolean> {
	const keys = t.reads.map(({ key }) => key).filter(isWanted);
	if (keys.length === 0 || w.without === "step3.validate") return true;
	const calls = byRange([...new Set(keys)]).map((part) => {
		const items = t.reads.filter(({ key }) => part.includes(key));
		return call(w, t, part[0]!, { kind: "validate", items, c });
	});
	const answers = yield* all(calls);
	return answers.every(({ kind }) => kind === "done");
}

// ---- one-phase

/** `prepared`: what is in the other range, and is decided with it. */
function* onePhase(
	w: World,
	t: Transaction,
	keys: readonly number[],
	prepared: readonly number[],
): Doing<Answer> {
	const { anchor } = t;
	const writes = keys.map((key) => writeOf(t, key));
	const read = w.without === "step3.validate" ? [] : t.reads.filter(({ key }) => !t.writes[key]);
	const isHere = ({ key }: Item) => rangeOf(key) === rangeOf(anchor);
	const items = read.filter(isHere);
	const elsewhere = w.without === "step3.elsewhere" ? [] : read.filter((item) => !isHere(item));
	const c = call(w, t, anchor, {
		kind: "one-phase",
		writes,
		items,
		elsewhere,
		anchor,
		keys: prepared,
	});
	const [a] = yield* all([c]);
	const result = yield* settle(w, t, c, a!);
	if (result.kind === "committed" && elsewhere.length > 0) w.counts.readElsewhere++;
	return result;
}

/**
 * T5: after a lost answer nothing is evaluated again. The record is found or the tombstone written; what cannot be learned is
 * reported as unknown. T3: a refusal says nothing about other sends of the same commit.
 */
export function* settle(w: World, t: Transaction, c: Call, first: Answer): Doing<Answer> {
	const a = yield* outcomeOf(w, t, c, first);
	report(w, t, a);
	return a;
}

function* outcomeOf(w: World, t: Transaction, c: Call, first: Answer): Doing<Answer> {
	if (first.kind === "lost") {
		if (w.without === "T5.lost") return first;
		return w.without === "T5.again" ? yield* again(w, t) : yield* abortAtAnchor(w, t);
	}
	const isFinal = c.sends <= 1 || w.without === "T3.refusal";
	return first.kind === "refused" && !isFinal ? yield* abortAtAnchor(w, t) : first;
}

/** What T5 forbids. */
function* again(w: World, t: Transaction): Doing<Answer> {
	for (const key of writtenKeys(t)) t.writes[key] = ++w.lastValue;
	const { anchor } = t;
	const isHere = (key: number) => rangeOf(key) === rangeOf(anchor);
	const writes = writtenKeys(t)
		.filter(isHere)
		.map((key) => ({ ...writeOf(t, key), since: -1 }));
	const keys = writtenKeys(t).filter((key) => !isHere(key));
	t.reads = [];
	const [a] = yield* all([
		call(w, t, anchor, { kind: "one-phase", writes, items: [], elsewhere: [], anchor, keys }),
	]);
	return a!;
}

function report(w: World, t: Transaction, a: Answer): void {
	w.trace?.push(`${w.step}: the client of transaction ${t.id} is told: ${a.kind}`);
	if (a.kind === "committed") {
		t.c = a.ts;
		end(t, "committed", w.step);
	} else if (a.kind === "unknown" && w.without !== "T5.unknown") {
		end(t, "unknown", w.step);
	} else {
		end(t, "aborted", w.step);
	}
}

function* abortAtAnchor(w: World, t: Transaction): Doing<Answer> {
	const { anchor } = t;
	const [a] = yield* all([call(w, t, anchor, { kind: "abort", anchor })]);
	return a!;
}

// ---- two-phase

/** The anchor's range is the last agent: when the other has prepared, it does what is left in one phase, and decides. */
function* throughLast(w: World, t: Transaction, keys: readonly number[]): Steps {
	const isLast = (key: number) => rangeOf(key) === rangeOf(t.anchor);
	const others = keys.filter((key) => !isLast(key));
	const calls = prepares(w, t, others, 1, false);
	if (w.without !== "last.after") {
		const answers = yield* all(calls);
		if (answers.some(({ kind }) => kind !== "prepared")) return yield* abandon(w, t);
	}
	const a = yield* onePhase(w, t, keys.filter(isLast), others);
	if (a.kind === "committed") {
		w.counts.lastAgent++;
		resolveAll(w, t, others, a.ts);
	} else if (a.kind !== "unknown" && !w.random.oneIn(3)) {
		const gone = yield* abortAtAnchor(w, t);
		if (gone.kind === "aborted") resolveAll(w, t, others, 0);
	}
}

function* twoPhase(w: World, t: Transaction, keys: readonly number[]): Steps {
	const calls = prepares(w, t, keys, 1, false);
	let c = 0;
	if (w.without === "step2.after") {
		const drawn = call(w, t, 0, { kind: "issue" });
		yield* all([...calls, drawn]);
		c = drawn.answer!.ts;
	}
	const answers = yield* all(calls);
	if (answers.some(({ kind }) => kind !== "prepared")) return yield* abandon(w, t);
	if (c === 0) c = yield* issued(w, t);
	if (yield* decide(w, t, keys, answers, c)) w.counts.twoPhase++;
}

function prepares(
	w: World,
	t: Transaction,
	keys: readonly number[],
	chunk: number,
	opens: boolean,
): Call[] {
	const { anchor } = t;
	return byRange(keys).map((part) => {
		const writes = part.map((key) => writeOf(t, key));
		return call(w, t, part[0]!, { kind: "prepare", writes, chunk, anchor, opens });
	});
}

/** Steps 3 to 5. True: it committed. */
function* decide(
	w: World,
	t: Transaction,
	keys: readonly number[],
	prepared: readonly Answer[],
	c: number,
): Doing<boolean> {
	t.c = c;
	w.trace?.push(`${w.step}: transaction ${t.id} draws c ${c}`);
	if (prepared.some(({ ts }) => c <= ts) && w.without !== "step2.after") {
		if (w.without === undefined) w.problem ??= `c ${c} is not above p of transaction ${t.id}`;
		yield* abandon(w, t);
		return false;
	}
	if (!(yield* validateReads(w, t, (key) => t.writes[key] === 0, c))) {
		yield* abandon(w, t);
		return false;
	}
	const a = yield* commitAtAnchor(w, t, keys, c);
	report(w, t, a);
	if (a.kind === "committed") resolveAll(w, t, keys, a.ts);
	else if (a.kind === "aborted") resolveAll(w, t, keys, 0);
	return a.kind === "committed";
}

function* commitAtAnchor(
	w: World,
	t: Transaction,
	keys: readonly number[],
	c: number,
): Doing<Answer> {
	const { anchor } = t;
	for (;;) {
		const [a] = yield* all([call(w, t, anchor, { kind: "commit", anchor, c, keys })]);
		if (a!.kind !== "lost") return a!;
		if (w.without === "T5.lost") return answer("aborted");
		if (w.random.oneIn(2)) return yield* abortAtAnchor(w, t);
	}
}

/** No commit was sent and none will be. Often nothing more is done: others find out. */
export function* abandon(w: World, t: Transaction): Steps {
	end(t, "aborted", w.step);
	if (!t.mayCommit || w.random.oneIn(3)) return;
	const a = yield* abortAtAnchor(w, t);
	if (a.kind === "committed" && w.without === undefined) {
		w.problem ??= `transaction ${t.id} committed, though no commit was sent`;
	}
	if (a.kind === "aborted") resolveAll(w, t, [0, 1, 2, 3], 0);
}

/** Step 5, in the background. */
function resolveAll(w: World, t: Transaction, keys: readonly number[], c: number): void {
	if (w.random.oneIn(3)) return;
	for (const key of keys) {
		const node = t.gateway.leaseholders[rangeOf(key)]!;
		send(w, {
			kind: "resolve",
			node,
			transaction: t.id,
			key,
			c,
			from: undefined,
			boot: 0,
		});
	}
}

// ---- large transactions

/** Prepares what has changed since the last chunk. False: refused. */
export function* sendChunk(w: World, t: Transaction, waits: boolean): Doing<boolean> {
	const changed = keysToSend(t);
	if (changed.length === 0) return true;
	if (t.chunk === 0) yield* begin(w, t, changed);
	t.chunk++;
	const calls = prepares(w, t, changed, t.chunk, true);
	for (const key of changed) t.sent[key] = t.writes[key]! > 0 ? t.writes[key]! : taken;
	t.unanswered.push(...calls);
	if (!waits) return true;
	const answers = yield* all(calls);
	return answers.every(({ kind }) => kind === "prepared");
}

function keysToSend({ writes, sent }: Transaction): number[] {
	const keys: number[] = [];
	writes.forEach((value, key) => {
		const wanted = value > 0 || sent[key] === 0 ? value : taken;
		if (wanted !== sent[key]) keys.push(key);
	});
	return keys;
}

/** c is drawn after every chunk was answered and the anchor's leaseholder has said that it closes. */
export function* commitLarge(w: World, t: Transaction): Steps {
	if (!(yield* sendChunk(w, t, false))) return yield* abandon(w, t);
	const { anchor } = t;
	const chunks = t.unanswered;
	let closes: readonly Call[] = [];
	if (w.without !== "large.word") {
		// The word may come before the last chunks are answered, or be asked for after them.
		if (w.random.oneIn(2)) yield* all(chunks);
		closes = [call(w, t, anchor, { kind: "close", anchor })];
	}
	const answers = yield* all([...chunks, ...closes]);
	const prepared = answers.slice(0, chunks.length);
	const isReady =
		prepared.every(({ kind }) => kind === "prepared") &&
		closes.every((c) => c.answer!.kind === "done");
	if (!isReady) return yield* abandon(w, t);
	const keys = keysWhere(t.sent, (value) => value !== 0);
	const c = yield* issued(w, t);
	if (yield* decide(w, t, keys, prepared, c)) w.counts.large++;
}
