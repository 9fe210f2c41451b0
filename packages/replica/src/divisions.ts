/**
 * Ranges split by themselves. Each leaseholder decides for its own, from what it knows anyway, and then does what SPLIT AT does.
 *
 * D1. By size: a range that holds more than `range_max_bytes` is cut in the middle of what it holds. Its size is kept up with what is
 *     applied (`range-size.ts`); before anything is decided it is measured, in slices, one range of a node at a time, and that is what
 *     finds the middle.
 * D2. By load: a range that is asked more than `range_max_load` times a second is cut where that divides what it is asked for, as far as
 *     samples tell (`load-samples.ts`). A range on one node only is not: its halves would be served by the same processor.
 * D3. Never inside a row: a row is one key, with all its versions, so wherever a range begins is between two rows.
 * D4. Never where it would not help: one key has most of the bytes, or of the requests; or commits that lie in one range would lie in
 *     two. Such a range is left alone until it has grown by a quarter, or for a minute.
 * D5. Nothing flaps: what was cut by load is counted anew, and is merged again only when it has been small and cold for long
 *     (`@quorate/placement/scheduler/merges`).
 *
 * Every decision is logged with its reason and counted, and told to the control plane; so is, but for that, every decision not to.
 */
import { formatKey, type Key } from "@quorate/keys/key";
import { rangeSpan } from "@quorate/keys/range";
import type { Runtime } from "@quorate/runtime/runtime";
import type { Decision } from "./decision.ts";
import { idleAfterMs } from "./range-load.ts";
import { measure } from "./range-size.ts";
import type { Replica } from "./replica.ts";
import type { SplitReason } from "./splits.ts";

export interface DivisionRules {
	readonly maxBytes: number;
	/** Requests a second; 0: no limit. */
	readonly maxLoad: number;
}

export interface DivisionsOptions {
	readonly runtime: Runtime;
	/** Those that do not rest. */
	readonly replicas: Iterable<Replica>;
	rules(): DivisionRules;
	/** For people. */
	decided(decision: Decision): void;
}

/** Each side of a split by size has at least this part. */
const shareMin = 1 / 8;
/** A range that could not be divided is measured again when it is so much larger. */
const growth = 1.25;
/** After a split, or a load that could not be divided, or an attempt that failed. */
const settleMs = 30_000;
const undividedMs = 60_000;
const retryMs = 2_000;
/** Keys are sampled from this part of the limit on. */
const sampleFrom = 0.5;

/** What was decided before. */
interface Memory {
	/** By size: measured again from so many bytes on. */
	fromBytes: number;
	/** By size, by load: not before, in monotonic milliseconds. */
	sizeFromMs: number;
	loadFromMs: number;
}

export type Undivided = "undivided-size" | "undivided-load";

export class Divisions {
	readonly #options: DivisionsOptions;
	readonly #memories = new WeakMap<Replica, Memory>();
	/** Replicas that are due, in order. */
	readonly #due: { readonly replica: Replica; readonly reason: "size" | "load" }[] = [];
	#isBusy = false;
	#isClosed = false;
	/** How often it was decided not to split, though there was a reason to. */
	readonly undivided: Record<Undivided, number> = { "undivided-size": 0, "undivided-load": 0 };

	constructor(options: DivisionsOptions) {
		this.#options = options;
	}

	/** Called now and then. What is to be done goes on in the background. */
	look(): void {
		if (this.#isBusy || this.#isClosed) {
			return;
		}
		const nowMs = this.#options.runtime.clock.monotonicMs();
		const rules = this.#options.rules();
		for (const replica of this.#options.replicas) {
			if (nowMs - replica.lastUsedMs < idleAfterMs && replica.holding()) {
				this.#lookAt(replica, rules, nowMs);
			}
		}
		if (this.#due.length > 0) {
			this.#isBusy = true;
			void this.#work(rules).finally(() => {
				this.#isBusy = false;
			});
		}
	}

	close(): void {
		this.#isClosed = true;
	}

	#lookAt(replica: Replica, { maxBytes, maxLoad }: DivisionRules, nowMs: number): void {
		const memory = this.#memoryOf(replica);
		const isShared = replica.state.configuration.voters.length > 1;
		const limit = maxLoad > 0 && isShared ? maxLoad : Number.POSITIVE_INFINITY;
		replica.load.tick(nowMs, limit * sampleFrom);
		const bytes = replica.sizeBytes();
		const mayBeLarge = bytes > maxBytes || (replica.size.isRough && bytes > maxBytes / 2);
		if (mayBeLarge && bytes >= memory.fromBytes && nowMs >= memory.sizeFromMs) {
			this.#due.push({ replica, reason: "size" });
		} else if (replica.load.rate > limit && replica.load.isReady && nowMs >= memory.loadFromMs) {
			this.#due.push({ replica, reason: "load" });
		}
	}

	async #work(rules: DivisionRules): Promise<void> {
		for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
			const { replica, reason } = next;
			if (this.#isClosed || !replica.holding()) {
				continue;
			}
			try {
				await (reason === "size"
					? this.#bySize(replica, rules.maxBytes)
					: this.#byLoad(replica, rules.maxLoad));
			} catch (error) {
				const memory = this.#memoryOf(replica);
				memory.sizeFromMs = this.#afterMs(retryMs);
				memory.loadFromMs = memory.sizeFromMs;
				const { rangeId } = replica.state.descriptor;
				const { logger } = this.#options.runtime;
				logger.log("info", "a range could not be split", { rangeId, error: String(error) });
			}
		}
	}

	async #bySize(replica: Replica, maxBytes: number): Promise<void> {
		const { runtime } = this.#options;
		const { engine } = replica.context;
		const { descriptor } = replica.state;
		const goesOn = () => !this.#isClosed && replica.holding();
		const expected = replica.sizeBytes();
		replica.size.beginMeasuring();
		const found = await measure(engine, runtime.scheduler, rangeSpan(descriptor), expected, goesOn);
		if (found === undefined || replica.state.descriptor.epoch !== descriptor.epoch) {
			return;
		}
		const { bytes, middle, rightShare } = found;
		replica.size.measured(bytes);
		if (bytes <= maxBytes) {
			return;
		}
		const memory = this.#memoryOf(replica);
		if (middle === undefined || rightShare < shareMin || rightShare > 1 - shareMin) {
			memory.fromBytes = bytes * growth;
			this.#leave(replica, "undivided-size", { bytes, why: "one key has most of it" });
			return;
		}
		replica.size.rightShare = rightShare;
		const why = `it holds ${bytes} bytes, more than range_max_bytes (${maxBytes})`;
		await this.#split(replica, middle, "size", why);
	}

	async #byLoad(replica: Replica, maxLoad: number): Promise<void> {
		const { rate } = replica.load;
		const at = replica.load.divider(rangeSpan(replica.state.descriptor));
		if (at === undefined) {
			this.#memoryOf(replica).loadFromMs = this.#afterMs(undividedMs);
			const why = "no key divides the requests without dividing what is asked for together";
			this.#leave(replica, "undivided-load", { requestsPerSecond: Math.round(rate), why });
			return;
		}
		const why = `it is asked ${Math.round(rate)} times a second, more often than range_max_load (${maxLoad})`;
		await this.#split(replica, at, "load", why);
	}

	async #split(replica: Replica, at: Key, reason: SplitReason, why: string): Promise<void> {
		const { clock, logger } = this.#options.runtime;
		const memory = this.#memoryOf(replica);
		const beganMs = clock.monotonicMs();
		const answer = await replica.split(at, reason);
		const isDone = answer.kind === "split";
		memory.fromBytes = 0;
		memory.sizeFromMs = isDone ? 0 : this.#afterMs(retryMs);
		memory.loadFromMs = this.#afterMs(isDone ? settleMs : retryMs);
		const { rangeId } = replica.state.descriptor;
		if (isDone) {
			const tookMs = Math.round(clock.monotonicMs() - beganMs);
			// Not the key: that is what users have stored.
			const right = `the upper part is range ${answer.right.rangeId}`;
			this.#options.decided({ kind: "split", rangeId, reason: `${why}: ${right}`, tookMs });
		} else {
			const fields = { rangeId, at: formatKey(at), reason, answer: answer.kind };
			logger.log("info", "a range was not split", fields);
		}
	}

	#leave(replica: Replica, kind: Undivided, fields: Readonly<Record<string, unknown>>): void {
		this.undivided[kind]++;
		const { rangeId } = replica.state.descriptor;
		const { logger } = this.#options.runtime;
		logger.log("info", "a range is left undivided", { rangeId, ...fields });
	}

	#afterMs(ms: number): number {
		return this.#options.runtime.clock.monotonicMs() + ms;
	}

	#memoryOf(replica: Replica): Memory {
		let memory = this.#memories.get(replica);
		if (memory === undefined) {
			memory = { fromBytes: 0, sizeFromMs: 0, loadFromMs: 0 };
			this.#memories.set(replica, memory);
		}
		return memory;
	}
}
