/** Where the result of one statement goes. */
import type { Batch } from "../execute/env.ts";
import type { HeldCopy } from "./held-copy.ts";
import type { ResultColumn, ResultFormat, ResultSink } from "./types.ts";

export interface Output {
	/** For notices, COPY TO and parameters. */
	readonly sink: ResultSink;
	/** What the client sends for COPY FROM. */
	copyIn: ResultSink["copyIn"];
	/** `writes`: the statement may have to be run again until it has committed. */
	columns(columns: readonly ResultColumn[], writes?: boolean, format?: ResultFormat): void;
	rows(rows: Batch): void | Promise<void>;
}

/** Simple protocol: everything goes to the client as it comes. */
export class DirectOutput implements Output {
	readonly sink: ResultSink;

	constructor(sink: ResultSink) {
		this.sink = sink;
	}

	columns(columns: readonly ResultColumn[], _writes?: boolean, format?: ResultFormat): void {
		this.sink.columns(columns, format);
	}

	rows(rows: Batch): void | Promise<void> {
		return this.sink.rows(rows);
	}

	copyIn(format: "text" | "binary", columnCount: number): AsyncIterable<Uint8Array> {
		return this.sink.copyIn(format, columnCount);
	}
}

/** Rows that a reading statement holds back: with fewer, a conflict can still be met by running it again. */
const heldMax = 256;
/** Of a writing statement, which is held until its end otherwise. */
const heldWritingMax = 10_000;

/** Of a statement that is a transaction by itself: kept, as far as they are few, until that has committed, so that it can be run again unseen. */
export class HeldOutput implements Output {
	readonly sink: ResultSink;
	readonly #tellsColumns: boolean;
	readonly #copy: HeldCopy | undefined;
	#columns: readonly ResultColumn[] | undefined;
	#format: ResultFormat | undefined;
	#rows: Batch[] = [];
	#count = 0;
	#writes = true;
	/** Something went to the client: what fails now has failed. */
	shown = false;

	constructor(sink: ResultSink, tellsColumns: boolean, copy: HeldCopy | undefined) {
		this.sink = sink;
		this.#tellsColumns = tellsColumns;
		this.#copy = copy;
	}

	copyIn(format: "text" | "binary", columnCount: number): AsyncIterable<Uint8Array> {
		return (this.#copy ?? this.sink).copyIn(format, columnCount);
	}

	columns(columns: readonly ResultColumn[], writes = true, format?: ResultFormat): void {
		this.#columns = columns;
		this.#format = format;
		this.#writes = writes;
	}

	rows(rows: Batch): void | Promise<void> {
		if (this.shown) return this.sink.rows(rows);
		this.#rows.push(rows);
		this.#count += rows.length;
		return this.#count <= (this.#writes ? heldWritingMax : heldMax) ? undefined : this.release();
	}

	async release(): Promise<void> {
		const isDue = this.#tellsColumns && !this.shown;
		if (isDue && this.#columns !== undefined) this.sink.columns(this.#columns, this.#format);
		this.shown = true;
		const held = this.#rows;
		this.#rows = [];
		for (const rows of held) await this.sink.rows(rows);
	}
}

/** For a portal: rows are taken out in portions. */
export class CollectedOutput implements Output {
	readonly sink: ResultSink;
	readonly batches: Batch[] = [];

	constructor(sink: ResultSink) {
		this.sink = sink;
	}

	columns(_columns: readonly ResultColumn[]): void {}

	copyIn(format: "text" | "binary", columnCount: number): AsyncIterable<Uint8Array> {
		return this.sink.copyIn(format, columnCount);
	}

	rows(rows: Batch): void {
		this.batches.push(rows);
	}
}
