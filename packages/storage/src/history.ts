/** Reads of history at a timestamp: of one key, and of the keys of a span in order. */
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { EngineIterator, EngineReader } from "./engine.ts";
import {
	historyEnd,
	historyKeyOf,
	historyPrefixEnd,
	historyPrefixOf,
	historySpan,
	historyUserKey,
} from "./engine-keys.ts";
import { decodeVersion, readTimestamp, versionValue } from "./version-codec.ts";
import type { Version } from "./versions.ts";

/** Entries of one key that are stepped over one by one: a hot row may have many thousand, and a seek costs as much as ten steps. */
const stepsMax = 10;
const oneRow = { rowsMax: 1, bytesMax: 0, reverse: false, keyOffset: 0 };

/** `prefix` as of `historyPrefix`. The first entry that ended after `s` is the only one that may have held at `s`. */
export function readHistory(reader: EngineReader, prefix: Key, s: Timestamp): Version | undefined {
	const start = historyKeyOf(prefix, (s + 1) as Timestamp);
	const [bytes] = reader.scan({ start, end: historyPrefixEnd(prefix) }, oneRow).values;
	return bytes !== undefined && readTimestamp(bytes) <= s ? decodeVersion(bytes) : undefined;
}

/** Stands at one user key after the other, all those of the span that have any history. */
export class HistoryCursor {
	/** Undefined at the end. */
	key: Key | undefined;
	/** What a read at `s` sees of the key, if history holds it. */
	version: Version | undefined;
	readonly #reader: EngineReader;
	readonly #it: EngineIterator;
	readonly #s: Timestamp;
	readonly #reverse: boolean;
	/** Entries of the key that were looked at. */
	#steps = 0;

	constructor(reader: EngineReader, span: Span, s: Timestamp, reverse: boolean) {
		this.#reader = reader;
		this.#it = reader.iterate(historySpan(span), { reverse });
		this.#s = s;
		this.#reverse = reverse;
		this.advance();
	}

	/** To the next key. */
	advance(): void {
		if (this.#it.key === undefined) {
			this.key = undefined;
			this.version = undefined;
			return;
		}
		const prefix = historyPrefixOf(this.#it.key);
		this.#steps = 0;
		this.key = historyUserKey(prefix);
		this.version = this.#reverse ? this.#findBackward(prefix) : this.#findForward(prefix);
		this.#leave(prefix);
	}

	close(): void {
		this.#it.close();
	}

	#isOn(prefix: Key): boolean {
		const k = this.#it.key;
		return k !== undefined && k.length === prefix.length + 8 && k.startsWith(prefix);
	}

	/** Entries come by rising end: the first one that ended after `s` decides. */
	#findForward(prefix: Key): Version | undefined {
		while (this.#isOn(prefix)) {
			if (historyEnd(this.#it.key as Key) > this.#s) {
				const ts = readTimestamp(this.#it.value);
				return ts <= this.#s ? { ts, value: versionValue(this.#it.value) } : undefined;
			}
			if (++this.#steps === stepsMax) {
				this.#it.seek(historyKeyOf(prefix, (this.#s + 1) as Timestamp));
			} else {
				this.#it.next();
			}
		}
		return undefined;
	}

	/** Entries come by falling end: the first one that began at or before `s` decides. */
	#findBackward(prefix: Key): Version | undefined {
		while (this.#isOn(prefix)) {
			const ts = readTimestamp(this.#it.value);
			if (ts <= this.#s) {
				return historyEnd(this.#it.key as Key) > this.#s
					? { ts, value: versionValue(this.#it.value) }
					: undefined;
			}
			if (++this.#steps >= stepsMax) {
				return readHistory(this.#reader, prefix, this.#s);
			}
			this.#it.next();
		}
		return undefined;
	}

	/** Over what is left of the key's entries. */
	#leave(prefix: Key): void {
		while (this.#isOn(prefix)) {
			if (++this.#steps >= stepsMax) {
				this.#it.seek(this.#reverse ? prefix : historyPrefixEnd(prefix));
			} else {
				this.#it.next();
			}
		}
	}
}
