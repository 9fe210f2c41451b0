/** The cancel signal of a session's running statement: statement_timeout, CancelRequest, disconnect. */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { CancelSignal } from "@quorate/txn/types";

export class StatementCancel implements CancelSignal {
	readonly #runtime: Runtime;
	#reason: DatabaseError | undefined;
	/** Few at a time, and new ones for each statement: in a set, they would outlive many statements. */
	readonly #listeners: (() => void)[] = [];
	#timer: Timer | undefined;
	#running = false;

	constructor(runtime: Runtime) {
		this.#runtime = runtime;
	}

	get isRunning(): boolean {
		return this.#running;
	}

	get reason(): DatabaseError | undefined {
		return this.#reason;
	}

	onCancel(listener: () => void): () => void {
		if (this.#reason !== undefined) listener();
		else this.#listeners.push(listener);
		return () => this.#forget(listener);
	}

	/** A statement begins; `timeoutMs` 0: no limit. */
	begin(timeoutMs: number): void {
		this.#running = true;
		this.#reason = undefined;
		this.#listeners.length = 0;
		if (timeoutMs > 0) {
			this.#timer = this.#runtime.scheduler.setTimer(timeoutMs, () =>
				this.cancel(new DatabaseError("57014", "canceling statement due to statement timeout")),
			);
		}
	}

	end(): void {
		this.#running = false;
		this.#timer?.cancel();
		this.#timer = undefined;
	}

	/** Nothing happens between statements, as in PostgreSQL. */
	cancel(reason: DatabaseError): void {
		if (!this.#running || this.#reason !== undefined) return;
		this.#reason = reason;
		for (const listener of this.#listeners.splice(0)) listener();
	}

	#forget(listener: () => void): void {
		const at = this.#listeners.lastIndexOf(listener);
		if (at >= 0) this.#listeners.splice(at, 1);
	}
}
