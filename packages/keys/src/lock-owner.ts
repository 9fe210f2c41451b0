/**
 * Who owns in-memory locks: a transaction of a gateway, from its first statement on and across retries. The name says which boot
 * it belongs to, which client's session it is of, and when it began, so that whoever meets it can tell without asking.
 */
import { type BootId, type LockOwner, lockOwner } from "./ids.ts";
import type { Timestamp } from "./timestamp.ts";

/** `process`: the id by which the client's session is known cluster-wide, 0 for the node's own transactions. `counter` rises within a boot. */
export function makeLockOwner(
	boot: BootId,
	counter: number,
	process: number,
	begin: Timestamp,
): LockOwner {
	return lockOwner(`${boot}/${counter.toString(36)}/${process}/${begin.toString(36)}`);
}

export const ownerBoot = (owner: LockOwner): BootId => owner.slice(0, owner.indexOf("/")) as BootId;

/** 0: no client's session. */
export const ownerProcess = (owner: LockOwner): number => Number(owner.split("/")[2]);

/** The highest issued timestamp that its gateway knew when it began. */
export const ownerBegin = (owner: LockOwner): number =>
	Number.parseInt(owner.slice(owner.lastIndexOf("/") + 1), 36);

/** Deadlocks fail the youngest. A total order. */
export function isYounger(a: LockOwner, b: LockOwner): boolean {
	const [x, y] = [ownerBegin(a), ownerBegin(b)];
	return x === y ? a > b : x > y;
}
