/**
 * Tells the leader of the placement group now and then what the ranges led here hold and how often they are asked
 * (`@quorate/placement/scheduler/range-loads`): what has changed since it was told, or everything, where it is another leader.
 */
import { DatabaseError } from "@quorate/keys/database-error";
import type { RangeId } from "@quorate/keys/ids";
import type { Limits } from "@quorate/keys/limits";
import type { ConnectedPlacementClient } from "@quorate/placement/client";
import type { RangeLoad } from "@quorate/replica/range-load";
import type { RangeStore } from "@quorate/replica/store";
import type { Runtime, Timer } from "@quorate/runtime/runtime";

const defaultEveryMs = 10_000;
/** What has changed by less is not told: a twentieth, or this. */
const bytesStep = 256;
const rateStep = 0.5;

export interface LoadReportsOptions {
	readonly runtime: Runtime;
	readonly placement: ConnectedPlacementClient;
	readonly store: RangeStore;
	readonly limits: Limits | undefined;
}

export class LoadReports {
	readonly #options: LoadReportsOptions;
	/** Of the leader that knows `#told`. */
	#mark = "";
	/** Of what may change still: what rests is told once more when it wakes. */
	#told = new Map<RangeId, RangeLoad>();
	#timer: Timer | undefined;
	#isClosed = false;

	constructor(options: LoadReportsOptions) {
		this.#options = options;
		this.#arm();
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
	}

	#arm(): void {
		const { runtime, limits } = this.#options;
		const everyMs = limits?.loadsMs ?? defaultEveryMs;
		this.#timer = runtime.scheduler.setTimer(everyMs, () => {
			void this.#tell().finally(() => {
				if (!this.#isClosed) this.#arm();
			});
		});
	}

	async #tell(): Promise<void> {
		const { store, placement, runtime } = this.#options;
		try {
			const now = await store.changedLoads();
			const isNews = (load: RangeLoad) => hasChanged(this.#told.get(load.rangeId), load);
			const news = now.filter(isNews);
			if (this.#isClosed) {
				return;
			}
			const mark = await placement.tellLoads(news);
			if (mark === this.#mark) {
				const known = now.map((load) => (isNews(load) ? load : this.#told.get(load.rangeId)!));
				this.#told = new Map(known.map((load) => [load.rangeId, load]));
				return;
			}
			this.#told.clear();
			this.#mark = await placement.tellLoads(await store.loads());
		} catch (error) {
			// What was not told now, and does not change any more, is told with all else.
			this.#mark = "";
			if (!(error instanceof DatabaseError)) throw error;
			runtime.logger.log("debug", "loads were not told", { error: String(error) });
		}
	}
}

function hasChanged(before: RangeLoad | undefined, now: RangeLoad): boolean {
	if (before === undefined || before.version !== now.version || before.byHand !== now.byHand) {
		return true;
	}
	const isFar = (a: number, b: number, step: number): boolean =>
		Math.abs(a - b) > Math.max(step, Math.max(a, b) / 20);
	return (
		isFar(before.sizeBytes, now.sizeBytes, bytesStep) ||
		isFar(before.requestsPerSecond, now.requestsPerSecond, rateStep)
	);
}
