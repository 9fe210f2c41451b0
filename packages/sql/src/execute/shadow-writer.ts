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

const exclusive: LockRequest = { strength: "exclusive", wait: "block" };

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export class ShadowWriter {
	readonly codec: TableCodec;

	constructor(codec: TableCodec) {
		this.codec = codec;
	}

	#get(keys: readonly Key[], env: Env): Promise<(Uint8Array | undefined)[]> {
		const lock = env.execution.mode === "pessimistic" ? exclusive : undefined;
		return env.execution.store.get(keys, lock);
	}

	/** Undefined: the row cannot be in the new index, since a column of its key is NULL. */
	#keyOf(row: ExecRow): Key | undefined {
		const { primary } = this.codec;
		if (primary.columns.some((column) => row[column.slot] === null)) return undefined;
		return primary.primaryKey(row);
	}

	/** Throws 23505 if a key belongs to another row. */
	async insert(rows: readonly KeyedRow[], env: Env): Promise<void> {
		for (const { row, key } of rows) await this.#put(row, key, env);
	}

	async #put(row: ExecRow, ownerKey: Key, env: Env): Promise<void> {
		const { codec } = this;
		const { store } = env.execution;
		const key = codec.primary.primaryKey(row);
		const owner = ownerKey.slice(indexPrefixLength);
		const value = entryValue(key);
		const entries = codec.secondary.map((index) => index.entryKey(row, key));
		const [held, ...taken] = await this.#get([key, ...entries], env);
		if (held !== undefined && codec.row.ownerOf(held) !== owner) {
			throw uniqueViolation(codec.table, codec.primary.index, row, env.context);
		}
		store.put(key, codec.row.encode(row, owner));
		for (const [i, entry] of entries.entries()) {
			const other = taken[i];
			if (other !== undefined && !sameBytes(other, value)) {
				throw uniqueViolation(codec.table, codec.secondary[i]!.index, row, env.context);
			}
			store.put(entry, value);
		}
	}

	async delete(rows: readonly KeyedRow[], env: Env): Promise<void> {
		const { codec } = this;
		const { store } = env.execution;
		for (const { row, key: ownerKey } of rows) {
			const key = this.#keyOf(row);
			if (key === undefined) continue;
			const [held] = await this.#get([key], env);
			if (held === undefined) continue;
			if (codec.row.ownerOf(held) !== ownerKey.slice(indexPrefixLength)) continue;
			store.delete(key);
			for (const index of codec.secondary) store.delete(index.entryKey(row, key));
		}
	}

	async update(changes: readonly ShadowChange[], env: Env): Promise<void> {
		for (const { oldRow, oldKey } of changes)
			await this.delete([{ row: oldRow, key: oldKey }], env);
		for (const { newRow, newKey } of changes) await this.#put(newRow, newKey, env);
	}
}
