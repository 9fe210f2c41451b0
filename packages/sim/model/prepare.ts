/** Step 1: a prepare is accepted in one tick, is pending, is replicated, is answered. And the word of a large transaction. */
import { local, newestChange } from "./apply.ts";
import { foreignClaim, inquire } from "./claims.ts";
import { extend, propose } from "./lease.ts";
import { answer, type Body, refused, reply, type Write } from "./messages.ts";
import { closed, type Replica, type World } from "./state.ts";
import type { Call } from "./transaction.ts";

type Of<K extends Body["kind"]> = Extract<Body, { kind: K }>;

/** Step 1, in the tick of acceptance. */
export function mayAccept(
	w: World,
	r: Replica,
	transaction: number,
	writes: readonly Write[],
): boolean {
	for (const { key, since } of writes) {
		const claim = foreignClaim(r, key, transaction);
		if (claim !== undefined && w.without !== "step1.foreign") {
			inquire(w, r, claim, 0);
			return false;
		}
		if (since >= 0 && newestChange(r, key) > since && w.without !== "step1.since") return false;
	}
	return true;
}

/** The highest issued timestamp that it has seen, and at least the range's last commit. */
export function preparePoint(w: World, r: Replica): number {
	return w.without === "step1.last" ? r.seen : Math.max(r.seen, r.lastCommit);
}

export function prepare(w: World, r: Replica, call: Call, body: Of<"prepare">): void {
	const { id: transaction, begin } = call.transaction;
	const { writes, anchor } = body;
	// Without numbers every chunk is like the first.
	const chunk = w.without === "large.chunk" ? 1 : body.chunk;
	if (isCopy(w, r, call, chunk, writes)) return;
	if (!mayAccept(w, r, transaction, writes)) {
		reply(w, call, refused);
		return;
	}
	const p = preparePoint(w, r);
	open(r, transaction, body);
	const command = { kind: "prepare", transaction, begin, p, anchor, chunk, writes } as const;
	const number = propose(w, r, command, (result) => reply(w, call, result));
	const { sequence } = r.lease;
	for (const { key, value, mark } of writes) {
		const intent = r.intents[local(key)];
		if (intent?.transaction === transaction && intent.chunk >= chunk) continue;
		const first = intent === undefined ? p : Math.min(p, intent.p);
		r.pending.push({
			transaction,
			key,
			p: first,
			value,
			mark,
			chunk,
			anchor,
			begin,
			sequence,
			number,
			onePhase: false,
			c: 0,
		});
	}
	w.trace?.push(
		`${w.step}: range ${r.range}, node ${r.node}: transaction ${transaction} is pending on ${writes.map(({ key }) => key)}, p ${p}`,
	);
	if (w.without === "step1.answer") reply(w, call, answer("prepared", p));
}

/** A copy that finds its own writes changes nothing and answers the first p. */
function isCopy(
	w: World,
	r: Replica,
	call: Call,
	chunk: number,
	writes: readonly Write[],
): boolean {
	const { id } = call.transaction;
	let p = 0;
	let found = 0;
	for (const { key } of writes) {
		const pending = r.pending.some(
			(x) => x.key === key && x.transaction === id && x.chunk >= chunk,
		);
		if (pending && w.without !== "large.chunk") {
			// The first send will be answered, unless its proposal was lost.
			if (w.without !== "L4.extension") extend(w, r, 0);
			return true;
		}
		const intent = r.intents[local(key)];
		if (intent?.transaction === id && intent.chunk >= chunk) {
			found++;
			if (intent.p > p) p = intent.p;
		}
	}
	if (found < writes.length || w.without === "large.chunk") return false;
	reply(w, call, answer("prepared", p));
	return true;
}

/** Whose accept first made the anchor's key pending may say that the transaction is open, under this lease. */
function open(r: Replica, transaction: number, { opens, anchor, writes }: Of<"prepare">): void {
	if (!opens || r.opened[transaction] !== 0) return;
	if (!writes.some(({ key }) => key === anchor)) return;
	const isThere =
		r.intents[local(anchor)]?.transaction === transaction ||
		r.pending.some((p) => p.key === anchor && p.transaction === transaction);
	if (!isThere) r.opened[transaction] = r.lease.sequence;
}

/** The word that a large transaction closes: from now on nobody is told that c will be above anything. */
export function close(w: World, r: Replica, call: Call, { anchor }: Of<"close">): void {
	const { id } = call.transaction;
	if (r.intents[local(anchor)]?.transaction !== id) return;
	r.opened[id] = closed;
	reply(w, call, answer("done"));
}
