/**
 * The transaction as one statement sees it. Reads look at the schema version afterwards (S2): a plan made for another
 * version must not decode what came back, so the statement is planned again, or fails where it has written already.
 */
import { andThen } from "@quorate/keys/and-then";
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key, Span } from "@quorate/keys/key";
import type { LockRequest, Row, ScanOptions, Transaction } from "@quorate/txn/types";

/** Not for clients: the statement is to be planned with a newer catalog and run again. */
export class SchemaMovedError extends Error {
	override readonly name = "SchemaMovedError";
}

export class StatementStore {
	readonly transaction: Transaction;
	/** The version that the statement was planned with. */
	readonly schemaVersion: number;
	/** Set by the first write: from then on the statement cannot simply start over. */
	wrote = false;

	constructor(transaction: Transaction, schemaVersion: number) {
		this.transaction = transaction;
		this.schemaVersion = schemaVersion;
	}

	check(): void {
		if (this.transaction.schemaVersion === this.schemaVersion) return;
		if (!this.wrote) throw new SchemaMovedError();
		throw new DatabaseError(
			"40001",
			"could not serialize access due to a concurrent schema change",
			{
				hint: "The transaction might succeed if retried.",
			},
		);
	}

	async get(
		keys: readonly Key[],
		lock: LockRequest | undefined,
	): Promise<(Uint8Array | undefined)[]> {
		const values =
			lock === undefined
				? await this.transaction.get(keys)
				: await this.transaction.get(keys, lock);
		this.check();
		return values;
	}

	/** The same of one key: without a promise where nothing must be waited for. */
	getOne(
		key: Key,
		lock: LockRequest | undefined,
	): Uint8Array | undefined | Promise<Uint8Array | undefined> {
		const { transaction } = this;
		const value = lock === undefined ? transaction.getOne(key) : transaction.getOne(key, lock);
		return andThen(value, (found) => {
			this.check();
			return found;
		});
	}

	async *scan(span: Span, options: ScanOptions): AsyncIterable<readonly Row[]> {
		for await (const page of this.transaction.scan(span, options)) {
			this.check();
			yield page;
		}
		// That there is nothing may be so because the rows lie elsewhere by now.
		this.check();
	}

	put(key: Key, value: Uint8Array): void {
		this.wrote = true;
		this.transaction.put(key, value);
	}

	delete(key: Key): void {
		this.wrote = true;
		this.transaction.delete(key);
	}

	insert(key: Key, value: Uint8Array): void {
		this.wrote = true;
		this.transaction.insert(key, value);
	}

	flush(): Promise<void> {
		return this.transaction.flush();
	}
}
