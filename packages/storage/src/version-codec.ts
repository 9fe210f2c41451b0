/** The bytes of versions and intents. */
import { assert } from "@quorate/keys/assert";
import type { TransactionId } from "@quorate/keys/ids";
import { type Key, keyFromBytes } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { Intent, Version } from "./versions.ts";

/**
 * A data and a history value are the same bytes: the timestamp at which the version began, big-endian, and the value. So a
 * version moves to history as it is. Timestamps leave the first byte free: in history it says that a deletion ended the version.
 */
const timestampBytes = 8;

export function encodeVersion(ts: Timestamp, value: Uint8Array): Uint8Array {
	const bytes = Buffer.allocUnsafe(timestampBytes + value.length);
	writeTimestamp(bytes, 0, ts);
	bytes.set(value, timestampBytes);
	return bytes;
}

export function encodeTimestamp(ts: Timestamp): Uint8Array {
	const bytes = Buffer.allocUnsafe(timestampBytes);
	writeTimestamp(bytes, 0, ts);
	return bytes;
}

export function readTimestamp(bytes: Uint8Array): Timestamp {
	const high = ((bytes[1] as number) << 16) | ((bytes[2] as number) << 8) | (bytes[3] as number);
	const low =
		((bytes[4] as number) << 24) |
		((bytes[5] as number) << 16) |
		((bytes[6] as number) << 8) |
		(bytes[7] as number);
	return (high * 0x1_0000_0000 + (low >>> 0)) as Timestamp;
}

export const versionValue = (bytes: Uint8Array): Uint8Array => bytes.subarray(timestampBytes);

export const decodeVersion = (bytes: Uint8Array): Version => ({
	ts: readTimestamp(bytes),
	value: versionValue(bytes),
});

/** The history value of a version that a deletion ended. */
export function markDeleted(version: Uint8Array): Uint8Array {
	const bytes = Buffer.from(version);
	bytes[0] = 1;
	return bytes;
}

export const wasDeleted = (history: Uint8Array): boolean => history[0] === 1;

function writeTimestamp(bytes: Buffer, at: number, ts: Timestamp): void {
	bytes.writeUInt32BE(Math.floor(ts / 0x1_0000_0000), at);
	bytes.writeUInt32BE(ts >>> 0, at + 4);
}

const intentFormat = 1;
const hasValue = 1;
const isMark = 2;
/** format, flags, p, chunk, length of the transaction id, length of the anchor. */
const intentHeaderBytes = 1 + 1 + timestampBytes + 4 + 2 + 4;

export function encodeIntent(intent: Intent): Uint8Array {
	const { transaction, anchor, value } = intent;
	const bytes = Buffer.allocUnsafe(
		intentHeaderBytes + transaction.length + anchor.length + (value?.length ?? 0),
	);
	bytes[0] = intentFormat;
	bytes[1] = (value === undefined ? 0 : hasValue) | (intent.mark ? isMark : 0);
	writeTimestamp(bytes, 2, intent.p);
	let at = bytes.writeUInt32BE(intent.chunk, 10);
	at = bytes.writeUInt16BE(transaction.length, at);
	at = bytes.writeUInt32BE(anchor.length, at);
	at += bytes.write(transaction, at, "latin1");
	at += bytes.write(anchor, at, "latin1");
	if (value !== undefined) {
		bytes.set(value, at);
	}
	return bytes;
}

interface Owner {
	readonly bytes: Uint8Array;
	readonly transaction: TransactionId;
	readonly anchor: Key;
}

/** Of the intent that was decoded last: neighbours are mostly of one transaction, and two strings less are worth a comparison. */
let lastOwner: Owner = {
	bytes: new Uint8Array(),
	transaction: "" as TransactionId,
	anchor: "" as Key,
};

function decodeOwner(bytes: Buffer, anchorAt: number, valueAt: number): Owner {
	const known = lastOwner.bytes;
	const from = intentHeaderBytes;
	const isSame =
		known.length === valueAt - from &&
		lastOwner.transaction.length === anchorAt - from &&
		bytes.compare(known, 0, known.length, from, valueAt) === 0;
	if (!isSame) {
		lastOwner = {
			bytes: Uint8Array.prototype.slice.call(bytes, from, valueAt),
			transaction: bytes.toString("latin1", from, anchorAt) as TransactionId,
			anchor: keyFromBytes(bytes.subarray(anchorAt, valueAt)) as Key,
		};
	}
	return lastOwner;
}

export function decodeIntent(value: Uint8Array): Intent {
	const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
	assert(
		bytes[0] === intentFormat,
		() => `an intent of format ${bytes[0]}: this program knows ${intentFormat}`,
	);
	const flags = bytes[1] as number;
	const anchorAt = intentHeaderBytes + bytes.readUInt16BE(14);
	const valueAt = anchorAt + bytes.readUInt32BE(16);
	const { transaction, anchor } = decodeOwner(bytes, anchorAt, valueAt);
	return {
		transaction,
		p: readTimestamp(bytes.subarray(2)),
		anchor,
		value: (flags & hasValue) === 0 ? undefined : bytes.subarray(valueAt),
		chunk: bytes.readUInt32BE(10),
		mark: (flags & isMark) !== 0,
	};
}
