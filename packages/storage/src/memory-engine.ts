/** An engine without a disk: a B+ tree that is copied on write while somebody still reads the old one. */
import { assert } from "@quorate/keys/assert";
import type { Key, Span } from "@quorate/keys/key";
import btree from "sorted-btree";
import type {
	Engine,
	EngineBatch,
	EngineCacheUse,
	EngineIterator,
	EngineReader,
	EngineRows,
	EngineScanLimits,
	EngineSnapshot,
} from "./engine.ts";
import { scanByIterator } from "./scan.ts";

const BTree = btree.default;
type Tree = InstanceType<typeof BTree<Key, Uint8Array>>;

const compareKeys = (a: Key, b: Key): number => (a < b ? -1 : a > b ? 1 : 0);
const noValue = new Uint8Array();

export class MemoryEngine implements Engine {
	readonly kind = "memory";
	#tree: Tree = new BTree<Key, Uint8Array>(undefined, compareKeys);
	/** Readers that still look at `#tree`. */
	#readers = 0;
	#open = true;
	#writing = false;

	get(k: Key): Uint8Array | undefined {
		assert(this.#open, "the engine is closed");
		return this.#tree.get(k);
	}

	prefetch(): undefined {}

	iterate(span: Span, options: { readonly reverse?: boolean } = {}): EngineIterator {
		assert(this.#open, "the engine is closed");
		const release = this.#hold();
		return iterateTree(this.#tree, span, options.reverse === true, release);
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		return scanByIterator(this, span, limits);
	}

	write(fill: (batch: EngineBatch) => void): void {
		assert(this.#open, "the engine is closed");
		assert(!this.#writing, "a write inside of a write");
		const batch = new MemoryBatch();
		this.#writing = true;
		try {
			fill(batch);
		} finally {
			this.#writing = false;
		}
		this.#detach();
		batch.applyTo(this.#tree);
	}

	clearSpan(span: Span): void {
		this.write((batch) => batch.deleteSpan(span));
	}

	snapshot(): EngineSnapshot {
		assert(this.#open, "the engine is closed");
		return new MemorySnapshot(this.#tree, this.#hold());
	}

	/** There is nothing that could survive. */
	async sync(): Promise<void> {}

	cacheUse(): EngineCacheUse {
		return { usedBytes: 0, sizeBytes: 0 };
	}

	approximateSizeBytes(span: Span): number {
		let bytes = 0;
		for (const [k, value] of this.#tree.entries(span.start)) {
			if (k >= span.end) {
				break;
			}
			bytes += k.length + value.length;
		}
		return bytes;
	}

	async close(): Promise<void> {
		this.#open = false;
		this.#tree = new BTree<Key, Uint8Array>(undefined, compareKeys);
	}

	/** Counts a reader of the tree as it is; call the result once it is done. */
	#hold(): () => void {
		const tree = this.#tree;
		let held = true;
		this.#readers++;
		return () => {
			if (held && tree === this.#tree) {
				this.#readers--;
			}
			held = false;
		};
	}

	/** Leaves the tree to its readers. */
	#detach(): void {
		if (this.#readers > 0) {
			this.#tree = this.#tree.clone();
			this.#readers = 0;
		}
	}
}

class MemorySnapshot implements EngineSnapshot, EngineReader {
	#tree: Tree | undefined;
	readonly #release: () => void;

	constructor(tree: Tree, release: () => void) {
		this.#tree = tree;
		this.#release = release;
	}

	get(k: Key): Uint8Array | undefined {
		return this.#open().get(k);
	}

	iterate(span: Span, options: { readonly reverse?: boolean } = {}): EngineIterator {
		return iterateTree(this.#open(), span, options.reverse === true, () => undefined);
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		return scanByIterator(this, span, limits);
	}

	close(): void {
		this.#tree = undefined;
		this.#release();
	}

	#open(): Tree {
		assert(this.#tree !== undefined, "the snapshot is closed");
		return this.#tree;
	}
}

/** Remembers what to do: nothing of it must show if filling it throws. */
class MemoryBatch implements EngineBatch {
	readonly #steps: (readonly [Key, Uint8Array | undefined] | Span)[] = [];

	put(k: Key, value: Uint8Array): void {
		assert(k.length > 0, "the empty key cannot be stored");
		this.#steps.push([k, value]);
	}

	delete(k: Key): void {
		this.#steps.push([k, undefined]);
	}

	deleteSpan(span: Span): void {
		this.#steps.push(span);
	}

	applyTo(tree: Tree): void {
		for (const step of this.#steps) {
			if ("start" in step) {
				if (step.start < step.end) {
					tree.deleteRange(step.start, step.end, false);
				}
			} else if (step[1] === undefined) {
				tree.delete(step[0]);
			} else {
				tree.set(step[0], step[1]);
			}
		}
	}
}

function iterateTree(
	tree: Tree,
	span: Span,
	reverse: boolean,
	release: () => void,
): EngineIterator {
	return reverse
		? new BackwardIterator(tree, span, release)
		: new ForwardIterator(tree, span, release);
}

abstract class TreeIterator implements EngineIterator {
	key: Key | undefined;
	value: Uint8Array = noValue;
	protected readonly tree: Tree;
	protected readonly span: Span;
	protected entries: IterableIterator<[Key, Uint8Array]> | undefined;
	readonly #release: () => void;

	constructor(tree: Tree, span: Span, release: () => void) {
		this.tree = tree;
		this.span = span;
		this.#release = release;
	}

	abstract seek(k: Key): void;
	protected abstract isInside(k: Key): boolean;

	next(): void {
		const step = this.entries?.next();
		if (step === undefined || step.done === true || !this.isInside(step.value[0])) {
			this.key = undefined;
			this.entries = undefined;
		} else {
			[this.key, this.value] = step.value;
		}
	}

	close(): void {
		this.key = undefined;
		this.entries = undefined;
		this.#release();
	}
}

class ForwardIterator extends TreeIterator {
	constructor(tree: Tree, span: Span, release: () => void) {
		super(tree, span, release);
		this.seek(span.start);
	}

	override seek(k: Key): void {
		this.entries = this.tree.entries(k < this.span.start ? this.span.start : k);
		this.next();
	}

	protected override isInside(k: Key): boolean {
		return k < this.span.end;
	}
}

class BackwardIterator extends TreeIterator {
	constructor(tree: Tree, span: Span, release: () => void) {
		super(tree, span, release);
		this.entries = tree.entriesReversed(span.end, undefined, true);
		this.next();
	}

	override seek(k: Key): void {
		this.entries =
			k < this.span.end
				? this.tree.entriesReversed(k)
				: this.tree.entriesReversed(this.span.end, undefined, true);
		this.next();
	}

	protected override isInside(k: Key): boolean {
		return k >= this.span.start && k < this.span.end;
	}
}
