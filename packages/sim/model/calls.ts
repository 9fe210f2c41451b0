/** How a gateway asks: a call is sent, sent again, or given up; its coordinator goes on when all its calls are answered. */
import { type Answer, answer, type Body, send } from "./messages.ts";
import { askOracle, issue } from "./oracle.ts";
import { rangeOf, type World } from "./state.ts";
import { type Call, type Doing, end, type Transaction } from "./transaction.ts";

export function call(w: World, transaction: Transaction, key: number, body: Body): Call {
	const c: Call = {
		transaction,
		range: rangeOf(key),
		body,
		answer: undefined,
		sentAt: w.step,
		sends: 0,
	};
	if (body.kind === "issue") {
		issue(w, transaction.gateway, (timestamp) => finish(w, c, answer("issued", timestamp)));
	} else {
		sendCall(w, c);
	}
	return c;
}

/** What a leaseholder asks on behalf of a transaction, by itself: whether its gateway lives does not matter. */
export function errand(w: World, of: Transaction, key: number, body: Body): Call {
	const gateway = { ...of.gateway, waits: [], leaseholders: [...of.gateway.leaseholders] };
	const transaction: Transaction = { ...of, gateway, isOver: false, calls: [nobodys] };
	return call(w, transaction, key, body);
}

/** Sends it again where no answer came. */
export function urge(w: World, c: Call): void {
	if (c.answer === undefined && w.step - c.sentAt >= patienceOf(w)) sendCall(w, c);
}

function sendCall(w: World, c: Call): void {
	const { gateway } = c.transaction;
	const node = w.random.permille(w.weather.astray)
		? w.random.below(2)
		: gateway.leaseholders[c.range]!;
	c.sends++;
	c.sentAt = w.step;
	send(w, { kind: "request", node, call: c, seen: gateway.seen });
}

export function answered(w: World, c: Call, a: Answer): void {
	if (c.answer !== undefined || c.transaction.isOver) return;
	if (a.kind === "not-leaseholder") {
		// Nothing was done, so it may be sent again, whatever it is.
		c.sends--;
		c.transaction.gateway.leaseholders[c.range] = w.random.below(2);
		if (w.random.oneIn(2)) sendCall(w, c);
		else c.sentAt = -patienceSteps;
		return;
	}
	finish(w, c, a);
}

function finish(w: World, c: Call, a: Answer): void {
	if (c.answer !== undefined) return;
	c.answer = a;
	const t = c.transaction;
	if (t.isOver || t.calls.some((other) => other.answer === undefined)) return;
	resume(w, t);
}

export function resume(w: World, t: Transaction): void {
	for (;;) {
		const next = t.steps!.next();
		if (next.done === true) {
			t.isOver = true;
			w.active = w.active.filter((other) => other !== t);
			return;
		}
		t.calls = next.value;
		if (t.calls.some((c) => c.answer === undefined)) return;
	}
}

const lost = answer("lost");

/** After so many steps a gateway does something about a call. */
const patienceSteps = 50;

const patienceOf = (w: World): number => (w.isStormy ? patienceSteps : 6);

/** Never answered, so that no answer to an errand wakes a coordinator. */
const nobodys = { answer: undefined } as Call;

/** Looks at calls that are not answered: they are sent again, or given up. */
export function nudge(w: World, t: Transaction): void {
	const patience = patienceOf(w);
	for (const c of t.calls) {
		if (c.answer !== undefined || w.step - c.sentAt < patience) continue;
		if (c.body.kind === "issue") {
			c.sentAt = w.step;
			askOracle(w, t.gateway);
		} else if (w.random.permille(givesUp(w, c))) {
			finish(w, c, lost);
			return;
		} else {
			sendCall(w, c);
		}
	}
}

/** Of 1,000: what is not answered because somebody waits must not be given up, or no run would ever stand still (T6). */
function givesUp(w: World, { body }: Call): number {
	switch (body.kind) {
		case "one-phase":
		case "hot":
			return w.isStormy ? 600 : 1_000;
		case "close":
			// The anchor's intent may never come.
			return w.isStormy ? 150 : 500;
		case "prepare":
		case "commit":
			return w.isStormy ? 150 : 0;
		case "read":
		case "newest":
		case "validate":
			return w.isStormy ? 60 : 0;
		case "abort":
		case "issue":
			return 0;
	}
}

/** The gateway's machine crashes: its clients learn nothing more. */
export function crashGateway(w: World, index: number): void {
	const gateway = w.gateways[index]!;
	w.counts.crashes++;
	gateway.waits = [];
	gateway.seen = 0;
	for (const t of w.active) {
		if (t.gateway !== gateway) continue;
		t.isOver = true;
		end(t, t.mayCommit ? "unknown" : "aborted", w.step);
		w.trace?.push(`${w.step}: the gateway of transaction ${t.id} crashes`);
	}
	w.active = w.active.filter((t) => !t.isOver);
}

export function* issued(w: World, t: Transaction): Doing<number> {
	const [c] = yield* all([call(w, t, 0, { kind: "issue" })]);
	return c!.ts;
}

export function* all(calls: readonly Call[]): Doing<readonly Answer[]> {
	yield calls;
	return calls.map((c) => c.answer!);
}

export function byRange(keys: readonly number[]): number[][] {
	const parts: number[][] = [];
	for (const key of keys) {
		const part = parts.find((other) => rangeOf(other[0]!) === rangeOf(key));
		if (part === undefined) parts.push([key]);
		else part.push(key);
	}
	return parts;
}
