/**
 * An ordered map from keys to bytes: what Quorate asks of a storage engine. Reads and unsynced writes are synchronous,
 * so that a state machine is plain code. Two implementations pass one suite: RocksDB and memory.
 */
import type { Key, Span } from "@quorate/keys/key";

export interface EngineIterator {
	/** Moves to the first key at or above `k`. */
	seek(k: Key): void;
	/** Undefined at the end of the span. Valid until the next `seek` or `next`. */
	readonly key: Key | undefined;
	readonly value: Uint8Array;
	next(): void;
	close(): void;
}

/** A consistent view: sees nothing that is written after it was taken. */
export interface EngineReader {
	get(k: Key): Uint8Array | undefined;
	/** Over `span`, forward, or backward from its end if `reverse`. The caller closes it. Costs 15 to 23 us on RocksDB. */
	iterate(span: Span, options?: { readonly reverse?: boolean }): EngineIterator;
}

export interface EngineSnapshot extends EngineReader {
	close(): void;
}

export interface EngineBatch {
	put(k: Key, value: Uint8Array): void;
	delete(k: Key): void;
	/** Deletes every key of the span (sees puts made earlier in this batch as well). */
	deleteSpan(span: Span): void;
}

export interface Engine extends EngineReader {
	readonly kind: "rocksdb" | "memory";
	/** Applies all of what `fill` does, atomically and in order, unsynced; readers see it when this returns. `fill` must not read the engine through the batch. */
	write(fill: (batch: EngineBatch) => void): void;
	snapshot(): EngineSnapshot;
	/** Resolves when every write made before the call survives a power loss. */
	sync(): Promise<void>;
	/** Rough size on disk of a span, in bytes. */
	approximateSizeBytes(span: Span): number;
	close(): Promise<void>;
}
