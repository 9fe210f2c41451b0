/** What constraints that are deferred leave to the end of the transaction. */
import type { Key } from "@quorate/keys/key";
import type { ExecRow } from "./env.ts";
import type { IndexCodec } from "./index-codec.ts";
import type { ReferenceEvent } from "./references/reference-checks.ts";

/** A constraint, as far as its time goes. */
export interface Timed {
	readonly oid: number;
	readonly deferrable: boolean;
	readonly initiallyDeferred: boolean;
}

/** A row was written that may share its key with another. `schemaVersion`: what it was made with. */
export interface UniqueEvent {
	readonly kind: "unique";
	readonly index: IndexCodec;
	/** With which the entries of all rows that have the key begin. */
	readonly start: Key;
	readonly row: ExecRow;
	readonly schemaVersion: number;
}

export type DeferredEvent = ReferenceEvent | UniqueEvent;

/** Which constraints wait for the end of the transaction. */
export interface DeferredEvents {
	isDeferred(constraint: Timed): boolean;
	add(events: readonly DeferredEvent[]): void;
}

export function constraintOf(event: DeferredEvent): Timed {
	if (event.kind !== "unique") return event.reference.key;
	const { constraintOid, deferrable } = event.index.index;
	return {
		oid: constraintOid ?? 0,
		deferrable: true,
		initiallyDeferred: deferrable?.initiallyDeferred === true,
	};
}

export const tablesOf = (event: DeferredEvent): readonly number[] =>
	event.kind === "unique"
		? [event.index.table.oid]
		: [event.reference.child.table.oid, event.reference.parent.table.oid];
