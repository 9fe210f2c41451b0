/** Snapshots of the RocksDB engine: free until something is written, then a pair of native iterators that they share. */
import { assert } from "@quorate/keys/assert";
import type { Key, Span } from "@quorate/keys/key";
import type {
	EngineIterator,
	EngineReader,
	EngineRows,
	EngineScanLimits,
	EngineSnapshot,
} from "./engine.ts";
import type { NativeBinding, NativeDatabase } from "./rocks-binding.ts";
import { passingKey, RocksIterator, SharedIterator } from "./rocks-iterator.ts";
import { scanByIterator } from "./scan.ts";

/** The database as of one instant, for the snapshots that were taken then. */
export class View {
	readonly engine: EngineReader;
	readonly #binding: NativeBinding;
	readonly #db: NativeDatabase;
	readonly #registry: Set<{ close(): void }>;
	#snapshots = 0;
	#forward: SharedIterator | undefined;
	#backward: SharedIterator | undefined;

	constructor(
		engine: EngineReader,
		binding: NativeBinding,
		db: NativeDatabase,
		registry: Set<{ close(): void }>,
	) {
		this.engine = engine;
		this.#binding = binding;
		this.#db = db;
		this.#registry = registry;
	}

	/** Undefined while the engine itself is still this view. */
	iterator(reverse: boolean): SharedIterator | undefined {
		return reverse ? this.#backward : this.#forward;
	}

	preserve(): void {
		if (this.#snapshots > 0) {
			this.#forward = new SharedIterator(this.#binding, this.#db, false, undefined);
			this.#backward = new SharedIterator(this.#binding, this.#db, true, undefined);
			this.#registry.add(this.#forward);
			this.#registry.add(this.#backward);
		}
	}

	acquire(): void {
		this.#snapshots++;
	}

	release(): void {
		this.#snapshots--;
		if (this.#snapshots === 0 && this.#forward !== undefined && this.#backward !== undefined) {
			for (const iterator of [this.#forward, this.#backward]) {
				iterator.close();
				this.#registry.delete(iterator);
			}
		}
	}
}

export class RocksSnapshot implements EngineSnapshot {
	readonly #view: View;
	#open = true;

	constructor(view: View) {
		this.#view = view;
		view.acquire();
	}

	get(k: Key): Uint8Array | undefined {
		assert(this.#open, "the snapshot is closed");
		const shared = this.#view.iterator(false);
		if (shared === undefined) {
			return this.#view.engine.get(k);
		}
		shared.seek(this, k);
		const [found, value] = shared.fetch(1).rows;
		return found?.equals(passingKey(k)) ? value : undefined;
	}

	iterate(span: Span, options: { readonly reverse?: boolean } = {}): EngineIterator {
		assert(this.#open, "the snapshot is closed");
		const shared = this.#view.iterator(options.reverse === true);
		return shared === undefined
			? this.#view.engine.iterate(span, options)
			: new RocksIterator(shared, span, () => undefined);
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		assert(this.#open, "the snapshot is closed");
		return this.#view.iterator(limits.reverse) === undefined
			? this.#view.engine.scan(span, limits)
			: scanByIterator(this, span, limits);
	}

	close(): void {
		if (this.#open) {
			this.#open = false;
			this.#view.release();
		}
	}
}
