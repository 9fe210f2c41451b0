/** psql and pgbench as Debian installs them, against three nodes: short forms of the scenarios. */
import test, { type ExecutionContext } from "ava";
import { ProcessCluster } from "./harness/process-cluster.ts";
import { copyLeavesNothing } from "./scenarios/copy-abort.ts";
import { indexDuringTpcb } from "./scenarios/index-build.ts";
import {
	initialize,
	type PgbenchOptions,
	type Run,
	runAllModes,
	runInTurn,
	splitPgbenchAccounts,
} from "./scenarios/pgbench-tpcb.ts";
import { psqlWorks } from "./scenarios/psql-checks.ts";
import { isInstalled } from "./tools/run-program.ts";

const parts = 6;
const missing = ["psql", "pgbench"].filter((program) => !isInstalled(program));
const title = (what: string): string =>
	missing.length === 0 ? what : `${what} (${missing.join(", ")} not installed)`;
const check = missing.length === 0 ? test.serial : test.serial.skip;

let cluster: ProcessCluster;

test.before(async () => {
	if (missing.length === 0) {
		cluster = await ProcessCluster.start();
	}
});

test.after.always(async () => {
	await cluster?.close();
});

const options = (t: ExecutionContext, count: number): PgbenchOptions => ({
	cluster,
	log: (line) => t.log(line),
	scale: 1,
	clients: 6,
	length: ["--transactions", String(count)],
});

check(title("psql: what a person types"), async (t) => {
	t.deepEqual(await psqlWorks(options(t, 0)), []);
});

check(title("a COPY that does not end well leaves no row"), async (t) => {
	t.deepEqual(await copyLeavesNothing(options(t, 0), 20_000), []);
});

check(title("pgbench: TPC-B in every query mode, on one node and on three"), async (t) => {
	t.deepEqual(await initialize(options(t, 20), "dtgvp"), []);
	t.deepEqual(await runAllModes(options(t, 10)), []);
});

check(title("pgbench: TPC-B over six ranges"), async (t) => {
	await splitPgbenchAccounts(options(t, 20), parts);
	const runs: Run[] = [
		{ mode: "simple", nodes: [1] },
		{ mode: "prepared", nodes: [1, 2, 3] },
	];
	t.deepEqual(await runInTurn(options(t, 20), runs), []);
});

check(title("an index built during TPC-B equals its table"), async (t) => {
	t.deepEqual(await indexDuringTpcb(options(t, 40)), []);
});
