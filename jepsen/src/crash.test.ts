/** Short forms of `scenarios/crash.ts` and `kill-loop.ts`: real processes, real kills. One cluster for all, as each kill leaves it. */
import test, { type ExecutionContext } from "ava";
import { ProcessCluster } from "./harness/process-cluster.ts";
import {
	type CrashOptions,
	killAllAtOnce,
	killOneAfterTheOther,
	locksOfTheDead,
	prepareCrash,
	splitTables,
} from "./scenarios/crash.ts";
import { killLoop } from "./scenarios/kill-loop.ts";
import type { Attempt } from "./workload/outcome.ts";

const scale = 4;
const parts = 6;
const sent: Attempt[] = [];

let cluster: ProcessCluster;

test.before(async () => {
	cluster = await ProcessCluster.start();
	await prepareCrash({ cluster, scale, ranges: 1 });
});

test.after.always(async () => {
	await cluster?.close();
});

const options = (t: ExecutionContext, seed: number): CrashOptions => ({
	cluster,
	log: (line) => t.log(line),
	scale,
	clientsPerNode: 3,
	pace: 40,
	seed,
	sent,
});

test.serial("kills lose nothing and stop nobody else", async (t) => {
	t.deepEqual(await killOneAfterTheOther(options(t, 1)), []);
	t.deepEqual(await killAllAtOnce(options(t, 2)), []);
	t.deepEqual(await locksOfTheDead(options(t, 3)), []);
});

test.serial("kills lose nothing of transactions over several ranges", async (t) => {
	await splitTables({ cluster, scale, ranges: parts });
	t.deepEqual(await killOneAfterTheOther(options(t, 4)), []);
	t.deepEqual(await killAllAtOnce(options(t, 5)), []);
	const counts = await Promise.all(
		cluster.nodes.map((node) => node.metric("quorate_commits_two_phase_total")),
	);
	t.true(Math.max(...counts) > 0, "some commits were two-phase");
});

test.serial("nodes that are killed again and again have what they acknowledged", async (t) => {
	const fewer = { clientsPerNode: 2, pace: 30, kills: 3 };
	t.deepEqual(await killLoop({ ...options(t, 6), ...fewer }), []);
});
