/**
 * How long this process itself did not get to run. A machine that stands still (a virtual one that is moved, or one with far too much to
 * do) stops the nodes as well, and what nobody could have answered is not held against them.
 */
const beatMs = 100;
const stallMsMin = 1_000;

export class Stalls {
	readonly #timer: NodeJS.Timeout;
	#last = performance.now();
	totalMs = 0;

	constructor() {
		this.#timer = setInterval(() => this.#beat(), beatMs);
		this.#timer.unref();
	}

	close(): void {
		clearInterval(this.#timer);
	}

	#beat(): void {
		const now = performance.now();
		const lateMs = now - this.#last - beatMs;
		if (lateMs > stallMsMin) this.totalMs += lateMs;
		this.#last = now;
	}
}
