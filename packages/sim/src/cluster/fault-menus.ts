/** Which faults a run meets, with their weights, and how many at once. */
import { clientsCutOff } from "./faults/client-faults.ts";
import { wrongClock } from "./faults/clock-faults.ts";
import {
	acknowledgementsLost,
	slowLeaseholderCutOff,
	slowOracleCutOff,
} from "./faults/crafted-faults.ts";
import { bitFlips, failingDisk, fullDisk, slowDisk } from "./faults/disk-faults.ts";
import { forgetfulElection } from "./faults/election-faults.ts";
import { longIsolation, longPause } from "./faults/long-silences.ts";
import {
	badNetwork,
	cutLinks,
	disorder,
	isolate,
	lateConnections,
	oneSlowLink,
	resets,
} from "./faults/network-faults.ts";
import {
	learnerSidesWithLeader,
	merge,
	moveLeases,
	relocate,
	replace,
	split,
	strikeAtMerge,
} from "./faults/operations.ts";
import {
	blink,
	crashAll,
	crashAtDisk,
	crashOne,
	pause,
	restartGracefully,
} from "./faults/process-faults.ts";
import type { Fault } from "./nemesis.ts";

interface Menu {
	readonly faults: readonly (readonly [weight: number, fault: Fault])[];
	readonly atOnce: number;
}

export const menus = {
	anything: {
		atOnce: 3,
		faults: [
			[4, crashOne],
			[2, crashAtDisk],
			[1, crashAll],
			[1, restartGracefully],
			[3, isolate],
			[3, cutLinks],
			[2, slowOracleCutOff],
			[2, slowLeaseholderCutOff],
			[1, acknowledgementsLost],
			[2, pause],
			[2, wrongClock],
			[2, slowDisk],
			[2, failingDisk],
			[1, fullDisk],
			[1, bitFlips],
			[1, badNetwork],
			[1, oneSlowLink],
			[2, resets],
			[2, lateConnections],
			[2, disorder],
			[1, clientsCutOff],
			[4, moveLeases],
			[2, split],
			[2, relocate],
			[1, replace],
			[1, learnerSidesWithLeader],
			[1, forgetfulElection],
		],
	},
	/** What an outdated leader must not answer. */
	outdatedLeaders: {
		atOnce: 1,
		faults: [
			[1, slowOracleCutOff],
			[1, slowLeaseholderCutOff],
		],
	},
	/** Voters that come back while votes are given. */
	elections: {
		atOnce: 1,
		faults: [
			[4, forgetfulElection],
			[1, moveLeases],
		],
	},
	/** Members that come and go while links and machines fail. */
	membership: {
		atOnce: 2,
		faults: [
			[3, learnerSidesWithLeader],
			[2, relocate],
			[1, replace],
			[1, crashOne],
			[1, isolate],
		],
	},
	/** Ranges that become one while members, leases and machines come and go. */
	merging: {
		atOnce: 3,
		faults: [
			[8, merge],
			[6, strikeAtMerge],
			[6, split],
			[3, moveLeases],
			[2, relocate],
			[3, crashOne],
			[1, crashAtDisk],
			[1, crashAll],
			[1, restartGracefully],
			[2, isolate],
			[2, cutLinks],
			[1, pause],
			[1, slowDisk],
			[1, badNetwork],
			[1, resets],
			[1, learnerSidesWithLeader],
		],
	},
	/** What no client may notice; nodes are restarted in order beside it. */
	upheaval: {
		atOnce: 2,
		faults: [
			[4, moveLeases],
			[2, split],
			[1, merge],
			[3, blink],
		],
	},
	/** Nodes that are taken for dead and come back, with their clients, to what others have meanwhile. */
	silences: {
		atOnce: 2,
		faults: [
			[4, longPause],
			[4, longIsolation],
			[2, crashOne],
			[1, restartGracefully],
			[3, moveLeases],
			[1, resets],
		],
	},
	/** Answers that are lost on the way, and leaseholders that change meanwhile. */
	lostAnswers: {
		atOnce: 3,
		faults: [
			[3, acknowledgementsLost],
			[4, resets],
			[2, lateConnections],
			[3, moveLeases],
			[3, cutLinks],
			[2, slowDisk],
			[1, wrongClock],
			[1, crashOne],
		],
	},
} as const satisfies Readonly<Record<string, Menu>>;

export type FaultMenu = keyof typeof menus;
