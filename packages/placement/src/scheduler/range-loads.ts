/**
 * What ranges hold and how often they are asked, as their leaseholders tell the leader of the placement group now and then: kept in
 * its memory only, since it decides nothing but where things are best put. Of a range that nobody leads nothing is known.
 *
 * A node tells what has changed; it tells everything to a leader that it has not told yet, which it knows by the leader's mark.
 */
import type { RangeId } from "@quorate/keys/ids";
import type { RangeDescriptor } from "@quorate/keys/range";
import type { RangeLoad } from "@quorate/replica/range-load";

export class RangeLoads {
	readonly #loads = new Map<RangeId, RangeLoad>();
	#changes = 0;

	/** Leadership begins. */
	reset(): void {
		this.#loads.clear();
		this.#changes++;
	}

	/** Rises with every change. */
	get changes(): number {
		return this.#changes;
	}

	heard(loads: readonly RangeLoad[]): void {
		for (const load of loads) {
			const known = this.#loads.get(load.rangeId);
			// An older leaseholder's report may come late.
			if (known === undefined || known.version <= load.version) {
				this.#loads.set(load.rangeId, load);
			}
		}
		this.#changes += loads.length > 0 ? 1 : 0;
	}

	/** Undefined: nobody has said since it has those keys. */
	of({ rangeId, epoch }: RangeDescriptor): RangeLoad | undefined {
		const load = this.#loads.get(rangeId);
		return load?.version === epoch.version ? load : undefined;
	}

	/** Ranges that there are no more. */
	forgetAllBut(existing: ReadonlySet<RangeId>): void {
		for (const rangeId of this.#loads.keys()) {
			if (!existing.has(rangeId)) this.#loads.delete(rangeId);
		}
	}
}
