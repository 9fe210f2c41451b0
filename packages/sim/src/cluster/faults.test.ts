/** A fixed set of seeds. A failing one is had again, with everything that happened, by `make sim SEED=x TRACE=1`. */
import test from "ava";
import { describeRun } from "./describe-run.ts";
import { simulate } from "./run.ts";

/** Found something once: regression list (see the commits that name them). */
const regressions = [3, 6, 9, 34, 39, 93];
const others = [101, 102, 103, 104, 105, 106, 107, 108, 109];

test.serial(
	"whatever happens, histories stay strictly serializable and nothing is left over",
	async (t) => {
		const counts = new Map<string, number>();
		let committed = 0;
		for (const seed of [...regressions, ...others]) {
			const report = await simulate(seed, { durationMs: 15_000 });
			t.log(describeRun(report));
			committed += report.committed;
			for (const [fault, n] of report.counts) counts.set(fault, (counts.get(fault) ?? 0) + n);
			if (report.problems.length > 0) {
				t.fail([`seed ${seed}`, ...report.events, ...report.problems.slice(0, 3)].join("\n"));
				return;
			}
		}
		t.true(committed > 5_000, `${committed} transactions`);
		// A fault that never happened has tested nothing.
		for (const fault of [
			"crash-process",
			"crash-power",
			"partition",
			"one-way-partition",
			"clock-rate",
			"pause",
			"slow-sync",
			"reset",
			"lease-move",
			"split",
			"relocation",
			"lost-engine-batches",
		]) {
			t.true((counts.get(fault) ?? 0) > 0, `${fault} never happened`);
		}
	},
);
