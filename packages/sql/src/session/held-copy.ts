/** What a client sends for a COPY that is a transaction by itself: kept as long as it is little, so that the COPY can be run again. */
import type { ResultSink } from "./types.ts";

const keptMax = 4 << 20;

export class HeldCopy {
	readonly #sink: ResultSink;
	#source: AsyncIterator<Uint8Array> | undefined;
	#kept: Uint8Array[] = [];
	#bytes = 0;

	constructor(sink: ResultSink) {
		this.#sink = sink;
	}

	/** All that has come is still there. */
	get isWhole(): boolean {
		return this.#bytes <= keptMax;
	}

	/** From the beginning. The client is asked once. */
	async *copyIn(format: "text" | "binary", columnCount: number): AsyncIterable<Uint8Array> {
		this.#source ??= this.#sink.copyIn(format, columnCount)[Symbol.asyncIterator]();
		yield* this.#kept;
		for (;;) {
			const { value, done } = await this.#source.next();
			if (done === true) return;
			this.#keep(value);
			yield value;
		}
	}

	#keep(bytes: Uint8Array): void {
		this.#bytes += bytes.length;
		if (this.isWhole) this.#kept.push(new Uint8Array(bytes));
		else this.#kept = [];
	}
}
