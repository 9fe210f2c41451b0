/**
 * What a gateway asks of a leaseholder, and what it is told. One RPC method, "range"; every request names the range and the
 * version that its sender believes in, and the highest issued timestamp that it has seen.
 */
import type { ErrorData } from "@quorate/keys/database-error";
import type { LockOwner, NodeId, RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Write, WrittenSpan } from "./commands.ts";
import type { LockStrength } from "./lock-strength.ts";
import type { IssuedTimestamp } from "./timestamp-source.ts";

/** A write as asked for. */
export interface RequestedWrite extends Write {
	/** The key's newest change must not be above it: since when it must be unchanged. Null: a blind write. */
	readonly since: Timestamp | null;
	/** The key must be absent when the write becomes pending (an insertion that was not read before). */
	readonly absent?: boolean;
	/** The transaction whose pending value of the key was read: it must be the key's newest change. There is no `since` then. */
	readonly after?: TransactionId;
}

/** Something read that must still read the same at the commit timestamp. */
export interface ValidateItem {
	readonly span: Span;
	/** Unchanged in (since, c]. */
	readonly since: Timestamp;
	/** It may have changed: its one key must have a value at c (FOR KEY SHARE). */
	readonly present?: boolean;
}

/** What an earlier chunk of the same transaction had written. */
export interface ReplacedWrite {
	readonly key: Key;
	readonly value: Uint8Array | null;
	/** The number of that chunk. */
	readonly chunk: number;
}

export interface PageLimits {
	readonly rowsMax: number;
	readonly bytesMax: number;
	readonly reverse: boolean;
}

export type RangeRequestBody =
	| {
			readonly kind: "read";
			readonly keys: readonly Key[];
			/** Null: the leaseholder draws it, and says so in the answer; the reader is spared a call of the oracle. */
			readonly s: Timestamp | null;
			/** Whose own intents are not waited for (a large transaction that reads). */
			readonly transaction?: TransactionId | null;
			/** Who reads, if it has locked or prepared something: then others may wait for it, in a circle. */
			readonly owner?: LockOwner | null;
			/** Any replica that has closed `s` may answer (F2). */
			readonly follower?: boolean;
	  }
	| {
			readonly kind: "scan";
			readonly span: Span;
			readonly s: Timestamp;
			readonly limits: PageLimits;
			readonly transaction?: TransactionId | null;
			/** As of `read`. */
			readonly owner?: LockOwner | null;
			/** As of a read. */
			readonly follower?: boolean;
	  }
	/** What this replica, whoever leads, has applied as closed. */
	| { readonly kind: "closed" }
	/** Close a fresh timestamp (F1). */
	| { readonly kind: "close" }
	/** Newest versions, locked. */
	| {
			readonly kind: "lock-read";
			readonly keys: readonly Key[];
			readonly lock: LockDemand;
			readonly transaction?: TransactionId | null;
	  }
	| {
			readonly kind: "lock-scan";
			readonly span: Span;
			readonly lock: LockDemand;
			readonly limits: PageLimits;
			readonly transaction?: TransactionId | null;
	  }
	| {
			readonly kind: "prepare";
			readonly transaction: TransactionId;
			readonly chunk: number;
			readonly anchor: Key;
			readonly writes: readonly RequestedWrite[];
			readonly owner: LockOwner;
			/** Asks for what earlier chunks had written to these keys: there are savepoints. */
			readonly undo?: boolean;
			/** Part of a large transaction, whose c is not drawn before its anchor was told that it is sealed. */
			readonly opens?: boolean;
	  }
	/** Savepoints: every intent of the transaction in the spans of a chunk above `above` becomes a mark, as of `chunk`. */
	| {
			readonly kind: "take-back";
			readonly transaction: TransactionId;
			readonly anchor: Key;
			readonly spans: readonly WrittenSpan[];
			readonly above: number;
			readonly chunk: number;
	  }
	/** A large transaction has sent all that it writes: from now on nobody is told that it is open. */
	| { readonly kind: "seal"; readonly transaction: TransactionId; readonly anchor: Key }
	| {
			readonly kind: "one-phase";
			readonly transaction: TransactionId;
			readonly anchor: Key;
			readonly writes: readonly RequestedWrite[];
			readonly validate: readonly ValidateItem[];
			/** Sent back if it is not the schema version at c. */
			readonly schemaVersion: number;
			readonly owner: LockOwner;
			/** Of other ranges: the leaseholder asks theirs. Never empty. */
			readonly elsewhere?: readonly ValidateItem[];
			/** Of other ranges, where all of it is prepared: this decides for them, too. Never empty. */
			readonly written?: readonly WrittenSpan[];
	  }
	| {
			readonly kind: "validate";
			/** Null: nothing of it is pending yet. */
			readonly transaction: TransactionId | null;
			readonly items: readonly ValidateItem[];
			readonly c: Timestamp;
			/** As of `read`. */
			readonly owner?: LockOwner | null;
	  }
	| {
			readonly kind: "commit";
			readonly transaction: TransactionId;
			readonly anchor: Key;
			readonly c: Timestamp;
			readonly written: readonly WrittenSpan[];
	  }
	/** Finds the record, or writes the tombstone: after it the outcome is known. */
	| { readonly kind: "abort"; readonly transaction: TransactionId; readonly anchor: Key }
	/** c 0: aborted. */
	| {
			readonly kind: "resolve";
			readonly transaction: TransactionId;
			readonly c: Timestamp;
			readonly spans: readonly WrittenSpan[];
	  }
	/** Somebody waits for the transaction. */
	| {
			readonly kind: "inquire";
			readonly transaction: TransactionId;
			readonly anchor: Key;
			/** To read or validate at it: it is enough to know that c will be above. 0: nothing but the outcome helps. */
			readonly s: Timestamp;
	  }
	/** The coordinator is alive. */
	| {
			readonly kind: "heartbeat";
			readonly transactions: readonly TransactionId[];
			/** Those of them whose coordinator has not begun to draw c: it will be above `above`. */
			readonly open?: readonly TransactionId[];
			readonly above?: Timestamp;
	  }
	/** What was written above `after` (`feed.ts`); waits so long if there is nothing. */
	| {
			readonly kind: "changes";
			readonly span: Span;
			readonly after: Timestamp;
			readonly waitMs: number;
	  }
	/** Changes in (after, upTo] in the order of keys (`exports.ts`). */
	| {
			readonly kind: "export";
			readonly span: Span;
			/** Of the span's first key, those above it only: the answer before has ended within that key. Null: all. */
			readonly above: Timestamp | null;
			/** Also what each key held at `after`. */
			readonly base: boolean;
			readonly after: Timestamp;
			/** An issued timestamp. */
			readonly upTo: Timestamp;
	  }
	/** Removes what was dropped at `at`, as far as nobody can read it any more (`clears.ts`). */
	| { readonly kind: "clear"; readonly span: Span; readonly at: Timestamp }
	| { readonly kind: "split"; readonly at: Key }
	/** With the range that begins at `at`, where this one ends. `bySize`: nobody asked for it, so borders made by hand stay. */
	| { readonly kind: "merge"; readonly at: Key; readonly bySize?: boolean }
	/** For whoever leads the range, if it still has that version: nobody holds the lease of a frozen range (M4). */
	| { readonly kind: "thaw"; readonly version: number }
	| { readonly kind: "transfer-lease"; readonly to: NodeId }
	/** Replaces the replicas: those nodes and no others will hold one. */
	| { readonly kind: "relocate"; readonly nodes: readonly NodeId[] }
	/** The next step towards a voter on `node` in the place of a replica there whose id is below `replicasFrom`: see `renewal.ts`. */
	| { readonly kind: "renew"; readonly node: NodeId; readonly replicasFrom: number }
	/** `confirmed`: answered only after an entry proposed now was committed by the members of now. */
	| { readonly kind: "status"; readonly confirmed?: boolean };

export interface LockDemand {
	readonly owner: LockOwner;
	readonly strength: LockStrength;
	readonly wait: "block" | "nowait" | "skip locked";
	/** 0: no limit. */
	readonly timeoutMs: number;
	/** The value may be one that is still pending (see `hot-rows.ts`). */
	readonly mayBuild?: boolean;
}

export interface RangeRequest {
	readonly rangeId: RangeId;
	/** The range version that the sender believes in. */
	readonly version: number;
	/** The highest issued timestamp that the sender has seen. */
	readonly seen: Timestamp;
	readonly body: RangeRequestBody;
}

/** A newest-read. */
export interface LockedValue {
	readonly key: Key;
	readonly value: Uint8Array | null;
	/** Timestamp of the key's newest change, deletion included. */
	readonly ts: Timestamp;
	/** Validation at commit goes from here. */
	readonly since: Timestamp;
	/** Skipped: somebody else holds the lock (SKIP LOCKED). */
	readonly skipped?: boolean;
	/** The value is pending, of this transaction; `ts` and `since` are not known. */
	readonly after?: TransactionId;
}

export interface PageRow {
	readonly key: Key;
	readonly value: Uint8Array;
}

export interface ExportedChange {
	readonly key: Key;
	readonly ts: Timestamp;
	/** Null: it was deleted. */
	readonly value: Uint8Array | null;
}

/** Where an export goes on: `above` as of the request. */
export interface ExportPlace {
	readonly key: Key;
	readonly above: Timestamp | null;
}

export type RangeAnswer =
	| {
			readonly kind: "values";
			readonly values: readonly (Uint8Array | null)[];
			/** What the leaseholder drew for it. */
			readonly drawn?: IssuedTimestamp;
	  }
	| { readonly kind: "rows"; readonly rows: readonly PageRow[]; readonly resume: Key | null }
	| { readonly kind: "locked"; readonly values: readonly LockedValue[] }
	| {
			readonly kind: "locked-rows";
			readonly rows: readonly PageRow[];
			readonly resume: Key | null;
			/** The newest change seen in the span: the reader's timestamp must be at or above it. */
			readonly ts: Timestamp;
			readonly since: Timestamp;
	  }
	| {
			readonly kind: "prepared";
			readonly p: Timestamp;
			/** Where it was asked for: what the writes have replaced. */
			readonly replaced?: readonly ReplacedWrite[];
	  }
	/** All changes up to `upTo`, in the order of their timestamps. */
	| {
			readonly kind: "changes";
			readonly rows: readonly {
				readonly key: Key;
				readonly ts: Timestamp;
				readonly value: Uint8Array;
			}[];
			readonly upTo: Timestamp;
	  }
	| {
			readonly kind: "exported";
			readonly rows: readonly ExportedChange[];
			/** Null: the span is done. */
			readonly resume: ExportPlace | null;
	  }
	| { readonly kind: "committed"; readonly c: Timestamp }
	| { readonly kind: "aborted" }
	| { readonly kind: "undecided" }
	/** Its c will be above the `s` that was asked for: for good. */
	| { readonly kind: "open"; readonly s: Timestamp }
	| {
			readonly kind: "closed";
			/** 0: nothing. */
			readonly timestamp: Timestamp;
			readonly schemaVersion: number;
	  }
	/** T4: it cannot be learned any more. */
	| { readonly kind: "unknown" }
	| { readonly kind: "done" }
	/** Up to `resume`; null: all. Not done: somebody may read it still, or there are intents. */
	| { readonly kind: "cleared"; readonly isDone: boolean; readonly resume: Key | null }
	/** A step was taken, or cannot be taken yet: ask again. */
	| { readonly kind: "renewing" }
	| { readonly kind: "split"; readonly left: RangeDescriptor; readonly right: RangeDescriptor }
	| { readonly kind: "merged"; readonly descriptor: RangeDescriptor }
	| {
			readonly kind: "status";
			readonly descriptor: RangeDescriptor;
			readonly leaseholder: NodeId;
			readonly sizeBytes: number;
			readonly requestsPerSecond: number;
			readonly appliedIndex: number;
			/** It begins where somebody wanted it to. */
			readonly byHand: boolean;
	  }
	/** The key of an `absent` write is there. */
	| { readonly kind: "exists"; readonly key: Key }
	/** 40001: `key` changed, or another transaction is in the way. Nothing was done and nothing will be. */
	| {
			readonly kind: "conflict";
			readonly reason: string;
			readonly key: Key | null;
			/** Who changed it or is in the way, as far as that is known. */
			readonly other?: string;
	  }
	/** The schema version moved (section 9). Nothing was done. */
	| { readonly kind: "schema-changed" }
	/** Nothing was done; route again with these. */
	| { readonly kind: "stale"; readonly ranges: readonly RangeDescriptor[] }
	/** Nothing was done; `leaseholder` 0: unknown. `served`: it waited for a lock there until the lease had gone. */
	| {
			readonly kind: "not-leaseholder";
			readonly leaseholder: NodeId;
			readonly descriptor: RangeDescriptor | null;
			readonly served?: boolean;
	  }
	/** It was proposed, and what became of it is not known here: ask the anchor. */
	| { readonly kind: "lost" }
	| { readonly kind: "error"; readonly error: ErrorData };
