/** Commands as flat arrays: most of a log's entries are small, and the names of fields would be most of their bytes and time. */
import { assert } from "@quorate/keys/assert";
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keySuccessor } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Command, PendingRead, Write, WrittenSpan } from "./commands.ts";

/** The position of a kind is its number. All others are `rare`, and objects. */
const kinds = ["rare", "prepare", "commit", "abort", "resolve", "one-phase"] as const;
type Kind = (typeof kinds)[number];

const numberOf = (kind: Kind): number => kinds.indexOf(kind);

export function commandToArray(c: Command): readonly unknown[] {
	switch (c.kind) {
		case "prepare":
			return [numberOf(c.kind), c.transaction, c.p, c.anchor, c.chunk, flatWrites(c.writes)];
		case "commit":
			return [numberOf(c.kind), c.transaction, c.c, c.anchor, flatSpans(c.written)];
		case "abort":
			return [numberOf(c.kind), c.transaction, c.anchor, c.at];
		case "resolve":
			return [numberOf(c.kind), c.transaction, c.c, flatSpans(c.spans)];
		case "one-phase": {
			const { transaction, p, anchor, writes, reads, written } = c;
			const fields = [numberOf(c.kind), transaction, p, c.c, anchor, flatWrites(writes)];
			// Most have read nothing that was pending, and written nothing elsewhere.
			if (reads.length === 0 && written.length === 0) return fields;
			fields.push(reads.flatMap((r) => [r.key, r.c]));
			return written.length === 0 ? fields : [...fields, flatSpans(written)];
		}
		default:
			return [numberOf("rare"), c];
	}
}

export function commandFromArray(f: readonly unknown[]): Command {
	const kind = kinds[f[0] as number];
	const transaction = f[1] as TransactionId;
	switch (kind) {
		case "prepare":
			return {
				kind,
				transaction,
				p: f[2] as Timestamp,
				anchor: f[3] as Key,
				chunk: f[4] as number,
				writes: writesOf(f[5] as readonly unknown[]),
			};
		case "commit":
			return {
				kind,
				transaction,
				c: f[2] as Timestamp,
				anchor: f[3] as Key,
				written: spansOf(f[4] as readonly unknown[]),
			};
		case "abort":
			return { kind, transaction, anchor: f[2] as Key, at: f[3] as Timestamp };
		case "resolve":
			return {
				kind,
				transaction,
				c: f[2] as Timestamp,
				spans: spansOf(f[3] as readonly unknown[]),
			};
		case "one-phase":
			return {
				kind,
				transaction,
				p: f[2] as Timestamp,
				c: f[3] as Timestamp,
				anchor: f[4] as Key,
				writes: writesOf(f[5] as readonly unknown[]),
				reads: readsOf((f[6] as readonly unknown[] | undefined) ?? []),
				written: spansOf((f[7] as readonly unknown[] | undefined) ?? []),
			};
		case "rare":
			return f[1] as Command;
		default:
			throw new Error(`a command of kind ${String(f[0])}: this version does not know it`);
	}
}

/** Key and value in turn: null is a deletion, true a mark. */
function flatWrites(writes: readonly Write[]): unknown[] {
	const flat: unknown[] = [];
	for (const { key, value, mark } of writes) {
		assert(mark !== true || value === null, "a mark has no value");
		flat.push(key, mark === true ? true : value);
	}
	return flat;
}

function writesOf(flat: readonly unknown[]): Write[] {
	const writes: Write[] = [];
	for (let at = 0; at < flat.length; at += 2) {
		const key = flat[at] as Key;
		const value = flat[at + 1];
		writes.push(
			value === true
				? { key, value: null, mark: true }
				: { key, value: value as Uint8Array | null },
		);
	}
	return writes;
}

/** Key and c in turn. */
function readsOf(flat: readonly unknown[]): PendingRead[] {
	const reads: PendingRead[] = [];
	for (let at = 0; at < flat.length; at += 2) {
		reads.push({ key: flat[at] as Key, c: flat[at + 1] as Timestamp });
	}
	return reads;
}

/** Start and end in turn: null ends a span of one key. */
export function flatSpans(spans: readonly WrittenSpan[]): unknown[] {
	const flat: unknown[] = [];
	for (const { start, end } of spans) {
		flat.push(start, end === keySuccessor(start) ? null : end);
	}
	return flat;
}

export function spansOf(flat: readonly unknown[]): WrittenSpan[] {
	const spans: WrittenSpan[] = [];
	for (let at = 0; at < flat.length; at += 2) {
		const start = flat[at] as Key;
		spans.push({ start, end: (flat[at + 1] as Key | null) ?? keySuccessor(start) });
	}
	return spans;
}
