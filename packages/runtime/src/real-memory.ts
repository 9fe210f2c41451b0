/**
 * Gives memory back once the process has become quiet. V8 collects when it needs room, not when there is none needed: after a
 * start or a bulk load a node would keep tens of megabytes of garbage, and of buffers that only garbage refers to, for minutes.
 *
 *  1. While the process works, garbage is collected only when the process has grown by a good part since the last time: V8 counts a
 *     buffer of 30 bytes as 30 bytes, but it takes 200 of the allocator, which keeps what it once had.
 *  2. Otherwise only after an interval in which the process did next to nothing, and only once the heap has grown since the last time;
 *     then a few times more, ever later, since what a quiet node forgets by and by (a range that begins to rest its working memory)
 *     makes nothing grow. So an idle process stays idle.
 *  3. Then the young generation also gives back the room that it grew to under load, which V8 by itself does minutes later.
 */
import { Session } from "node:inspector";
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { slabBytes } from "./slab.ts";

const intervalMs = 5_000;
const growthIntervalMs = 250;
/**
 * Share of one core in an interval below which the process is quiet. An idle node takes 1 %, but 8 where others keep the machine busy.
 * A collection takes it some 30 ms.
 */
const quietShare = 0.1;
const grownBytesMin = 8 << 20;
/** After a collection that growth was the reason of: again after so many quiet intervals in a row, each counted from the one before. */
const followUps: readonly number[] = [6, 6, 12, 24];
/** A larger heap is collected once, not until nothing more comes of it, which would stop the process for a second; unless that made it small. */
const deepBytesMax = 256 << 20;
/** By then another thread has freed the buffers that a collection found. */
const buffersFreedMs = 1_000;

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
	/** Intervals in a row, since the last collection. */
	#quietCount = 0;
	/** Of `followUps`, those that have been. */
	#followed = followUps.length;

	constructor(collect: () => void) {
		this.#collect = collect;
	}

	look({ cpuShare, bytes }: MemoryUse): void {
		const isQuiet = cpuShare < quietShare;
		this.#quietCount = isQuiet ? this.#quietCount + 1 : 0;
		if (this.#keptBytes === undefined) {
			// If work has gone on at once, what is in use now is garbage again.
			this.#keptBytes = isQuiet ? bytes : 0;
		}
		this.#keptBytes = Math.min(this.#keptBytes, bytes);
		if (isQuiet && bytes - this.#keptBytes >= grownBytesMin) {
			this.#followed = 0;
			this.#collectNow();
		} else if (this.#quietCount === followUps[this.#followed]) {
			this.#followed++;
			this.#collectNow();
		}
	}

	#collectNow(): void {
		this.#collect();
		this.#keptBytes = undefined;
		this.#quietCount = 0;
	}
}

/** Growth of the process since it last collected, in bytes, that is worth another collection, however busy it is. */
const residentGrowthMax = 32 << 20;
/** Buffers are freed by another thread: what is resident is taken as it is that many looks after a collection. */
const settlingLooks = 2;

/** Looks often at how large the process is. */
export class GrowthCollector {
	readonly #collect: () => void;
	#floorBytes = Number.POSITIVE_INFINITY;
	#settling = 0;

	constructor(collect: () => void) {
		this.#collect = collect;
	}

	look(residentBytes: number): void {
		if (this.#settling > 0) {
			this.#settling--;
			this.#floorBytes = residentBytes;
			return;
		}
		this.#floorBytes = Math.min(this.#floorBytes, residentBytes);
		if (residentBytes - this.#floorBytes >= residentGrowthMax) {
			this.#collect();
			this.#settling = settlingLooks;
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

/**
 * Collects until nothing more comes of it, and shrinks the heap: as when the system is short of memory. That is not to be had but
 * from the inspector.
 */
export function collectAll(): Promise<void> {
	return new Promise((resolve) => {
		const session = new Session();
		sessions.add(session);
		session.connect();
		session.post("HeapProfiler.enable");
		session.post("HeapProfiler.collectGarbage", () => {
			// Within its own answer a session that disconnects never comes back.
			setImmediate(() => {
				session.disconnect();
				sessions.delete(session);
				resolve();
			});
		});
	});
}

/** Nothing else refers to them: they would be collected by what they ask for, and their answers not come. */
const sessions = new Set<Session>();

function lookEvery(ms: number, collector: QuietCollector): void {
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
	}, ms).unref();
}

/** For the life of the process; does not keep it alive. */
export function keepMemorySmall(): void {
	Buffer.poolSize = slabBytes;
	const collect = findCollector();
	const growth = new GrowthCollector(collect);
	setInterval(() => growth.look(process.memoryUsage.rss()), growthIntervalMs).unref();
	const collectDeep = () => {
		if (usedBytes() <= deepBytesMax) {
			void collectAll();
			return;
		}
		collect();
		setTimeout(() => {
			if (usedBytes() <= deepBytesMax) void collectAll();
		}, buffersFreedMs).unref();
	};
	lookEvery(intervalMs, new QuietCollector(collectDeep));
}
