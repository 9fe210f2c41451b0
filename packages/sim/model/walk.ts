/** One walk: a storm in which what happens next is drawn, then calm until everything has ended, then the checks. */
import { applyNext } from "./apply.ts";
import { answered, crashGateway, nudge } from "./calls.ts";
import { describeEnd, judge } from "./checker.ts";
import { addTransactions, start } from "./gateway.ts";
import { serve } from "./leaseholder.ts";
import type { Message } from "./messages.ts";
import type { MutationName } from "./mutations.ts";
import { elect, handleOracle, passTime } from "./oracle.ts";
import { inquired, learned, lookAround, resolve, resolved } from "./recovery.ts";
import { type Counts, crash, newWorld, type Replica, type World } from "./state.ts";

export interface WalkOptions {
	readonly seed: number;
	readonly walk: number;
	readonly without?: MutationName | undefined;
	readonly counts: Counts;
	/** Receives what happens, in words. */
	readonly trace?: string[] | undefined;
}

/** `standstill`: it did not end, though nothing was lost any more. */
export interface Failure {
	readonly kind: "anomaly" | "standstill";
	readonly what: string;
}

const stormSteps = 700;
/** Rounds of calm; what needs more has stopped making progress. */
const calmRounds = 400;

/** Undefined: nothing was wrong. */
export function walk(options: WalkOptions): Failure | undefined {
	const { seed, walk, without, trace, counts } = options;
	const w = newWorld({ seed, walk, without, trace, counts });
	addTransactions(w);
	while (w.step < stormSteps && (w.active.length > 0 || w.toStart > 0)) {
		w.step++;
		storm(w);
	}
	trace?.push(`${w.step}: the storm is over`);
	const failure = calm(w) ? failureOf(judge(w)) : standstill(w);
	for (const { outcome } of w.transactions) {
		if (outcome === "committed" || outcome === "aborted" || outcome === "unknown") {
			counts[outcome]++;
		}
	}
	trace?.push(...describeEnd(w));
	return w.problem === undefined ? failure : { kind: "anomaly", what: w.problem };
}

const failureOf = (what: string | undefined): Failure | undefined =>
	what === undefined ? undefined : { kind: "anomaly", what };

function standstill(w: World): Failure {
	const waiting = w.active.map((t) => {
		const kinds = t.calls.filter((c) => c.answer === undefined).map((c) => c.body.kind);
		return `transaction ${t.id} waits for ${kinds.join(", ")}`;
	});
	return { kind: "standstill", what: waiting.join("; ") || "intents are left" };
}

// ---- the storm

function storm(w: World): void {
	const { bag, random } = w;
	startDue(w);
	const x = random.below(bag.length + 3);
	if (x < bag.length) {
		const m = bag[x]!;
		bag[x] = bag[bag.length - 1]!;
		bag.pop();
		deliver(w, m);
	} else if (x === bag.length) {
		applySomewhere(w);
	} else if (x === bag.length + 1) {
		lookAround(w, replicaOf(w, random.below(4)));
	} else if (random.oneIn(2)) {
		passTime(w);
		if (w.active.length > 0) nudge(w, w.active[random.below(w.active.length)]!);
	} else if (random.permille(w.weather.faults)) {
		fault(w);
	} else if (w.late.length > 0 && random.oneIn(4)) {
		arriveLate(w);
	}
}

function startDue(w: World): void {
	if (w.toStart === 0 || w.step < w.nextStart) return;
	w.nextStart = Number.POSITIVE_INFINITY;
	for (const t of w.transactions) {
		if (t.outcome !== "waiting") continue;
		if (t.startsAt <= w.step) start(w, t);
		else w.nextStart = Math.min(w.nextStart, t.startsAt);
	}
}

/** One replica with something to apply goes on. */
function applySomewhere(w: World): void {
	const first = w.random.below(4);
	for (let i = 0; i < 4; i++) {
		const r = replicaOf(w, (first + i) & 3);
		if (r.lagsUntil > w.step || r.applied === w.ranges[r.range]!.log.length) continue;
		applyNext(w, r);
		return;
	}
}

const replicaOf = (w: World, x: number): Replica => w.ranges[x >> 1]!.replicas[x & 1]!;

function arriveLate(w: World): void {
	const { late } = w;
	const x = w.random.below(late.length);
	w.bag.push(late[x]!);
	late[x] = late[late.length - 1]!;
	late.pop();
}

function fault(w: World): void {
	const { random } = w;
	const { lags, elections, crashes } = w.weather;
	const x = random.below(lags + elections + crashes);
	if (x < lags) {
		const r = replicaOf(w, random.below(4));
		r.lagsUntil = w.step + 20 + random.below(300);
		w.trace?.push(`${w.step}: range ${r.range}, node ${r.node}: lags until ${r.lagsUntil}`);
	} else if (x < lags + elections) {
		elect(w);
	} else if (random.oneIn(4)) {
		crashGateway(w, random.below(2));
	} else {
		const r = replicaOf(w, random.below(4));
		w.trace?.push(`${w.step}: range ${r.range}, node ${r.node}: crashes`);
		crash(w, r);
	}
}

function deliver(w: World, m: Message): void {
	switch (m.kind) {
		case "request":
			serve(w, m);
			return;
		case "answer":
			answered(w, m.call, m.answer);
			return;
		case "waiting":
			if (m.replica.boot === m.boot && !m.look()) w.bag.push(m);
			return;
		case "proposal":
			w.ranges[m.range]!.log.push(m);
			return;
		case "inquiry":
			inquired(w, m);
			return;
		case "outcome":
			learned(w, m);
			return;
		case "resolve":
			resolve(w, m);
			return;
		case "resolved":
			resolved(m);
			return;
		default:
			handleOracle(w, m);
			return;
	}
}

// ---- the calm

/** In rounds: all that is under way arrives, all that is in the logs is applied. False: it does not end. */
function calm(w: World): boolean {
	w.isStormy = false;
	w.bag.push(...w.late);
	w.late.length = 0;
	for (let round = 0; round < calmRounds; round++) {
		w.step++;
		for (const t of w.transactions) {
			if (t.outcome === "waiting") start(w, t);
		}
		const { bag } = w;
		w.bag = [];
		for (const m of bag) deliver(w, m);
		let isDone = w.active.length === 0 && w.toStart === 0;
		for (const { log, replicas } of w.ranges) {
			for (const r of replicas) {
				while (r.applied < log.length) applyNext(w, r);
				if (r.intents[0] !== undefined || r.intents[1] !== undefined) isDone = false;
			}
		}
		// What is still under way may be another proposal.
		if (isDone && !w.bag.some((m) => m.kind === "proposal" || m.kind === "request")) return true;
		for (const { replicas } of w.ranges) {
			for (const r of replicas) lookAround(w, r);
		}
		passTime(w);
		for (const t of [...w.active]) nudge(w, t);
	}
	return false;
}
