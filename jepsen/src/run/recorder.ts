/** The one writer of a history: an invocation is written before it is sent, a completion after its answer has come. */
import { createWriteStream, type WriteStream } from "node:fs";
import { writeJsonLine } from "@quorate/checker/jsonl";
import type { Operation, OperationType, Value } from "@quorate/checker/operations";

export interface Completion {
	readonly type: "ok" | "fail" | "info";
	readonly value: Value;
	readonly error?: string;
}

export class Recorder {
	readonly history: Operation[] = [];
	/** When the first line was written: what came before it was no load. */
	#begin: bigint | undefined;
	readonly #file: WriteStream;
	/** Operations that have ended, for a nemesis that goes by them. */
	completed = 0;

	constructor(path: string) {
		this.#file = createWriteStream(path);
	}

	/** Nanoseconds since the load began. */
	now(): number {
		const now = process.hrtime.bigint();
		this.#begin ??= now;
		return Number(now - this.#begin);
	}

	invoke(process: number, f: string, value: Value): void {
		this.#add(process, "invoke", f, value);
	}

	complete(process: number, f: string, { type, value, error }: Completion): void {
		this.#add(process, type, f, value, error);
		this.completed++;
	}

	nemesis(f: string, value: Value): void {
		this.#add("nemesis", "info", f, value);
	}

	/** Resolves when all is in the file. */
	close(): Promise<void> {
		return new Promise((resolve) => {
			this.#file.end(() => resolve());
		});
	}

	#add(
		process: Operation["process"],
		type: OperationType,
		f: string,
		value: Value,
		error?: string,
	): void {
		const what = { index: this.history.length, time: this.now(), process, type, f, value };
		const operation = error === undefined ? what : { ...what, error };
		this.history.push(operation);
		this.#file.write(writeJsonLine(operation));
	}
}
