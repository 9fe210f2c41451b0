/**
 * Writes rows of one table and keeps its indexes: the secondary ones, those that are only written (S3), and the second set
 * of a rewrite (S5). A key that must not be taken is read first, with a lock in pessimistic transactions; bulk writers rely
 * on its absence instead, which the transaction checks no later than at commit.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import { hasPrimaryKey, liveColumns } from "../catalog/descriptor.ts";
import type { Compiled } from "../plan/compile.ts";
import type { Datum } from "../types/datum.ts";
import type { Env, ExecRow } from "./env.ts";
import { entryValue, type IndexCodec } from "./index-codec.ts";
import type { TableCodec } from "./table-codec.ts";
import { checkViolation, notNullViolation, uniqueViolation } from "./violation.ts";

export interface CheckConstraint {
	readonly name: string;
	/** Over a row of the table's live columns. */
	readonly condition: Compiled;
}

export interface RowChange {
	readonly oldKey: Key;
	readonly oldRow: ExecRow;
	readonly newRow: Datum[];
}

/** A key that has to be free, and what to say if it is not. */
export interface Claim {
	readonly key: Key;
	readonly codec: TableCodec;
	readonly index: IndexCodec;
	readonly row: ExecRow;
}

const exclusive: LockRequest = { strength: "exclusive", wait: "block" };
const claimsMax = 256;

export class TableWriter {
	readonly codec: TableCodec;
	readonly #notNull: readonly number[];
	readonly #checks: readonly CheckConstraint[];
	/** The table, and its rewrite. */
	readonly #codecs: readonly TableCodec[];
	readonly hasKey: boolean;
	readonly hasUnique: boolean;

	constructor(codec: TableCodec, checks: readonly CheckConstraint[]) {
		this.codec = codec;
		this.#notNull = liveColumns(codec.table).flatMap((column, slot) =>
			column.notNull ? [slot] : [],
		);
		this.#checks = checks;
		this.#codecs = codec.rewrite === undefined ? [codec] : [codec, codec.rewrite];
		this.hasKey = hasPrimaryKey(codec.table);
		this.hasUnique = this.#codecs.some(
			(one) => hasPrimaryKey(one.table) || one.secondary.some((index) => index.index.unique),
		);
	}

	lockFor(env: Env): LockRequest | undefined {
		return env.execution.mode === "pessimistic" ? exclusive : undefined;
	}

	/** Throws 23502, 23514; a promise only where a CHECK is asynchronous. */
	validate(row: ExecRow, env: Env): Promise<void> | undefined {
		for (const slot of this.#notNull) {
			if (row[slot] === null) {
				throw notNullViolation(this.codec.table, slot, row, env.context);
			}
		}
		for (const { name, condition } of this.#checks) {
			if (condition.async) return this.#validateSlowly(row, env);
			if (condition.evaluate(row, env) === false) {
				throw checkViolation(this.codec.table, name, row, env.context);
			}
		}
		return undefined;
	}

	async #validateSlowly(row: ExecRow, env: Env): Promise<void> {
		for (const { name, condition } of this.#checks) {
			if ((await condition.evaluate(row, env)) === false) {
				throw checkViolation(this.codec.table, name, row, env.context);
			}
		}
	}

	/** Key of a new row: of its primary key, or with a fresh row id. */
	newKey(row: ExecRow, env: Env): Key | undefined {
		if (this.hasKey) return this.codec.primary.primaryKey(row);
		const rowid = env.execution.rowIds.take();
		return rowid === undefined ? undefined : this.codec.primary.rowidKey(rowid);
	}

	/** As `newKey`, once the row ids of this node had to be asked for. */
	async newKeySlowly(row: ExecRow, env: Env): Promise<Key> {
		for (;;) {
			const key = this.newKey(row, env);
			if (key !== undefined) return key;
			await env.execution.rowIds.refill();
		}
	}

	/** All keys that `row` claims. */
	claims(row: ExecRow, key: Key): Claim[] {
		const claims: Claim[] = [];
		for (const codec of this.#codecs) {
			const primary = codec === this.codec ? key : codec.primary.primaryKey(row);
			if (hasPrimaryKey(codec.table)) {
				claims.push({ key: primary, codec, index: codec.primary, row });
			}
			for (const index of codec.secondary) {
				if (index.isUniqueFor(row)) {
					claims.push({ key: index.entryKey(row, primary), codec, index, row });
				}
			}
		}
		return claims;
	}

	/** Throws 23505 if a key is taken, in the store or twice among the claims. */
	async check(claims: readonly Claim[], env: Env): Promise<void> {
		const seen = new Set<Key>();
		for (const claim of claims) {
			if (seen.has(claim.key)) throw this.#taken(claim, env);
			seen.add(claim.key);
		}
		for (let i = 0; i < claims.length; i += claimsMax) {
			const some = claims.slice(i, i + claimsMax);
			const values = await env.execution.store.get(
				some.map((claim) => claim.key),
				this.lockFor(env),
			);
			const taken = values.findIndex((value) => value !== undefined);
			if (taken >= 0) throw this.#taken(some[taken]!, env);
		}
	}

	#taken(claim: Claim, env: Env): Error {
		return uniqueViolation(claim.codec.table, claim.index.index, claim.row, env.context);
	}

	/** Row and entries of a new row whose keys are known to be free. */
	insert(row: ExecRow, key: Key, env: Env): void {
		const { store } = env.execution;
		const value = this.codec.row.encode(row);
		for (const codec of this.#codecs) {
			const primary = codec === this.codec ? key : codec.primary.primaryKey(row);
			store.put(primary, value);
			for (const index of codec.secondary) {
				store.put(index.entryKey(row, primary), entryValue(primary));
			}
		}
	}

	/** The same without having looked: whoever commits checks that the keys are free. */
	insertUnread(row: ExecRow, key: Key, env: Env): void {
		const { store } = env.execution;
		const value = this.codec.row.encode(row);
		for (const codec of this.#codecs) {
			const primary = codec === this.codec ? key : codec.primary.primaryKey(row);
			if (hasPrimaryKey(codec.table)) store.insert(primary, value);
			else store.put(primary, value);
			for (const index of codec.secondary) {
				const entry = index.entryKey(row, primary);
				if (index.isUniqueFor(row)) store.insert(entry, entryValue(primary));
				else store.put(entry, entryValue(primary));
			}
		}
	}

	delete(row: ExecRow, key: Key, env: Env): void {
		const { store } = env.execution;
		for (const codec of this.#codecs) {
			const primary = codec === this.codec ? key : codec.primary.primaryKey(row);
			store.delete(primary);
			for (const index of codec.secondary) store.delete(index.entryKey(row, primary));
		}
	}

	/** An update that touches no key: the row's value only, and the entries stay. */
	replaceValue(row: ExecRow, key: Key, env: Env): void {
		env.execution.store.put(key, this.codec.row.encode(row));
	}

	/**
	 * Updates rows, keys and all: what goes is deleted first, so that rows may trade keys within one statement. Throws 23505.
	 */
	async update(changes: readonly RowChange[], env: Env): Promise<void> {
		const { store } = env.execution;
		const writes: { readonly key: Key; readonly value: Uint8Array }[] = [];
		const claims: Claim[] = [];
		for (const change of changes) {
			const value = this.codec.row.encode(change.newRow);
			for (const codec of this.#codecs) this.#planChange(codec, change, value, writes, claims, env);
		}
		if (claims.length > 0) await this.check(claims, env);
		for (const { key, value } of writes) store.put(key, value);
	}

	#planChange(
		codec: TableCodec,
		change: RowChange,
		value: Uint8Array,
		writes: { readonly key: Key; readonly value: Uint8Array }[],
		claims: Claim[],
		env: Env,
	): void {
		const { store } = env.execution;
		const { oldRow, newRow } = change;
		const keyed = hasPrimaryKey(codec.table);
		const oldKey = codec === this.codec ? change.oldKey : codec.primary.primaryKey(oldRow);
		const newKey = keyed ? codec.primary.primaryKey(newRow) : oldKey;
		if (newKey !== oldKey) {
			store.delete(oldKey);
			claims.push({ key: newKey, codec, index: codec.primary, row: newRow });
		}
		writes.push({ key: newKey, value });
		for (const index of codec.secondary) {
			const oldEntry = index.entryKey(oldRow, oldKey);
			const newEntry = index.entryKey(newRow, newKey);
			if (oldEntry !== newEntry) {
				store.delete(oldEntry);
				if (index.isUniqueFor(newRow)) {
					claims.push({ key: newEntry, codec, index, row: newRow });
				}
			} else if (newKey === oldKey) {
				continue;
			}
			writes.push({ key: newEntry, value: entryValue(newKey) });
		}
	}
}
