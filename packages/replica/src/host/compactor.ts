/**
 * Keeps the logs short. A log is compacted up to what its machine holds durably, so the engine is synced first: once for all
 * groups that are due, and never twice at a time; a machine in memory writes its own checkpoint, if it is due itself. What followers still need stays, within bounds: beyond them, a snapshot is
 * cheaper. A tail stays in any case, for whoever lags a little behind a new leader; but not of a group that rests: its leader has
 * seen that all have everything.
 */
import type { Limits } from "@quorate/keys/limits";
import { entryBytes } from "@quorate/raft/log";
import type { LogIndex } from "@quorate/raft/types";
import type { Runtime } from "@quorate/runtime/runtime";
import type { GroupDriver } from "./group-driver.ts";

/** A group is considered again after so much more was applied. */
const dueCount = 2_000;
const dueBytes = 2 << 20;
/** What a follower may be behind and still be served from the log: one that answers, and one that does not. */
const lagMax = {
	active: { count: 20_000, bytes: 16 << 20 },
	silent: { count: 10_000, bytes: 4 << 20 },
} as const;
const tailMax = { count: 256, bytes: 512 << 10 } as const;

export interface CompactorOptions {
	readonly runtime: Runtime;
	/** Makes durable what the machines have written to the engine. */
	readonly syncEngine: () => Promise<void>;
	readonly limits?: Limits | undefined;
}

export class Compactor {
	readonly #options: CompactorOptions;
	readonly #dueCount: number;
	readonly #tailCount: number;
	/** Of a follower that lags. */
	readonly #lagCountMax: number;
	#due = new Set<GroupDriver>();
	/** Groups that rest: all of their logs may go. */
	#resting = new Set<GroupDriver>();
	#isRunning = false;

	constructor(options: CompactorOptions) {
		this.#options = options;
		const { compactionEntries, logTailEntries } = options.limits ?? {};
		this.#dueCount = compactionEntries ?? dueCount;
		this.#tailCount = logTailEntries ?? tailMax.count;
		this.#lagCountMax = logTailEntries === undefined ? Number.POSITIVE_INFINITY : logTailEntries;
	}

	/** After a group has applied something. */
	consider(driver: GroupDriver): void {
		const work = driver.workIfAny;
		if (work === undefined) return;
		if (work.appliedCount < this.#dueCount && work.appliedBytes < dueBytes) return;
		work.appliedCount = 0;
		work.appliedBytes = 0;
		this.#due.add(driver);
		this.#start();
	}

	/** Of a group that rests, and is to keep nothing. */
	considerResting(driver: GroupDriver): void {
		if (driver.raft.entryCount === 0) return;
		this.#resting.add(driver);
		this.#start();
	}

	#start(): void {
		if (this.#isRunning) return;
		this.#isRunning = true;
		void this.#run();
	}

	close(): void {
		this.#due.clear();
		this.#resting.clear();
	}

	async #run(): Promise<void> {
		const { syncEngine, runtime } = this.#options;
		while (this.#due.size + this.#resting.size > 0) {
			const drivers = [...this.#due, ...this.#resting];
			const due = drivers.map((driver) => ({ driver, applied: driver.raft.applied }));
			const resting = this.#resting;
			this.#due.clear();
			this.#resting = new Set();
			try {
				await syncEngine();
			} catch (error) {
				// Another try would succeed and lie: the page cache has forgotten what it could not write.
				runtime.fatal(`engine sync failed: ${String(error)}`);
			}
			for (const { driver, applied } of due) {
				if (driver.machine.checkpoint !== undefined) await driver.machine.checkpoint();
				// What was applied while the engine synced may not be durable.
				const durable = Math.min(applied, driver.machine.appliedIndex());
				if (driver.isRemoved || driver.isInstalling) continue;
				if (!resting.has(driver)) this.#compact(driver, durable);
				else if (driver.raft.isQuiesced) forgetAll(driver, durable);
			}
		}
		this.#isRunning = false;
	}

	#compact(driver: GroupDriver, durable: LogIndex): void {
		const status = driver.raft.status();
		const tail = { ...tailMax, count: this.#tailCount };
		let index = Math.min(durable, behind(driver, status.applied, tail));
		for (const { replica, match, state, recentlyActive } of status.progress) {
			const need = state === "snapshot" ? driver.work.snapshotsUnderWay.get(replica) : match;
			if (need === undefined || need >= index) continue;
			const { count, bytes } = recentlyActive ? lagMax.active : lagMax.silent;
			const most = { count: Math.min(count, this.#lagCountMax), bytes };
			if (need >= behind(driver, status.applied, most)) index = need;
		}
		if (index >= status.firstIndex) driver.compact(index);
	}
}

/** Undone if something has come meanwhile that is not durable here, or not everywhere. */
function forgetAll(driver: GroupDriver, durable: LogIndex): void {
	const { firstIndex, lastIndex } = driver.raft.status();
	if (durable === lastIndex && firstIndex <= lastIndex) driver.compact(lastIndex);
}

/** The index that lies so much before `from`. */
function behind(
	driver: GroupDriver,
	from: LogIndex,
	{ count, bytes }: { readonly count: number; readonly bytes: number },
): LogIndex {
	let index = from;
	let sum = 0;
	while (index > from - count) {
		const entry = driver.raft.entry(index);
		if (entry === undefined) break;
		sum += entryBytes(entry);
		if (sum > bytes) break;
		index--;
	}
	return index;
}
