/**
 * A transaction that also writes temporary tables. What it does to them happens in the store of its session; all else goes to the
 * cluster. Both end together: the store's part cannot fail, so it follows what became of the other one.
 */
import type { DatabaseError } from "@quorate/keys/database-error";
import type { LockOwner, TransactionId } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import type {
	CancelSignal,
	LockRequest,
	ReadPlaces,
	Row,
	Savepoint,
	ScanOptions,
	Transaction,
} from "@quorate/txn/types";
import { isTemporaryKey } from "../catalog/temporary.ts";
import type { TemporaryStore } from "./temporary-store.ts";

class Mark {
	readonly inner: Savepoint;
	readonly store: number;

	constructor(inner: Savepoint, store: number) {
		this.inner = inner;
		this.store = store;
	}
}

export class TemporaryTransaction implements Transaction {
	readonly #inner: Transaction;
	readonly #store: TemporaryStore;

	constructor(inner: Transaction, store: TemporaryStore) {
		this.#inner = inner;
		this.#store = store;
	}

	get lockOwner(): LockOwner {
		return this.#inner.lockOwner;
	}

	get owner(): LockOwner {
		return this.#inner.owner;
	}

	get id(): TransactionId | undefined {
		return this.#inner.id;
	}

	get schemaVersion(): number {
		return this.#inner.schemaVersion;
	}

	get readAt(): Timestamp | undefined {
		return this.#inner.readAt;
	}

	get readPlaces(): ReadPlaces {
		return this.#inner.readPlaces;
	}

	get bufferedBytes(): number {
		return this.#inner.bufferedBytes;
	}

	/** To the cluster. */
	get hasWrites(): boolean {
		return this.#inner.hasWrites;
	}

	get canRestartStatement(): boolean {
		return this.#inner.canRestartStatement;
	}

	readTimestamp(): ReturnType<Transaction["readTimestamp"]> {
		return this.#inner.readTimestamp();
	}

	readClosed(least: Timestamp): void {
		this.#inner.readClosed(least);
	}

	beginStatement(cancel: CancelSignal): void {
		this.#inner.beginStatement(cancel);
	}

	holdReads(): void {
		this.#inner.holdReads();
	}

	async get(keys: readonly Key[], lock?: LockRequest): Promise<(Uint8Array | undefined)[]> {
		const others = keys.filter((k) => !isTemporaryKey(k));
		if (others.length === keys.length) return this.#get(keys, lock);
		const found = others.length === 0 ? [] : await this.#get(others, lock);
		let next = 0;
		return keys.map((k) => (isTemporaryKey(k) ? this.#store.get(k) : found[next++]));
	}

	getOne(k: Key, lock?: LockRequest): ReturnType<Transaction["getOne"]> {
		if (isTemporaryKey(k)) return this.#store.get(k);
		return lock === undefined ? this.#inner.getOne(k) : this.#inner.getOne(k, lock);
	}

	#get(keys: readonly Key[], lock?: LockRequest): Promise<(Uint8Array | undefined)[]> {
		return lock === undefined ? this.#inner.get(keys) : this.#inner.get(keys, lock);
	}

	scan(span: Span, options: ScanOptions = {}): AsyncIterable<readonly Row[]> {
		return isTemporaryKey(span.start) ? this.#scan(span, options) : this.#inner.scan(span, options);
	}

	async *#scan(span: Span, { reverse = false, limit }: ScanOptions): AsyncIterable<readonly Row[]> {
		let rest = span;
		let rowsMax = limit;
		for (;;) {
			const page = this.#store.page(rest, reverse, rowsMax);
			if (page === undefined) return;
			yield page;
			const last = page.at(-1)!.key;
			rest = reverse
				? { start: rest.start, end: last }
				: { start: `${last}\0` as Key, end: rest.end };
			rowsMax = undefined;
		}
	}

	put(k: Key, value: Uint8Array): void {
		if (isTemporaryKey(k)) this.#store.put(k, value);
		else this.#inner.put(k, value);
	}

	delete(k: Key): void {
		if (isTemporaryKey(k)) this.#store.delete(k);
		else this.#inner.delete(k);
	}

	insert(k: Key, value: Uint8Array): void {
		if (isTemporaryKey(k)) this.#store.insert(k, value);
		else this.#inner.insert(k, value);
	}

	relyOn(k: Key, since: Timestamp): void {
		this.#inner.relyOn(k, since);
	}

	flush(): Promise<void> {
		return this.#inner.flush();
	}

	savepoint(): Savepoint {
		return new Mark(this.#inner.savepoint(), this.#store.mark()) as unknown as Savepoint;
	}

	/** One that was made before the session had temporary tables is the other transaction's. */
	rollbackTo(savepoint: Savepoint): void | Promise<void> {
		const mark: unknown = savepoint;
		if (!(mark instanceof Mark)) {
			this.#store.backTo(0);
			return this.#inner.rollbackTo(savepoint);
		}
		this.#store.backTo(mark.store);
		return this.#inner.rollbackTo(mark.inner);
	}

	acceptSchema(version: number): void {
		this.#inner.acceptSchema(version);
	}

	markSchemaChange(): void {
		this.#inner.markSchemaChange();
	}

	async commit(): ReturnType<Transaction["commit"]> {
		const ended = await this.#inner.commit();
		this.#store.commit();
		return ended;
	}

	endReadOnly(): boolean {
		return !this.#store.isChanged && this.#inner.endReadOnly();
	}

	rollback(): Promise<void> {
		this.#store.backTo(0);
		return this.#inner.rollback();
	}

	tellsNothing(): void {
		this.#inner.tellsNothing();
	}

	confirm(): Promise<void> | void {
		return this.#inner.confirm();
	}

	/** Only the first statement of a transaction is run again. */
	restart(error: DatabaseError): void {
		this.#store.backTo(0);
		this.#inner.restart(error);
	}
}
