/**
 * The engine on disk: RocksDB through its synchronous calls. Reads and unsynced writes take microseconds and no thread hop.
 *
 *  1. Writes go to RocksDB's own log, unsynced: they survive a crash of the process, and a power loss up to the last `sync`.
 *  2. `sync` makes RocksDB's log files durable from outside, by fdatasync on each through the disk of the runtime. RocksDB hands
 *     every record to the kernel as it is written, and deletes a log only after the tables that replace it are durable, so that
 *     is enough. (A synced write through the binding makes every other write wait for its fsync: measured, 226 us against
 *     11 us at the 99th percentile with syncs running all the time.)
 *  3. A snapshot reads the database itself until something is written; only then it becomes a pair of iterators. So a snapshot
 *     that lives for one tick is free.
 *
 *  4. A file that is damaged is never read as if it were not: blocks and records carry checksums, the sizes of tables are checked
 *     when the database is opened, and so are the manifest and the row of logs, by ourselves (`rocks-notes.ts`). Damage that is
 *     met while it is open ends the node. What RocksDB drops of the end of its log without a word is for the layer above to notice:
 *     it knows how far each replica must have applied.
 *
 * `deleteSpan` deletes key by key: the binding has no range deletion inside of a batch. `clearSpan` is one.
 */
import { assert } from "@quorate/keys/assert";
import { damaged, unknownFormat } from "@quorate/keys/damage";
import type { Key, Span } from "@quorate/keys/key";
import { keyMax } from "@quorate/keys/key";
import type { Disk, Runtime, Timer } from "@quorate/runtime/runtime";
import type {
	Engine,
	EngineBatch,
	EngineCacheUse,
	EngineIterator,
	EngineRows,
	EngineScanLimits,
	EngineSnapshot,
} from "./engine.ts";
import { Prefetcher } from "./prefetcher.ts";
import { type Memtables, QuietFlush } from "./quiet-flush.ts";
import { RecentGets } from "./recent-gets.ts";
import { RocksBatch } from "./rocks-batch.ts";
import { loadBinding, type NativeBinding, type NativeDatabase } from "./rocks-binding.ts";
import { failureReason, openError } from "./rocks-damage.ts";
import {
	nativeKey,
	passingKey,
	RocksIterator,
	readOptions,
	SharedIterator,
} from "./rocks-iterator.ts";
import { checkNotes, currentManifest, cutAtGap, EngineNotes } from "./rocks-notes.ts";
import { estimateSizeBytes } from "./rocks-size.ts";
import { RocksSnapshot, View } from "./rocks-snapshot.ts";

export interface RocksOptions {
	readonly cacheSizeBytes?: number | undefined;
	readonly memtableBytes?: number;
	/** The node that it belongs to: it is ended when a file turns out to be damaged. Without one, errors are thrown. */
	readonly node?: Pick<Runtime, "fatal" | "logger" | "scheduler">;
}

/** Raised when keys or values of the engine change their layout. */
const formatVersion = "1";
/** Above `keyMax`, so no span reaches it. */
const formatKey = `${keyMax}quorate format` as Key;
/** The same: what memtables are filled with (`quiet-flush.ts`). */
const fillerKey = `${keyMax}quorate filler` as Key;
const defaultMemtableBytes = 24 << 20;
/** RocksDB's share of that for one memtable. */
const memtableShare = 1 / 4;
/**
 * Filled by reads of single rows and short pages only. The kernel caches the files as well, but to get a row from there is to check and
 * unpack a block: twice the work of a get.
 */
const defaultCacheBytes = 64 << 20;
/** A native count or size is a signed 32-bit integer. */
const nativeMax = 0x7fff_fff0;
/** After a write the manifest is looked at so often, for the table that may follow from it. */
const manifestLooks = 4;
const manifestLookMs = 500;
/** Rows that a size estimate counts one by one. */
const countedRowsMax = 500;

/**
 * Opens or creates the database in `path` of the disk, which must have a root. Rejects, in one line, where there is no binary
 * for the platform, where the directory is in use or is not Quorate's, and where its format is newer than this program.
 */
export async function openRocksEngine(
	disk: Disk,
	path: string,
	options: RocksOptions = {},
): Promise<Engine> {
	assert(disk.root !== undefined, "RocksDB needs a disk with a root directory");
	const binding = await loadBinding();
	await disk.makeDirectory(path);
	const isNew = await checkFiles(disk, path);
	const cut = await cutAtGap(disk, path);
	if (cut.length > 0) {
		options.node?.logger.log("warn", "cut the engine's log where it has a gap", { path, cut });
	}
	const db = binding.db_init(`${disk.root}/${path}`);
	await new Promise<void>((resolve, reject) => {
		const done = (error: Error | null | undefined): void => {
			if (error == null) resolve();
			else openError(disk, path, error).then(reject, reject);
		};
		binding.db_open(
			db,
			{
				createIfMissing: isNew,
				compaction: "level",
				memtableMemoryBudget: options.memtableBytes ?? defaultMemtableBytes,
				cacheSize: options.cacheSizeBytes ?? defaultCacheBytes,
				parallelism: 2,
				// Filters for memtables, too, and hash indexes in blocks: of what is absent there, a get costs half.
				optimize: "point-lookup",
				// What that would choose saves memory and costs more to ask.
				filterPolicy: "bloomfilter:10:false",
				// That is, without dictionaries: all but the two uppermost levels are compressed in any case. With them no file was
				// smaller, and getting a block from a file took a third longer.
				compression: false,
				// It would add 70 % to the CPU of a small write.
				walCompression: false,
			},
			done,
		);
	});
	const engine = new RocksEngine(binding, db, disk, path, options);
	try {
		await checkFormat(engine, path);
		await engine.noteManifest();
	} catch (error) {
		await engine.close();
		throw error;
	}
	return engine;
}

/** True where there is no database yet. A first start that was killed may have left a manifest, but no data. */
async function checkFiles(disk: Disk, path: string): Promise<boolean> {
	const wrong = await checkNotes(disk, path);
	if (wrong !== undefined) {
		throw damaged(`the storage engine is damaged: ${wrong}`);
	}
	if ((await currentManifest(disk, path)) !== undefined) {
		return false;
	}
	const names = await disk.list(path);
	if (names.some((name) => name === "CURRENT" || /\.(log|sst)$/.test(name))) {
		throw damaged(`the storage engine is damaged: ${path}/CURRENT is missing or names no manifest`);
	}
	return true;
}

async function checkFormat(engine: RocksEngine, path: string): Promise<void> {
	const found = engine.get(formatKey);
	if (found === undefined) {
		const all = { start: "" as Key, end: keyMax };
		const limits = { rowsMax: 1, bytesMax: nativeMax, reverse: false, keyOffset: 0 };
		if (engine.scan(all, limits).keys.length > 0) {
			throw new Error(`cannot open the engine in ${path}: it has no format version`);
		}
		engine.write((batch) => batch.put(formatKey, Buffer.from(formatVersion)));
		await engine.sync();
		return;
	}
	const version = Buffer.from(found).toString();
	if (version !== formatVersion) {
		throw unknownFormat(
			`cannot open the engine in ${path}: it has format version ${version}, this program knows ${formatVersion}`,
		);
	}
}

/** The calls that read or write files, with their errors given to `failed`. */
function guarded(binding: NativeBinding, failed: (error: unknown) => never): NativeBinding {
	const guard = <A extends unknown[], R>(call: (...args: A) => R): ((...args: A) => R) => {
		return (...args) => {
			try {
				return call(...args);
			} catch (error) {
				return failed(error);
			}
		};
	};
	return {
		...binding,
		db_get_many_sync: guard(binding.db_get_many_sync),
		db_query: guard(binding.db_query),
		db_clear: guard(binding.db_clear),
		iterator_nextv_sync: guard(binding.iterator_nextv_sync),
		batch_write: guard(binding.batch_write),
	};
}

/**
 * A longer page is part of a long scan. Its blocks would push out of the cache what is asked for again, and lie all over the
 * allocator's heap for as long as nobody else is read.
 */
const shortPageRowsMax = 128;
/** Smaller values of a long page are copied out of the native buffers that they come in. */
const pooledBytesMax = 1_024;

/**
 * A native buffer takes 200 bytes of the allocator beside its own, and rows of a long scan live just long enough for the collector to
 * take them for old: hundreds of thousands pile up. In slabs of the pool they are few blocks, and counted as what they are.
 */
const pooled = (value: Buffer): Buffer =>
	value.length <= pooledBytesMax ? Buffer.from(value) : value;

class RocksEngine implements Engine {
	readonly kind = "rocksdb";
	readonly #binding: NativeBinding;
	readonly #db: NativeDatabase;
	readonly #disk: Disk;
	readonly #path: string;
	readonly #batch: RocksBatch;
	/** Reused: one key a call. */
	readonly #wanted: Buffer[] = [];
	readonly #recent = new RecentGets();
	readonly #prefetcher: Prefetcher | undefined;
	/** What the snapshots taken since the last write share, once they need it. */
	#view: View | undefined;
	readonly #iterators = new Set<{ close(): void }>();
	readonly #manifest: EngineNotes;
	readonly #node: RocksOptions["node"];
	readonly #quietFlush: QuietFlush | undefined;
	#manifestTimer: Timer | undefined;
	#manifestLooks = 0;
	#open = true;
	#writing = false;
	#syncing: Promise<void> | undefined;
	#nextSync: Promise<void> | undefined;

	constructor(
		binding: NativeBinding,
		db: NativeDatabase,
		disk: Disk,
		path: string,
		{ node, memtableBytes }: RocksOptions,
	) {
		this.#binding = guarded(binding, (error) => this.#failed(error));
		this.#db = db;
		this.#disk = disk;
		this.#path = path;
		this.#node = node;
		this.#manifest = new EngineNotes(disk, path);
		this.#batch = new RocksBatch(this.#binding, (span) => this.#keysOf(span), this.#recent);
		this.#prefetcher =
			node &&
			new Prefetcher(this.#recent, node.scheduler, (keys, done) => {
				// Where it fails the get will, and says why.
				binding.db_get_many(db, keys.map(nativeKey), undefined, (_, values) => done(values));
			});
		this.#quietFlush =
			node &&
			new QuietFlush({
				memtables: this.#memtables(),
				memtableBytes: (memtableBytes ?? defaultMemtableBytes) * memtableShare,
				disk,
				scheduler: node.scheduler,
				logger: node.logger,
			});
	}

	#memtables(): Memtables {
		return {
			allBytes: () => this.#number("cur-size-all-mem-tables"),
			activeBytes: () => this.#number("cur-size-active-mem-table"),
			fullCount: () => this.#number("num-immutable-mem-table"),
			fill: (value) =>
				this.write((batch) => {
					if (value === undefined) batch.delete(fillerKey);
					else batch.put(fillerKey, value);
				}),
		};
	}

	/** A property of RocksDB's. */
	#number(name: string): number {
		return Number(this.#binding.db_get_property(this.#db, `rocksdb.${name}`));
	}

	get(k: Key): Uint8Array | undefined {
		assert(this.#open, "the engine is closed");
		const recent = this.#recent.get(k, null);
		if (recent !== null) {
			return recent;
		}
		this.#wanted[0] = passingKey(k);
		const value = this.#binding.db_get_many_sync(this.#db, this.#wanted, undefined)[0];
		if (this.#writing) {
			this.#batch.got(k, value);
		} else {
			this.#recent.put(k, value);
		}
		return value;
	}

	prefetch(keys: readonly Key[]): Promise<void> | undefined {
		return this.#prefetcher?.add(keys);
	}

	iterate(span: Span, options: { readonly reverse?: boolean } = {}): EngineIterator {
		assert(this.#open, "the engine is closed");
		const shared = new SharedIterator(this.#binding, this.#db, options.reverse === true, span);
		this.#iterators.add(shared);
		return new RocksIterator(shared, span, () => {
			shared.close();
			this.#iterators.delete(shared);
		});
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		assert(this.#open, "the engine is closed");
		if (span.start >= span.end || limits.rowsMax <= 0) {
			return { keys: [], values: [], more: span.start < span.end };
		}
		const wanted = Math.min(limits.rowsMax, nativeMax);
		const isLong = wanted > shortPageRowsMax;
		const { rows, finished } = this.#binding.db_query(this.#db, {
			...readOptions,
			fillCache: !isLong,
			reverse: limits.reverse,
			gte: nativeKey(span.start),
			lt: nativeKey(span.end),
			// One more tells whether there is more.
			limit: wanted + 1,
			highWaterMarkBytes: Math.min(limits.bytesMax, nativeMax),
		});
		const count = Math.min(rows.length / 2, wanted);
		const keys: Key[] = new Array(count);
		const values: Uint8Array[] = new Array(count);
		for (let n = 0; n < count; n++) {
			keys[n] = (rows[2 * n] as Buffer).toString("latin1", limits.keyOffset) as Key;
			const value = rows[2 * n + 1] as Buffer;
			values[n] = isLong ? pooled(value) : value;
		}
		return { keys, values, more: !finished || rows.length / 2 > wanted };
	}

	write(fill: (batch: EngineBatch) => void): void {
		assert(this.#open, "the engine is closed");
		assert(!this.#writing, "a write inside of a write");
		this.#writing = true;
		try {
			fill(this.#batch);
			this.#preserveView();
			this.#binding.batch_write(this.#db, this.#batch.native, undefined);
			this.#batch.written();
			this.#quietFlush?.wrote(this.#batch.sizeBytes);
			this.#lookAtManifest();
		} finally {
			this.#writing = false;
			this.#batch.clear();
		}
	}

	clearSpan(span: Span): void {
		assert(this.#open && !this.#writing, "the engine is closed or in a write");
		if (span.start < span.end) {
			this.#preserveView();
			this.#recent.clear();
			this.#binding.db_clear(this.#db, { gte: nativeKey(span.start), lt: nativeKey(span.end) });
		}
	}

	snapshot(): EngineSnapshot {
		assert(this.#open, "the engine is closed");
		this.#view ??= new View(this, this.#binding, this.#db, this.#iterators);
		return new RocksSnapshot(this.#view);
	}

	sync(): Promise<void> {
		assert(this.#open, "the engine is closed");
		if (this.#syncing === undefined) {
			this.#syncing = this.#syncLogs().finally(() => {
				this.#syncing = undefined;
			});
			return this.#syncing;
		}
		// The one that runs may have passed by what this call must cover.
		this.#nextSync ??= this.#syncing
			.catch(() => undefined)
			.then(() => {
				this.#nextSync = undefined;
				return this.#open ? this.sync() : undefined;
			});
		return this.#nextSync;
	}

	approximateSizeBytes(span: Span): number {
		const limits = { rowsMax: countedRowsMax, bytesMax: nativeMax, reverse: false, keyOffset: 0 };
		const { keys, values, more } = this.scan(span, limits);
		let counted = 0;
		for (const [n, k] of keys.entries()) {
			counted += k.length + (values[n] as Uint8Array).length;
		}
		if (!more) {
			return counted;
		}
		const memory = this.#number("size-all-mem-tables");
		const sstables = this.#binding.db_get_property(this.#db, "rocksdb.sstables");
		return Math.max(counted, estimateSizeBytes(sstables, span, memory));
	}

	cacheUse(): EngineCacheUse {
		assert(this.#open, "the engine is closed");
		return {
			usedBytes: this.#number("block-cache-usage"),
			sizeBytes: this.#number("block-cache-capacity"),
		};
	}

	async close(): Promise<void> {
		if (!this.#open) {
			return;
		}
		await this.#prefetcher?.close();
		await this.#quietFlush?.close();
		while (this.#syncing !== undefined) {
			await this.#syncing.catch(() => undefined);
		}
		this.#open = false;
		this.#manifestTimer?.cancel();
		for (const iterator of this.#iterators) {
			iterator.close();
		}
		await new Promise<void>((resolve, reject) => {
			this.#binding.db_close(this.#db, (error) => (error == null ? resolve() : reject(error)));
		});
		// It is allowed to be older.
		await this.noteManifest().catch(() => undefined);
	}

	noteManifest(): Promise<void> {
		return this.#manifest.note();
	}

	/** While something is written, and a little longer: tables are made in the background. */
	#lookAtManifest(): void {
		this.#manifestLooks = manifestLooks;
		if (this.#manifestTimer === undefined && this.#node !== undefined) {
			this.#armManifestTimer(this.#node);
		}
	}

	#armManifestTimer(node: NonNullable<RocksOptions["node"]>): void {
		this.#manifestTimer = node.scheduler.setTimer(manifestLookMs, () => {
			this.#manifestTimer = undefined;
			void this.noteManifest().catch(() => undefined);
			this.#manifestLooks--;
			if (this.#manifestLooks > 0 && this.#open) {
				this.#armManifestTimer(node);
			}
		});
	}

	#failed(error: unknown): never {
		if (this.#node === undefined) {
			throw error;
		}
		return this.#node.fatal(failureReason(this.#path, error));
	}

	*#keysOf(span: Span): Generator<Key> {
		const it = this.iterate(span);
		try {
			for (; it.key !== undefined; it.next()) {
				yield it.key;
			}
		} finally {
			it.close();
		}
	}

	/** Before the database changes: snapshots keep what it was. */
	#preserveView(): void {
		this.#view?.preserve();
		this.#view = undefined;
	}

	async #syncLogs(): Promise<void> {
		// From the directory as it is now: a log that begins later holds only what was written later.
		const names = await this.#disk.list(this.#path);
		await Promise.all(
			names.filter((name) => name.endsWith(".log")).map((name) => this.#syncLog(name)),
		);
		await this.#disk.syncDirectory(this.#path);
	}

	async #syncLog(name: string): Promise<void> {
		try {
			const file = await this.#disk.open(`${this.#path}/${name}`, "existing");
			try {
				await file.sync();
			} finally {
				await file.close();
			}
		} catch (error) {
			// It has gone: what it held is durable in tables.
			if ((error as { readonly code?: unknown }).code !== "ENOENT") {
				throw error;
			}
		}
	}
}
