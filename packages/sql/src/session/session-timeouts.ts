/** How long a session may be idle, or in a transaction. Each limit ends the session, in PostgreSQL's words. */

import { DatabaseError } from "@quorate/keys/database-error";
import { durationMs } from "@quorate/keys/duration";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { Settings } from "./settings.ts";
import type { TransactionStatus } from "./types.ts";

const fatal = (code: string, why: string): DatabaseError =>
	new DatabaseError(code, `terminating connection due to ${why}`, { severity: "FATAL" });

const idleTooLong = () => fatal("57P05", "idle-session timeout");
const idleInTransactionTooLong = () => fatal("25P03", "idle-in-transaction timeout");

/** Milliseconds; 0: no limit. */
interface Limits {
	readonly idleInTransaction: number;
	readonly idle: number;
	readonly transaction: number;
}

export class SessionTimeouts {
	readonly #runtime: Runtime;
	readonly #settings: Settings;
	readonly #terminate: (reason: DatabaseError) => void;
	#limits: Limits = { idleInTransaction: 0, idle: 0, transaction: 0 };
	#version = -1;
	#idle: Timer | undefined;
	#transaction: Timer | undefined;
	#beganMs = 0;

	constructor(runtime: Runtime, settings: Settings, terminate: (reason: DatabaseError) => void) {
		this.#runtime = runtime;
		this.#settings = settings;
		this.#terminate = terminate;
	}

	/** The client was told that it may send the next statement. */
	idle(status: TransactionStatus): void {
		this.busy();
		const { idle, idleInTransaction } = this.#current();
		this.#idle =
			status === "I"
				? this.#after(idle, idleTooLong)
				: this.#after(idleInTransaction, idleInTransactionTooLong);
	}

	/** The client has sent something. */
	busy(): void {
		this.#idle?.cancel();
		this.#idle = undefined;
	}

	began(): void {
		this.#beganMs = this.#runtime.clock.monotonicMs();
		if (this.#current().transaction > 0) this.limitTransaction();
	}

	get limitsTransactions(): boolean {
		return this.#current().transaction > 0;
	}

	/** The transaction that runs gets the limit that is set now. */
	limitTransaction(): void {
		this.ended();
		const { transaction } = this.#current();
		if (transaction === 0) return;
		const passedMs = this.#runtime.clock.monotonicMs() - this.#beganMs;
		const reason = () => fatal("25P04", "transaction timeout");
		this.#transaction = this.#after(Math.max(1, transaction - passedMs), reason);
	}

	ended(): void {
		this.#transaction?.cancel();
		this.#transaction = undefined;
	}

	close(): void {
		this.busy();
		this.ended();
	}

	#after(ms: number, reason: () => DatabaseError): Timer | undefined {
		if (ms === 0) return undefined;
		return this.#runtime.scheduler.setTimer(ms, () => this.#terminate(reason()));
	}

	#current(): Limits {
		const settings = this.#settings;
		if (this.#version !== settings.version) {
			this.#version = settings.version;
			const of = (name: string) => durationMs(settings.value(name));
			this.#limits = {
				idleInTransaction: of("idle_in_transaction_session_timeout"),
				idle: of("idle_session_timeout"),
				transaction: of("transaction_timeout"),
			};
		}
		return this.#limits;
	}
}
