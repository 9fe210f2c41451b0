/** What a run is like: drawn from its seed, or asked for by name. */
import type { Limits } from "@quorate/keys/limits";
import { SeededRandom } from "../runtime/seeded-random.ts";
import type { NetworkOptions } from "../runtime/sim-network.ts";
import type { FaultMenu } from "./fault-menus.ts";

export interface Profile {
	/** Nodes that the cluster begins with, and others that join it. */
	readonly nodes: number;
	readonly spares: number;
	/** Of the workload, in virtual milliseconds. */
	readonly durationMs: number;
	/** For so long faults go on after the workload. Default 0. */
	readonly quietMs?: number;
	readonly menu: FaultMenu | "none";
	/** Between the beginnings of two faults. */
	readonly pauseMsMean: number;
	/** Faults at the same time, where it is not as the menu says. */
	readonly faultsAtOnce?: number;
	/** Of list transactions; a third as many each of registers and of the bank. */
	readonly clients: number;
	/** Between two transactions of a client. */
	readonly thinkMsMean: number;
	/** Lists. */
	readonly keyCount: number;
	readonly limits: Limits;
	readonly network: Partial<NetworkOptions>;
}

/** Housekeeping as in a run of days. */
const tight: Limits = {
	recordLifeMs: 4_000,
	historyLifeMs: 6_000,
	collectMs: 700,
	restMs: 300,
	compactionEntries: 60,
	logTailEntries: 20,
	installBytes: 300,
	walSegmentBytes: 96 << 10,
};

const common: Profile = {
	nodes: 3,
	spares: 0,
	durationMs: 15_000,
	menu: "anything",
	pauseMsMean: 1_000,
	clients: 6,
	thinkMsMean: 120,
	keyCount: 24,
	limits: {},
	network: {},
};

/** With how often they are drawn. */
const table = {
	/** As in production. */
	plain: [3, common],
	/** Small sizes and short lives. */
	tight: [4, { ...common, limits: tight }],
	/** Ranges that live on some of the nodes only; one node may lose its disk. */
	wide: [3, { ...common, nodes: 3, spares: 2, limits: tight }],
	/** As `wide`, and the cluster itself sees to where replicas and leases are. */
	placing: [
		2,
		{
			...common,
			nodes: 3,
			spares: 2,
			limits: { ...tight, schedulerMs: 200, deadAfterMs: 4_000 },
		},
	],
	five: [2, { ...common, nodes: 5 }],
	/** Far from each other. */
	far: [1, { ...common, limits: tight, network: { latencyMsMin: 5, latencyMsMean: 5 } }],
	/** Little to do, much that fails. */
	sparse: [
		1,
		{
			...common,
			durationMs: 60_000,
			clients: 4,
			thinkMsMean: 330,
			pauseMsMean: 200,
			faultsAtOnce: 4,
		},
	],
	outdatedLeaders3: [1, { ...common, menu: "outdatedLeaders", pauseMsMean: 1_500 }],
	outdatedLeaders5: [1, { ...common, nodes: 5, menu: "outdatedLeaders", pauseMsMean: 1_500 }],
	elections: [1, { ...common, menu: "elections", pauseMsMean: 200, clients: 2, thinkMsMean: 300 }],
	membership: [
		2,
		{ ...common, nodes: 3, spares: 2, menu: "membership", pauseMsMean: 500, limits: tight },
	],
	lostAnswers: [2, { ...common, menu: "lostAnswers", pauseMsMean: 400, limits: tight, clients: 9 }],
	/**
	 * Ranges split by themselves all the time, by load too: were they smaller, each would be asked too little. Drawn apart, so that other
	 * seeds stay what they are.
	 */
	dividing: [
		0,
		{
			...common,
			clients: 12,
			limits: { ...tight, rangeMaxBytes: 4_000, rangeMaxLoad: 6, divideMs: 300 },
		},
	],
	/** Ranges are merged all the time. Drawn apart as well. */
	merging: [
		0,
		{ ...common, nodes: 3, spares: 2, menu: "merging", pauseMsMean: 400, limits: tight },
	],
	/** Ranges split by themselves as they are used, and are merged by themselves as they have become cold. Drawn apart as well. */
	breathing: [
		0,
		{
			...common,
			nodes: 3,
			spares: 2,
			clients: 12,
			durationMs: 12_000,
			quietMs: 40_000,
			pauseMsMean: 1_500,
			limits: {
				...tight,
				schedulerMs: 200,
				deadAfterMs: 4_000,
				rangeMaxLoad: 8,
				divideMs: 300,
				loadsMs: 300,
				mergeAfterMs: 1_000,
			},
		},
	],
	/** Nothing fails. */
	calm: [1, { ...common, menu: "none", durationMs: 4_000 }],
} as const satisfies Readonly<Record<string, readonly [number, Profile]>>;

export type ProfileName = keyof typeof table;

export const profileNames = Object.keys(table) as ProfileName[];

export const profile = (name: ProfileName): Profile => table[name][1];

/** Of all seeds. */
const dividingShare = 0.1;
const mergingShare = 0.1;
const breathingShare = 0.08;

/** The one that a seed draws. */
export function profileOf(seed: number): ProfileName {
	if (new SeededRandom(seed, "dividing").chance(dividingShare)) return "dividing";
	if (new SeededRandom(seed, "merging").chance(mergingShare)) return "merging";
	if (new SeededRandom(seed, "breathing").chance(breathingShare)) return "breathing";
	const weight = profileNames.reduce((sum, name) => sum + table[name][0], 0);
	let at = new SeededRandom(seed, "profile").below(weight);
	for (const name of profileNames) {
		at -= table[name][0];
		if (at < 0) return name;
	}
	throw new Error("weights are positive");
}
