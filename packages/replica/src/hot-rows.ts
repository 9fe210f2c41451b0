/**
 * Hot rows: whoever updates a row, and shows nobody what was in it, need not wait until the update before is durable. It is given
 * the value that is pending, builds on it, and commits behind it; many such writes of a row go through one oracle call and one Raft round.
 *
 * 1. Only on a one-phase commit of this lease that nothing but a lost lease can stop: it validates nothing more, or was proposed.
 * 2. The writes of who builds become pending after those it builds on, so its c is drawn later, and its entry comes later in the log.
 * 3. The entry names each pending value that was read, by its key and c. It applies only if the newest change of that key is
 *    at exactly that c: what was built on something that never came to be never comes to be either.
 * 4. Who builds tells its client of nothing but rows written until its own entry has applied. Whatever else is to be concluded (an error,
 *    no row to write, another read, a Prepare of the key) is concluded only after the value has been read again as a committed one.
 * 5. What it has read before is locked, or validated at its c: so it agrees with what it builds on, of which c is not known yet. Of the very key
 *    it has read nothing before. A write that is built on nothing still minds what is pending, unless it is blind.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { newestChange } from "@quorate/storage/versions";
import type { PendingRead } from "./commands.ts";
import type { ReplicaCore } from "./core.ts";
import type { PendingGroup } from "./pending-writes.ts";
import type { LockedValue, RequestedWrite } from "./requests.ts";

/** The value that the key will have, for a transaction that may build on it; undefined: it has to wait. */
export function pendingValue(r: ReplicaCore, k: Key): LockedValue | undefined {
	const pending = r.pending.on(k);
	const last = pending.at(-1);
	if (last === undefined || r.blockers.intent(r.context.engine, k) !== undefined) {
		return undefined;
	}
	const { sequence } = r.state.lease;
	const isSound = ({ group }: { readonly group: PendingGroup }): boolean =>
		group.onePhase && group.sequence === sequence && (group.number > 0 || !group.validates);
	if (!pending.every(isSound)) {
		return undefined;
	}
	const none = 0 as Timestamp;
	const { group, write } = last;
	return { key: k, value: write.value, ts: none, since: none, after: group.transaction };
}

/** What the writes of one request are built on. */
export type Bases = ReadonlyMap<Key, PendingGroup>;

/**
 * Finds what is still pending of what the writes were built on; what has committed meanwhile needs no more care. Undefined, and
 * the key: something else has become of it.
 */
export function findBases(
	r: ReplicaCore,
	writes: readonly RequestedWrite[],
): { readonly bases: Bases } | { readonly lost: Key } {
	const bases = new Map<Key, PendingGroup>();
	for (const { key, after } of writes) {
		if (after === undefined) {
			continue;
		}
		const last = r.pending.on(key).at(-1)?.group;
		if (last !== undefined && last.transaction === after) {
			bases.set(key, last);
		} else if (last !== undefined || !isNewest(r, key, after)) {
			return { lost: key };
		}
	}
	return { bases };
}

/** The newest change of the key is the committed transaction's. */
function isNewest(r: ReplicaCore, key: Key, transaction: TransactionId): boolean {
	const decision = r.blockers.decision(transaction);
	return (
		decision !== undefined &&
		decision !== "unknown" &&
		decision.c > 0 &&
		newestChange(r.context.engine, key) === decision.c
	);
}

/** Transactions whose pending writes come before what is built on the bases in any case. */
export function allBelow(bases: Bases): ReadonlySet<TransactionId> {
	const below = new Set<TransactionId>();
	const look = [...bases.values()];
	for (let group = look.pop(); group !== undefined; group = look.pop()) {
		if (!below.has(group.transaction)) {
			below.add(group.transaction);
			look.push(...group.builtOn.values());
		}
	}
	return below;
}

/** For the entry of a group that commits at `c`. Undefined: what it was built on was withdrawn, or not proposed before it. */
export function pendingReads(group: PendingGroup, c: Timestamp): PendingRead[] | undefined {
	const reads: PendingRead[] = [];
	for (const [key, base] of group.builtOn) {
		if (base.c === 0 || base.c >= c) {
			return undefined;
		}
		reads.push({ key, c: base.c });
	}
	return reads;
}
