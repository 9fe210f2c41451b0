/**
 * Range requests and answers as flat arrays, for the RPC: the names of fields would be most of a small message. What is frequent
 * is spelled out here; the rest goes as it is, as an object.
 */
import type { LockOwner, RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import { flatSpans, spansOf } from "./command-codec.ts";
import type {
	ExportedChange,
	ExportPlace,
	LockDemand,
	LockedValue,
	PageLimits,
	PageRow,
	RangeAnswer,
	RangeRequest,
	RangeRequestBody,
	RequestedWrite,
	ValidateItem,
} from "./requests.ts";

type Wire = readonly unknown[];

/** `[range, version, seen, kind, field ...]`, or `[range, version, seen, object]`. */
export function requestToWire(q: RangeRequest): Wire {
	return [q.rangeId, q.version, q.seen, ...bodyToWire(q.body)];
}

export function requestFromWire(wire: unknown): RangeRequest {
	const w = wire as Wire;
	return {
		rangeId: w[0] as RangeId,
		version: w[1] as number,
		seen: w[2] as Timestamp,
		body: bodyFromWire(w),
	};
}

function bodyToWire(b: RangeRequestBody): Wire {
	switch (b.kind) {
		case "read":
			return [b.kind, b.keys, b.s, b.transaction ?? null, ...ownerToWire(b.owner)];
		case "scan": {
			const { span, s, limits, transaction, owner } = b;
			const fields = [span.start, span.end, s, ...limitsToWire(limits), transaction ?? null];
			return [b.kind, ...fields, ...ownerToWire(owner)];
		}
		case "lock-read":
			return [b.kind, b.keys, ...lockToWire(b.lock), b.transaction ?? null];
		case "prepare":
			return [
				b.kind,
				b.transaction,
				b.chunk,
				b.anchor,
				flatWrites(b.writes),
				b.owner,
				b.undo === true,
				b.opens === true,
			];
		case "one-phase":
			return [
				b.kind,
				b.transaction,
				b.anchor,
				flatWrites(b.writes),
				flatItems(b.validate),
				b.schemaVersion,
				b.owner,
				// Builds of before know neither the one nor the other, and are sent neither.
				...(b.elsewhere === undefined && b.written === undefined
					? []
					: [b.elsewhere === undefined ? null : flatItems(b.elsewhere)]),
				...(b.written === undefined ? [] : [flatSpans(b.written)]),
			];
		case "validate":
			return [b.kind, b.transaction, flatItems(b.items), b.c, ...ownerToWire(b.owner)];
		case "commit":
			return [b.kind, b.transaction, b.anchor, b.c, flatSpans(b.written)];
		case "resolve":
			return [b.kind, b.transaction, b.c, flatSpans(b.spans)];
		default:
			return [b];
	}
}

function bodyFromWire(w: Wire): RangeRequestBody {
	const kind = w[3] as RangeRequestBody["kind"] | RangeRequestBody;
	switch (kind) {
		case "read":
			return {
				kind,
				keys: w[4] as Key[],
				s: w[5] as Timestamp | null,
				transaction: w[6] as TransactionId | null,
				...ownerFromWire(w, 7),
			};
		case "scan":
			return {
				kind,
				span: { start: w[4] as Key, end: w[5] as Key },
				s: w[6] as Timestamp,
				limits: limitsFromWire(w, 7),
				transaction: w[10] as TransactionId | null,
				...ownerFromWire(w, 11),
			};
		case "lock-read":
			return {
				kind,
				keys: w[4] as Key[],
				lock: lockFromWire(w, 5),
				transaction: w[10] as TransactionId | null,
			};
		case "prepare":
			return {
				kind,
				transaction: w[4] as TransactionId,
				chunk: w[5] as number,
				anchor: w[6] as Key,
				writes: writesOf(w[7] as Wire),
				owner: w[8] as LockOwner,
				...(w[9] === true ? { undo: true } : {}),
				...(w[10] === true ? { opens: true } : {}),
			};
		case "one-phase":
			return {
				kind,
				transaction: w[4] as TransactionId,
				anchor: w[5] as Key,
				writes: writesOf(w[6] as Wire),
				validate: itemsOf(w[7] as Wire),
				schemaVersion: w[8] as number,
				owner: w[9] as LockOwner,
				...(w[10] == null ? {} : { elsewhere: itemsOf(w[10] as Wire) }),
				...(w[11] == null ? {} : { written: spansOf(w[11] as Wire) }),
			};
		case "validate":
			return {
				kind,
				transaction: w[4] as TransactionId | null,
				items: itemsOf(w[5] as Wire),
				c: w[6] as Timestamp,
				...ownerFromWire(w, 7),
			};
		case "commit":
			return {
				kind,
				transaction: w[4] as TransactionId,
				anchor: w[5] as Key,
				c: w[6] as Timestamp,
				written: spansOf(w[7] as Wire),
			};
		case "resolve":
			return {
				kind,
				transaction: w[4] as TransactionId,
				c: w[5] as Timestamp,
				spans: spansOf(w[6] as Wire),
			};
		default:
			return kind as RangeRequestBody;
	}
}

/** `[kind, field ...]`, or `[object]`. */
export function answerToWire(a: RangeAnswer): Wire {
	switch (a.kind) {
		case "values":
			return a.drawn === undefined
				? [a.kind, a.values]
				: [a.kind, a.values, a.drawn.timestamp, a.drawn.schemaVersion];
		case "rows":
			return [a.kind, flatRows(a.rows), a.resume];
		case "locked":
			return [a.kind, flatLocked(a.values)];
		case "locked-rows":
			return [a.kind, flatRows(a.rows), a.resume, a.ts, a.since];
		case "prepared":
			return a.replaced === undefined ? [a.kind, a.p] : [a];
		case "exported":
			return [a.kind, a.rows.flatMap((row) => [row.key, row.ts, row.value]), a.resume];
		case "committed":
			return [a.kind, a.c];
		case "done":
			return [a.kind];
		default:
			return [a];
	}
}

export function answerFromWire(wire: unknown): RangeAnswer {
	const w = wire as Wire;
	const kind = w[0] as RangeAnswer["kind"] | RangeAnswer;
	switch (kind) {
		case "values": {
			const values = w[1] as (Uint8Array | null)[];
			if (w.length === 2) {
				return { kind, values };
			}
			const drawn = { timestamp: w[2] as Timestamp, schemaVersion: w[3] as number };
			return { kind, values, drawn };
		}
		case "rows":
			return { kind, rows: rowsOf(w[1] as Wire), resume: w[2] as Key | null };
		case "locked":
			return { kind, values: lockedOf(w[1] as Wire) };
		case "locked-rows":
			return {
				kind,
				rows: rowsOf(w[1] as Wire),
				resume: w[2] as Key | null,
				ts: w[3] as Timestamp,
				since: w[4] as Timestamp,
			};
		case "prepared":
			return { kind, p: w[1] as Timestamp };
		case "exported":
			return { kind, rows: exportedOf(w[1] as Wire), resume: w[2] as ExportPlace | null };
		case "committed":
			return { kind, c: w[1] as Timestamp };
		case "done":
			return { kind };
		default:
			return kind as RangeAnswer;
	}
}

const limitsToWire = (l: PageLimits): Wire => [l.rowsMax, l.bytesMax, l.reverse];

const limitsFromWire = (w: Wire, at: number): PageLimits => ({
	rowsMax: w[at] as number,
	bytesMax: w[at + 1] as number,
	reverse: w[at + 2] as boolean,
});

/** Left out where there is none: most reads have none. */
const ownerToWire = (owner: LockOwner | null | undefined): Wire => (owner == null ? [] : [owner]);

const ownerFromWire = (w: Wire, at: number): { readonly owner?: LockOwner } =>
	w.length > at ? { owner: w[at] as LockOwner } : {};

const lockToWire = (l: LockDemand): Wire => [
	l.owner,
	l.strength,
	l.wait,
	l.timeoutMs,
	l.mayBuild === true,
];

const lockFromWire = (w: Wire, at: number): LockDemand => ({
	owner: w[at] as LockOwner,
	strength: w[at + 1] as LockDemand["strength"],
	wait: w[at + 2] as LockDemand["wait"],
	timeoutMs: w[at + 3] as number,
	...(w[at + 4] === true ? { mayBuild: true } : {}),
});

const [absentFlag, markFlag] = [1, 2];

/** Key, value, since (or, a string, after what) and flags in turn. */
function flatWrites(writes: readonly RequestedWrite[]): unknown[] {
	const flat: unknown[] = [];
	for (const { key, value, since, after, absent, mark } of writes) {
		const flags = (absent === true ? absentFlag : 0) + (mark === true ? markFlag : 0);
		flat.push(key, value, after ?? since, flags);
	}
	return flat;
}

function writesOf(flat: Wire): RequestedWrite[] {
	const writes: RequestedWrite[] = [];
	for (let at = 0; at < flat.length; at += 4) {
		const flags = flat[at + 3] as number;
		const since = flat[at + 2] as Timestamp | TransactionId | null;
		writes.push({
			key: flat[at] as Key,
			value: flat[at + 1] as Uint8Array | null,
			...(typeof since === "string" ? { since: null, after: since } : { since }),
			...((flags & absentFlag) !== 0 ? { absent: true } : {}),
			...((flags & markFlag) !== 0 ? { mark: true } : {}),
		});
	}
	return writes;
}

/** Start, end, since and whether it need only be there in turn. */
function flatItems(items: readonly ValidateItem[]): unknown[] {
	return items.flatMap(({ span, since, present }) => [
		span.start,
		span.end,
		since,
		present === true,
	]);
}

function itemsOf(flat: Wire): ValidateItem[] {
	const items: ValidateItem[] = [];
	for (let at = 0; at < flat.length; at += 4) {
		const span = { start: flat[at] as Key, end: flat[at + 1] as Key };
		const present = flat[at + 3] === true ? { present: true } : {};
		items.push({ span, since: flat[at + 2] as Timestamp, ...present });
	}
	return items;
}

/** Key and value in turn. */
function flatRows(rows: readonly PageRow[]): unknown[] {
	const flat: unknown[] = new Array(2 * rows.length);
	for (let n = 0; n < rows.length; n++) {
		const row = rows[n]!;
		flat[2 * n] = row.key;
		flat[2 * n + 1] = row.value;
	}
	return flat;
}

function rowsOf(flat: Wire): PageRow[] {
	const rows: PageRow[] = new Array(flat.length / 2);
	for (let n = 0; n < rows.length; n++) {
		rows[n] = { key: flat[2 * n] as Key, value: flat[2 * n + 1] as Uint8Array };
	}
	return rows;
}

/** Key, timestamp and value in turn. */
function exportedOf(flat: Wire): ExportedChange[] {
	const rows: ExportedChange[] = [];
	for (let at = 0; at < flat.length; at += 3) {
		const [key, ts, value] = [flat[at], flat[at + 1], flat[at + 2]];
		rows.push({ key: key as Key, ts: ts as Timestamp, value: value as Uint8Array | null });
	}
	return rows;
}

/** Key, value, ts, since, and whether it was skipped or after what it comes in turn. */
function flatLocked(values: readonly LockedValue[]): unknown[] {
	return values.flatMap((v) => [v.key, v.value, v.ts, v.since, v.after ?? v.skipped === true]);
}

function lockedOf(flat: Wire): LockedValue[] {
	const values: LockedValue[] = [];
	for (let at = 0; at < flat.length; at += 5) {
		values.push({
			key: flat[at] as Key,
			value: flat[at + 1] as Uint8Array | null,
			ts: flat[at + 2] as Timestamp,
			since: flat[at + 3] as Timestamp,
			...extraOf(flat[at + 4] as boolean | TransactionId),
		});
	}
	return values;
}

function extraOf(extra: boolean | TransactionId): Pick<LockedValue, "skipped" | "after"> {
	if (typeof extra === "string") {
		return { after: extra };
	}
	return extra ? { skipped: true } : {};
}
