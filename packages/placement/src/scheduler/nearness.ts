/**
 * How near nodes are to each other by their localities. Replicas of a range go as far from each other as they can: the widest tier
 * decides, then the next. Two replicas are in one region only if each other region that could have one has one, and so on within
 * each region for its zones.
 *
 * A pair of nodes weighs a power of `base` for each tier, from the first, that it shares; a set of nodes, the sum over its pairs. Since
 * a set has fewer pairs than that base, a smaller weight is fewer pairs in the widest tier, then in the next. Exchanging one node at a
 * time for a better one leads to the best set: within each tier what counts is a convex function of how many are where.
 */
import type { NodeId } from "@quorate/keys/ids";
import { formatLocality, type Locality, sharedTiers, tiersMax } from "@quorate/keys/locality";

/** More than pairs among eleven nodes. */
const base = 64;

interface Located {
	readonly nodeId: NodeId;
	readonly locality: Locality;
}

export class Nearness {
	/** Some nodes are nearer to each other than others are. */
	readonly hasPlaces: boolean;
	/** More than any set weighs. */
	readonly most: number;
	readonly #index = new Map<NodeId, number>();
	/** Of each pair. */
	readonly #weights: Float64Array;

	constructor(nodes: readonly Located[]) {
		const places = new Set(nodes.map(({ locality }) => formatLocality(locality)));
		this.hasPlaces = places.size > 1;
		const tiers = this.hasPlaces
			? Math.min(tiersMax, Math.max(...nodes.map(({ locality }) => locality.length)))
			: 0;
		this.most = base ** tiers;
		for (const [at, { nodeId }] of nodes.entries()) this.#index.set(nodeId, at);
		this.#weights = new Float64Array(this.hasPlaces ? nodes.length ** 2 : 0);
		if (this.hasPlaces) this.#weigh(nodes, tiers);
	}

	#weigh(nodes: readonly Located[], tiers: number): void {
		for (const [i, a] of nodes.entries()) {
			for (const [j, b] of nodes.entries()) {
				const shared = sharedTiers(a.locality, b.locality, tiers);
				let weight = 0;
				for (let tier = 0; tier < shared; tier++) weight += base ** (tiers - 1 - tier);
				this.#weights[i * nodes.length + j] = weight;
			}
		}
	}

	of(a: NodeId, b: NodeId): number {
		if (!this.hasPlaces) return 0;
		const [i, j] = [this.#index.get(a), this.#index.get(b)];
		return i === undefined || j === undefined ? 0 : this.#weights[i * this.#index.size + j]!;
	}

	/** Over all pairs of a set. */
	ofAll(nodes: readonly NodeId[]): number {
		if (!this.hasPlaces) return 0;
		let sum = 0;
		for (let i = 1; i < nodes.length; i++) {
			for (let j = 0; j < i; j++) sum += this.of(nodes[i]!, nodes[j]!);
		}
		return sum;
	}
}
