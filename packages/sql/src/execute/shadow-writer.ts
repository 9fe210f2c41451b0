/**
 * The second set of physical indexes of a table whose primary key changes (S5), kept by writers while the rows are being
 * copied. Two old rows may have the same new key, which is an error of the change, and neither may overwrite the other: so
 * each copied row names the old key that owns it, and only the owner changes or deletes it.
 */
import type { Key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import { indexPrefixLength } from "../catalog/keys.ts";
import type { Env, ExecRow } from "./env.ts";
import { entryValue } from "./index-codec.ts";
import type { TableCodec } from "./table-codec.ts";
import { uniqueViolation } from "./violation.ts";

export interface KeyedRow {
	readonly row: ExecRow;
	/** In the primary index that is still in use. */
	readonly key: Key;
}

export interface ShadowChange {
	readonly oldRow: ExecRow;
	readonly oldKey: Key;
	readonly newRow: ExecRow;
	readonly newKey: Key;
}

interface PlannedRow {
	readonly row: ExecRow;
	readonly owner: string;
	readonly key: Key;
	/** Of each secondary index, undefined where the row has none in it. */
	readonly entries: readonly (Key | undefined)[];
}

const exclusive: LockRequest = { strength: "update", wait: "block" };

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export class ShadowWriter {
	readonly codec: TableCodec;

	constructor(codec: TableCodec) {
		this.codec = codec;
	}

	#get(keys: readonly Key[], env: Env): Promise<(Uint8Array | undefined)[]> {
		return env.execution.store.get(keys, exclusive);
	}

	/** Undefined: the row cannot be in the new index, since a column of its key is NULL. */
	#keyOf(row: ExecRow): Key | undefined {
		const { primary } = this.codec;
		if (primary.columns.some((column) => row[column.slot] === null)) return undefined;
		return primary.primaryKey(row);
	}

	#plan({ row, key }: KeyedRow): PlannedRow {
		const newKey = this.codec.primary.primaryKey(row);
		return {
			row,
			owner: key.slice(indexPrefixLength),
			key: newKey,
			entries: this.codec.secondary.map((index) => index.entryKey(row, newKey)),
		};
	}

	/** Without having looked: throws `KeyExistsError`, if not the commit does, where a key has been written before, by whomever. */
	insertUnread(rows: readonly KeyedRow[], env: Env): void {
		const { store } = env.execution;
		for (const one of rows) {
			const { row, owner, key, entries } = this.#plan(one);
			store.insert(key, this.codec.row.encode(row, owner));
			for (const entry of entries) {
				if (entry !== undefined) store.insert(entry, entryValue(key));
			}
		}
	}

	/** Throws 23505 if a key belongs to another row. */
	async insert(rows: readonly KeyedRow[], env: Env): Promise<void> {
		const planned = rows.map((row) => this.#plan(row));
		// One look at all keys; what is written then counts for the rows that come after.
		const keys = [
			...new Set(
				planned.flatMap(({ key, entries }) => [
					key,
					...entries.filter((entry) => entry !== undefined),
				]),
			),
		];
		const values = await this.#get(keys, env);
		const held = new Map<Key, Uint8Array | undefined>();
		for (const [i, key] of keys.entries()) held.set(key, values[i]);
		for (const one of planned) this.#put(one, held, env);
	}

	#put(planned: PlannedRow, held: Map<Key, Uint8Array | undefined>, env: Env): void {
		const { codec } = this;
		const { store } = env.execution;
		const { row, owner, key, entries } = planned;
		const before = held.get(key);
		if (before !== undefined && codec.row.ownerOf(before) !== owner) {
			throw uniqueViolation(codec.table, codec.primary.index, row, env.context);
		}
		const value = codec.row.encode(row, owner);
		store.put(key, value);
		held.set(key, value);
		const target = entryValue(key);
		for (const [i, entry] of entries.entries()) {
			if (entry === undefined) continue;
			const other = held.get(entry);
			if (other !== undefined && !sameBytes(other, target)) {
				throw uniqueViolation(codec.table, codec.secondary[i]!.index, row, env.context);
			}
			store.put(entry, target);
			held.set(entry, target);
		}
	}

	async delete(rows: readonly KeyedRow[], env: Env): Promise<void> {
		const { codec } = this;
		const { store } = env.execution;
		const keyed = rows.flatMap(({ row, key }) => {
			const newKey = this.#keyOf(row);
			return newKey === undefined
				? []
				: [{ row, key: newKey, owner: key.slice(indexPrefixLength) }];
		});
		const values = await this.#get(
			keyed.map(({ key }) => key),
			env,
		);
		for (const [i, { row, key, owner }] of keyed.entries()) {
			const held = values[i];
			if (held === undefined || codec.row.ownerOf(held) !== owner) continue;
			store.delete(key);
			for (const index of codec.secondary) {
				const entry = index.heldKey(row, key);
				if (entry !== undefined) store.delete(entry);
			}
		}
	}

	async update(changes: readonly ShadowChange[], env: Env): Promise<void> {
		await this.delete(
			changes.map(({ oldRow, oldKey }) => ({ row: oldRow, key: oldKey })),
			env,
		);
		await this.insert(
			changes.map(({ newRow, newKey }) => ({ row: newRow, key: newKey })),
			env,
		);
	}
}
