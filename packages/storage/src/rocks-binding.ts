/**
 * The native functions of the `rocksdb` package, version 12.2.12, as its `binding.cc` has them: the only file that loads it.
 *
 * The package's own classes are passed by: their synchronous methods are unofficial as well, and they keep every iterator and
 * batch in a list until someone detaches it. What must not be done with these functions, since nothing in them checks:
 *
 *  - use a database before it is open or after it is closed, or advance an iterator that has reported `finished`: it crashes;
 *  - ask for `unsafe` values: they pin blocks of the cache, and closing then aborts the process;
 *  - leave out `keyEncoding` and `valueEncoding` where rows are read: they are not initialized;
 *  - pass strings: they are taken as UTF-8. Keys go in and come out as buffers.
 */
declare const brand: unique symbol;
export type NativeDatabase = { readonly [brand]: "database" };
export type NativeBatch = { readonly [brand]: "batch" };
export type NativeIterator = { readonly [brand]: "iterator" };

export interface NativeOpenOptions {
	readonly createIfMissing: boolean;
	/** Without it `memtableMemoryBudget` is ignored. */
	readonly compaction: "level";
	readonly memtableMemoryBudget: number;
	readonly cacheSize: number;
	readonly parallelism: number;
	readonly optimize?: "point-lookup";
	readonly walCompression: boolean;
	readonly filterPolicy?: string;
	readonly compression?: boolean;
}

export interface NativeIteratorOptions {
	readonly keyEncoding: "buffer";
	readonly valueEncoding: "buffer";
	readonly fillCache: boolean;
	readonly reverse?: boolean;
	readonly gte?: Buffer;
	readonly lt?: Buffer;
	/** Rows; a signed 32-bit integer. `finished` is true when it is reached. */
	readonly limit?: number;
	/** Bytes after which `nextv` returns; a signed 32-bit integer. */
	readonly highWaterMarkBytes?: number;
}

/** Keys and values in turn. */
export interface NativeRows {
	readonly rows: readonly Buffer[];
	readonly finished: boolean;
}

export interface NativeBinding {
	db_init(location: string): NativeDatabase;
	db_open(
		db: NativeDatabase,
		options: NativeOpenOptions,
		done: (error: Error | null | undefined) => void,
	): void;
	db_close(db: NativeDatabase, done: (error: Error | null | undefined) => void): void;
	db_get_many_sync(
		db: NativeDatabase,
		keys: readonly Buffer[],
		options: undefined,
	): readonly (Buffer | undefined)[];
	/** On a thread of the pool. The keys are copied before it returns. */
	db_get_many(
		db: NativeDatabase,
		keys: readonly Buffer[],
		options: undefined,
		done: (
			error: Error | null | undefined,
			values: readonly (Buffer | null | undefined)[] | undefined,
		) => void,
	): void;
	/** A one-shot iterator: opens, reads up to its limits, closes. */
	db_query(db: NativeDatabase, options: NativeIteratorOptions): NativeRows;
	/** One range tombstone, written at once. */
	db_clear(db: NativeDatabase, options: { readonly gte: Buffer; readonly lt: Buffer }): void;
	db_get_property(db: NativeDatabase, property: string): string;
	iterator_init(db: NativeDatabase, options: NativeIteratorOptions): NativeIterator;
	iterator_seek(iterator: NativeIterator, target: Buffer): void;
	iterator_nextv_sync(iterator: NativeIterator, rowsMax: number): NativeRows;
	iterator_close(iterator: NativeIterator): void;
	batch_init(): NativeBatch;
	batch_put(batch: NativeBatch, key: Buffer, value: Uint8Array, options: undefined): void;
	batch_del(batch: NativeBatch, key: Buffer, options: undefined): void;
	batch_clear(batch: NativeBatch): void;
	batch_write(
		db: NativeDatabase,
		batch: NativeBatch,
		options: { readonly sync: boolean } | undefined,
	): void;
}

/** Rejects in one line where the package or its binary is missing: it is an optional dependency, built for some platforms only. */
export async function loadBinding(): Promise<NativeBinding> {
	// Not a literal: the package has no types, and a program without it must still compile and start.
	const specifier: string = "rocksdb/binding.js";
	try {
		return ((await import(specifier)) as { readonly default: NativeBinding }).default;
	} catch (error) {
		const reason = String(error instanceof Error ? error.message : error).split("\n", 1)[0];
		throw new Error(
			`no RocksDB binary for ${process.platform}-${process.arch} (prebuilt: linux-x64 with glibc, darwin-arm64): ` +
				`a node with a data directory cannot run here, one in memory can (${reason})`,
		);
	}
}
