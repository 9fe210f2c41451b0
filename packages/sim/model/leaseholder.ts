/** A replica takes a gateway's request, and serves it if it holds the lease. */
import { acquire, holds, propose } from "./lease.ts";
import { answer, type Body, notLeaseholder, type Request, reply, wait } from "./messages.ts";
import { hot, onePhase } from "./one-phase.ts";
import { close, prepare } from "./prepare.ts";
import { newest, read } from "./reads.ts";
import { observe, type Replica, type World } from "./state.ts";
import type { Call } from "./transaction.ts";
import { validateLater } from "./validation.ts";

type Of<K extends Body["kind"]> = Extract<Body, { kind: K }>;

export function serve(w: World, m: Request): void {
	const { call } = m;
	const r = w.ranges[call.range]!.replicas[m.node]!;
	observe(r, m.seen);
	if (!holds(w, r)) {
		if (w.random.oneIn(2)) acquire(w, r);
		reply(w, call, notLeaseholder);
		return;
	}
	const { body } = call;
	switch (body.kind) {
		case "read":
			read(w, r, call, body);
			return;
		case "newest":
			wait(w, r, () => newest(w, r, call, body.key));
			return;
		case "prepare":
			prepare(w, r, call, body);
			return;
		case "close":
			close(w, r, call, body);
			return;
		case "validate":
			validateLater(w, r, call, body);
			return;
		case "one-phase":
			onePhase(w, r, call, body);
			return;
		case "hot":
			hot(w, r, call, body);
			return;
		case "commit":
			commit(w, r, call, body);
			return;
		case "abort":
			abort(w, r, call, body);
			return;
		case "issue":
			return;
	}
}

function commit(w: World, r: Replica, call: Call, body: Of<"commit">): void {
	const { id: transaction, begin } = call.transaction;
	const { anchor, c, keys } = body;
	propose(w, r, { kind: "commit", transaction, begin, anchor, c, keys }, (result) =>
		reply(w, call, result),
	);
	if (w.without === "step4.answer") reply(w, call, answer("committed", c));
}

function abort(w: World, r: Replica, call: Call, { anchor }: Of<"abort">): void {
	const { id: transaction, begin } = call.transaction;
	propose(w, r, { kind: "abort", transaction, begin, anchor }, (result) => reply(w, call, result));
}
