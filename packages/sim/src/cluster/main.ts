/** `make sim SEEDS=n [SEED=x] [TRACE=1]`: runs seeds one after the other and prints what became of each. */
import { nodesOf, type RunReport, simulate } from "./run.ts";

const list = (map: ReadonlyMap<string, number>): string =>
	[...map].map(([what, n]) => `${what} ${n}`).join(", ");

function print(report: RunReport, realMs: number): void {
	const { seed, nodes, problems, committed, transfers, totals, virtualMs } = report;
	const verdict = problems.length === 0 ? "ok    " : "FAILED";
	console.log(
		`${verdict} seed ${seed}: ${nodes} nodes, ${committed} list transactions (${list(report.outcomes)}), ` +
			`${transfers} transfers, ${totals} totals, ${(virtualMs / 1000).toFixed(0)} virtual s in ` +
			`${(realMs / 1000).toFixed(1)} s, trace ${report.traceHash}`,
	);
	console.log(`       faults: ${list(report.counts)}`);
	if (problems.length === 0) return;
	for (const line of report.events) console.log(`       ${line}`);
	for (const problem of problems.slice(0, 5)) console.log(`       ${problem}`);
	console.log(`       again, with everything that happened: make sim SEED=${seed} TRACE=1`);
}

const { SEED, SEEDS = "20", TRACE } = process.env;
const first = Number(SEED ?? 1);
const count = SEED === undefined ? Number(SEEDS) : 1;
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
	const began = performance.now();
	const onEvent = TRACE === "1" ? (line: string) => console.log(line) : undefined;
	const report = await simulate(seed, {
		nodes: Number(process.env["NODES"] ?? nodesOf(seed)),
		...(onEvent === undefined ? {} : { onEvent }),
	});
	print(report, performance.now() - began);
	if (report.problems.length > 0) failed++;
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
