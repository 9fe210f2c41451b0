/**
 * Reads rows of one table through one access path. A row of a table in memory is its live columns and, after them, its
 * key in the primary index: what UPDATE and DELETE address it by.
 */
import { andThen } from "@quorate/keys/and-then";
import type { Key } from "@quorate/keys/key";
import type { LockRequest, ScanOptions } from "@quorate/txn/types";
import type { AccessPath } from "../plan/access-path.ts";
import type { CompileScope } from "../plan/compile-scope.ts";
import type { LockIntent } from "../plan/logical.ts";
import type { Relation } from "../plan/relation.ts";
import type { Datum } from "../types/datum.ts";
import type { Batch, Env, ExecRow } from "./env.ts";
import { entryTarget } from "./index-codec.ts";
import { KeyRanges } from "./key-ranges.ts";
import { type TableCodec, tableCodec } from "./table-codec.ts";

/** Keys looked up in one call. */
const lookupSize = 256;

export class TableReader {
	readonly path: AccessPath;
	readonly codec: TableCodec;
	readonly ranges: KeyRanges;
	readonly width: number;
	readonly #lock: LockIntent | undefined;
	/** Rows are locked once all conditions have been applied (`LockRows`), but where all that was read must hold anyway. */
	readonly locksLate: boolean;
	readonly #wanted: readonly boolean[] | undefined;

	constructor(
		path: AccessPath,
		relation: Relation,
		lock: LockIntent | undefined,
		scope: CompileScope,
		locksLate = false,
	) {
		this.path = path;
		this.codec = tableCodec(path.codec.table);
		this.ranges = new KeyRanges(path, scope);
		this.width = this.codec.row.width;
		this.#lock = lock;
		this.locksLate = locksLate;
		this.#wanted = relation.used.every((used) => used) ? undefined : relation.used;
	}

	/** A point path on the primary index, that locks nothing. */
	get needsOneValue(): boolean {
		return this.ranges.isSingleSync && this.path.codec.isPrimary && this.#lock === undefined;
	}

	lockFor(env: Env): LockRequest | undefined {
		return this.locksLate && env.execution.isolation !== "serializable" ? undefined : this.#lock;
	}

	decode(key: Key, value: Uint8Array): Datum[] {
		const row: Datum[] = new Array(this.width + 1);
		this.codec.row.decode(value, row, 0, this.#wanted);
		row[this.width] = key;
		return row;
	}

	/** The row of a point path whose values are one each and not asynchronous. */
	single(row: ExecRow, env: Env): Datum[] | undefined | Promise<Datum[] | undefined> {
		const key = this.ranges.singleKey(row, env);
		if (key === undefined) return undefined;
		if (this.path.codec.isPrimary) return this.#rowAt(key, env);
		const entry = env.execution.store.getOne(key, this.lockFor(env));
		return andThen(
			entry,
			(value) => value && this.#rowAt(entryTarget(this.codec.primaryPrefix, value), env),
		);
	}

	#rowAt(key: Key, env: Env): Datum[] | undefined | Promise<Datum[] | undefined> {
		const stored = env.execution.store.getOne(key, this.lockFor(env));
		return andThen(stored, (value) => value && this.decode(key, value));
	}

	/** Rows of several keys of the path's index, in their order; undefined where there is none. */
	async rowsOf(keys: readonly Key[], env: Env): Promise<(Datum[] | undefined)[]> {
		const lock = this.lockFor(env);
		const { store } = env.execution;
		const values = await store.get(keys, lock);
		if (this.path.codec.isPrimary) {
			return values.map((value, i) =>
				value === undefined ? undefined : this.decode(keys[i]!, value),
			);
		}
		const targets = values.map((value) =>
			value === undefined ? undefined : entryTarget(this.codec.primaryPrefix, value),
		);
		const present = targets.filter((target): target is Key => target !== undefined);
		const found = present.length === 0 ? [] : await store.get(present, lock);
		let next = 0;
		return targets.map((target) => {
			if (target === undefined) return undefined;
			const value = found[next++];
			return value === undefined ? undefined : this.decode(target, value);
		});
	}

	/** `limit`: about how many rows will be read. */
	async *read(row: ExecRow, env: Env, limit: number | undefined): AsyncIterable<Batch> {
		if (this.path.isPoint) {
			yield* this.#points(row, env);
			return;
		}
		const spans = await this.ranges.spans(row, env);
		const reverse = this.path.order === "backward";
		const lock = this.lockFor(env);
		const options: ScanOptions = {
			...(reverse ? { reverse } : {}),
			...(limit === undefined ? {} : { limit }),
			...(lock === undefined ? {} : { lock }),
		};
		for (const span of reverse ? [...spans].reverse() : spans) {
			for await (const page of env.execution.store.scan(span, options)) {
				const batch = this.path.codec.isPrimary
					? page.map(({ key, value }) => this.decode(key, value))
					: await this.#targets(
							page.map(({ value }) => entryTarget(this.codec.primaryPrefix, value)),
							env,
						);
				if (batch.length > 0) yield batch;
				const pause = env.execution.pause();
				if (pause !== undefined) await pause;
			}
		}
	}

	async #targets(keys: readonly Key[], env: Env): Promise<Datum[][]> {
		const values = await env.execution.store.get(keys, this.lockFor(env));
		const rows: Datum[][] = [];
		for (let i = 0; i < keys.length; i++) {
			const value = values[i];
			if (value !== undefined) rows.push(this.decode(keys[i]!, value));
		}
		return rows;
	}

	async *#points(row: ExecRow, env: Env): AsyncIterable<Batch> {
		const ordered = await this.ranges.keys(row, env);
		const keys = this.path.order === "backward" ? [...ordered].reverse() : ordered;
		for (let i = 0; i < keys.length; i += lookupSize) {
			const found = await this.rowsOf(keys.slice(i, i + lookupSize), env);
			const rows = found.filter((one): one is Datum[] => one !== undefined);
			if (rows.length > 0) yield rows;
		}
	}
}
