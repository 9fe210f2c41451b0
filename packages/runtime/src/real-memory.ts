/**
 * Gives memory back once the process has become quiet. V8 collects when it needs room, not when there is none needed: after a
 * start or a bulk load a node would keep tens of megabytes of garbage, and of buffers that only garbage refers to, for minutes.
 *
 *  1. Nothing is collected while the process works: only after an interval in which it did next to nothing.
 *  2. Nothing is collected twice: only once the heap has grown since the last time. So an idle process stays idle.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const intervalMs = 5_000;
/** Share of one core in an interval below which the process is quiet. A collection takes it some 30 ms. */
const quietShare = 0.15;
const grownBytesMin = 8 << 20;

/** Of one interval. */
export interface MemoryUse {
	readonly cpuShare: number;
	/** Heap and what belongs to its objects outside of it. */
	readonly bytes: number;
}

/** Looks at one interval after the other. */
export class QuietCollector {
	readonly #collect: () => void;
	/** The least that was in use since the last collection; undefined right after it, since buffers are freed some time later. */
	#keptBytes: number | undefined = 0;

	constructor(collect: () => void) {
		this.#collect = collect;
	}

	look({ cpuShare, bytes }: MemoryUse): void {
		const isQuiet = cpuShare < quietShare;
		if (this.#keptBytes === undefined) {
			// If work has gone on at once, what is in use now is garbage again.
			this.#keptBytes = isQuiet ? bytes : 0;
		}
		this.#keptBytes = Math.min(this.#keptBytes, bytes);
		if (isQuiet && bytes - this.#keptBytes >= grownBytesMin) {
			this.#collect();
			this.#keptBytes = undefined;
		}
	}
}

export function usedBytes(): number {
	const { total_physical_size, external_memory } = getHeapStatistics();
	return total_physical_size + external_memory;
}

/** What collects garbage at once. Node keeps it from programs that were not started with --expose-gc. */
export function findCollector(): () => void {
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("gc") as () => void;
	setFlagsFromString("--no-expose-gc");
	return collect;
}

/** For the life of the process; does not keep it alive. */
export function keepMemorySmall(): void {
	const collector = new QuietCollector(findCollector());
	let cpu = process.cpuUsage();
	let atMs = performance.now();
	setInterval(() => {
		const nowMs = performance.now();
		const { user, system } = process.cpuUsage(cpu);
		collector.look({
			cpuShare: (user + system) / 1_000 / (nowMs - atMs),
			bytes: usedBytes(),
		});
		cpu = process.cpuUsage();
		atMs = performance.now();
	}, intervalMs).unref();
}
