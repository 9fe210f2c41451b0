/**
 * `make sim SEEDS=n [SEED=x] [TRACE=1] [SQL=1 | SESSIONS=1 | HISTORY=1 | RESTARTS=1] [PROFILE=name]`: runs seeds one after the other and prints
 * what became of each.
 */
import { describeRun } from "./describe-run.ts";
import { type ProfileName, profileNames } from "./profile.ts";
import { type RunOptions, simulate } from "./run.ts";
import { simulateHistory } from "./run-history.ts";
import { simulateRestarts } from "./run-restarts.ts";
import { simulateSessions } from "./run-sessions.ts";
import { simulateSql } from "./run-sql.ts";
import { Totals } from "./totals.ts";

const { FROM = "1", MUTATION, PROFILE, SEED, SEEDS = "20", TRACE } = process.env;
const first = Number(SEED ?? FROM);
const count = SEED === undefined ? Number(SEEDS) : 1;
if (PROFILE !== undefined && !profileNames.includes(PROFILE as ProfileName)) {
	throw new Error(`no profile ${PROFILE}: there are ${profileNames.join(", ")}`);
}
const options: RunOptions = {
	...(PROFILE === undefined ? {} : { profile: PROFILE as ProfileName }),
	...(MUTATION === undefined ? {} : { mutations: { [MUTATION]: true } }),
	...(TRACE === "1" ? { onEvent: (line: string) => console.log(line) } : {}),
};
const runs = {
	SQL: simulateSql,
	SESSIONS: simulateSessions,
	HISTORY: simulateHistory,
	RESTARTS: simulateRestarts,
} as const;
const chosen = (Object.keys(runs) as (keyof typeof runs)[]).find((k) => process.env[k] === "1");
const run = chosen === undefined ? simulate : runs[chosen];
const workload = chosen === undefined ? "" : ` ${chosen}=1`;
const totals = new Totals();
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
	const report = await run(seed, options);
	totals.add(report);
	console.log(describeRun(report));
	if (report.problems.length === 0) continue;
	failed++;
	for (const line of report.events) console.log(`       ${line}`);
	for (const problem of report.problems.slice(0, 5)) console.log(`       ${problem}`);
	const settings = `${PROFILE === undefined ? "" : ` PROFILE=${PROFILE}`}${workload}`;
	console.log(`       again, with all that happened: make sim SEED=${seed}${settings} TRACE=1`);
}
console.log(totals.describe());
// Over so many runs each kind of fault has its turn.
const missing = count >= 100 && workload === "" && PROFILE === undefined ? totals.missing() : [];
if (missing.length > 0) {
	console.log(`never happened: ${missing.join(", ")}`);
	failed++;
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
