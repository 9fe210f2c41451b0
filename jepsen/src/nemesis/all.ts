/** All nemeses, and those that mix them. */

import { pick } from "../workloads/workload.ts";
import { partitions, slow } from "./links.ts";
import { clock, fsync, fullDisk, power, tornWal } from "./machines.ts";
import type { Fault, Nemesis, NemesisContext } from "./nemesis.ts";
import { leases, membership, splits } from "./placement.ts";
import { kill, pause, rolling } from "./processes.ts";

/** Of those that need no disk of their own, one or two at once; each kind has had its turn before one comes again. */
function mixed(name: string, about: string, all: readonly Nemesis[]): Nemesis {
	const waiting: Nemesis[] = [];
	const one = async (context: NemesisContext): Promise<Fault> => {
		const { cluster, random } = context;
		const possible = all.filter(({ nodesMin = 1 }) => cluster.members.size >= nodesMin);
		if (waiting.length === 0) waiting.push(...possible);
		const next = pick(random, waiting);
		waiting.splice(waiting.indexOf(next), 1);
		return next.begin(context);
	};
	return {
		name,
		about,
		needsHooks: all.some(({ needsHooks = false }) => needsHooks),
		begin: one,
	};
}

const single: readonly Nemesis[] = [
	kill,
	pause,
	...partitions,
	slow,
	leases,
	splits,
	rolling,
	membership,
	clock,
	fullDisk,
	tornWal,
	fsync,
	power,
];

const none: Nemesis = {
	name: "none",
	about: "nothing is done",
	begin: async () => ({ kind: "none", what: null, end: async () => undefined }),
};

export const nemeses: ReadonlyMap<string, Nemesis> = new Map(
	[
		none,
		...single,
		mixed(
			"mixed",
			"one after the other of: kill, pause, partition, slow, leases, splits, clock, torn-wal, fsync",
			[kill, pause, partitions[0]!, slow, leases, splits, clock, tornWal, fsync],
		),
	].map((nemesis) => [nemesis.name, nemesis]),
);
