/**
 * O4: the clock of the oracle's millisecond part. It follows this process's monotonic clock and
 * slews towards the wall clock by running a fifth slower, or up to twice as fast; it never jumps. A wall
 * clock that is wrong by hours therefore neither runs leases out nor keeps them from lapsing. Every
 * founder keeps one running, so a new leader goes on about where the old one was.
 */
import { epochMs, ticksPerMs } from "@quorate/keys/timestamp";
import type { Clock } from "@quorate/runtime/runtime";

/** Not less: a lease of two seconds that nobody extends any more is in everybody's way for as long as the oracle takes to pass it. */
const slewMin = 0.8;
const slewMax = 2;
/**
 * A founding clock outside of these is no clock: timestamps must stay above zero and safe integers
 * for decades.
 */
const foundingMsMin = epochMs + 1;
const foundingMsMax = epochMs + Math.floor(Number.MAX_SAFE_INTEGER / ticksPerMs / 2);

export class OracleClock {
	readonly #clock: Clock;
	/** Milliseconds since 1970, as of `#monotonicMs`. */
	#ms = epochMs;
	#monotonicMs: number;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.#monotonicMs = clock.monotonicMs();
	}

	nowMs(): number {
		const monotonicMs = this.#clock.monotonicMs();
		const elapsed = Math.max(0, monotonicMs - this.#monotonicMs);
		this.#monotonicMs = monotonicMs;
		const least = this.#ms + elapsed * slewMin;
		const most = this.#ms + elapsed * slewMax;
		this.#ms = Math.min(most, Math.max(least, this.#clock.wallMs()));
		return this.#ms;
	}

	/** At founding only: the one time that the wall clock is believed. */
	startFromWall(): void {
		this.nowMs();
		this.#ms = Math.min(foundingMsMax, Math.max(foundingMsMin, this.#clock.wallMs()));
	}

	/** What the group's log says has been reached. */
	advanceTo(ms: number): void {
		this.#ms = Math.max(this.nowMs(), ms);
	}
}
