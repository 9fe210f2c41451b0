/**
 * The oracle: two members of the placement group, whose log is reduced to its last committed ceiling. An old leader does not
 * know that another one was elected.
 */
import { type OracleMessage, post, send } from "./messages.ts";
import { type OracleMember, type Site, ticksPerMs, type Wait, type World } from "./state.ts";

/** A ceiling lies between these milliseconds ahead of the counter. */
const aheadMs = { least: 6, most: 20 };
/** A new one is proposed when less is left. */
const lowMs = 2;

/** Calls `issued` with a timestamp that is drawn from now on. */
export function issue(w: World, site: Site, issued: (timestamp: number) => void): void {
	site.waits.push({ done: false, issued });
	askOracle(w, site);
}

/** One request for all that wait at the site. */
export function askOracle(w: World, site: Site): void {
	const waits = site.waits.filter((wait) => !wait.done);
	site.waits = waits;
	if (waits.length === 0) return;
	const { members, leader } = w.oracle;
	const member = members[w.random.permille(w.weather.astray) ? 1 - leader : leader]!;
	send(w, { kind: "oracle-request", member, site, waits: [...waits] });
}

export function handleOracle(w: World, m: OracleMessage): void {
	switch (m.kind) {
		case "oracle-request":
			requested(w, m);
			return;
		case "oracle-round":
			roundEnded(w, m);
			return;
		case "oracle-confirmed":
			confirmed(w, m);
			return;
		case "oracle-answer":
			answered(w, m);
			return;
		case "oracle-entry":
			entryCommitted(w, m);
			return;
	}
}

/** O1: the quorum round begins after the request has arrived. */
function requested(w: World, m: Extract<OracleMessage, { kind: "oracle-request" }>): void {
	const { member, site, waits } = m;
	if (!member.isReady) return;
	const { term } = member;
	const skipsRound =
		w.without === "O1.round" || (w.without === "O1.begun" && w.step < member.confirmedAt + 200);
	post(w, { kind: skipsRound ? "oracle-confirmed" : "oracle-round", member, term, site, waits });
}

/** A quorum has been asked. Whoever does not lead any more learns it. */
function roundEnded(w: World, m: Extract<OracleMessage, { kind: "oracle-round" }>): void {
	const { member, term, site, waits } = m;
	if (member.term !== term) return;
	if (term !== w.oracle.term) {
		member.term = 0;
		member.isReady = false;
		return;
	}
	member.confirmedAt = w.step;
	post(w, { kind: "oracle-confirmed", member, term, site, waits });
}

function confirmed(w: World, m: Extract<OracleMessage, { kind: "oracle-confirmed" }>): void {
	const { member, term, site, waits } = m;
	if (member.term !== term || !member.isReady) return;
	const first = draw(w, member, waits.length);
	if (first === undefined) {
		// The ceiling is being raised.
		post(w, m);
		return;
	}
	send(w, { kind: "oracle-answer", first, site, waits });
}

/** O3: an answer serves the waits that it was sent for, each once. */
function answered(w: World, m: Extract<OracleMessage, { kind: "oracle-answer" }>): void {
	const served: readonly Wait[] =
		w.without === "O3.sent" ? m.site.waits.filter((wait) => !wait.done) : m.waits;
	const count = Math.min(served.length, m.waits.length);
	for (let i = 0; i < count; i++) {
		const wait = served[i]!;
		if (wait.done) continue;
		wait.done = true;
		const timestamp = m.first + i;
		if (timestamp > m.site.seen) m.site.seen = timestamp;
		wait.issued(timestamp);
	}
}

/** O2: below the ceiling, or not at all. */
function draw(w: World, member: OracleMember, count: number): number | undefined {
	const first = Math.max(member.next, member.clock);
	if (member.ceiling - first < lowMs * ticksPerMs) raiseCeiling(w, member, first);
	if (first + count > member.ceiling) return undefined;
	member.next = first + count;
	return first;
}

function raiseCeiling(w: World, member: OracleMember, from: number): void {
	if (member.isRaising) return;
	member.isRaising = true;
	const ms = aheadMs.least + w.random.below(aheadMs.most - aheadMs.least);
	const ceiling = from + ms * ticksPerMs;
	if (w.without === "O2.applied") member.ceiling = ceiling;
	send(w, { kind: "oracle-entry", member, term: member.term, ceiling });
}

function entryCommitted(w: World, m: Extract<OracleMessage, { kind: "oracle-entry" }>): void {
	const { oracle } = w;
	const { member, term, ceiling } = m;
	if (term !== oracle.term) {
		// The new leader may have found the old one's entry in its log, but not after one of its own.
		if (term === oracle.term - 1 && !oracle.isSettled && w.random.oneIn(2)) {
			oracle.ceiling = Math.max(oracle.ceiling, ceiling);
		}
		return;
	}
	oracle.ceiling = Math.max(oracle.ceiling, ceiling);
	if (member.term !== term) return;
	member.isRaising = false;
	if (!member.isReady) becomeReady(w, member);
	if (oracle.ceiling > member.ceiling) member.ceiling = oracle.ceiling;
}

/** O2: everything that an earlier leader handed out is below the ceiling applied by now. */
function becomeReady(w: World, member: OracleMember): void {
	const { oracle } = w;
	oracle.isSettled = true;
	member.isReady = true;
	member.ceiling = oracle.ceiling;
	if (w.without === "O2.above") return;
	member.next = Math.max(member.next, oracle.ceiling + 1);
	member.clock = Math.max(member.clock, oracle.ceiling);
}

/** Another leader; the old one does not hear of it. */
export function elect(w: World): void {
	const { oracle } = w;
	w.counts.elections++;
	oracle.term++;
	oracle.leader = 1 - oracle.leader;
	oracle.isSettled = false;
	const member = oracle.members[oracle.leader]!;
	member.term = oracle.term;
	member.isReady = false;
	member.isRaising = false;
	w.trace?.push(`${w.step}: oracle: member ${oracle.leader} leads in term ${oracle.term}`);
	post(w, { kind: "oracle-entry", member, term: oracle.term, ceiling: 0 });
}

/** O4: each member's clock goes on with real time, more or less. */
export function passTime(w: World): void {
	for (const member of w.oracle.members) {
		// A ceiling entry may have been lost.
		if (w.random.oneIn(4)) member.isRaising = false;
		// Clocks of different machines have nothing to do with each other: who does not lead is left behind.
		if (w.without === "O4.clock" || member.term === 0) continue;
		member.clock += (1 + w.random.below(w.weather.paceMs)) * (ticksPerMs / 2);
	}
}
