/** Tells the anchors of transactions that are being committed that their coordinator lives (T3). */
import type { RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { RangeRouter } from "./router.ts";

/** Several of them fit into the silence after which the anchor aborts, also if this node stands still for a while. */
const intervalMs = 300;
/** Of one attempt: whoever does not answer may have lost its lease to another, who is to hear of it in time. */
const attemptMs = 300;
const totalMs = 1_200;

export class Heartbeats {
	readonly #runtime: Runtime;
	readonly #router: RangeRouter;
	readonly #alive = new Map<TransactionId, Key>();
	#timer: Timer | undefined;

	constructor(runtime: Runtime, router: RangeRouter) {
		this.#runtime = runtime;
		this.#router = router;
	}

	/** From the first prepare. */
	begin(transaction: TransactionId, anchor: Key): void {
		this.#alive.set(transaction, anchor);
		this.#timer ??= this.#arm();
	}

	end(transaction: TransactionId): void {
		this.#alive.delete(transaction);
	}

	#arm(): Timer {
		return this.#runtime.scheduler.setTimer(intervalMs, () => {
			this.#timer = this.#alive.size > 0 ? this.#arm() : undefined;
			this.#beat();
		});
	}

	/** One message an anchor range, or a transaction where that is not known. A lost one is made good by the next. */
	#beat(): void {
		const byRange = new Map<
			RangeId | TransactionId,
			{ anchor: Key; transactions: TransactionId[] }
		>();
		for (const [transaction, anchor] of this.#alive) {
			const range = this.#router.cachedRangeOf(anchor)?.descriptor.rangeId ?? transaction;
			const group = byRange.get(range);
			if (group === undefined) {
				byRange.set(range, { anchor, transactions: [transaction] });
			} else {
				group.transactions.push(transaction);
			}
		}
		for (const { anchor, transactions } of byRange.values()) {
			this.#router
				.request(
					anchor,
					{ kind: "heartbeat", transactions },
					{ idempotent: true, attemptMs, totalMs },
				)
				.catch(() => {});
		}
	}
}
