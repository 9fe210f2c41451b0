/** Log lines of one machine, the latest of them, kept unformatted: nearly all are never read. */
import { formatLogLine } from "@quorate/runtime/real-logger";
import type { Clock, Logger, LogLevel } from "@quorate/runtime/runtime";

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

interface Line {
	readonly virtualMs: number;
	readonly wallMs: number;
	readonly level: LogLevel;
	readonly message: string;
	readonly fields: Readonly<Record<string, unknown>>;
}

export class LogRing {
	readonly #capacity: number;
	readonly #minimum: number;
	readonly #nowMs: () => number;
	readonly #clock: Clock;
	#lines: Line[] = [];
	#next = 0;

	constructor(level: LogLevel, capacity: number, nowMs: () => number, clock: Clock) {
		this.#minimum = SEVERITY[level];
		this.#capacity = capacity;
		this.#nowMs = nowMs;
		this.#clock = clock;
	}

	logger(fields: Readonly<Record<string, unknown>>): Logger {
		return {
			log: (level, message, more) => {
				if (SEVERITY[level] < this.#minimum) return;
				const line: Line = {
					virtualMs: this.#nowMs(),
					wallMs: this.#clock.wallMs(),
					level,
					message,
					fields: { ...fields, ...more },
				};
				this.#lines[this.#next] = line;
				this.#next = (this.#next + 1) % this.#capacity;
			},
			child: (more) => this.logger({ ...fields, ...more }),
		};
	}

	/** Oldest first, each with its virtual time in milliseconds in front. */
	lines(): string[] {
		const ordered = [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
		return ordered.map(
			(l) => `${l.virtualMs.toFixed(3)} ${formatLogLine(l.wallMs, l.level, l.message, l.fields)}`,
		);
	}
}
