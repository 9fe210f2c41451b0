/**
 * What a machine keeps of its storage engine: the memory engine, with RocksDB's promises about crashes. A dead process leaves
 * all that it had written (the kernel has it); a power failure leaves what was synced and any number, from the first on, of
 * the batches after it, each whole. After a sync has failed, later ones promise what they do not keep (as Linux does), and
 * what they were asked to keep is at risk at any end of the process.
 */
import type { Key, Span } from "@quorate/keys/key";
import { keyMax } from "@quorate/keys/key";
import type { Runtime } from "@quorate/runtime/runtime";
import type {
	Engine,
	EngineBatch,
	EngineCacheUse,
	EngineIterator,
	EngineRows,
	EngineScanLimits,
	EngineSnapshot,
} from "@quorate/storage/engine";
import { MemoryEngine } from "@quorate/storage/memory-engine";
import { codedError } from "../runtime/coded-error.ts";
import type { CrashKind } from "../runtime/machine.ts";
import type { SeededRandom } from "../runtime/seeded-random.ts";
import type { World } from "../runtime/world.ts";
import { ContentDigest } from "./monitor/content-digest.ts";

/** A value, nothing, or nothing in all of a span. */
export type EngineStep = readonly [key: Key, value: Uint8Array | undefined] | Span;
export type Batch = readonly EngineStep[];

const everything: Span = { start: "" as Key, end: keyMax };
/** Of a sync of the engine, in milliseconds: longer than the log's, it has more to write. */
const syncMs = { least: 0.5, mean: 3 };

export class EngineDisk {
	readonly #world: World;
	readonly #random: SeededRandom;
	/** Survives a power failure for certain. */
	#durable = new MemoryEngine();
	/** Written after that, in order. */
	#unsynced: Batch[] = [];
	/** Syncs take so many times as long. */
	slowness = 1;
	/** Share of syncs that fail. */
	syncErrorRate = 0;
	/** For a test that strikes at a batch of its choice: told of each right after it was written. */
	onWritten: ((batch: Batch) => void) | undefined;
	/** How many batches that are not synced the next power failure leaves; undefined: as chance has it. */
	keeps: number | undefined;
	#hasFailed = false;
	/** How many processes have opened it or ended: what one that is gone still writes in its last turn has no effect. */
	#epoch = 0;
	/** Of what the process that opened it last has in it. */
	digest = new ContentDigest(this.#durable);

	constructor(world: World, machineId: number) {
		this.#world = world;
		this.#random = world.random(`engine ${machineId}`);
	}

	/** Opens it for a new process; the one before has ended. */
	open(runtime: Runtime): Engine {
		const live = new MemoryEngine();
		live.write((batch) => {
			const it = this.#durable.iterate(everything);
			for (; it.key !== undefined; it.next()) batch.put(it.key, it.value);
			it.close();
		});
		for (const steps of this.#unsynced) applyTo(live, steps);
		const digest = new ContentDigest(live);
		this.digest = digest;
		const epoch = ++this.#epoch;
		return new CrashingEngine(live, {
			wrote: (steps) => {
				if (epoch === this.#epoch) this.#unsynced.push(steps);
				digest.wrote(steps);
				this.onWritten?.(steps);
			},
			sync: () => this.#sync(runtime),
		});
	}

	crashed(kind: CrashKind): void {
		this.#epoch++;
		if (kind === "process" && !this.#hasFailed) return;
		this.#hasFailed = false;
		const kept = this.keeps ?? this.#random.below(this.#unsynced.length + 1);
		this.keeps = undefined;
		if (kept < this.#unsynced.length) this.#world.count("lost-engine-batches");
		this.#makeDurable(kept);
		this.#unsynced = [];
	}

	/** Batches that a power failure may take. */
	get unsyncedCount(): number {
		return this.#unsynced.length;
	}

	/** A new, empty disk. */
	erase(): void {
		this.#durable = new MemoryEngine();
		this.#unsynced = [];
		this.#hasFailed = false;
	}

	#sync(runtime: Runtime): Promise<void> {
		const last = this.#unsynced.at(-1);
		const ms = (syncMs.least + this.#random.exponential(syncMs.mean)) * this.slowness;
		const fails = this.#random.chance(this.syncErrorRate);
		return new Promise((resolve, reject) => {
			runtime.scheduler.setTimer(ms, () => {
				if (fails) {
					this.#world.count("EIO-engine-sync");
					this.#hasFailed = true;
					reject(codedError("EIO", "sync of the engine"));
					return;
				}
				if (this.#hasFailed) {
					resolve();
					return;
				}
				// A sync that began later may have ended earlier: then this one's batches are durable already.
				const at = last === undefined ? -1 : this.#unsynced.lastIndexOf(last);
				this.#makeDurable(at + 1);
				resolve();
			});
		});
	}

	#makeDurable(count: number): void {
		for (const steps of this.#unsynced.splice(0, count)) applyTo(this.#durable, steps);
	}
}

function applyTo(engine: MemoryEngine, steps: Batch): void {
	engine.write((batch) => {
		for (const step of steps) {
			if ("start" in step) batch.deleteSpan(step);
			else if (step[1] === undefined) batch.delete(step[0]);
			else batch.put(step[0], step[1]);
		}
	});
}

interface Journal {
	wrote(steps: Batch): void;
	sync(): Promise<void>;
}

/** The engine of one process: in memory, and told to the journal. */
class CrashingEngine implements Engine {
	readonly kind = "memory";
	readonly #live: MemoryEngine;
	readonly #journal: Journal;

	constructor(live: MemoryEngine, journal: Journal) {
		this.#live = live;
		this.#journal = journal;
	}

	get(k: Key): Uint8Array | undefined {
		return this.#live.get(k);
	}

	prefetch(): undefined {}

	iterate(span: Span, options?: { readonly reverse?: boolean }): EngineIterator {
		return this.#live.iterate(span, options);
	}

	scan(span: Span, limits: EngineScanLimits): EngineRows {
		return this.#live.scan(span, limits);
	}

	write(fill: (batch: EngineBatch) => void): void {
		const steps: EngineStep[] = [];
		this.#live.write((batch) => {
			fill({
				put: (k, value) => {
					batch.put(k, value);
					steps.push([k, value]);
				},
				delete: (k) => {
					batch.delete(k);
					steps.push([k, undefined]);
				},
				deleteSpan: (span) => {
					batch.deleteSpan(span);
					steps.push(span);
				},
			});
		});
		this.#journal.wrote(steps);
	}

	clearSpan(span: Span): void {
		this.write((batch) => batch.deleteSpan(span));
	}

	snapshot(): EngineSnapshot {
		return this.#live.snapshot();
	}

	sync(): Promise<void> {
		return this.#journal.sync();
	}

	cacheUse(): EngineCacheUse {
		return this.#live.cacheUse();
	}

	approximateSizeBytes(span: Span): number {
		return this.#live.approximateSizeBytes(span);
	}

	close(): Promise<void> {
		return this.#live.close();
	}
}
