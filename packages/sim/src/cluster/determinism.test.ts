import test from "ava";
import { type RunReport, simulate } from "./run.ts";

const quiet = (seed: number): Promise<RunReport> => simulate(seed, { profile: "calm" });

test.serial("one seed gives one history, another seed another", async (t) => {
	const first = await quiet(1);
	const again = await quiet(1);
	const other = await quiet(2);
	for (const report of [first, again, other]) {
		t.deepEqual(report.problems, []);
		t.true(report.committed >= 200, `${report.committed} transactions`);
	}
	t.is(again.traceHash, first.traceHash);
	t.not(other.traceHash, first.traceHash);
});

test.serial("also with faults", async (t) => {
	for (const profile of ["tight", "wide"] as const) {
		const options = { profile, change: { durationMs: 8_000 } };
		const first = await simulate(4, options);
		const again = await simulate(4, options);
		t.is(again.traceHash, first.traceHash);
		t.deepEqual(again.counts, first.counts);
	}
});
