/** One JSON object a line: time, level, message, then the fields. */
import type { Logger, LogLevel } from "./runtime.ts";

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const BYTES_SHOWN_MAX = 32;

type Fields = Readonly<Record<string, unknown>>;

/** What JSON has no form for. A log line must never throw. */
function replacer(_key: string, value: unknown): unknown {
	if (typeof value === "bigint") return value.toString();
	if (value instanceof Error) {
		return value.stack ?? `${value.name}: ${value.message}`;
	}
	if (value instanceof Uint8Array) {
		const shown = Array.from(value.subarray(0, BYTES_SHOWN_MAX), (b) =>
			b.toString(16).padStart(2, "0"),
		).join("");
		return value.length > BYTES_SHOWN_MAX ? `${shown}... (${value.length} bytes)` : shown;
	}
	if (value instanceof Map) return Object.fromEntries(value);
	if (value instanceof Set) return [...value];
	return value;
}

export function formatLogLine(
	wallMs: number,
	level: LogLevel,
	message: string,
	fields: Fields,
): string {
	const head = { time: new Date(wallMs).toISOString(), level, message };
	try {
		return JSON.stringify({ ...head, ...fields }, replacer);
	} catch (error) {
		return JSON.stringify({ ...head, unprintable: String(error) });
	}
}

export class LineLogger implements Logger {
	readonly #minimum: number;
	readonly #fields: Fields;
	readonly #wallMs: () => number;
	readonly #sink: (line: string) => void;
	readonly #level: LogLevel;

	constructor(
		level: LogLevel,
		wallMs: () => number,
		sink: (line: string) => void,
		fields: Fields = {},
	) {
		this.#level = level;
		this.#minimum = SEVERITY[level];
		this.#wallMs = wallMs;
		this.#sink = sink;
		this.#fields = fields;
	}

	log(level: LogLevel, message: string, fields?: Fields): void {
		if (SEVERITY[level] < this.#minimum) return;
		this.#sink(formatLogLine(this.#wallMs(), level, message, { ...this.#fields, ...fields }));
	}

	child(fields: Fields): Logger {
		return new LineLogger(this.#level, this.#wallMs, this.#sink, {
			...this.#fields,
			...fields,
		});
	}
}
