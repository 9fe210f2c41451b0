/** Tells the anchors of transactions that are being committed that their coordinator lives (T3). */
import type { TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { RangeRouter } from "./router.ts";

/** A third of the silence after which the anchor aborts. */
const intervalMs = 500;

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

	/** One message an anchor range. A lost one is made good by the next. */
	#beat(): void {
		const byRange = new Map<number, { anchor: Key; transactions: TransactionId[] }>();
		for (const [transaction, anchor] of this.#alive) {
			const range = this.#router.cachedRangeOf(anchor)?.descriptor.rangeId ?? -1;
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
					{ idempotent: true, attemptMs: intervalMs, totalMs: intervalMs },
				)
				.catch(() => {});
		}
	}
}
