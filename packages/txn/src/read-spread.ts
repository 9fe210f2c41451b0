/**
 * Who draws the timestamp of a read that is a transaction by itself, where another node leads its row's range: that node, after the request came,
 * where it leads most of what is read here; the oracle is with it then, or comes to it. Where several nodes do, none of them has
 * most of the requests to the oracle, and each would ask for few timestamps at a time: then this node draws all of them, in common
 * rounds, and what a round has let go leaves together. It is about speed only.
 */
import type { NodeId } from "@quorate/keys/ids";

/** Reads between two judgements. */
export const judgedReads = 64;
/** Of them: of what one node leads as much, this node's reads are as good as all there. */
const shareMin = 2 / 3;

export class ReadSpread {
	readonly #reads = new Map<NodeId, number>();
	#total = 0;
	#isWide = false;

	/** One more read, of a range that `leaseholder` leads. True: several nodes lead what is read of late. */
	noted(leaseholder: NodeId): boolean {
		this.#reads.set(leaseholder, (this.#reads.get(leaseholder) ?? 0) + 1);
		if (++this.#total === judgedReads) {
			this.#isWide = Math.max(...this.#reads.values()) < judgedReads * shareMin;
			this.#reads.clear();
			this.#total = 0;
		}
		return this.#isWide;
	}
}
