/** A runtime for tests in one process: real timers, seeded randomness, no network and no disk. */
import { InvariantError } from "@quorate/keys/assert";
import { MemoryDisk } from "@quorate/runtime/memory-disk";
import type { Disk, Logger, Runtime } from "@quorate/runtime/runtime";

const quiet: Logger = { log: () => {}, child: () => quiet };

const absent = (what: string): never => {
	throw new Error(`the test runtime has no ${what}`);
};

/** A small linear congruential generator: tests must not depend on more. */
function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 0x1_0000_0000;
	};
}

/** `files`: what stands for the files of the machine; they may outlive a runtime. */
export function testRuntime(seed = 1, files: Disk = new MemoryDisk()): Runtime {
	const random = seeded(seed);
	return {
		clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
		scheduler: {
			setTimer: (delayMs, task) => {
				const timer = setTimeout(task, delayMs);
				return { cancel: () => clearTimeout(timer) };
			},
			defer: (task) => {
				setImmediate(task);
			},
			yield: () => new Promise((resolve) => setImmediate(resolve)),
		},
		random: {
			float: random,
			bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(random() * 256)),
		},
		network: {
			listen: () => absent("network"),
			connect: () => absent("network"),
		},
		disk: new Proxy({} as Runtime["disk"], { get: () => absent("disk") }),
		files,
		logger: quiet,
		fatal: (reason) => {
			throw new InvariantError(reason);
		},
	};
}
