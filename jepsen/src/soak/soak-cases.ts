/** The long forms, in the order in which they run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { damageAll, makeTemplate } from "@quorate/server/testing/damage";
import { ProcessCluster } from "../harness/process-cluster.ts";
import { bereaved } from "../scenarios/bereaved.ts";
import { copyLeavesNothing } from "../scenarios/copy-abort.ts";
import {
	type CrashOptions,
	killAllAtOnce,
	killOneAfterTheOther,
	pauseEach,
	prepareCrash,
	restartEach,
} from "../scenarios/crash.ts";
import { fullDiskOf } from "../scenarios/full-disk.ts";
import { indexDuringTpcb } from "../scenarios/index-build.ts";
import { killLoop } from "../scenarios/kill-loop.ts";
import { listAppend } from "../scenarios/list-append.ts";
import {
	initialize,
	type PgbenchOptions,
	runAllModes,
	splitPgbenchAccounts,
} from "../scenarios/pgbench-tpcb.ts";
import { psqlWorks } from "../scenarios/psql-checks.ts";
import { type RebuildOptions, rebuildNode } from "../scenarios/rebuild.ts";
import type { ScenarioContext, Violations } from "../scenarios/scenario.ts";
import { walKills } from "../scenarios/wal-kills.ts";
import { loopDisksImpossible } from "./loop-disk.ts";
import { powerLoss, programWithoutSync } from "./power-loss.ts";
import { smallDisksImpossible } from "./small-disk.ts";

export type Log = (line: string) => void;

export interface SoakCase {
	readonly name: string;
	run(log: Log): Promise<Violations | { readonly skipped: string }>;
}

const crashRounds = 5;
const parts = 6;

export const soakCases: readonly SoakCase[] = [
	...[1, parts].flatMap((ranges) => [
		crashCase(`kill one, ${ranges} ranges`, ranges, killOneAfterTheOther),
		crashCase(`kill all, ${ranges} ranges`, ranges, killAllAtOnce),
		crashCase(`pause each, ${ranges} ranges`, ranges, pauseEach),
		crashCase(`restart each, ${ranges} ranges`, ranges, restartEach),
	]),
	...[1, 2, 3].map(listAppendCase),
	pgbenchCase("pgbench -s 1", 1, "dtgvp"),
	pgbenchCase("pgbench -s 10", 10, "dtGvp"),
	{ name: "psql", run: (log) => onCluster(log, psqlWorks) },
	{
		name: "aborted COPY",
		run: (log) => onCluster(log, (context) => copyLeavesNothing(context, 200_000)),
	},
	{
		name: "power loss",
		run: (log) => onLoopDisks(() => powerLoss({ rounds: 10, pace: 100, log })),
	},
	{
		name: "kill -9 of a log, 100 times",
		run: (log) => walKills({ kills: 100, pace: 400, seed: 1, log }),
	},
	{ name: "kill -9 of nodes, 60 times", run: (log) => onCluster(log, killNodes) },
	{
		name: "what the dead were writing",
		run: (log) => onCluster(log, (context) => bereaved({ ...context, rounds: 12, seed: 1 })),
	},
	{ name: "full disk", run: (log) => onSmallDisk(log) },
	...(["wal", "engine", "identity"] as const).map(rebuildCase),
	...(["stop", "kill"] as const).map(damageCase),
	{ name: "power loss without fdatasync is found", run: (log) => onLoopDisks(() => mutated(log)) },
];

function crashCase(
	name: string,
	ranges: number,
	scenario: (options: CrashOptions) => Promise<Violations>,
): SoakCase {
	return {
		name,
		run: (log) =>
			onCluster(log, async (context) => {
				const base = { ...context, scale: 8, clientsPerNode: 5, pace: 200, sent: [] };
				await prepareCrash({ ...base, ranges });
				const found: string[] = [];
				for (let seed = 1; seed <= crashRounds && found.length === 0; seed++) {
					found.push(...(await scenario({ ...base, seed })));
				}
				return found;
			}),
	};
}

/** A sixth of the kills is of all nodes at once. */
async function killNodes(context: ScenarioContext): Promise<Violations> {
	const base = { ...context, scale: 4, clientsPerNode: 4, pace: 100, sent: [] };
	await prepareCrash({ ...base, ranges: parts });
	return killLoop({ ...base, seed: 1, kills: 60 });
}

function rebuildCase(damage: RebuildOptions["damage"], index: number): SoakCase {
	return {
		name: `rebuild of a node with a damaged ${damage}`,
		run: (log) =>
			onCluster(log, async (context) => {
				const sizes = { scale: 8, clientsPerNode: 4, pace: 100, sent: [] };
				const base = { ...context, ...sizes };
				await prepareCrash({ ...base, ranges: parts });
				return rebuildNode({ ...base, seed: 1, victim: 1 + index, damage });
			}),
	};
}

/** Throws at the first file of which the damage is neither made good nor refused. */
function damageCase(ending: "stop" | "kill"): SoakCase {
	return {
		name: `damage at rest after a ${ending}`,
		run: async (log) => {
			const root = mkdtempSync(join(tmpdir(), "quorate-template-"));
			try {
				const template = await makeTemplate(root, ending);
				log(JSON.stringify(await damageAll(template, { perFile: 12, seed: 1, log })));
				return [];
			} finally {
				rmSync(root, { recursive: true, force: true });
			}
		},
	};
}

async function onSmallDisk(log: Log): Promise<Violations | { readonly skipped: string }> {
	const skipped = smallDisksImpossible();
	return skipped === undefined
		? fullDiskOf({ sizeMiB: 512, rounds: 5, pace: 200, log })
		: { skipped };
}

function listAppendCase(seed: number): SoakCase {
	const sizes = { clientsPerNode: 5, keyCount: 24, faults: 12, pace: 300 };
	return {
		name: `list-append, seed ${seed}`,
		run: (log) => onCluster(log, (context) => listAppend({ ...context, ...sizes, seed })),
	};
}

function pgbenchCase(name: string, scale: number, steps: string): SoakCase {
	return {
		name,
		run: (log) =>
			onCluster(log, async (context) => {
				const options: PgbenchOptions = {
					...context,
					scale,
					clients: 16,
					length: ["--time", "30"],
				};
				const found = [...(await initialize(options, steps)), ...(await runAllModes(options))];
				await splitPgbenchAccounts(options, parts);
				log(`accounts split into ${parts} ranges`);
				found.push(...(await runAllModes(options)));
				found.push(...(await indexDuringTpcb(options)));
				return found;
			}),
	};
}

/** Green would mean that the check of the case before proves nothing. */
async function mutated(log: Log): Promise<Violations> {
	const found = await powerLoss({ rounds: 1, pace: 100, program: programWithoutSync, log }).catch(
		(error: unknown) => [`the nodes did not come back: ${(error as Error).message}`],
	);
	if (found.length === 0) {
		return ["nodes that do not sync lost nothing"];
	}
	log(`found, as it must be: ${found[0]?.split("\n")[0]} (${found.length} in all)`);
	return [];
}

async function onLoopDisks(
	run: () => Promise<Violations>,
): Promise<Violations | { readonly skipped: string }> {
	const skipped = loopDisksImpossible();
	return skipped === undefined ? run() : { skipped };
}

async function onCluster(
	log: Log,
	run: (context: ScenarioContext) => Promise<Violations>,
): Promise<Violations> {
	const cluster = await ProcessCluster.start();
	try {
		return await run({ cluster, log });
	} finally {
		await cluster.close();
	}
}
