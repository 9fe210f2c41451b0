/** Leases of a range, seen from one replica: taking, extending, giving away. L1 and L2. */
import { type Command, type Proposal, send } from "./messages.ts";
import { issue } from "./oracle.ts";
import { type Replica, ticksPerMs, type World } from "./state.ts";

export function holds(w: World, r: Replica): boolean {
	const { lease } = r;
	return (
		lease.node === r.node &&
		(lease.boot === r.boot || w.without === "L2.boot") &&
		lease.sequence !== r.stopped
	);
}

/** Returns the command's number. `applied` is told what became of it where that is learned here. */
export function propose(
	w: World,
	r: Replica,
	command: Command,
	applied?: Proposal["applied"],
): number {
	const number = command.kind === "lease" ? 0 : ++r.number;
	const { range, boot, lease } = r;
	send(w, {
		kind: "proposal",
		range,
		sequence: lease.sequence,
		number,
		command,
		from: r,
		boot,
		applied,
	});
	return number;
}

function expiryAfter(w: World, timestamp: number): number {
	const ms = w.isStormy ? 1 + w.random.below(w.weather.leaseMs) : 60;
	return timestamp + ms * ticksPerMs;
}

/** L2: a lease starts at a fresh timestamp above the expiry of the one that it replaces. */
export function acquire(w: World, r: Replica): void {
	if (r.isAcquiring || holds(w, r)) return;
	// Only a Raft leader takes a lease: when all is calm, the holder leads if it lives.
	if (!w.isStormy && holds(w, w.ranges[r.range]!.replicas[r.lease.node]!)) return;
	r.isAcquiring = true;
	const { boot } = r;
	issue(w, r, (start) => {
		if (r.boot !== boot) return;
		r.isAcquiring = false;
		if (holds(w, r) || (start <= r.lease.expiry && w.without !== "L2.start")) return;
		const { node } = r;
		const expiry = expiryAfter(w, start);
		propose(w, r, { kind: "lease", replaces: r.lease.sequence, node, boot, start, expiry });
	});
}

/** L1: an expiry that covers `s`. Also settles the fate of proposals with lower numbers (L4). */
export function extend(w: World, r: Replica, s: number): void {
	if (!holds(w, r)) return;
	if (r.isExtending && !w.random.oneIn(6)) return;
	r.isExtending = true;
	// From what was issued, not from the last expiry: else each extension would add to it, and a dead holder's lease never lapse.
	const expiry = Math.max(expiryAfter(w, Math.max(r.seen, s)), r.lease.expiry);
	propose(w, r, { kind: "extend", expiry });
}

/** L1. `undefined`: not yet. */
export function covers(w: World, r: Replica, s: number): boolean | undefined {
	if (!holds(w, r)) return false;
	if (s <= r.lease.expiry) return true;
	extend(w, r, s);
	return w.random.oneIn(8) ? false : undefined;
}

/** L2: it stops serving, then draws the timestamp to which its expiry is lowered, then proposes. */
export function transfer(w: World, r: Replica): void {
	const { sequence } = r.lease;
	const { boot } = r;
	if (w.without !== "L2.stop") r.stopped = sequence;
	w.trace?.push(`${w.step}: range ${r.range}: node ${r.node} gives its lease away`);
	issue(w, r, (t) => {
		if (r.boot !== boot || r.lease.sequence !== sequence) return;
		const to = w.ranges[r.range]!.replicas[1 - r.node]!;
		const expiry = expiryAfter(w, t);
		w.counts.transfers++;
		propose(w, r, { kind: "transfer", node: to.node, boot: to.boot, t, expiry });
	});
}
