/** `make sim SEEDS=n [SEED=x] [TRACE=1] [SQL=1]`: runs seeds one after the other and prints what became of each. */
import { describeRun } from "./describe-run.ts";
import { nodesOf, simulate } from "./run.ts";
import { simulateSql } from "./run-sql.ts";

const { NODES, SEED, SEEDS = "20", SQL, TRACE } = process.env;
const first = Number(SEED ?? 1);
const count = SEED === undefined ? Number(SEEDS) : 1;
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
	const report = await (SQL === "1" ? simulateSql : simulate)(seed, {
		nodes: NODES === undefined ? nodesOf(seed) : Number(NODES),
		...(TRACE === "1" ? { onEvent: (line: string) => console.log(line) } : {}),
	});
	console.log(describeRun(report));
	if (report.problems.length === 0) continue;
	failed++;
	for (const line of report.events) console.log(`       ${line}`);
	for (const problem of report.problems.slice(0, 5)) console.log(`       ${problem}`);
	console.log(
		`       again, with everything that happened: make sim SEED=${seed}${SQL === "1" ? " SQL=1" : ""} TRACE=1`,
	);
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
