/**
 * Tells the anchors of transactions that are being committed that their coordinator lives (T3); of large ones also that c is not drawn
 * yet, so that it will be above every timestamp that was issued before. That is true whoever leads the anchor's range by then: readers go on
 * after its lease has moved.
 */
import type { RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Mutations } from "@quorate/keys/mutations";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { RangeRouter } from "./router.ts";

/** Several of them fit into the silence after which the anchor aborts, also if this node stands still for a while. */
const intervalMs = 300;
/** Of one attempt: whoever does not answer may have lost its lease to another, who is to hear of it in time. */
const attemptMs = 300;
const totalMs = 1_200;

export interface HeartbeatsOptions {
	readonly runtime: Runtime;
	readonly router: RangeRouter;
	readonly placement: Pick<PlacementClient, "seen" | "issue">;
	readonly mutations: Mutations | undefined;
}

interface Alive {
	readonly anchor: Key;
	isOpen: boolean;
}

/** Of the anchors in one range. */
interface Group {
	readonly anchor: Key;
	readonly transactions: TransactionId[];
	readonly open: TransactionId[];
}

export class Heartbeats {
	readonly #options: HeartbeatsOptions;
	readonly #alive = new Map<TransactionId, Alive>();
	#timer: Timer | undefined;

	constructor(options: HeartbeatsOptions) {
		this.#options = options;
	}

	/** From the first prepare. `isOpen`: of a large transaction, until `seal`. */
	begin(transaction: TransactionId, anchor: Key, isOpen: boolean): void {
		this.#alive.set(transaction, { anchor, isOpen });
		this.#timer ??= this.#arm();
	}

	/** Its c is going to be drawn: nothing more is said about it. */
	seal(transaction: TransactionId): void {
		const alive = this.#alive.get(transaction);
		if (alive !== undefined && this.#options.mutations?.openAfterSeal !== true)
			alive.isOpen = false;
	}

	end(transaction: TransactionId): void {
		this.#alive.delete(transaction);
	}

	#arm(): Timer {
		return this.#options.runtime.scheduler.setTimer(intervalMs, () => {
			this.#timer = this.#alive.size > 0 ? this.#arm() : undefined;
			this.#beat();
		});
	}

	/** One message an anchor range, or a transaction where that is not known. A lost one is made good by the next. */
	#beat(): void {
		const { router, placement } = this.#options;
		const byRange = new Map<RangeId | TransactionId, Group>();
		let isAnyOpen = false;
		for (const [transaction, { anchor, isOpen }] of this.#alive) {
			const range = router.cachedRangeOf(anchor)?.descriptor.rangeId ?? transaction;
			let group = byRange.get(range);
			if (group === undefined) {
				group = { anchor, transactions: [], open: [] };
				byRange.set(range, group);
			}
			group.transactions.push(transaction);
			if (!isOpen) continue;
			group.open.push(transaction);
			isAnyOpen = true;
		}
		// Issued by now. Who draws c later gets a higher one (O1), however late this message comes.
		const above = placement.seen();
		for (const { anchor, transactions, open } of byRange.values()) {
			const body = { kind: "heartbeat" as const, transactions };
			const message = open.length === 0 ? body : { ...body, open, above };
			const options = { idempotent: true, attemptMs, totalMs };
			router.request(anchor, message, options).catch(() => {});
		}
		// A node that asks for no timestamps has seen none of late, and readers elsewhere have newer ones.
		if (isAnyOpen) placement.issue().catch(() => {});
	}
}
