/**
 * A backup or a restore as a job: SHOW JOBS has it, and CANCEL JOB ends it, from any node. Its row is one of `../ddl/tenure.ts`, where it tells every
 * few seconds how far it is, and finds out that it is cancelled. Nobody adopts it: the files are on one machine, and
 * the same statement, run again, goes on with it under the same number.
 *
 * A restore that is interrupted keeps what it has begun, and its row; CANCEL JOB gives both up, in one transaction. Of a backup nothing is in the
 * cluster; its files stay where they are, to be gone on with. It does not depend on its row: a cluster whose disks are full can be backed up.
 */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { addMs, type Timestamp } from "@quorate/keys/timestamp";
import type { CancelSignal, Transaction } from "@quorate/txn/types";
import { buildKey } from "../catalog/keys.ts";
import { begin } from "../ddl/fill.ts";
import {
	allPlaces,
	type BuildPlace,
	placeOf,
	putPlace,
	type Reached,
	refuseCancelled,
	rememberCancelled,
	type StatementJob,
	Tenure,
	takenOver,
	withReached,
} from "../ddl/tenure.ts";
import { isPassing, retrying } from "../session/retry.ts";
import { giveUpRestore } from "./restore-state.ts";
import { checkCancelled, type Work } from "./work.ts";

type Services = Pick<Work, "services">;

/** Whoever is at it tells every 3 s. */
const silentMs = 30_000;

export const isInterrupted = ({ toldAt }: BuildPlace, now: Timestamp): boolean =>
	toldAt === undefined || addMs(toldAt, silentMs) < now;

async function inTransaction<T>(
	{ services }: Services,
	run: (transaction: Transaction) => Promise<T>,
	attempt: "once" | "until it can be" = "until it can be",
): Promise<T> {
	const once = async (): Promise<T> => {
		const transaction = await begin({ services }, true);
		try {
			const result = await run(transaction);
			await transaction.commit();
			return result;
		} catch (error) {
			await transaction.rollback();
			throw error;
		}
	};
	return attempt === "once" ? once() : retrying(services.runtime, once, isPassing);
}

export class Job implements Reached {
	readonly #work: Work;
	readonly #tenure: Tenure;
	readonly reached = undefined;
	/** So many are done, of so many, as far as that is known. */
	rows: number;
	rowsTotal: number | undefined;

	private constructor(work: Work, tenure: Tenure) {
		this.#work = work;
		this.#tenure = tenure;
		this.rows = tenure.rows;
		tenure.tell(this);
	}

	/** Goes on under the number of one that had the same target. */
	static async begin(work: Work, statement: StatementJob): Promise<Job> {
		for (;;) {
			checkCancelled(work);
			const { places } = await allPlaces(work);
			const [id, seen] = [...places].find(
				([, place]) => place.statement?.target === statement.target,
			) ?? [await work.services.objectIds.take(), undefined];
			const tenure = await Tenure.take(work, id, seen, { statement });
			if (tenure !== undefined) return new Job(work, tenure);
		}
	}

	/** The statement's, and that CANCEL JOB has ended it. */
	get signal(): CancelSignal {
		return this.#tenure.signal;
	}

	/** It is not this session's any more. Throws 57014 where CANCEL JOB has ended it, else 55006. */
	async refuse(transaction: Transaction): Promise<never> {
		await refuseCancelled(transaction, this.#tenure.id);
		throw takenOver();
	}

	/** Together with what a restore has begun, or given up (undefined). Throws 57014; 55006 where another session goes on with it. */
	async keep(transaction: Transaction, restore: number | undefined): Promise<void> {
		const { statement, ...stored } = await this.#own(transaction);
		assert(statement !== undefined, "the job of a restore says what it is");
		const { restore: _before, ...rest } = statement;
		const kept = restore === undefined ? rest : { ...rest, restore };
		putPlace(transaction, this.#tenure.id, { ...stored, statement: kept });
	}

	/** Together with the end of what it was about. Throws 57014, 55006. */
	async finish(transaction: Transaction): Promise<void> {
		await this.#own(transaction);
		transaction.delete(buildKey(this.#tenure.id));
	}

	/** The statement is done, and tells no more. */
	stop(): void {
		this.#tenure.stop();
	}

	/** From now on it cannot be cancelled any more. Throws 57014. */
	async close(): Promise<void> {
		this.stop();
		try {
			await inTransaction(this.#work, (transaction) => this.finish(transaction));
		} catch (error) {
			if (!(error instanceof DatabaseError) || error.code === "57014") throw error;
			this.#warn(error);
		}
	}

	/** The statement has failed. What is to be gone on with is there still. */
	async leave(): Promise<void> {
		this.stop();
		const leave = async (transaction: Transaction): Promise<void> => {
			const stored = await this.#tenure.own(transaction);
			if (stored === undefined) return;
			const { toldAt: _last, ...left } = stored;
			if (left.statement?.restore === undefined) transaction.delete(buildKey(this.#tenure.id));
			else putPlace(transaction, this.#tenure.id, withReached(left, this));
		};
		// Where it cannot be said, it falls silent.
		await inTransaction(this.#work, leave, "once").catch((error: unknown) => this.#warn(error));
	}

	async #own(transaction: Transaction): Promise<BuildPlace> {
		const stored = await this.#tenure.own(transaction);
		return stored ?? this.refuse(transaction);
	}

	#warn(error: unknown): void {
		this.#work.services.runtime.logger.log("warn", "a job is not shown as it is", { error });
	}
}

/** False: it has ended. */
export function cancelStatementJob(work: Services, id: number): Promise<boolean> {
	return inTransaction(work, async (transaction) => {
		const place = await placeOf(transaction, id);
		if (place?.statement === undefined) return false;
		const { restore } = place.statement;
		if (restore !== undefined) await giveUpRestore(transaction, restore);
		await rememberCancelled(transaction, id);
		return true;
	});
}
