/**
 * Empties the memtables once next to nothing is written any more. RocksDB by itself does when two of them are full: until then what
 * was written last stays in memory, as long as the node has nothing more to write, and a start reads it again out of the log.
 *
 * The binding has no call for it. So what fills memtables is written: a key that no span reaches, over and over, until as many of them
 * were left for a new one as RocksDB merges into a table. Of all that the table keeps one value, and the next one not even that.
 */
import type { Disk, Logger, Scheduler, Timer } from "@quorate/runtime/runtime";

/** It is looked so often while something was written since the last look. */
const lookMs = 10_000;
/** Fewer bytes between two looks are next to nothing. */
const quietBytesMax = 64 << 10;
const quietLooks = 2;
/** Of what a memtable has room for: fewer bytes are left where they are. */
const worthShare = 1 / 3;
/** RocksDB merges as many into a table (`min_write_buffer_number_to_merge`). */
const mergedMemtables = 2;
/** In one turn. */
const fillerBytes = 256 << 10;
/** Where the disk is about to be full, nothing is written that need not be. */
const freeBytesMin = 512 << 20;

export interface Memtables {
	/** All that are not in a table yet, in bytes. */
	allBytes(): number;
	/** The one that is written to. */
	activeBytes(): number;
	/** Those that are full. */
	fullCount(): number;
	/** The value of a key that nobody reads; undefined removes it. */
	fill(value: Uint8Array | undefined): void;
}

export interface QuietFlushOptions {
	readonly memtables: Memtables;
	/** What one memtable has room for. */
	readonly memtableBytes: number;
	readonly disk: Pick<Disk, "space">;
	readonly scheduler: Scheduler;
	readonly logger: Logger;
}

export class QuietFlush {
	readonly #options: QuietFlushOptions;
	#timer: Timer | undefined;
	#writtenBytes = 0;
	/** In a row. */
	#quiet = 0;
	#isClosed = false;
	#flushing: Promise<void> | undefined;

	constructor(options: QuietFlushOptions) {
		this.#options = options;
	}

	wrote(bytes: number): void {
		this.#writtenBytes += bytes;
		if (this.#flushing === undefined) this.#arm();
	}

	/** Resolves when nothing is under way. */
	async close(): Promise<void> {
		this.#isClosed = true;
		this.#timer?.cancel();
		await this.#flushing;
	}

	#arm(): void {
		if (this.#isClosed) return;
		this.#timer ??= this.#options.scheduler.setTimer(lookMs, () => {
			this.#timer = undefined;
			this.#look();
		});
	}

	#look(): void {
		const { memtables, memtableBytes, logger } = this.#options;
		this.#quiet = this.#writtenBytes <= quietBytesMax ? this.#quiet + 1 : 0;
		this.#writtenBytes = 0;
		if (memtables.allBytes() < memtableBytes * worthShare) return;
		if (this.#quiet < quietLooks) {
			this.#arm();
			return;
		}
		this.#quiet = 0;
		this.#flushing = this.#flush()
			.catch((error: unknown) =>
				logger.log("warn", "memtables stay full", { error: String(error) }),
			)
			.finally(() => {
				this.#flushing = undefined;
			});
	}

	async #flush(): Promise<void> {
		const { memtables, disk, scheduler } = this.#options;
		const space = await disk.space();
		if (space === undefined || space.freeBytes < freeBytesMin || this.#isClosed) return;
		// Where there are enough of them they are on their way.
		const full = memtables.fullCount();
		const filler = new Uint8Array(fillerBytes);
		let activeBytes = memtables.activeBytes();
		for (let left = 0; left < mergedMemtables - full; ) {
			await scheduler.yield();
			if (this.#isClosed) return;
			memtables.fill(filler);
			const now = memtables.activeBytes();
			if (now < activeBytes) left++;
			activeBytes = now;
		}
		memtables.fill(undefined);
	}
}
