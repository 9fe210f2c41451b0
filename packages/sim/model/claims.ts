/** Claims of others on a key, pending or as intents, and what is known of their transactions: what readers wait for. */
import { local, newestChange, readAt } from "./apply.ts";
import { extend } from "./lease.ts";
import { send } from "./messages.ts";
import {
	type Claim,
	type Pending,
	type Replica,
	rangeOf,
	undecided,
	unknown,
	type World,
} from "./state.ts";

/** Adds the claims of others with p below `s`. */
export function addClaims(
	w: World,
	r: Replica,
	key: number,
	own: number,
	s: number,
	found: Claim[],
): void {
	const intent = r.intents[local(key)];
	if (intent !== undefined && intent.transaction !== own && intent.p < s) found.push(intent);
	if (w.without === "L4.pending") return;
	for (const p of r.pending) {
		if (p.key === key && p.transaction !== own && p.p < s) found.push(p);
	}
}

/** Whether someone other than `own` is writing the key. */
export function foreignClaim(r: Replica, key: number, own: number): Claim | undefined {
	const intent = r.intents[local(key)];
	if (intent !== undefined && intent.transaction !== own) return intent;
	return r.pending.find((p) => p.key === key && p.transaction !== own);
}

export function pendingOf(r: Replica, key: number, transaction: number): Pending | undefined {
	let last: Pending | undefined;
	for (const p of r.pending) {
		if (p.key !== key || p.transaction !== transaction) continue;
		if (last === undefined || p.chunk > last.chunk) last = p;
	}
	return last;
}

/** True while the claim is there and its transaction undecided. */
export function stands(r: Replica, claim: Claim): boolean {
	const decision = r.decisions[claim.transaction]!;
	if (decision !== undecided && decision !== unknown) return false;
	const isIntent = r.intents[local(claim.key)]?.transaction === claim.transaction;
	return isIntent || pendingOf(r, claim.key, claim.transaction) !== undefined;
}

/**
 * What a read at `s` sees, once none of the claims stands. Hot rows: several of them may be decided and not applied here yet,
 * and the one with the highest c shows.
 */
export function valueAt(
	w: World,
	r: Replica,
	key: number,
	s: number,
	claims: readonly Claim[],
): number {
	let newest: { readonly c: number; readonly value: number } | undefined;
	for (const claim of claims) {
		const value = decidedValue(r, claim, s);
		if (value === undefined) continue;
		const c = r.decisions[claim.transaction]!;
		if (w.without === "hot.highest") return value;
		if (newest === undefined || c > newest.c) newest = { c, value };
	}
	return newest?.value ?? readAt(r, key, s);
}

/** The value of a decided claim that is still one, by the rule of Resolve; undefined where it does not show at `s`. */
function decidedValue(r: Replica, claim: Claim, s: number): number | undefined {
	const c = r.decisions[claim.transaction]!;
	if (c <= 0 || c > s || newestChange(r, claim.key) >= c) return undefined;
	const intent = r.intents[local(claim.key)];
	const pending = pendingOf(r, claim.key, claim.transaction);
	let here: Claim | undefined = pending;
	if (intent?.transaction === claim.transaction) {
		here = pending !== undefined && pending.chunk > intent.chunk ? pending : intent;
	}
	return here === undefined || here.mark || c <= here.p ? undefined : here.value;
}

/** T3: who waits asks the anchor. `s`: the timestamp of the read or validation; 0: it waits whatever c will be. */
export function inquire(w: World, r: Replica, claim: Claim, s: number): void {
	if (!w.random.oneIn(3)) return;
	const { transaction, begin, anchor, key } = claim;
	if (w.without !== "L4.extension" && pendingOf(r, key, transaction) !== undefined) {
		extend(w, r, s);
	}
	if (w.without === "T3.anchor" && w.random.oneIn(20)) {
		r.decisions[transaction] = 0;
		return;
	}
	const node = w.random.below(2);
	const from = r;
	send(w, {
		kind: "inquiry",
		from,
		boot: r.boot,
		node,
		transaction,
		begin,
		anchor,
		key,
		s,
	});
	w.trace?.push(
		`${w.step}: range ${r.range}, node ${r.node}: asks the anchor of transaction ${transaction}, key ${anchor} in range ${rangeOf(anchor)}`,
	);
}

/** T6: who began first is the older. */
export function isOlder(begin: number, id: number, begin2: number, id2: number): boolean {
	return begin === begin2 ? id < id2 : begin < begin2;
}
