/**
 * The second set of physical indexes of a table that is being rewritten (S5), kept by writers while the rows are being
 * copied. Two old rows may have the same new key, which is an error of the change, and neither may overwrite the other: so
 * each copied row names the old key that owns it, and only the owner changes or deletes it.
 *
 * Where the row becomes another (`plan/row-conversion.ts`), its new form is made once, and is then what stands there: it is found by the old
 * key, and read to be changed or deleted, never made again. The new key of a row is one of these:
 *
 * - its values in the columns of the new primary key, which it has already (ADD PRIMARY KEY alone);
 * - the old one, under the new prefix;
 * - one that cannot be known from the old row: then an index of its own, the places, leads to it from the old key.
 */
import { assert } from "@quorate/keys/assert";
import { type Key, key } from "@quorate/keys/key";
import type { LockRequest } from "@quorate/txn/types";
import type { RewriteChange } from "../catalog/descriptor.ts";
import { indexPrefix, indexPrefixLength } from "../catalog/keys.ts";
import type { Datum } from "../types/datum.ts";
import type { Env, ExecRow } from "./env.ts";
import { entryTarget, entryValue } from "./index-codec.ts";
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

export interface RowConversion {
	/** The new form of a row. `before`: that which it has had. Throws what says that it cannot be, 23502, 23514. */
	convert(row: ExecRow, before: ExecRow | undefined, env: Env): Promise<Datum[]>;
}

/** As it stands in the second set. */
interface HeldRow {
	readonly key: Key;
	readonly row: ExecRow;
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
	readonly #change: RewriteChange | undefined;
	readonly #conversion: RowConversion | undefined;

	/** `before`: of the table as it still is. */
	constructor(before: TableCodec, conversion: RowConversion | undefined) {
		const { rewrite, table } = before;
		assert(rewrite !== undefined, "the table is being rewritten");
		this.codec = rewrite;
		this.#change = table.rewrite?.change;
		this.#conversion = conversion;
		assert(
			this.#change === undefined || conversion !== undefined,
			() => `rows of table ${table.oid} become others`,
		);
	}

	#get(keys: readonly Key[], env: Env): Promise<(Uint8Array | undefined)[]> {
		return env.execution.store.get(keys, exclusive);
	}

	/** Where the new key of the row that has this old one is to be found; undefined: its old key says it, or its values. */
	#placeOf(oldKey: Key): Key | undefined {
		const places = this.#change?.places;
		return places === undefined
			? undefined
			: key(indexPrefix(places) + oldKey.slice(indexPrefixLength));
	}

	/** New keys of rows; undefined: the row is not there yet. */
	async #keysOf(rows: readonly KeyedRow[], env: Env): Promise<readonly (Key | undefined)[]> {
		const { primary } = this.codec;
		if (this.#change === undefined) return rows.map(({ row }) => this.#keyOf(row));
		if (this.#change.places === undefined) {
			return rows.map((one) => primary.movedKey(one.key));
		}
		const places = rows.map((one) => this.#placeOf(one.key)!);
		const found = await this.#get(places, env);
		return found.map((value) => value && entryTarget(primary.prefix, value));
	}

	/** What rows have become so far; undefined: the row has not been copied. */
	async #held(rows: readonly KeyedRow[], env: Env): Promise<readonly (HeldRow | undefined)[]> {
		const keys = await this.#keysOf(rows, env);
		const known = keys.filter((one) => one !== undefined);
		const values = await this.#get(known, env);
		const byKey = new Map(known.map((one, i) => [one, values[i]]));
		return rows.map((one, i) => {
			const at = keys[i];
			const value = at && byKey.get(at);
			if (at === undefined || value === undefined) return undefined;
			const { row: codec } = this.codec;
			if (codec.ownerOf(value) !== one.key.slice(indexPrefixLength)) return undefined;
			const row: Datum[] = new Array(codec.width);
			codec.decode(value, row, 0, undefined);
			return { key: at, row };
		});
	}

	/** Undefined: the row cannot be in the new index, since a column of its key is NULL. */
	#keyOf(row: ExecRow): Key | undefined {
		const { primary } = this.codec;
		if (primary.columns.some((column) => row[column.slot] === null)) return undefined;
		return primary.primaryKey(row);
	}

	/** A promise only where the row becomes another. */
	#plan(one: KeyedRow, held: HeldRow | undefined, env: Env): PlannedRow | Promise<PlannedRow> {
		if (this.#conversion !== undefined) return this.#convert(one, this.#conversion, held, env);
		return this.#placed(one.row, one.key, this.codec.primary.primaryKey(one.row));
	}

	async #convert(
		{ row, key: oldKey }: KeyedRow,
		conversion: RowConversion,
		held: HeldRow | undefined,
		env: Env,
	): Promise<PlannedRow> {
		const form = await conversion.convert(row, held?.row, env);
		return this.#placed(form, oldKey, await this.#newKey(form, oldKey, held, env));
	}

	#placed(row: ExecRow, oldKey: Key, newKey: Key): PlannedRow {
		return {
			row,
			owner: oldKey.slice(indexPrefixLength),
			key: newKey,
			entries: this.codec.secondary.map((index) => index.entryKey(row, newKey)),
		};
	}

	async #newKey(form: ExecRow, oldKey: Key, held: HeldRow | undefined, env: Env): Promise<Key> {
		const { primary } = this.codec;
		if (this.#change?.places === undefined) return primary.movedKey(oldKey);
		if (primary.columns.length > 0) return primary.primaryKey(form);
		if (held !== undefined) return held.key;
		const { rowIds } = env.execution;
		for (;;) {
			const rowid = rowIds.take();
			if (rowid !== undefined) return primary.rowidKey(rowid);
			await rowIds.refill();
		}
	}

	/** Without having looked: throws `KeyExistsError`, if not the commit does, where a key has been written before, by whomever. */
	async insertUnread(rows: readonly KeyedRow[], env: Env): Promise<void> {
		const { store } = env.execution;
		for (const one of rows) {
			const plan = this.#plan(one, undefined, env);
			const { row, owner, key: newKey, entries } = plan instanceof Promise ? await plan : plan;
			const place = this.#placeOf(one.key);
			if (place !== undefined) store.insert(place, entryValue(newKey));
			store.insert(newKey, this.codec.row.encode(row, owner));
			for (const entry of entries) {
				if (entry !== undefined) store.insert(entry, entryValue(newKey));
			}
		}
	}

	/** Rows that have not been copied yet: whoever has written one since the rewrite began has done it. Throws 23505. */
	async insertMissing(rows: readonly KeyedRow[], env: Env): Promise<void> {
		const held = await this.#held(rows, env);
		await this.insert(
			rows.filter((_, i) => held[i] === undefined),
			env,
		);
	}

	/** Throws 23505 if a key belongs to another row. */
	insert(rows: readonly KeyedRow[], env: Env): Promise<void> {
		return this.#insert(rows, [], env);
	}

	async #insert(
		rows: readonly KeyedRow[],
		held: readonly (HeldRow | undefined)[],
		env: Env,
	): Promise<void> {
		const planned: PlannedRow[] = [];
		for (const [i, row] of rows.entries()) {
			const plan = this.#plan(row, held[i], env);
			planned.push(plan instanceof Promise ? await plan : plan);
		}
		// One look at all keys; what is written then counts for the rows that come after.
		const keys = [
			...new Set(
				planned.flatMap((one) => [one.key, ...one.entries.filter((entry) => entry !== undefined)]),
			),
		];
		const values = await this.#get(keys, env);
		const taken = new Map<Key, Uint8Array | undefined>();
		for (const [i, one] of keys.entries()) taken.set(one, values[i]);
		for (const [i, one] of planned.entries()) {
			this.#put(one, taken, env);
			const place = this.#placeOf(rows[i]!.key);
			if (place !== undefined) env.execution.store.put(place, entryValue(one.key));
		}
	}

	#put(planned: PlannedRow, held: Map<Key, Uint8Array | undefined>, env: Env): void {
		const { codec } = this;
		const { store } = env.execution;
		const { row, owner, key: newKey, entries } = planned;
		const before = held.get(newKey);
		if (before !== undefined && codec.row.ownerOf(before) !== owner) {
			throw uniqueViolation(codec.table, codec.primary.index, row, env.context);
		}
		const value = codec.row.encode(row, owner);
		store.put(newKey, value);
		held.set(newKey, value);
		const target = entryValue(newKey);
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
		await this.#remove(rows, env);
	}

	/** Answers with what was there. */
	async #remove(rows: readonly KeyedRow[], env: Env): Promise<readonly (HeldRow | undefined)[]> {
		const { store } = env.execution;
		const held = await this.#held(rows, env);
		for (const [i, one] of held.entries()) {
			if (one === undefined) continue;
			store.delete(one.key);
			const place = this.#placeOf(rows[i]!.key);
			if (place !== undefined) store.delete(place);
			for (const index of this.codec.secondary) {
				const entry = index.heldKey(one.row, one.key);
				if (entry !== undefined) store.delete(entry);
			}
		}
		return held;
	}

	async update(changes: readonly ShadowChange[], env: Env): Promise<void> {
		const held = await this.#remove(
			changes.map(({ oldRow, oldKey }) => ({ row: oldRow, key: oldKey })),
			env,
		);
		await this.#insert(
			changes.map(({ newRow, newKey }) => ({ row: newRow, key: newKey })),
			held,
			env,
		);
	}
}
