/** What the anchor's range keeps of a decided transaction, by anchor key: a record (committed) or a tombstone (aborted). */

import { assert } from "@quorate/keys/assert";
import type { TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { decodeBody, encodeBody } from "@quorate/rpc/body";
import { flatSpans, spansOf } from "./command-codec.ts";
import type { WrittenSpan } from "./commands.ts";

export type TransactionRecord = {
	readonly transaction: TransactionId;
	readonly anchor: Key;
	/** An issued timestamp of about when it was decided: its age. */
	readonly at: Timestamp;
} & (
	| {
			readonly outcome: "committed";
			readonly c: Timestamp;
			/** Where its intents were; empty for a one-phase commit, which had none. */
			readonly written: readonly WrittenSpan[];
	  }
	| { readonly outcome: "aborted" }
);

const recordFormat = 2;

export function encodeRecord(r: TransactionRecord): Uint8Array {
	return encodeBody(
		r.outcome === "committed"
			? [recordFormat, r.transaction, r.anchor, r.at, r.c, flatSpans(r.written)]
			: [recordFormat, r.transaction, r.anchor, r.at],
	);
}

export function decodeRecord(bytes: Uint8Array): TransactionRecord {
	const f = decodeBody(bytes) as unknown[];
	assert(
		f[0] === recordFormat,
		() =>
			`transaction record of format ${f[0]}: this version knows ${recordFormat}; upgrade this node`,
	);
	const base = {
		transaction: f[1] as TransactionId,
		anchor: f[2] as Key,
		at: f[3] as Timestamp,
	};
	return f.length > 4
		? { ...base, outcome: "committed", c: f[4] as Timestamp, written: spansOf(f[5] as unknown[]) }
		: { ...base, outcome: "aborted" };
}
