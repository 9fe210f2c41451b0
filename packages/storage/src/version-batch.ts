/**
 * Versions written into one engine batch, each write seeing those before it: several entries of a log are applied in one batch.
 * Reads are remembered, so looking at a key before writing it costs the engine nothing more.
 */
import { assert } from "@quorate/keys/assert";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { EngineBatch, EngineReader } from "./engine.ts";
import {
	dataKey,
	dataSpan,
	deletionKey,
	deletionSpan,
	historyEnd,
	historyKey,
	historyPrefixEnd,
	historyPrefixOf,
	historySpan,
	historyUserKey,
	intentKey,
} from "./engine-keys.ts";
import type { IntentFilter } from "./intent-filter.ts";
import { OverlayReader } from "./overlay-reader.ts";
import {
	encodeIntent,
	encodeTimestamp,
	encodeVersion,
	markDeleted,
	readTimestamp,
	wasDeleted,
} from "./version-codec.ts";
import {
	changedBetween,
	type Intent,
	type KeyIntent,
	newest,
	newestChange,
	readAt,
	readIntent,
	readIntents,
	type ScanLimits,
	type ScanResult,
	scanAt,
	type Version,
	type VersionWrites,
} from "./versions.ts";

/** How the batch changes what a range holds. Bytes are of engine keys and values. */
export interface SizeDelta {
	/** Keys that have a newest version. */
	rows: number;
	dataBytes: number;
	historyEntries: number;
	historyBytes: number;
	intentBytes: number;
}

/** Told of what is put into a batch, as it is put. */
export interface VersionObserver {
	put(k: Key, ts: Timestamp, value: Uint8Array | undefined): void;
	prepared(k: Key): void;
}

export class VersionBatch implements VersionWrites {
	readonly #overlay: OverlayReader;
	readonly sizeDelta: SizeDelta = {
		rows: 0,
		dataBytes: 0,
		historyEntries: 0,
		historyBytes: 0,
		intentBytes: 0,
	};
	readonly #intents: IntentFilter;
	readonly #observer: VersionObserver | undefined;

	/**
	 * `reader` sees everything written before `batch`. `intents` knows the intents of all keys that the batch is asked about,
	 * and follows what it does to them.
	 */
	constructor(
		reader: EngineReader,
		batch: EngineBatch,
		intents: IntentFilter,
		observer?: VersionObserver,
	) {
		this.#overlay = new OverlayReader(reader, batch);
		this.#intents = intents;
		this.#observer = observer;
	}

	/** How much was written, in bytes, each write counting some beside its key and value. */
	get writtenBytes(): number {
		return this.#overlay.writtenBytes;
	}

	/** The engine as it will be: for reads that have no method here. */
	get reader(): EngineReader {
		return this.#overlay;
	}

	newest(k: Key): Version | undefined {
		return newest(this.#overlay, k);
	}

	newestChange(k: Key): Timestamp {
		return newestChange(this.#overlay, k);
	}

	readAt(k: Key, s: Timestamp): Version | undefined {
		return readAt(this.#overlay, k, s);
	}

	scanAt(span: Span, s: Timestamp, lastCommit: Timestamp, limits: ScanLimits): ScanResult {
		return scanAt(this.#overlay, span, s, lastCommit, limits);
	}

	changedBetween(span: Span, after: Timestamp, upTo: Timestamp, lastCommit: Timestamp): boolean {
		return changedBetween(this.#overlay, span, after, upTo, lastCommit);
	}

	/** Many keys of the span, which is not much wider than they are, are going to be put or asked for their newest change. */
	expect(span: Span): void {
		this.#overlay.expect(dataSpan(span));
		this.#overlay.expect(deletionSpan(span));
	}

	intent(k: Key): Intent | undefined {
		return this.#intents.mayHold(k) ? readIntent(this.#overlay, k) : undefined;
	}

	intents(span: Span, max: number): readonly KeyIntent[] {
		return readIntents(this.#overlay, span, max);
	}

	put(k: Key, ts: Timestamp, value: Uint8Array | undefined): void {
		this.#observer?.put(k, ts, value);
		const at = dataKey(k);
		const old = this.#overlay.get(at);
		if (old === undefined && value === undefined) {
			return;
		}
		const size = this.sizeDelta;
		if (old !== undefined) {
			const before = readTimestamp(old);
			assert(ts > before, () => `a version at ${ts} is put over one at ${before}`);
			const past = historyKey(k, ts);
			this.#overlay.put(past, value === undefined ? markDeleted(old) : old);
			size.historyEntries++;
			size.historyBytes += past.length + old.length;
			size.rows--;
			size.dataBytes -= at.length + old.length;
		}
		if (value === undefined) {
			this.#overlay.delete(at);
			this.#overlay.put(deletionKey(k), encodeTimestamp(ts));
		} else {
			const bytes = encodeVersion(ts, value);
			this.#overlay.put(at, bytes);
			size.rows++;
			size.dataBytes += at.length + bytes.length;
		}
	}

	putIntent(k: Key, intent: Intent): void {
		this.#observer?.prepared(k);
		const at = intentKey(k);
		const old = this.#intents.mayHold(k) ? this.#overlay.get(at) : undefined;
		if (old === undefined) {
			this.#intents.add(k, intent.p);
		} else {
			this.#intents.replace(intent.p);
			this.sizeDelta.intentBytes -= at.length + old.length;
		}
		const bytes = encodeIntent(intent);
		this.#overlay.put(at, bytes);
		this.sizeDelta.intentBytes += at.length + bytes.length;
	}

	removeIntent(k: Key, bytes?: number): void {
		const at = intentKey(k);
		// A single look is remembered, what a scan saw is not.
		this.sizeDelta.intentBytes -= at.length + (bytes ?? this.#overlay.get(at)?.length ?? 0);
		this.#overlay.delete(at);
		this.#intents.remove(k);
	}

	collect(
		span: Span,
		threshold: Timestamp,
		max: number,
	): { readonly removed: number; readonly resume: Key | undefined } {
		const it = this.#overlay.iterate(historySpan(span));
		let removed = 0;
		try {
			// Keys without anything to remove cost time as well.
			for (let looked = 0; it.key !== undefined; looked++) {
				const prefix = historyPrefixOf(it.key);
				if (removed >= max || looked >= 4 * max + 1_000) {
					return { removed, resume: historyUserKey(prefix) };
				}
				const end = historyEnd(it.key);
				if (end <= threshold) {
					this.#forget(it.key, historyUserKey(prefix), end, it.value);
					removed++;
					it.next();
				} else {
					this.#leave(it, prefix);
				}
			}
			return { removed, resume: undefined };
		} finally {
			it.close();
		}
	}

	/** All versions of the span's keys go, and the marks of their deletions. Intents stay. */
	clear(span: Span): void {
		const size = this.sizeDelta;
		this.#deleteAll(dataSpan(span), (bytes) => {
			size.rows--;
			size.dataBytes -= bytes;
		});
		this.#deleteAll(historySpan(span), (bytes) => {
			size.historyEntries--;
			size.historyBytes -= bytes;
		});
		this.#deleteAll(deletionSpan(span), () => {});
	}

	#deleteAll(span: Span, count: (bytes: number) => void): void {
		const it = this.#overlay.iterate(span);
		try {
			for (; it.key !== undefined; it.next()) {
				count(it.key.length + it.value.length);
				this.#overlay.delete(it.key);
			}
		} finally {
			it.close();
		}
	}

	/** Of any engine key: for what is not a version. */
	raw(k: Key): Uint8Array | undefined {
		return this.#overlay.get(k);
	}

	rawPut(k: Key, value: Uint8Array): void {
		this.#overlay.put(k, value);
	}

	rawDelete(k: Key): void {
		this.#overlay.delete(k);
	}

	rawDeleteSpan(span: Span): void {
		this.#overlay.deleteSpan(span);
	}

	#forget(at: Key, k: Key, end: Timestamp, value: Uint8Array): void {
		this.#overlay.delete(at);
		this.sizeDelta.historyEntries--;
		this.sizeDelta.historyBytes -= at.length + value.length;
		if (wasDeleted(value)) {
			const deletion = deletionKey(k);
			const bytes = this.#overlay.get(deletion);
			// A later deletion has taken its place otherwise.
			if (bytes !== undefined && readTimestamp(bytes) === end) {
				this.#overlay.delete(deletion);
			}
		}
	}

	/** The entries of a key come by rising end: what follows one that stays, stays. Most keys have few. */
	#leave(it: ReturnType<EngineReader["iterate"]>, prefix: Key): void {
		for (let steps = 0; it.key?.startsWith(prefix) === true; steps++) {
			if (steps === 8) {
				it.seek(historyPrefixEnd(prefix));
			} else {
				it.next();
			}
		}
	}
}
