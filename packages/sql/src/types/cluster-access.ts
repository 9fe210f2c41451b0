/** What sessions may know of, and do to, others of the whole cluster: the contract of its views with the node that answers them. */
import type { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner, NodeId, RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Overview } from "@quorate/placement/messages";
import type { AdvisoryEntry } from "@quorate/txn/advisory-locks";
import type { Once } from "@quorate/txn/types";
import type { StatementReport } from "./statement-report.ts";

/** A client's session, as the node that it is connected to tells it. Times are that node's, in milliseconds since 1970. */
export interface SessionStatus {
	/** pg_backend_pid(): unique in the cluster. */
	readonly process: number;
	readonly user: string;
	/** Object id of its database; absent: the first one's. */
	readonly database?: number;
	readonly application: string;
	/** host:port */
	readonly client: string;
	readonly startMs: number;
	readonly transactionStartMs: number | null;
	readonly statementStartMs: number | null;
	readonly changeMs: number;
	readonly state: "active" | "idle" | "idle in transaction" | "idle in transaction (aborted)";
	/** Of the statement that runs, or ran last. */
	readonly text: string;
	readonly transaction: TransactionStatus | null;
}

export interface TransactionStatus {
	/** Under which it locks. */
	readonly owner: LockOwner;
	/** Under which it has prepared something. */
	readonly id: TransactionId | null;
	readonly isolation: string;
	readonly mode: string;
	readonly readOnly: boolean;
	/** Of writes that are not prepared yet. */
	readonly bufferedBytes: number;
	/** Id of the snapshot that others may begin with. */
	readonly exported?: string;
}

/** A lock, or somebody who waits, at a leaseholder. */
export interface LockStatus {
	readonly rangeId: RangeId;
	readonly key: Key;
	readonly owner: LockOwner;
	/** FOR ...; null: the wait is for a write. */
	readonly strength: "key share" | "share" | "no key update" | "update" | null;
	/** Milliseconds since 1970 of the leaseholder's clock; null: granted. */
	readonly waitsSinceMs: number | null;
	readonly blockers: readonly LockOwner[];
	/** The transaction whose write is waited for. */
	readonly write: TransactionId | null;
}

export interface NodeActivity {
	readonly nodeId: NodeId;
	readonly sessions: readonly SessionStatus[];
	readonly locks: readonly LockStatus[];
	/** Granted locks beyond those that a node tells. */
	readonly locksLeftOut: number;
}

export interface ClusterActivity {
	readonly nodes: readonly NodeActivity[];
	/** Those that did not answer in time. */
	readonly silent: readonly NodeId[];
	/** Held and waited for, where they were asked for. */
	readonly advisory?: readonly AdvisoryEntry[];
	/** What they have run, where that was asked for (and nothing else). */
	readonly statements?: readonly NodeStatements[];
	/** Of nodes and ranges, where that was asked for (and nothing else). */
	readonly overview?: Overview;
	/** Of sequences by object id, if they have given one: their last values, where those were asked for (and nothing else). */
	readonly sequences?: ReadonlyMap<number, bigint>;
}

export interface NodeStatements extends StatementReport {
	readonly nodeId: NodeId;
}

/** `drain`: the node gives up all that it holds, and takes nothing; `undrain` takes that back. `remove`: it never comes back. */
export type NodeChange = "drain" | "undrain" | "remove";

/** A change of one row, to be run by the node that leads the row's range as a transaction by itself. */
export interface RemoteStatement {
	readonly once: Once;
	readonly text: string;
	/** Type OIDs of the parameters, and their values as a row of them is stored. */
	readonly types: readonly number[];
	readonly values: Uint8Array;
	/** Of the session, what the meaning of a literal may depend on. */
	readonly settings: readonly (readonly [name: string, value: string])[];
	/** Object id: as whom it runs. */
	readonly role: number;
	/** pg_backend_pid() of the session, for those who wait for its locks. */
	readonly process: number;
}

/** Undefined: nothing was done, for the node does not lead the range. */
export type RemoteOutcome =
	| { readonly tag: string; readonly timestamp: Timestamp | null }
	| undefined;

/** The connection broke: the statement may have been run, or be yet. */
export class OutcomeLostError extends Error {
	override readonly name = "OutcomeLostError";
}

export interface ClusterAccess {
	/** Rejects with what the statement fails with, or with `OutcomeLostError`. */
	runAt(node: NodeId, statement: RemoteStatement): Promise<RemoteOutcome>;
	/** Cancels it, for that reason. */
	cancelAt(node: NodeId, id: TransactionId, reason: DatabaseError): void;
	/** Asks all nodes. A dead one costs a second, and is named. */
	activity(): Promise<ClusterActivity>;
	/** Cancels the statement of a session, or ends the session. False: there is no such session. Rejects where its node does not answer. */
	signal(process: number, what: "cancel" | "terminate"): Promise<boolean>;
	/** Asks all nodes, as `activity` does. */
	statements(): Promise<ClusterActivity>;
	/** What the control plane knows of nodes and ranges. */
	overview(): Promise<Overview>;
	/** Rejects with 55000 and the reason where that cannot be. */
	changeNode(node: number, change: NodeChange): Promise<void>;
}
