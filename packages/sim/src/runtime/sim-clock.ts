/** The clocks of one machine. Both run at the machine's own rate; the wall clock also jumps. */
import type { Clock } from "@quorate/runtime/runtime";

/** 2030-01-01, the wall time at which worlds begin. */
const WALL_START_MS = 1_893_456_000_000;

export class SimClock implements Clock {
	readonly #nowUs: () => number;
	#rate = 1;
	#anchorUs: number;
	#anchorMs: number;
	#wallMinusMonotonicMs: number;

	constructor(nowUs: () => number, monotonicStartMs: number) {
		this.#nowUs = nowUs;
		this.#anchorUs = nowUs();
		this.#anchorMs = monotonicStartMs;
		this.#wallMinusMonotonicMs = WALL_START_MS + this.#anchorUs / 1000 - monotonicStartMs;
	}

	get rate(): number {
		return this.#rate;
	}

	monotonicMs(): number {
		return this.#anchorMs + ((this.#nowUs() - this.#anchorUs) / 1000) * this.#rate;
	}

	wallMs(): number {
		return Math.floor(this.monotonicMs() + this.#wallMinusMonotonicMs);
	}

	/** Virtual time at which the monotonic clock will show this, at its present rate. */
	whenUs(monotonicMs: number): number {
		const aheadUs = ((monotonicMs - this.#anchorMs) / this.#rate) * 1000;
		return Math.ceil(this.#anchorUs + aheadUs);
	}

	/** Use `Machine.setClockRate`: timers that are under way depend on it. */
	setRate(rate: number): void {
		this.#anchorMs = this.monotonicMs();
		this.#anchorUs = this.#nowUs();
		this.#rate = rate;
	}

	jumpWall(deltaMs: number): void {
		this.#wallMinusMonotonicMs += deltaMs;
	}
}
