/**
 * An ordered map from keys to bytes: what Quorate asks of a storage engine. Reads and unsynced writes are synchronous,
 * so that a state machine is plain code. Two implementations pass one suite: RocksDB (`rocks-engine.ts`) and memory
 * (`memory-engine.ts`).
 *
 *  1. A reader sees every write that returned before, and nothing half.
 *  2. An iterator or a snapshot sees the engine as it was when it was made, whatever is written meanwhile.
 *  3. What is durable is always the effect of a prefix of the writes; `sync` says how far at least.
 *
 * May import: `keys`, `runtime`.
 */
import type { Key, Span } from "@quorate/keys/key";

/** Stands at the first key of its span (the last, if it goes backward) when it is made, and sees nothing written after that. */
export interface EngineIterator {
	/** Moves to the first key at or above `k`; backward, to the last key at or below it. Never leaves the span. */
	seek(k: Key): void;
	/** Undefined at the end of the span. */
	readonly key: Key | undefined;
	/** Only where there is a key. Never written to again, so it may be kept. */
	readonly value: Uint8Array;
	next(): void;
	close(): void;
}

export interface EngineScanLimits {
	readonly rowsMax: number;
	/** Of keys and values; the row that goes over it is still there. */
	readonly bytesMax: number;
	readonly reverse: boolean;
	/** Characters to leave out at the start of each key in the answer: a prefix that the caller put there. */
	readonly keyOffset: number;
}

/** Row n is `keys[n]`, `values[n]`. */
export interface EngineRows {
	readonly keys: readonly Key[];
	readonly values: readonly Uint8Array[];
	/** False: the span holds nothing after these. */
	readonly more: boolean;
}

/** A consistent view: sees nothing that is written after it was taken. Values that it gives must not be changed. */
export interface EngineReader {
	get(k: Key): Uint8Array | undefined;
	/** Over `span`, forward, or backward from its end if `reverse`. The caller closes it. Costs 15 to 23 us on RocksDB. */
	iterate(span: Span, options?: { readonly reverse?: boolean }): EngineIterator;
	/** The first rows of `span` in one call: half the price of an iterator for a short scan. */
	scan(span: Span, limits: EngineScanLimits): EngineRows;
}

export interface EngineSnapshot extends EngineReader {
	close(): void;
}

export interface EngineBatch {
	/** `k` must not be empty; `value` must not be changed afterwards. */
	put(k: Key, value: Uint8Array): void;
	delete(k: Key): void;
	/** Deletes every key of the span (sees puts made earlier in this batch as well). Costs what its keys cost: see `clearSpan`. */
	deleteSpan(span: Span): void;
}

/** Of what was read from files, and is kept because it may be read again. */
export interface EngineCacheUse {
	readonly usedBytes: number;
	readonly sizeBytes: number;
}

export interface Engine extends EngineReader {
	readonly kind: "rocksdb" | "memory";
	/**
	 * Applies all of what `fill` does, atomically and in order, unsynced; readers see it when this returns, and nothing of it
	 * if `fill` throws. `fill` may read the engine (it sees what was there before) but must not call `write`.
	 */
	write(fill: (batch: EngineBatch) => void): void;
	/** Deletes every key of a span at a price that does not depend on how many there are. A write of its own. */
	clearSpan(span: Span): void;
	/**
	 * These keys will be got soon. Changes nothing of what a get answers; but what would have to be looked for in files is looked
	 * for on another thread meanwhile. Resolves when that has been done, undefined if there is nothing to wait for: whoever gets
	 * them earlier looks for them once more.
	 */
	prefetch(keys: readonly Key[]): Promise<void> | undefined;
	/** Costs next to nothing if it is closed before the next write. */
	snapshot(): EngineSnapshot;
	/** Resolves when every write made before the call survives a power loss. A rejection means that the node must stop. */
	sync(): Promise<void>;
	/** Rough size of a span, in bytes: exact for a few hundred rows, by the sizes of the files for more. */
	approximateSizeBytes(span: Span): number;
	/** Zeros of an engine that reads no files. */
	cacheUse(): EngineCacheUse;
	close(): Promise<void>;
}
