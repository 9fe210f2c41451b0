/** What a session is doing, for pg_stat_activity. */
import type { Runtime } from "@quorate/runtime/runtime";

export class SessionActivity {
	readonly startMs: number;
	/** Of the client: host:port. */
	readonly address: string;
	readonly #runtime: Runtime;
	/** Of the statement that runs, or ran last. */
	text = "";
	statementStartMs: number | undefined;
	changeMs: number;
	isActive = false;
	#begunMs = 0;

	constructor(runtime: Runtime, address: string) {
		this.#runtime = runtime;
		this.address = address;
		this.startMs = runtime.clock.wallMs();
		this.changeMs = this.startMs;
	}

	begin(text: string): void {
		this.text = text;
		this.isActive = true;
		this.changeMs = this.#runtime.clock.wallMs();
		this.statementStartMs = this.changeMs;
		this.#begunMs = this.#runtime.clock.monotonicMs();
	}

	/** How long it took, in milliseconds. */
	end(): number {
		this.isActive = false;
		this.changeMs = this.#runtime.clock.wallMs();
		return this.#runtime.clock.monotonicMs() - this.#begunMs;
	}
}
