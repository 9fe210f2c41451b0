/**
 * The keys of the engine. The first byte is the kind:
 *
 *     d  data       user key                              the newest version, if the key is not deleted
 *     x  deletion   user key                              when a key was deleted last; may be older than its newest version
 *     h  history    escaped user key, end timestamp       a version that was overwritten or deleted at that timestamp
 *     i  intent     user key                              what a transaction means to write
 *     t  record     escaped anchor key, transaction id    records and tombstones of transactions
 *     m  meta       range id, name                        state of a replica
 *     s  staging    range id, engine key                  a snapshot that is being received
 *
 * Keys that something follows are escaped so that the order of user keys is kept: 0x00 becomes 0x00 0xff, and 0x00 0x01 ends
 * the key. Integers are big-endian.
 */
import { assert } from "@quorate/keys/assert";
import type { RangeId, TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";

const terminator = "\0\x01";

export const dataKey = (k: Key): Key => `d${k}` as Key;
export const deletionKey = (k: Key): Key => `x${k}` as Key;
export const intentKey = (k: Key): Key => `i${k}` as Key;

/** The user key of a data, deletion or intent key. */
export const userKey = (k: Key): Key => k.slice(1) as Key;

const zero = 0x00;
const afterZero = 0xff;
/** Longer keys are rare. */
const shortKeyMax = 256;
const escaped = Buffer.allocUnsafeSlow(2 * shortKeyMax);

/** A key of numbers has many zeros: by `replaceAll` each of them makes three strings. */
function escapeKey(k: Key): string {
	if (!k.includes("\0")) {
		return k;
	}
	if (k.length > shortKeyMax) {
		return k.replaceAll("\0", "\0\xff");
	}
	let length = 0;
	for (let at = 0; at < k.length; at++) {
		const byte = k.charCodeAt(at);
		escaped[length++] = byte;
		if (byte === zero) {
			escaped[length++] = afterZero;
		}
	}
	return escaped.toString("latin1", 0, length);
}

function bigEndian(value: number, bytes: 6 | 8): string {
	const high = Math.floor(value / 0x1_0000_0000);
	const tail = String.fromCharCode(
		(high >>> 8) & 0xff,
		high & 0xff,
		(value >>> 24) & 0xff,
		(value >>> 16) & 0xff,
		(value >>> 8) & 0xff,
		value & 0xff,
	);
	return bytes === 6 ? tail : String.fromCharCode(high >>> 24, (high >>> 16) & 0xff) + tail;
}

function readBigEndian(k: string, at: number, bytes: 6 | 8): number {
	let value = 0;
	for (let n = 0; n < bytes; n++) {
		value = value * 256 + k.charCodeAt(at + n);
	}
	return value;
}

/** What the history keys of one user key begin with, and no others. */
export const historyPrefix = (k: Key): Key => `h${escapeKey(k)}${terminator}` as Key;

/** Above every history key that begins with `prefix`, below those of the next user key. */
export const historyPrefixEnd = (prefix: Key): Key => `${prefix.slice(0, -1)}\x02` as Key;

/** `prefix` as of `historyPrefix`. */
export const historyKeyOf = (prefix: Key, end: Timestamp): Key =>
	(prefix + bigEndian(end, 8)) as Key;

export const historyKey = (k: Key, end: Timestamp): Key => historyKeyOf(historyPrefix(k), end);

export const historyPrefixOf = (k: Key): Key => k.slice(0, -8) as Key;

export const historyEnd = (k: Key): Timestamp => readBigEndian(k, k.length - 8, 8) as Timestamp;

/** The user key of what `historyPrefix` gave. */
export function historyUserKey(prefix: Key): Key {
	const escaped = prefix.slice(1, -terminator.length);
	return (escaped.includes("\0") ? escaped.replaceAll("\0\xff", "\0") : escaped) as Key;
}

export function transactionKey(anchor: Key, transaction: TransactionId): Key {
	return `t${escapeKey(anchor)}${terminator}${transaction}` as Key;
}

const rangePrefix = (kind: string, rangeId: RangeId): Key => (kind + bigEndian(rangeId, 6)) as Key;

export const metaKey = (rangeId: RangeId, name: string): Key =>
	(rangePrefix("m", rangeId) + name) as Key;

/** Meta keys of all ranges. */
export const allMetaSpan: Span = { start: "m" as Key, end: "n" as Key };

export function parseMetaKey(k: Key): { readonly rangeId: RangeId; readonly name: string } {
	assert(k.startsWith("m") && k.length >= 7, "not a meta key");
	return { rangeId: readBigEndian(k, 1, 6) as RangeId, name: k.slice(7) };
}

/** A received snapshot's keys lie behind this, as they are, until all of them are there. */
export const stagingPrefix = (rangeId: RangeId): Key => rangePrefix("s", rangeId);

export const stagingSpan = (rangeId: RangeId): Span => ({
	start: stagingPrefix(rangeId),
	end: rangePrefix("s", (rangeId + 1) as RangeId),
});

const plainSpan = (kind: string, span: Span): Span => ({
	start: (kind + span.start) as Key,
	end: (kind + span.end) as Key,
});

/** Without a terminator a bound lies below all that belongs to its key. */
const escapedSpan = (kind: string, span: Span): Span => ({
	start: (kind + escapeKey(span.start)) as Key,
	end: (kind + escapeKey(span.end)) as Key,
});

export const dataSpan = (span: Span): Span => plainSpan("d", span);
export const deletionSpan = (span: Span): Span => plainSpan("x", span);
export const intentSpan = (span: Span): Span => plainSpan("i", span);
export const historySpan = (span: Span): Span => escapedSpan("h", span);
export const transactionSpan = (span: Span): Span => escapedSpan("t", span);

/** Everything that belongs to the keys of `span`, of all kinds: what a snapshot carries and what clearing a replica removes. */
export const engineSpans = (span: Span): readonly Span[] => [
	dataSpan(span),
	historySpan(span),
	intentSpan(span),
	transactionSpan(span),
	deletionSpan(span),
];
