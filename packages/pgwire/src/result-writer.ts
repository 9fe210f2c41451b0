/** The sink that a running statement writes to: rows, tags, notices and COPY, each as its message. */
import type { Notice, ResultColumn, ResultFormat, ResultSink } from "@quorate/sql/session/types";
import type { Datum } from "@quorate/sql/types/datum";
import type { TypeContext } from "@quorate/sql/types/registry";
import { type CompiledColumns, compileColumns, writeDataRow } from "./column-encoders.ts";
import { CopyIn } from "./copy-in.ts";
import { writeNotice } from "./error-messages.ts";
import { answers, backend } from "./messages.ts";
import type { Outlet } from "./outlet.ts";
import type { ProtocolViolation } from "./protocol-violation.ts";

export class ResultWriter implements ResultSink {
	readonly #outlet: Outlet;
	readonly #context: () => TypeContext;
	#encoders: CompiledColumns["encoders"] = [];
	/** A violation met while a statement read COPY data: the connection ends when the statement has. */
	violation: ProtocolViolation | undefined;

	constructor(outlet: Outlet, context: () => TypeContext) {
		this.#outlet = outlet;
		this.#context = context;
	}

	/** Execute: the columns were described before, or are of no interest to the client. */
	expect(columns: CompiledColumns | undefined): void {
		this.#encoders = columns?.encoders ?? [];
	}

	columns(columns: readonly ResultColumn[], format: ResultFormat = "text"): void {
		const compiled = compileColumns(columns, format === "binary" ? [1] : []);
		this.#encoders = compiled.encoders;
		this.#outlet.writer.bytes(compiled.description);
	}

	rows(rows: readonly (readonly Datum[])[]): void | Promise<void> {
		const outlet = this.#outlet;
		const context = this.#context();
		for (const row of rows) {
			writeDataRow(outlet.writer, this.#encoders, row, context);
			outlet.relieve();
		}
		return outlet.congestion();
	}

	complete(tag: string): void {
		const writer = this.#outlet.writer;
		writer.begin(backend.commandComplete);
		writer.string(tag);
		writer.end();
	}

	notice(notice: Notice): void {
		writeNotice(this.#outlet.writer, notice);
		// A client may watch the progress of a long statement by its notices.
		this.#outlet.flushSoon();
	}

	parameter(name: string, value: string): void {
		const writer = this.#outlet.writer;
		writer.begin(backend.parameterStatus);
		writer.string(name);
		writer.string(value);
		writer.end();
	}

	copyIn(format: "text" | "binary", columnCount: number): AsyncIterable<Uint8Array> {
		this.#copyResponse(backend.copyInResponse, format, columnCount);
		this.#outlet.flushSoon();
		return new CopyIn(this.#outlet, (violation) => {
			this.violation = violation;
		});
	}

	copyOutStart(format: "text" | "binary", columnCount: number): void {
		this.#copyResponse(backend.copyOutResponse, format, columnCount);
	}

	copyOut(chunk: Uint8Array): void | Promise<void> {
		const outlet = this.#outlet;
		outlet.writer.begin(backend.copyData);
		outlet.writer.bytes(chunk);
		outlet.writer.end();
		outlet.relieve();
		return outlet.congestion();
	}

	copyOutEnd(): void {
		this.#outlet.writer.bytes(answers.copyDone);
	}

	#copyResponse(type: number, format: "text" | "binary", columnCount: number): void {
		const writer = this.#outlet.writer;
		const code = format === "binary" ? 1 : 0;
		writer.begin(type);
		writer.uint8(code);
		writer.int16(columnCount);
		for (let column = 0; column < columnCount; column++) {
			writer.int16(code);
		}
		writer.end();
	}
}
