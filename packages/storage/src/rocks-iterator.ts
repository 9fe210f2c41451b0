/**
 * Iterators of the RocksDB engine. The binding has no snapshots, but every native iterator sees the database as it was when it
 * was made: so a snapshot that outlives a write is a pair of native iterators over everything, one for each direction, on which
 * its reads take turns.
 */
import { assert } from "@quorate/keys/assert";
import { type Key, keyFromBytes, type Span } from "@quorate/keys/key";
import type { EngineIterator } from "./engine.ts";
import type {
	NativeBinding,
	NativeDatabase,
	NativeIterator,
	NativeIteratorOptions,
	NativeRows,
} from "./rocks-binding.ts";

/** Rows fetched by the first call, and by later ones: a short scan must not pay for a long one. */
const firstRows = 8;
const laterRows = 512;
const fetchBytesMax = 1 << 20;

export const nativeKey = (k: Key): Buffer => Buffer.from(k, "latin1");

export const readOptions: NativeIteratorOptions = {
	keyEncoding: "buffer",
	valueEncoding: "buffer",
	fillCache: true,
};

const passedBytesMax = 512;
const passedBytes = Buffer.allocUnsafeSlow(passedBytesMax);
/** The beginning of them, by its length. */
const passed: (Buffer | undefined)[] = new Array(passedBytesMax + 1);

/** The same for a call that is done with it when it returns: the next key takes its place. */
export function passingKey(k: Key): Buffer {
	const { length } = k;
	if (length > passedBytesMax) {
		return nativeKey(k);
	}
	passedBytes.write(k, 0, length, "latin1");
	const bytes = passed[length] ?? passedBytes.subarray(0, length);
	passed[length] = bytes;
	return bytes;
}

const noRows: NativeRows = { rows: [], finished: true };
const noValue = new Uint8Array();

/** A native iterator that one reader at a time owns: who finds that it moved seeks it again. */
export class SharedIterator {
	readonly #binding: NativeBinding;
	readonly #reverse: boolean;
	#native: NativeIterator | undefined;
	#owner: object | undefined;
	#finished = false;

	/** `span` bounds it where it is given: the native iterator then never steps over what lies outside. */
	constructor(
		binding: NativeBinding,
		db: NativeDatabase,
		reverse: boolean,
		span: Span | undefined,
	) {
		this.#binding = binding;
		this.#reverse = reverse;
		this.#native = binding.iterator_init(db, {
			...readOptions,
			reverse,
			highWaterMarkBytes: fetchBytesMax,
			...(span === undefined ? {} : { gte: nativeKey(span.start) }),
			// Backward the binding cannot seek to a bound above, so such an iterator has none.
			...(span === undefined || reverse ? {} : { lt: nativeKey(span.end) }),
		});
		this.#owner = span === undefined || reverse ? undefined : this;
	}

	/** True if `owner` was the last to move it. */
	isAt(owner: object): boolean {
		return this.#owner === owner;
	}

	/** A bounded forward iterator stands at its first row when it is made. */
	adopt(owner: object): void {
		assert(this.#owner === this, "a new iterator is adopted once");
		this.#owner = owner;
	}

	/** Stands at the first row at or after `k` in its direction. */
	seek(owner: object, k: Key): void {
		this.#binding.iterator_seek(this.#open(), passingKey(k));
		this.#owner = owner;
		this.#finished = false;
	}

	fetch(count: number): NativeRows {
		const native = this.#open();
		if (this.#finished) {
			return noRows;
		}
		const rows = this.#binding.iterator_nextv_sync(native, count);
		this.#finished = rows.finished;
		return rows;
	}

	get reverse(): boolean {
		return this.#reverse;
	}

	close(): void {
		if (this.#native !== undefined) {
			this.#binding.iterator_close(this.#native);
			this.#native = undefined;
		}
	}

	#open(): NativeIterator {
		assert(this.#native !== undefined, "the iterator or its snapshot is closed");
		return this.#native;
	}
}

export class RocksIterator implements EngineIterator {
	key: Key | undefined;
	value: Uint8Array = noValue;
	readonly #shared: SharedIterator;
	readonly #span: Span;
	readonly #closed: () => void;
	#rows: readonly Buffer[] = [];
	#at = 0;
	/** Nothing of the span comes after `#rows`. */
	#finished = false;
	#fetchRows = firstRows;

	/** `closed` is called once when it is. */
	constructor(shared: SharedIterator, span: Span, closed: () => void) {
		this.#shared = shared;
		this.#span = span;
		this.#closed = closed;
		if (span.start >= span.end) {
			this.#finished = true;
		} else if (shared.isAt(shared)) {
			shared.adopt(this);
			this.#fill();
		} else {
			this.seek(shared.reverse ? span.end : span.start);
		}
	}

	seek(k: Key): void {
		const { start, end } = this.#span;
		const target = k < start && !this.#shared.reverse ? start : k > end ? end : k;
		this.#rows = [];
		this.#at = 0;
		this.#finished = start >= end;
		this.#fetchRows = firstRows;
		if (this.#finished || (this.#shared.reverse ? target < start : target >= end)) {
			this.key = undefined;
			this.#finished = true;
			return;
		}
		this.#shared.seek(this, target);
		this.#fill();
		// The end of a span is not in it.
		if (this.#shared.reverse && this.key !== undefined && this.key >= end) {
			this.next();
		}
	}

	next(): void {
		if (this.key === undefined) {
			return;
		}
		this.#at += 2;
		if (this.#at < this.#rows.length) {
			this.#take();
		} else {
			this.#fill();
		}
	}

	close(): void {
		if (!this.#finished || this.key !== undefined) {
			this.key = undefined;
			this.#finished = true;
		}
		this.#rows = [];
		this.#closed();
	}

	#fill(): void {
		if (this.#finished) {
			this.key = undefined;
			return;
		}
		const last = this.key;
		let skip = false;
		if (!this.#shared.isAt(this)) {
			assert(last !== undefined, "an iterator that lost its place has a last key");
			this.#shared.seek(this, last);
			skip = true;
		}
		const { rows, finished } = this.#shared.fetch(this.#fetchRows + (skip ? 1 : 0));
		this.#fetchRows = Math.min(this.#fetchRows * 4, laterRows);
		this.#rows = rows;
		this.#at = skip ? 2 : 0;
		this.#finished = finished;
		if (this.#at < rows.length) {
			this.#take();
		} else {
			this.key = undefined;
			this.#finished = true;
		}
	}

	#take(): void {
		const k = keyFromBytes(this.#rows[this.#at] as Buffer);
		if (this.#shared.reverse ? k < this.#span.start : k >= this.#span.end) {
			this.key = undefined;
			this.#finished = true;
			this.#rows = [];
			return;
		}
		this.key = k;
		this.value = this.#rows[this.#at + 1] as Buffer;
	}
}
