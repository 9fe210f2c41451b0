/**
 * Rows of a session's temporary tables, and values of its temporary sequences: in the memory of the node that the session is at. A session
 * has one transaction at a time and nobody else looks, so what is written is there at once, and a list says how it was before.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key, Span } from "@quorate/keys/key";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { KeyExistsError, type Row } from "@quorate/txn/types";
import type { MemoryPool } from "../execute/memory.ts";

/** What an entry takes beside its bytes: see `WriteBuffer` of transactions. */
const overheadBytes = 240;
const undoBytes = 64;
const pageRows = 1000;
const pageBytes = 1 << 20;
/** Taken from the pool of the node at a time. */
const shareBytes = 1 << 18;

interface Before {
	readonly key: Key;
	/** Undefined: it was not there. */
	readonly value: Uint8Array | undefined;
}

export interface TemporaryLimits {
	/** Bytes that one session may keep. */
	readonly session: number;
	/** What those of a node may together. */
	readonly pool: MemoryPool;
}

const entryBytes = (k: Key, value: Uint8Array | undefined): number =>
	value === undefined ? 0 : k.length + value.length + overheadBytes;
const beforeBytes = ({ value }: Before): number => undoBytes + (value?.length ?? 0);

export class TemporaryStore {
	readonly #limits: TemporaryLimits;
	readonly #engine = new MemoryEngine();
	/** Of the open transaction, in order. */
	readonly #before: Before[] = [];
	/** Rough bytes in memory. */
	#bytes = 0;
	/** Taken from the pool. */
	#taken = 0;

	constructor(limits: TemporaryLimits) {
		this.#limits = limits;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** The open transaction has written. */
	get isChanged(): boolean {
		return this.#before.length > 0;
	}

	get(k: Key): Uint8Array | undefined {
		return this.#engine.get(k);
	}

	/** Throws 53200. */
	put(k: Key, value: Uint8Array): void {
		const before = { key: k, value: this.get(k) };
		const grown = entryBytes(k, value) - entryBytes(k, before.value) + beforeBytes(before);
		this.#grow(grown);
		this.#before.push(before);
		this.#set(k, value);
	}

	/** Throws 53200, and a `KeyExistsError`. */
	insert(k: Key, value: Uint8Array): void {
		if (this.get(k) !== undefined) throw new KeyExistsError(k);
		this.put(k, value);
	}

	delete(k: Key): void {
		const before = { key: k, value: this.get(k) };
		if (before.value === undefined) return;
		this.#before.push(before);
		this.#set(k, undefined);
		this.#bytes += beforeBytes(before) - entryBytes(k, before.value);
	}

	/** Not a part of the transaction: sequences do not roll back. Throws 53200. */
	putForGood(k: Key, value: Uint8Array): void {
		this.#grow(entryBytes(k, value) - entryBytes(k, this.get(k)));
		this.#set(k, value);
	}

	/** In key order, or from the end. Undefined: there is nothing left. */
	page(span: Span, reverse: boolean, rowsMax = pageRows): readonly Row[] | undefined {
		if (span.start >= span.end) return undefined;
		const limits = { rowsMax, bytesMax: pageBytes, reverse, keyOffset: 0 };
		const { keys, values } = this.#engine.scan(span, limits);
		return keys.length === 0 ? undefined : keys.map((key, i) => ({ key, value: values[i]! }));
	}

	/** For `backTo`. */
	mark(): number {
		return this.#before.length;
	}

	/** As it was at a mark; 0: before the transaction. */
	backTo(mark: number): void {
		for (const before of this.#before.splice(mark).reverse()) {
			const { key, value } = before;
			this.#bytes += entryBytes(key, value) - entryBytes(key, this.get(key)) - beforeBytes(before);
			this.#set(key, value);
		}
		this.#share();
	}

	/** The transaction has committed. */
	commit(): void {
		for (const before of this.#before) this.#bytes -= beforeBytes(before);
		this.#before.length = 0;
		this.#share();
	}

	/** Takes everything out of a span, for good. */
	clear(span: Span): void {
		for (;;) {
			const page = this.page(span, false);
			if (page === undefined) break;
			for (const { key, value } of page) this.#bytes -= entryBytes(key, value);
			this.#engine.write((batch) => {
				for (const { key } of page) batch.delete(key);
			});
		}
		this.#share();
	}

	/** Everything is given back. */
	close(): void {
		this.#before.length = 0;
		this.#bytes = 0;
		this.#share();
		void this.#engine.close();
	}

	#set(k: Key, value: Uint8Array | undefined): void {
		this.#engine.write((batch) => {
			if (value === undefined) batch.delete(k);
			else batch.put(k, value);
		});
	}

	/** Throws 53200, and nothing has changed then. */
	#grow(bytes: number): void {
		const wanted = this.#bytes + bytes;
		const { session, pool } = this.#limits;
		if (wanted > session) {
			throw new DatabaseError("53200", "out of memory", {
				detail: `The temporary tables of a session are kept in memory, up to ${Math.round(session / 1048576)} MB.`,
				hint: "Drop or truncate temporary tables that are not needed any more, or use an ordinary table.",
			});
		}
		if (wanted > this.#taken) {
			const shares = Math.ceil((wanted - this.#taken) / shareBytes) * shareBytes;
			pool.take(shares);
			this.#taken += shares;
		}
		this.#bytes = wanted;
	}

	/** Gives back what is not needed. */
	#share(): void {
		const needed = Math.ceil(this.#bytes / shareBytes) * shareBytes;
		if (needed >= this.#taken) return;
		this.#limits.pool.giveBack(this.#taken - needed);
		this.#taken = needed;
	}
}
