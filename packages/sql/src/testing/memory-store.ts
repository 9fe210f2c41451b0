/** Versions of keys in memory, for the in-process coordinator that tests run the SQL layer on. */
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type { ExportedChange } from "@quorate/replica/requests";

interface Version {
	readonly timestamp: Timestamp;
	readonly value: Uint8Array | undefined;
}

/** Index of the first element not below `key`. */
export function lowerBound(keys: readonly Key[], key: Key): number {
	let low = 0;
	let high = keys.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (keys[middle]! < key) low = middle + 1;
		else high = middle;
	}
	return low;
}

export class MemoryStore {
	readonly #keys: Key[] = [];
	readonly #versions = new Map<Key, Version[]>();

	/** Newest version at or below `at`. */
	read(key: Key, at: Timestamp): Uint8Array | undefined {
		const versions = this.#versions.get(key);
		if (versions === undefined) return undefined;
		for (let i = versions.length - 1; i >= 0; i--) {
			if (versions[i]!.timestamp <= at) return versions[i]!.value;
		}
		return undefined;
	}

	/** When the key changed last, deletions included; 0 if never. */
	changedAt(key: Key): number {
		return this.#versions.get(key)?.at(-1)?.timestamp ?? 0;
	}

	/** Whether any key of the span changed above `since`. */
	spanChangedSince(span: Span, since: number): boolean {
		for (let i = lowerBound(this.#keys, span.start); i < this.#keys.length; i++) {
			const key = this.#keys[i]!;
			if (key >= span.end) return false;
			if (this.changedAt(key) > since) return true;
		}
		return false;
	}

	/** Keys of the span that ever had a value, in order. */
	keysIn(span: Span): Key[] {
		const from = lowerBound(this.#keys, span.start);
		return this.#keys.slice(from, lowerBound(this.#keys, span.end));
	}

	/** Nothing was ever there. */
	clear(span: Span): void {
		const keys = this.keysIn(span);
		this.#keys.splice(lowerBound(this.#keys, span.start), keys.length);
		for (const key of keys) this.#versions.delete(key);
	}

	/** As `TransactionCoordinator.changes` has them. */
	changes(span: Span, after: Timestamp, upTo: Timestamp, base: boolean): ExportedChange[] {
		const out: ExportedChange[] = [];
		for (const key of this.keysIn(span)) {
			const versions = this.#versions.get(key)!.filter(({ timestamp }) => timestamp <= upTo);
			const first = versions.findLastIndex(({ timestamp }) => timestamp <= after);
			for (const { timestamp: ts, value } of versions.slice(Math.max(first, 0))) {
				if (ts > after || (base && value !== undefined))
					out.push({ key, ts, value: value ?? null });
			}
		}
		return out;
	}

	write(key: Key, timestamp: Timestamp, value: Uint8Array | undefined): void {
		const versions = this.#versions.get(key);
		if (versions !== undefined) {
			versions.push({ timestamp, value });
			return;
		}
		this.#versions.set(key, [{ timestamp, value }]);
		if (this.#keys.length === 0 || key > this.#keys.at(-1)!) this.#keys.push(key);
		else this.#keys.splice(lowerBound(this.#keys, key), 0, key);
	}
}
