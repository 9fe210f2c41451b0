/** What a transaction has written and not yet sent, in key order. Savepoints are copy-on-write clones. */
import type { Key, Span } from "@quorate/keys/key";
import btree from "sorted-btree";

export interface BufferedWrite {
	/** null: a deletion. */
	readonly value: Uint8Array | null;
	/** The key must be absent when the write becomes pending. */
	readonly absent: boolean;
	/** A key taken back after a chunk with it was sent. */
	readonly mark: boolean;
}

type Tree = InstanceType<typeof btree.default<Key, BufferedWrite>>;

const compareKeys = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);

/** What an entry of some hundred bytes takes beside them, as measured: objects, heads of buffers, its place in the tree. */
const overheadBytes = 240;

export interface BufferState {
	readonly tree: Tree;
	readonly bytes: number;
}

export class WriteBuffer {
	#tree: Tree = new btree.default<Key, BufferedWrite>(undefined, compareKeys);
	#bytes = 0;

	get bytes(): number {
		return this.#bytes;
	}

	get size(): number {
		return this.#tree.size;
	}

	get(k: Key): BufferedWrite | undefined {
		return this.#tree.size === 0 ? undefined : this.#tree.get(k);
	}

	set(k: Key, write: BufferedWrite): void {
		const old = this.#tree.get(k);
		this.#bytes += (write.value?.length ?? 0) - (old?.value?.length ?? 0);
		if (old === undefined) {
			this.#bytes += k.length + overheadBytes;
		}
		this.#tree.set(k, write);
	}

	/** Entries of a span in key order. */
	in(span: Span): [Key, BufferedWrite][] {
		return this.#tree.size === 0 ? [] : this.#tree.getRange(span.start, span.end, false);
	}

	entries(): IterableIterator<[Key, BufferedWrite]> {
		return this.#tree.entries();
	}

	/** Empties it and gives back what was in it. */
	take(): [Key, BufferedWrite][] {
		const all = this.#tree.toArray();
		this.#tree.clear();
		this.#bytes = 0;
		return all;
	}

	save(): BufferState {
		return { tree: this.#tree.clone(), bytes: this.#bytes };
	}

	restore(state: BufferState): void {
		this.#tree = state.tree.clone();
		this.#bytes = state.bytes;
	}
}
