/**
 * Splitting a range, at its leaseholder: by hand or by itself (`divisions.ts`), it is the same. One entry of the log cuts the range
 * in two (`apply.ts`); everything replicated about a key goes with the key. This file sees to what no log remembers.
 *
 * V1. A split fails no transaction. While it is proposed nothing new becomes pending here (the *gate*): what waits at the gate has not
 *     begun, and is routed again. What was accepted and not proposed is waited for, for a while, so that it is in the log before the
 *     split; what is proposed after it all the same is refused whole (L3), and its sender begins anew.
 * V2. Locks go with their keys, to the replica of the right side on the same node: it inherits the lease, and with it what is kept under
 *     the lease. Whoever waits for a lock of the right side asks again there. A lock that is released between the two is released.
 * V3. The right side knows of its transactions what the left knew: which coordinators were heard, which large transactions are open.
 * V4. Whoever asks with the range as it was is told of both sides: the directory may know less for a moment.
 */
import { assert } from "@quorate/keys/assert";
import type { RangeId, ReplicaId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import { leaseMs } from "./context.ts";
import type { ReplicaCore } from "./core.ts";
import type { Inquiries } from "./inquiries.ts";
import type { LockTable } from "./lock-table.ts";
import type { RangeSize } from "./range-size.ts";
import type { RangeAnswer, RangeRequestBody } from "./requests.ts";

/** What the right side takes over from the memory of the left, on the same node. */
export interface Inheritance {
	readonly locks: LockTable;
	readonly inquiries: Inquiries;
	readonly size: RangeSize;
}

export type SplitReason = "hand" | "size" | "load";

/** For how long a split waits for writes that were accepted and are not proposed: their validation may wait for others. */
const drainMs = 500;

/** Whether writes may become pending. */
export class WriteGate {
	#opens: Promise<void> | undefined;

	/** Settles when it is open again; undefined: it is. */
	waitFor(body: RangeRequestBody): Promise<void> | undefined {
		const writes =
			body.kind === "prepare" || body.kind === "one-phase" || body.kind === "take-back";
		const closes = body.kind === "split" || body.kind === "merge" || body.kind === "transfer-lease";
		return writes || closes ? this.#opens : undefined;
	}

	get isClosed(): boolean {
		return this.#opens !== undefined;
	}

	async closedDuring<T>(task: () => Promise<T>): Promise<T> {
		assert(this.#opens === undefined, "one split, merge or transfer at a time");
		let open: () => void = () => undefined;
		this.#opens = new Promise((resolve) => {
			open = resolve;
		});
		try {
			return await task();
		} finally {
			this.#opens = undefined;
			open();
		}
	}
}

/** Cuts the range at `at`. Answered once that is applied here. */
export async function split(
	r: ReplicaCore,
	gate: WriteGate,
	at: Key,
	reason: SplitReason,
): Promise<RangeAnswer> {
	const { descriptor } = r.state;
	if (at === descriptor.start) {
		return { kind: "done" };
	}
	const { version } = descriptor.epoch;
	const { length } = descriptor.replicas;
	const [range, first] = await Promise.all([
		r.context.allocate("range", 1),
		r.context.allocate("replica", length),
	]);
	const rangeId = range as RangeId;
	const replicaIds = Array.from({ length }, (_, i) => (first + i) as ReplicaId);
	if (gate.isClosed || r.state.descriptor.epoch.version !== version) {
		return r.stale();
	}
	const result = await gate.closedDuring(async () => {
		await drained(r);
		const byHand = reason === "hand";
		return r.propose({ kind: "split", at, rangeId, replicaIds, byHand }, version);
	});
	if (result?.kind !== "split") {
		return r.notLeaseholder();
	}
	const right = result.right.descriptor;
	r.context.splitDone(descriptor.rangeId, right, reason);
	return { kind: "split", left: r.state.descriptor, right };
}

/**
 * Resolves when all that was accepted is proposed, or after a while. What was accepted needs a timestamp, and has given its locks back:
 * whoever waits here gets one behind it. Rejects with 57P03 as long as none can be had: then nothing is to be cut or moved, for what would be
 * refused then comes behind whoever has got its locks.
 */
export async function drained({ context, pending }: ReplicaCore): Promise<void> {
	await context.timestamps.issue(leaseMs);
	let isOver = false;
	let wake: () => void = () => undefined;
	const over = new Promise<void>((resolve) => {
		wake = resolve;
	});
	const timer = context.runtime.scheduler.setTimer(drainMs, () => {
		isOver = true;
		wake();
	});
	while (pending.hasUnproposed && !isOver) {
		await Promise.race([pending.nextProposal(), over]);
	}
	timer.cancel();
}
