/** Small transactions of the node itself, beside those of its clients: run again after a conflict, with a bound and jitter. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { CancelSignal, Transaction, TransactionCoordinator } from "./types.ts";

const attemptsMax = 30;
const backoffMs = { first: 2, most: 250 };

export const neverCancelled: CancelSignal = { reason: undefined, onCancel: () => () => {} };

export class OwnTransactions {
	readonly #runtime: Runtime;
	readonly #coordinator: Pick<TransactionCoordinator, "begin">;
	readonly #placement: PlacementClient;

	constructor(
		runtime: Runtime,
		coordinator: Pick<TransactionCoordinator, "begin">,
		placement: PlacementClient,
	) {
		this.#runtime = runtime;
		this.#coordinator = coordinator;
		this.#placement = placement;
	}

	/**
	 * Its commit timestamp; undefined if it wrote nothing. `body` may run several times, also after an attempt whose outcome was
	 * never learned: it must come to the same end then.
	 */
	run(
		body: (transaction: Transaction) => Promise<void>,
		attempts = attemptsMax,
	): Promise<Timestamp | undefined> {
		return this.#again(body, attempts, ["40001", "40P01", "40003"]);
	}

	/** For what must not be done twice: rejects with 40003 where it is not known whether it was done. */
	runOnce(body: (transaction: Transaction) => Promise<void>): Promise<Timestamp | undefined> {
		return this.#again(body, attemptsMax, ["40001", "40P01"]);
	}

	async #again(
		body: (transaction: Transaction) => Promise<void>,
		attempts: number,
		passing: readonly string[],
	): Promise<Timestamp | undefined> {
		for (let attempt = 1; ; attempt++) {
			const transaction = this.#begin(false);
			try {
				await body(transaction);
				return (await transaction.commit()).timestamp;
			} catch (error) {
				await transaction.rollback();
				const passes = error instanceof DatabaseError && passing.includes(error.code);
				if (attempt >= attempts || !passes) {
					throw error;
				}
				await this.#pause(attempt);
			}
		}
	}

	async read<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
		const transaction = this.#begin(true);
		try {
			return await body(transaction);
		} finally {
			await transaction.rollback();
		}
	}

	#begin(readOnly: boolean): Transaction {
		const transaction = this.#coordinator.begin({
			isolation: "serializable",
			mode: "pessimistic",
			readOnly,
			lockTimeoutMs: 0,
			schemaVersion: this.#placement.schemaVersion(),
		});
		transaction.beginStatement(neverCancelled);
		return transaction;
	}

	/** The first retry comes at once, for the conflict is over by then. */
	#pause(attempt: number): Promise<void> {
		const { scheduler, random } = this.#runtime;
		const ms = attempt === 1 ? 0 : Math.min(backoffMs.most, backoffMs.first * 2 ** attempt);
		return new Promise((resolve) => scheduler.setTimer(ms * (0.5 + random.float() / 2), resolve));
	}
}
