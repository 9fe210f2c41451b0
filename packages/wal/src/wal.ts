/**
 * One write-ahead log a node, shared by all its Raft groups: the only place where Raft's promises become durable.
 *
 * The log is a row of segment files. Writers queue; one loop takes all that waits, lays it down as one contiguous write (a
 * *group commit*) that ends when it is on disk, and answers everyone. Calls made meanwhile are the next group. So under load
 * one write covers what every group of the node wrote, and the latency of a quiet node is that of one write. It begins in
 * the call itself: what the caller does next in its turn, applying entries for example, is done beside it.
 *
 *  1. `append` resolves only after the sync that covers it. A failed write or sync ends the node (`runtime.fatal`): after it the
 *     page cache cannot be trusted, and the promise of `append` never settles. A full disk is no such failure: what the write left
 *     is cut off, and all of it is written again until there is space; `onDiskFull` is told each time.
 *  2. A group commit is written only after the one before it was synced; a segment is begun (its header synced) only after the
 *     one before it was complete, and says where that ended. So only the last group commit of the last segment can be torn.
 *  3. Recovery cuts a torn tail. A bad record with a record of a later group commit after it was durable once: that is damage,
 *     and the node refuses to start, naming segment and offset. So is a segment that is missing or shorter than it was known to be
 *     (`position.ts`). (Damage to the last group commit alone cannot be told from a torn write.) What was recovered is synced
 *     before anyone acts on it, the last group commit after it was written again: its sync may have failed in the life before, and
 *     then the page cache shows what no sync makes durable any more.
 *  4. The state of a group is a function of its records in order. Segments are removed from the front only, one at a time and
 *     each removal made durable before the next, so that what is left is always a suffix: a removed group, a truncated entry or
 *     an old vote cannot come back.
 *  5. What recovery yields includes everything acknowledged. It may include more: writes that were not acknowledged, and
 *     entries that were compacted.
 *  6. An idle group does not pin old segments: when the oldest one is mostly dead, the groups that still need it are written to
 *     the head as checkpoints, which stand for all of the group.
 *
 * Nothing is ever read back but in recovery: Raft keeps the entries that it may need in memory, and this log shares them.
 * Left out: preallocation, compression, and more than one disk.
 *
 * May import: `runtime`, `keys`, `raft` (types and configurations).
 */
import { assert } from "@quorate/keys/assert";
import { isDiskFull } from "@quorate/keys/damage";
import type { RangeId } from "@quorate/keys/ids";
import type { Mutations } from "@quorate/keys/mutations";
import type { LogIndex } from "@quorate/raft/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import { ByteWriter } from "./codec.ts";
import type { GroupLog } from "./group-log.ts";
import { PositionFile } from "./position.ts";
import { encodeRecord, type RecordKind } from "./record.ts";
import {
	applyRecord,
	createSegment,
	type Head,
	type Open,
	type Recovery,
	recover,
	refuse,
	syncFailed,
} from "./recovery.ts";
import { segmentName } from "./segment.ts";
import type { SegmentTable } from "./segment-table.ts";
import type { RecoveredGroup, Wal, WalStatistics, WalWrite } from "./types.ts";

export interface WalOptions {
	/** A segment that has reached this size is not written to again. */
	readonly segmentSizeBytes?: number;
	/** A write found the disk full, and is going to be tried again; false: it has been, and there was space. */
	readonly onDiskFull?: (isFull: boolean) => void;
	/** Tests only. */
	readonly mutations?: Mutations | undefined;
}

/** Checkpoints added to one group commit, so that carrying forward does not hold up writers. */
const carriedBytesMax = 1 << 20;
/** After a write that found the disk full. */
const fullRetryMs = 100;
/** Between two notes of how far the log goes. */
const positionMs = 100;

/** Rejects with `WalCorruptionError` if the log cannot be trusted. `directory` is the log's own. */
export async function openWal(
	runtime: Runtime,
	directory: string,
	options: WalOptions = {},
): Promise<{ readonly wal: Wal; readonly recovered: readonly RecoveredGroup[] }> {
	const open = options.mutations?.withoutSync === true ? openCached : openDurable;
	const recovery = await recover(runtime, directory, open);
	const recovered = [...recovery.groups.values()]
		.map((group) => group.recovered())
		.sort((a, b) => a.rangeId - b.rangeId);
	const position = await PositionFile.open(runtime.disk, directory);
	const opened = { open, recovery, position };
	return { wal: new SegmentedWal(runtime, directory, options, opened), recovered };
}

/** The log was closed while it waited for space: nothing of what waits was promised. */
class Abandoned extends Error {}

function ignoreFullDisk(error: unknown): void {
	if (!isDiskFull(error)) {
		throw error;
	}
}

const openDurable: Open = (disk, path, mode) => disk.openDurable(path, mode);
const openCached: Open = (disk, path, mode) => disk.open(path, mode);

interface Opened {
	/** How segments are opened. */
	readonly open: Open;
	readonly recovery: Recovery;
	readonly position: PositionFile;
}

interface Waiter {
	readonly writes: readonly WalWrite[];
	readonly resolve: () => void;
}

class SegmentedWal implements Wal {
	readonly #runtime: Runtime;
	readonly #directory: string;
	readonly #segmentSizeBytes: number;
	readonly #openSegment: Open;
	readonly #syncsWrites: boolean;
	readonly #onDiskFull: (isFull: boolean) => void;
	readonly #position: PositionFile;
	/** The note that was begun last. One at a time: an older one must not overwrite a newer. */
	#noting: Promise<void> = Promise.resolve();
	#noteTimer: Timer | undefined;
	/** Segments below it are removed, or about to be. */
	#goneBefore = 0;
	readonly #groups: Map<RangeId, GroupLog>;
	readonly #segments: SegmentTable;
	readonly #out = new ByteWriter();
	#head: Head;
	#waiters: Waiter[] = [];
	/** Groups whose checkpoint is to be written. */
	#carried: GroupLog[] = [];
	#running = false;
	/** Ends when the loop that was started last does. */
	#loop: Promise<void> = Promise.resolve();
	/** Bytes written since `#chooseCarried` last looked at all groups. */
	#unexaminedBytes = 0;
	#state: "open" | "failed" | "closed" = "open";
	#isClosing = false;
	/** Ends the pause of a writer that found the disk full. */
	#stopWaiting: () => void = () => undefined;
	#syncs = 0;
	#writes = 0;

	constructor(runtime: Runtime, directory: string, options: WalOptions, opened: Opened) {
		this.#runtime = runtime;
		this.#directory = directory;
		this.#segmentSizeBytes = options.segmentSizeBytes ?? 64 << 20;
		const { recovery, position } = opened;
		this.#openSegment = opened.open;
		this.#syncsWrites = options.mutations?.withoutSync !== true;
		this.#onDiskFull = options.onDiskFull ?? (() => undefined);
		this.#position = position;
		this.#groups = recovery.groups;
		this.#segments = recovery.segments;
		this.#head = recovery.head;
	}

	append(writes: readonly WalWrite[]): Promise<void> {
		assert(this.#state !== "closed", "append to a closed log");
		if (writes.length === 0) {
			return Promise.resolve();
		}
		return new Promise((resolve) => {
			this.#waiters.push({ writes, resolve });
			this.#wake();
		});
	}

	compact(rangeId: RangeId, index: LogIndex): void {
		this.#groups.get(rangeId)?.compact(index);
		if (this.#segments.count > 1) {
			this.#wake();
		}
	}

	statistics(): WalStatistics {
		return {
			segments: this.#segments.count,
			sizeBytes: this.#segments.sizeBytes,
			syncs: this.#syncs,
			writes: this.#writes,
		};
	}

	async close(): Promise<void> {
		if (this.#state === "closed") {
			return;
		}
		this.#isClosing = true;
		this.#stopWaiting();
		while (this.#running) {
			await this.#loop;
		}
		this.#noteTimer?.cancel();
		if (this.#state === "open") {
			this.#state = "closed";
			await this.#note().then(() => this.#position.sync(), ignoreFullDisk);
			await this.#head.file.close();
			await this.#position.close();
		}
	}

	#wake(): void {
		if (!this.#running && this.#state === "open") {
			this.#running = true;
			// A throwing `fatal` (a simulated node's) has said all there is to say.
			this.#loop = this.#run().catch(() => undefined);
		}
	}

	async #run(): Promise<void> {
		try {
			do {
				if (this.#waiters.length > 0 || this.#carried.length > 0) {
					await this.#commitGroup();
				}
				await this.#removeDeadSegments();
				this.#chooseCarried();
			} while (this.#waiters.length > 0 || this.#carried.length > 0);
			this.#running = false;
		} catch (error) {
			this.#running = false;
			this.#state = "failed";
			if (error instanceof Abandoned) {
				return;
			}
			const reason = error instanceof Error ? error.message : String(error);
			this.#runtime.fatal(`write-ahead log ${this.#directory}: ${reason}`);
		}
	}

	async #commitGroup(): Promise<void> {
		if (this.#head.offset >= this.#segmentSizeBytes) {
			await this.#beginSegment();
		}
		const waiters = this.#waiters;
		this.#waiters = [];
		const out = this.#out;
		out.reset();
		for (const waiter of waiters) {
			for (const write of waiter.writes) {
				const refusal = refuse(this.#groups, write);
				assert(refusal === undefined, () => refusal as string);
				this.#record("write", write);
			}
		}
		this.#recordCarried();
		const head = this.#head;
		await this.#whenThereIsSpace(
			() => head.file.write(out.view(), head.offset),
			() => head.file.truncate(head.offset),
		);
		this.#noteSoon();
		head.offset += out.length;
		this.#unexaminedBytes += out.length;
		this.#segments.add(head.number, head.offset);
		this.#syncs++;
		for (const waiter of waiters) {
			waiter.resolve();
		}
	}

	#record(kind: RecordKind, write: WalWrite): void {
		encodeRecord(this.#out, kind, write, this.#head.offset, this.#head.salt);
		applyRecord(this.#groups, this.#segments, kind === "checkpoint", write, this.#head.number);
		this.#writes++;
	}

	#recordCarried(): void {
		let bytes = 0;
		while (this.#carried.length > 0 && bytes < carriedBytesMax) {
			const group = this.#carried.pop() as GroupLog;
			// It may have gone, or have been replaced, since it was chosen.
			if (this.#groups.get(group.rangeId) === group) {
				bytes += group.liveBytes;
				this.#record("checkpoint", group.checkpoint());
			}
		}
	}

	async #beginSegment(): Promise<void> {
		const full = this.#head;
		await this.#whenThereIsSpace(
			async () => {
				const { number } = full;
				this.#head = await createSegment(
					this.#runtime,
					this.#directory,
					number + 1,
					this.#segments,
					this.#openSegment,
				);
			},
			() => Promise.resolve(),
		);
		this.#segments.add(this.#head.number, this.#head.offset);
		await full.file.close();
	}

	/** `undo` takes back what a write that failed may have done. */
	async #whenThereIsSpace(write: () => Promise<void>, undo: () => Promise<void>): Promise<void> {
		for (let attempt = 0; ; attempt++) {
			try {
				await write();
				if (attempt > 0) {
					this.#onDiskFull(false);
				}
				return;
			} catch (error) {
				if (!isDiskFull(error)) {
					throw error;
				}
			}
			await undo();
			this.#onDiskFull(true);
			await this.#pause();
			if (this.#isClosing) {
				throw new Abandoned();
			}
		}
	}

	#pause(): Promise<void> {
		return new Promise((resolve) => {
			this.#stopWaiting = resolve;
			this.#runtime.scheduler.setTimer(fullRetryMs, resolve);
		});
	}

	#noteSoon(): void {
		if (!this.#syncsWrites) {
			return;
		}
		this.#noteTimer ??= this.#runtime.scheduler.setTimer(positionMs, () => {
			this.#noteTimer = undefined;
			// It is allowed to say less.
			this.#note().catch(() => undefined);
		});
	}

	/** Notes how far the log goes, as it is when its turn comes: a segment that is about to be removed counts as gone for good. */
	#note(): Promise<void> {
		const note = this.#noting
			.catch(() => undefined)
			.then(() => {
				const { number, offset } = this.#head;
				const first = Math.max(this.#segments.oldest?.number ?? number, this.#goneBefore);
				return this.#syncsWrites
					? this.#position.write({ first, last: number, end: offset })
					: undefined;
			});
		this.#noting = note;
		return note;
	}

	/** Runs between group commits: everything that the groups know of is durable. */
	async #removeDeadSegments(): Promise<void> {
		for (;;) {
			const oldest = this.#segments.oldest;
			if (oldest === undefined || oldest.pins > 0 || this.#segments.count === 1) {
				return;
			}
			this.#goneBefore = oldest.number + 1;
			try {
				await this.#note();
			} catch (error) {
				ignoreFullDisk(error);
				return;
			}
			await this.#position.sync().catch(syncFailed);
			this.#segments.dropOldest();
			await this.#runtime.disk.remove(`${this.#directory}/${segmentName(oldest.number)}`);
			await this.#runtime.disk.syncDirectory(this.#directory);
		}
	}

	/**
	 * Chooses the groups that keep the oldest segment, if to write them again costs at most half a segment, or if the log is
	 * more than four times as large as what is needed of it.
	 */
	#chooseCarried(): void {
		const oldest = this.#segments.oldest;
		if (
			oldest === undefined ||
			this.#segments.count < 3 ||
			this.#carried.length > 0 ||
			this.#unexaminedBytes < this.#segmentSizeBytes / 8
		) {
			return;
		}
		this.#unexaminedBytes = 0;
		const half = this.#segmentSizeBytes / 2;
		const pinning: GroupLog[] = [];
		let pinningBytes = 0;
		let liveBytes = 0;
		for (const group of this.#groups.values()) {
			liveBytes += group.liveBytes;
			if (group.isPinning(oldest.number)) {
				pinning.push(group);
				pinningBytes += group.liveBytes;
			}
		}
		if (
			pinningBytes <= half ||
			this.#segments.sizeBytes > 4 * (liveBytes + this.#segmentSizeBytes)
		) {
			this.#carried = pinning;
		}
	}
}
