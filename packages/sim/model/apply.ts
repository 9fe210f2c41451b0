/** A replica applies an entry of its range's log: the same on both replicas. L2, L3 and L4 are judged here. */
import { type Answer, answer, type Command, type Named, type Proposal } from "./messages.ts";
import { keysPerRange, type Replica, rangeOf, type World } from "./state.ts";

type Of<K extends Command["kind"]> = Extract<Command, { kind: K }>;

const done = answer("done");
const abortedAnswer = answer("aborted");
const unknownAnswer = answer("unknown");
const refusedAnswer = answer("refused");
/** L3: it was not applied and never will be. */
const rejectedAnswer = answer("not-leaseholder");

export const local = (key: number): number => key % keysPerRange;

/** The time of the key's newest change. */
export function newestChange(r: Replica, key: number): number {
	let ts = 0;
	for (const v of r.versions[local(key)]!) {
		if (v.ts > ts) ts = v.ts;
	}
	return ts;
}

export function readAt(r: Replica, key: number, s: number): number {
	let ts = 0;
	let value = 0;
	for (const v of r.versions[local(key)]!) {
		if (v.ts <= s && v.ts > ts) {
			ts = v.ts;
			value = v.value;
		}
	}
	return value;
}

export function applyNext(w: World, r: Replica): void {
	const { log } = w.ranges[r.range]!;
	if (r.applied === log.length) return;
	const e = log[r.applied++]!;
	const { command } = e;
	if (command.kind === "lease") {
		const follows = command.replaces === r.lease.sequence || w.without === "L2.names";
		if (follows && (command.start > r.lease.expiry || w.without === "L2.start")) {
			beginLease(w, r, command.node, command.boot, command.expiry);
		}
		return;
	}
	const isAccepted =
		(e.sequence === r.lease.sequence || w.without === "L3.sequence") &&
		(e.number > r.lastNumber || w.without === "L3.number");
	w.trace?.push(
		`${w.step}: range ${r.range}, node ${r.node}: ${isAccepted ? "applies" : "rejects"} ${describe(e)}`,
	);
	let result = rejectedAnswer;
	if (isAccepted) {
		if (e.number > r.lastNumber) r.lastNumber = e.number;
		result = execute(w, r, command);
	}
	endPending(r, e, isAccepted);
	if (e.applied !== undefined && e.from === r && e.boot === r.boot) {
		const { applied } = e;
		e.applied = undefined;
		applied(result);
	}
}

/** L4: applied, rejected, or overtaken by a higher number of the same lease. */
function endPending(r: Replica, e: Proposal, isAccepted: boolean): void {
	if (r.pending.length === 0) return;
	r.pending = r.pending.filter(({ sequence, number }) => {
		const isPassed = number === e.number || (isAccepted && number < e.number);
		return !(sequence === e.sequence && number > 0 && isPassed);
	});
}

function beginLease(w: World, r: Replica, node: number, boot: number, expiry: number): void {
	const sequence = r.lease.sequence + 1;
	r.lease = { sequence, node, boot, expiry };
	r.lastNumber = 0;
	r.number = 0;
	r.isExtending = false;
	r.resolved.fill(0);
	// L4: what an older lease has not applied will never be.
	r.pending = r.pending.filter((p) => p.sequence >= sequence);
	w.counts.leases++;
	// The directory learns of it, and one of the gateways from there.
	if (node === r.node) w.gateways[w.random.below(2)]!.leaseholders[r.range] = node;
	w.trace?.push(
		`${w.step}: range ${r.range}, node ${r.node}: applies lease ${sequence} of node ${node}, boot ${boot}, up to ${expiry}`,
	);
}

function execute(w: World, r: Replica, c: Exclude<Command, { kind: "lease" }>): Answer {
	switch (c.kind) {
		case "extend":
			if (c.expiry > r.lease.expiry) r.lease = { ...r.lease, expiry: c.expiry };
			r.isExtending = false;
			return done;
		case "transfer":
			beginLease(w, r, c.node, c.boot, c.expiry);
			return done;
		case "prepare":
			return prepare(w, r, c);
		case "one-phase":
			return onePhase(w, r, c);
		case "commit":
			return commit(w, r, c);
		case "abort":
			return abort(w, r, c);
		case "resolve":
			resolveKey(w, r, c.transaction, c.key, c.c);
			return done;
		case "remove":
			return remove(w, r, c);
	}
}

function put(r: Replica, key: number, ts: number, value: number, writer: number): void {
	r.versions[local(key)]!.push({ ts, value, writer });
	if (ts > r.lastCommit) r.lastCommit = ts;
}

/** T3, T4: a transaction that is decided, or too old to tell, must not leave anything behind. */
function isDecided(w: World, r: Replica, transaction: number, begin: number): boolean {
	return (
		(r.tombstones[transaction] !== 0 && w.without !== "T3.met") ||
		(r.records[transaction] !== undefined && w.without !== "T3.decided") ||
		(begin <= r.horizon && w.without !== "T4.horizon")
	);
}

function prepare(w: World, r: Replica, c: Of<"prepare">): Answer {
	if (rangeOf(c.anchor) === r.range && isDecided(w, r, c.transaction, c.begin)) {
		return refusedAnswer;
	}
	let first = c.p;
	for (const { key, value, mark } of c.writes) {
		const present = r.intents[local(key)];
		let { p } = c;
		if (present !== undefined) {
			if (present.transaction !== c.transaction) {
				w.problem ??= `the intent of transaction ${present.transaction} on key ${key} was overwritten`;
			} else {
				p = Math.min(p, present.p);
				first = Math.min(first, p);
				if (present.chunk >= c.chunk && w.without !== "large.chunk") continue;
			}
		}
		const { transaction, begin, anchor, chunk } = c;
		r.intents[local(key)] = { transaction, key, p, value, mark, chunk, anchor, begin };
	}
	return answer("prepared", first);
}

function onePhase(w: World, r: Replica, c: Of<"one-phase">): Answer {
	const { transaction, begin } = c;
	if (r.tombstones[transaction] !== 0 && w.without !== "T3.met") return abortedAnswer;
	const record = r.records[transaction];
	if (record !== undefined) return answer("committed", record.c, record.values);
	if (begin <= r.horizon && w.without !== "T4.horizon") return unknownAnswer;
	for (const named of c.names) {
		if (!isAsNamed(w, r, named)) return refusedAnswer;
	}
	for (const { key, value } of c.writes) put(r, key, c.c, value, transaction);
	r.records[transaction] = {
		transaction,
		begin,
		c: c.c,
		keys: c.keys,
		onePhase: c.keys.length === 0 || w.without === "last.record",
		values: c.values,
	};
	return answer("committed", c.c, c.values);
}

/** The pending value that a hot row took must have become the newest one. */
function isAsNamed(w: World, r: Replica, { key, c }: Named): boolean {
	switch (w.without) {
		case "hot.name":
		case "hot.unproposed":
		case "hot.prepared":
			return true;
		default:
			return newestChange(r, key) === c;
	}
}

/** T3: decided here and nowhere else. */
function commit(w: World, r: Replica, c: Of<"commit">): Answer {
	const { transaction, begin, anchor, keys } = c;
	const record = r.records[transaction];
	if (record !== undefined) return answer("committed", record.c);
	const intent = r.intents[local(anchor)];
	if (intent?.transaction !== transaction && w.without !== "step4.intent") {
		if (r.tombstones[transaction] !== 0) return abortedAnswer;
		if (begin > r.horizon && w.without === undefined) {
			w.problem ??= `the commit of transaction ${transaction} found nothing above the horizon`;
		}
		return w.without === "T4.unknown" ? abortedAnswer : unknownAnswer;
	}
	if (intent !== undefined && c.c <= intent.p && w.without === undefined) {
		w.problem ??= `transaction ${transaction} commits at ${c.c}, not above p ${intent.p}`;
	}
	for (const key of keys) {
		const goesAlong = rangeOf(key) === r.range && w.weather.takesRange;
		if (key === anchor || goesAlong) resolveKey(w, r, transaction, key, c.c);
	}
	r.records[transaction] = { transaction, begin, c: c.c, keys, onePhase: false, values: [] };
	return answer("committed", c.c);
}

function abort(w: World, r: Replica, c: Of<"abort">): Answer {
	const { transaction, begin, anchor } = c;
	const record = r.records[transaction];
	if (record !== undefined && w.without !== "T3.record") {
		return answer("committed", record.c, record.values);
	}
	if (r.tombstones[transaction] !== 0) return abortedAnswer;
	const isHere = r.intents[local(anchor)]?.transaction === transaction;
	if (!isHere && begin <= r.horizon) {
		return w.without === "T4.unknown" ? abortedAnswer : unknownAnswer;
	}
	if (w.without !== "T3.tombstone" && (isHere || w.without !== "T3.early")) {
		r.tombstones[transaction] = begin;
		w.counts.tombstones++;
	}
	if (isHere) r.intents[local(anchor)] = undefined;
	return abortedAnswer;
}

/** Step 5: never refuses. A late copy of a prepare may have left an intent again, with a p at or above c. */
function resolveKey(w: World, r: Replica, transaction: number, key: number, c: number): void {
	const intent = r.intents[local(key)];
	if (intent?.transaction !== transaction) return;
	r.intents[local(key)] = undefined;
	if (c === 0) return;
	const shows = (c > intent.p && newestChange(r, key) < c) || w.without === "step5.rule";
	if (c > r.lastCommit) r.lastCommit = c;
	if (shows && !intent.mark) put(r, key, c, intent.value, transaction);
}

/** T4. */
function remove(w: World, r: Replica, { transaction }: Of<"remove">): Answer {
	const begin = r.records[transaction]?.begin ?? r.tombstones[transaction]!;
	if (begin === 0) return done;
	w.counts.removals++;
	r.records[transaction] = undefined;
	r.tombstones[transaction] = 0;
	if (begin > r.horizon) r.horizon = begin;
	return done;
}

function describe(e: Proposal): string {
	return `${e.command.kind} ${JSON.stringify(e.command, (k, v) => (k === "kind" ? undefined : v))} (lease ${e.sequence}, number ${e.number})`;
}
