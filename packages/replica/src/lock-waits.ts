/**
 * Who waits at the leaseholders of a node for writes of others: pending ones and intents. With the queues of the lock table these are all
 * the waits that a deadlock can be made of, and that people are shown.
 */
import type { LockOwner, RangeId, TransactionId } from "@quorate/keys/ids";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Blocker } from "./blockers.ts";
import type { ReplicaCore } from "./core.ts";
import type { Victim, WaitEdge, WaitEnd } from "./wait-edge.ts";

/** For whom a request waits. Somebody for whom nobody can wait, having locked and prepared nothing, is in no cycle and needs no name. */
export interface WriteWaiter {
	readonly owner: LockOwner;
	/** Under which it has prepared something. */
	readonly transaction: TransactionId | null;
	/** Monotonic milliseconds when its request began to wait. */
	readonly since: number;
}

interface Wait {
	readonly replica: ReplicaCore;
	readonly waiter: WriteWaiter;
	readonly blocker: Blocker;
	readonly end: (how: WaitEnd) => void;
}

export class WriteWaits {
	readonly #waits = new Set<Wait>();

	add(wait: Wait): void {
		this.#waits.add(wait);
	}

	remove(wait: Wait): void {
		this.#waits.delete(wait);
	}

	/** The victim's wait fails. */
	failWait({ owner, key, since, detail }: Victim): void {
		const isIt = ({ waiter, blocker }: Wait): boolean =>
			waiter.owner === owner && waiter.since === since && blocker.key === key;
		this.#end(isIt, { deadlock: detail });
	}

	/** They wait for nothing any more. */
	endWhere(over: (owner: LockOwner) => boolean): void {
		this.#end((w) => over(w.waiter.owner), "ended");
	}

	/** Each with the range that it is in. */
	*all(): Generator<{ readonly rangeId: RangeId; readonly edge: WaitEdge }> {
		for (const { replica, waiter, blocker } of this.#waits) {
			const { owner, transaction, since } = waiter;
			const { key, transaction: of } = blocker;
			const edge = { waiter: owner, transaction, holder: null, of, key, strength: null, since };
			yield { rangeId: replica.state.descriptor.rangeId, edge };
		}
	}

	#end(which: (wait: Wait) => boolean, how: WaitEnd): void {
		for (const wait of [...this.#waits]) {
			if (which(wait)) {
				wait.end(how);
			}
		}
	}
}

export function writeWaiter(
	r: ReplicaCore,
	owner: LockOwner | null | undefined,
	transaction: TransactionId | null | undefined,
): WriteWaiter | undefined {
	if (owner == null) {
		return undefined;
	}
	const since = r.context.runtime.clock.monotonicMs();
	return { owner, transaction: transaction ?? null, since };
}

/**
 * Waits until something about the blocker's transaction changes, or the wait has to end. `s`: of a read or validation, which also
 * wants to know that the transaction commits above it; 0 for others. `stop` is given what ends the wait early.
 */
export function waitForWrite(
	r: ReplicaCore,
	blocker: Blocker,
	waiter: WriteWaiter | undefined,
	s: Timestamp,
	stop?: (end: () => void) => void,
): Promise<WaitEnd> {
	return new Promise((resolve) => {
		const end = (how: WaitEnd): void => {
			leave();
			if (wait !== undefined) {
				r.context.writeWaits.remove(wait);
			}
			resolve(how);
		};
		const wait: Wait | undefined = waiter && { replica: r, waiter, blocker, end };
		const leave = r.blockers.watch(blocker, () => end("changed"), s);
		if (wait !== undefined) {
			r.context.writeWaits.add(wait);
		}
		stop?.(() => end("timeout"));
	});
}
