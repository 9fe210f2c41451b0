/**
 * A query whose rows are taken out bit by bit with FETCH. It shows what there was when it was declared: what is not read yet of it
 * is read before anything is written in its transaction (`settle`), or before the transaction ends, if it is WITH HOLD.
 *
 * A cursor that is not SCROLL keeps few of the rows behind it, and goes no further back; what a SCROLL cursor keeps, and what was
 * read ahead, counts against the memory of a statement (53200).
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { Key } from "@quorate/keys/key";
import type { Batch, ExecRow } from "../execute/env.ts";
import { MemoryMeter, type MemoryPool } from "../execute/memory.ts";
import { batchSize } from "../execute/plan-node.ts";
import { RowMoves } from "../execute/row-moves.ts";
import type { FetchDirection } from "../parser/ast.ts";
import type { CursorTables } from "../plan/statement-plan.ts";
import type { Running } from "./run-planned.ts";
import type { ResultColumn } from "./types.ts";

export interface CursorOptions {
	readonly name: string;
	readonly columns: readonly ResultColumn[];
	/** Undefined: as far back as rows happen to be kept. */
	readonly scroll: boolean | undefined;
	readonly hold: boolean;
	/** FETCH in the simple protocol has results in binary format. */
	readonly binary: boolean;
	/** What it was declared with, and when: microseconds since 2000-01-01 UTC. */
	readonly statement: string;
	readonly since: bigint;
	/** Whose keys its rows have behind their columns. */
	readonly cursorRows?: CursorTables | undefined;
	/** Bytes that its rows may take. */
	readonly memoryLimit: number;
	readonly memoryPool?: MemoryPool;
}

/** Rows behind it that a cursor keeps that is neither SCROLL nor NO SCROLL. */
const behindMax = 1000;

export class Cursor {
	readonly name: string;
	readonly columns: readonly ResultColumn[];
	readonly hold: boolean;
	readonly binary: boolean;
	readonly statement: string;
	readonly since: bigint;
	/** Where its rows are by now. */
	readonly moves = new RowMoves();
	readonly #tables: CursorTables;
	readonly #scroll: boolean | undefined;
	readonly #memory: MemoryMeter;
	#source: Pick<Running, "next" | "close"> | undefined;
	/** Rows that are kept; the first one is row `#first`, counted from 1. */
	#rows: ExecRow[] = [];
	#first = 1;
	/** 0: before the first row; one more than there are: behind the last. */
	#position = 0;
	#failed = false;

	constructor(options: CursorOptions, source: Pick<Running, "next" | "close">) {
		this.name = options.name;
		this.columns = options.columns;
		this.hold = options.hold;
		this.binary = options.binary;
		this.statement = options.statement;
		this.since = options.since;
		this.#tables = options.cursorRows ?? { locks: false, tables: [] };
		this.#scroll = options.scroll;
		this.#memory = new MemoryMeter(options.memoryLimit, options.memoryPool);
		this.#source = source;
	}

	/** As far back as its rows go. */
	get canScroll(): boolean {
		return this.#scroll === true;
	}

	/** Rows are still to be read. */
	get isOpen(): boolean {
		return this.#source !== undefined;
	}

	/** Rows of tables are behind its own. */
	get hasKeys(): boolean {
		return this.#tables.tables.length > 0;
	}

	/** The key of the row of a table that it stands on; undefined: there is none, or not any more. Throws 24000. */
	currentKey(oid: number, table: string): Key | undefined {
		const { locks, tables } = this.#tables;
		const wrong = (what: string): DatabaseError =>
			new DatabaseError("24000", `cursor "${this.name}" ${what}`);
		const slot = tables.indexOf(oid);
		if (slot < 0) {
			throw wrong(
				locks
					? `does not have a FOR UPDATE/SHARE reference to table "${table}"`
					: `is not a simply updatable scan of table "${table}"`,
			);
		}
		if (tables.lastIndexOf(oid) !== slot) {
			throw wrong(`has multiple FOR UPDATE/SHARE references to table "${table}"`);
		}
		const row = this.#rows[this.#position - this.#first];
		if (row === undefined) throw wrong("is not positioned on a row");
		const key = row[this.columns.length + slot];
		return typeof key === "string" ? this.moves.keyOf(key as Key) : undefined;
	}

	/** Reads all that is left. Throws 53200. */
	async settle(): Promise<void> {
		try {
			while (await this.#pull());
		} catch (error) {
			this.#failed = true;
			throw error;
		}
	}

	async close(): Promise<void> {
		const source = this.#source;
		this.#source = undefined;
		this.#rows = [];
		this.#memory.release();
		await source?.close();
	}

	/** The rows that a FETCH takes out. One that fails is the last. Throws 55000. */
	async *fetch(direction: FetchDirection): AsyncIterable<Batch> {
		if (this.#failed) throw new DatabaseError("55000", `portal "${this.name}" cannot be run`);
		const { length } = this.columns;
		try {
			for await (const batch of this.#fetch(direction)) {
				yield this.hasKeys ? batch.map((row) => row.slice(0, length)) : batch;
			}
		} catch (error) {
			this.#failed = true;
			throw error;
		}
	}

	async *#fetch({ way, count }: FetchDirection): AsyncIterable<Batch> {
		if (way === "absolute") yield* this.#one(await this.#absolute(count as number));
		else if (way === "relative") yield* this.#relative(count as number);
		else if (count === 0) yield* this.#one(this.#position);
		else {
			const number = count === "all" ? Number.POSITIVE_INFINITY : count;
			const forward = (way === "forward") === number > 0;
			if (forward) yield* this.#forward(Math.abs(number));
			else yield* this.#backward(Math.abs(number));
		}
	}

	/** The place that an absolute number means. */
	async #absolute(count: number): Promise<number> {
		if (count >= 0) return count;
		await this.settle();
		return Math.max(0, this.#last + count + 1);
	}

	async *#relative(count: number): AsyncIterable<Batch> {
		if (count === 0) yield* this.#one(this.#position);
		else yield* this.#one(Math.max(0, this.#position + count));
	}

	/** Goes to a row and takes it, if there is one. */
	async *#one(target: number): AsyncIterable<Batch> {
		const row = await this.#row(target);
		this.#position = row === undefined && target > 0 ? this.#last + 1 : target;
		if (row !== undefined) yield [row];
		this.#forget();
	}

	async *#forward(count: number): AsyncIterable<Batch> {
		let batch: ExecRow[] = [];
		for (let left = count; left > 0; left--) {
			const row = await this.#row(this.#position + 1);
			if (row === undefined) {
				this.#position = this.#last + 1;
				break;
			}
			this.#position++;
			batch.push(row);
			if (batch.length < batchSize) continue;
			yield batch;
			batch = [];
			this.#forget();
		}
		if (batch.length > 0) yield batch;
		this.#forget();
	}

	async *#backward(count: number): AsyncIterable<Batch> {
		let batch: ExecRow[] = [];
		if (this.#scroll === false) throw onlyForward();
		for (let left = count; left > 0 && this.#position > 0; left--) {
			const row = await this.#row(this.#position - 1);
			this.#position--;
			if (row === undefined) break;
			batch.push(row);
			if (batch.length < batchSize) continue;
			yield batch;
			batch = [];
		}
		if (batch.length > 0) yield batch;
	}

	/** Number of the last row that was read. */
	get #last(): number {
		return this.#first + this.#rows.length - 1;
	}

	/** Undefined: there is no such row. */
	async #row(number: number): Promise<ExecRow | undefined> {
		if (number < this.#position && this.#scroll === false) throw onlyForward();
		if (number < 1) return undefined;
		if (number < this.#first) throw onlyForward();
		while (this.#last < number) if (!(await this.#pull())) return undefined;
		return this.#rows[number - this.#first];
	}

	/** False: there are no more. */
	async #pull(): Promise<boolean> {
		const source = this.#source;
		if (source === undefined) return false;
		const step = source.next();
		const batch = step instanceof Promise ? await step : step;
		if (batch === undefined) {
			this.#source = undefined;
			await source.close();
			return false;
		}
		for (const row of batch) {
			this.#memory.add(row, (limit) => tooMany(this.name, limit));
			this.#rows.push(row);
		}
		return true;
	}

	/** Rows that it does not go back to. */
	#forget(): void {
		if (this.#scroll === true) return;
		const behind = Math.min(this.#position, this.#last + 1) - this.#first;
		const kept = this.#scroll === false ? 0 : behindMax;
		if (behind <= kept || behind - kept < batchSize) return;
		const gone = this.#rows.splice(0, behind - kept);
		for (const row of gone) this.#memory.remove(row);
		this.#first += gone.length;
	}
}

const onlyForward = (): DatabaseError =>
	new DatabaseError("55000", "cursor can only scan forward", {
		hint: "Declare it with SCROLL option to enable backward scan.",
	});

const tooMany = (name: string, limit: number): DatabaseError =>
	new DatabaseError("53200", "out of memory", {
		detail: `The rows that cursor "${name}" keeps take more than ${Math.round(limit / 1048576)} MB.`,
		hint: "Without SCROLL and WITH HOLD, in a transaction that writes nothing, it keeps few.",
	});
