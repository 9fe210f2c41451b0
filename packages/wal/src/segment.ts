/** A segment file: its name, its header, and reading its records with a verdict about its end. */
import { crc32 } from "node:zlib";
import { rebuildHint } from "@quorate/keys/damage";
import { DatabaseError } from "@quorate/keys/database-error";
import { checksum, payloadBytesMin, recordHeaderBytes } from "./record.ts";

/** Raised when the layout changes; a node refuses a version that it does not know. */
export const formatVersion = 2;
const magic = 0x4c415751; // "QWAL", little-endian
export const segmentHeaderBytes = 24;

/** The log cannot be trusted: the node must not start. `segment` and `offset` say where to look. */
export class WalCorruptionError extends DatabaseError {
	readonly segment: string;
	readonly offset: number;

	constructor(segment: string, offset: number, what: string) {
		super(
			"XX001",
			`the write-ahead log is damaged: ${what} in segment ${segment} at offset ${offset}`,
			{ hint: rebuildHint },
		);
		this.segment = segment;
		this.offset = offset;
	}
}

export const segmentName = (number: number): string =>
	`wal-${number.toString().padStart(10, "0")}.log`;

/** Undefined for other files. */
export function segmentNumber(name: string): number | undefined {
	const match = /^wal-([0-9]{10})\.log$/.exec(name);
	return match === null ? undefined : Number(match[1]);
}

export interface SegmentHeader {
	readonly salt: number;
	/** Where the segment before it ended when it was complete; 0 where there was none. */
	readonly endBefore: number;
}

/** magic, format version, segment number, salt, end of the segment before, checksum of these. */
export function encodeSegmentHeader(number: number, { salt, endBefore }: SegmentHeader): Buffer {
	const header = Buffer.alloc(segmentHeaderBytes);
	header.writeUInt32LE(magic, 0);
	header.writeUInt32LE(formatVersion, 4);
	header.writeUInt32LE(number, 8);
	header.writeUInt32LE(salt, 12);
	header.writeUInt32LE(endBefore, 16);
	header.writeUInt32LE(crc32(header.subarray(0, 20)), 20);
	return header;
}

/**
 * "torn" if the file never got further than its header: the header is synced before the first record is written, so a file that
 * is longer has a good one or is damaged.
 */
export function readSegmentHeader(bytes: Buffer, number: number): SegmentHeader | "torn" {
	const name = segmentName(number);
	if (bytes.length >= segmentHeaderBytes) {
		const version = bytes.readUInt32LE(4);
		if (bytes.readUInt32LE(0) === magic && version > formatVersion) {
			throw new WalCorruptionError(
				name,
				4,
				`format version ${version}, newer than this program knows (${formatVersion}),`,
			);
		}
		const valid = crc32(bytes.subarray(0, 20)) === bytes.readUInt32LE(20);
		if (valid && bytes.readUInt32LE(0) === magic) {
			if (version !== formatVersion || bytes.readUInt32LE(8) !== number) {
				throw new WalCorruptionError(name, 0, "a header of another segment or version");
			}
			return { salt: bytes.readUInt32LE(12), endBefore: bytes.readUInt32LE(16) };
		}
	}
	if (bytes.length > segmentHeaderBytes) {
		throw new WalCorruptionError(name, 0, "a bad header");
	}
	return "torn";
}

/** The end of the valid record at `offset`, or undefined. */
function recordEnd(bytes: Buffer, offset: number, salt: number): number | undefined {
	const start = offset + recordHeaderBytes;
	if (start > bytes.length) {
		return undefined;
	}
	const length = bytes.readUInt32LE(offset);
	if (length < payloadBytesMin || length > bytes.length - start) {
		return undefined;
	}
	const groupStart = bytes.readUInt32LE(start);
	if (groupStart > offset || groupStart < segmentHeaderBytes) {
		return undefined;
	}
	const end = start + length;
	const sum = checksum(bytes.subarray(start, end), salt, offset);
	return sum === bytes.readUInt32LE(offset + 4) ? end : undefined;
}

/**
 * Calls `visit` with each record's payload bounds; returns where the valid records end. Bytes after that are the torn tail of
 * the last group commit if `last`, and throw otherwise.
 */
export function scanSegment(
	bytes: Buffer,
	number: number,
	salt: number,
	last: boolean,
	visit: (start: number, end: number, offset: number) => void,
): number {
	let offset = segmentHeaderBytes;
	while (offset < bytes.length) {
		const end = recordEnd(bytes, offset, salt);
		if (end === undefined) {
			if (!last || laterGroupExists(bytes, offset, salt)) {
				throw new WalCorruptionError(
					segmentName(number),
					offset,
					"a bad record with valid ones after it",
				);
			}
			return offset;
		}
		visit(offset + recordHeaderBytes, end, offset);
		offset = end;
	}
	return offset;
}

/**
 * True if a record of a group commit that began after `bad` is in the file. A group is written only after the one before it
 * was synced, so then what is at `bad` was once durable. Records of the same group prove nothing: the blocks of one unsynced
 * write reach the disk in any order.
 */
function laterGroupExists(bytes: Buffer, bad: number, salt: number): boolean {
	for (let offset = bad + 1; offset + recordHeaderBytes + 4 <= bytes.length; offset++) {
		const groupStart = bytes.readUInt32LE(offset + recordHeaderBytes);
		if (groupStart > bad && groupStart <= offset && recordEnd(bytes, offset, salt) !== undefined) {
			return true;
		}
	}
	return false;
}
