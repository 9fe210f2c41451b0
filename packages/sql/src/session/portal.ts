/** A bound statement of the extended protocol: run at the first Execute, its rows taken out in portions. */
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
import { isControl, runControl } from "./transaction-control.ts";
import type { Portal, PortalOutcome, ResultColumn, ResultSink } from "./types.ts";

/** What the session wants to know of each portal that ran. */
export interface PortalObserver {
	/** A statement begins in the session's transaction. */
	started(portal: QuoratePortal): void;
	/** It ran to its end. */
	completed(portal: QuoratePortal, tag: string, rows: readonly ExecRow[] | undefined): void;
}

/** Above this, rows are not remembered for `completed`. */
const rememberedMax = 100;

export class QuoratePortal implements Portal {
	readonly statement: Prepared;
	readonly parameters: readonly Datum[];
	readonly #state: SessionState;
	readonly #observer: PortalObserver;
	#source: Pick<Running, "next" | "tag" | "close"> | undefined;
	#rest: Batch = [];
	#finished: string | undefined;
	#remembered: ExecRow[] | undefined = [];
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
		const run = isAlone && maxRows === 0 && this.#source === undefined;
		return (run ? this.#runAlone(sink) : this.#run(sink, maxRows)).then(
			(outcome) => {
				this.#ended(outcome);
				return outcome;
			},
			(error) => {
				this.#ended("failed");
				throw state.translate(error);
			},
		);
	}

	#ended(outcome: PortalOutcome | "failed"): void {
		const { cancel, activity } = this.#state;
		cancel.end();
		this.#spentMs += activity.end();
		if (outcome !== "suspended") {
			this.#state.ended(this.statement, this.#spentMs, outcome === "failed");
		}
	}

	#runAlone(sink: ResultSink): Promise<"complete" | "suspended"> {
		let shortly: Promise<Batch | string | undefined> | undefined;
		try {
			shortly =
				readAlone(this.#state, this.statement, this.parameters) ??
				runElsewhere(this.#state, this.statement, this.parameters);
		} catch (error) {
			return Promise.reject(error);
		}
		return (
			shortly?.then((result) => {
				if (result === undefined) return this.#runByItself(sink);
				return typeof result === "string"
					? this.#completed(sink, result)
					: this.#tell(sink, result);
			}) ?? this.#runByItself(sink)
		);
	}

	/** What Sync would commit is committed before the client is told of it. */
	async #runByItself(sink: ResultSink): Promise<"complete" | "suspended"> {
		const state = this.#state;
		if (state.block !== undefined || isControl(this.statement.utility)) return this.#run(sink, 0);
		const tag = await autocommit(state, this.statement, this.parameters, sink, false);
		this.#finished = tag.startsWith("SELECT ") ? "SELECT 0" : tag;
		sink.complete(tag);
		return "complete";
	}

	#completed(sink: ResultSink, tag: string): "complete" {
		sink.complete(tag);
		this.#finished = tag;
		return "complete";
	}

	#tell(sink: ResultSink, rows: Batch): "complete" | Promise<"complete"> {
		const complete = (): "complete" => {
			sink.complete(`SELECT ${rows.length}`);
			this.#finished = "SELECT 0";
			return "complete";
		};
		const waiting = sink.rows(rows);
		return waiting === undefined ? complete() : waiting.then(complete);
	}

	async #run(sink: ResultSink, maxRows: number): Promise<"complete" | "suspended"> {
		const { utility } = this.statement;
		const refusal = this.#state.block?.refusal;
		if (refusal !== undefined && !endsFailure(utility)) throw refusal;
		if (isControl(utility)) {
			this.#finished = await runControl(this.#state, utility);
			sink.complete(this.#finished);
			return "complete";
		}
		this.#source ??= await this.#start(sink);
		return this.#pump(this.#source, sink, maxRows);
	}

	async #start(sink: ResultSink): Promise<Pick<Running, "next" | "tag" | "close">> {
		const state = this.#state;
		const block = state.block ?? state.begin(false);
		this.#observer.started(this);
		if (this.statement.utility === undefined) {
			return startPlanned(state, block, this.statement, this.parameters);
		}
		const output = new CollectedOutput(sink);
		const tag = await runUtility(state, block, this.statement, this.parameters, output);
		let next = 0;
		return {
			next: () => output.batches[next++],
			tag: () => tag,
			close: () => {},
		};
	}

	async #pump(
		source: Pick<Running, "next" | "tag" | "close">,
		sink: ResultSink,
		maxRows: number,
	): Promise<"complete" | "suspended"> {
		let sent = 0;
		for (;;) {
			if (this.#rest.length === 0) {
				const step = source.next();
				const batch = step instanceof Promise ? await step : step;
				if (batch === undefined) break;
				this.#rest = batch;
				if (this.columns === undefined) this.#rest = [];
				continue;
			}
			const room = maxRows === 0 ? this.#rest.length : maxRows - sent;
			const rows = this.#rest.slice(0, room);
			this.#rest = this.#rest.slice(rows.length);
			sent += rows.length;
			this.#remember(rows);
			const waiting = sink.rows(rows);
			if (waiting !== undefined) await waiting;
			if (maxRows > 0 && sent === maxRows) return "suspended";
		}
		const tag = source.tag(sent);
		sink.complete(tag);
		this.#finished = tag.startsWith("SELECT ") ? "SELECT 0" : tag;
		this.#observer.completed(this, tag, this.#remembered);
		return "complete";
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
