/** Asks the cluster to keep the history that a backup reads, for as long as it runs, and a while after it was interrupted. */
import { DatabaseError } from "@quorate/keys/database-error";
import { holdName, holdValue, lapsedHolds } from "@quorate/keys/history-holds";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Work } from "./work.ts";

const renewMs = 60_000;

export class HistoryHold {
	readonly #work: Work;
	readonly #name: string;
	readonly #from: Timestamp;
	#renewedMs = Number.NEGATIVE_INFINITY;

	constructor(work: Work, id: string, from: Timestamp) {
		this.#work = work;
		this.#name = holdName(id);
		this.#from = from;
	}

	/** If it is time. Where it cannot be, the backup goes on: it is told if it comes too late. */
	async renew(): Promise<void> {
		const { placement, runtime } = this.#work.services;
		const nowMs = runtime.clock.monotonicMs();
		if (nowMs - this.#renewedMs < renewMs) return;
		this.#renewedMs = nowMs;
		await this.#set(this.#name, holdValue(this.#from, placement.seen()));
	}

	/** And those that others have left. */
	async release(): Promise<void> {
		const { placement } = this.#work.services;
		await this.#set(this.#name, null);
		for (const name of lapsedHolds(placement.settings().values, placement.seen())) {
			await this.#set(name, null);
		}
	}

	async #set(name: string, value: string | null): Promise<void> {
		try {
			await this.#work.services.placement.set(name, value);
		} catch (error) {
			if (!(error instanceof DatabaseError)) throw error;
			this.#work.services.runtime.logger.log("warn", "history is not held for a backup", {
				name,
				error: error.message,
			});
		}
	}
}
