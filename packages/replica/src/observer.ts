/**
 * What a simulation is told while it runs, to hold the replicas of all nodes to their invariants at each step. It only looks: a
 * replica does the same with an observer and without.
 */
import type { TransactionId } from "@quorate/keys/ids";
import type { Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ApplyResult } from "./apply.ts";
import type { Envelope } from "./commands.ts";
import type { ReplicaCore } from "./core.ts";
import type { CommittedEntry } from "./host-types.ts";
import type { PageRow, RangeRequestBody, ValidateItem } from "./requests.ts";

/** A command and how it was judged. */
export interface AppliedCommand {
	readonly entry: CommittedEntry;
	readonly envelope: Envelope;
	readonly result: ApplyResult;
}

type Read = Extract<RangeRequestBody, { kind: "read" }> & { readonly s: Timestamp };

export interface ReplicaObserver {
	/** A group of entries has been written; nobody has been told. `commands`: those of them that hold one, in order. */
	applied(
		replica: ReplicaCore,
		entries: readonly CommittedEntry[],
		commands: readonly AppliedCommand[],
	): void;
	/** The replica takes its first look for a read, or its last for a validation, at `s`. */
	looks(replica: ReplicaCore, s: Timestamp): void;
	/** Is going to answer: the values of `q.keys` at `q.s`. */
	read(q: Read, values: readonly (Uint8Array | null)[]): void;
	/** Is going to answer: all rows of `span` at `s`, but for the intents of `own`. */
	scanned(span: Span, s: Timestamp, rows: readonly PageRow[], own: TransactionId | null): void;
	/** Is going to answer that nothing but the intents of `own` has changed in the items up to `c`. */
	validated(items: readonly ValidateItem[], c: Timestamp, own: TransactionId | null): void;
}
