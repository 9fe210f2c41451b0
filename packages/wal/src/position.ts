/**
 * How far the log goes, noted beside it: from which segment on, and up to which byte of the last one it was synced. A segment does
 * not know that it was once longer, nor a directory that a file is missing from its end: without the note both would pass for a
 * log that ends there.
 *
 *  1. It never says more than is so: the end is noted after the sync of what lies before it, and a segment is said to be gone
 *     before it is removed (that one is synced, the rest is not: it need not survive a power loss, and costs no sync).
 *  2. It may say less: by what was written in the last tenth of a second, and by more after a power loss. So what a kill spares of
 *     it is as good as exact, and after an orderly stop it is exact.
 *  3. One that cannot be read says nothing, and is begun anew.
 */
import { crc32 } from "node:zlib";
import type { Disk, DiskFile } from "@quorate/runtime/runtime";

const magic = 0x504c4157; // "WALP", little-endian
const formatVersion = 1;
const sizeBytes = 24;
export const positionName = "position";

export interface LogPosition {
	/** Number of the oldest segment that may be needed. */
	readonly first: number;
	/** Number of the segment that is written to. */
	readonly last: number;
	/** What lies before it in that segment was synced. */
	readonly end: number;
}

export async function readPosition(
	disk: Disk,
	directory: string,
): Promise<LogPosition | undefined> {
	const whole = await disk.readWhole(`${directory}/${positionName}`);
	if (whole === undefined || whole.length !== sizeBytes) {
		return undefined;
	}
	const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
	const isValid =
		bytes.readUInt32LE(0) === magic &&
		bytes.readUInt32LE(4) === formatVersion &&
		bytes.readUInt32LE(20) === crc32(bytes.subarray(0, 20));
	return isValid
		? { first: bytes.readUInt32LE(8), last: bytes.readUInt32LE(12), end: bytes.readUInt32LE(16) }
		: undefined;
}

function encode({ first, last, end }: LogPosition): Buffer {
	const bytes = Buffer.alloc(sizeBytes);
	bytes.writeUInt32LE(magic, 0);
	bytes.writeUInt32LE(formatVersion, 4);
	bytes.writeUInt32LE(first, 8);
	bytes.writeUInt32LE(last, 12);
	bytes.writeUInt32LE(end, 16);
	bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
	return bytes;
}

export class PositionFile {
	readonly #file: DiskFile;

	private constructor(file: DiskFile) {
		this.#file = file;
	}

	static async open(disk: Disk, directory: string): Promise<PositionFile> {
		const file = await disk.open(`${directory}/${positionName}`, "create");
		// Of whatever was there, nothing may stay behind what is written.
		if ((await file.size()) > sizeBytes) {
			await file.truncate(sizeBytes);
		}
		return new PositionFile(file);
	}

	/** In place: a kill leaves the old or the new, and what a power loss leaves is recognized by its checksum. */
	write(position: LogPosition): Promise<void> {
		return this.#file.write(encode(position), 0);
	}

	sync(): Promise<void> {
		return this.#file.sync();
	}

	close(): Promise<void> {
		return this.#file.close();
	}
}
