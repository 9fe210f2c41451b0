/**
 * Whether locks of a boot are given back: its node runs another one, or has fallen silent. A node that was only slow pays with a
 * conflict at commit, and no worse, since locks are scheduling only.
 */
import type { BootId } from "@quorate/keys/ids";
import type { PlacementClient } from "@quorate/placement/types";
import type { Rpc } from "@quorate/rpc/types";

/** A node that has just started is in the next list, or in the one after that: one may be on its way already. */
const listsLeast = 3;

export class EndedBoots {
	readonly #placement: PlacementClient;
	readonly #rpc: Pick<Rpc, "pulseOf">;
	readonly #self: BootId;
	/** Boots that the list of nodes has named. */
	readonly #known = new Set<BootId>();
	/** Others that are asked about: how many lists had come by then. */
	readonly #unknown = new Map<BootId, number>();
	#list: unknown;
	#lists = 0;

	constructor(placement: PlacementClient, rpc: Pick<Rpc, "pulseOf">, self: BootId) {
		this.#placement = placement;
		this.#rpc = rpc;
		this.#self = self;
	}

	has(boot: BootId): boolean {
		if (boot === this.#self) {
			return false;
		}
		const nodes = this.#placement.nodesCached();
		if (nodes !== this.#list) {
			this.#list = nodes;
			this.#lists++;
		}
		const node = nodes.find((n) => n.bootId === boot);
		if (node === undefined) {
			return nodes.length > 0 && this.#isGone(boot);
		}
		this.#known.add(boot);
		this.#unknown.delete(boot);
		// Where only its heartbeats do not come through, it is as good as any other.
		const isHeard = node.state === "suspect" && this.#rpc.pulseOf(boot)?.isHeard === true;
		return node.state !== "live" && node.state !== "draining" && !isHeard;
	}

	/** It was replaced by another; or it is so new that the list of here does not name it yet. */
	#isGone(boot: BootId): boolean {
		if (this.#known.has(boot)) {
			return true;
		}
		const since = this.#unknown.get(boot) ?? this.#lists;
		this.#unknown.set(boot, since);
		return this.#lists - since >= listsLeast;
	}
}
