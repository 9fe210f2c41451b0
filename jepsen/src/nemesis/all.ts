/** All nemeses, and those that mix them. */

import { pick } from "../workloads/workload.ts";
import { partitions, slow } from "./links.ts";
import { blackout, clock, clockBelow, fsync, fullDisk, power, tornWal } from "./machines.ts";
import type { Fault, MakeNemesis, Nemesis, NemesisContext } from "./nemesis.ts";
import { leases, membership, splits } from "./placement.ts";
import { kill, pause, rolling } from "./processes.ts";

/** Of those that need no disk of their own, one at a time; each kind has had its turn before one comes again. */
function mixed(): Nemesis {
	const parts = [
		kill,
		pause,
		partitions[0]!,
		slow,
		leases,
		splits(),
		rolling,
		clock,
		tornWal,
		fsync,
	];
	const waiting: Nemesis[] = [];
	const begin = async (context: NemesisContext): Promise<Fault> => {
		const { cluster, random } = context;
		const possible = parts.filter(({ nodesMin = 1 }) => cluster.members.size >= nodesMin);
		if (waiting.length === 0) waiting.push(...possible);
		const next = pick(random, waiting);
		waiting.splice(waiting.indexOf(next), 1);
		return next.begin(context);
	};
	const about = `one after the other of: ${parts.map(({ name }) => name).join(", ")}`;
	return { name: "mixed", about, needsHooks: true, begin };
}

const none: Nemesis = {
	name: "none",
	about: "nothing is done",
	begin: async () => ({ kind: "none", what: null, end: async () => undefined }),
};

const makers: readonly MakeNemesis[] = [
	...[none, kill, pause, ...partitions, slow, leases].map((nemesis) => () => nemesis),
	splits,
	...[rolling, membership, clock, clockBelow, fullDisk, tornWal, fsync, power, blackout].map(
		(nemesis) => () => nemesis,
	),
	mixed,
];

export const nemeses: ReadonlyMap<string, MakeNemesis> = new Map(
	makers.map((make) => [make().name, make]),
);
