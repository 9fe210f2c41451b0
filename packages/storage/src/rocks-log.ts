/**
 * RocksDB's own log files, as far as we must understand them: where the sequence numbers of each begin and end. RocksDB replays
 * them one after the other and does not ask whether something is missing between two; a log that has lost its end, or is gone, would
 * leave a hole. Format: https://github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format. The manifest is in the same form.
 */
import type { Disk } from "@quorate/runtime/runtime";

const blockBytes = 32 << 10;
const headerBytes = 7;
/** Of a batch: sequence number of its first operation, and how many there are. */
const batchHeaderBytes = 12;
const full = 1;
const first = 2;
const last = 4;

/** The records of a file, up to the first that is not whole. Of each at most `most` bytes. */
export function* recordsOf(bytes: Buffer, most = Number.POSITIVE_INFINITY): Generator<Buffer> {
	let parts: Buffer[] = [];
	for (let at = 0; at + headerBytes <= bytes.length; ) {
		const left = blockBytes - (at % blockBytes);
		const length = left < headerBytes ? 0 : bytes.readUInt16LE(at + 4);
		const type = left < headerBytes ? 0 : bytes[at + 6]!;
		if (left < headerBytes || (type === 0 && length === 0)) {
			at += left;
			continue;
		}
		const end = at + headerBytes + length;
		if (type < full || type > last || headerBytes + length > left || end > bytes.length) {
			return;
		}
		if (type === full || type === first) parts = [];
		parts.push(bytes.subarray(at + headerBytes, Math.min(end, at + headerBytes + most)));
		if (type === full || type === last) yield Buffer.concat(parts);
		at = end;
	}
}

export interface Sequences {
	/** Undefined in a log that holds nothing. */
	readonly first: number | undefined;
	/** What the next log begins with. */
	readonly end: number | undefined;
}

export function sequencesOf(bytes: Buffer): Sequences {
	let begin: number | undefined;
	let end: number | undefined;
	for (const record of recordsOf(bytes, batchHeaderBytes)) {
		if (record.length < batchHeaderBytes) break;
		const sequence = Number(record.readBigUInt64LE(0));
		begin ??= sequence;
		end = sequence + record.readUInt32LE(8);
	}
	return { first: begin, end };
}

/** Enough for the first record of a log. */
const beginningBytes = headerBytes + batchHeaderBytes;

/** The sequence number that a log begins with; undefined where it holds nothing, or is not there. */
export async function firstSequence(disk: Disk, path: string): Promise<number | undefined> {
	const whole = await disk.readWhole(path);
	if (whole === undefined || whole.length < beginningBytes) {
		return undefined;
	}
	return sequencesOf(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength)).first;
}

/** Tags of a manifest's record that come before what it says of tables, by what follows them. */
const numberTags = new Set([2, 3, 4, 9, 10, 203]);
const textTags = new Set([1, 8193]);
const logNumberTag = 2;

/** Logs with lower numbers are in tables already. */
export function liveLogsFrom(manifest: Buffer): number {
	let from = 0;
	for (const record of recordsOf(manifest)) {
		for (let at = 0; at < record.length; ) {
			const tag = varint(record, at);
			const value = varint(record, tag.end);
			if (textTags.has(tag.value)) {
				at = value.end + value.value;
			} else if (numberTags.has(tag.value)) {
				at = value.end;
				if (tag.value === logNumberTag) from = Math.max(from, value.value);
			} else {
				break;
			}
		}
	}
	return from;
}

function varint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } {
	let value = 0;
	let unit = 1;
	let at = start;
	for (;;) {
		const byte = bytes[at++] ?? 0;
		value += (byte & 0x7f) * unit;
		unit *= 128;
		if (byte < 0x80) {
			return { value, end: at };
		}
	}
}

const logPattern = /^(\d+)\.log$/;

/** Numbers of the logs among `names`, in order. */
export const logNumbers = (names: readonly string[]): number[] =>
	names
		.map((name) => logPattern.exec(name))
		.filter((match) => match !== null)
		.map((match) => Number(match[1]))
		.sort((a, b) => a - b);

export const logName = (number: number): string => `${String(number).padStart(6, "0")}.log`;

/**
 * Of the live logs, those that come after a gap: what the log before should have led up to is lost, so they must not be replayed.
 * After a power loss that is nothing unusual, since their writes reach the disk in any order.
 */
export async function logsAfterGap(
	disk: Disk,
	path: string,
	live: readonly number[],
): Promise<readonly number[]> {
	let expected: number | undefined;
	for (const [position, number] of live.entries()) {
		const whole = (await disk.readWhole(`${path}/${logName(number)}`)) ?? new Uint8Array();
		const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
		const { first: begin, end } = sequencesOf(bytes);
		if (begin !== undefined && expected !== undefined && begin !== expected) {
			return live.slice(position);
		}
		expected = end ?? expected;
	}
	return [];
}
