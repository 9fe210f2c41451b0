/** The long forms, in the order in which they run. */
import { ProcessCluster } from "../harness/process-cluster.ts";
import { copyLeavesNothing } from "../scenarios/copy-abort.ts";
import {
	type CrashOptions,
	killAllAtOnce,
	killOneAfterTheOther,
	pauseEach,
	prepareCrash,
} from "../scenarios/crash.ts";
import { indexDuringTpcb } from "../scenarios/index-build.ts";
import { listAppend } from "../scenarios/list-append.ts";
import {
	initialize,
	type PgbenchOptions,
	runAllModes,
	splitPgbenchAccounts,
} from "../scenarios/pgbench-tpcb.ts";
import { psqlWorks } from "../scenarios/psql-checks.ts";
import type { ScenarioContext, Violations } from "../scenarios/scenario.ts";
import { loopDisksImpossible } from "./loop-disk.ts";
import { powerLoss, programWithoutSync } from "./power-loss.ts";

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
				const base = { ...context, scale: 8, clientsPerNode: 5, ranges, pace: 200, sent: [] };
				await prepareCrash({ ...base, seed: 0 });
				const found: string[] = [];
				for (let seed = 1; seed <= crashRounds && found.length === 0; seed++) {
					found.push(...(await scenario({ ...base, seed })));
				}
				return found;
			}),
	};
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
