import test from "ava";
import { describeRun } from "./describe-run.ts";
import { simulateSql } from "./run-sql.ts";

test.serial(
	"SQL clients under faults: one history, sums and indexes right, each transaction once or never",
	async (t) => {
		let committed = 0;
		for (let seed = 1; seed <= 10; seed++) {
			const report = await simulateSql(seed);
			t.log(describeRun(report));
			committed += report.committed;
			if (report.problems.length > 0) {
				t.fail([`seed ${seed}`, ...report.events, ...report.problems.slice(0, 3)].join("\n"));
				return;
			}
		}
		t.true(committed > 1_000, `${committed} transactions`);
	},
);

test.serial("SQL: one seed gives one history", async (t) => {
	const first = await simulateSql(11, { profile: "tight", change: { durationMs: 4_000 } });
	const again = await simulateSql(11, { profile: "tight", change: { durationMs: 4_000 } });
	t.deepEqual(first.problems, []);
	t.is(again.traceHash, first.traceHash);
});
