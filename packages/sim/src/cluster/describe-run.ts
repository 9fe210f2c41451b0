/** A run in two lines, for people. */
import type { RunReport } from "./run.ts";

const list = (map: ReadonlyMap<string, number>): string =>
	[...map].map(([what, n]) => `${what} ${n}`).join(", ");

export function describeRun(report: RunReport): string {
	const { seed, nodes, problems, transfers, totals, virtualMs, traceHash } = report;
	return (
		`${problems.length === 0 ? "ok    " : "FAILED"} seed ${seed}: ${nodes} nodes, lists ${list(report.outcomes)}; ` +
		`${transfers} transfers, ${totals} totals, ${(virtualMs / 1000).toFixed(0)} virtual s, trace ${traceHash}\n` +
		`       faults: ${list(report.counts)}`
	);
}
