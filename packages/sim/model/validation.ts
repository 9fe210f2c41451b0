/** Step 3: what was read would read the same at c. */
import { local } from "./apply.ts";
import { addClaims, inquire, isOlder, valueAt } from "./claims.ts";
import { covers, holds } from "./lease.ts";
import {
	type Answer,
	answer,
	type Body,
	type Item,
	type Named,
	notLeaseholder,
	refused,
	reply,
	wait,
} from "./messages.ts";
import {
	aborted,
	type Claim,
	observe,
	type Replica,
	undecided,
	unknown,
	type World,
} from "./state.ts";
import type { Call } from "./transaction.ts";

const valid = answer("done");

export function validateLater(
	w: World,
	r: Replica,
	call: Call,
	{ items, c }: Extract<Body, { kind: "validate" }>,
): void {
	observe(r, c);
	const { transaction } = call;
	// Before its first prepare nothing of it is pending: then nobody waits for it (T6).
	const begin = transaction.mayCommit ? transaction.begin : 0;
	wait(w, r, () => {
		if (call.answer !== undefined) return true;
		const verdict = validate(w, r, transaction.id, begin, items, c, []);
		if (verdict === undefined) return false;
		reply(w, call, verdict);
		return true;
	});
}

/**
 * One look; undefined: it must wait. `begin`: of a transaction that has something pending, else 0. `names`: pending values that
 * it has read, and that are no obstacle.
 */
export function validate(
	w: World,
	r: Replica,
	own: number,
	begin: number,
	items: readonly Item[],
	c: number,
	names: readonly Named[],
): Answer | undefined {
	if (items.length === 0) return valid;
	const covered = w.without === "L1.validate" ? holds(w, r) : covers(w, r, c);
	if (covered === undefined) return undefined;
	if (!covered) return notLeaseholder;
	for (const item of items) {
		if (isChanged(r, item, c)) return refused;
	}
	if (w.without !== "step3.foreign") {
		const verdict = judgeClaims(w, r, own, begin, items, c, names);
		if (verdict !== valid) return verdict;
	}
	for (const { key } of items) {
		if (!names.some((named) => named.key === key)) noteValid(w, r, key, own, c);
	}
	return valid;
}

/** As if the key had been read at c. */
function noteValid(w: World, r: Replica, key: number, own: number, c: number): void {
	const claims: Claim[] = [];
	addClaims(w, r, key, own, c, claims);
	w.served.push(key, c, valueAt(w, r, key, c, claims), own);
}

function isChanged(r: Replica, { key, since }: Item, c: number): boolean {
	return r.versions[local(key)]!.some(({ ts }) => ts > since && ts <= c);
}

function judgeClaims(
	w: World,
	r: Replica,
	own: number,
	begin: number,
	items: readonly Item[],
	c: number,
	names: readonly Named[],
): Answer | undefined {
	let mustWait = false;
	for (const { key, since } of items) {
		const found: Claim[] = [];
		addClaims(w, r, key, own, c, found);
		for (const claim of found) {
			const { transaction } = claim;
			if (names.some((named) => named.key === key && named.transaction === transaction)) continue;
			if (r.above[transaction]! >= c) continue;
			const decision = r.decisions[transaction]!;
			if (decision === aborted || decision > c) continue;
			if (decision !== undecided && decision !== unknown) {
				if (decision > since) return refused;
				continue;
			}
			const isYounger = begin > 0 && isOlder(claim.begin, transaction, begin, own);
			if (isYounger && w.without !== "T6.commit") return refused;
			inquire(w, r, claim, c);
			mustWait = true;
		}
	}
	return mustWait ? undefined : valid;
}
