/**
 * Whether locks of a boot are given back: its node runs another one, or has fallen silent. A node that was only slow pays with a
 * conflict at commit, and no worse, since locks are scheduling only.
 */
import type { BootId } from "@quorate/keys/ids";
import type { PlacementClient } from "@quorate/placement/types";
import type { Clock } from "@quorate/runtime/runtime";

/** A node that has just started is heard of with the next heartbeat or two. */
const unknownMs = 2_000;

export class EndedBoots {
	readonly #placement: PlacementClient;
	readonly #clock: Clock;
	readonly #self: BootId;
	/** Boots that the list of nodes has named. */
	readonly #known = new Set<BootId>();
	/** Since when others are asked about that it has never named. */
	readonly #unknown = new Map<BootId, number>();

	constructor(placement: PlacementClient, clock: Clock, self: BootId) {
		this.#placement = placement;
		this.#clock = clock;
		this.#self = self;
	}

	has(boot: BootId): boolean {
		if (boot === this.#self) {
			return false;
		}
		const nodes = this.#placement.nodesCached();
		const node = nodes.find((n) => n.bootId === boot);
		if (node === undefined) {
			return nodes.length > 0 && this.#isGone(boot);
		}
		this.#known.add(boot);
		this.#unknown.delete(boot);
		return node.state !== "live" && node.state !== "draining";
	}

	/** It was replaced by another; or it is so new that the list of here does not name it yet. */
	#isGone(boot: BootId): boolean {
		if (this.#known.has(boot)) {
			return true;
		}
		const nowMs = this.#clock.monotonicMs();
		const sinceMs = this.#unknown.get(boot) ?? nowMs;
		this.#unknown.set(boot, sinceMs);
		return nowMs - sinceMs > unknownMs;
	}
}
