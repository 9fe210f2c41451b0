/** Nodes that are restarted in order, leases that move, ranges that split and merge: who is connected to another node notices waits, no errors. */
import test from "ava";
import { describeRun } from "./describe-run.ts";
import { simulateRestarts } from "./run-restarts.ts";

test("clients get no error but the end of their own node's connections", async (t) => {
	for (let seed = 1; seed <= 2; seed++) {
		const report = await simulateRestarts(seed, { change: { durationMs: 5_000 } });
		t.log(describeRun(report));
		t.deepEqual(report.problems, [], `seed ${seed}`);
		t.true(report.committed > 50, `${report.committed} transactions`);
	}
});
