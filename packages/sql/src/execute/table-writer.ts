/**
 * Writes rows of one table and keeps its indexes, those that are only written (S3) too; the second set of a rewrite (S5) is
 * kept by `ShadowWriter`. A key that must not be taken is read first, with a lock in pessimistic transactions; bulk writers rely
 * on its absence instead, which the transaction checks no later than at commit.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import { hasPrimaryKey, liveColumns } from "../catalog/descriptor.ts";
import type { Compiled } from "../plan/compile.ts";
import type { Datum } from "../types/datum.ts";
import type { Env, ExecRow } from "./env.ts";
import { entryValue, type IndexCodec } from "./index-codec.ts";
import type { TableReferences } from "./references/reference.ts";
import {
	type KeyedRow,
	type RowConversion,
	type ShadowChange,
	ShadowWriter,
} from "./shadow-writer.ts";
import type { TableCodec } from "./table-codec.ts";
import { checkViolation, notNullViolation, uniqueViolation } from "./violation.ts";

export interface CheckConstraint {
	readonly name: string;
	/** Over a row of the table's live columns. */
	readonly condition: Compiled;
	/** It means the same in every session and on every node. */
	readonly isPure: boolean;
}

/** GENERATED ALWAYS AS (...) STORED. */
export interface GeneratedColumn {
	readonly slot: number;
	/** Over a row of the table's live columns. */
	readonly value: Compiled;
}

export interface RowChange {
	readonly oldKey: Key;
	readonly oldRow: ExecRow;
	readonly newRow: Datum[];
}

/** A key that has to be free, and what to say if it is not. */
export interface Claim {
	readonly key: Key;
	readonly index: IndexCodec;
	readonly row: ExecRow;
}

/** What is read to be written. */
export const exclusive: LockRequest = { strength: "update", wait: "block" };
const claimsMax = 256;

export class TableWriter {
	readonly codec: TableCodec;
	readonly #notNull: readonly number[];
	readonly #checks: readonly CheckConstraint[];
	readonly #generated: readonly GeneratedColumn[];
	/** Of columns of domains: throw what their conditions say. */
	readonly #domains: readonly Compiled[];
	/** Unique, but rows may share a key for a while (`unique-checks.ts`). */
	readonly #deferrable: readonly IndexCodec[];
	/** Set while the table is being rewritten. */
	readonly shadow: ShadowWriter | undefined;
	readonly hasKey: boolean;
	readonly hasUnique: boolean;
	/** Set where the table has foreign keys, or is referred to; rows that are only copied (`ddl/`) owe them nothing. */
	references: TableReferences | undefined;

	/** Of all checks; what domains ask, and what becomes of rows in a rewrite, is not looked at. */
	get isPure(): boolean {
		return (
			this.#domains.length === 0 &&
			this.shadow === undefined &&
			this.#checks.every((check) => check.isPure)
		);
	}

	constructor(
		codec: TableCodec,
		checks: readonly CheckConstraint[],
		generated: readonly GeneratedColumn[] = [],
		domains: readonly Compiled[] = [],
		conversion: RowConversion | undefined = undefined,
	) {
		this.codec = codec;
		this.#notNull = liveColumns(codec.table).flatMap((column, slot) =>
			column.notNull ? [slot] : [],
		);
		this.#checks = checks;
		this.#generated = generated;
		this.#domains = domains;
		this.#deferrable = codec.secondary.filter(({ index }) => index.deferrable !== undefined);
		this.shadow = codec.rewrite && new ShadowWriter(codec, conversion);
		this.hasKey = hasPrimaryKey(codec.table);
		this.hasUnique = this.hasKey || codec.secondary.some((index) => index.index.unique);
	}

	/** Fills in the generated columns. Throws 23502, 23514; a promise only where an expression is asynchronous. */
	validate(row: Datum[], env: Env): Promise<void> | undefined {
		for (const { slot, value } of this.#generated) {
			if (value.async) return this.#generateSlowly(row, env);
			row[slot] = value.evaluate(row, env) as Datum;
		}
		return this.#check(row, env);
	}

	async #generateSlowly(row: Datum[], env: Env): Promise<void> {
		for (const { slot, value } of this.#generated) row[slot] = await value.evaluate(row, env);
		await this.#check(row, env);
	}

	#check(row: ExecRow, env: Env): Promise<void> | undefined {
		for (const domain of this.#domains) {
			if (domain.async) return this.#checkSlowly(row, env);
			domain.evaluate(row, env);
		}
		return this.#checkRow(row, env);
	}

	async #checkSlowly(row: ExecRow, env: Env): Promise<void> {
		for (const domain of this.#domains) await domain.evaluate(row, env);
		await this.#checkRow(row, env);
	}

	#checkRow(row: ExecRow, env: Env): Promise<void> | undefined {
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
		if (this.hasKey) claims.push({ key, index: this.codec.primary, row });
		for (const index of this.codec.secondary) {
			if (!index.isUniqueFor(row)) continue;
			claims.push({ key: index.entryKey(row, key)!, index, row });
		}
		return claims;
	}

	/** Throws 23505 if a key is taken, in the store or twice among the claims. */
	async check(claims: readonly Claim[], env: Env): Promise<void> {
		const seen = new Set<Key>();
		for (const claim of claims) {
			if (seen.has(claim.key)) throw this.#taken(claim, env);
			seen.add(claim.key);
			const pause = env.execution.stepOf(claims.length);
			if (pause !== undefined) await pause;
		}
		for (let i = 0; i < claims.length; i += claimsMax) {
			const some = claims.slice(i, i + claimsMax);
			const values = await env.execution.store.get(
				some.map((claim) => claim.key),
				exclusive,
			);
			const taken = values.findIndex((value) => value !== undefined);
			if (taken >= 0) throw this.#taken(some[taken]!, env);
		}
	}

	#taken(claim: Claim, env: Env): Error {
		return uniqueViolation(this.codec.table, claim.index.index, claim.row, env.context);
	}

	/** Row and entries of a new row whose keys are known to be free. */
	insert(row: ExecRow, key: Key, env: Env): void {
		const { store } = env.execution;
		store.put(key, this.codec.row.encode(row));
		for (const index of this.codec.secondary) {
			const entry = index.entryKey(row, key);
			if (entry !== undefined) store.put(entry, entryValue(key));
		}
		this.#noteWritten(row, key, env);
	}

	#noteWritten(row: ExecRow, key: Key, env: Env): void {
		const { references } = this;
		for (const index of this.#deferrable) {
			const start = index.sharedKey(row);
			if (start !== undefined) env.execution.uniques.written(index, start, row);
		}
		if (references === undefined || references.own.length === 0) return;
		env.execution.references.written(references, row, key);
	}

	/** The same without having looked: whoever commits checks that the keys are free. */
	insertUnread(row: ExecRow, key: Key, env: Env): void {
		const { store } = env.execution;
		const value = this.codec.row.encode(row);
		if (this.hasKey) store.insert(key, value);
		else store.put(key, value);
		for (const index of this.codec.secondary) {
			const entry = index.entryKey(row, key);
			if (entry === undefined) continue;
			if (index.isUniqueFor(row)) store.insert(entry, entryValue(key));
			else store.put(entry, entryValue(key));
		}
		this.#noteWritten(row, key, env);
	}

	delete(row: ExecRow, key: Key, env: Env): void {
		const { store } = env.execution;
		store.delete(key);
		for (const index of this.codec.secondary) {
			const entry = index.heldKey(row, key);
			if (entry !== undefined) store.delete(entry);
		}
		const { references } = this;
		if (references !== undefined && references.referrers.length > 0) {
			env.execution.references.deleted(references, row);
		}
	}

	/** The same of several rows, with what a rewrite keeps of them. */
	async deleteRows(rows: readonly KeyedRow[], env: Env): Promise<void> {
		const { cursors } = env.execution;
		if (cursors?.isWatching) cursors.moved(rows.map(({ key }) => ({ from: key, to: undefined })));
		for (const { row, key } of rows) {
			this.delete(row, key, env);
			const pause = env.execution.stepOf(rows.length);
			if (pause !== undefined) await pause;
		}
		if (this.shadow !== undefined) await this.shadow.delete(rows, env);
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
		const shadowed: ShadowChange[] = [];
		for (const change of changes) {
			const newKey = this.#planChange(change, writes, claims, env);
			shadowed.push({ ...change, newKey });
			const pause = env.execution.stepOf(changes.length);
			if (pause !== undefined) await pause;
		}
		if (env.execution.cursors?.isWatching) {
			const moves = shadowed.filter(({ oldKey, newKey }) => newKey !== oldKey);
			env.execution.cursors.moved(
				moves.map(({ oldKey, newKey }) => ({ from: oldKey, to: newKey })),
			);
		}
		if (claims.length > 0) await this.check(claims, env);
		for (const { key, value } of writes) {
			store.put(key, value);
			const pause = env.execution.stepOf(changes.length);
			if (pause !== undefined) await pause;
		}
		if (this.shadow !== undefined) await this.shadow.update(shadowed, env);
	}

	#planChange(
		change: RowChange,
		writes: { readonly key: Key; readonly value: Uint8Array }[],
		claims: Claim[],
		env: Env,
	): Key {
		const { store } = env.execution;
		const { oldRow, newRow, oldKey } = change;
		const { codec } = this;
		const newKey = this.hasKey ? codec.primary.primaryKey(newRow) : oldKey;
		if (newKey !== oldKey) {
			store.delete(oldKey);
			claims.push({ key: newKey, index: codec.primary, row: newRow });
		}
		writes.push({ key: newKey, value: codec.row.encode(newRow) });
		for (const index of codec.secondary) {
			const oldEntry = index.heldKey(oldRow, oldKey);
			const newEntry = index.entryKey(newRow, newKey);
			if (oldEntry === newEntry && newKey === oldKey) continue;
			if (oldEntry !== undefined && oldEntry !== newEntry) store.delete(oldEntry);
			if (newEntry === undefined) continue;
			const isClaimed = oldEntry !== newEntry && index.isUniqueFor(newRow);
			if (isClaimed) claims.push({ key: newEntry, index, row: newRow });
			writes.push({ key: newEntry, value: entryValue(newKey) });
		}
		for (const index of this.#deferrable) {
			const start = index.sharedKey(newRow);
			const isNew = start !== undefined && start !== index.sharedKey(oldRow);
			if (isNew) env.execution.uniques.written(index, start, newRow);
		}
		if (this.references !== undefined) {
			const before = { row: oldRow, key: oldKey };
			env.execution.references.updated(this.references, before, { row: newRow, key: newKey });
		}
		return newKey;
	}
}
