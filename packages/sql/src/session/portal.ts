/** A bound statement of the extended protocol: run at the first Execute, its rows taken out in portions. */
import { andThen } from "@quorate/keys/and-then";
import type { Batch, ExecRow } from "../execute/env.ts";
import type { Datum } from "../types/datum.ts";
import { autocommit } from "./autocommit.ts";
import { readAlone } from "./lone-read.ts";
import { CollectedOutput } from "./output.ts";
import type { Prepared } from "./prepared.ts";
import { runElsewhere } from "./run-elsewhere.ts";
import { type Running, startPlanned } from "./run-planned.ts";
import { endsFailure } from "./run-statement.ts";
import { runUtility, utilityColumns } from "./run-utility.ts";
import type { SessionState } from "./session-state.ts";
import type { TransactionBlock } from "./transaction-block.ts";
import { isControl, runControl } from "./transaction-control.ts";
import type { Portal, PortalOutcome, ResultColumn, ResultSink } from "./types.ts";

/** What the session wants to know of each portal that ran. */
export interface PortalObserver {
	/** A statement begins in the session's transaction. */
	started(portal: QuoratePortal): void;
	/** It ran to its end. */
	completed(portal: QuoratePortal, tag: string, rows: readonly ExecRow[] | undefined): void;
}

type Source = Pick<Running, "next" | "tag" | "close">;

const none: Batch = [];

/** Above this, rows are not remembered for `completed`. */
const rememberedMax = 100;

export class QuoratePortal implements Portal {
	readonly statement: Prepared;
	readonly parameters: readonly Datum[];
	readonly #state: SessionState;
	readonly #observer: PortalObserver;
	#source: Source | undefined;
	#rest: Batch = none;
	#isDrained = false;
	/** Rows that this Execute has given to the client. */
	#sent = 0;
	#finished: string | undefined;
	#remembered: ExecRow[] | undefined;
	/** By the Executes before this one, in milliseconds. */
	#spentMs = 0;

	constructor(
		state: SessionState,
		statement: Prepared,
		parameters: readonly Datum[],
		observer: PortalObserver,
	) {
		this.#state = state;
		this.statement = statement;
		this.parameters = parameters;
		this.#observer = observer;
	}

	get columns(): readonly ResultColumn[] | undefined {
		const { columns, utility } = this.statement;
		// Of a FETCH they are those of the cursor that there is now.
		return utility?.kind === "fetch" ? utilityColumns(this.#state, utility) : columns;
	}

	execute(
		sink: ResultSink,
		maxRows: number,
		isAlone: boolean,
	): PortalOutcome | Promise<PortalOutcome> {
		if (this.statement.empty) return "empty";
		const state = this.#state;
		state.sink = sink;
		if (this.#finished !== undefined) {
			sink.complete(this.#finished);
			return "complete";
		}
		state.timeouts.busy();
		state.context.startStatement();
		state.activity.begin(this.statement.lexed?.text ?? "");
		state.cancel.begin(state.statementTimeoutMs);
		const alone = isAlone && maxRows === 0 && this.#isByItself;
		let running: PortalOutcome | Promise<PortalOutcome>;
		try {
			running = alone ? this.#runAlone(sink) : this.#run(sink, maxRows);
		} catch (error) {
			throw this.#failed(error);
		}
		if (!(running instanceof Promise)) return this.#ended(running);
		return running.then(
			(outcome) => this.#ended(outcome),
			(error) => {
				throw this.#failed(error);
			},
		);
	}

	#ended(outcome: PortalOutcome): PortalOutcome {
		this.#note(outcome !== "suspended", false);
		return outcome;
	}

	#failed(error: unknown): unknown {
		this.#note(true, true);
		return this.#state.translate(error);
	}

	#note(isOver: boolean, failed: boolean): void {
		const { cancel, activity } = this.#state;
		cancel.end();
		this.#spentMs += activity.end();
		if (isOver) this.#state.ended(this.statement, this.#spentMs, failed);
	}

	/** It begins now, and there is no transaction that it would be part of. */
	get #isByItself(): boolean {
		return (
			this.#source === undefined &&
			this.#state.block === undefined &&
			!isControl(this.statement.utility)
		);
	}

	#runAlone(sink: ResultSink): Promise<"complete"> {
		const shortly: Promise<Batch | string | undefined> | undefined =
			readAlone(this.#state, this.statement, this.parameters) ??
			runElsewhere(this.#state, this.statement, this.parameters);
		if (shortly === undefined) return this.#runByItself(sink);
		return shortly.then((result) => {
			if (result === undefined) return this.#runByItself(sink);
			return typeof result === "string" ? this.#completed(sink, result) : this.#tell(sink, result);
		});
	}

	/** What Sync would commit is committed before the client is told of it. */
	async #runByItself(sink: ResultSink): Promise<"complete"> {
		const tag = await autocommit(this.#state, this.statement, this.parameters, sink, false);
		return this.#completed(sink, tag);
	}

	#completed(sink: ResultSink, tag: string): "complete" {
		sink.complete(tag);
		this.#finished = tag.startsWith("SELECT ") ? "SELECT 0" : tag;
		return "complete";
	}

	#tell(sink: ResultSink, rows: Batch): "complete" | Promise<"complete"> {
		return andThen(sink.rows(rows), () => this.#completed(sink, `SELECT ${rows.length}`));
	}

	#run(sink: ResultSink, maxRows: number): PortalOutcome | Promise<PortalOutcome> {
		const { utility } = this.statement;
		const refusal = this.#state.block?.refusal;
		if (refusal !== undefined && !endsFailure(utility)) throw refusal;
		if (isControl(utility)) {
			return andThen(runControl(this.#state, utility), (tag) => this.#completed(sink, tag));
		}
		this.#sent = 0;
		return andThen(this.#source ?? this.#start(sink), (source) => {
			this.#source = source;
			return this.#pump(source, sink, maxRows);
		});
	}

	#start(sink: ResultSink): Source | Promise<Source> {
		const state = this.#state;
		const block = state.block ?? state.begin(false);
		this.#observer.started(this);
		this.#remembered = block.explicit ? undefined : [];
		return this.statement.utility === undefined
			? startPlanned(state, block, this.statement, this.parameters)
			: this.#startUtility(block, sink);
	}

	async #startUtility(block: TransactionBlock, sink: ResultSink): Promise<Source> {
		const output = new CollectedOutput(sink);
		const tag = await runUtility(this.#state, block, this.statement, this.parameters, output);
		let next = 0;
		return {
			next: () => output.batches[next++],
			tag: () => tag,
			close: () => {},
		};
	}

	/** All, or `maxRows`, to the client: within the tick, as long as nothing must be waited for. */
	#pump(source: Source, sink: ResultSink, maxRows: number): PortalOutcome | Promise<PortalOutcome> {
		for (;;) {
			const step = this.#step(source, sink, maxRows);
			if (step instanceof Promise) return this.#pumpOn(step, source, sink, maxRows);
			if (step !== undefined) return step;
		}
	}

	async #pumpOn(
		waiting: Promise<void>,
		source: Source,
		sink: ResultSink,
		maxRows: number,
	): Promise<PortalOutcome> {
		await waiting;
		for (;;) {
			const step = this.#step(source, sink, maxRows);
			if (typeof step === "string") return step;
			if (step !== undefined) await step;
		}
	}

	/** Gives the client what there is of a batch, or gets the next one. Undefined: there is more to do. */
	#step(source: Source, sink: ResultSink, maxRows: number): PortalOutcome | Promise<void> | void {
		if (maxRows > 0 && this.#sent === maxRows) return "suspended";
		if (this.#rest.length > 0) return this.#give(sink, maxRows);
		if (this.#isDrained) {
			const tag = source.tag(this.#sent);
			this.#completed(sink, tag);
			this.#observer.completed(this, tag, this.#remembered);
			return "complete";
		}
		const batch = source.next();
		if (!(batch instanceof Promise)) return this.#take(batch);
		return batch.then((found) => this.#take(found));
	}

	#take(batch: Batch | undefined): void {
		if (batch === undefined) this.#isDrained = true;
		else if (this.columns !== undefined) this.#rest = batch;
	}

	#give(sink: ResultSink, maxRows: number): void | Promise<void> {
		const room = maxRows === 0 ? this.#rest.length : maxRows - this.#sent;
		const rows = room < this.#rest.length ? this.#rest.slice(0, room) : this.#rest;
		this.#rest = rows === this.#rest ? none : this.#rest.slice(room);
		this.#sent += rows.length;
		this.#remember(rows);
		return sink.rows(rows);
	}

	#remember(rows: Batch): void {
		if (this.#remembered === undefined) return;
		if (this.#remembered.length + rows.length > rememberedMax) this.#remembered = undefined;
		else this.#remembered.push(...rows);
	}

	/** A promise only where rows were left. */
	close(): void | Promise<void> {
		const source = this.#source;
		this.#source = undefined;
		return source?.close();
	}
}
