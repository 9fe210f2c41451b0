/**
 * Sessions of this node that wait for advisory locks. The rows say who is next; whoever grants tells the node of who got it, and
 * since such a message may be lost, one read of all rows that are waited for is made every 100 ms while anybody waits.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Victim } from "@quorate/replica/wait-edge";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import {
	type AdvisoryMode,
	type AdvisoryOwner,
	type AdvisoryRow,
	blockersOf,
	decodeRow,
	holdsMode,
} from "./advisory-row.ts";
import type { OwnTransactions } from "./own-transactions.ts";
import type { Tenure, Tenures } from "./tenures.ts";
import type { CancelSignal } from "./types.ts";

const pollMs = 100;

/** What somebody waits for. */
export interface AdvisoryWait {
	readonly who: AdvisoryOwner;
	readonly tenure: Tenure;
	readonly key: Key;
	readonly mode: AdvisoryMode;
	readonly ticket: number;
	/** Of the transaction whose statement waits. */
	readonly lockOwner: LockOwner | undefined;
}

/** `again`: the row knows nothing of it, so it must be asked for anew. */
export type WaitOutcome = "granted" | "again";

interface Waiting extends AdvisoryWait {
	/** Monotonic milliseconds. */
	readonly since: number;
	/** As of the last look. */
	blockers: readonly AdvisoryOwner[];
	/** It is the victim of a deadlock, if the next look finds that it still waits. */
	deadlock: string | undefined;
	readonly end: (outcome: WaitOutcome | DatabaseError) => void;
}

export interface WaitLimits {
	/** False: only if it is available now. */
	readonly waits: boolean;
	/** 0: none. */
	readonly timeoutMs: number;
	readonly cancel: CancelSignal;
}

export class AdvisoryWaits {
	readonly #runtime: Runtime;
	readonly #transactions: OwnTransactions;
	readonly #tenures: Tenures;
	readonly #waiting = new Set<Waiting>();
	#timer: Timer | undefined;
	#isLooking = false;
	#isUrgent = false;

	constructor(runtime: Runtime, transactions: OwnTransactions, tenures: Tenures) {
		this.#runtime = runtime;
		this.#transactions = transactions;
		this.#tenures = tenures;
	}

	/** `blockers`: as of the request that was queued. Rejects with 55P03, 40P01, 57P01 or why it was cancelled. */
	wait(
		wait: AdvisoryWait,
		blockers: readonly AdvisoryOwner[],
		limits: WaitLimits,
	): Promise<WaitOutcome> {
		const { clock, scheduler } = this.#runtime;
		return new Promise((resolve, reject) => {
			let timer: Timer | undefined;
			const end = (outcome: WaitOutcome | DatabaseError): void => {
				if (!this.#waiting.delete(waiting)) {
					return;
				}
				timer?.cancel();
				if (outcome instanceof DatabaseError) {
					reject(outcome);
				} else {
					resolve(outcome);
				}
			};
			const since = clock.monotonicMs();
			const waiting: Waiting = { ...wait, since, blockers, deadlock: undefined, end };
			this.#waiting.add(waiting);
			if (limits.timeoutMs > 0) {
				timer = scheduler.setTimer(limits.timeoutMs, () =>
					end(new DatabaseError("55P03", "canceling statement due to lock timeout")),
				);
			}
			limits.cancel.onCancel(() => {
				if (limits.cancel.reason !== undefined) {
					end(limits.cancel.reason);
				}
			});
			this.#suspect(blockers);
			this.#lookSoon();
		});
	}

	/** Those who wait now. */
	all(): readonly (AdvisoryWait & {
		readonly since: number;
		readonly blockers: readonly AdvisoryOwner[];
	})[] {
		return [...this.#waiting];
	}

	/** Somebody may have been granted something. */
	look(): void {
		if (this.#waiting.size === 0) {
			return;
		}
		if (this.#isLooking) {
			this.#isUrgent = true;
			return;
		}
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#isLooking = true;
		this.#lookOnce()
			.catch((error) => {
				this.#runtime.logger.log("debug", "looking after advisory locks failed", {
					error: String(error),
				});
			})
			.finally(() => {
				this.#isLooking = false;
				const isUrgent = this.#isUrgent;
				this.#isUrgent = false;
				if (isUrgent) {
					this.look();
				} else {
					this.#lookSoon();
				}
			});
	}

	/** A deadlock's victim: its wait fails if it still waits when the row is looked at. */
	failWait({ owner, key, since, detail }: Victim): void {
		for (const waiting of this.#waiting) {
			if (waiting.lockOwner === owner && waiting.key === key && waiting.since === since) {
				waiting.deadlock = detail;
				this.look();
			}
		}
	}

	/** The tenure has ended. */
	failAll(tenure: Tenure, error: DatabaseError): void {
		for (const waiting of [...this.#waiting]) {
			if (waiting.tenure === tenure) {
				waiting.end(error);
			}
		}
	}

	#lookSoon(): void {
		if (this.#timer === undefined && this.#waiting.size > 0) {
			this.#timer = this.#runtime.scheduler.setTimer(pollMs, () => {
				this.#timer = undefined;
				this.look();
			});
		}
	}

	async #lookOnce(): Promise<void> {
		// Only those who waited before the read began: for others it may be too old.
		const waiting = [...this.#waiting];
		const keys = [...new Set(waiting.map((w) => w.key))];
		const tenures = [...new Set(waiting.map((w) => w.tenure))];
		const { timestamp, values } = await this.#transactions.read(async (transaction) => {
			const drawn = await transaction.readTimestamp();
			const found = await transaction.get([...keys, ...tenures.map((t) => t.key)]);
			return { timestamp: drawn.timestamp, values: found };
		});
		tenures.forEach((tenure, i) => {
			this.#tenures.saw(tenure, timestamp, values[keys.length + i] !== undefined);
		});
		const rows = new Map(keys.map((k, i) => [k, decodeRow(values[i])]));
		for (const one of waiting) {
			if (this.#waiting.has(one) && !one.tenure.ended) {
				this.#judge(one, rows.get(one.key)!);
			}
		}
	}

	#judge(waiting: Waiting, row: AdvisoryRow): void {
		if (holdsMode(row, waiting.who, waiting.mode)) {
			waiting.end("granted");
			return;
		}
		if (waiting.deadlock !== undefined) {
			waiting.end(
				new DatabaseError("40P01", "deadlock detected", {
					detail: waiting.deadlock,
					hint: "Run the transaction again.",
				}),
			);
			return;
		}
		waiting.blockers = blockersOf(row, waiting.who, waiting.ticket);
		this.#suspect(waiting.blockers);
		if (waiting.blockers.length === 0) {
			waiting.end("again");
		}
	}

	#suspect(blockers: readonly AdvisoryOwner[]): void {
		for (const { tenure } of blockers) {
			this.#tenures.suspect(tenure);
		}
	}
}
