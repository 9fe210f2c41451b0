/** A run in three lines, for people. */
import type { RunReport } from "./run.ts";

const list = (map: Iterable<readonly [string, number]>): string =>
	[...map].map(([what, n]) => `${what} ${n}`).join(", ");

export function describeRun(report: RunReport): string {
	const { seed, profile, nodes, problems, virtualMs, traceHash, work, counts, outcomes } = report;
	const verdict = problems.length === 0 ? "ok    " : "FAILED";
	return (
		`${verdict} seed ${seed}: ${profile}, ${nodes} nodes, ${(virtualMs / 1000).toFixed(0)} virtual s, trace ${traceHash}\n` +
		`       done: ${list(Object.entries(work))}; lists: ${list(outcomes)}\n` +
		`       faults: ${list(counts)}`
	);
}

/** The first thing that was broken, in one line. */
export const firstProblem = ({ problems }: RunReport): string =>
	(problems[0] ?? "").split("\n")[0]!.slice(0, 200);
