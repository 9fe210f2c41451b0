/** What a running statement carries: the statement's own state, and the chain of outer rows for correlated parts. */

import type { DatabaseError } from "@quorate/keys/database-error";
import type { Runtime } from "@quorate/runtime/runtime";
import type { CancelSignal, Isolation } from "@quorate/txn/types";
import type { CommonTableState } from "../plan/logical.ts";
import type { Datum } from "../types/datum.ts";
import type { FunctionContext } from "../types/registry.ts";
import type { CursorRows } from "./cursor-rows.ts";
import type { DeferredEvents } from "./deferred-events.ts";
import type { LaterWrites } from "./later-writes.ts";
import { MemoryMeter, type MemoryPool } from "./memory.ts";
import { ReferenceChecks } from "./references/reference-checks.ts";
import type { StatementStore } from "./statement-store.ts";
import { UniqueChecks } from "./unique-checks.ts";

export type ExecRow = readonly Datum[];
export type Batch = readonly ExecRow[];

/** Fresh hidden row ids; a block of them is kept by the node. */
export interface RowIdSource {
	/** Undefined: the block is used up, ask again with `refill`. */
	take(): number | undefined;
	refill(): Promise<void>;
}

/** State of one run of one statement. */
export class Execution {
	readonly runtime: Runtime;
	readonly store: StatementStore;
	readonly context: FunctionContext;
	readonly isolation: Isolation;
	readonly rowIds: RowIdSource;
	readonly cancel: CancelSignal;
	/** Rows given by `INSERT ... VALUES` beyond those in the plan, and other input of this run. */
	readonly moreRows: readonly (readonly unknown[])[] | undefined;
	/** Takes what constraints that are deferred leave to the end of the transaction; undefined: none is. */
	readonly deferred: DeferredEvents | undefined;
	/** What of the session's cursors its rows have to do with; undefined: nothing. */
	readonly cursors: CursorRows | undefined;
	#references: ReferenceChecks | undefined;
	#uniques: UniqueChecks | undefined;
	#cache: Map<object, unknown> | undefined;
	#memory: MemoryMeter | undefined;
	readonly #memoryLimit: number;
	readonly #memoryPool: MemoryPool | undefined;
	/** Rows inserted, updated or deleted. */
	affected = 0;
	/** Set while a statement runs that has writing parts in WITH. */
	later: LaterWrites | undefined;
	/** EXPLAIN ANALYZE: counts by operator. */
	statistics: Map<object, { rows: number; loops: number; ms: number }> | undefined;
	#sliceStart: number;
	/** Since the clock was looked at, and how many there may be. */
	#steps = 0;
	#stepsMax = 1;

	constructor(parts: {
		readonly runtime: Runtime;
		readonly store: StatementStore;
		readonly context: FunctionContext;
		readonly isolation: Isolation;
		readonly rowIds: RowIdSource;
		readonly cancel: CancelSignal;
		readonly moreRows: readonly (readonly unknown[])[] | undefined;
		readonly memoryLimit: number;
		/** Given: `release` is called in the end. */
		readonly memoryPool?: MemoryPool;
		readonly deferred?: DeferredEvents;
		readonly cursors?: CursorRows;
	}) {
		this.runtime = parts.runtime;
		this.store = parts.store;
		this.context = parts.context;
		this.isolation = parts.isolation;
		this.rowIds = parts.rowIds;
		this.cancel = parts.cancel;
		this.moreRows = parts.moreRows;
		this.deferred = parts.deferred;
		this.cursors = parts.cursors;
		this.#memoryLimit = parts.memoryLimit;
		this.#memoryPool = parts.memoryPool;
		this.#sliceStart = -1;
	}

	/** Results that hold for the whole statement: uncorrelated subqueries, sets of IN lists. */
	get cache(): Map<object, unknown> {
		this.#cache ??= new Map();
		return this.#cache;
	}

	/** What its writes owe to foreign keys. */
	get references(): ReferenceChecks {
		this.#references ??= new ReferenceChecks(this);
		return this.#references;
	}

	/** And to unique constraints that are deferrable. */
	get uniques(): UniqueChecks {
		this.#uniques ??= new UniqueChecks(this);
		return this.#uniques;
	}

	/** All rows are written: what is owed to constraints is due. A promise only where something is. */
	finish(): Promise<void> | undefined {
		return this.#uniques === undefined ? this.#references?.run() : this.#finishAll(this.#uniques);
	}

	async #finishAll(uniques: UniqueChecks): Promise<void> {
		await uniques.run();
		await this.#references?.run();
		// Actions of foreign keys have written rows.
		if (!uniques.isEmpty) await uniques.run();
	}

	/** Some rows are written, and more may follow. */
	async endBatch(): Promise<void> {
		await this.store.flush();
		await this.#references?.settle();
		await this.#uniques?.settle();
	}

	get memory(): MemoryMeter {
		this.#memory ??= new MemoryMeter(this.#memoryLimit, this.#memoryPool);
		return this.#memory;
	}

	/** Nothing that it has kept is needed any more. */
	release(): void {
		this.#memory?.release();
	}

	/** Writes now or, where other parts of the statement must not see it, once they have ended; `rows` are kept until then. */
	write(
		rows: readonly ExecRow[],
		write: () => void | Promise<void>,
		error: (limit: number) => DatabaseError,
	): void | Promise<void> {
		if (this.later === undefined) return write();
		for (const row of rows) this.memory.add(row, error);
		return this.later.add(write);
	}

	/**
	 * Called between batches: throws if the statement was cancelled; a promise, to be awaited, if it has held the event
	 * loop for its slice.
	 */
	pause(): Promise<void> | undefined {
		const reason: DatabaseError | undefined = this.cancel.reason;
		if (reason !== undefined) throw reason;
		const now = this.runtime.clock.monotonicMs();
		if (this.#sliceStart < 0) this.#sliceStart = now;
		if (now - this.#sliceStart < sliceMs) return undefined;
		return this.#yield();
	}

	/** The same after each row or pair of rows: the clock is looked at often only where they take long. */
	step(): Promise<void> | undefined {
		if (++this.#steps < this.#stepsMax) return undefined;
		this.#steps = 0;
		const pause = this.pause();
		this.#stepsMax =
			pause === undefined ? Math.min(this.#stepsMax * 2, stepsMax) : this.#stepsMax >> 3 || 1;
		return pause;
	}

	/** The same for one of `count` rows that come together: there are many only where a statement had to keep all of its rows. */
	stepOf(count: number): Promise<void> | undefined {
		return count > pageRows ? this.step() : undefined;
	}

	async #yield(): Promise<void> {
		await this.runtime.scheduler.yield();
		this.#sliceStart = this.runtime.clock.monotonicMs();
		if (this.cancel.reason !== undefined) throw this.cancel.reason;
	}
}

const sliceMs = 4;
/** Rows that are read together at most. */
const pageRows = 1_024;
const stepsMax = 256;

/** Rows of a common table in one evaluation of the query that defines it: read as far as somebody wants them, and kept. */
export class CommonTableRows {
	readonly rows: ExecRow[] = [];
	/** While the recursive term runs: the rows of the step before. */
	working: Batch = [];
	#source: AsyncIterator<Batch> | undefined;
	#reading: Promise<boolean> | undefined;
	#isComplete = false;

	/** Whether anything was asked for. */
	get isBegun(): boolean {
		return this.#source !== undefined;
	}

	/** Reads on; false: there is no more. `open` is called once. */
	async more(open: () => AsyncIterable<Batch>): Promise<boolean> {
		this.#source ??= open()[Symbol.asyncIterator]();
		this.#reading ??= this.#next(this.#source);
		return this.#reading;
	}

	async #next(source: AsyncIterator<Batch>): Promise<boolean> {
		try {
			if (this.#isComplete) return false;
			const step = await source.next();
			this.#isComplete = step.done === true;
			if (step.done !== true) for (const row of step.value) this.rows.push(row);
			return step.done !== true;
		} finally {
			this.#reading = undefined;
		}
	}

	/** Nobody reads on. */
	async close(): Promise<void> {
		if (!this.#isComplete) await this.#source?.return?.();
	}
}

export class Env {
	readonly execution: Execution;
	readonly context: FunctionContext;
	readonly args: readonly Datum[];
	/** The row of the query around this one. */
	readonly row: ExecRow;
	readonly outer: Env | undefined;
	readonly commonTables: ReadonlyMap<CommonTableState, CommonTableRows> | undefined;

	constructor(
		execution: Execution,
		args: readonly Datum[],
		row: ExecRow = [],
		outer: Env | undefined = undefined,
		commonTables: ReadonlyMap<CommonTableState, CommonTableRows> | undefined = undefined,
	) {
		this.execution = execution;
		this.context = execution.context;
		this.args = args;
		this.row = row;
		this.outer = outer;
		this.commonTables = commonTables;
	}

	/** For what runs inside, once for `row`. */
	inner(row: ExecRow): Env {
		return new Env(this.execution, this.args, row, this);
	}
}
