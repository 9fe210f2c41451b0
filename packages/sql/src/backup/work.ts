/** What a backup or a restore is given by the session that runs it. */
import type { CancelSignal, Transaction, TransactionMode } from "@quorate/txn/types";
import type { NodeServices } from "../session/node-services.ts";
import type { Job } from "./job.ts";

export interface Work {
	readonly services: NodeServices;
	readonly cancel: CancelSignal;
	/** To the client, at once. */
	tell(message: string): void;
}

/** As what it is shown; undefined where the cluster has no room for that. */
export interface BackupWork extends Work {
	readonly job: Job | undefined;
}

export interface RestoreWork extends Work {
	readonly job: Job;
}

/** Throws why the statement was cancelled, if it was. */
export function checkCancelled({ cancel }: Work): void {
	if (cancel.reason !== undefined) throw cancel.reason;
}

/** A transaction beside the session's own. */
export async function beginBeside(
	{ services, cancel }: Work,
	mode: TransactionMode,
): Promise<Transaction> {
	const { version } = await services.catalog.newest();
	const transaction = services.coordinator.begin({
		isolation: "serializable",
		mode,
		readOnly: false,
		lockTimeoutMs: 0,
		schemaVersion: version,
	});
	transaction.beginStatement(cancel);
	return transaction;
}

const tellEveryMs = 2_000;

/** Says how far it is, but not all the time. */
export class Progress {
	readonly #work: Work;
	readonly #what: string;
	#toldMs: number;

	constructor(work: Work, what: string) {
		this.#work = work;
		this.#what = what;
		this.#toldMs = work.services.runtime.clock.monotonicMs();
	}

	/** `part`: of the whole, 0 to 1. */
	at(part: number, detail: string): void {
		const { clock } = this.#work.services.runtime;
		if (clock.monotonicMs() - this.#toldMs < tellEveryMs) return;
		this.#toldMs = clock.monotonicMs();
		const percent = Math.min(99, Math.floor(100 * part));
		this.#work.tell(`${this.#what}: ${percent} % done, ${detail}`);
	}
}

export const megabytes = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MB`;
