/** Advisory locks and notifications under faults; and that the checks see what is missing without what protects them. */
import type { Mutations } from "@quorate/keys/mutations";
import test from "ava";
import { describeRun, firstProblem } from "./describe-run.ts";
import { simulateSessions } from "./run-sessions.ts";

test.serial(
	"the same seed goes the same way again, in a process that has run it before",
	async (t) => {
		const once = async () => (await simulateSessions(6)).traceHash;
		t.is(await once(), await once());
	},
);

test.serial(
	"a lock is a mutex for what its session commits, and notifications are told once, in order",
	async (t) => {
		let told = 0;
		let sections = 0;
		for (let seed = 1; seed <= 3; seed++) {
			const report = await simulateSessions(seed);
			t.log(describeRun(report), JSON.stringify(report.work));
			told += report.work["told"]!;
			sections += report.work["sections"]!;
			if (report.problems.length > 0) {
				t.fail([`seed ${seed}`, ...report.events, ...report.problems.slice(0, 3)].join("\n"));
				return;
			}
		}
		t.true(told > 300, `${told} notifications`);
		t.true(sections > 100, `${sections} sections`);
	},
);

/** With the seed that showed it last: which one does first changes with all that is written. */
const mutations: readonly (readonly [keyof Mutations, number])[] = [
	["withoutFencing", 11],
	["feedWithoutWaiting", 14],
	["feedBeginsComplete", 6],
];

for (const [mutation, first] of mutations) {
	test.serial(`${mutation} is noticed`, async (t) => {
		for (let seed = first; seed < first + 80; seed++) {
			const report = await simulateSessions(seed, { mutations: { [mutation]: true } });
			if (report.problems.length > report.delays.length) {
				t.log(`seed ${seed}: ${firstProblem(report)}`);
				t.pass();
				return;
			}
		}
		t.fail("nothing was noticed");
	});
}
