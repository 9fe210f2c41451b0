/** Reads at a leaseholder: at a timestamp (T1, L1), or of the newest value. */
import { newestChange, readAt } from "./apply.ts";
import { addClaims, foreignClaim, inquire, isOlder, stands, valueAt } from "./claims.ts";
import { covers, holds } from "./lease.ts";
import { answer, type Body, notLeaseholder, refused, reply, wait } from "./messages.ts";
import type { Claim, Replica, World } from "./state.ts";
import type { Call } from "./transaction.ts";

type Read = Extract<Body, { kind: "read" }>;

export function read(w: World, r: Replica, call: Call, body: Read): void {
	wait(w, r, () => {
		if (call.answer !== undefined) return true;
		const covered = w.without === "L1.read" ? holds(w, r) : covers(w, r, body.s);
		if (covered === undefined) return false;
		if (covered) look(w, r, call, body);
		else reply(w, call, notLeaseholder);
		return true;
	});
}

/** One tick. A reader waits only for what this look has found; the rest stays as it was seen. */
function look(w: World, r: Replica, call: Call, { keys, s }: Read): void {
	const found: Claim[] = [];
	const own = call.transaction.id;
	for (const key of keys) addClaims(w, r, key, own, s, found);
	const values = keys.map((key) => readAt(r, key, s));
	if (found.length === 0) {
		served(w, call, keys, s, values);
		return;
	}
	w.counts.waited++;
	wait(w, r, () => {
		if (call.answer !== undefined) return true;
		for (const claim of found) {
			if (r.above[claim.transaction]! >= s || !stands(r, claim)) continue;
			inquire(w, r, claim, s);
			if (!waitsTooLong(w, call, claim)) return false;
			reply(w, call, refused);
			return true;
		}
		keys.forEach((key, i) => {
			const here = found.filter((claim) => claim.key === key);
			if (here.length > 0) values[i] = valueAt(w, r, key, s, here);
		});
		served(w, call, keys, s, values);
		return true;
	});
}

function served(
	w: World,
	call: Call,
	keys: readonly number[],
	s: number,
	values: readonly number[],
): void {
	keys.forEach((key, i) => {
		w.served.push(key, s, values[i]!, call.transaction.id);
	});
	reply(w, call, answer("values", s, values));
}

/** T6: whoever has something pending does not wait for an older transaction that is committing. */
function waitsTooLong(w: World, { transaction }: Call, claim: Claim): boolean {
	if (transaction.chunk === 0 || w.without === "T6.read") return false;
	return isOlder(claim.begin, claim.transaction, transaction.begin, transaction.id);
}

/** Waits for every claim of others, whatever its p. It looks anew each time: the commit validates what it saw. */
export function newest(w: World, r: Replica, call: Call, key: number): boolean {
	if (call.answer !== undefined) return true;
	if (!holds(w, r)) {
		reply(w, call, notLeaseholder);
		return true;
	}
	const claim = foreignClaim(r, key, call.transaction.id);
	if (claim !== undefined) {
		inquire(w, r, claim, 0);
		if (!waitsTooLong(w, call, claim)) return false;
		reply(w, call, refused);
		return true;
	}
	const ts = newestChange(r, key);
	const value = readAt(r, key, ts);
	// All that was issued by now, as far as the lease reaches: nothing comes to lie below it any more.
	const since = Math.max(ts, w.without === "L1.newest" ? r.seen : Math.min(r.seen, r.lease.expiry));
	w.served.push(key, since, value, call.transaction.id);
	reply(w, call, answer("values", ts, [value], since));
	return true;
}
