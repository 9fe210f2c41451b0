/** Reads the segments of a directory back: what every group has, and where the log goes on. */
import type { RangeId } from "@quorate/keys/ids";
import type { Disk, DiskFile, Runtime } from "@quorate/runtime/runtime";
import { GroupLog } from "./group-log.ts";
import { type LogPosition, readPosition } from "./position.ts";
import { decodeRecord, groupStartOf } from "./record.ts";
import {
	encodeSegmentHeader,
	readSegmentHeader,
	scanSegment,
	segmentHeaderBytes,
	segmentName,
	segmentNumber,
	WalCorruptionError,
} from "./segment.ts";
import { SegmentTable } from "./segment-table.ts";
import type { WalWrite } from "./types.ts";

/** The segment that is written to. */
export interface Head {
	readonly number: number;
	readonly salt: number;
	readonly file: DiskFile;
	/** Where the next group commit begins. */
	offset: number;
}

export type Open = (disk: Disk, path: string, mode: "create" | "existing") => Promise<DiskFile>;

export interface Recovery {
	readonly groups: Map<RangeId, GroupLog>;
	readonly segments: SegmentTable;
	readonly head: Head;
}

/** `open`: how the head is opened. */
export async function recover(runtime: Runtime, directory: string, open: Open): Promise<Recovery> {
	const disk = runtime.disk;
	await disk.makeDirectory(directory);
	const numbers = (await disk.list(directory))
		.map(segmentNumber)
		.filter((number) => number !== undefined);
	const groups = new Map<RangeId, GroupLog>();
	const segments = new SegmentTable();
	const noted = await readPosition(disk, directory);
	checkFiles(numbers, noted);
	let head: Head | undefined;
	for (const [position, number] of numbers.entries()) {
		if (position > 0 && number !== (numbers[position - 1] as number) + 1) {
			const name = segmentName((numbers[position - 1] as number) + 1);
			throw new WalCorruptionError(name, 0, "there is no file");
		}
		const last = position === numbers.length - 1;
		const least = noted?.last === number ? noted.end : 0;
		head = await recoverSegment(
			runtime,
			directory,
			{ number, last, least },
			groups,
			segments,
			open,
		);
	}
	const next = (numbers.at(-1) ?? 1) as number;
	head ??= await createSegment(runtime, directory, next, segments, open);
	segments.add(head.number, head.offset);
	return { groups, segments, head };
}

/** Segments that were there are missing from the beginning or the end. */
function checkFiles(numbers: readonly number[], noted: LogPosition | undefined): void {
	if (noted === undefined) {
		return;
	}
	const [first, last] = [numbers[0] ?? Number.POSITIVE_INFINITY, numbers.at(-1) ?? 0];
	if (first > noted.first || last < noted.last) {
		const missing = first > noted.first ? noted.first : last + 1;
		throw new WalCorruptionError(segmentName(missing), 0, "there is no file");
	}
}

/** The head if it is the last segment and goes on. `least`: so much of it was once synced. */
async function recoverSegment(
	runtime: Runtime,
	directory: string,
	{
		number,
		last,
		least,
	}: { readonly number: number; readonly last: boolean; readonly least: number },
	groups: Map<RangeId, GroupLog>,
	segments: SegmentTable,
	open: Open,
): Promise<Head | undefined> {
	const disk = runtime.disk;
	const path = `${directory}/${segmentName(number)}`;
	const whole = (await disk.readWhole(path)) ?? new Uint8Array();
	const bytes = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
	const header = readSegmentHeader(bytes, number);
	if (header === "torn") {
		if (!last || least > 0) {
			throw new WalCorruptionError(segmentName(number), 0, "a bad header");
		}
		await disk.remove(path);
		await disk.syncDirectory(directory);
		return undefined;
	}
	const { salt, endBefore } = header;
	const before = segments.newestBytes;
	if (before !== undefined && before !== endBefore) {
		throw new WalCorruptionError(
			segmentName(number - 1),
			before,
			`the segment ends, and did at ${endBefore},`,
		);
	}
	segments.add(number, bytes.length);
	/** Where the last group commit begins; of a segment without any, all of it is the header. */
	let lastGroup = 0;
	const end = scanSegment(bytes, number, salt, last, (start, stop, offset) => {
		lastGroup = groupStartOf(bytes, start);
		replay(bytes, start, stop, offset, number, groups, segments);
	});
	if (end < least) {
		throw new WalCorruptionError(
			segmentName(number),
			end,
			`the records end, and did not before ${least},`,
		);
	}
	if (!last) {
		return undefined;
	}
	const file = await open(disk, path, "existing");
	if (end < bytes.length) {
		runtime.logger.log("warn", "cut the torn tail of the write-ahead log", {
			segment: segmentName(number),
			offset: end,
			bytes: bytes.length - end,
		});
		await file.truncate(end);
	}
	// Also where nothing was cut: what was read may be in the page cache only, and the node is about to act on it. If the sync of
	// the last group commit has failed, the page cache holds it as clean, and another sync would do nothing: it is written again.
	await file.write(bytes.subarray(lastGroup, end), lastGroup);
	await file.sync();
	await disk.syncDirectory(directory);
	return { number, salt, file, offset: end };
}

function replay(
	bytes: Buffer,
	start: number,
	end: number,
	offset: number,
	segment: number,
	groups: Map<RangeId, GroupLog>,
	segments: SegmentTable,
): void {
	const record = decodeRecord(bytes, start, end);
	if (record === undefined) {
		const what = "a record of a kind that this program does not know";
		throw new WalCorruptionError(segmentName(segment), offset, what);
	}
	const { kind, write } = record;
	const refusal = kind === "write" ? refuse(groups, write) : undefined;
	if (refusal !== undefined) {
		throw new WalCorruptionError(segmentName(segment), offset, refusal);
	}
	applyRecord(groups, segments, kind === "checkpoint", write, segment);
}

/** Why `write` cannot follow what its group has, or undefined. */
export function refuse(
	groups: ReadonlyMap<RangeId, GroupLog>,
	write: WalWrite,
): string | undefined {
	const group = groups.get(write.rangeId);
	return group?.replicaId === write.replicaId ? group.refusal(write) : undefined;
}

/** The one way in which a record changes what the log holds, in operation and in recovery. */
export function applyRecord(
	groups: Map<RangeId, GroupLog>,
	segments: SegmentTable,
	checkpoint: boolean,
	write: WalWrite,
	segment: number,
): void {
	let group = groups.get(write.rangeId);
	if (group !== undefined && (checkpoint || group.replicaId !== write.replicaId || write.removed)) {
		group.release();
		groups.delete(write.rangeId);
		group = undefined;
	}
	if (write.removed) {
		return;
	}
	if (group === undefined) {
		group = new GroupLog(write.rangeId, write.replicaId, segments);
		groups.set(write.rangeId, group);
	}
	group.apply(write, segment);
}

/** Resolves when the file, its header and its name are durable: a longer file with a bad header is damaged. */
export async function createSegment(
	runtime: Runtime,
	directory: string,
	number: number,
	segments: SegmentTable,
	open: Open,
): Promise<Head> {
	const disk = runtime.disk;
	const salt = Buffer.from(runtime.random.bytes(4)).readUInt32LE(0);
	const endBefore = segments.newestBytes ?? 0;
	const file = await open(disk, `${directory}/${segmentName(number)}`, "create");
	try {
		await file.write(encodeSegmentHeader(number, { salt, endBefore }), 0);
		await file.sync().catch(syncFailed);
		await disk.syncDirectory(directory).catch(syncFailed);
	} catch (error) {
		await file.close();
		throw error;
	}
	return { number, salt, file, offset: segmentHeaderBytes };
}

/** What a failed sync ends with, whatever it failed with: it must not be tried again, not even where the disk was full. */
export function syncFailed(error: unknown): never {
	throw new Error(error instanceof Error ? error.message : String(error));
}
