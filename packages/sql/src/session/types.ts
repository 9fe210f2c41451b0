/** What the protocol server drives: one session a connection. */
import type { DatabaseError } from "@quorate/keys/database-error";
import type { CancelSignal } from "@quorate/txn/types";
import type { Datum, SqlType } from "../types/datum.ts";
import type { TypeContext } from "../types/registry.ts";

export interface ResultColumn {
	readonly name: string;
	readonly type: SqlType;
	/** pg_class OID and attnum of a plain table column, else 0. */
	readonly tableOid: number;
	readonly attribute: number;
}

export interface Notice {
	readonly severity: "WARNING" | "NOTICE" | "INFO" | "LOG" | "DEBUG";
	readonly code: string;
	readonly message: string;
	readonly detail?: string;
	readonly hint?: string;
}

/** Of all columns of a result, in the simple protocol; absent: text. */
export type ResultFormat = "text" | "binary";

/** What happens while a statement runs; called synchronously by the session. */
export interface ResultSink {
	notice(notice: Notice): void;
	/** A setting with GUC_REPORT changed: ParameterStatus. */
	parameter(name: string, value: string): void;
	/** Once before the rows of a statement that returns rows (simple protocol; the extended one has Describe). */
	columns(columns: readonly ResultColumn[], format?: ResultFormat): void;
	/** Rows, batched. The promise is backpressure: await it before producing more. */
	rows(rows: readonly (readonly Datum[])[]): void | Promise<void>;
	/** Command tag: "INSERT 0 1", "SELECT 5" ... */
	complete(tag: string): void;
	/** COPY FROM STDIN: the protocol asks the client; yields CopyData bytes; ends at CopyDone, throws DatabaseError 57014 at CopyFail. */
	copyIn(format: "text" | "binary", columnCount: number): AsyncIterable<Uint8Array>;
	/** COPY TO STDOUT: start, then each chunk is one CopyData. */
	copyOutStart(format: "text" | "binary", columnCount: number): void;
	copyOut(chunk: Uint8Array): void | Promise<void>;
	copyOutEnd(): void;
}

/** I: idle, T: in a transaction, E: in a failed one. */
export type TransactionStatus = "I" | "T" | "E";

export interface PreparedStatement {
	/** OIDs, inferred where the client gave 0. */
	readonly parameterTypes: readonly number[];
	/** Undefined: returns no rows. */
	readonly columns: readonly ResultColumn[] | undefined;
	/** True for an empty query string. */
	readonly empty: boolean;
}

export type PortalOutcome = "complete" | "suspended" | "empty";

export interface Portal {
	readonly statement: PreparedStatement;
	readonly columns: readonly ResultColumn[] | undefined;
	/**
	 * Runs until the end or `maxRows` rows (0: all) went to the sink. "suspended": more remain. Does not call `columns`. `isAlone`: a
	 * Sync follows at once, so that it is the last statement of its transaction.
	 */
	execute(
		sink: ResultSink,
		maxRows: number,
		isAlone: boolean,
	): PortalOutcome | Promise<PortalOutcome>;
	close(): void | Promise<void>;
}

export interface Session {
	readonly transactionStatus: TransactionStatus;
	readonly typeContext: TypeContext;
	/**
	 * Simple protocol: all statements of the string, each reported to the sink (columns, rows, complete), stopping at the first error, which rejects.
	 * Several statements are one implicit transaction block. Returns false if the string was empty (EmptyQueryResponse).
	 */
	query(text: string, sink: ResultSink): Promise<boolean>;
	/** Extended protocol. `name` "" is the unnamed statement. Rejects with DatabaseError. */
	prepare(
		name: string,
		text: string,
		parameterTypes: readonly number[],
	): Promise<PreparedStatement>;
	/** Undefined: no such statement. */
	statement(name: string): PreparedStatement | undefined;
	closeStatement(name: string): void;
	bind(portal: string, statement: string, parameters: readonly Datum[]): Portal | Promise<Portal>;
	portal(name: string): Portal | undefined;
	closePortal(name: string): Promise<void>;
	/** End of an extended-protocol message series: commits the implicit transaction. Rejects if that fails. */
	sync(): void | Promise<void>;
	/** After an error in the extended protocol, before skipping to Sync: fails the transaction. */
	fail(error: DatabaseError): void;
	/** CancelRequest. */
	cancel(): void;
	/** `listener` is called when there is something to tell the client though no statement runs. */
	attend(listener: () => void): void;
	/** What the client is to be told before the next ReadyForQuery outside of a transaction, or at once if it is idle there. */
	takeNotifications(): readonly {
		readonly channel: string;
		readonly payload: string;
		/** Of the session that notified. */
		readonly pid: number;
	}[];
	/** Whoever logged in is a superuser. */
	readonly isSuperuser: boolean;
	/** Why the session has to end now, told to the client as the last thing. */
	readonly terminated: DatabaseError | undefined;
	/** Disconnect: rolls back and releases. */
	close(): Promise<void>;
	/** Initial ParameterStatus messages. */
	reportedSettings(): readonly (readonly [string, string])[];
}

export interface SessionFactory {
	/** `parameters`: of the StartupMessage, names folded. Throws DatabaseError 3D000, 28000, 22023 ... */
	open(
		parameters: ReadonlyMap<string, string>,
		backendPid: number,
		/** Of the client: host:port. */
		address?: string,
	): Promise<Session>;
	/** What the protocol server has to know of a user before it is let in. Takes as long for one that does not exist. */
	loginFacts(user: string): Promise<LoginFacts>;
}

export interface LoginFacts {
	/** SCRAM-SHA-256, as PostgreSQL writes it. Where there is none, a decoy: of no password, and always the same for a user. */
	readonly verifier: string;
	/** False: no password is the right one. */
	readonly mayUsePassword: boolean;
	/** Names of the roles that it is a member of. */
	readonly memberOf: ReadonlySet<string>;
}

export type { CancelSignal };
