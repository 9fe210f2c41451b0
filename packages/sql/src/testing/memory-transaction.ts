/** A transaction of the in-process coordinator: reads at r, writes buffered, everything read validated at commit. */
import { assert } from "@quorate/keys/assert";
import { DatabaseError } from "@quorate/keys/database-error";
import { type LockOwner, lockOwner } from "@quorate/keys/ids";
import type { Key, Span } from "@quorate/keys/key";
import type { Timestamp } from "@quorate/keys/timestamp";
import {
	type CancelSignal,
	type Change,
	KeyExistsError,
	type LockRequest,
	type ReadPlaces,
	type Row,
	type Savepoint,
	type ScanOptions,
	type Transaction,
	type TransactionOptions,
} from "@quorate/txn/types";
import type { MemoryCoordinator } from "./memory-coordinator.ts";
import { lowerBound } from "./memory-store.ts";

interface Write {
	readonly value: Uint8Array | undefined;
	readonly insertion: boolean;
}

interface UndoRecord {
	readonly key: Key;
	readonly before: Write | undefined;
}

const conflict = (): DatabaseError =>
	new DatabaseError("40001", "could not serialize access due to concurrent update", {
		hint: "The transaction might succeed if retried.",
	});

const pageSize = 100;

export class MemoryTransaction implements Transaction {
	readonly #coordinator: MemoryCoordinator;
	readonly #options: TransactionOptions;
	readonly #writes = new Map<Key, Write>();
	/** Keys of `#writes`, in order, made when a scan needs them. */
	#writeOrder: Key[] | undefined;
	readonly #undo: UndoRecord[] = [];
	readonly #readKeys = new Map<Key, number>();
	readonly #readSpans: { readonly span: Span; readonly since: number; readonly holds: boolean }[] =
		[];
	readonly #locked = new Set<Key>();
	readonly #lockedReads = new Map<Key, number>();
	readonly #relied = new Map<Key, number>();
	readonly #owner: LockOwner;
	#read: { timestamp: Timestamp; schemaVersion: number } | undefined;
	#cancel: CancelSignal | undefined;
	#schemaChange = false;
	#accepted: number | undefined;
	#holdsReads = false;
	#done = false;

	constructor(coordinator: MemoryCoordinator, options: TransactionOptions) {
		this.#coordinator = coordinator;
		this.#options = options;
		this.#read = options.asOf;
		this.#owner = lockOwner(`memory/${coordinator.issueNow().timestamp}/0`);
	}

	get lockOwner(): LockOwner {
		return this.#owner;
	}

	relyOn(key: Key, since: Timestamp): void {
		if (!this.#relied.has(key)) this.#relied.set(key, since);
	}

	get readAt(): Timestamp | undefined {
		return this.#read?.timestamp;
	}

	readonly readPlaces: ReadPlaces = { followers: 0, leaseholders: 0 };

	readClosed(least: Timestamp): void {
		const { closed } = this.#coordinator;
		if (closed !== undefined && closed.timestamp >= least) this.#read ??= closed;
	}

	get schemaVersion(): number {
		return this.#read?.schemaVersion ?? this.#options.schemaVersion;
	}

	get bufferedBytes(): number {
		return this.#writes.size * 100;
	}

	readonly owner = lockOwner("memory/0/0/0");
	readonly id = undefined;

	get hasWrites(): boolean {
		return this.#writes.size > 0;
	}

	holdReads(): void {
		this.#holdsReads = true;
	}

	get canRestartStatement(): boolean {
		return false;
	}

	restart(): void {
		assert(false, "statements are not restarted here");
	}

	async readTimestamp(): Promise<{ timestamp: Timestamp; schemaVersion: number }> {
		return this.#begin();
	}

	#begin(): { timestamp: Timestamp; schemaVersion: number } {
		assert(!this.#done, "a finished transaction is not used");
		if (this.#cancel?.reason !== undefined) throw this.#cancel.reason;
		this.#read ??= this.#coordinator.issueNow();
		return this.#read;
	}

	beginStatement(cancel: CancelSignal): void {
		this.#cancel = cancel;
		if (this.#options.isolation === "read committed") this.#read = this.#options.asOf;
	}

	async get(keys: readonly Key[], lock?: LockRequest): Promise<(Uint8Array | undefined)[]> {
		await this.#coordinator.beforeRead?.();
		this.#begin();
		const out: (Uint8Array | undefined)[] = [];
		for (const key of keys) {
			const own = this.#writes.get(key);
			if (lock !== undefined) {
				if (!(await this.#lock(key, lock))) {
					out.push(undefined);
					continue;
				}
			} else if (own === undefined || own.insertion) {
				this.#noteRead(key);
			}
			out.push(
				own === undefined ? this.#coordinator.store.read(key, this.#read!.timestamp) : own.value,
			);
		}
		return out;
	}

	async getOne(key: Key, lock?: LockRequest): Promise<Uint8Array | undefined> {
		return (await this.get([key], lock))[0];
	}

	#noteRead(key: Key): void {
		if (!this.#readKeys.has(key)) this.#readKeys.set(key, this.#read!.timestamp);
	}

	/** Takes the lock and moves r to the newest version, having validated what was read before. */
	async #lock(key: Key, lock: LockRequest): Promise<boolean> {
		if (this.#options.mode === "optimistic") {
			if (!this.#lockedReads.has(key)) this.#lockedReads.set(key, this.#read!.timestamp);
			return true;
		}
		const granted = await this.#coordinator.locks.acquire(
			this,
			key,
			lock.wait,
			this.#cancel,
			this.#options.lockTimeoutMs,
		);
		if (!granted) return false;
		this.#locked.add(key);
		if (this.#coordinator.store.changedAt(key) > this.#read!.timestamp) {
			if (this.#options.isolation === "repeatable read") throw conflict();
			if (this.#options.isolation === "serializable" && !this.#readsHold()) throw conflict();
			this.#read = this.#coordinator.issueNow();
		}
		this.#lockedReads.set(key, this.#read!.timestamp);
		return true;
	}

	#readsHold(): boolean {
		for (const [key, since] of this.#readKeys) {
			if (this.#coordinator.store.changedAt(key) > since) return false;
		}
		return this.#spansHold(() => true);
	}

	#spansHold(counts: (read: { readonly holds: boolean }) => boolean): boolean {
		return this.#readSpans
			.filter(counts)
			.every(({ span, since }) => !this.#coordinator.store.spanChangedSince(span, since));
	}

	async *scan(span: Span, options: ScanOptions = {}): AsyncIterable<readonly Row[]> {
		await this.#coordinator.beforeRead?.();
		this.#begin();
		const reverse = options.reverse === true;
		this.#readSpans.push({
			span,
			since: this.#read!.timestamp,
			holds: options.holds === true,
		});
		let rest = span;
		for (;;) {
			const keys = this.#nextKeys(rest, reverse);
			const page: Row[] = [];
			for (const key of keys) {
				const own = this.#writes.get(key);
				if (options.lock !== undefined && !(await this.#lock(key, options.lock))) continue;
				const value =
					own === undefined ? this.#coordinator.store.read(key, this.#read!.timestamp) : own.value;
				if (value !== undefined) page.push({ key, value });
			}
			if (page.length > 0) yield page;
			const last = keys.at(-1);
			if (last === undefined) return;
			rest = reverse
				? { start: rest.start, end: last }
				: { start: `${last}\0` as Key, end: rest.end };
		}
	}

	#nextKeys(span: Span, reverse: boolean): Key[] {
		this.#writeOrder ??= [...this.#writes.keys()].sort((a, b) => (a < b ? -1 : 1));
		const from = lowerBound(this.#writeOrder, span.start);
		const own = this.#writeOrder.slice(from, lowerBound(this.#writeOrder, span.end));
		const keys = this.#coordinator.store.keysIn(span);
		const all =
			own.length === 0 ? keys : [...new Set([...keys, ...own])].sort((a, b) => (a < b ? -1 : 1));
		return reverse ? all.slice(-pageSize).reverse() : all.slice(0, pageSize);
	}

	#write(key: Key, write: Write): void {
		assert(!this.#done && !this.#options.readOnly, "a writable transaction");
		const before = this.#writes.get(key);
		if (before === undefined) this.#writeOrder = undefined;
		this.#undo.push({ key, before });
		this.#writes.set(key, write);
	}

	put(key: Key, value: Uint8Array): void {
		this.#write(key, { value, insertion: false });
	}

	delete(key: Key): void {
		this.#write(key, { value: undefined, insertion: false });
	}

	insert(key: Key, value: Uint8Array): void {
		const own = this.#writes.get(key);
		if (own?.value !== undefined) throw new KeyExistsError(key);
		this.#write(key, { value, insertion: own === undefined || own.insertion });
	}

	async flush(): Promise<void> {}

	savepoint(): Savepoint {
		return { undo: this.#undo.length } as unknown as Savepoint;
	}

	rollbackTo(savepoint: Savepoint): void {
		const { undo } = savepoint as unknown as { undo: number };
		while (this.#undo.length > undo) {
			const { key, before } = this.#undo.pop()!;
			if (before === undefined) this.#writes.delete(key);
			else this.#writes.set(key, before);
		}
		this.#writeOrder = undefined;
	}

	acceptSchema(version: number): void {
		this.#accepted = version;
	}

	markSchemaChange(): void {
		this.#schemaChange = true;
	}

	tellsNothing(): void {}

	confirm(): void {}

	endReadOnly(): boolean {
		return false;
	}

	async commit(): Promise<{
		timestamp: Timestamp | undefined;
		schemaVersion: number | undefined;
	}> {
		try {
			await this.#coordinator.beforeCommit?.(this.#options.mode);
			this.#validate();
			if (this.#writes.size === 0 && !this.#schemaChange) {
				return { timestamp: undefined, schemaVersion: undefined };
			}
			const issued = this.#schemaChange
				? this.#coordinator.raiseNow()
				: this.#coordinator.issueNow();
			for (const [key, write] of this.#writes) {
				this.#coordinator.store.write(key, issued.timestamp, write.value);
			}
			this.#tellFeeds(issued.timestamp);
			return {
				timestamp: issued.timestamp,
				schemaVersion: this.#schemaChange ? issued.schemaVersion : undefined,
			};
		} finally {
			this.#finish();
		}
	}

	#tellFeeds(ts: Timestamp): void {
		const rows: Change[] = [];
		for (const [key, { value }] of this.#writes) {
			if (value !== undefined) rows.push({ key, ts, value });
		}
		rows.sort((a, b) => (a.key < b.key ? -1 : 1));
		this.#coordinator.committed(rows, ts);
	}

	#validate(): void {
		const { store } = this.#coordinator;
		for (const [key, write] of this.#writes) {
			if (!write.insertion) continue;
			if (store.read(key, Number.MAX_SAFE_INTEGER as Timestamp) !== undefined) {
				throw new KeyExistsError(key);
			}
		}
		for (const [key, since] of [...this.#lockedReads, ...this.#relied]) {
			if (store.changedAt(key) > since) throw conflict();
		}
		if (this.#writes.size === 0) return;
		const planned = this.#accepted ?? this.schemaVersion;
		if (planned !== this.#coordinator.currentVersion) throw conflict();
		const validates = this.#holdsReads || this.#options.isolation === "serializable";
		if (validates && !this.#readsHold()) throw conflict();
		if (!this.#spansHold(({ holds }) => holds)) throw conflict();
	}

	async rollback(): Promise<void> {
		this.#finish();
	}

	#finish(): void {
		this.#done = true;
		this.#coordinator.locks.release(this, this.#locked);
	}
}
