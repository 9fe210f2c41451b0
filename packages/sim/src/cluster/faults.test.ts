/** Fixed seeds; new ones are run by `.ci/run`. A failing one is had again, with everything that happened, by `make sim SEED=x TRACE=1`. */
import test, { type ExecutionContext } from "ava";
import { describeRun } from "./describe-run.ts";
import { type RunOptions, simulate } from "./run.ts";
import { Totals } from "./totals.ts";

/** Found something once: regression list (see the commits that name them). */
const regressions: readonly number[] = [5, 12, 41, 64, 65, 70, 383];
/** With the profile `membership`. */
const membershipRegressions: readonly number[] = [9112, 9118, 9198];
/** With the profile `placing`. */
const placingRegressions: readonly number[] = [23, 37, 38, 300141271];
/** Over these each kind of work is done, and faults of many kinds. */
const others: readonly number[] = [101, 102, 103, 104, 106, 19];

async function holds(
	t: ExecutionContext,
	seed: number,
	totals: Totals,
	options: RunOptions = {},
): Promise<boolean> {
	const report = await simulate(seed, options);
	t.log(describeRun(report));
	totals.add(report);
	if (report.problems.length === 0) return true;
	t.fail([`seed ${seed}`, ...report.events, ...report.problems.slice(0, 3)].join("\n"));
	return false;
}

test.serial(
	"whatever happens, histories stay strictly serializable and nothing is left over",
	async (t) => {
		const totals = new Totals();
		for (const seed of [...regressions, ...others]) if (!(await holds(t, seed, totals))) return;
		for (const seed of membershipRegressions) {
			if (!(await holds(t, seed, totals, { profile: "membership" }))) return;
		}
		for (const seed of placingRegressions) {
			if (!(await holds(t, seed, totals, { profile: "placing" }))) return;
		}
		// A reader was told that a transaction had aborted of which nobody could tell any more what had become (T4).
		if (!(await holds(t, 13, totals, { profile: "lostAnswers" }))) return;
		t.log(totals.describe());
		// All kinds are looked for by `make sim SEEDS=100`.
		const kinds = ["crash-power", "partition", "lease-move", "split-asked", "reset"];
		for (const kind of ["twoPhaseCommits", "snapshotsReceived", "leaderChanges", "splits"]) {
			t.true((totals.work.get(kind) ?? 0) > 0, `${kind}: none`);
		}
		for (const kind of kinds) t.true((totals.faults.get(kind) ?? 0) > 0, `${kind}: none`);
		// Of reads, writes or syncs: which of them a seed meets changes with everything else.
		t.true(
			[...totals.faults.keys()].some((kind) => kind.startsWith("EIO")),
			"disk errors: none",
		);
	},
);
