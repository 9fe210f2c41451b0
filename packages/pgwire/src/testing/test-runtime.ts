/** A runtime for the tests of this package: memory network, seeded bytes, timers that fire when a test says so. */
import type { LogLevel, Runtime } from "@quorate/runtime/runtime";
import { MemoryNetwork } from "./memory-network.ts";

export interface TestRuntime extends Runtime {
	readonly network: MemoryNetwork;
	readonly logged: { level: LogLevel; message: string; fields: unknown }[];
	/** Fires every timer that is set. */
	fireTimers(): void;
	readonly timerCount: number;
}

export function createTestRuntime(seed = 1): TestRuntime {
	const next = generator(seed);
	const timers = new Set<() => void>();
	const logged: TestRuntime["logged"] = [];
	const logger: Runtime["logger"] = {
		log: (level, message, fields) => logged.push({ level, message, fields }),
		child: () => logger,
	};
	const absent = () => {
		throw new Error("not used by the protocol server");
	};
	return {
		clock: { monotonicMs: () => 0, wallMs: () => 0 },
		scheduler: {
			setTimer: (_delayMs, task) => {
				timers.add(task);
				return { cancel: () => timers.delete(task) };
			},
			defer: (task) => void setImmediate(task),
			yield: () => new Promise((resolve) => setImmediate(resolve)),
		},
		random: {
			float: () => next() / 2 ** 32,
			bytes: (count) => Uint8Array.from({ length: count }, () => next() >>> 24),
		},
		network: new MemoryNetwork(),
		get disk() {
			return absent();
		},
		get files() {
			return absent();
		},
		logger,
		logged,
		fatal: (reason) => {
			throw new Error(`fatal: ${reason}`);
		},
		fireTimers: () => {
			for (const task of [...timers]) {
				timers.delete(task);
				task();
			}
		},
		get timerCount() {
			return timers.size;
		},
	};
}

/** xorshift32: the same bytes for the same seed. */
export function generator(seed: number): () => number {
	let state = (seed * 2654435761) >>> 0 || 1;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		state >>>= 0;
		return state;
	};
}
