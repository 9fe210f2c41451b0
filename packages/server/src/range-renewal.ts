/**
 * The ranges of a node whose data were discarded (`placement/renewal.ts`, N3): in the background, each leaseholder is asked to put a
 * new replica on this node in the place of the one that is gone, and the new one copies the range as any replica does. The directory
 * says which ranges are left; it may lag, so it is looked at again now and then for as long as the node runs.
 */
import type { NodeId } from "@quorate/keys/ids";
import { keyMax, keyMin } from "@quorate/keys/key";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { PlacementClient } from "@quorate/placement/types";
import type { Runtime, Timer } from "@quorate/runtime/runtime";
import type { RangeRouter } from "@quorate/txn/router";

const stepMs = 300;
const restMs = 10_000;
const requestMs = 5_000;

export interface RangeRenewalOptions {
	readonly runtime: Runtime;
	readonly placement: PlacementClient;
	readonly router: RangeRouter;
	readonly nodeId: NodeId;
	readonly replicasFrom: number;
	/** It has its vote in the placement group, or none to have. */
	isMember(): boolean;
}

export class RangeRenewal {
	readonly #options: RangeRenewalOptions;
	#timer: Timer | undefined;
	#isClosed = false;
	#left: number | undefined;

	constructor(options: RangeRenewalOptions) {
		this.#options = options;
	}

	/** Ranges without a full replica here; undefined while unknown. */
	get left(): number | undefined {
		return this.#left;
	}

	/** The control plane counts on this node again, if it did. */
	get isMember(): boolean {
		return this.#options.isMember();
	}

	start(): void {
		void this.#run();
	}

	close(): void {
		this.#isClosed = true;
		this.#timer?.cancel();
	}

	async #run(): Promise<void> {
		const { runtime, placement } = this.#options;
		try {
			const all = await placement.lookup(keyMin, keyMax, Number.MAX_SAFE_INTEGER);
			const waiting = all.map((x) => x.descriptor).filter((d) => this.#isWaiting(d));
			this.#say(waiting.length);
			for (const { start } of waiting) {
				await this.#step(start);
			}
		} catch (error) {
			runtime.logger.log("debug", "the directory cannot be read", { error: String(error) });
		}
		if (!this.#isClosed) {
			const delayMs = this.#left === 0 ? restMs : stepMs;
			this.#timer = runtime.scheduler.setTimer(delayMs, () => void this.#run());
		}
	}

	async #step(start: RangeDescriptor["start"]): Promise<void> {
		const { runtime, router, nodeId: node, replicasFrom } = this.#options;
		try {
			const body = { kind: "renew" as const, node, replicasFrom };
			await router.request(start, body, { idempotent: true, totalMs: requestMs });
		} catch (error) {
			runtime.logger.log("debug", "a range is not renewed yet", { error: String(error) });
		}
	}

	#isWaiting({ replicas }: RangeDescriptor): boolean {
		const { nodeId, replicasFrom } = this.#options;
		const own = replicas.filter((r) => r.nodeId === nodeId);
		return own.some((r) => r.replicaId < replicasFrom || r.role === "learner");
	}

	#say(left: number): void {
		if (left !== this.#left) {
			const message = left === 0 ? "all ranges are here again" : "ranges are being copied here";
			this.#options.runtime.logger.log("info", message, { left });
		}
		this.#left = left;
	}
}
