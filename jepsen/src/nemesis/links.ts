/** What nodes send each other does not arrive, or late. Clients reach all of them. */
import { allLinks, between, type Link } from "../net/network.ts";
import type { SeededRandom } from "../workload/random.ts";
import { pick } from "../workloads/workload.ts";
import type { Nemesis, NemesisContext } from "./nemesis.ts";
import { shuffled } from "./processes.ts";

type Cut = (places: readonly number[], random: SeededRandom) => readonly Link[];

const minoritySize = (count: number): number => Math.max(1, Math.ceil(count / 2) - 1);

const cuts: Readonly<Record<string, Cut>> = {
	/** A majority and a minority. */
	halves: (places) => {
		const size = minoritySize(places.length);
		return between([places.slice(0, size), places.slice(size)]);
	},
	/** One node alone. */
	single: (places) => between([places.slice(0, 1), places.slice(1)]),
	/** Two halves that see each other only through one node. */
	bridge: (places) => {
		const [, ...others] = places;
		const middle = others.length >> 1;
		return between([others.slice(0, middle), others.slice(middle)]);
	},
	/** What one or some send arrives nowhere; what is sent to them does. */
	"one-way": (places, random) => {
		const size = random.between(1, minoritySize(places.length));
		const silent = new Set(places.slice(0, size));
		const isForth = random.between(1, 2) === 1;
		return allLinks(places).filter(([a, b]) => {
			const [from, to] = isForth ? [a, b] : [b, a];
			return silent.has(from) && !silent.has(to);
		});
	},
	/** Each sees its neighbours in a circle: every node has a majority, no two the same. */
	ring: (places) => {
		const count = places.length;
		const reach = Math.max(1, Math.floor(count / 4));
		return allLinks(places).filter(([a, b]) => {
			const distance = Math.abs(places.indexOf(a) - places.indexOf(b));
			return Math.min(distance, count - distance) > reach;
		});
	},
};

function partition(name: string, kinds: readonly string[], about: string): Nemesis {
	return {
		name,
		about,
		nodesMin: 3,
		begin: async ({ cluster, random }: NemesisContext) => {
			const places = shuffled(random, [...cluster.members]);
			// In a ring of three everybody sees everybody.
			const possible = kinds.filter((kind) => kind !== "ring" || places.length > 3);
			const kind = pick(random, possible.length > 0 ? possible : ["single"]);
			const links = cuts[kind]!(places, random);
			cluster.network.cut(links);
			const what = links.map(([from, to]) => `n${from + 1}>n${to + 1}`);
			return { kind: `partition-${kind}`, what, end: async () => cluster.network.heal() };
		},
	};
}

export const partitions: readonly Nemesis[] = [
	partition("partition", Object.keys(cuts), "any of the partitions below"),
	partition("partition-halves", ["halves"], "a majority and a minority"),
	partition("partition-single", ["single"], "one node alone"),
	partition("partition-bridge", ["bridge"], "two halves that see each other only through one node"),
	partition("partition-one-way", ["one-way"], "one direction only"),
	partition("partition-ring", ["ring"], "each sees its neighbours only"),
];

export const slow: Nemesis = {
	name: "slow",
	about: "packets of some or all nodes are late and lost",
	begin: async ({ cluster, random }) => {
		const places = shuffled(random, [...cluster.members]);
		const chosen = places.slice(0, random.between(1, places.length));
		const how = cluster.network.slow(chosen);
		const what = { nodes: chosen.map((place) => `n${place + 1}`), how };
		return { kind: "slow", what, end: async () => cluster.network.heal() };
	},
};
