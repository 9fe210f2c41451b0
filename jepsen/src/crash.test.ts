/** Short forms of `scenarios/crash.ts`: real processes, real kills. */
import test, { type ExecutionContext } from "ava";
import { ProcessCluster } from "./harness/process-cluster.ts";
import {
	type CrashOptions,
	killAllAtOnce,
	killOneAfterTheOther,
	locksOfTheDead,
	prepareCrash,
} from "./scenarios/crash.ts";
import type { Violations } from "./scenarios/scenario.ts";

const parts = 6;

async function options(t: ExecutionContext, ranges: number): Promise<CrashOptions> {
	const cluster = await ProcessCluster.start();
	t.teardown(() => cluster.close());
	const log = (line: string) => t.log(line);
	const sizes = { scale: 4, clientsPerNode: 3, ranges, pace: 40, seed: 0 };
	const made = { cluster, log, ...sizes, sent: [] };
	await prepareCrash(made);
	return made;
}

async function inTurn(
	base: CrashOptions,
	scenarios: readonly ((options: CrashOptions) => Promise<Violations>)[],
): Promise<Violations> {
	const found: string[] = [];
	for (const [index, scenario] of scenarios.entries()) {
		found.push(...(await scenario({ ...base, seed: index + 1 })));
	}
	return found;
}

test.serial("kills lose nothing and stop nobody else", async (t) => {
	const base = await options(t, 1);
	t.deepEqual(await inTurn(base, [killOneAfterTheOther, killAllAtOnce]), []);
	t.deepEqual(await locksOfTheDead(base), []);
});

test.serial("kills lose nothing of transactions over several ranges", async (t) => {
	const base = await options(t, parts);
	t.deepEqual(await inTurn(base, [killOneAfterTheOther, killAllAtOnce]), []);
	const counts = await Promise.all(
		base.cluster.nodes.map((node) => node.metric("quorate_commits_two_phase_total")),
	);
	t.true(Math.max(...counts) > 0, "some commits were two-phase");
});
